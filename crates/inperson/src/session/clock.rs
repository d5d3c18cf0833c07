//! Times of a live call that are far ahead of all others: one wrong stamp is left out, a clock that goes on is believed.

use crate::media::Sample;
use crate::time::Timestamp;
use crate::timeline::time_of;

/// Holds samples whose times nothing confirms yet: one believed stamp of another hour would have 3,600 hops cut at once.
#[derive(Default)]
pub(super) struct Clock {
    /// Up to where time was believed.
    furthest: Timestamp,
    held: Vec<Sample>,
    left_out: usize,
    /// Pictures, and pieces of sound, in a row that lie far back.
    back: [usize; 2],
}

impl Clock {
    /// Microseconds ahead of everything from which a sample is held.
    const AHEAD: i64 = 10_000_000;
    /// Microseconds that a held sample may lie before the one held before it: streams are not pushed in order of time.
    const BACK: i64 = 1_000_000;
    /// So many in a row, with none in between that goes on as before, are no accident.
    const CONFIRMED: usize = 5;

    /// What can be taken in now that this sample came: it, nothing while a jump waits to be confirmed, or all that was held.
    pub(super) fn admit(&mut self, sample: Sample) -> Vec<Sample> {
        let Some((at, end)) = times(&sample) else {
            return vec![sample];
        };
        if at.since(self.furthest) <= Self::AHEAD {
            self.drop_held();
            self.furthest = self.furthest.max(end);
            return vec![sample];
        }
        if self.held.last().and_then(times).is_some_and(|(before, _)| before.since(at) > Self::BACK) {
            self.drop_held();
        }
        self.held.push(sample);
        if self.held.len() < Self::CONFIRMED {
            return Vec::new();
        }
        self.furthest = self.held.iter().filter_map(times).map(|(_, end)| end).fold(self.furthest, Timestamp::max);
        std::mem::take(&mut self.held)
    }

    /// When a picture or sound is, if it is the one that shows that its stream's clock began again; to be asked once of each.
    pub(super) fn fell_back(&mut self, sample: &Sample) -> Option<Timestamp> {
        let (at, end) = times(sample)?;
        let back = &mut self.back[usize::from(matches!(sample, Sample::Audio(_)))];
        *back = if self.furthest.since(end) > Self::AHEAD { *back + 1 } else { 0 };
        (*back == Self::CONFIRMED).then_some(at)
    }

    /// Samples that were left out, with those still held.
    pub(super) fn left_out(&self) -> usize {
        self.left_out + self.held.len()
    }

    fn drop_held(&mut self) {
        self.left_out += self.held.len();
        self.held.clear();
    }
}

/// From when to when a picture or sound is; words come when they were recognised, and have no say.
fn times(sample: &Sample) -> Option<(Timestamp, Timestamp)> {
    match sample {
        Sample::Video(frame) => Some((frame.at, frame.at)),
        Sample::Audio(chunk) => Some((chunk.at, chunk.at.plus(time_of(chunk.samples.len() as i64).0))),
        Sample::Text(_) => None,
    }
}
