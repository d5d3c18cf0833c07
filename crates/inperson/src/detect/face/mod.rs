//! Is this a camera picture of the candidate's own face?
//!
//! The network `warp` compares the face with its own hair, neck and background on about five looks a second, so that camera and
//! encoder cancel. Its logits are averaged over the interview, drawn towards zero while looks are few, and calibrated
//! on whole clips.

use std::collections::BTreeMap;

use super::looks::{Gate, Reader, Worst, candidates};
use super::{Detector, DetectorInfo, Whole, Window};
use crate::calibrate::Calibration;
use crate::error::Result;
use crate::evidence::{Evidence, Finding, Question, Reason};

/// Looks that a judgement needs, and after which their mean counts by half.
const LEAST: u32 = 5;
const FEW: f64 = 2.0;

const INFO: DetectorInfo = DetectorInfo {
    name: "face",
    question: Question::Face,
    summary: "whether the candidate's face is a camera's picture, or swapped, reenacted, re-lipped or generated",
};

/// The check `face`.
#[derive(Debug)]
pub struct Face {
    reader: Reader,
    calibration: Calibration,
    faces: BTreeMap<u32, Seen>,
}

/// What was seen of one face.
#[derive(Debug, Default)]
struct Seen {
    gate: Gate,
    sum: f64,
    worst: Worst,
}

impl Seen {
    /// The mean logit, by half after [`FEW`] looks.
    fn raw(&self) -> f64 {
        self.sum / (f64::from(self.gate.used()) + FEW)
    }
}

impl Face {
    pub(crate) fn new(reader: Reader) -> Self {
        Self { calibration: reader.calibrations()[0], reader, faces: BTreeMap::new() }
    }
}

impl Detector for Face {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, _out: &mut Vec<Evidence>) -> Result<()> {
        for face in candidates(window) {
            let seen = self.faces.entry(face.track).or_default();
            if seen.gate.admits(face)
                && let Some(look) = self.reader.look(face)?
            {
                seen.sum += f64::from(look.logit);
                seen.worst.add(f64::from(look.logit), &look);
            }
        }
        Ok(())
    }

    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        let nothing = Seen::default();
        let candidate = whole.tracks.candidate;
        let seen = candidate.and_then(|c| self.faces.get(&c)).unwrap_or(&nothing);
        let raw = seen.raw();
        let finding =
            if seen.gate.used() >= LEAST { self.calibration.finding(raw) } else { seen.gate.abstention(candidate) };
        let message = match finding {
            Finding::Score { llr, .. } if llr > 0.5 => "the face looks more like a manipulated or generated one",
            Finding::Score { llr, .. } if llr < -0.5 => "the face looks more like a camera's picture",
            Finding::Score { .. } => "the face says little either way",
            Finding::Abstain { reason: Reason::OutOfRange } => "the face lies outside what the check was calibrated on",
            Finding::Abstain { reason: Reason::NotProven } => {
                "this reading of faces is for study and carries no weight"
            }
            Finding::Abstain { reason: Reason::NoFace } => "no face was followed",
            Finding::Abstain { .. } | Finding::Note => "the face was not seen well enough to judge it",
        };
        let mut found = Evidence::new("face.manipulated", Question::Face, whole.span, finding, message)
            .fact("raw", raw)
            .fact("looks", f64::from(seen.gate.used()))
            .fact("looks_refused_share", seen.gate.refused_share());
        found.subject = candidate;
        let suspicious = found.llr().is_some_and(|llr| llr > 0.5);
        out.push(found);
        if suspicious {
            let message = "look here: the face looks least like a camera's picture";
            out.extend(seen.worst.notes("face.moment", message, candidate));
        }
    }

    fn judged_s(&self) -> f64 {
        if !self.calibration.tells() {
            return 0.0;
        }
        self.faces.values().map(|s| s.gate.seconds()).fold(0.0, f64::max)
    }
}
