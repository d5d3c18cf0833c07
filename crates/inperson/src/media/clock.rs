//! Repairs the time stamps of packets: resets and absurd jumps are closed with one shift for all streams, so that
//! picture and sound stay together.

/// A packet that lies further before the end of the one before it belongs to a clock that was reset, microseconds.
const BACKWARD: i64 = 1_000_000;
/// A jump ahead from which a container that is known for resets (broadcast streams) was reset.
const FORWARD_RESETTING: i64 = 10_000_000;
/// A jump ahead that no recording makes.
const FORWARD: i64 = 3_600_000_000;
/// Shifts that are remembered while one stream is past a jump and the other is not.
const REMEMBERED: usize = 4;

/// The clock that all streams of one container share.
#[derive(Debug)]
pub(super) struct Clock {
    forward: i64,
    /// Shifts in microseconds, the newest last.
    shifts: Vec<i64>,
    /// Per stream: end of the last packet after its shift, and the length of the last step.
    streams: [Option<(i64, i64)>; 2],
    /// Number of jumps that were closed.
    pub(super) jumps: u64,
    /// Where the first of them was, in repaired time.
    pub(super) first_jump: Option<i64>,
}

impl Clock {
    /// `resetting` says whether the container's clock may start again in the middle.
    pub(super) fn new(resetting: bool) -> Self {
        let forward = if resetting { FORWARD_RESETTING } else { FORWARD };
        Self { forward, shifts: vec![0], streams: [None; 2], jumps: 0, first_jump: None }
    }

    /// The shift for a packet of `stream` with this decoding time and duration, all in microseconds.
    pub(super) fn shift(&mut self, stream: usize, at: Option<i64>, duration: i64) -> i64 {
        let newest = self.shifts.last().copied().unwrap_or_default();
        let (Some(at), Some(held)) = (at, self.streams.get_mut(stream)) else { return newest };
        let Some((expected, step)) = *held else {
            *held = Some((at.saturating_add(newest).saturating_add(duration), duration));
            return newest;
        };
        let fits = |shift: i64| {
            let gap = at.saturating_add(shift).saturating_sub(expected);
            (-BACKWARD..=self.forward).contains(&gap)
        };
        let shift = self.shifts.iter().copied().find(|&s| s != newest && fits(s)).filter(|_| !fits(newest));
        let shift = shift.unwrap_or_else(|| {
            if fits(newest) {
                return newest;
            }
            let made = expected.saturating_sub(at);
            self.jumps += 1;
            self.first_jump.get_or_insert(expected);
            self.shifts.push(made);
            if self.shifts.len() > REMEMBERED {
                self.shifts.remove(0);
            }
            made
        });
        let step = if duration > 0 { duration } else { step };
        *held = Some((at.saturating_add(shift).saturating_add(step), step));
        shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: i64 = 40_000;

    fn run(clock: &mut Clock, packets: &[(usize, i64)]) -> Vec<i64> {
        packets.iter().map(|&(stream, at)| at + clock.shift(stream, Some(at), STEP)).collect()
    }

    #[test]
    fn steady_time_and_gaps_are_left_alone() {
        let mut clock = Clock::new(false);
        let packets = [(0, 0), (1, 5), (0, STEP), (0, 60_000_000), (1, 60_000_000)];
        assert_eq!(run(&mut clock, &packets), [0, 5, STEP, 60_000_000, 60_000_000]);
        assert_eq!(clock.jumps, 0);
    }

    #[test]
    fn a_reset_is_closed_once_for_both_streams() {
        let mut clock = Clock::new(true);
        let packets = [
            (0, 50_000_000),
            (1, 50_000_000),
            (0, 50_000_000 + STEP),
            (0, 0),
            (1, 50_000_000 + STEP),
            (1, 10),
            (0, STEP),
        ];
        let end = 50_000_000 + 2 * STEP;
        assert_eq!(
            run(&mut clock, &packets),
            [50_000_000, 50_000_000, 50_000_000 + STEP, end, 50_000_000 + STEP, end + 10, end + STEP]
        );
        assert_eq!((clock.jumps, clock.first_jump), (1, Some(end)));
    }

    #[test]
    fn missing_times_and_extremes_do_not_break_it() {
        let mut clock = Clock::new(false);
        assert_eq!(clock.shift(0, None, 0), 0);
        for at in [i64::MAX, i64::MIN, 0, i64::MAX - 1] {
            clock.shift(0, Some(at), i64::MAX);
        }
    }
}
