//! The sound stream: packets in, mono chunks at the house's rate out.

use ff::format::sample::{Sample, Type};
use ff::software::resampling;
use ffmpeg_next as ff;

use super::channels::Channels;
use super::{MediaOptions, Packets, micros, probe};
use crate::error::{Error, Result};
use crate::media::{AUDIO_RATE, AudioChunk, AudioStreamInfo, MediaInfo, MediaNote};
use crate::time::{Span, Timestamp};

/// Samples collected into one chunk: a tenth of a second.
const CHUNK: usize = AUDIO_RATE as usize / 10;
/// Time stamps may stray this far from the count of samples before they are believed, microseconds: recorders of
/// calls stamp packets as they arrive.
pub(super) const STRAY: i64 = 40_000;

pub(super) struct AudioTrack {
    pub(super) packets: Packets,
    pub(super) start: Option<i64>,
    /// Samples decoded, at the stored rate.
    pub(super) decoded: u64,
    /// Rate and channels of the sound decoded last.
    pub(super) heard_as: Option<(u32, u16)>,
    decoder: ff::decoder::Audio,
    /// The one channel that is asked for; all are mixed otherwise.
    channel: Option<usize>,
    resampler: Option<Converter>,
    /// What the two channels of a mixture hold.
    channels: Channels,
    /// Samples not yet given out, and when the first of them is heard.
    pending: Vec<f32>,
    anchor: Timestamp,
    given: i64,
    gaps: (u64, Option<Timestamp>),
    changes: (u64, Option<Timestamp>),
    rejected: u64,
}

/// Sound as it is stored to mono at the house's rate, and what is taken.
pub(super) struct Converter {
    /// All channels in one; nothing where one channel is asked for.
    mix: Option<resampling::Context>,
    /// Channels apart: the one that is asked for, or both of two, to know what the mixture holds.
    apart: Option<resampling::Context>,
    channel: Option<usize>,
    takes: (Sample, u32, u16),
    /// Samples put in since the anchor.
    pub(super) taken: i64,
}

impl AudioTrack {
    /// Opens the track asked for, or the container's best, and describes it.
    pub(super) fn open(
        input: &ff::format::context::Input,
        name: &str,
        options: &MediaOptions,
        info: &mut MediaInfo,
    ) -> Result<Option<Self>> {
        let track = options.audio_track;
        let sound = || input.streams().filter(|s| s.parameters().medium() == ff::media::Type::Audio);
        let stream = match track {
            Some(number) => Some(sound().nth(number).ok_or_else(|| {
                let has = sound().count();
                Error::Config(format!("sound track {number} was asked for; {name} has {has}, counted from 0"))
            })?),
            None => input.streams().best(ff::media::Type::Audio).or_else(|| sound().next()),
        };
        let Some(stream) = stream else { return Ok(None) };
        let failed = |reason: String| Error::media(name, format!("its sound stream cannot be decoded: {reason}"));
        let parameters = stream.parameters();
        let id = parameters.id();
        let codec = ff::decoder::find(id).ok_or_else(|| failed(format!("no decoder for {}", id.name())))?;
        let mut context = ff::codec::Context::from_parameters(parameters).map_err(|e| failed(e.to_string()))?.decoder();
        context.set_packet_time_base(stream.time_base());
        let opened = context.open_as(codec);
        let decoder = opened.and_then(ff::decoder::Opened::audio).map_err(|e| failed(e.to_string().to_lowercase()))?;
        let has = u32::from(decoder.channels());
        if let Some(channel) = options.audio_channel.filter(|&c| has > 0 && c >= has as usize) {
            let reason =
                format!("sound channel {channel} was asked for; the sound of {name} has {has}, counted from 0");
            return Err(Error::Config(reason));
        }
        let (tracks, number) = (sound().count(), sound().position(|s| s.index() == stream.index()).unwrap_or_default());
        if tracks > 1 && track.is_none() {
            let message = format!("there are {tracks} sound tracks; number {number} is heard, counted from 0");
            info.notes.push(MediaNote::new("other_sound", None, message));
        }
        info.audio = Some(AudioStreamInfo {
            index: stream.index(),
            codec: id.name().to_owned(),
            profile: probe::profile(decoder.profile()),
            track: number,
            samples: 0,
            sample_rate: decoder.rate(),
            channels: u32::from(decoder.channels()),
            bit_rate: u64::try_from(decoder.bit_rate()).ok().filter(|&b| b > 0),
            start_s: 0.0,
            tags: probe::tags(&stream.metadata()),
        });
        Ok(Some(Self {
            packets: Packets::new(&stream),
            start: probe::start(&stream),
            decoded: 0,
            heard_as: None,
            decoder,
            channel: options.audio_channel,
            resampler: None,
            channels: Channels::default(),
            pending: Vec::with_capacity(2 * CHUNK),
            anchor: Timestamp::ZERO,
            given: 0,
            gaps: (0, None),
            changes: (0, None),
            rejected: 0,
        }))
    }

    /// The next chunk, or `None` when packets are needed or the stream has ended.
    pub(super) fn next(&mut self, input_ended: bool, zero: i64) -> Option<AudioChunk> {
        while !self.packets.ended {
            if self.pending.len() >= CHUNK {
                return self.take();
            }
            let mut sound = ff::frame::Audio::empty();
            if self.packets.decode(&mut self.decoder, &mut sound, input_ended, |_| {}) {
                if let Some(chunk) = self.hear(sound, zero) {
                    return Some(chunk);
                }
            } else if self.packets.ended {
                self.flush();
            } else {
                break;
            }
        }
        if self.packets.ended { self.take() } else { None }
    }

    /// Takes a decoded stretch; gives what came before it when it does not join on.
    fn hear(&mut self, mut sound: ff::frame::Audio, zero: i64) -> Option<AudioChunk> {
        if sound.samples() == 0 || sound.rate() == 0 {
            return None;
        }
        if sound.channel_layout().is_empty() {
            sound.set_channel_layout(ff::ChannelLayout::default(i32::from(sound.channels())));
        }
        self.decoded += sound.samples() as u64;
        let declared = sound.timestamp().map(|t| Timestamp(micros(t, self.packets.time_base).saturating_sub(zero)));
        let takes = (sound.format(), sound.rate(), sound.channels());
        self.heard_as = Some((takes.1, takes.2));
        let expected = self.resampler.as_ref().map(|r| self.anchor.plus(r.taken * 1_000_000 / i64::from(r.takes.1)));
        let strays = expected.zip(declared).is_some_and(|(e, d)| d.since(e).abs() > STRAY);
        let changed = self.resampler.as_ref().is_some_and(|r| r.takes != takes);
        let mut before = None;
        if strays || changed || self.resampler.is_none() {
            let at = declared.or(expected).unwrap_or_default();
            let ended = expected.unwrap_or(at);
            if self.resampler.is_some() {
                self.flush();
                before = self.take();
                let kind = if changed { &mut self.changes } else { &mut self.gaps };
                *kind = (kind.0 + 1, kind.1.or(Some(ended)));
            }
            self.resampler = Converter::new(takes, sound.channel_layout(), self.channel);
            (self.anchor, self.given) = (at, 0);
        }
        match &mut self.resampler {
            Some(resampler) => resampler.run(&sound, &mut self.pending, &mut self.channels),
            None => self.rejected += 1,
        }
        before
    }

    /// Gets out what the resampler still holds.
    fn flush(&mut self) {
        if let Some(resampler) = &mut self.resampler {
            resampler.flush(&mut self.pending, &mut self.channels);
        }
    }

    fn take(&mut self) -> Option<AudioChunk> {
        if self.pending.is_empty() {
            return None;
        }
        let at = self.anchor.plus(self.given * 1_000_000 / i64::from(AUDIO_RATE));
        self.given += self.pending.len() as i64;
        let samples = std::mem::replace(&mut self.pending, Vec::with_capacity(2 * CHUNK));
        Some(AudioChunk { at, samples: samples.into() })
    }

    pub(super) fn notes(&mut self, out: &mut Vec<MediaNote>) {
        let mut note = |code: &str, at: Option<Timestamp>, message: String| {
            out.push(MediaNote::new(code, at.map(|t| Span::new(t, t)), message));
        };
        if let (count, Some(at)) = self.gaps {
            note("audio_gaps", Some(at), format!("the sound breaks off or overlaps {count} times"));
        }
        if let (count, Some(at)) = self.changes {
            note("audio_changed", Some(at), format!("rate or channels of the sound change {count} times"));
        }
        for (code, message) in self.channels.notes() {
            note(code, None, message);
        }
        if self.decoded == 0 || self.rejected > 0 {
            note("no_sound", None, "sound in the stream could not be decoded or has no known channels".to_owned());
        }
    }
}

impl Converter {
    pub(super) fn new(takes: (Sample, u32, u16), layout: ff::ChannelLayout, channel: Option<usize>) -> Option<Self> {
        let (format, rate, channels) = takes;
        let planes = Sample::F32(Type::Planar);
        let to = |layout_out| resampling::Context::get(format, layout, rate, planes, layout_out, AUDIO_RATE).ok();
        let (mix, apart) = match channel {
            Some(channel) if channel < usize::from(channels) => (None, Some(to(layout)?)),
            Some(_) => return None,
            None => (Some(to(ff::ChannelLayout::MONO)?), if channels == 2 { to(layout) } else { None }),
        };
        Some(Self { mix, apart, channel, takes, taken: 0 })
    }

    pub(super) fn run(&mut self, sound: &ff::frame::Audio, out: &mut Vec<f32>, channels: &mut Channels) {
        let rate = self.takes.1;
        let room = |context: &resampling::Context| {
            let held = context.delay().map_or(0, |d| d.output.max(0));
            let new = sound.samples() as u64 * u64::from(AUDIO_RATE) / u64::from(rate) + 64;
            usize::try_from(new).unwrap_or(0) + usize::try_from(held).unwrap_or(0)
        };
        self.each(room, |context, resampled| context.run(sound, resampled).is_ok(), out, channels);
        self.taken += sound.samples() as i64;
    }

    fn flush(&mut self, out: &mut Vec<f32>, channels: &mut Channels) {
        let room = |context: &resampling::Context| {
            usize::try_from(context.delay().map_or(0, |d| d.output.max(0))).unwrap_or(0) + 64
        };
        self.each(room, |context, resampled| context.flush(resampled).is_ok(), out, channels);
    }

    fn each(
        &mut self,
        room: impl Fn(&resampling::Context) -> usize,
        mut run: impl FnMut(&mut resampling::Context, &mut ff::frame::Audio) -> bool,
        out: &mut Vec<f32>,
        channels: &mut Channels,
    ) {
        let mut through = |context: &mut resampling::Context| {
            let layout = context.output().channel_layout;
            let mut resampled = ff::frame::Audio::new(Sample::F32(Type::Planar), room(context), layout);
            run(context, &mut resampled).then_some(resampled)
        };
        if let Some(mixed) = self.mix.as_mut().and_then(&mut through) {
            out.extend_from_slice(mixed.plane(0));
        }
        match (self.apart.as_mut().and_then(&mut through), self.channel) {
            (Some(apart), Some(channel)) => out.extend_from_slice(apart.plane(channel)),
            (Some(apart), None) if apart.planes() == 2 => channels.hear(apart.plane(0), apart.plane(1)),
            _ => {}
        }
    }
}
