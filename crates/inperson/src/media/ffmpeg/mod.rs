//! Files through FFmpeg's libraries. This folder is the only place that names them.
//!
//! Packets are queued by stream and decoded only when their turn comes, so that samples leave in order of time and
//! memory does not grow with the recording. Input is read through a plain file handle: no name is ever taken for a
//! URL, and playlists cannot open other files.

mod audio;
mod channels;
mod packets;
mod probe;
mod resampler;
mod video;

use std::fs::File;
use std::io::Seek;
use std::path::Path;
use std::sync::Once;

use ffmpeg_next as ff;

use self::audio::AudioTrack;
use self::packets::Packets;
pub use self::resampler::Resampler;
use self::video::VideoTrack;
use super::clock::Clock;
use super::{AudioChunk, Limits, MediaInfo, MediaNote, Sample, Source, VideoFrame, structure};
use crate::error::{Error, Result};
use crate::time::{Span, Timestamp};

/// Microseconds as FFmpeg writes a time base.
const MICROS: ff::Rational = ff::Rational(1, 1_000_000);
/// Unreadable packets in a row after which the file counts as ended.
const MOST_UNREADABLE: usize = 500;
/// Containers whose clock may start again in the middle.
const RESETTING: [&str; 5] = ["mpegts", "mpeg", "asf", "nut", "rtp"];
/// Containers that declare a duration themselves, so that its lack shows a cut.
const DECLARING: [&str; 4] = ["mov", "matroska", "avi", "flv"];

/// How a file is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaOptions {
    /// Sound track to decode, counted among the sound tracks from 0. Default: the container's default.
    pub audio_track: Option<usize>,
    /// The one channel of it to hear, counted from 0. Default: all of them mixed.
    pub audio_channel: Option<usize>,
    /// Threads for decoding the picture; 0 for one a core. Default: `0`.
    pub threads: usize,
    /// Leave the pictures undecoded; times stay those of the whole recording. Default: `false`.
    pub sound_only: bool,
}

/// A media file in any container and codec that FFmpeg reads.
///
/// Time zero is the earliest start of the chosen streams, so the offset between picture and sound is kept. Frames
/// hold the decoder's buffers; layouts that [`PixelLayout`](super::PixelLayout) does not have are converted, and of
/// interlaced frames the first field is kept with the lines between interpolated.
pub struct FileSource {
    input: ff::format::context::Input,
    video: Option<VideoTrack>,
    audio: Option<AudioTrack>,
    clock: Clock,
    zero: Option<i64>,
    info: MediaInfo,
    duration_limit_s: f64,
    frame: Option<VideoFrame>,
    chunk: Option<AudioChunk>,
    first: Option<Sample>,
    end: Timestamp,
    should_end: Option<u64>,
    unreadable: u64,
    read_error: Option<String>,
    input_ended: bool,
    finished: bool,
}

impl std::fmt::Debug for FileSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileSource({})", self.info.input)
    }
}

/// Of two streams, one that this build has no decoder for is named and left out; with nothing else it is an error.
fn readable(
    video: Result<Option<VideoTrack>>,
    audio: Result<Option<AudioTrack>>,
    notes: &mut Vec<MediaNote>,
) -> Result<(Option<VideoTrack>, Option<AudioTrack>)> {
    let note = |code: &str, reason: String| MediaNote::new(code, None, reason);
    match (video, audio) {
        (Ok(video @ Some(_)), Err(Error::Media { reason, .. })) => {
            notes.push(note("no_sound", reason));
            Ok((video, None))
        }
        (Err(Error::Media { reason, .. }), Ok(audio @ Some(_))) => {
            notes.push(note("no_pictures", reason));
            Ok((None, audio))
        }
        (video, audio) => Ok((video?, audio?)),
    }
}

/// FFmpeg's own log is process-wide and goes to stderr, which belongs to the application.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if ff::init().is_ok() {
            ff::log::set_level(ff::log::Level::Quiet);
        }
    });
}

impl FileSource {
    /// Opens a file and decodes as far as its first sample.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be opened or is not a plain file, [`Error::Media`] when nothing in it can be
    /// decoded, [`Error::Limit`] when it passes a limit, [`Error::Config`] for a sound track that it does not have.
    pub fn open(path: impl AsRef<Path>, limits: &Limits, options: &MediaOptions) -> Result<Self> {
        quiet();
        let path = path.as_ref();
        let name = path.display().to_string();
        let (mut file, bytes) = plain_file(path)?;
        let found = structure::read(&mut file, bytes);
        file.rewind().map_err(|e| Error::io(path, e))?;
        let input = open_input(file, &name, &found)?;
        let mut info = MediaInfo {
            input: name.clone(),
            bytes: Some(bytes),
            structure: found.parts,
            truncated: found.should_end.is_some(),
            ..probe::container(&input)
        };
        probe::check_limits(&input, &info, limits)?;
        let video = VideoTrack::open(&input, &name, limits, options.threads, &mut info);
        let audio = AudioTrack::open(&input, &name, options, &mut info);
        let (video, audio) = readable(video, audio, &mut info.notes)?;
        if video.is_none() && audio.is_none() {
            return Err(Error::media(name, "it has no picture stream and no sound stream"));
        }
        let starts = [video.as_ref().and_then(|v| v.start), audio.as_ref().and_then(|a| a.start)];
        let zero = starts.iter().flatten().min().copied();
        let offset = |start: Option<i64>| start.zip(zero).map_or(0.0, |(s, z)| (s - z) as f64 / 1e6);
        if let Some(stream) = &mut info.video {
            stream.start_s = offset(starts[0]);
        }
        if let Some(stream) = &mut info.audio {
            stream.start_s = offset(starts[1]);
        }
        let video = video.filter(|_| !options.sound_only);
        if options.sound_only {
            info.video = None;
            if audio.is_none() {
                return Err(Error::media(name, "it has no sound"));
            }
        }
        let resetting = info.container.split(',').any(|c| RESETTING.contains(&c));
        let mut source = Self {
            input,
            video,
            audio,
            clock: Clock::new(resetting),
            zero,
            info,
            duration_limit_s: limits.duration_s,
            frame: None,
            chunk: None,
            first: None,
            end: Timestamp(i64::MIN),
            should_end: found.should_end,
            unreadable: 0,
            read_error: None,
            input_ended: false,
            finished: false,
        };
        source.first = source.pull()?;
        if source.first.is_none() {
            return Err(Error::media(name, "no picture and no sound in it could be decoded"));
        }
        Ok(source)
    }

    /// Decodes until the earliest sample of all streams is known, and takes it.
    fn pull(&mut self) -> Result<Option<Sample>> {
        loop {
            if let (None, Some(track)) = (&self.frame, &mut self.video) {
                self.frame = track.next(self.input_ended, self.zero.unwrap_or_default())?;
            }
            if let (None, Some(track)) = (&self.chunk, &mut self.audio) {
                self.chunk = track.next(self.input_ended, self.zero.unwrap_or_default());
            }
            let picture_missing = self.frame.is_none() && self.video.as_ref().is_some_and(|v| !v.packets.ended);
            let sound_missing = self.chunk.is_none() && self.audio.as_ref().is_some_and(|a| !a.packets.ended);
            let far_ahead = (self.chunk.is_some() && self.audio.as_ref().is_some_and(|a| a.packets.far_ahead()))
                || (self.frame.is_some() && self.video.as_ref().is_some_and(|v| v.packets.far_ahead()));
            if (picture_missing || sound_missing) && !far_ahead {
                self.read_packet();
                continue;
            }
            let sound_first = match (&self.frame, &self.chunk) {
                (Some(frame), Some(chunk)) => chunk.at < frame.at,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (None, None) => return Ok(None),
            };
            let sample =
                if sound_first { self.chunk.take().map(Sample::Audio) } else { self.frame.take().map(Sample::Video) };
            return Ok(sample);
        }
    }

    fn read_packet(&mut self) {
        let mut unreadable = 0;
        while !self.input_ended {
            let mut packet = ff::Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => {
                    self.route(packet);
                    return;
                }
                Err(ff::Error::Eof) => self.input_ended = true,
                Err(error) => {
                    unreadable += 1;
                    self.unreadable += 1;
                    let resyncs = error == ff::Error::InvalidData;
                    if !resyncs || unreadable >= MOST_UNREADABLE {
                        self.read_error = Some(error.to_string());
                        self.input_ended = true;
                    }
                }
            }
        }
    }

    fn route(&mut self, mut packet: ff::Packet) {
        let index = packet.stream();
        let (slot, queue) = match (&mut self.video, &mut self.audio) {
            (Some(track), _) if track.packets.index == index => (0, &mut track.packets),
            (_, Some(track)) if track.packets.index == index => (1, &mut track.packets),
            _ => return,
        };
        if slot == 0
            && let Some(info) = self.info.video.as_mut().filter(|_| queue.last_at.is_none())
        {
            info.encoder = packet.data().and_then(probe::signature);
        }
        let at = packet.dts().or(packet.pts()).map(|t| micros(t, queue.time_base));
        if self.zero.is_none() {
            self.zero = at;
        }
        let shift = self.clock.shift(slot, at, micros(packet.duration(), queue.time_base));
        if shift != 0 {
            let ticks = ff::Rescale::rescale(&shift, MICROS, queue.time_base);
            packet.set_pts(packet.pts().map(|t| t.saturating_add(ticks)));
            packet.set_dts(packet.dts().map(|t| t.saturating_add(ticks)));
        }
        queue.push(packet, at.map(|t| t.saturating_add(shift)));
    }

    /// Notes, once, what decoding the whole showed.
    fn finish(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        let end = self.end.max(Timestamp::ZERO);
        let at_end = Some(Span::new(end, end));
        self.info.seen_duration_s = Some(end.seconds());
        let declared = self.info.declared_duration_s.unwrap_or_default();
        let declares = self.info.container.split(',').any(|c| DECLARING.contains(&c));
        let short = declares && end.seconds() < declared - (0.02 * declared).max(1.0);
        if self.should_end.is_some() || short {
            self.info.truncated = true;
            let bytes = self.info.bytes.unwrap_or_default();
            let message = match self.should_end {
                Some(should) => format!(
                    "the file has {bytes} bytes where its container needs {should}: cut off after {:.1} s of {declared:.1} s",
                    end.seconds()
                ),
                None => format!("{:.1} s could be decoded of the {declared:.1} s declared", end.seconds()),
            };
            self.note("truncated", at_end, message);
        }
        if let Some(error) = self.read_error.take() {
            self.note("read_error", at_end, format!("reading stopped early: {}", error.to_lowercase()));
        }
        if let Some(first) = self.clock.first_jump {
            let at = Timestamp(first.saturating_sub(self.zero.unwrap_or_default()));
            let message = format!("the clock was reset or jumped {} times; the jumps were closed", self.clock.jumps);
            self.note("timestamps_repaired", Some(Span::new(at, at)), message);
        }
        let mut corrupt = self.unreadable;
        if let Some(track) = &mut self.video {
            corrupt += track.packets.corrupt;
            track.notes(&mut self.info.notes);
        }
        if let Some(track) = &mut self.audio {
            corrupt += track.packets.corrupt;
            track.notes(&mut self.info.notes);
        }
        if corrupt > 0 {
            self.note("corrupt_packets", None, format!("{corrupt} packets could not be read or decoded"));
        }
    }

    fn note(&mut self, code: &str, span: Option<Span>, message: String) {
        self.info.notes.push(MediaNote::new(code, span, message));
    }
}

impl Source for FileSource {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Option<Sample>> {
        let sample = match self.first.take() {
            Some(sample) => Some(sample),
            None => self.pull()?,
        };
        let end = match &sample {
            Some(Sample::Video(frame)) => {
                let step = self.video.as_ref().map_or(0, |v| v.step);
                if let Some(info) = &mut self.info.video {
                    info.frames += 1;
                    if info.width == 0 {
                        (info.width, info.height) = (frame.width, frame.height);
                    }
                    info.interlaced |= self.video.as_ref().is_some_and(|v| v.interlaced > 0);
                }
                frame.at.plus(step)
            }
            Some(Sample::Audio(chunk)) => {
                if let (Some(info), Some(track)) = (&mut self.info.audio, &self.audio) {
                    info.samples = track.decoded;
                    if let (0, Some((rate, channels))) = (info.sample_rate, track.heard_as) {
                        (info.sample_rate, info.channels) = (rate, u32::from(channels));
                    }
                }
                chunk.at.plus(chunk.samples.len() as i64 * 1_000_000 / i64::from(super::AUDIO_RATE))
            }
            _ => {
                self.finish();
                return Ok(None);
            }
        };
        self.end = self.end.max(end);
        if self.end.seconds() > self.duration_limit_s {
            return Err(Error::Limit {
                input: self.info.input.clone(),
                what: "its duration",
                value: format!("more than {:.0} s", self.duration_limit_s),
                limit: format!("{:.0} s", self.duration_limit_s),
            });
        }
        Ok(sample)
    }
}

fn micros(ticks: i64, time_base: ff::Rational) -> i64 {
    ff::Rescale::rescale(&ticks, time_base, MICROS)
}

/// A handle on a plain file and its length; asking first keeps a pipe from blocking the call.
fn plain_file(path: &Path) -> Result<(File, u64)> {
    let facts = std::fs::metadata(path).map_err(|e| Error::io(path, e))?;
    if !facts.is_file() {
        let what = if facts.is_dir() { "it is a folder" } else { "it is a pipe or device" };
        return Err(Error::media(path.display().to_string(), format!("{what}, not a media file")));
    }
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    if facts.len() == 0 {
        return Err(Error::media(path.display().to_string(), "the file is empty"));
    }
    Ok((file, facts.len()))
}

fn open_input(file: File, name: &str, found: &structure::Structure) -> Result<ff::format::context::Input> {
    if found.index_missing {
        let reason = "the MP4 has no index (moov): the recording was cut off or never finished";
        return Err(Error::media(name, reason));
    }
    let reason = |error: ff::Error| match error {
        ff::Error::InvalidData => "it is not media that FFmpeg recognises, or its header is damaged".to_owned(),
        other => format!("its header cannot be read: {}", other.to_string().to_lowercase()),
    };
    let failed = |error| Error::media(name, reason(error));
    let io = ff::format::context::StreamIo::from_read_seek(file).map_err(failed)?;
    // an empty list of protocols: playlists inside must not reach other files or the network
    let options = [("protocol_whitelist", "")].into_iter().collect();
    ff::format::input_from_stream(io, None, Some(options)).map_err(failed)
}
