//! `inperson` tells how likely it is that the candidate in a video interview is really there: in their own face,
//! voice and words.
//!
//! It never says yes or no. It says, check by check, how much more likely what was seen and heard is if they are
//! not; at which moments to look; what speaks against it; and what it could not judge. A person decides.

pub mod calibrate;
pub mod config;
pub mod detect;
pub mod dsp;
pub mod error;
pub mod evidence;
pub mod fuse;
pub mod media;
pub mod model;
pub mod report;
pub mod session;
pub mod time;
mod timeline;
pub mod track;

pub use config::{CandidateRule, Config};
pub use error::{Error, Result};
pub use evidence::{Evidence, Finding, Question, Reason};
pub use fuse::{Action, Assessment, Conclusion, FusionConfig, fuse};
pub use media::{
    AudioChunk, FileSource, Limits, MediaInfo, MediaOptions, Sample, Source, Transcript, Utterance, VideoFrame,
};
pub use report::Report;
pub use session::{Analyzer, Event, Observed, Progress, Session};
pub use time::{Span, Timestamp};
