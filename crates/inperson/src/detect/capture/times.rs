//! Frame times: what a camera's jitter, an encoder's clock and a network's gaps leave. Notes: most recordings were
//! re-timed by honest software.

use super::{Whole, Window, evidence};
use crate::evidence::{Evidence, Finding};
use crate::time::Timestamp;

/// Histogram of intervals in milliseconds; the last bin holds everything longer.
const BINS: usize = 512;
/// Gap that a camera in use does not leave, milliseconds.
const GAP_MS: usize = 400;
const LEAST_FRAMES: u32 = 50;

#[derive(Debug)]
pub(super) struct Times {
    last: Option<Timestamp>,
    histogram: [u32; BINS],
    count: u32,
}

impl Default for Times {
    fn default() -> Self {
        Self { last: None, histogram: [0; BINS], count: 0 }
    }
}

impl Times {
    pub(super) fn observe(&mut self, window: &Window<'_>) {
        for frame in window.frames {
            if let Some(last) = self.last.replace(frame.at) {
                let ms = usize::try_from((frame.at.since(last) + 500) / 1000).unwrap_or_default();
                self.histogram[ms.min(BINS - 1)] += 1;
                self.count += 1;
            }
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        if self.count < LEAST_FRAMES {
            return;
        }
        let median = self.quantile(0.5);
        let within = |ms: usize| ms.abs_diff(median) <= 1;
        let regular: u32 = self.histogram.iter().enumerate().filter(|(ms, _)| within(*ms)).map(|(_, n)| n).sum();
        let gaps: u32 = self.histogram[GAP_MS..].iter().sum();
        let share = f64::from(regular) / f64::from(self.count);
        let spread = (self.quantile(0.95) - self.quantile(0.05)) as f64;
        let (code, message) = if share > 0.999 {
            (
                "capture.times_regular",
                "frame times are perfectly even: the recording was re-timed by an encoder, or made by one",
            )
        } else if gaps > 0 || spread > median as f64 {
            ("capture.times_irregular", "frame times are uneven: frames were lost or sent late")
        } else {
            return;
        };
        let found = evidence(code, whole.span, Finding::Note, message);
        out.push(found.fact("median_ms", median as f64).fact("spread_ms", spread).fact("gaps", f64::from(gaps)));
    }

    fn quantile(&self, q: f64) -> usize {
        let want = q * f64::from(self.count);
        let mut sum = 0.0;
        self.histogram
            .iter()
            .position(|&n| {
                sum += f64::from(n);
                sum >= want
            })
            .unwrap_or(BINS - 1)
    }
}
