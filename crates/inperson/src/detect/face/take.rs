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
/// Longest time between frames of one take, and the longest median of it: 10 frames a second, where the same
/// calibration holds (the model's card). Microseconds.
const BROKEN: i64 = 400_000;
const SLOWEST: i64 = 105_000;
/// So many of a take's first frames, every second one, are also held against another that lies so far from it, before or after, and at most
/// so much off that. Microseconds.
const HELD: usize = 4;
const AWAY: i64 = 560_000;
const OFF: i64 = 120_000;

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

/// Successive frames of a take, fit to be judged, and those that the first ones are held against.
#[derive(Debug)]
pub(super) struct Take {
    shots: Vec<Shot>,
    others: Vec<Shot>,
}

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
        if face.still {
            // a picture that is only shown on has nothing to tell from frame to frame
            if !self.0.is_empty() {
                gate.refuse(Reason::TooFewFrames);
                self.0.clear();
            }
            return None;
        }
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
        let held = shots.iter().step_by(2).take(HELD);
        let Some(others) = held.map(|s| away(s, &all)).collect::<Option<Vec<Shot>>>() else {
            gate.refuse(Reason::TooFewFrames);
            return None;
        };
        gate.admits_all(shots.iter().chain(&others).map(|s| &s.quality)).then(|| Take { shots: shots.to_vec(), others })
    }
}

/// The frame that lies nearest to the distance at which frames are held against each other; of two alike the later one.
fn away(shot: &Shot, all: &[Shot]) -> Option<Shot> {
    let off = |other: &Shot| (other.at.since(shot.at).abs() - AWAY).abs();
    let nearest = all.iter().min_by_key(|other| (off(other), other.at < shot.at))?;
    (off(nearest) <= OFF).then(|| nearest.clone())
}

/// Pictures as the model takes them.
fn pictures(shots: &[Shot]) -> Result<Array4<f32>> {
    // of its final size at once: megabytes that grow by doubling leave holes behind
    let mut chw = Vec::with_capacity(shots.len() * 3 * CONTEXT * CONTEXT);
    chw.extend(shots.iter().flat_map(|s| planar(&s.rgb)));
    Array4::from_shape_vec((shots.len(), 3, CONTEXT, CONTEXT), chw).map_err(|e| Error::model(MODEL, e.to_string()))
}

impl Take {
    /// Runs the model.
    ///
    /// # Errors
    /// [`Error::Model`] when the graph fails or gives no finite score.
    pub(super) fn judge(self, model: &Model) -> Result<Judged> {
        let (shots, others) = (pictures(&self.shots)?, pictures(&self.others)?);
        let out = model.run(&[shots.view().into_dyn(), others.view().into_dyn()])?;
        let number = |at: usize| out.get(at).and_then(|o| o.iter().next()).copied().unwrap_or(f32::NAN);
        let (score, outside) = (number(0), number(1));
        if !score.is_finite() || !outside.is_finite() {
            return Err(Error::model(MODEL, "gave no finite score"));
        }
        let (first, last) = (self.shots[0].at, self.shots[self.shots.len() - 1].at);
        let [x0, y0, x1, y1] = self.shots[self.shots.len() / 2].share.map(|v| v.clamp(0.0, 1.0));
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
            still: false,
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
        (found.map(|t| (t.shots[0].at.0, t.shots.len())).collect(), gate.abstention(Some(1)))
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
        assert_eq!(takes(dropped(&[9]), 50.0).0, [(300_000 + 11 * 40_000, 14)]);
        assert_eq!(takes(dropped(&[2]), 50.0).0, [(300_000 + 4 * 40_000, 14)]);
        assert_eq!(takes(dropped(&[6, 13]), 50.0).0, [(300_000 + 16 * 40_000, 10)]);
        assert_eq!(takes(dropped(&[6, 13, 20]), 50.0).0, []);
        // the rest of one that the face left, and a whole one
        let two = steady(40_000).take(9).chain(steady(40_000).map(|t| t + 2_000_000));
        assert_eq!(takes(two, 50.0).0, [(2_300_000, 14)]);
    }

    #[test]
    fn first_frames_are_held_against_those_half_a_second_away() {
        let others = |step: i64, of: [usize; HELD]| {
            let all: Vec<Shot> = steady(step)
                .map(|t| Shot {
                    at: Timestamp(t),
                    rgb: Arc::from([]),
                    share: [0.0; 4],
                    quality: FaceQuality::default(),
                })
                .collect();
            of.map(|k| away(&all[k], &all).map(|s| (s.at.0 - 300_000) / step))
        };
        assert_eq!(others(40_000, [0, 2, 4, 6]), [14, 16, 18, 20].map(Some));
        assert_eq!(others(33_000, [0, 2, 4, 6]), [17, 19, 21, 23].map(Some));
        // late in a take they lie before
        assert_eq!(others(40_000, [10, 12, 14, 16]), [23, 0, 0, 2].map(Some));
        assert_eq!(others(20_000, [0, 2, 4, 6]), [Some(23), None, None, None]);
    }

    #[test]
    fn slow_and_small_ones_are_refused_with_the_reason() {
        let refused = |reason| (vec![], Finding::Abstain { reason });
        assert_eq!(takes(steady(125_000), 50.0), refused(Reason::TooFewFrames));
        assert_eq!(takes(steady(500_000), 50.0), refused(Reason::TooFewFrames));
        // over before half a second has passed
        assert_eq!(takes(steady(20_000), 50.0), refused(Reason::TooFewFrames));
        assert_eq!(takes(steady(40_000), 15.0), refused(Reason::TooSmall));
        // webcams at 15 and 10 frames a second are not slow
        assert_eq!([66_667, 100_000].map(|step| takes(steady(step), 50.0).0), [[(300_000, 14)]; 2]);
    }
}
