//! Is this how models write, or how people write and speak?
//!
//! A linear model over groups of words and phrases that models or people favour, written down before any was counted
//! (`python/training/answers/lexicon.txt`), and over words and pairs of words that are common across topics. What counts in training is prose of
//! people against prose of models; speech of people is there so that it is not called prose of a model. The score
//! is drawn towards zero for short answers, calibrated, bounded, and refused where nothing was calibrated.

use ndarray::ArrayView1;
use serde::Serialize;

use super::super::calibrated;
use super::signs::Signs;
use super::text;
use crate::calibrate::Calibration;
use crate::error::Result;
use crate::evidence::{Finding, Reason};
use crate::model::{Model, Registry, Runtime};

/// The model's id.
pub(crate) const MODEL: &str = "answers";
/// Words under which nothing is said of the wording.
pub const LEAST_WORDS: usize = 80;
/// Words at which a score counts by half.
const FEW: f64 = 150.0;
/// What a unit of the logit of speech takes from the score: wording that is speech is not compared with prose.
const GATE: f64 = 1.0;
/// Most words that are looked at: calibration has no longer answers.
pub(super) const MOST_WORDS: usize = 450;
/// Share of the words beyond ASCII from which a text is not taken for English.
const FOREIGN: f64 = 0.1;

/// What the wording of one answer says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Judgement {
    /// A bounded LLR, or an abstention with its reason.
    pub finding: Finding,
    /// Words, fillers and immediate repeats left out.
    pub words: usize,
    /// Logit of speech against writing, positive for speech; `None` where the text was not looked at.
    pub spoken: Option<f64>,
    /// What a reviewer can see.
    pub signs: Signs,
}

impl Judgement {
    /// The LLR, if there is one.
    #[must_use]
    pub const fn llr(&self) -> Option<f64> {
        match self.finding {
            Finding::Score { llr, .. } => Some(llr),
            Finding::Abstain { .. } | Finding::Note => None,
        }
    }
}

/// Judges the wording of answers. Cheap to clone, usable from many threads.
#[derive(Debug, Clone)]
pub struct Wording {
    model: Model,
    calibration: Calibration,
}

impl Wording {
    /// Loads the model `answers`.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) when it is missing, broken or carries no calibration.
    pub fn load(runtime: &Runtime, registry: &Registry) -> Result<Self> {
        let (model, calibration) = calibrated(runtime, registry, MODEL)?;
        Ok(Self { model, calibration })
    }

    pub(crate) const fn model(&self) -> &Model {
        &self.model
    }

    /// Judges one answer; `question` only serves to explain.
    ///
    /// # Errors
    /// [`Error::Model`](crate::Error::Model) when the model fails; never because of what is in the answer.
    pub fn judge(&self, question: Option<&str>, answer: &str) -> Result<Judgement> {
        let mut words = text::words(answer).list;
        let count = words.len();
        let asked = question.map(|q| text::words(q).list);
        let signs = Signs::of(&words, asked.as_deref());
        let refuse =
            |reason, signs| Judgement { finding: Finding::Abstain { reason }, words: count, spoken: None, signs };
        if count < LEAST_WORDS {
            return Ok(refuse(Reason::TooShort, signs));
        }
        if !english(answer, &words) {
            return Ok(refuse(Reason::Language, signs));
        }
        words.truncate(MOST_WORDS);
        let (indices, values) = text::features(&words);
        let n = words.len() as f64;
        let length = [n as f32];
        let inputs = [&indices[..], &values[..], &length[..]].map(|v| ArrayView1::from(v).into_dyn());
        let out = self.model.run(&inputs)?;
        let value = |n: usize| out.get(n).and_then(|o| o.iter().next()).map_or(f64::NAN, |v| f64::from(*v));
        let spoken = Some(value(1)).filter(|v| v.is_finite());
        let raw = (value(0) - GATE * spoken.unwrap_or_default().max(0.0)) * n / (n + FEW);
        Ok(Judgement { finding: self.calibration.finding(raw), words: count, spoken, signs })
    }
}

/// Whether this is English, as far as letters and letter triples tell.
fn english(answer: &str, words: &[String]) -> bool {
    let foreign = words.iter().filter(|w| !w.is_ascii()).count();
    if foreign as f64 > FOREIGN * words.len() as f64 {
        return false;
    }
    whatlang::detect_lang(answer).is_none_or(|lang| lang == whatlang::Lang::Eng)
}
