//! The report: the versioned whole of what was looked at, found, concluded and not judged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::evidence::{Evidence, Question, Reason};
use crate::fuse::Assessment;
use crate::media::MediaInfo;
use crate::time::Span;
use crate::track::Tracks;

mod html;

/// Version of the report's shape; readers tolerate additions within one version.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything about one analysis. The same input, models and configuration give the same report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Version of `inperson`.
    pub inperson_version: String,
    /// What was analysed.
    pub media: MediaInfo,
    /// SHA-256 of the file, lower-case hex; `null` for media that came from memory.
    pub media_sha256: Option<String>,
    /// What was analysed of it, microseconds.
    pub span: Span,
    /// Models that were run.
    pub models: Vec<ModelUse>,
    /// What ran them.
    pub runtime: Option<RuntimeUse>,
    /// The configuration in force.
    pub config: Config,
    /// The conclusion.
    pub assessment: Assessment,
    /// All evidence, in order of time, then of code.
    pub evidence: Vec<Evidence>,
    /// What could not be judged, and why.
    pub not_judged: Vec<NotJudged>,
    /// Faces and voices.
    pub tracks: Tracks,
    /// What the person who reviewed it decided. Never filled in by `inperson`.
    #[serde(default)]
    pub decision: Option<Decision>,
}

/// A model and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ModelUse {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its graph.
    pub sha256: String,
    /// Whether it replaced the built-in one.
    pub replaced: bool,
}

/// What ran the models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RuntimeUse {
    /// What ONNX Runtime says of its build.
    pub onnxruntime: String,
    /// Device.
    pub device: String,
}

/// A question that a check could not answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct NotJudged {
    /// The question.
    pub question: Question,
    /// The check's code.
    pub code: String,
    /// Why.
    pub reason: Reason,
    /// Where.
    pub span: Span,
    /// One sentence.
    pub message: String,
}

/// What a person decided after reading the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Decision {
    /// Who.
    pub by: String,
    /// When, RFC 3339.
    pub at: String,
    /// What, in their words.
    pub text: String,
}

impl Report {
    /// The report as one line of JSON.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if it cannot be written, which is a defect. JSON has no numbers that are not finite: they
    /// would be `null`, and the report could not be read again.
    pub fn to_json(&self) -> crate::Result<String> {
        serde_json::to_string(self).map_err(|e| crate::Error::Config(format!("the report cannot be written: {e}")))
    }

    /// The report as one page of HTML that needs no other file.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if the template fails, which is a defect.
    pub fn to_html(&self) -> crate::Result<String> {
        html::page(self)
    }

    /// JSON Schema of a report.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}
