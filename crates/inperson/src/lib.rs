//! `inperson` tells how likely it is that the candidate in a video interview is really there: in their own face,
//! voice and words.
//!
//! It never says yes or no. It says, check by check, how much more likely what was seen and heard is if they are
//! not; at which moments to look; what speaks against it; and what it could not judge. A person decides.
//!
//! A recording:
//!
//! ```no_run
//! use inperson::{Analyzer, Config};
//!
//! # fn main() -> inperson::Result<()> {
//! let analyzer = Analyzer::new(Config::default())?;
//! let report = analyzer.analyze("interview.mp4")?;
//! println!("{:?}", report.assessment.action);
//! # Ok(())
//! # }
//! ```
//!
//! A live call, on a thread of its own, with times from the start of the interview:
//!
//! ```no_run
//! use inperson::{Analyzer, AudioChunk, Config, Event, MediaInfo, Sample, Timestamp, VideoFrame};
//!
//! # fn main() -> inperson::Result<()> {
//! # let (rgb, sound) = (vec![0; 640 * 360 * 3], vec![0.0; 320]);
//! let analyzer = Analyzer::new(Config::default())?; // once: sessions share the models
//! let mut session = analyzer.session(MediaInfo::live("call 17", true, true))?;
//! let picture = VideoFrame::from_rgb(Timestamp(12_480_000), 640, 360, rgb)?;
//! let heard = AudioChunk { at: Timestamp(12_480_000), samples: sound.into() }; // mono, 16 kHz
//! for sample in [Sample::Video(picture), Sample::Audio(heard)] {
//!     for event in session.push(sample)? {
//!         if let Event::Raised { code, span, llr } = event {
//!             println!("{code} at {span}: {llr:.1} nats");
//!         }
//!     }
//! }
//! let report = session.finish()?;
//! # Ok(())
//! # }
//! ```

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
