//! A background that is switched off with the voice, as gates, noise suppression and synthesisers do.

use super::{Whole, decibels, note};
use crate::dsp::histogram::Histogram;
use crate::evidence::Evidence;

/// Levels are counted in steps of a decibel from here up to 0 dB.
const LEVELS: Histogram<121> = Histogram::new(-120.0, 1.0);
/// Pauses under this level, under speech over that one, are off; a quiet room with a good microphone is at -75.
const OFF_DB: f64 = -85.0;
const SPEECH_DB: f64 = -40.0;
/// Frames of pause that are needed: half a second.
const LEAST_PAUSES: u32 = 32;

#[derive(Debug)]
pub(super) struct Floor {
    speech: Histogram<121>,
    pauses: Histogram<121>,
}

impl Default for Floor {
    fn default() -> Self {
        Self { speech: LEVELS, pauses: LEVELS }
    }
}

impl Floor {
    pub(super) fn hear(&mut self, power: &[f32], voiced: bool, pause: bool) {
        let level = f64::from(decibels(power.iter().sum()));
        if voiced {
            self.speech.add(level);
        } else if pause {
            self.pauses.add(level);
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        if self.pauses.total() < LEAST_PAUSES {
            return;
        }
        let (loud, pauses) = (self.speech.quantile(0.9), self.pauses.quantile(0.5));
        if pauses >= OFF_DB || loud < SPEECH_DB {
            return;
        }
        let message = "the background is switched off between words: a gate, noise suppression or made sound";
        let found = note("channel.floor_off", whole.span, message);
        out.push(found.fact("speech_db", loud).fact("pauses_db", pauses));
    }
}
