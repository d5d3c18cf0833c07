//! Takes: a few runs of successive frames in which faces are cut with what is around them, for what pictures show from frame
//! to frame. Each costs a check a fifth of a second of one core, so that they become rare as an interview goes on.

use crate::time::Timestamp;

/// Frames of a take: what is looked at in a row and what that is held against later, at up to 30 a second.
pub const TAKE: usize = 24;

/// Time from the start of a take to that of the next: three early ones within the first burst, then every third minute, then every fifth.
const APART: [i64; 3] = [1_600_000, 5_000_000, 7_000_000];
const LATER: [(i64, i64); 2] = [(600_000_000, 180_000_000), (i64::MAX, 300_000_000)];
/// A face has to be followed for so long before the first one.
const SETTLED: i64 = 300_000;

/// Which frames of a burst belong to a take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Takes {
    next: Timestamp,
    begun: usize,
    left: usize,
}

impl Default for Takes {
    fn default() -> Self {
        Self { next: Timestamp(SETTLED), begun: 0, left: 0 }
    }
}

impl Takes {
    /// Whether faces are cut in this frame of a burst; a take begins only where a face is `followed`.
    pub(super) fn now(&mut self, at: Timestamp, followed: bool) -> bool {
        if self.left == 0 && followed && at >= self.next {
            let later = LATER.iter().find(|(until, _)| at.0 < *until).map_or(i64::MAX, |(_, apart)| *apart);
            self.next = at.plus(APART.get(self.begun).copied().unwrap_or(later));
            self.begun += 1;
            self.left = TAKE;
        }
        let now = self.left > 0;
        self.left = self.left.saturating_sub(1);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::Bursts;

    fn starts(minutes: i64, followed: impl Fn(i64) -> bool) -> Vec<i64> {
        let (mut takes, mut last, mut before, mut out) = (Takes::default(), Timestamp(i64::MIN), 0, Vec::new());
        for k in 0..minutes * 60 * 25 {
            let at = Timestamp(k * 40_000);
            if Bursts::Sparse.now(at, last) {
                last = at;
                before = if takes.now(at, followed(at.0)) { before + 1 } else { 0 };
                if before == 1 {
                    out.push(at.0);
                }
                assert!(before <= TAKE);
            }
        }
        out
    }

    #[test]
    fn a_few_early_then_rare() {
        let all = starts(60, |_| true);
        assert_eq!(all[..4], [320_000, 1_920_000, 6_920_000, 13_920_000]);
        assert_eq!(all.iter().filter(|&&t| t < 600_000_000).count(), 6);
        assert!(all.len() < 20, "{}", all.len());
    }

    #[test]
    fn none_begins_without_a_face() {
        let late = starts(5, |t| t > 100_000_000);
        assert!(late[0] > 100_000_000 && late[1] - late[0] == APART[0], "{late:?}");
        assert!(starts(5, |_| false).is_empty());
    }
}
