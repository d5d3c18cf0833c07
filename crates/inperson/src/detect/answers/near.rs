//! The same answer, or long shared passages, in other candidates' interviews.
//!
//! MinHash over runs of five words with banding (Broder 1997; Indyk & Motwani 1998) finds who is worth comparing;
//! the share of runs in common is then counted. What is kept of an answer is hashes, not its words.

use std::collections::BTreeSet;

use gaoya::minhash::{MinHashIndex, MinHasher, MinHasher32};

use super::text;

/// Words of one run: phrases of this length are seldom shared by chance.
const RUN: usize = 5;
/// Bands and rows of the signature: two answers that share a fifth of their runs meet with probability 0.88.
const BANDS: usize = 84;
const ROWS: usize = 2;
/// Jaccard similarity under which candidates are not even counted.
const ROUGHLY: f64 = 0.05;
/// Runs under which an answer is not compared: 30 words.
const LEAST: usize = 26;

/// An answer that is like another.
#[derive(Debug, Clone, PartialEq)]
pub struct Near {
    /// The other answer's id.
    pub id: String,
    /// Share of the shorter answer's runs of five words that the other one has too, 0 to 1.
    pub shared: f64,
}

/// Answers seen so far, to find those that were given before.
///
/// Common answers to common questions share some words; many runs of five words in common do not come about by
/// chance, but may come from one book, one course or one model. Numbers count as one word and fillers as none.
pub struct NearIndex {
    hasher: MinHasher32<fnv::FnvBuildHasher>,
    index: MinHashIndex<u32, usize>,
    held: Vec<(String, BTreeSet<u64>)>,
}

impl std::fmt::Debug for NearIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NearIndex({} answers)", self.held.len())
    }
}

impl Default for NearIndex {
    fn default() -> Self {
        Self {
            hasher: MinHasher32::new(BANDS * ROWS),
            index: MinHashIndex::new(BANDS, ROWS, ROUGHLY),
            held: Vec::new(),
        }
    }
}

impl NearIndex {
    /// Answers held already that share at least `least` of their runs with this one, most alike first. Answers of
    /// fewer than 30 words are like nothing.
    #[must_use]
    pub fn like(&self, answer: &str, least: f64) -> Vec<Near> {
        let runs = text::runs(&text::words(answer).list, RUN);
        if runs.len() < LEAST {
            return Vec::new();
        }
        let mut found: Vec<Near> = self
            .index
            .query_owned(&self.hasher.create_signature(runs.iter()))
            .into_iter()
            .filter_map(|at| self.held.get(at))
            .map(|(id, other)| {
                let shared = runs.intersection(other).count() as f64 / runs.len().min(other.len()) as f64;
                Near { id: id.clone(), shared }
            })
            .filter(|n| n.shared >= least)
            .collect();
        found.sort_by(|a, b| b.shared.total_cmp(&a.shared).then_with(|| a.id.cmp(&b.id)));
        found
    }

    /// Holds an answer for later ones to be compared with; one of fewer than 30 words is left out.
    pub fn add(&mut self, id: impl Into<String>, answer: &str) {
        let runs = text::runs(&text::words(answer).list, RUN);
        if runs.len() >= LEAST {
            self.index.insert(self.held.len(), self.hasher.create_signature(runs.iter()));
            self.held.push((id.into(), runs));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "When our deployment failed on a Friday evening I first wrote down what we knew and what we \
        did not know, then I split the team in two, so that one half could restore the last good version while the \
        other half looked for the cause in the logs of the load balancer.";
    const OTHER: &str = "My favourite project was a small weather station for the school, because the children \
        soldered every sensor themselves and argued for weeks about where to put the rain gauge, and in the end \
        they were the ones who explained the wiring to the mayor at the opening.";

    #[test]
    fn shared_passages_are_found_through_another_beginning_fillers_and_case() {
        let mut index = NearIndex::default();
        index.add("first", FIRST);
        index.add("other", OTHER);
        let retold =
            format!("Sure, so let me think, yes I have one. {}", FIRST.to_uppercase().replace(" THEN ", " um then "));
        let found = index.like(&retold, 0.5);
        assert_eq!(found.len(), 1);
        assert!(found[0].id == "first" && found[0].shared > 0.9, "{found:?}");
        assert!(index.like("too short to tell", 0.0).is_empty());
        let own = "I like to begin with a list of everything we know, and one of what we only think we know, because \
            most of the time people mix up both when they are tired, and that costs a whole evening for nothing.";
        assert!(index.like(own, 0.1).is_empty());
    }
}
