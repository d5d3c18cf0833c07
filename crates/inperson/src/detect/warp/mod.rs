//! Was a region of the face inserted, warped or blended?
//!
//! The network `warp` draws, on every look at the candidate's face with what is around it, where the border of a change lies. A border
//! is local: it needs no other camera to compare with, which whole faces do. Borders inside the face are averaged over
//! the interview. Trained on faces blended with themselves and with others (Shiohara & Yamasaki 2022; Li et al. 2020) and
//! on other people's swaps beside their originals.

use std::collections::BTreeMap;

use super::looks::{Gate, Look, MAP, Reader, Worst, candidates};
use super::{Detector, DetectorInfo, Whole, Window};
use crate::calibrate::Calibration;
use crate::error::Result;
use crate::evidence::{Evidence, Finding, Question, Reason};

/// Looks that a judgement needs, and after which their mean counts by half.
const LEAST: u32 = 5;
const FEW: f64 = 2.0;
/// Bands of the averaged map, across and down, that are told as facts.
const BANDS: usize = 5;

const INFO: DetectorInfo = DetectorInfo {
    name: "warp",
    question: Question::Face,
    summary: "whether a region of the candidate's face was inserted, warped or blended, and where",
};

/// The check `warp`.
#[derive(Debug)]
pub struct Warp {
    reader: Reader,
    calibration: Calibration,
    faces: BTreeMap<u32, Sum>,
}

/// What was seen of one face.
#[derive(Debug)]
struct Sum {
    gate: Gate,
    seams: f64,
    border: Vec<f64>,
    worst: Worst,
}

impl Default for Sum {
    fn default() -> Self {
        Self { gate: Gate::default(), seams: 0.0, border: vec![0.0; MAP * MAP], worst: Worst::default() }
    }
}

impl Sum {
    fn add(&mut self, look: &Look) {
        let seams = look.seams();
        self.seams += seams;
        self.border.iter_mut().zip(look.border.iter()).for_each(|(s, &v)| *s += f64::from(v));
        self.worst.add(seams, look);
    }

    /// Log of the mean chance of a border over a chance of a ninth, by half after [`FEW`] looks.
    fn raw(&self, looks: u32) -> f64 {
        let n = f64::from(looks);
        ((self.seams / n.max(1.0) + 0.01) / 0.12).ln() * n / (n + FEW)
    }

    fn mean(&self) -> Vec<f64> {
        let n = f64::from(self.gate.used().max(1));
        self.border.iter().map(|s| s / n).collect()
    }
}

impl Warp {
    pub(crate) fn new(reader: Reader) -> Self {
        Self { calibration: reader.calibration(), reader, faces: BTreeMap::new() }
    }
}

impl Detector for Warp {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, _out: &mut Vec<Evidence>) -> Result<()> {
        for face in candidates(window.faces, window.tracks) {
            let sum = self.faces.entry(face.track).or_default();
            if sum.gate.admits(face)
                && let Some(look) = self.reader.look(face)?
            {
                sum.add(&look);
            }
        }
        Ok(())
    }

    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        let nothing = Sum::default();
        let candidate = whole.tracks.candidate;
        let sum = candidate.and_then(|c| self.faces.get(&c)).unwrap_or(&nothing);
        let looks = sum.gate.used();
        let raw = sum.raw(looks);
        let finding = if looks >= LEAST { self.calibration.finding(raw) } else { sum.gate.abstention(candidate) };
        let message = match finding {
            Finding::Score { llr, .. } if llr > 0.5 => {
                "there are seams in the face, as where a picture was inserted or blended"
            }
            Finding::Score { llr, .. } if llr < -0.5 => "no seams were seen in the face",
            Finding::Score { .. } => "seams in the face say little either way",
            Finding::Abstain { reason: Reason::OutOfRange } => "the face lies outside what the check was calibrated on",
            Finding::Abstain { reason: Reason::NotProven } => {
                "this reading of faces is for study and carries no weight"
            }
            Finding::Abstain { reason: Reason::NoFace } => "no face was followed",
            Finding::Abstain { .. } | Finding::Note => "the face was not seen well enough to look for seams in it",
        };
        let mut found = Evidence::new("warp.inserted", Question::Face, whole.span, finding, message)
            .fact("raw", raw)
            .fact("looks", f64::from(looks))
            .fact("looks_refused_share", sum.gate.refused_share());
        found.subject = candidate;
        // named for study too, where the calibration gives it no weight
        let seen = looks >= LEAST && (!self.calibration.tells() || found.llr().is_some_and(|llr| llr > 0.5));
        if seen {
            for (name, value) in told(&sum.mean()) {
                found = found.fact(name, value);
            }
        }
        out.push(found);
        if seen {
            let message = "look here: this part of the picture differs most from what is around it";
            out.extend(sum.worst.notes("warp.region", message, candidate));
        }
    }

    fn judged_s(&self, candidate: Option<u32>) -> f64 {
        if !self.calibration.tells() {
            return 0.0;
        }
        candidate.and_then(|c| self.faces.get(&c)).map_or(0.0, |s| s.gate.seconds())
    }
}

/// The averaged map in coarse bands, named by row and column from the top left of the crop.
fn told(map: &[f64]) -> Vec<(String, f64)> {
    let step = MAP / BANDS;
    let mean = |row: usize, column: usize| {
        let cells = (0..step * step).map(|k| map[(row * step + k / step) * MAP + column * step + k % step]);
        cells.sum::<f64>() / (step * step) as f64
    };
    let place = |i: usize| (i / BANDS, i % BANDS);
    (0..BANDS * BANDS).map(place).map(|(r, c)| (format!("map_{r}{c}"), mean(r, c))).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dsp::geometry::Affine;
    use crate::time::Timestamp;

    fn look(cells: impl Iterator<Item = usize>) -> Look {
        let mut map = vec![0.0f32; MAP * MAP];
        cells.for_each(|i| map[i] = 0.9);
        let border: Arc<[f32]> = map.into();
        Look { at: Timestamp::ZERO, logit: 0.0, region: border.clone(), border, to_share: Affine::default() }
    }

    fn raw(look: &Look) -> f64 {
        let mut sum = Sum::default();
        (0..40).for_each(|_| sum.add(look));
        sum.raw(40)
    }

    #[test]
    fn borders_count_inside_the_face_only_and_more_looks_say_more() {
        let middle = look((15..25).flat_map(|y| (15..25).map(move |x| y * MAP + x)));
        let around = look((0..5).flat_map(|y| (0..MAP).map(move |x| y * MAP + x)));
        assert!(raw(&middle) > 0.5 && raw(&around) < -2.0, "{} {}", raw(&middle), raw(&around));
        let mut few = Sum::default();
        few.add(&middle);
        assert!(few.raw(1) > 0.0 && few.raw(1) < 0.5 * raw(&middle));
    }

    #[test]
    fn coarse_bands_lie_where_the_map_is_high() {
        let mut map = vec![0.0; MAP * MAP];
        map[(MAP / 5) * MAP + 2 * MAP / 5] = 64.0;
        let told = told(&map);
        assert_eq!(told.iter().filter(|(_, v)| *v > 0.0).collect::<Vec<_>>(), [&("map_12".to_owned(), 1.0)]);
    }
}
