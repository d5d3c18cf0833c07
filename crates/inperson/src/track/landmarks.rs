//! The face models: where faces are in a frame, and the dense shape of one.

use ndarray::ArrayView4;

use crate::dsp::geometry::{Affine, Rect, nms};
use crate::dsp::image::{crop, search_plane};
use crate::error::{Error, Result};
use crate::media::{Rotation, VideoFrame};
use crate::model::{Model, Registry, Runtime};

/// Longer side of the plane on which faces are sought, in pixels.
const SEARCH_SIDE: usize = 320;
/// Score from which a box is a face.
const FOUND: f32 = 0.5;
/// Overlap above which two boxes are one face.
const SAME: f32 = 0.4;
/// Side of the crop that the landmark model takes, in pixels.
const SHAPE_SIDE: usize = 112;
/// Side of that crop over the longer side of the face's box.
const SHAPE_MARGIN: f32 = 1.3;

/// The two face models, shared by all sessions.
#[derive(Debug, Clone)]
pub(crate) struct FaceModels {
    detector: Model,
    landmarks: Model,
}

/// A face that the detector found, in pixels of the upright frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) bounds: Rect,
    pub(crate) points: [[f32; 2]; 5],
    pub(crate) score: f32,
}

/// The dense shape of a face, in pixels of the upright frame.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) mesh: Vec<[f32; 2]>,
    pub(crate) ibug68: Vec<[f32; 2]>,
    pub(crate) presence: f32,
}

impl FaceModels {
    pub(crate) const IDS: [&str; 2] = ["face-detector", "face-landmarks"];

    pub(crate) fn load(runtime: &Runtime, registry: &Registry) -> Result<Self> {
        let [detector, landmarks] = Self::IDS;
        Ok(Self {
            detector: runtime.model(registry.find(detector)?)?,
            landmarks: runtime.model(registry.find(landmarks)?)?,
        })
    }

    /// Faces in the frame, best first.
    pub(crate) fn find(&self, frame: &VideoFrame) -> Result<Vec<Found>> {
        let plane = search_plane(frame, SEARCH_SIDE);
        let input = ArrayView4::from_shape((1, 3, plane.height, plane.width), &plane.chw)
            .map_err(|e| Error::model("face-detector", e.to_string()))?;
        let out = self.detector.run(&[input.into_dyn()])?;
        let [boxes, points, scores] = out.as_slice() else { return Ok(Vec::new()) };
        let back = 1.0 / plane.scale;
        let mut found = Vec::new();
        for (k, &score) in scores.iter().enumerate() {
            if score < FOUND {
                continue;
            }
            let side = |i: usize| boxes[[0, k, i]] * back;
            let point = |i: usize| [points[[0, k, 2 * i]] * back, points[[0, k, 2 * i + 1]] * back];
            let bounds = Rect::new(side(0), side(1), side(2), side(3));
            found.push(Found { bounds, points: std::array::from_fn(point), score });
        }
        let scored: Vec<(Rect, f32)> = found.iter().map(|f| (f.bounds, f.score)).collect();
        Ok(nms(&scored, SAME).into_iter().map(|i| found[i]).collect())
    }

    /// Faces that are upright once the frame is turned, in pixels of the frame as it is.
    pub(crate) fn find_turned(&self, frame: &VideoFrame, turn: Rotation) -> Result<Vec<Found>> {
        let (w, h) = frame.upright_size();
        let (w, h) = (w as f32, h as f32);
        let back = |[x, y]: [f32; 2]| match turn {
            Rotation::None => [x, y],
            Rotation::Quarter => [y, h - x],
            Rotation::Half => [w - x, h - y],
            Rotation::ThreeQuarters => [w - y, x],
        };
        let mut turned = frame.clone();
        turned.rotation = frame.rotation.then(turn);
        let mut all = self.find(&turned)?;
        for found in &mut all {
            let Rect { x0, y0, x1, y1 } = found.bounds;
            found.bounds = Rect::around(&[back([x0, y0]), back([x1, y1])]).unwrap_or(found.bounds);
            found.points = found.points.map(back);
        }
        Ok(all)
    }

    /// The shape of the face in `bounds`, whose eye line is turned by `roll` radians (clockwise positive).
    pub(crate) fn shape(&self, frame: &VideoFrame, bounds: Rect, roll: f32) -> Result<Shape> {
        let to_frame = upright(bounds, roll);
        let picture = crop(frame, &to_frame, (SHAPE_SIDE, SHAPE_SIDE)).chw();
        let input = ArrayView4::from_shape((1, 3, SHAPE_SIDE, SHAPE_SIDE), &picture)
            .map_err(|e| Error::model("face-landmarks", e.to_string()))?;
        let out = self.landmarks.run(&[input.into_dyn()])?;
        let [mesh, ibug68, presence] = out.as_slice() else {
            return Err(Error::model("face-landmarks", "has not the three outputs of its contract"));
        };
        let side = SHAPE_SIDE as f32;
        let place = |points: &ndarray::ArrayD<f32>| -> Vec<[f32; 2]> {
            let count = points.shape()[1];
            (0..count).map(|i| to_frame.apply([points[[0, i, 0]] * side, points[[0, i, 1]] * side])).collect()
        };
        let presence = presence[[0, 0]];
        if !presence.is_finite() {
            return Err(Error::model("face-landmarks", "gave no finite presence"));
        }
        Ok(Shape { mesh: place(mesh), ibug68: place(ibug68), presence })
    }
}

/// From the landmark model's crop to the frame.
fn upright(bounds: Rect, roll: f32) -> Affine {
    let [cx, cy] = bounds.centre();
    let scale = SHAPE_MARGIN * bounds.width().max(bounds.height()).max(1.0) / SHAPE_SIDE as f32;
    let (c, s) = (roll.cos() * scale, roll.sin() * scale);
    let half = 0.5 * SHAPE_SIDE as f32;
    Affine([c, -s, cx - c * half + s * half, s, c, cy - s * half - c * half])
}
