//! What a check says: a log-likelihood ratio, an abstention with its reason, or a note.
//!
//! Pure data. An abstention is a value of its own: it never reads as 0.0, and it never moves a verdict.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Span;

/// What evidence is about. Evidence is fused within its question first, then across questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Question {
    /// Is this a camera picture of the person's own face?
    Face,
    /// Is this a human voice?
    Voice,
    /// Do these lips speak these words?
    Sync,
    /// Are these the candidate's own words, spoken freely?
    Answers,
    /// Is this the same person as before?
    Identity,
    /// Do device and path look like a camera and a microphone in use?
    Capture,
    /// Does the application hold together?
    Application,
}

impl Question {
    /// All questions, in the order of reports.
    pub const ALL: [Self; 7] =
        [Self::Face, Self::Voice, Self::Sync, Self::Answers, Self::Identity, Self::Capture, Self::Application];

    /// The name used in reports and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Face => "face",
            Self::Voice => "voice",
            Self::Sync => "sync",
            Self::Answers => "answers",
            Self::Identity => "identity",
            Self::Capture => "capture",
            Self::Application => "application",
        }
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Why a check did not judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The input has no picture, or the check was given none.
    NoVideo,
    /// The input has no sound, or the check was given none.
    NoAudio,
    /// No face was found.
    NoFace,
    /// Too little speech was heard.
    TooLittleSpeech,
    /// Music, or speech with music under it.
    Music,
    /// Several people speak at once.
    OverlappingSpeech,
    /// Two channels that hold one person each were mixed, so that it is not known whose voice is heard.
    MixedChannels,
    /// Too little material of the kind the check needs.
    TooShort,
    /// The face is too small.
    TooSmall,
    /// The picture is too dark or too bright.
    BadExposure,
    /// The picture is too blurred.
    TooBlurred,
    /// The face is turned away or covered.
    Hidden,
    /// Too few frames a second reach the check.
    TooFewFrames,
    /// The measurement lies outside the range that was calibrated.
    OutOfRange,
    /// The measurement tells nothing on material it was not made on, as far as was measured.
    NotProven,
    /// No check of the question was run.
    NotRun,
    /// No transcript was given.
    NoTranscript,
    /// The words are in a language that the check was not made for.
    Language,
}

/// What a check found in one place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Finding {
    /// A calibrated measurement.
    Score {
        /// The check's own scale, before calibration.
        raw: f64,
        /// ln p(x | attack) / p(x | bona fide): positive speaks for an attack.
        llr: f64,
    },
    /// The check could not judge, and why. Moves nothing.
    Abstain {
        /// Why not.
        reason: Reason,
    },
    /// A fact for the reviewer that carries no weight.
    Note,
}

/// One thing a check says, with where to look and the few numbers that explain it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Evidence {
    /// Stable dotted code, `<check>.<what>`: `capture.frozen`.
    pub code: Cow<'static, str>,
    /// The question it bears on.
    pub question: Question,
    /// Where to look; the whole recording where the finding is about all of it.
    pub span: Span,
    /// The face or voice it is about, as numbered in the report's tracks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<u32>,
    /// What was found.
    pub finding: Finding,
    /// One sentence for the reviewer.
    pub message: String,
    /// Named numbers that explain the finding; units are in the names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Cow<'static, str>, f64>,
}

impl Evidence {
    /// Evidence of the given code; add facts and a subject with the methods below.
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        question: Question,
        span: Span,
        finding: Finding,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            question,
            span,
            subject: None,
            finding,
            message: message.into(),
            facts: BTreeMap::new(),
        }
    }

    /// With a named number; values that are not finite are left out, since JSON has no word for them.
    #[must_use]
    pub fn fact(mut self, name: impl Into<Cow<'static, str>>, value: f64) -> Self {
        if value.is_finite() {
            self.facts.insert(name.into(), value);
        }
        self
    }

    /// About the face or voice with this number.
    #[must_use]
    pub const fn about(mut self, subject: u32) -> Self {
        self.subject = Some(subject);
        self
    }

    /// The log-likelihood ratio, if this is a score.
    #[must_use]
    pub const fn llr(&self) -> Option<f64> {
        match self.finding {
            Finding::Score { llr, .. } => Some(llr),
            Finding::Abstain { .. } | Finding::Note => None,
        }
    }
}
