//! Keystrokes: somebody types during the interview, perhaps a question to a model, perhaps a note.
//!
//! A keystroke is a click: the highest octave rises within a few milliseconds far above what was there and is gone again.
//! Typing is a run of clicks at the pace of fingers, neither as even as a clock nor as sparse as bumps against a desk.
//! Speech need not be known: it does not click like that, and what tells speech takes clicks for it.

use std::collections::VecDeque;

use crate::evidence::{Evidence, Finding, Question};
use crate::time::{Span, Timestamp};
use crate::timeline::time_of;

use super::foremost;

/// Samples of one frame: 4 ms.
const FRAME: usize = 64;
/// Frames before a click that say what was there: 120 ms.
const BEFORE: usize = 30;
/// Frames within which a click is gone again: 60 ms.
const GONE: usize = 15;
/// How far a click stands out, decibel, and how near its end is to what was there.
const RISE_DB: f32 = 15.0;
const REST_DB: f32 = 8.0;
/// Level under which there is nothing to hear, decibel of full scale after the filter.
const QUIET_DB: f32 = -75.0;
/// Frames that belong to one keystroke: the key goes down and hits the bottom.
const ONE_KEY: i64 = 12;
/// Longest pause inside a run of keystrokes, microseconds.
const RUN_GAP: i64 = 700_000;
/// Keystrokes of the shortest run.
const LEAST_KEYS: usize = 8;
/// Seconds between keystrokes: the middle of a run lies within.
const PACE_S: [f64; 2] = [0.07, 0.4];
/// Spread of those seconds over their mean: a clock has less.
const LEAST_SPREAD: f64 = 0.12;

/// Finds typing in sound that is pushed.
#[derive(Debug, Default)]
pub(super) struct Typing {
    /// Samples of the frame that is not whole yet, and the two before it.
    rest: Vec<f32>,
    last: [f32; 2],
    frames: i64,
    levels: VecDeque<f32>,
    last_click: Option<i64>,
    keys: Vec<Timestamp>,
}

impl Typing {
    /// The next sound; `music` may have drums, so that nothing is heard in it.
    pub(super) fn push(&mut self, audio: &[f32], music: bool) {
        for sample in audio {
            // second difference: the upper octaves without the voice
            self.rest.push(2.0f32.mul_add(-self.last[1], sample + self.last[0]) / 4.0);
            self.last = [self.last[1], *sample];
            if self.rest.len() == FRAME {
                let power = self.rest.iter().map(|v| v * v).sum::<f32>() / FRAME as f32;
                self.rest.clear();
                self.level(10.0 * (power + 1e-12).log10(), music);
            }
        }
    }

    /// A frame's level; whether a click was `GONE` frames ago is known now.
    fn level(&mut self, db: f32, music: bool) {
        self.frames += 1;
        self.levels.push_back(db);
        if self.levels.len() <= BEFORE + GONE {
            return;
        }
        let window = self.levels.make_contiguous();
        let (before, after) = (&window[..BEFORE], &window[BEFORE + 1..]);
        let here = window[BEFORE];
        let mut sorted = before.to_vec();
        sorted.sort_by(f32::total_cmp);
        let (floor, top) = (sorted[BEFORE / 2], sorted[BEFORE * 9 / 10]);
        let gone = after[GONE - 3..].iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let peak = after[..2].iter().copied().fold(here, f32::max);
        let stands_out =
            here > QUIET_DB && here >= floor.max(QUIET_DB) + RISE_DB && here > top + 6.0 && here >= peak - 3.0;
        let number = self.frames - 1 - GONE as i64;
        if stands_out && gone <= floor.max(QUIET_DB) + REST_DB && self.last_click.is_none_or(|l| number - l >= ONE_KEY)
        {
            self.last_click = Some(number);
            if !music {
                self.keys.push(time_of(number * FRAME as i64));
            }
        }
        self.levels.pop_front();
    }

    /// Stretches of typing, each with its keystrokes.
    fn runs(&self) -> Vec<(Span, usize)> {
        let runs = self.keys.chunk_by(|a, b| b.since(*a) <= RUN_GAP).filter(|run| run.len() >= LEAST_KEYS);
        let typed = runs.filter(|run| {
            let mut gaps: Vec<f64> = run.windows(2).map(|w| w[1].since(w[0]) as f64 / 1e6).collect();
            gaps.sort_by(f64::total_cmp);
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let spread = (gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt() / mean;
            (PACE_S[0]..=PACE_S[1]).contains(&gaps[gaps.len() / 2]) && spread >= LEAST_SPREAD
        });
        typed.filter_map(|run| Some((Span::new(*run.first()?, *run.last()?), run.len()))).collect()
    }

    /// A note for each of the longest runs: typing proves nothing, notes are typed as well.
    pub(super) fn conclude(&self, out: &mut Vec<Evidence>) {
        out.extend(foremost(self.runs(), |(_, keys)| *keys).map(|(span, keys)| {
            let message = "this sounds like typing; it may be notes, or somebody else: ask what was looked up";
            Evidence::new("answers.typing", Question::Answers, span, Finding::Note, message).fact("keys", keys as f64)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::AUDIO_RATE;

    /// White noise in -1..1: Numerical Recipes' congruences, the same every time.
    struct Noise(u32);

    impl Noise {
        const fn new() -> Self {
            Self(1)
        }

        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (f64::from(self.0) / f64::from(u32::MAX)).mul_add(2.0, -1.0) as f32
        }
    }

    /// `seconds` of room with clicks at the given times: noise that dies away within a few milliseconds.
    fn room(seconds: f64, clicks: &[f64], loud: f32) -> Vec<f32> {
        let mut noise = Noise::new();
        let rate = f64::from(AUDIO_RATE);
        let mut sound: Vec<f32> = (0..(seconds * rate) as usize).map(|_| 0.002 * noise.next()).collect();
        for click in clicks {
            for n in 0..400 {
                sound[(click * rate) as usize + n] += loud * noise.next() * (-(n as f32) / 60.0).exp();
            }
        }
        sound
    }

    fn heard(sound: &[f32]) -> Vec<(Span, usize)> {
        let mut typing = Typing::default();
        sound.chunks(8_000).for_each(|hop| typing.push(hop, false));
        typing.runs()
    }

    fn fingers(from: f64, keys: usize) -> Vec<f64> {
        let mut noise = Noise::new();
        let mut at = from;
        (0..keys)
            .map(|_| {
                at += 0.17 + 0.08 * f64::from(noise.next());
                at
            })
            .collect()
    }

    #[test]
    fn typing_is_heard_in_a_quiet_room() {
        let keys = fingers(3.0, 20);
        let runs = heard(&room(10.0, &keys, 0.1));
        assert_eq!(runs.len(), 1, "{runs:?}");
        assert!(runs[0].1 >= 17 && runs[0].1 <= 20, "{runs:?}");
        assert!((runs[0].0.start.seconds() - keys[0]).abs() < 0.3, "{runs:?}");
    }

    #[test]
    fn a_clock_bumps_noise_and_silence_are_no_typing() {
        let clock: Vec<f64> = (0..20).map(|n| 2.0 + 0.25 * f64::from(n)).collect();
        assert!(heard(&room(10.0, &clock, 0.1)).is_empty());
        let bumps: Vec<f64> = (0..8).map(|n| 1.0 + 1.1 * f64::from(n)).collect();
        assert!(heard(&room(10.0, &bumps, 0.1)).is_empty());
        assert!(heard(&room(10.0, &[], 0.0)).is_empty());
        assert!(heard(&vec![0.0; 160_000]).is_empty());
    }
}
