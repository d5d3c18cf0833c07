//! A photograph held up or moved about: the face moves as a plane moves, and neither lids nor lips move in it.

use std::collections::VecDeque;

use super::{Whole, Window, evidence, score};
use crate::evidence::Evidence;
use crate::time::Timestamp;
use crate::track::FaceObservation;

/// Looks over which movement is compared: a second.
const BACK: usize = 5;
/// Looks at the candidate's face, and seconds of speech, that are needed.
const LEAST_LOOKS: u32 = 40;
const LEAST_SPEECH_S: f64 = 5.0;
/// Smallest face, and furthest turn, that is judged.
const LEAST_IOD: f32 = 30.0;
const MOST_YAW: f32 = 35.0;
/// What is left of the mesh's movement after an affine fit, over the interocular distance, times the mean step of the
/// mouth opening under speech. Of 107 genuine talkers the lowest is 3.8e-5; of nine stills that were turned and moved
/// five lie under this bound.
const STILL: f64 = 3.0e-5;
/// With five in nine against fewer than one in a hundred, and the bound set on the same clips: no more than this.
const LLR: f64 = 1.5;

#[derive(Debug, Default)]
pub(super) struct Photo {
    candidate: Option<u32>,
    ring: VecDeque<FaceObservation>,
    looks: u32,
    residual: f64,
    residuals: u32,
    mouth: f64,
    steps: u32,
    lids: [f64; 2],
    speech_s: f64,
    last: Option<(Timestamp, f32)>,
}

impl Photo {
    pub(super) fn observe(&mut self, window: &Window<'_>) {
        if window.tracks.candidate != self.candidate {
            *self = Self { candidate: window.tracks.candidate, ..Self::default() };
        }
        let Some(id) = self.candidate else { return };
        let mut seen = false;
        for face in window.faces.iter().filter(|f| f.track == id && !f.mesh.is_empty()) {
            if face.quality.interocular_px < LEAST_IOD || face.quality.yaw.abs() > MOST_YAW {
                continue;
            }
            seen = true;
            self.looks += 1;
            let lid = f64::from(0.5 * (face.eyes_open[0] + face.eyes_open[1]));
            self.lids[0] += lid;
            self.lids[1] += lid * lid;
            let speaking = window.speech.iter().any(|s| s.contains(face.at));
            if let Some((at, open)) = self.last.replace((face.at, face.mouth_open))
                && speaking
                && face.at.since(at) < 500_000
            {
                self.mouth += f64::from((face.mouth_open - open).abs());
                self.steps += 1;
            }
            self.ring.push_back(face.clone());
            if self.ring.len() > BACK
                && let Some(old) = self.ring.pop_front()
                && let Some(left) = beyond_affine(&old.mesh, &face.mesh)
            {
                self.residual += f64::from(left / face.quality.interocular_px);
                self.residuals += 1;
            }
        }
        if seen {
            self.speech_s += window.speech.iter().map(|s| s.seconds()).sum::<f64>();
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        if self.looks < LEAST_LOOKS || self.speech_s < LEAST_SPEECH_S || self.residuals == 0 || self.steps == 0 {
            return;
        }
        let n = f64::from(self.looks);
        let residual = self.residual / f64::from(self.residuals);
        let step = self.mouth / f64::from(self.steps);
        let spread = (self.lids[1] / n - (self.lids[0] / n).powi(2)).max(0.0).sqrt();
        tracing::debug!(residual, step, spread, "candidate's face against a photograph");
        if residual * step > STILL {
            return;
        }
        let message = "the face moves like a flat picture: no lids, no lips, no depth, while somebody speaks";
        let mut found = evidence("capture.photo", whole.span, score(residual * step, LLR), message)
            .fact("residual_interocular", residual)
            .fact("mouth_step", step)
            .fact("lid_spread", spread);
        found.subject = self.candidate;
        out.push(found);
    }
}

/// Root mean square of what an affine map from `old` to `new` leaves, in pixels.
fn beyond_affine(old: &[[f32; 2]], new: &[[f32; 2]]) -> Option<f32> {
    let n = old.len().min(new.len()) as f64;
    if n < 8.0 {
        return None;
    }
    let mean =
        |p: &[[f32; 2]]| p.iter().fold([0.0; 2], |s, v| [s[0] + f64::from(v[0]) / n, s[1] + f64::from(v[1]) / n]);
    let (mo, mn) = (mean(old), mean(new));
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    let mut cross = [[0.0; 2]; 2];
    let mut spread = 0.0;
    for (o, w) in old.iter().zip(new) {
        let (x, y) = (f64::from(o[0]) - mo[0], f64::from(o[1]) - mo[1]);
        let to = [f64::from(w[0]) - mn[0], f64::from(w[1]) - mn[1]];
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        for (c, t) in cross.iter_mut().zip(to) {
            c[0] += t * x;
            c[1] += t * y;
            spread += t * t;
        }
    }
    let det = xx * yy - xy * xy;
    if det <= f64::EPSILON {
        return None;
    }
    // least squares: what the fit explains is c' A^-1 c
    let explained: f64 = cross.iter().map(|[a, b]| (a * a * yy - 2.0 * a * b * xy + b * b * xx) / det).sum();
    Some(((spread - explained).max(0.0) / n).sqrt() as f32)
}
