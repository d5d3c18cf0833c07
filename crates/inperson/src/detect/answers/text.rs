//! From an answer to the words and hashed features that the model reads.
//!
//! `python/training/answers/text.py` computes the very same; `golden.json` keeps both true. What recognisers differ
//! in is taken out: case, punctuation, fillers, immediate repeats, digits against number words.

use std::collections::BTreeMap;

/// Bits of a feature's index.
pub(super) const BITS: u32 = 20;
/// Words in the longest run that is a feature.
const LONGEST: usize = 3;
/// What every number becomes.
const NUMBER: &str = "#";
/// Starting value of the n-gram hash, so that other features of the same words fall elsewhere.
const SALT: u64 = 1;
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

const FILLERS: [&str; 18] = [
    "uh", "um", "uhm", "umm", "uhh", "er", "erm", "eh", "ah", "hm", "hmm", "hmmm", "mm", "mmm", "mhm", "huh", "mhmm",
    "uhhuh",
];
const NUMBERS: [&str; 31] = [
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
    "million",
    "billion",
    "trillion",
];
const TAILS: [&str; 7] = ["n't", "'s", "'re", "'ve", "'ll", "'m", "'d"];

/// What a recogniser would have said of this text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// Lower case, no punctuation, fillers and immediate repeats left out, numbers as `#`.
    pub(super) list: Vec<String>,
    /// Fillers that were left out.
    pub(super) fillers: usize,
    /// Immediate repeats that were left out.
    pub(super) repeats: usize,
}

/// Whether this is a filler, as recognisers write them.
pub(super) fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word)
}

/// The words of a text.
pub(super) fn words(text: &str) -> Words {
    let text = without_markers(&without_brackets(text));
    let mut found = Words::default();
    let mut word = String::new();
    let mut characters = text.chars().map(plain).peekable();
    while let Some(c) = characters.next() {
        if part_of_word(c) {
            word.push(c);
            if characters.peek().is_some_and(|&next| part_of_word(next)) {
                continue;
            }
        }
        if word.is_empty() {
            continue;
        }
        let held = std::mem::take(&mut word);
        // "w- what": cut off when white space follows, else part of a compound
        if characters.peek() == Some(&'-') {
            characters.next();
            if characters.peek().is_none_or(|next| " \n\t,.".contains(*next)) {
                continue;
            }
        }
        take(&held, &mut found);
    }
    found
}

fn take(held: &str, found: &mut Words) {
    if held.trim_matches('\'').is_empty() {
        return;
    }
    if TAILS.contains(&held)
        && let Some(last) = found.list.last_mut()
    {
        last.push_str(held);
        return;
    }
    let mut held = held.trim_matches('\'');
    if is_filler(held) {
        found.fillers += 1;
        return;
    }
    if NUMBERS.contains(&held) || held.bytes().any(|b| b.is_ascii_digit()) {
        held = NUMBER;
    }
    if found.list.last().is_some_and(|last| last == held) {
        found.repeats += usize::from(held != NUMBER);
        return;
    }
    found.list.push(held.to_owned());
}

/// Only ASCII is lowered, so that other languages of programming agree.
fn plain(c: char) -> char {
    match c {
        '\u{2019}' | '\u{2018}' | '\u{2bc}' | '\u{b4}' | '`' => '\'',
        _ => c.to_ascii_lowercase(),
    }
}

fn part_of_word(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '\'' | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{24f}'
        | '\u{370}'..='\u{1fff}' | '\u{3040}'..='\u{9fff}' | '\u{a000}'..='\u{d7ff}')
}

/// Sounds and stage directions in brackets are replaced by a space.
fn without_brackets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '<', '{', '(']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let inside = &from[1..];
        let (close, most, starts): (_, _, &[&str]) = match from.as_bytes()[0] {
            b'[' => (']', 60, &[""]),
            b'<' => ('>', 60, &[""]),
            b'{' => ('}', 60, &[""]),
            _ => (')', 40, &["pause", "laugh", "inaudible"]),
        };
        let open = from.as_bytes()[0] as char;
        let end = inside.find([open, close]).filter(|&e| inside[e..].starts_with(close));
        let start = starts.iter().find(|s| inside.starts_with(**s));
        match (end, start) {
            (Some(end), Some(start)) if inside[..end].chars().count() <= most + start.len() => {
                out.push(' ');
                rest = &inside[end + 1..];
            }
            _ => {
                out.push(open);
                rest = inside;
            }
        }
    }
    out.push_str(rest);
    out
}

/// `1. `, `2) `, `- ` at the start of a line: nobody speaks them.
fn without_markers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start_matches([' ', '\t']);
        let digits = bare.bytes().take_while(u8::is_ascii_digit).count();
        let sign = if (1..=2).contains(&digits) {
            bare[digits..].strip_prefix(['.', ')'])
        } else {
            bare.strip_prefix(['-', '*', '\u{2022}'])
        };
        match sign.filter(|s| s.starts_with([' ', '\t'])) {
            Some(rest) => out.push_str(rest.trim_start_matches([' ', '\t'])),
            None => out.push_str(line),
        }
    }
    out
}

/// FNV-1a, 64 bits.
fn fnv(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// The finaliser of MurmurHash3.
const fn mix(mut h: u64) -> u64 {
    h ^= h >> 33;
    h = h.wrapping_mul(0xff51_afd7_ed55_8ccd);
    h ^= h >> 33;
    h = h.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

/// Indices and values of the features: words, and runs of two and three; `ln(1 + count)`.
pub(super) fn features(words: &[String]) -> (Vec<f32>, Vec<f32>) {
    let base: Vec<u64> = words.iter().map(|w| fnv(w)).collect();
    let step = |h: u64, b: &u64| h.wrapping_mul(MULTIPLIER).wrapping_add(*b);
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    for length in 1..=LONGEST {
        for run in base.windows(length) {
            let hash = mix(run.iter().fold(SALT, step).wrapping_add(length as u64));
            *counts.entry((hash & ((1 << BITS) - 1)) as u32).or_default() += 1;
        }
    }
    // indices below 2^24 are whole numbers in 32-bit floats
    (counts.keys().map(|&i| i as f32).collect(), counts.values().map(|&c| (c as f32).ln_1p()).collect())
}

/// Hashes of all runs of `length` words.
pub(super) fn runs(words: &[String], length: usize) -> std::collections::BTreeSet<u64> {
    let base: Vec<u64> = words.iter().map(|w| fnv(w)).collect();
    base.windows(length).map(|w| mix(w.iter().fold(SALT, |h, &b| h.wrapping_mul(MULTIPLIER).wrapping_add(b)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_recognisers_differ_in_is_taken_out() {
        let raw = "Um, I  I wor- worked\u{2019}s [laughs] on 25 pro\u{e9}jects, (pause 0.2) well-known; do n't \u{2019}quote\u{2019} it's #1.";
        let got = words(raw);
        let want = "i worked's on # pro\u{e9}jects well known don't quote it's #";
        assert_eq!(got.list.join(" "), want);
        assert_eq!((got.fillers, got.repeats), (1, 1));
        assert_eq!(words("1. First\n- Second\n3) (third)").list, ["first", "second", "third"]);
        assert!(words(" ... ' -- ").list.is_empty());
    }

    #[test]
    fn golden_answers_give_what_python_gives() {
        let golden: serde_json::Value = serde_json::from_str(include_str!("golden.json")).unwrap();
        for case in golden.as_array().unwrap() {
            let got = words(case["text"].as_str().unwrap());
            assert_eq!(serde_json::json!(got.list), case["words"]);
            let (indices, values) = features(&got.list);
            assert_eq!(serde_json::json!(indices.iter().map(|&i| i as u32).collect::<Vec<_>>()), case["indices"]);
            for (v, w) in values.iter().zip(case["values"].as_array().unwrap()) {
                assert!((f64::from(*v) - w.as_f64().unwrap()).abs() < 1e-6);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_plain_words_once(text in "[ -~\n\u{2019}\u{e9}\u{1f600}\u{4e2d}]{0,120}") {
            let got = words(&text).list;
            proptest::prop_assert!(got.iter().all(|w| !w.is_empty() && !w.contains(char::is_whitespace)));
            proptest::prop_assert!(got.windows(2).all(|w| w[0] != w[1] || w[0].contains('\'')));
            let (indices, values) = features(&got);
            proptest::prop_assert!(indices.windows(2).all(|i| i[0] < i[1]) && indices.len() == values.len());
            let runs: usize = (1..=LONGEST).map(|n| (got.len() + 1).saturating_sub(n)).sum();
            let counted: f32 = values.iter().map(|v| v.exp_m1()).sum();
            proptest::prop_assert!((counted - runs as f32).abs() < 0.01);
        }
    }
}
