//! Is this read aloud or spoken freely, from the times of words; and how long the candidate takes to answer.
//!
//! Reading is even: pauses fall between phrases, words keep their length, nothing is repeated. Free speech halts
//! after "and" and "the", draws words out, and begins again. A fluent speaker may sound read and a bad reader free:
//! the LLR is small and bounded. Fillers are not counted: recognisers drop them.

use ndarray::ArrayView2;

use super::super::calibrated;
use super::text;
use super::timing::{self, COLUMNS, Tokens};
use super::turns::Answer;
use crate::calibrate::Calibration;
use crate::error::{Error, Result};
use crate::evidence::{Evidence, Finding, Question, Reason};
use crate::model::{Model, Registry, Runtime};
use crate::time::Span;

/// The model's id.
pub(crate) const MODEL: &str = "answers-delivery";
/// Features of a stretch of speech, in the order of the model's input.
pub(super) const FEATURES: usize = 16;
/// Words in a stretch that is looked at.
const STRETCH: usize = 150;
/// Words with times under which a stretch is not looked at.
const LEAST: usize = 80;
/// Pause, seconds, from which a gap between words counts; below, aligners disagree.
pub(super) const PAUSE: f64 = 0.15;
/// Gap, seconds, that is no pause any more.
pub(super) const BREAK: f64 = 5.0;
/// Share of gaps of nothing from which words were only stretched to the next one: such times tell nothing.
const STRETCHED: f64 = 0.88;
/// Fewest gaps and pauses that say anything.
const FEWEST: (usize, usize) = (30, 4);
/// Answers under which the spread of latencies is not named.
const LEAST_ANSWERS: usize = 5;

const FUNCTION: [&str; 32] = [
    "the", "a", "an", "of", "to", "in", "on", "for", "with", "and", "or", "but", "that", "is", "are", "was", "i", "we",
    "you", "it", "at", "by", "from", "as", "so", "because", "if", "our", "this", "be", "have", "will",
];

/// How one answer was delivered.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Pace {
    /// A bounded LLR that it was read, or an abstention with its reason.
    pub finding: Finding,
    /// Words with times that were looked at.
    pub words: usize,
    /// Mean logit over the stretches; `NaN` where none was looked at.
    pub raw: f64,
    /// Stretches of 150 words that were looked at.
    pub stretches: usize,
}

/// Judges delivery from the times of words. Cheap to clone, usable from many threads.
#[derive(Debug, Clone)]
pub struct Delivery {
    model: Model,
    calibration: Calibration,
}

impl Delivery {
    /// Loads the model `answers-delivery`.
    ///
    /// # Errors
    /// [`Error::Model`] when it is missing, broken or carries no calibration.
    pub fn load(runtime: &Runtime, registry: &Registry) -> Result<Self> {
        let (model, calibration) = calibrated(runtime, registry, MODEL)?;
        Ok(Self { model, calibration })
    }

    pub(crate) const fn model(&self) -> &Model {
        &self.model
    }

    /// Judges words with their times, in order; `None` where no word has any.
    ///
    /// # Errors
    /// [`Error::Model`] when the model fails.
    pub fn judge(&self, words: &[(Span, String)]) -> Result<Option<Pace>> {
        if words.is_empty() {
            return Ok(None);
        }
        let mut logits = Vec::new();
        let mut seen = 0;
        for stretch in words.chunks(STRETCH) {
            let words = plain(stretch);
            let Some(features) = features(&words) else { continue };
            let Tokens { pairs, words } = timing::tokens(&words);
            let rows = |columns, values| {
                ArrayView2::from_shape((<[f32]>::len(values) / columns, columns), values)
                    .map_err(|e| Error::model(MODEL, e.to_string()))
            };
            let inputs = [rows(FEATURES, &features)?, rows(COLUMNS, &pairs)?, rows(COLUMNS, &words)?];
            let out = self.model.run(&inputs.map(ArrayView2::into_dyn))?;
            let logit = out.first().and_then(|o| o.iter().next()).copied().map_or(f64::NAN, f64::from);
            if logit.is_finite() {
                logits.push(logit);
                seen += stretch.len();
            }
        }
        let raw = logits.iter().sum::<f64>() / logits.len() as f64;
        let finding = if logits.is_empty() {
            Finding::Abstain { reason: Reason::TooShort }
        } else {
            self.calibration.finding(raw)
        };
        Ok(Some(Pace { finding, words: seen, raw, stretches: logits.len() }))
    }
}

/// Words in lower case, without fillers.
fn plain(stretch: &[(Span, String)]) -> Vec<(Span, String)> {
    stretch
        .iter()
        .filter_map(|(span, word)| {
            let plain: String =
                word.to_ascii_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '\'').collect();
            (!plain.is_empty() && !text::is_filler(&plain)).then_some((*span, plain))
        })
        .collect()
}

/// Features of the plain words of a stretch, in the order of the model's input; `None` where too few have times.
/// `python/training/answers/delivery.py` computes the very same.
pub(super) fn features(words: &[(Span, String)]) -> Option<[f32; FEATURES]> {
    let timed = words.iter().filter(|(s, _)| s.micros() > 0).count();
    if timed < LEAST {
        return None;
    }
    let is_function = |w: &str| FUNCTION.contains(&w);
    let (mut gaps, mut runs, mut run) = (Vec::new(), Vec::new(), 0_usize);
    let (mut after_function, mut paused_after_function) = (0_usize, 0_usize);
    for pair in words.windows(2) {
        run += 1;
        let gap = pair[1].0.start.since(pair[0].0.end) as f64 / 1e6;
        if pair[0].0.is_empty() || pair[1].0.is_empty() || !(-0.05..=BREAK).contains(&gap) {
            continue;
        }
        let function = usize::from(is_function(&pair[0].1));
        after_function += function;
        if gap >= PAUSE {
            paused_after_function += function;
            runs.push(run as f64);
            run = 0;
        }
        gaps.push(gap.max(0.0));
    }
    let none = gaps.iter().filter(|g| **g < 1e-3).count();
    if none as f64 > STRETCHED * gaps.len() as f64 {
        return None;
    }
    let pauses: Vec<f64> = gaps.iter().copied().filter(|g| *g >= PAUSE).collect();
    if gaps.len() < FEWEST.0 || pauses.len() < FEWEST.1 {
        return None;
    }
    let length = |(span, word): &(Span, String)| span.seconds() / (word.chars().count().max(1) as f64).powf(0.6);
    let lengths: Vec<f64> = words.iter().filter(|(s, _)| s.micros() > 0).map(length).collect();
    let small: Vec<f64> = words.iter().filter(|(s, w)| s.micros() > 0 && is_function(w)).map(length).collect();
    if small.len() < 8 {
        return None;
    }
    let mut spans = words.iter().map(|(s, _)| *s).filter(|s| !s.is_empty());
    let (first, last) = (spans.clone().next()?, spans.next_back()?);
    let spoken = last.end.since(first.start) as f64 / 1e6;
    let logs: Vec<f64> = pauses.iter().map(|p| p.ln()).collect();
    let share = |n: usize, of: usize| n as f64 / of.max(1) as f64;
    let repeats = |back: usize| share(words.windows(back + 1).filter(|w| w[0].1 == w[back].1).count(), words.len());
    let many = |least: f64| share(pauses.iter().filter(|p| **p > least).count(), pauses.len());
    Some([
        (timed as f64 / spoken.max(1.0)) as f32,
        share(pauses.len(), gaps.len()) as f32,
        mean(&logs) as f32,
        deviation(&logs) as f32,
        mean(&runs).ln() as f32,
        (deviation(&runs) / mean(&runs)) as f32,
        many(0.35) as f32,
        many(1.0) as f32,
        (share(paused_after_function, pauses.len()) - share(after_function, gaps.len())) as f32,
        mean(&lengths).ln() as f32,
        (deviation(&lengths) / mean(&lengths)) as f32,
        (quantile(&lengths, 0.9) / quantile(&lengths, 0.5).max(1e-3)) as f32,
        (100.0 * repeats(1)) as f32,
        (100.0 * repeats(2)) as f32,
        (deviation(&small) / mean(&small)) as f32,
        (quantile(&small, 0.9) / quantile(&small, 0.5).max(1e-3)) as f32,
    ])
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let m = mean(values);
    (values.iter().map(|v| (v - m).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

/// With linear interpolation between ranks, as numpy does it.
fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = q * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    (high - low).mul_add(at.fract(), low)
}

/// One score for the interview, weighed by words; nothing where no word has times.
pub(super) fn conclude<'a>(span: Span, paces: impl Iterator<Item = &'a Pace>) -> Option<Evidence> {
    let paces: Vec<&Pace> = paces.collect();
    if paces.is_empty() {
        return None;
    }
    let scored: Vec<(f64, f64, f64)> = paces
        .iter()
        .filter_map(|p| match p.finding {
            Finding::Score { raw, llr } => Some((p.words as f64, raw, llr)),
            Finding::Abstain { .. } | Finding::Note => None,
        })
        .collect();
    let words: f64 = scored.iter().map(|s| s.0).sum();
    let (finding, message) = if scored.is_empty() {
        let out = paces.iter().any(|p| p.finding == Finding::Abstain { reason: Reason::OutOfRange });
        let reason = if out { Reason::OutOfRange } else { Reason::TooShort };
        (Finding::Abstain { reason }, "too few words have times of their own to tell reading from free speech")
    } else {
        let weighed = |value: fn(&(f64, f64, f64)) -> f64| scored.iter().map(|s| s.0 * value(s)).sum::<f64>() / words;
        let llr = weighed(|s| s.2);
        let message = match llr {
            l if l >= 0.5 => {
                "the answers are delivered evenly, as when reading; practised speakers sound alike: ask something that \
                 nobody can have prepared"
            }
            l if l <= -0.5 => "the answers are delivered as people speak freely",
            _ => "the delivery says little either way",
        };
        (Finding::Score { raw: weighed(|s| s.1), llr }, message)
    };
    Some(Evidence::new("answers.delivery", Question::Answers, span, finding, message).fact("words", words))
}

/// How even the pauses before answers are: a note, since people differ and so do connections.
pub(super) fn latency(span: Span, answers: &[&Answer]) -> Option<Evidence> {
    let mut seconds: Vec<f64> = answers
        .iter()
        .filter_map(|a| Some(a.said.span.start.since(a.question.as_ref()?.span.end) as f64 / 1e6))
        .filter(|s| (-1.0..=20.0).contains(s))
        .collect();
    if seconds.len() < LEAST_ANSWERS {
        return None;
    }
    seconds.sort_by(f64::total_cmp);
    let (low, middle, high) = (quantile(&seconds, 0.25), quantile(&seconds, 0.5), quantile(&seconds, 0.75));
    let message =
        format!("answers begin {middle:.1} s after the question, half of them between {low:.1} and {high:.1} s");
    Some(
        Evidence::new("answers.latency", Question::Answers, span, Finding::Note, message)
            .fact("answers", seconds.len() as f64)
            .fact("median_s", middle)
            .fact("quartile_range_s", high - low),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn golden_stretches_give_what_python_gives() {
        let golden: serde_json::Value = serde_json::from_str(include_str!("golden_times.json")).unwrap();
        for case in golden.as_array().unwrap() {
            let words: Vec<(Span, String)> = case["words"]
                .as_array()
                .unwrap()
                .iter()
                .map(|w| {
                    let at = |n: usize| w[n].as_f64().map(Timestamp::from_seconds);
                    let span = at(1).zip(at(2)).map_or_else(Span::default, |(a, b)| Span::new(a, b));
                    (span, w[0].as_str().unwrap().to_owned())
                })
                .collect();
            let words = plain(&words);
            let tokens = timing::tokens(&words);
            for (got, name) in [(&tokens.pairs, "pairs"), (&tokens.words, "tokens")] {
                let want = case[name].as_array().unwrap();
                assert_eq!(got.len(), want.len(), "{name}");
                assert!(
                    got.iter().zip(want).all(|(g, w)| (f64::from(*g) - w.as_f64().unwrap()).abs() < 1e-5),
                    "{name}"
                );
            }
            match (features(&words), case["features"].as_array()) {
                (Some(got), Some(want)) => {
                    for (n, (g, w)) in got.iter().zip(want).enumerate() {
                        assert!((f64::from(*g) - w.as_f64().unwrap()).abs() < 1e-4, "feature {n}: {g} {w}");
                    }
                }
                (got, want) => assert!(got.is_none() && want.is_none(), "{got:?} {want:?}"),
            }
        }
    }

    #[test]
    fn quartiles_are_numpys() {
        assert!((quantile(&[4.0, 1.0, 2.0], 0.9) - 3.6).abs() < 1e-12);
        assert!((quantile(&[1.0], 0.5) - 1.0).abs() < 1e-12);
    }
}
