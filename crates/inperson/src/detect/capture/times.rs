//! Frame times: what a camera's jitter, an encoder's clock and a network's gaps leave. Notes: most recordings were
//! re-timed by honest software.

use super::{MOST_NAMED, Whole, Window, evidence, more};
use crate::dsp::histogram::Histogram;
use crate::evidence::{Evidence, Finding};
use crate::time::{Span, Timestamp};

/// Gap that a camera in use does not leave, milliseconds.
const GAP_MS: f64 = 400.0;
const LEAST_FRAMES: u32 = 50;

#[derive(Debug)]
pub(super) struct Times {
    last: Option<Timestamp>,
    /// Intervals in milliseconds; everything longer counts as the longest.
    intervals: Histogram<512>,
    gaps: usize,
}

impl Default for Times {
    fn default() -> Self {
        Self { last: None, intervals: Histogram::new(0.0, 1.0), gaps: 0 }
    }
}

impl Times {
    pub(super) fn observe(&mut self, window: &Window<'_>, out: &mut Vec<Evidence>) {
        for frame in window.frames {
            let Some(last) = self.last.replace(frame.at) else { continue };
            let ms = (frame.at.since(last) as f64 / 1e3).round();
            self.intervals.add(ms);
            if ms >= GAP_MS {
                self.gaps += 1;
                let message = "no picture came here for a while";
                let found = evidence("capture.gap", Span::new(last, frame.at), Finding::Note, message);
                out.extend((self.gaps <= MOST_NAMED).then(|| found.fact("gap_ms", ms)));
            }
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        out.extend(more("capture.gaps", whole, self.gaps, "the picture stops more often than is named one by one"));
        let intervals = &self.intervals;
        if intervals.total() < LEAST_FRAMES {
            return;
        }
        let median = intervals.quantile(0.5);
        let regular = f64::from(intervals.between(median - 1.0, median + 1.0)) / f64::from(intervals.total());
        let gaps = f64::from(intervals.between(GAP_MS, f64::MAX));
        let spread = intervals.quantile(0.95) - intervals.quantile(0.05);
        let (code, message) = if regular > 0.999 {
            (
                "capture.times_regular",
                "frame times are perfectly even: the recording was re-timed by an encoder, or made by one",
            )
        } else if gaps > 0.0 || spread > median {
            ("capture.times_irregular", "frame times are uneven: frames were lost or sent late")
        } else {
            return;
        };
        let found = evidence(code, whole.span, Finding::Note, message);
        out.push(found.fact("median_ms", median).fact("spread_ms", spread).fact("gaps", gaps));
    }
}
