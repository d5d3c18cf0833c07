//! Was a region of the face inserted, warped or blended?
//!
//! The network `warp` draws, on every look at the candidate's face with what is around it, where the picture was changed. Real
//! changes stay in their place of the face while accidents of coding move about, so the maps are averaged over the
//! interview before they are read. Trained on faces blended with themselves and with others (Shiohara & Yamasaki 2022; Li
//! et al. 2020) and on other people's swaps beside their originals.

use std::collections::BTreeMap;

use super::looks::{Gate, Look, MAP, Reader, Worst, candidates};
use super::{Detector, DetectorInfo, Whole, Window};
use crate::calibrate::Calibration;
use crate::error::Result;
use crate::evidence::{Evidence, Finding, Question, Reason};

/// Looks that a judgement needs, and after which their mean counts by half.
const LEAST: u32 = 5;
const FEW: f64 = 2.0;
/// Cells of the averaged map that are read: the highest twentieth.
const HIGHEST: usize = MAP * MAP / 20;
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
    map: Vec<f64>,
    worst: Worst,
}

impl Default for Sum {
    fn default() -> Self {
        Self { gate: Gate::default(), map: vec![0.0; MAP * MAP], worst: Worst::default() }
    }
}

impl Sum {
    fn add(&mut self, look: &Look) {
        self.map.iter_mut().zip(look.map.iter()).for_each(|(s, &v)| *s += f64::from(v));
        self.worst.add(highest(look.map.iter().map(|&v| f64::from(v))), look);
    }

    fn mean(&self) -> Vec<f64> {
        let n = f64::from(self.gate.used().max(1));
        self.map.iter().map(|s| s / n).collect()
    }

    /// Log odds of the highest part of the averaged map, drawn towards those of an empty one while looks are few.
    fn raw(&self) -> f64 {
        let n = f64::from(self.gate.used());
        highest(self.mean().into_iter()) * n / (n + FEW)
    }
}

/// Log of the mean of the highest chances, over a chance of a tenth.
fn highest(map: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = map.collect();
    all.sort_by(|a, b| b.total_cmp(a));
    let n = HIGHEST.min(all.len()).max(1);
    ((all.iter().take(n).sum::<f64>() / n as f64 + 0.01) / 0.11).ln()
}

impl Warp {
    pub(crate) fn new(reader: Reader) -> Self {
        Self { calibration: reader.calibrations()[1], reader, faces: BTreeMap::new() }
    }

    fn candidate(&self, whole: Option<u32>) -> Option<&Sum> {
        self.faces.get(&whole?)
    }
}

impl Detector for Warp {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, _out: &mut Vec<Evidence>) -> Result<()> {
        for face in candidates(window) {
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
        let sum = self.candidate(whole.tracks.candidate).unwrap_or(&nothing);
        let raw = sum.raw();
        let finding = if sum.gate.used() >= LEAST {
            self.calibration.finding(raw)
        } else {
            let none = whole.tracks.candidate.is_none();
            Finding::Abstain { reason: if none { Reason::NoFace } else { sum.gate.reason() } }
        };
        let message = match finding {
            Finding::Score { llr, .. } if llr > 0.5 => {
                "the face does not sit in its surroundings as a camera's picture does"
            }
            Finding::Score { llr, .. } if llr < -0.5 => "the face sits in its surroundings as a camera's picture does",
            Finding::Score { .. } => "the border of the face says little either way",
            Finding::Abstain { reason: Reason::OutOfRange } => "the face lies outside what the check was calibrated on",
            Finding::Abstain { .. } | Finding::Note => {
                "the face was not seen well enough to judge how it sits in the picture"
            }
        };
        let mut found = Evidence::new("warp.inserted", Question::Face, whole.span, finding, message)
            .fact("raw", raw)
            .fact("looks", f64::from(sum.gate.used()))
            .fact("looks_refused_share", sum.gate.refused_share());
        found.subject = whole.tracks.candidate;
        let suspicious = found.llr().is_some_and(|llr| llr > 0.5);
        if suspicious {
            for (name, value) in told(&sum.mean()) {
                found = found.fact(name, value);
            }
        }
        out.push(found);
        if suspicious {
            let message = "look here: this part of the picture differs most from what is around it";
            out.extend(sum.worst.notes("warp.region", message, whole.tracks.candidate));
        }
    }

    fn judged_s(&self) -> f64 {
        self.faces.values().map(|s| s.gate.seconds()).fold(0.0, f64::max)
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
    use super::*;
    use crate::dsp::geometry::Affine;
    use crate::time::Timestamp;

    #[test]
    fn a_change_that_stays_counts_and_accidents_that_move_do_not() {
        let (mut stays, mut moves) = (Sum::default(), Sum::default());
        for k in 0..40 {
            let at = |first: usize| {
                let mut map = vec![0.01f32; MAP * MAP];
                map[first..first + HIGHEST].fill(0.9);
                Look { at: Timestamp(k * 200_000), logit: 0.0, map: map.into(), to_share: Affine::default() }
            };
            stays.add(&at(800));
            moves.add(&at(k as usize * (MAP * MAP - HIGHEST) / 40));
        }
        let read = |s: &Sum| highest(s.map.iter().map(|v| v / 40.0));
        assert!(read(&stays) > 1.5 && read(&moves) < read(&stays) - 1.0, "{} {}", read(&stays), read(&moves));
    }

    #[test]
    fn coarse_bands_lie_where_the_map_is_high() {
        let mut map = vec![0.0; MAP * MAP];
        map[(MAP / 5) * MAP + 2 * MAP / 5] = 64.0;
        let told = told(&map);
        assert_eq!(told.iter().filter(|(_, v)| *v > 0.0).collect::<Vec<_>>(), [&("map_12".to_owned(), 1.0)]);
    }
}
