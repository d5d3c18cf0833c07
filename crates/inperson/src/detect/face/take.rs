//! Takes as they come in frame by frame, and what the model says of a whole one.

use std::sync::Arc;

use ndarray::Array4;

use super::MODEL;
use crate::detect::looks::Gate;
use crate::dsp::image::planar;
use crate::error::{Error, Result};
use crate::evidence::{Evidence, Finding, Question, Reason};
use crate::model::Model;
use crate::time::{Span, Timestamp};
use crate::track::{CONTEXT, FaceObservation, FaceQuality, TAKE};

/// Frames without a gap that are looked at, at least and at most.
const FRAMES: [usize; 2] = [10, 14];
/// Longest time between frames of one take, and the longest median of it that was calibrated: 20 frames a second. Microseconds.
const BROKEN: i64 = 400_000;
const SLOWEST: i64 = 50_000;

/// One frame of a take.
#[derive(Debug, Clone)]
struct Shot {
    at: Timestamp,
    rgb: Arc<[u8]>,
    share: [f32; 4],
    quality: FaceQuality,
}

/// The frames so far.
#[derive(Debug, Default)]
pub(super) struct Filling(Vec<Shot>);

/// Successive frames of a take, fit to be judged.
#[derive(Debug)]
pub(super) struct Take(Vec<Shot>);

/// What the model said of a take.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) span: Span,
    /// About -1 to 1, positive: not a camera's picture.
    pub(super) score: f32,
    /// Share of the statistics that lie beyond what the model knows, 0 to 1.
    pub(super) outside: f32,
    /// Left, top, width and height of the face as shares of the upright frame.
    region: [f32; 4],
}

impl Filling {
    /// Takes a frame in; gives the take that it completes, or tells the gate what is wrong with that.
    pub(super) fn add(&mut self, face: &FaceObservation, gate: &mut Gate) -> Option<Take> {
        let rgb = face.context.clone()?;
        if self.0.last().is_some_and(|last| face.at.since(last.at) > BROKEN) {
            // frames that never came
            gate.refuse(Reason::TooFewFrames);
            self.0.clear();
        }
        self.0.push(Shot { at: face.at, rgb, share: face.share, quality: face.quality });
        if self.0.len() < TAKE {
            return None;
        }
        let all = std::mem::take(&mut self.0);
        let mut steps: Vec<i64> = all.windows(2).map(|w| w[1].at.since(w[0].at)).collect();
        steps.sort_unstable();
        let step = steps[steps.len() / 2];
        let whole = |a: &Shot, b: &Shot| 5 * b.at.since(a.at) < 8 * step;
        let longest = all.chunk_by(whole).rev().max_by_key(|run| run.len()).unwrap_or_default();
        if longest.len() < FRAMES[0] || step > SLOWEST {
            gate.refuse(Reason::TooFewFrames);
            return None;
        }
        let shots = &longest[..longest.len().min(FRAMES[1])];
        gate.admits_all(shots.iter().map(|s| &s.quality)).then(|| Take(shots.to_vec()))
    }
}

impl Take {
    /// Runs the model.
    ///
    /// # Errors
    /// [`Error::Model`] when the graph fails or gives no finite score.
    pub(super) fn judge(self, model: &Model) -> Result<Judged> {
        // of its final size at once: megabytes that grow by doubling leave holes behind
        let mut chw = Vec::with_capacity(self.0.len() * 3 * CONTEXT * CONTEXT);
        chw.extend(self.0.iter().flat_map(|s| planar(&s.rgb)));
        let input = Array4::from_shape_vec((self.0.len(), 3, CONTEXT, CONTEXT), chw);
        let input = input.map_err(|e| Error::model(MODEL, e.to_string()))?;
        let out = model.run(&[input.view().into_dyn()])?;
        let number = |at: usize| out.get(at).and_then(|o| o.iter().next()).copied().unwrap_or(f32::NAN);
        let (score, outside) = (number(0), number(1));
        if !score.is_finite() || !outside.is_finite() {
            return Err(Error::model(MODEL, "gave no finite score"));
        }
        let (first, last) = (self.0[0].at, self.0[self.0.len() - 1].at);
        let [x0, y0, x1, y1] = self.0[self.0.len() / 2].share.map(|v| v.clamp(0.0, 1.0));
        Ok(Judged { span: Span::new(first, last.plus(1)), score, outside, region: [x0, y0, x1 - x0, y1 - y0] })
    }
}

impl Judged {
    /// Facts `x`, `y`, `w`, `h` are shares of the upright frame, `score` is the model's.
    pub(super) fn note(&self, subject: Option<u32>) -> Evidence {
        let message = "look here: the face's texture is least like that of a camera's picture";
        let mut found = Evidence::new("face.moment", Question::Face, self.span, Finding::Note, message);
        for (name, value) in ["x", "y", "w", "h"].into_iter().zip(self.region) {
            found = found.fact(name, f64::from(value));
        }
        found.subject = subject;
        found.fact("score", f64::from(self.score))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(at: i64, eyes: f32) -> FaceObservation {
        FaceObservation {
            track: 1,
            at: Timestamp(at),
            bounds: [10.0, 20.0, 60.0, 80.0],
            share: [0.1, 0.2, 0.6, 0.8],
            points: [[0.0; 2]; 5],
            mesh: Arc::from([]),
            ibug68: Arc::from([]),
            presence: 1.0,
            quality: FaceQuality { interocular_px: eyes, sharpness: 8.0, exposure: 0.5, ..FaceQuality::default() },
            motion: None,
            mouth_open: 0.0,
            eyes_open: [0.3; 2],
            crop: None,
            context: Some(Arc::from([])),
            mouth: None,
        }
    }

    /// First frames and lengths of takes, and the reason why there is none.
    fn takes(times: impl Iterator<Item = i64>, eyes: f32) -> (Vec<(i64, usize)>, Finding) {
        let (mut filling, mut gate) = (Filling::default(), Gate::default());
        let found = times.filter_map(|t| filling.add(&face(t, eyes), &mut gate));
        (found.map(|t| (t.0[0].at.0, t.0.len())).collect(), gate.abstention(Some(1)))
    }

    fn steady(step: i64) -> impl Iterator<Item = i64> {
        (0..TAKE as i64).map(move |k| 300_000 + k * step)
    }

    #[test]
    fn the_longest_run_without_a_gap_is_looked_at() {
        assert_eq!(takes(steady(40_000), 50.0).0, [(300_000, 14)]);
        // a frame was dropped, or two
        let dropped = |after: &'static [i64]| {
            steady(40_000).map(move |t| t + 40_000 * after.iter().filter(|&&a| t > 300_000 + 40_000 * a).count() as i64)
        };
        assert_eq!(takes(dropped(&[9]), 50.0).0, [(300_000, 10)]);
        assert_eq!(takes(dropped(&[2]), 50.0).0, [(300_000 + 4 * 40_000, 14)]);
        assert_eq!(takes(dropped(&[6, 13]), 50.0).0, []);
        // the rest of one that the face left, and a whole one
        let two = steady(40_000).take(9).chain(steady(40_000).map(|t| t + 2_000_000));
        assert_eq!(takes(two, 50.0).0, [(2_300_000, 14)]);
    }

    #[test]
    fn slow_and_small_ones_are_refused_with_the_reason() {
        let refused = |reason| (vec![], Finding::Abstain { reason });
        assert_eq!(takes(steady(66_000), 50.0), refused(Reason::TooFewFrames));
        assert_eq!(takes(steady(500_000), 50.0), refused(Reason::TooFewFrames));
        assert_eq!(takes(steady(40_000), 15.0), refused(Reason::TooSmall));
    }
}
