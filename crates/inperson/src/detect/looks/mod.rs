//! Looks at the candidate's face: which can be judged, and what the network `warp` says of one.

mod gate;
mod worst;

use std::sync::Arc;

use ndarray::ArrayView4;

use crate::calibrate::Calibration;
use crate::dsp::geometry::{Affine, Rect};
use crate::dsp::image::planar;
use crate::error::{Error, Result};
use crate::model::{Model, Registry, Runtime};
use crate::time::Timestamp;
use crate::track::{CONTEXT, FaceObservation, Tracks, context_map};
pub(crate) use gate::Gate;
pub(crate) use worst::Worst;

/// The network's id.
pub(crate) const MODEL: &str = "warp";
/// Side of its map.
pub(crate) const MAP: usize = 40;
/// Half width and half height of the inner face, in shares of the crop.
const INNER: [f64; 2] = [0.85 * 0.27, 0.85 * 0.36];

/// What the network says of one look.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) at: Timestamp,
    /// Logit that the face is not a camera's picture of it.
    pub(crate) logit: f32,
    /// Chance that a place was changed, [`MAP`] rows of [`MAP`].
    pub(crate) region: Arc<[f32]>,
    /// Chance that the border of a change lies there, the same way.
    pub(crate) border: Arc<[f32]>,
    /// From the crop's pixels to shares of the upright frame.
    pub(crate) to_share: Affine,
}

/// Runs the network.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    model: Model,
    calibration: Calibration,
}

impl Reader {
    /// Loads the network.
    ///
    /// # Errors
    /// [`Error::Model`] when it is missing, broken or carries no calibration of its borders.
    pub(crate) fn load(runtime: &Runtime, registry: &Registry) -> Result<Self> {
        let model = runtime.model(registry.find(MODEL)?)?;
        let calibration = model.calibration_of("border")?;
        Ok(Self { model, calibration })
    }

    /// Of the borders inside the face.
    pub(crate) const fn calibration(&self) -> Calibration {
        self.calibration
    }

    pub(crate) const fn model(&self) -> &Model {
        &self.model
    }

    /// The answer about a face; none without its wider crop.
    ///
    /// # Errors
    /// [`Error::Model`] when the graph fails.
    pub(crate) fn look(&self, face: &FaceObservation) -> Result<Option<Look>> {
        let Some(rgb) = face.context.as_deref() else { return Ok(None) };
        let Some(to_share) = to_share(face) else { return Ok(None) };
        let chw = planar(rgb);
        let input = ArrayView4::from_shape((1, 3, CONTEXT, CONTEXT), &chw);
        let out = self.model.run(&[input.map_err(|e| Error::model(MODEL, e.to_string()))?.into_dyn()])?;
        let [logit, region, border] = out.as_slice() else {
            return Err(Error::model(MODEL, "has not the three outputs of its contract"));
        };
        let logit = logit.iter().next().copied().unwrap_or(f32::NAN);
        let flat = |map: &ndarray::ArrayD<f32>| map.iter().copied().collect();
        let look = Look { at: face.at, logit, region: flat(region), border: flat(border), to_share };
        if !look.logit.is_finite() || look.region.len() != MAP * MAP || look.border.len() != MAP * MAP {
            return Err(Error::model(MODEL, "gave no finite logit with its maps"));
        }
        Ok(Some(look))
    }
}

/// The candidate's among these faces.
pub(crate) fn candidates<'a>(
    faces: &'a [FaceObservation],
    tracks: &Tracks,
) -> impl Iterator<Item = &'a FaceObservation> {
    let candidate = tracks.candidate;
    faces.iter().filter(move |f| candidate == Some(f.track))
}

fn to_share(face: &FaceObservation) -> Option<Affine> {
    let [x0, y0, x1, y1] = face.bounds;
    let [a, b, c, d] = face.share;
    let scale = [(c - a) / (x1 - x0), (d - b) / (y1 - y0)];
    let map = context_map(&face.points)?;
    Some(map.then(&Affine([scale[0], 0.0, 0.0, 0.0, scale[1], 0.0])))
}

impl Look {
    /// Mean chance of a border inside the face, 0 to 1.
    pub(crate) fn seams(&self) -> f64 {
        let inside = |i: &usize| {
            let [x, y] = [i % MAP, i / MAP].map(|v| (v as f64 + 0.5) / MAP as f64);
            ((x - 0.5) / INNER[0]).hypot((y - 0.52) / INNER[1]) < 1.0
        };
        let (sum, count) =
            (0..MAP * MAP).filter(inside).fold((0.0, 0.0), |(s, n), i| (s + f64::from(self.border[i]), n + 1.0));
        sum / count
    }

    /// Left, top, width and height, as shares of the frame, of where the map is high; the whole face where it is nowhere.
    pub(crate) fn region(&self) -> [f64; 4] {
        let top = self.region.iter().copied().fold(0.0f32, f32::max);
        let step = CONTEXT as f32 / MAP as f32;
        let high = |i: usize| top > 0.2 && self.region[i] > 0.5 * top;
        let cells: Vec<[f32; 2]> = (0..MAP * MAP)
            .filter(|&i| high(i))
            .map(|i| [((i % MAP) as f32 + 0.5) * step, ((i / MAP) as f32 + 0.5) * step])
            .collect();
        let face = [0.22, 0.2, 0.78, 0.85].map(|v| v * CONTEXT as f32);
        let [x0, y0, x1, y1] = Rect::around(&cells)
            .filter(|_| cells.len() > 3)
            .map_or(face, |r| [r.x0 - 0.5 * step, r.y0 - 0.5 * step, r.x1 + 0.5 * step, r.y1 + 0.5 * step]);
        let corners = [[x0, y0], [x1, y0], [x0, y1], [x1, y1]].map(|p| self.to_share.apply(p));
        let Some(r) = Rect::around(&corners).map(|r| r.clamp(1.0, 1.0)) else { return [0.0; 4] };
        [r.x0, r.y0, r.width(), r.height()].map(f64::from)
    }
}
