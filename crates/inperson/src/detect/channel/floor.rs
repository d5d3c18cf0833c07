//! A background that is switched off with the voice, as gates, noise suppression and synthesisers do.

use super::{Whole, decibels, note};
use crate::evidence::Evidence;

/// Levels are counted in steps of a decibel from here up to 0 dB.
const LOWEST_DB: f32 = -120.0;
const STEPS: usize = 121;
/// Pauses under this level, under speech over that one, are off; a quiet room with a good microphone is at -75.
const OFF_DB: f32 = -85.0;
const SPEECH_DB: f32 = -40.0;
/// Frames of pause that are needed: half a second.
const LEAST_PAUSES: u32 = 32;

#[derive(Debug)]
pub(super) struct Floor {
    speech: [u32; STEPS],
    pauses: [u32; STEPS],
}

impl Default for Floor {
    fn default() -> Self {
        Self { speech: [0; STEPS], pauses: [0; STEPS] }
    }
}

impl Floor {
    pub(super) fn hear(&mut self, power: &[f32], voiced: bool, pause: bool) {
        let level = decibels(power.iter().sum());
        let step = ((level - LOWEST_DB).max(0.0) as usize).min(STEPS - 1);
        if voiced {
            self.speech[step] += 1;
        } else if pause {
            self.pauses[step] += 1;
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        if self.pauses.iter().sum::<u32>() < LEAST_PAUSES {
            return;
        }
        let (loud, pauses) = (quantile(&self.speech, 0.9), quantile(&self.pauses, 0.5));
        if pauses >= OFF_DB || loud < SPEECH_DB {
            return;
        }
        let message = "the background is switched off between words: a gate, noise suppression or made sound";
        let found = note("channel.floor_off", whole.span, message);
        out.push(found.fact("speech_db", f64::from(loud)).fact("pauses_db", f64::from(pauses)));
    }
}

fn quantile(histogram: &[u32; STEPS], q: f64) -> f32 {
    let want = q * f64::from(histogram.iter().sum::<u32>());
    let mut sum = 0.0;
    let reached = |&n: &u32| {
        sum += f64::from(n);
        sum >= want
    };
    LOWEST_DB + histogram.iter().position(reached).unwrap_or(STEPS - 1) as f32
}
