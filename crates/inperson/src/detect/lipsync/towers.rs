//! Lips and sound seen through the model, step by step, and how well they agree at every lag.

use std::collections::VecDeque;
use std::sync::Arc;

use ndarray::{Array1, Array3};

use crate::error::{Error, Result};
use crate::media::AUDIO_RATE;
use crate::model::Model;
use crate::time::{Span, Timestamp};
use crate::track::{FaceObservation, MOUTH};

/// A step of the grid that both towers share: 40 ms, in microseconds and in samples.
pub(super) const STEP: i64 = 40_000;
const SAMPLES: usize = AUDIO_RATE as usize / 25;
/// Lags that are tried, in steps to either side: 2 s.
pub(super) const REACH: usize = 50;
/// How far they reach up to so many steps of speech, since the best of many lags says little of little speech: 0.8 s up to 4 s, 1.1 s up to 10 s.
const NEAR: [(f32, usize); 2] = [(100.0, 20), (250.0, 28)];
pub(super) const LAGS: usize = 2 * REACH + 1;
/// Steps that the model is shown at a time, the fewest, and how many from its borders an embedding is final.
const WINDOW: i64 = 64;
const LEAST: i64 = 48;
const EDGE: i64 = 8;
/// Looks a step that are needed: 8 a second. With 5, own and foreign sound are hardly told apart.
const LOOKS: f32 = 0.32;
/// Time without a look after which a run of looks has ended, microseconds.
const BROKEN: i64 = 200_000;
/// Points of the mesh.
const POINTS: usize = 478;

/// Sums of agreement, and of pairs, at every lag.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Profile {
    pub(super) sums: [f32; LAGS],
    pub(super) counts: [f32; LAGS],
}

impl Default for Profile {
    fn default() -> Self {
        Self { sums: [0.0; LAGS], counts: [0.0; LAGS] }
    }
}

impl Profile {
    pub(super) fn add(&mut self, other: &Self) {
        self.sums.iter_mut().zip(other.sums).for_each(|(a, b)| *a += b);
        self.counts.iter_mut().zip(other.counts).for_each(|(a, b)| *a += b);
    }

    /// Mean agreement at a lag; `None` where fewer than half as many pairs lie there as at no lag.
    pub(super) fn mean(&self, lag: usize) -> Option<f32> {
        let count = self.counts[lag];
        (count > 0.0 && count >= 0.5 * self.counts[REACH]).then(|| self.sums[lag] / count)
    }

    /// Steps with speech.
    pub(super) fn steps(&self) -> f32 {
        self.counts[REACH]
    }

    /// The lag, in steps from `-REACH` with fractions by a parabola, at which lips and sound agree most, and how well.
    /// Positive: the sound comes later.
    pub(super) fn best(&self) -> Option<(f32, f32)> {
        let reach = NEAR.iter().find(|(steps, _)| self.steps() < *steps).map_or(REACH, |(_, reach)| *reach);
        let near = |l: usize| l.abs_diff(REACH) <= reach;
        let means: Vec<Option<f32>> = (0..LAGS).map(|l| self.mean(l).filter(|_| near(l))).collect();
        let (at, top) =
            means.iter().enumerate().filter_map(|(l, m)| m.map(|m| (l, m))).max_by(|a, b| a.1.total_cmp(&b.1))?;
        let beside = |l: Option<usize>| l.and_then(|l| means.get(l).copied().flatten());
        let fine = match (beside(at.checked_sub(1)), beside(at.checked_add(1))) {
            (Some(a), Some(b)) if a + b < 2.0 * top => 0.5 * (a - b) / (a - 2.0 * top + b),
            _ => 0.0,
        };
        Some((at as f32 + fine - REACH as f32, top))
    }

    /// The best agreement within a step of a lag.
    pub(super) fn near(&self, lag: f32) -> Option<f32> {
        let middle = (lag.round() as i64 + REACH as i64).clamp(0, LAGS as i64 - 1) as usize;
        let range = middle.saturating_sub(1)..=(middle + 1).min(LAGS - 1);
        range.filter_map(|l| self.mean(l)).max_by(f32::total_cmp)
    }
}

/// One look at the mouth.
#[derive(Debug, Clone)]
struct Look {
    at: Timestamp,
    mouth: Arc<[u8]>,
    mesh: Arc<[[f32; 2]]>,
}

/// Follows one face's lips and the sound.
#[derive(Debug)]
pub(super) struct Towers {
    model: Model,
    track: Option<u32>,
    run: VecDeque<Look>,
    audio: VecDeque<f32>,
    /// Step at which the kept sound starts, and up to which steps of this run were embedded.
    heard_from: i64,
    done: i64,
    /// Whether a stretch was long enough, and looked at too seldom.
    sparse: bool,
    /// The latest steps with their embeddings, and whether they count.
    kept: VecDeque<(i64, Vec<f32>, Vec<f32>, bool)>,
}

impl Towers {
    pub(super) fn new(model: Model) -> Self {
        Self {
            model,
            track: None,
            run: VecDeque::new(),
            audio: VecDeque::new(),
            heard_from: 0,
            done: i64::MIN,
            sparse: false,
            kept: VecDeque::new(),
        }
    }

    /// Takes the sound of a hop.
    pub(super) fn hear(&mut self, span: Span, audio: &[f32]) {
        if self.audio.is_empty() {
            self.heard_from = span.start.0 / STEP;
        }
        self.audio.extend(audio);
        let most = (WINDOW as usize + 2 * REACH) * SAMPLES;
        while self.audio.len() > most {
            self.audio.drain(..SAMPLES);
            self.heard_from += 1;
        }
    }

    /// Takes looks at one face in order of time; another face, or a hole, starts anew.
    pub(super) fn see<'a>(&mut self, track: u32, looks: impl Iterator<Item = &'a FaceObservation>) {
        for face in looks {
            let Some(mouth) = face.mouth.clone().filter(|_| face.mesh.len() == POINTS) else { continue };
            let broken = self.run.back().is_some_and(|last| face.at.since(last.at) > BROKEN);
            if broken || self.run.is_empty() || self.track != Some(track) {
                self.run.clear();
                self.kept.clear();
                self.done = (face.at.0 + STEP - 1).div_euclid(STEP);
            }
            self.track = Some(track);
            self.run.push_back(Look { at: face.at, mouth, mesh: Arc::clone(&face.mesh) });
        }
        let most = WINDOW * STEP + BROKEN;
        while self.run.front().zip(self.run.back()).is_some_and(|(a, b)| b.at.since(a.at) > most) {
            self.run.pop_front();
        }
    }

    /// Embeds the steps that are new and gives what pairs they make, by the second of the lips; `counts` says whether a
    /// moment counts.
    pub(super) fn judge(&mut self, counts: impl Fn(Timestamp) -> bool) -> Result<Vec<(i64, Profile)>> {
        let (Some(first), Some(last)) = (self.run.front(), self.run.back()) else { return Ok(Vec::new()) };
        let end = (last.at.0.div_euclid(STEP) + 1).min(self.heard_from + (self.audio.len() / SAMPLES) as i64);
        // what was embedded is shown again only as far as what is new needs it
        let known = self.done.saturating_sub(EDGE).min(end - LEAST);
        let start = (first.at.0 + STEP - 1).div_euclid(STEP).max(end - WINDOW).max(self.heard_from).max(known);
        let looks = self.run.iter().filter(|l| l.at.0 >= start * STEP && l.at.0 < end * STEP).count();
        if end - start < LEAST || end - EDGE <= self.done {
            return Ok(Vec::new());
        }
        if (looks as f32) < LOOKS * (end - start) as f32 {
            self.sparse = true;
            return Ok(Vec::new());
        }
        let (lips, heard) = self.embed(start, end)?;
        let width = lips.len() / (end - start) as usize;
        let from = self.done.max(start);
        if from > self.done {
            // steps were left out, while there were too few looks: what came before them lies beyond every lag
            self.kept.clear();
        }
        let mut found: Vec<(i64, Profile)> = Vec::new();
        let mut pair = |k: i64, lag: i64, agreement: f32| {
            let second = k * STEP / 1_000_000;
            let i = found.iter().position(|(s, _)| *s == second).unwrap_or_else(|| {
                found.push((second, Profile::default()));
                found.len() - 1
            });
            let lag = (lag + REACH as i64) as usize;
            found[i].1.sums[lag] += agreement;
            found[i].1.counts[lag] += 1.0;
        };
        for k in from..end - EDGE {
            let row = (k - start) as usize;
            let (v, a) = (&lips[row * width..][..width], &heard[row * width..][..width]);
            let now = counts(Timestamp(k * STEP));
            for (j, v_old, a_old, counted) in &self.kept {
                // lips now with sound before, and lips before with sound now
                if now {
                    pair(k, j - k, dot(v, a_old));
                }
                if *counted {
                    pair(*j, k - j, dot(v_old, a));
                }
            }
            if now {
                pair(k, 0, dot(v, a));
            }
            self.kept.push_back((k, v.to_vec(), a.to_vec(), now));
            if self.kept.len() > REACH {
                self.kept.pop_front();
            }
        }
        self.done = end - EDGE;
        Ok(found)
    }

    /// Whether a stretch was long enough, and looked at too seldom.
    pub(super) const fn sparse(&self) -> bool {
        self.sparse
    }

    /// Embeddings of lips and sound, a row a step.
    fn embed(&self, start: i64, end: i64) -> Result<(Vec<f32>, Vec<f32>)> {
        let steps = (end - start) as usize;
        let mut mouths = Array3::<f32>::zeros((steps, MOUTH, MOUTH));
        let mut meshes = Array3::<f32>::zeros((steps, POINTS, 2));
        let mut nearest = 0;
        for (row, (mut mouth, mut mesh)) in mouths.outer_iter_mut().zip(meshes.outer_iter_mut()).enumerate() {
            let at = Timestamp((start + row as i64) * STEP);
            let off = |i: usize| self.run[i].at.since(at).abs();
            while nearest + 1 < self.run.len() && off(nearest + 1) <= off(nearest) {
                nearest += 1;
            }
            let look = &self.run[nearest];
            mouth.iter_mut().zip(look.mouth.iter()).for_each(|(to, &v)| *to = f32::from(v));
            mesh.iter_mut().zip(look.mesh.iter().flatten()).for_each(|(to, &v)| *to = v);
        }
        let skip = (start - self.heard_from) as usize * SAMPLES;
        let sound: Array1<f32> = self.audio.iter().skip(skip).take(steps * SAMPLES).copied().collect();
        let mut out = self.model.run(&[mouths.view().into_dyn(), meshes.view().into_dyn(), sound.view().into_dyn()])?;
        let (heard, lips) = (out.pop(), out.pop());
        match (lips, heard) {
            (Some(lips), Some(heard)) if lips.len() == heard.len() && !lips.is_empty() && lips.len() % steps == 0 => {
                Ok((lips.into_iter().collect(), heard.into_iter().collect()))
            }
            _ => Err(Error::model(super::MODEL, "has not the two outputs of its contract")),
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A profile with a hill at `lag` steps.
    fn hill(lag: f32) -> Profile {
        let mut p = Profile::default();
        for l in 0..LAGS {
            let away = l as f32 - REACH as f32 - lag;
            p.counts[l] = 50.0;
            p.sums[l] = 50.0 * (0.6 - 0.1 * away * away).max(0.0);
        }
        p
    }

    #[test]
    fn the_lag_lies_between_steps() {
        for lag in [-12.3, -0.4, 0.0, 7.25] {
            let (at, _) = hill(lag).best().unwrap();
            assert!((at - lag).abs() < 0.01, "{at} for {lag}");
        }
        // far lags are believed where there is much speech
        let mut much = Profile::default();
        (0..6).for_each(|_| much.add(&hill(41.5)));
        assert!((much.best().unwrap().0 - 41.5).abs() < 0.01);
        assert!(hill(41.5).best().unwrap().1 < 0.1);
        assert_eq!(Profile::default().best(), None);
    }

    #[test]
    fn lags_with_few_pairs_are_not_believed() {
        let mut p = hill(3.0);
        (p.counts[0], p.sums[0]) = (2.0, 2.0);
        assert!((p.best().unwrap().0 - 3.0).abs() < 0.01);
        assert_eq!(p.mean(0), None);
    }

    #[test]
    fn stretches_may_drift_by_a_step() {
        let p = hill(4.0);
        assert!((p.near(3.4).unwrap() - 0.6).abs() < 1e-6);
        assert!(p.near(0.0).unwrap() < 0.1);
    }
}
