//! Options that make up a configuration, shared by the verbs that analyse.

use std::path::{Path, PathBuf};

use inperson::{Analyzer, CandidateRule, Config};

use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Probability of an attack before anything was seen, between 0 and 1 [default: 0.01]
    #[arg(long, value_name = "P")]
    prior: Option<f64>,
    /// Checks to run, by name, with commas between [default: all but warp, which does not tell]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    checks: Vec<String>,
    /// Configuration file, JSON or TOML; options on the command line go before it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of models that replace the built-in ones of the same id
    #[arg(long, env = "INPERSON_MODELS", value_name = "DIR")]
    models: Option<PathBuf>,
    /// What models run on: cpu, cuda, cuda:N
    #[arg(long)]
    device: Option<inperson::model::Device>,
    /// ONNX Runtime's library, or the folder it is in
    #[arg(long, value_name = "PATH")]
    ort: Option<PathBuf>,
    /// Whose face is the candidate's: largest, region:LEFT,TOP,RIGHT,BOTTOM (shares of the frame), reference:PICTURE
    #[arg(long, value_parser = rule, value_name = "RULE")]
    candidate: Option<CandidateRule>,
    /// The candidate's name in the transcript [default: who says most among those who do not ask most]
    #[arg(long, value_name = "NAME")]
    speaker: Option<String>,
    /// Sound track to analyse, counted from 0 among the sound tracks
    #[arg(long, value_name = "N")]
    audio_track: Option<usize>,
    /// The one channel of it to hear, counted from 0, where each person has one [default: all mixed]
    #[arg(long, value_name = "N")]
    audio_channel: Option<usize>,
}

impl Options {
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let mut config = self.config.as_deref().map_or_else(|| Ok(Config::default()), read)?;
        config.fusion.prior = self.prior.unwrap_or(config.fusion.prior);
        if !self.checks.is_empty() {
            config.checks.clone_from(&self.checks);
        }
        config.models = self.models.clone().or(config.models);
        config.runtime.device = self.device.unwrap_or(config.runtime.device);
        config.runtime.library = self.ort.clone().or(config.runtime.library);
        config.candidate = self.candidate.clone().unwrap_or(config.candidate);
        config.speaker = self.speaker.clone().or(config.speaker);
        config.audio_track = self.audio_track.or(config.audio_track);
        config.audio_channel = self.audio_channel.or(config.audio_channel);
        Ok(config)
    }

    /// Files that a configuration is read from, which results must not be written over.
    pub(crate) fn files<'a>(&'a self, config: &'a Config) -> impl Iterator<Item = &'a Path> {
        let reference = match &config.candidate {
            CandidateRule::Reference(picture) => Some(picture.as_path()),
            _ => None,
        };
        self.config.as_deref().into_iter().chain(reference)
    }

    pub(crate) fn analyzer(&self) -> Result<Analyzer, Failure> {
        Ok(Analyzer::new(self.config()?)?)
    }
}

fn read(path: &Path) -> Result<Config, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| Failure::file(path, e))?;
    let text = text.trim_start_matches('\u{feff}');
    let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let parsed = if json {
        serde_json::from_str(text).map_err(|e| e.to_string())
    } else {
        toml::from_str(text).map_err(|e| e.to_string())
    };
    parsed.map_err(|e| Failure::other(format!("{}: {e}", path.display())))
}

fn rule(text: &str) -> Result<CandidateRule, String> {
    if text == "largest" {
        return Ok(CandidateRule::Largest);
    }
    if let Some(path) = text.strip_prefix("reference:") {
        return Ok(CandidateRule::Reference(path.into()));
    }
    let sides: Option<Vec<f32>> =
        text.strip_prefix("region:").and_then(|r| r.split(',').map(|v| v.trim().parse().ok()).collect());
    match sides.as_deref() {
        Some(&[left, top, right, bottom]) => Ok(CandidateRule::Region([left, top, right, bottom])),
        _ => Err("must be largest, region:LEFT,TOP,RIGHT,BOTTOM or reference:PICTURE".to_owned()),
    }
}
