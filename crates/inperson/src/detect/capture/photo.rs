//! A photograph held up or moved about: the face moves as a plane moves, and the mouth does not move in it.

use super::{Whole, Window, evidence, score};
use crate::dsp::histogram::Histogram;
use crate::evidence::Evidence;
use crate::track::MASKED;

/// Pairs of looks under speech that are needed: four seconds.
const LEAST: u32 = 20;
/// Smallest face, and furthest turn, that is judged.
const LEAST_IOD: f32 = 30.0;
const MOST_YAW: f32 = 35.0;

/// Logarithm of the mouth's movement under which, nine tenths of the time and more, no mouth speaks: of 44 genuine talkers
/// the lowest is -0.4, of 16 stills turned and moved about the highest is -1.6. Somebody who only listens looks alike.
const STILL: f64 = -1.0;
const LLR: f64 = 2.0;

#[derive(Debug)]
pub(super) struct Photo {
    candidate: Option<u32>,
    /// Logarithms of what moved in the mouth.
    mouth: Histogram<60>,
    /// Sum of the chances of a covered mouth.
    covered: f32,
}

impl Photo {
    pub(super) fn observe(&mut self, window: &Window<'_>) {
        if window.tracks.candidate != self.candidate {
            *self = Self { candidate: window.tracks.candidate, ..Self::default() };
        }
        let Some(id) = self.candidate else { return };
        for face in window.faces.iter().filter(|f| f.track == id) {
            let Some(motion) = face.motion else { continue };
            let spoken = window.speech.iter().any(|s| s.contains(face.at) && !window.another(*s));
            let q = &face.quality;
            if !spoken || q.interocular_px < LEAST_IOD || q.yaw.abs() > MOST_YAW {
                continue;
            }
            self.covered += q.occlusion;
            self.mouth.add(f64::from(motion.mouth.max(1e-3)).ln());
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        if self.mouth.total() < LEAST || self.covered > MASKED * self.mouth.total() as f32 {
            return;
        }
        // somebody who listens nine tenths of the time still speaks in one
        let most = self.mouth.quantile(0.9);
        tracing::debug!(
            most,
            middle = self.mouth.quantile(0.5),
            pairs = self.mouth.total(),
            "mouth against a photograph's"
        );
        if most > STILL {
            return;
        }
        let message =
            "the mouth does not move while somebody speaks, as in a photograph; somebody who only listens looks alike";
        let mut found = evidence("capture.photo", whole.span, score(most, LLR), message)
            .fact("mouth_moved", most.exp())
            .fact("looks", f64::from(self.mouth.total()));
        found.subject = self.candidate;
        out.push(found);
    }
}

impl Default for Photo {
    fn default() -> Self {
        Self { candidate: None, mouth: Histogram::new(-4.0, 0.1), covered: 0.0 }
    }
}
