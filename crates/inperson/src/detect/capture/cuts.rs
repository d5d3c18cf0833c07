//! Cuts in the picture: notes, since platforms switch views.

use super::{MOST_NAMED, Whole, Window, evidence, more};
use crate::evidence::{Evidence, Finding};
use crate::time::Span;
use crate::track::FrameFacts;

/// Mean change of the thumbnail, of 255, that no camera movement makes from one frame to the next.
const CUT: f64 = 28.0;
/// A gap in time longer than this explains a change by itself, microseconds.
const LONGEST_GAP: i64 = 500_000;

#[derive(Debug, Default)]
pub(super) struct Cuts {
    last: Option<FrameFacts>,
    count: usize,
}

impl Cuts {
    pub(super) fn observe(&mut self, window: &Window<'_>, out: &mut Vec<Evidence>) {
        for frame in window.frames {
            if let Some(last) = self.last.replace(frame.clone()) {
                let change = change(&last.luma, &frame.luma);
                if change > CUT && frame.at.since(last.at) <= LONGEST_GAP {
                    self.count += 1;
                    let span = Span::new(last.at, frame.at);
                    let found = evidence("capture.cut", span, Finding::Note, "the picture cuts to another one here");
                    out.extend((self.count <= MOST_NAMED).then(|| found.fact("mean_luma_change", change)));
                }
            }
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        let message = "the picture cuts more often than is named one by one";
        out.extend(more("capture.cuts", whole, self.count, message));
    }
}

fn change(a: &[u8], b: &[u8]) -> f64 {
    let sum: u64 = a.iter().zip(b).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f64 / a.len().max(1) as f64
}
