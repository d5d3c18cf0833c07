//! What the sound's way to us left in it: band limit, coding before the last one, a background that is switched off
//! with the voice, a background that changes for good, stretches that are played again.
//!
//! Telephones, noise suppression and calls do most of this to honest people, so these are notes for the reviewer. Only a
//! stretch of speech that comes back sample for sample carries weight: nobody says a sentence twice like that.

use std::collections::VecDeque;

use super::{Detector, DetectorInfo, Whole, Window};
use crate::dsp::spectrum::Spectra;
use crate::error::Result;
use crate::evidence::{Evidence, Finding, Question};
use crate::media::AUDIO_RATE;
use crate::time::{Span, Timestamp};
use crate::timeline::time_of;

mod band;
mod floor;
mod repeats;
mod splice;

use repeats::Heard;

/// Frames of 32 ms every 16 ms for levels and bands.
const SIZE: usize = 512;
const STEP: usize = 256;
/// Width of a bin, hertz.
const BIN_HZ: f32 = AUDIO_RATE as f32 / SIZE as f32;
/// Seconds of speech under which nothing is said of it as a whole.
const LEAST_SPEECH_S: f64 = 3.0;

const INFO: DetectorInfo = DetectorInfo {
    name: "channel",
    question: Question::Voice,
    summary: "what coding, gating, cutting and playing again left in the sound",
};

/// The check `channel`.
#[derive(Debug)]
pub struct Channel {
    spectra: Spectra,
    /// Speech of the last hops: frames reach across their borders.
    speech: VecDeque<Span>,
    /// Likewise where sound came at all: what is filled up with silence is no pause.
    heard: VecDeque<Span>,
    speech_s: f64,
    band: band::Band,
    floor: floor::Floor,
    splice: splice::Splice,
    repeats: repeats::Repeats,
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            spectra: Spectra::new(SIZE, STEP),
            speech: VecDeque::new(),
            heard: VecDeque::new(),
            speech_s: 0.0,
            band: band::Band::default(),
            floor: floor::Floor::default(),
            splice: splice::Splice::default(),
            repeats: repeats::Repeats::default(),
        }
    }
}

impl Detector for Channel {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, _out: &mut Vec<Evidence>) -> Result<()> {
        for (held, new) in [(&mut self.speech, window.speech), (&mut self.heard, window.heard)] {
            held.retain(|s| window.span.start.since(s.end) < 2_000_000);
            held.extend(new);
        }
        self.speech_s += window.speech.iter().map(|s| s.seconds()).sum::<f64>();
        let Self { spectra, speech, heard, band, floor, splice, repeats, .. } = self;
        let spoken = |at: Timestamp| speech.iter().any(|s| s.contains(at));
        let came = |at: Timestamp| heard.iter().any(|s| s.contains(at));
        spectra.push(window.audio, |first, power| {
            let at = time_of(first + SIZE as i64 / 2);
            let voiced = spoken(at);
            // a frame is a pause where no speech touches it, and sound came all the while
            let around = [at.plus(-100_000), at.plus(100_000)];
            let pause = !voiced && !around.iter().any(|&t| spoken(t)) && came(at) && came(around[0]);
            if voiced {
                band.hear(power);
            }
            floor.hear(power, voiced, pause);
            splice.hear(at, power, pause);
        });
        // whose face is seen, and does not speak, plays nothing: an announcement, a question that is asked again
        let theirs: Vec<Span> = window.speech.iter().filter(|s| window.elsewhere(**s)).copied().collect();
        let seen = window.faces.iter().any(|f| Some(f.track) == window.tracks.candidate);
        for frame in window.sound.iter().filter(|frame| spoken(frame.at)) {
            let heard = match theirs.iter().any(|s| s.contains(frame.at)) {
                true => Heard::Others,
                false if seen => Heard::Theirs,
                false => Heard::Unseen,
            };
            repeats.hear(frame, heard);
        }
        Ok(())
    }

    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        if self.speech_s >= LEAST_SPEECH_S {
            self.band.conclude(whole, out);
            self.floor.conclude(whole, out);
        }
        self.splice.conclude(out);
        self.repeats.conclude(out);
    }

    /// Facts beside the question, not an answer to it: they cover nothing.
    fn judged_s(&self, _candidate: Option<u32>) -> f64 {
        0.0
    }
}

fn note(code: &'static str, span: Span, message: impl Into<String>) -> Evidence {
    Evidence::new(code, Question::Voice, span, Finding::Note, message)
}

fn decibels(power: f32) -> f32 {
    10.0 * power.max(1e-14).log10()
}
