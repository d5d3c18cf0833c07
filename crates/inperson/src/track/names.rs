//! Who speaks when, by the names in a transcript.

use crate::media::{Transcript, Utterance};
use crate::time::Span;

/// What others than the candidate say, as far as a transcript names them.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The candidate's name; without one nobody is told apart.
    candidate: Option<String>,
    others: Vec<Span>,
}

impl Names {
    pub(super) fn new(candidate: Option<&str>) -> Self {
        Self { candidate: candidate.map(str::to_owned), others: Vec::new() }
    }

    /// Takes the words that begin in a hop, and gives the stretches of it in which somebody else speaks.
    pub(super) fn others(&mut self, hop: Span, words: &[Utterance]) -> Vec<Span> {
        if let Some(candidate) = &self.candidate {
            let other = |u: &&Utterance| u.speaker.as_ref().is_some_and(|s| !Transcript::same_speaker(s, candidate));
            self.others.extend(words.iter().filter(other).map(|u| u.span));
        }
        self.others.retain(|o| o.end > hop.start);
        Span::merged(self.others.iter().filter_map(|o| o.overlap(hop)).collect(), 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn span(from: i64, to: i64) -> Span {
        Span::new(Timestamp(from), Timestamp(to))
    }

    fn said(from: i64, to: i64, speaker: Option<&str>) -> Utterance {
        Utterance { span: span(from, to), speaker: speaker.map(str::to_owned), text: "words".to_owned() }
    }

    #[test]
    fn what_others_say_is_known_over_all_hops_it_lasts() {
        let words = [said(100, 2_500_000, Some("Bob")), said(600_000, 700_000, Some("Ann")), said(0, 9_000_000, None)];
        let mut names = Names::new(Some("Ann"));
        assert_eq!(names.others(span(0, 1_000_000), &words), [span(100, 1_000_000)]);
        assert_eq!(names.others(span(1_000_000, 2_000_000), &[]), [span(1_000_000, 2_000_000)]);
        assert_eq!(names.others(span(2_000_000, 3_000_000), &[]), [span(2_000_000, 2_500_000)]);
        assert_eq!(names.others(span(3_000_000, 4_000_000), &[]), []);
        assert_eq!(Names::new(None).others(span(0, 1_000_000), &words), []);
    }
}
