//! What is known of an input, and the limits it must keep.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::Rotation;
use crate::time::Span;

/// What a container says of the media, and what decoding it showed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct MediaInfo {
    /// The input's name, usually its path.
    pub input: String,
    /// Size in bytes, where known.
    pub bytes: Option<u64>,
    /// Container format, FFmpeg's short names.
    pub container: String,
    /// Duration in seconds as the container declares it.
    pub declared_duration_s: Option<f64>,
    /// Seconds from the start of the media to the end of the last sample; known once a source has ended.
    pub seen_duration_s: Option<f64>,
    /// Bit rate of the whole as declared, bit/s.
    pub bit_rate: Option<u64>,
    /// Top-level parts of the container in order, repeats joined: boxes of MP4, chunks of RIFF; empty for others.
    pub structure: Vec<String>,
    /// Whether the file ends before its container says it should; named in the notes.
    pub truncated: bool,
    /// Container metadata: encoder, creation time, device make.
    pub tags: std::collections::BTreeMap<String, String>,
    /// The picture stream that is analysed.
    pub video: Option<VideoStreamInfo>,
    /// The sound stream that is analysed.
    pub audio: Option<AudioStreamInfo>,
    /// Numbers of picture and sound streams in the container.
    pub stream_counts: [usize; 2],
    /// What was met while decoding that a reader should know, each with a stable code: `truncated`,
    /// `read_error`, `size_changed`, `deinterlaced`, `timestamps_repaired`, `audio_gaps`, `audio_changed`,
    /// `corrupt_packets`, `corrupt_frames`, `no_pictures`, `no_sound`, `rotation_rounded`, `other_sound`, `other_pictures`,
    /// `channels_differ`, `channels_cancel`; of a call also `video_late`, `audio_late`, `time_ahead`; of a transcript
    /// `transcript_beyond_end`, `transcript_left_out`, `transcript_encoding`.
    pub notes: Vec<MediaNote>,
}

impl MediaInfo {
    /// What is known of a live call before it begins: its name, and which streams will be pushed.
    #[must_use]
    pub fn live(name: impl Into<String>, video: bool, audio: bool) -> Self {
        Self {
            input: name.into(),
            video: video.then(VideoStreamInfo::default),
            audio: audio.then(AudioStreamInfo::default),
            ..Self::default()
        }
    }
}

/// One thing met while decoding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct MediaNote {
    /// Stable code.
    pub code: String,
    /// Where, if it is in one place.
    pub span: Option<Span>,
    /// One sentence.
    pub message: String,
}

impl MediaNote {
    /// A note on the whole, or on one place.
    pub fn new(code: impl Into<String>, span: Option<Span>, message: impl Into<String>) -> Self {
        Self { code: code.into(), span, message: message.into() }
    }
}

/// The picture stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct VideoStreamInfo {
    /// Index in the container.
    pub index: usize,
    /// Codec, FFmpeg's name.
    pub codec: String,
    /// Stored width, pixels.
    pub width: u32,
    /// Stored height, pixels.
    pub height: u32,
    /// Profile of the codec, where it has any.
    pub profile: Option<String>,
    /// Signature that the encoding library left in the stream itself, such as `x264 - core 164`.
    pub encoder: Option<String>,
    /// Average frame rate as declared, frames a second; 0 where unknown.
    pub frame_rate: f64,
    /// Lowest frame rate at which all time stamps fit, frames a second; far above the average in a recording of
    /// variable rate; 0 where unknown.
    pub base_rate: f64,
    /// Number of frames as declared.
    pub declared_frames: Option<u64>,
    /// Frames decoded so far.
    pub frames: u64,
    /// Width over height of one pixel; 1 where unknown.
    pub pixel_aspect: f64,
    /// Colour matrix, primaries, transfer and range as declared, FFmpeg's names; `None` where not declared.
    pub color: [Option<String>; 4],
    /// Turn that makes the picture upright.
    pub rotation: Rotation,
    /// Pixel format, FFmpeg's name.
    pub pixel_format: String,
    /// Whether frames reorder, so that the encoder looked ahead.
    pub reordered: bool,
    /// Whether frames are marked as interlaced; their first field is kept and the lines between are interpolated.
    pub interlaced: bool,
    /// Bit rate as declared, bit/s.
    pub bit_rate: Option<u64>,
    /// Start of the stream against the start of the media, seconds.
    pub start_s: f64,
    /// Stream metadata.
    pub tags: std::collections::BTreeMap<String, String>,
}

/// The sound stream.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct AudioStreamInfo {
    /// Index in the container.
    pub index: usize,
    /// Codec, FFmpeg's name.
    pub codec: String,
    /// Profile of the codec, where it has any.
    pub profile: Option<String>,
    /// Which of the sound streams it is, counted from 0.
    pub track: usize,
    /// Samples decoded so far, at the stored rate.
    pub samples: u64,
    /// Sampling rate as stored, hertz.
    pub sample_rate: u32,
    /// Channels as stored.
    pub channels: u32,
    /// Bit rate as declared, bit/s.
    pub bit_rate: Option<u64>,
    /// Start of the stream against the start of the media, seconds.
    pub start_s: f64,
    /// Stream metadata.
    pub tags: std::collections::BTreeMap<String, String>,
}

/// Caps on untrusted input; passing one is [`Error::Limit`](crate::Error::Limit).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Longest recording, seconds. Default: `21600` (six hours).
    pub duration_s: f64,
    /// Most pixels of one frame. Default: `36_000_000` (8K has 33 million).
    pub pixels: u64,
    /// Most streams of a container. Default: `64`.
    pub streams: usize,
    /// Most bytes of text of one transcript. Default: `16_777_216`.
    pub text_bytes: usize,
    /// Longest that a command may take as a transcriber, seconds; then it is ended. Default: `21600` (six hours).
    pub transcriber_s: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { duration_s: 21_600.0, pixels: 36_000_000, streams: 64, text_bytes: 16 << 20, transcriber_s: 21_600.0 }
    }
}
