//! Do device and path look like a camera and a microphone in use?

use super::{Detector, DetectorInfo, Whole, Window};
use crate::evidence::{Evidence, Question};

/// The check `capture`.
#[derive(Debug, Default)]
pub struct Capture {
    judged_s: f64,
}

const INFO: DetectorInfo = DetectorInfo {
    name: "capture",
    question: Question::Capture,
    summary: "frames, times, sound and container against what a camera and a microphone give",
};

impl Detector for Capture {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, _out: &mut Vec<Evidence>) -> crate::Result<()> {
        self.judged_s += window.span.seconds();
        Ok(())
    }

    fn conclude(&self, _whole: &Whole<'_>, _out: &mut Vec<Evidence>) {}

    fn judged_s(&self) -> f64 {
        self.judged_s
    }
}
