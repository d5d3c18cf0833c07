//! What a caller can set, with defaults; read from JSON or TOML, unknown keys refused.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::fuse::FusionConfig;
use crate::media::Limits;
use crate::model::RuntimeConfig;

/// Which of the faces seen is the candidate's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CandidateRule {
    /// The face with the largest area summed over time.
    #[default]
    Largest,
    /// The face that is most often inside this region: left, top, right, bottom, as shares of the upright frame.
    Region([f32; 4]),
    /// The face that looks most like the one in this picture.
    Reference(PathBuf),
}

/// Everything that an [`Analyzer`](crate::Analyzer) is made from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Config {
    /// Checks to run, by name; empty for all. Default: all.
    pub checks: Vec<String>,
    /// How evidence is fused, with the prior.
    pub fusion: FusionConfig,
    /// Caps on untrusted input.
    pub limits: Limits,
    /// Where ONNX Runtime is and what it runs on.
    pub runtime: RuntimeConfig,
    /// Folder of models that replace the built-in ones of the same id.
    pub models: Option<PathBuf>,
    /// Which face is the candidate's. Default: the largest.
    pub candidate: CandidateRule,
    /// The candidate's name in the transcript: what others say is not judged as theirs. Default: for words alone, who says most
    /// among those who do not ask most; voice and lips then go by mouths.
    pub speaker: Option<String>,
    /// Sound track to analyse, counted among the sound tracks from 0. Default: the container's default.
    pub audio_track: Option<usize>,
    /// The one channel of it to hear, counted from 0, where each person has one. Default: all of them mixed.
    pub audio_channel: Option<usize>,
    /// Threads for decoding one input; 0 for one a core. It changes no result, and is not written into reports. Default: `0`.
    #[serde(skip_serializing)]
    pub decode_threads: usize,
}

impl Config {
    /// Refuses values that contradict themselves.
    ///
    /// # Errors
    /// [`Error::Config`], naming the value.
    pub fn validate(&self) -> Result<()> {
        let prior = self.fusion.prior;
        if !(prior > 0.0 && prior < 1.0) {
            return Err(Error::Config(format!("the prior must lie between 0 and 1, not {prior}")));
        }
        for (name, share) in [
            ("rho_within", self.fusion.rho_within),
            ("rho_across", self.fusion.rho_across),
            ("touched", self.fusion.touched),
            ("review_at", self.fusion.review_at),
            ("live_check_at", self.fusion.live_check_at),
            ("least_coverage", self.fusion.least_coverage),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(Error::Config(format!("{name} must lie between 0 and 1, not {share}")));
            }
        }
        let (review, live) = (self.fusion.review_at, self.fusion.live_check_at);
        if review > live {
            return Err(Error::Config(format!("review_at must be at most live_check_at ({live}), not {review}")));
        }
        if self.speaker.as_deref().is_some_and(|name| name.trim().is_empty()) {
            return Err(Error::Config("speaker must be a name of the transcript, not empty".to_owned()));
        }
        for (question, &cap) in &self.fusion.caps {
            if !(cap.is_finite() && cap >= 0.0) {
                return Err(Error::Config(format!("the cap of `{question}` must be 0 nats or more, not {cap}")));
            }
        }
        for (name, longest) in [("duration_s", self.limits.duration_s), ("transcriber_s", self.limits.transcriber_s)] {
            if !longest.is_finite() || longest <= 0.0 {
                return Err(Error::Config(format!("{name} must be a finite number of seconds over 0, not {longest}")));
            }
        }
        if let CandidateRule::Region([left, top, right, bottom]) = self.candidate
            && !(0.0 <= left && left < right && right <= 1.0 && 0.0 <= top && top < bottom && bottom <= 1.0)
        {
            let region = format!("{left},{top},{right},{bottom}");
            return Err(Error::Config(format!("the region must be left,top,right,bottom within 0..1, not {region}")));
        }
        Ok(())
    }
}
