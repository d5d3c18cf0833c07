//! Words and the gaps between them as `answers-delivery` reads them: it knows how long each common word and the pause after it usually
//! last when read and when spoken freely, so that which words they are tells nothing. `python/training/answers/timing.py` computes the
//! very same.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::delivery::{BREAK, PAUSE};
use crate::time::Span;

/// Words that are common in most calls, each with a row of its own in the model's tables; all others by length and ending.
static COMMON: LazyLock<HashMap<&str, usize>> =
    LazyLock::new(|| include_str!("common_words.txt").split_whitespace().enumerate().map(|(n, w)| (w, n)).collect());
/// Longest word that is told from longer ones.
const LONGEST: usize = 10;
/// Seconds at which cells of gaps begin.
const GAPS: [f64; 5] = [PAUSE, 0.3, 0.5, 0.8, 1.3];
/// Seconds of a gap from which a word stands before a long pause, and the shortest length that is believed.
const LONG: f64 = 0.5;
const SHORTEST: f64 = 0.01;
/// Numbers that describe a pair, or a word.
pub(super) const COLUMNS: usize = 3;

/// Rows of [`COLUMNS`] numbers, flat.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tokens {
    /// Neighbours: key, key of the next word, cell of the gap between them.
    pub(super) pairs: Vec<f32>,
    /// Words with times: key, kind of what follows, log of the length in seconds.
    pub(super) words: Vec<f32>,
}

/// Of plain words without fillers.
pub(super) fn tokens(words: &[(Span, String)]) -> Tokens {
    let keys: Vec<f32> = words.iter().map(|(_, w)| key(w) as f32).collect();
    let mut found = Tokens::default();
    for (n, (span, _)) in words.iter().enumerate() {
        if span.is_empty() {
            continue;
        }
        let next = words.get(n + 1).map(|w| w.0).filter(|next| !next.is_empty());
        let gap = next.map(|next| next.start.since(span.end) as f64 / 1e6).filter(|g| (-0.05..=BREAK).contains(g));
        if let Some(gap) = gap {
            let cell = GAPS.iter().filter(|g| gap >= **g).count();
            found.pairs.extend([keys[n], keys[n + 1], cell as f32]);
        }
        let kind = gap.map_or(0.0, |g| 1.0 + f32::from(u8::from(g >= PAUSE)) + f32::from(u8::from(g >= LONG)));
        found.words.extend([keys[n], kind, span.seconds().max(SHORTEST).ln() as f32]);
    }
    found
}

/// A common word's own number, else one by length and ending.
fn key(word: &str) -> usize {
    let ending = match word {
        _ if !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) => 3,
        _ if word.ends_with('s') => 1,
        _ if word.ends_with("ed") || word.ends_with("ing") => 2,
        _ => 0,
    };
    COMMON.get(word).copied().unwrap_or_else(|| COMMON.len() + 4 * word.len().min(LONGEST) + ending)
}
