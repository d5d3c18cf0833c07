//! Praat's TextGrid, long and short: interval tiers, one a speaker.
//!
//! Both hold the same values in the same order; the long form puts names before them. Reading the values alone
//! reads both (Praat manual, "TextGrid file formats").

use super::{Read, TranscriptFormat, utterance};

enum Value {
    Number(f64),
    Text(String),
}

pub(super) fn read(text: &str) -> Read {
    let mut values = values(text)?.into_iter();
    let mut number = |what: &str| match values.find(|v| matches!(v, Value::Number(_))) {
        Some(Value::Number(n)) => Ok(n),
        _ => Err(format!("this TextGrid ends before {what}")),
    };
    number("its start")?;
    number("its end")?;
    let tiers = number("the number of its tiers")?;
    let mut found = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for _ in 0..tiers.clamp(0.0, 1e4) as usize {
        let mut next = |what: &str| values.next().ok_or_else(|| format!("this TextGrid ends before {what}"));
        let (Value::Text(class), Value::Text(name)) = (next("a tier's class")?, next("a tier's name")?) else {
            return Err("a tier of this TextGrid has no class and name".to_owned());
        };
        let intervals = class == "IntervalTier";
        let mut number = |what: &str| match next(what)? {
            Value::Number(n) => Ok(n),
            Value::Text(t) => Err(format!("this TextGrid has `{t}` where {what} should be")),
        };
        number("a tier's start")?;
        number("a tier's end")?;
        let count = number("a tier's size")?;
        // phones beside words would say everything twice
        let words = intervals && !name.to_lowercase().contains("phone");
        for _ in 0..count.clamp(0.0, 1e7) as usize {
            let mut next = |what: &str| values.next().ok_or_else(|| format!("this TextGrid ends before {what}"));
            let start = next("an interval's start")?;
            let end = if intervals { next("an interval's end")? } else { Value::Number(0.0) };
            let label = next("an interval's text")?;
            let (Value::Number(start), Value::Number(end), Value::Text(label)) = (start, end, label) else {
                return Err(format!("tier `{name}` of this TextGrid is damaged"));
            };
            let silent = matches!(label.as_str(), "sil" | "sp" | "spn" | "<eps>" | "<unk>");
            if words && !silent && !label.trim().is_empty() {
                found.push(utterance(start, end, Some(speaker(&name)), &label));
            }
        }
        if words && !names.contains(&speaker(&name).to_owned()) {
            names.push(speaker(&name).to_owned());
        }
    }
    if names.len() < 2 {
        found.iter_mut().for_each(|u| u.speaker = None);
    }
    Ok((TranscriptFormat::TextGrid, found))
}

/// Aligners name tiers `speaker - words`.
fn speaker(tier: &str) -> &str {
    tier.strip_suffix("words").map_or(tier, |t| t.trim_end_matches([' ', '-', '_']))
}

/// Numbers and quoted texts; names, signs and bracketed counters are left out.
fn values(text: &str) -> Result<Vec<Value>, String> {
    let mut found = Vec::new();
    // the header's two quoted values are no data
    let body = text.split_once("\"TextGrid\"").map_or(text, |(_, rest)| rest);
    let mut rest = body;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '[' || c == '-' || c.is_ascii_digit()) {
        let before = rest[..at].chars().next_back();
        rest = &rest[at..];
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut label = String::new();
            let mut inside = quoted;
            loop {
                let Some(end) = inside.find('"') else {
                    return Err("a text in this TextGrid has no end".to_owned());
                };
                label.push_str(&inside[..end]);
                inside = &inside[end + 1..];
                // a doubled quote stands for one
                match inside.strip_prefix('"') {
                    Some(more) => {
                        label.push('"');
                        inside = more;
                    }
                    None => break,
                }
            }
            found.push(Value::Text(label));
            rest = inside;
        } else if rest.starts_with('[') {
            rest = rest.find(']').map_or("", |end| &rest[end + 1..]);
        } else {
            let end =
                rest[1..].find(|c: char| !(c.is_ascii_digit() || ".eE+-".contains(c))).map_or(rest.len(), |e| e + 1);
            let lone = before.is_none_or(char::is_whitespace);
            if lone && let Ok(number) = rest[..end].parse() {
                found.push(Value::Number(number));
            }
            rest = &rest[end..];
        }
    }
    Ok(found)
}
