//! Speech that is played again: a soundboard, a loop, the same file twice.
//!
//! Fingerprints after Haitsma & Kalker (2002): frames that share a whole fingerprint point to a place; the stretch around it is the same sound if few bits differ.

use std::collections::HashMap;

use crate::evidence::{Evidence, Finding, Question};
use crate::media::AUDIO_RATE;
use crate::time::{Span, Timestamp};
use crate::track::{SOUND_STEP, SoundFrame};

/// Frames of the shortest stretch: 1.6 s.
const LEAST: usize = 100;
/// Share of bits that may differ. Played again, also through Opus at 24 kb/s, 0.02 to 0.10 do; other speech of the same
/// synthetic voice differs in 0.37 and more.
const DIFFERENT: f32 = 0.22;
/// Shortest lag, frames: nearer frames share their sound.
const LEAST_LAG: usize = 125;
/// Places kept of one fingerprint: a hum gives the same one over and over.
const PLACES: usize = 8;
/// Repetitions named.
const NAMED: usize = 8;
/// LLR of one repeated stretch and of several or long ones. There is no material of such attacks to fit on; of the genuine
/// recordings at hand none repeats.
const LLR: [f64; 2] = [1.0, 2.0];
const LONG_S: f64 = 4.0;

#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Fingerprint and moment of every frame of speech.
    frames: Vec<(u32, Timestamp)>,
    places: HashMap<u32, Vec<u32>>,
    /// Stretches found: first frame, first frame of the earlier one, number.
    found: Vec<(usize, usize, usize)>,
}

impl Repeats {
    /// A moment of speech.
    pub(super) fn hear(&mut self, frame: &SoundFrame) {
        let SoundFrame { at, fingerprint: bits, .. } = *frame;
        let now = self.frames.len();
        self.frames.push((bits, at));
        self.look(now);
        let places = self.places.entry(bits).or_default();
        if places.len() < PLACES {
            places.push(u32::try_from(now).unwrap_or(u32::MAX));
        }
    }

    /// Whether the stretch that ends with frame `now` was heard before.
    fn look(&mut self, now: usize) {
        let bits = self.frames[now].0;
        if let Some((first, earlier, count)) = self.found.last_mut()
            && *first + *count == now
            && *earlier + *count < *first
            && (self.frames[*earlier + *count].0 ^ bits).count_ones() <= 12
        {
            *count += 1;
            return;
        }
        if now + 1 < LEAST {
            return;
        }
        let Some(places) = self.places.get(&bits) else { return };
        let candidates = places.iter().map(|&p| p as usize).filter(|&p| p + LEAST_LAG <= now && p + 1 >= LEAST);
        let same = candidates.filter(|&then| self.different(then, now) <= DIFFERENT);
        let Some(then) = same.min_by(|&a, &b| self.different(a, now).total_cmp(&self.different(b, now))) else {
            return;
        };
        self.found.push((now + 1 - LEAST, then + 1 - LEAST, LEAST));
    }

    /// Share of bits in which the stretches that end with these frames differ; 1 where one of them has a gap.
    fn different(&self, then: usize, now: usize) -> f32 {
        let (a, b) = (&self.frames[then + 1 - LEAST..=then], &self.frames[now + 1 - LEAST..=now]);
        let micros = |s: &[(u32, Timestamp)]| s[LEAST - 1].1.since(s[0].1);
        let whole = ((LEAST - 1) * SOUND_STEP) as i64 * 1_000_000 / i64::from(AUDIO_RATE);
        if (micros(a) - whole).abs() > 1_000 || (micros(b) - whole).abs() > 1_000 {
            return 1.0;
        }
        let bits: u32 = a.iter().zip(b).map(|(x, y)| (x.0 ^ y.0).count_ones()).sum();
        bits as f32 / (32 * LEAST) as f32
    }

    pub(super) fn conclude(&self, out: &mut Vec<Evidence>) {
        let span = |first: usize, count: usize| Span::new(self.frames[first].1, self.frames[first + count - 1].1);
        let total: f64 = self.found.iter().map(|&(first, _, count)| span(first, count).seconds()).sum();
        let llr = LLR[usize::from(self.found.len() > 1 || total >= LONG_S)];
        for &(first, earlier, count) in self.found.iter().take(NAMED) {
            let (now, then) = (span(first, count), span(earlier, count));
            let finding = Finding::Score { raw: total, llr };
            let message = format!("the speech of {then} is played again at {now}");
            let found = Evidence::new("channel.repeated", Question::Voice, now, finding, message);
            out.push(found.fact("repeated_s", now.seconds()).fact("lag_s", now.start.since(then.start) as f64 / 1e6));
        }
    }
}
