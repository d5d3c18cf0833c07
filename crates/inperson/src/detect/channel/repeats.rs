//! Speech that is played again: a soundboard, a loop, the same file twice.
//!
//! Fingerprints after Haitsma & Kalker (2002): frames that share a whole fingerprint point to a place; the stretch around
//! it is the same sound if few bits differ.

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
/// One frame in so many can be pointed to: a stretch holds many.
const INDEXED: usize = 4;
/// Places of the index: an hour must take no more memory than a minute. Fingerprints that fall on one place share it, and
/// the comparison of whole stretches tells them apart.
const PLACES: usize = 1 << 16;
/// Bits of a frame that may differ while a stretch goes on.
const GOES_ON: u32 = 12;
/// Length of a step, microseconds.
const STEP: i64 = SOUND_STEP as i64 * 1_000_000 / AUDIO_RATE as i64;
/// Repetitions named.
const NAMED: usize = 8;
/// LLR of one repeated stretch and of several or long ones, where the candidate is seen to speak, and where nobody is seen:
/// announcements repeat in calls too. There is no material of such attacks to fit on; of the genuine recordings at hand none repeats.
const LLR: [f64; 2] = [1.0, 2.0];
const UNSEEN_LLR: [f64; 2] = [0.5, 1.0];
const LONG_S: f64 = 4.0;

/// Whose speech a moment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// The candidate is seen, and nobody else is known to speak.
    Theirs,
    /// Somebody else's.
    Others,
    /// Nobody is seen.
    Unseen,
}

#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Fingerprint and number of every frame of speech, counted in steps of [`SOUND_STEP`] from the start.
    frames: Vec<(u32, u32)>,
    /// Whose they are.
    whose: Vec<Heard>,
    /// For each place of the index the first frame that fell on it, counted from 1; 0 for none. Empty before the first.
    places: Vec<u32>,
    /// Stretches found: first frame, first frame of the earlier one, number.
    found: Vec<(usize, usize, usize)>,
}

impl Repeats {
    /// A moment of speech.
    pub(super) fn hear(&mut self, frame: &SoundFrame, whose: Heard) {
        let now = self.frames.len();
        self.whose.push(whose);
        self.frames.push((frame.fingerprint, u32::try_from(frame.at.0 / STEP).unwrap_or(u32::MAX)));
        self.look(now);
        if now.is_multiple_of(INDEXED) {
            self.places.resize(PLACES, 0);
            let place = &mut self.places[place(frame.fingerprint)];
            if *place == 0 {
                *place = u32::try_from(now + 1).unwrap_or(0);
            }
        }
    }

    /// Whether the stretch that ends with frame `now` was heard before.
    fn look(&mut self, now: usize) {
        let bits = self.frames[now].0;
        if let Some((first, earlier, count)) = self.found.last_mut()
            && *first + *count == now
            && *earlier + *count < *first
            && (self.frames[*earlier + *count].0 ^ bits).count_ones() <= GOES_ON
        {
            *count += 1;
            return;
        }
        let Some(then) = self.places.get(place(bits)).and_then(|&n| (n as usize).checked_sub(1)) else { return };
        if self.frames[then].0 == bits
            && then + LEAST_LAG <= now
            && then + 1 >= LEAST
            && self.different(then, now) <= DIFFERENT
        {
            self.found.push((now + 1 - LEAST, then + 1 - LEAST, LEAST));
        }
    }

    /// Share of bits in which the stretches that end with these frames differ; 1 where one of them has a gap.
    fn different(&self, then: usize, now: usize) -> f32 {
        let (a, b) = (&self.frames[then + 1 - LEAST..=then], &self.frames[now + 1 - LEAST..=now]);
        let whole = |s: &[(u32, u32)]| (s[LEAST - 1].1 - s[0].1) as usize == LEAST - 1;
        if !whole(a) || !whole(b) {
            return 1.0;
        }
        let bits: u32 = a.iter().zip(b).map(|(x, y)| (x.0 ^ y.0).count_ones()).sum();
        bits as f32 / (32 * LEAST) as f32
    }

    pub(super) fn conclude(&self, out: &mut Vec<Evidence>) {
        let at = |frame: usize| Timestamp(i64::from(self.frames[frame].1) * STEP);
        let span = |first: usize, count: usize| Span::new(at(first), at(first + count - 1));
        let total: f64 = self.found.iter().map(|&(first, _, count)| span(first, count).seconds()).sum();
        let much = usize::from(self.found.len() > 1 || total >= LONG_S);
        // whose most of both stretches is
        let share = |first: usize, earlier: usize, count: usize, whose: Heard| {
            let both = self.whose[first..first + count].iter().chain(&self.whose[earlier..earlier + count]);
            both.filter(|w| **w == whose).count() as f64 / (2 * count) as f64
        };
        for &(first, earlier, count) in self.found.iter().take(NAMED) {
            let (now, then) = (span(first, count), span(earlier, count));
            let share = |whose| share(first, earlier, count, whose);
            let (finding, what) = if share(Heard::Others) > 0.5 {
                (Finding::Note, "somebody else's speech")
            } else if share(Heard::Unseen) > 0.5 {
                (Finding::Score { raw: total, llr: UNSEEN_LLR[much] }, "the speech")
            } else {
                (Finding::Score { raw: total, llr: LLR[much] }, "the speech")
            };
            let message = format!("{what} of {then} is played again at {now}");
            let found = Evidence::new("channel.repeated", Question::Voice, now, finding, message);
            out.push(found.fact("repeated_s", now.seconds()).fact("lag_s", now.start.since(then.start) as f64 / 1e6));
        }
    }
}

/// Fibonacci hashing.
fn place(fingerprint: u32) -> usize {
    (fingerprint.wrapping_mul(0x9e37_79b9) >> 16) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found where 4.8 s are heard twice, a second apart.
    fn twice(whose: Heard) -> Finding {
        let mut repeats = Repeats::default();
        for k in (0..300u32).chain(362..662) {
            let fingerprint = (k % 362).wrapping_mul(2_654_435_761) ^ (k % 362).rotate_left(13);
            repeats.hear(&SoundFrame { at: Timestamp(i64::from(k) * STEP), fingerprint, held: 0.0 }, whose);
        }
        let mut out = Vec::new();
        repeats.conclude(&mut out);
        assert_eq!(out.len(), 1, "{out:?}");
        out[0].finding
    }

    #[test]
    fn speech_played_again_weighs_by_whose_it_is() {
        assert!(matches!(twice(Heard::Theirs), Finding::Score { llr, .. } if llr == LLR[1]));
        assert!(matches!(twice(Heard::Unseen), Finding::Score { llr, .. } if llr == UNSEEN_LLR[1]));
        assert!(matches!(twice(Heard::Others), Finding::Note));
    }
}
