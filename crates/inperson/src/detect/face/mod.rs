//! Is this a camera picture of the candidate's own face?
//!
//! The model `face` reads takes: runs of successive frames of the face with its hair, neck and background, a few in an interview, and a few
//! frames half a second away. It sees how texture differs from zone to zone of the face and its surroundings, in single frames, from one to
//! the next (Portilla & Simoncelli 2000 describe textures so; Lucas & Kanade 1981 the flow that is taken out first) and over that half second,
//! so that camera and encoder, which all zones share, cancel. Its scores are averaged, drawn towards zero while takes are few, and calibrated
//! on whole clips of sources left out. Weak evidence: it moves a verdict together with others, and flags nobody by itself.

mod others;
mod take;

use std::collections::BTreeMap;

use super::{Detector, DetectorInfo, Whole, Window};
use crate::calibrate::Calibration;
use crate::detect::looks::{Gate, candidates};
use crate::error::Result;
use crate::evidence::{Evidence, Finding, Question, Reason};
use crate::model::Model;
use take::{Filling, Judged};

/// The model's id.
pub(crate) const MODEL: &str = "face";
/// Takes that a judgement needs, and the number of takes at which their mean counts by half.
const LEAST: usize = 1;
const FEW: f64 = 0.5;
/// Share of the statistics beyond what the model knows from which it is not believed: no clip of a source left out had more.
const UNKNOWN: f64 = 0.13;
/// A take stands for the time since the last one, for so many seconds at most.
const STANDS_S: f64 = 30.0;
/// Most takes that are named.
const NAMED: usize = 3;

const INFO: DetectorInfo = DetectorInfo {
    name: "face",
    question: Question::Face,
    summary: "whether the candidate's face is a camera's picture, or swapped, reenacted, re-lipped or generated",
};

/// The check `face`.
#[derive(Debug)]
pub struct Face {
    model: Model,
    calibration: Calibration,
    faces: BTreeMap<u32, Seen>,
}

/// What was seen of one face.
#[derive(Debug, Default)]
struct Seen {
    gate: Gate,
    filling: Filling,
    judged: Vec<Judged>,
}

impl Seen {
    /// The mean score, by half after [`FEW`] takes.
    fn raw(&self) -> f64 {
        let sum: f64 = self.judged.iter().map(|t| f64::from(t.score)).sum();
        sum / (self.judged.len() as f64 + FEW)
    }

    /// Mean share of statistics beyond what the model knows.
    fn outside(&self) -> f64 {
        self.judged.iter().map(|t| f64::from(t.outside)).sum::<f64>() / self.judged.len().max(1) as f64
    }

    /// Seconds of the interview that its takes stand for.
    fn seconds(&self) -> f64 {
        let ends = || self.judged.iter().map(|t| t.span.end.seconds());
        std::iter::once(0.0).chain(ends()).zip(ends()).map(|(from, to)| (to - from).clamp(0.0, STANDS_S)).sum()
    }
}

impl Face {
    pub(crate) fn new(model: Model, calibration: Calibration) -> Self {
        Self { model, calibration, faces: BTreeMap::new() }
    }
}

impl Detector for Face {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, _out: &mut Vec<Evidence>) -> Result<()> {
        for face in candidates(window.burst, window.tracks) {
            let seen = self.faces.entry(face.track).or_default();
            if let Some(take) = seen.filling.add(face, &mut seen.gate) {
                seen.judged.push(take.judge(&self.model)?);
            }
        }
        Ok(())
    }

    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        let nothing = Seen::default();
        let candidate = whole.tracks.candidate;
        let seen = candidate.and_then(|c| self.faces.get(&c)).unwrap_or(&nothing);
        let (raw, outside) = (seen.raw(), seen.outside());
        let finding = match seen.judged.len() {
            0..LEAST => seen.gate.abstention(candidate),
            _ if outside > UNKNOWN => Finding::Abstain { reason: Reason::OutOfRange },
            _ => self.calibration.finding(raw),
        };
        let message = match finding {
            Finding::Score { llr, .. } if llr > 0.5 => {
                "the face's texture is more like that of manipulated or generated ones, which alone is weak evidence"
            }
            Finding::Score { llr, .. } if llr < -0.5 => "the face's texture is more like that of a camera's picture",
            Finding::Score { .. } => "the face's texture says little either way",
            Finding::Abstain { reason: Reason::OutOfRange } => "the face lies outside what the check was calibrated on",
            Finding::Abstain { reason: Reason::NoFace } => "no face was followed",
            Finding::Abstain { .. } | Finding::Note => "the face was not seen well enough to judge it",
        };
        let mut found = Evidence::new("face.manipulated", Question::Face, whole.span, finding, message)
            .fact("raw", raw)
            .fact("outside_share", outside)
            .fact("takes", seen.judged.len() as f64)
            .fact("takes_refused_share", seen.gate.refused_share());
        found.subject = candidate;
        let suspicious = found.llr().is_some_and(|llr| llr > 0.5);
        out.push(found);
        if suspicious {
            let mut worst: Vec<&Judged> = seen.judged.iter().filter(|t| t.score > 0.0).collect();
            worst.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.span.cmp(&b.span)));
            out.extend(worst.into_iter().take(NAMED).map(|t| t.note(candidate)));
        }
        others::conclude(whole, out);
    }

    fn judged_s(&self, candidate: Option<u32>) -> f64 {
        candidate.and_then(|c| self.faces.get(&c)).map_or(0.0, Seen::seconds)
    }
}
