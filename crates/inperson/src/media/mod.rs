//! What comes in: samples of picture, sound and text on one clock, and the sources that give them.
//!
//! A [`Source`] is pulled until it says `Ok(None)`; live callers make [`Sample`]s themselves. Frames stay in the
//! planes that the decoder wrote: nothing here converts a whole frame.

mod ahead;
mod clock;
mod ffmpeg;
mod frame;
mod hash;
mod info;
mod memory;
mod structure;
mod transcript;

pub use ahead::Ahead;
pub use ffmpeg::{FileSource, MediaOptions, Resampler};
pub use frame::{AudioChunk, ColorMatrix, PixelLayout, Plane, PlaneData, Rotation, Utterance, VideoFrame};
pub use hash::hash_file;
pub(crate) use hash::hash_unless;
pub use info::{AudioStreamInfo, Limits, MediaInfo, MediaNote, VideoStreamInfo};
pub use memory::MemorySource;
pub use transcript::{Transcript, TranscriptFormat, run_transcriber, run_transcriber_with, temporary_prefix};

use crate::Result;

/// Sampling rate of all sound behind the door, in hertz.
pub const AUDIO_RATE: u32 = 16_000;

/// Everything that can enter a session.
#[derive(Debug, Clone)]
pub enum Sample {
    /// One picture.
    Video(VideoFrame),
    /// A stretch of mono sound at [`AUDIO_RATE`].
    Audio(AudioChunk),
    /// Words with their time.
    Text(Utterance),
}

/// Where samples come from, one after the other, picture and sound interleaved by time.
pub trait Source {
    /// What is known of the media; grows more exact as samples are read (duration, notes on damage).
    fn info(&self) -> &MediaInfo;

    /// The next sample, or `None` at the end.
    ///
    /// # Errors
    /// [`Error::Media`](crate::Error::Media) where nothing could be decoded, [`Error::Limit`](crate::Error::Limit)
    /// where a limit was passed. Damage after the first sample is not an error: it ends the source and is named in
    /// [`MediaInfo::notes`].
    fn next(&mut self) -> Result<Option<Sample>>;
}
