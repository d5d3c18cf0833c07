//! The first half of a session: samples in, hops with everything seen and heard in them out.

use super::pace::Pace;
use crate::detect::Window;
use crate::error::{Error, Result};
use crate::media::{AUDIO_RATE, Limits, MediaInfo, MediaNote, Sample};
use crate::time::Timestamp;
use crate::timeline::{Hop, Timeline};
use crate::track::{Heard, Tracker, Tracks};

/// A hop with what checks are given of it. It borrows nothing, so that checks can run while the next one is watched.
#[derive(Debug)]
pub(super) struct Moment {
    pub(super) hop: Hop,
    heard: Heard,
    tracks: Tracks,
}

impl Moment {
    pub(super) fn window<'a>(&'a self, media: &'a MediaInfo) -> Window<'a> {
        let Self { hop, heard, tracks } = self;
        Window {
            span: hop.span,
            frames: &hop.frames,
            faces: &hop.faces,
            burst: &hop.burst,
            audio: &hop.audio,
            heard: &hop.heard,
            speech: &heard.speech,
            sound: &heard.sound,
            music: heard.music,
            words: &hop.words,
            others: &heard.others,
            tracks,
            media,
        }
    }
}

/// Follows faces and voices, and cuts time into hops.
pub(super) struct Watch {
    pub(super) timeline: Timeline,
    pub(super) tracker: Tracker,
    /// Bytes of words, frames with the size of the last, and samples taken in.
    text_bytes: usize,
    frames: u64,
    size: (u32, u32),
    samples: u64,
    pace: Pace,
    limits: Limits,
    input: String,
}

impl Watch {
    pub(super) fn new(tracker: Tracker, media: &MediaInfo, limits: Limits) -> Self {
        Self {
            timeline: Timeline::new(media),
            tracker,
            text_bytes: 0,
            frames: 0,
            size: (0, 0),
            samples: 0,
            pace: Pace::default(),
            limits,
            input: media.input.clone(),
        }
    }

    /// Takes in a sample that was checked.
    ///
    /// # Errors
    /// When a model fails; [`Error::Media`] when sound lasts much longer or shorter than its times say. That sample is not taken in, and
    /// the session goes on.
    pub(super) fn take(&mut self, sample: Sample) -> Result<()> {
        if let Sample::Audio(chunk) = &sample
            && let Some(times) = self.pace.wrong(chunk)
        {
            let reason = format!(
                "its sound lasts {times:.1} times as long as its times say: {AUDIO_RATE} Hz mono is expected, so say its rate (`rate` in \
                 Python, media::Resampler in Rust) or mix its channels"
            );
            return Err(Error::media(&self.input, reason));
        }
        match sample {
            Sample::Video(frame) => {
                (self.frames, self.size) = (self.frames + 1, (frame.width, frame.height));
                self.timeline.push_frame(self.tracker.look(&frame)?);
            }
            Sample::Audio(chunk) => {
                self.samples += chunk.samples.len() as u64;
                self.timeline.push_audio(&chunk);
            }
            Sample::Text(words) => {
                self.text_bytes += words.text.len();
                self.timeline.push_words(words);
            }
        }
        Ok(())
    }

    /// Whether a sample may be taken in.
    ///
    /// # Errors
    /// [`Error::Limit`] when it lies beyond the longest duration, a frame is too large or there are too many words,
    /// [`Error::Unsupported`] when a frame's planes do not hold its size.
    pub(super) fn check(&self, sample: &Sample) -> Result<()> {
        let most = &self.limits;
        let passed = |what, value, limit| Err(Error::Limit { input: self.input.clone(), what, value, limit });
        let end_s = match sample {
            Sample::Video(frame) => frame.at.seconds(),
            Sample::Audio(chunk) => chunk.at.seconds() + chunk.samples.len() as f64 / f64::from(AUDIO_RATE),
            Sample::Text(_) => 0.0,
        };
        if end_s > most.duration_s {
            return passed("its duration", format!("{end_s:.1} s"), format!("{:.1} s", most.duration_s));
        }
        if let Sample::Video(frame) = sample {
            // its fields are public: another size than its planes have would be read beyond them
            frame.check()?;
        }
        match sample {
            Sample::Video(f) if u64::from(f.width) * u64::from(f.height) > most.pixels => {
                passed("its frame size", format!("{}x{} pixels", f.width, f.height), format!("{} pixels", most.pixels))
            }
            Sample::Text(words) if self.text_bytes + words.text.len() > most.text_bytes => {
                let bytes = self.text_bytes + words.text.len();
                passed("text", format!("{bytes} bytes"), format!("{} bytes", most.text_bytes))
            }
            _ => Ok(()),
        }
    }

    /// The next hop that is complete.
    pub(super) fn next(&mut self) -> Option<Moment> {
        let hop = self.timeline.next_hop()?;
        Some(self.moment(hop))
    }

    /// At the end of the media: the next hop with whatever is left.
    pub(super) fn last(&mut self) -> Option<Moment> {
        let hop = self.timeline.last_hop().or_else(|| self.timeline.late_words())?;
        Some(self.moment(hop))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.timeline.end() <= Timestamp::ZERO
    }

    /// A stream that came is there, whether or not it was told beforehand.
    pub(super) fn declare(&self, media: &mut MediaInfo) {
        if self.frames > 0 {
            media.video.get_or_insert_default();
        }
        if self.samples > 0 {
            media.audio.get_or_insert_default();
        }
    }

    /// What a call turned out to be, where nobody said it: a file knows by itself.
    pub(super) fn describe(&self, media: &mut MediaInfo) {
        self.declare(media);
        let mut note = |code: &str, message: String| {
            if !media.notes.iter().any(|n| n.code == code) {
                media.notes.push(MediaNote::new(code, None, message));
            }
        };
        let (frames, sound_s) = self.timeline.late();
        if frames > 0 {
            note("video_late", format!("{frames} pictures came when their second was analysed, and were left out"));
        }
        if sound_s > 0.0 {
            note(
                "audio_late",
                format!("{sound_s:.1} s of sound came when their second was analysed, and were left out"),
            );
        }
        if media.video.is_some() && self.frames == 0 {
            note("no_pictures", "no picture came".to_owned());
        }
        if media.audio.is_some() && self.samples == 0 {
            note("no_sound", "no sound came".to_owned());
        }
        let seconds = self.timeline.analysed().seconds();
        media.seen_duration_s = media.seen_duration_s.or(Some(seconds));
        if let Some(video) = media.video.as_mut().filter(|v| v.frames == 0) {
            (video.frames, (video.width, video.height)) = (self.frames, self.size);
            video.frame_rate = if seconds > 0.0 { self.frames as f64 / seconds } else { 0.0 };
            video.pixel_aspect = 1.0;
        }
        if let Some(audio) = media.audio.as_mut().filter(|a| a.samples == 0) {
            (audio.samples, audio.sample_rate, audio.channels) = (self.samples, AUDIO_RATE, 1);
        }
    }

    fn moment(&mut self, hop: Hop) -> Moment {
        let heard = self.tracker.listen(&hop);
        Moment { hop, heard, tracks: self.tracker.tracks().clone() }
    }
}
