//! One answer against the others of the same person: the comparison that is fairest to them.
//!
//! People who speak freely in their other answers, and in one talk as one writes, may be reading it: or giving a
//! pitch that they know by heart. What is compared is how spoken the wording is, by the second output of the wording
//! model. Among genuine answers of 119 people who were not trained on, none fell by 5 behind the median of the same
//! person's others, 0.4 % by 4; of model-written texts put in their place, 48 % and 70 % do.

use crate::evidence::{Evidence, Finding, Question};
use crate::time::Span;

/// Answers that must have been judged.
const LEAST: usize = 3;
/// Fall of the logit at which nothing is said, and nats for each unit beyond.
const NOTHING: f64 = 4.5;
const SLOPE: f64 = 0.5;
/// Lowest and highest LLR: of prepared remarks in earnings calls 8 % fall by 5.5 behind the same speakers' answers.
const BOUNDS: [f64; 2] = [-0.1, 0.8];
/// LLR from which the answer itself is named as the place to look.
const NAMED: f64 = 0.25;

/// One answer beside the same person's others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// How far its logit of speech lies below the median of the others'; about -3 to 3 in genuine answers.
    pub fall: f64,
    /// LLR that it is read or known by heart, -0.1 to 0.8.
    pub llr: f64,
}

/// Compares the logits of speech ([`Judgement::spoken`](super::Judgement::spoken)) of one person's answers: one entry each, in their
/// order; none where there are fewer than three.
#[must_use]
pub fn styles(spoken: &[f64]) -> Vec<Style> {
    if spoken.len() < LEAST {
        return Vec::new();
    }
    let of = |at: usize| {
        let others = spoken.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, s)| *s);
        let fall = median(others.collect())? - spoken[at];
        Some(Style { fall, llr: (SLOPE * (fall - NOTHING)).clamp(BOUNDS[0], BOUNDS[1]) })
    };
    (0..spoken.len()).filter_map(of).collect()
}

/// The answer that falls furthest; nothing where there are too few.
pub(super) fn compare(whole: Span, answers: &[(Span, f64)]) -> Option<Evidence> {
    let spoken: Vec<f64> = answers.iter().map(|a| a.1).collect();
    let (at, Style { fall: most, llr }) =
        styles(&spoken).into_iter().enumerate().max_by(|a, b| a.1.fall.total_cmp(&b.1.fall))?;
    let (span, message) = if llr >= NAMED {
        let message = "this answer is worded like writing, unlike the same person's others; it may be read, or known by heart: \
            come back to it from another side";
        (answers[at].0, message)
    } else {
        (whole, "the candidate's answers are worded alike")
    };
    Some(
        Evidence::new("answers.style", Question::Answers, span, Finding::Score { raw: most, llr }, message)
            .fact("answers", answers.len() as f64)
            .fact("fall", most),
    )
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get((values.len().checked_sub(1)?) / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn only_an_answer_far_from_the_persons_own_is_named() {
        let spans: Vec<Span> = (0..4).map(|i| Span::starting(Timestamp(i * 60), 50)).collect();
        let of = |logits: &[f64]| {
            let answers: Vec<(Span, f64)> = spans.iter().copied().zip(logits.iter().copied()).collect();
            compare(Span::starting(Timestamp(0), 240), &answers)
        };
        let odd = of(&[2.0, 2.5, -3.5, 1.5]).unwrap();
        assert_eq!((odd.span, odd.llr()), (spans[2], Some(0.5)), "2.0 to -3.5 is a fall of 5.5");
        // somebody who always talks like a book is not odd, nor is somebody who varies
        assert_eq!(of(&[-3.0, -2.5, -3.5, -2.8]).unwrap().llr(), Some(-0.1));
        assert!(of(&[2.0, 0.5, -0.5, 1.0]).unwrap().llr() < Some(0.0));
        assert!(of(&[2.0, -9.0]).is_none());
    }
}
