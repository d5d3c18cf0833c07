//! What a shape and an aligned crop say: pose, openings, and how well the face can be judged.

use std::f32::consts::FRAC_PI_2;
use std::sync::Arc;

use super::{CONTEXT, CROP, FaceQuality};
use crate::dsp::geometry::{Affine, Rect};
use crate::dsp::image::{crop, luma_of_rgb};
use crate::media::VideoFrame;

/// Where eyes, nose and mouth corners lie in an aligned crop, as shares of its side.
const TEMPLATE: [[f32; 2]; 5] = [[0.34, 0.40], [0.66, 0.40], [0.50, 0.58], [0.38, 0.75], [0.62, 0.75]];

/// Size of a face in the wider crop over that in the aligned one.
const CONTEXT_SCALE: f32 = 0.72;

/// Outer and inner corner, upper and lower lid of the eye on the left of the picture, then of the other, in the mesh.
const EYES: [[usize; 4]; 2] = [[33, 133, 159, 145], [263, 362, 386, 374]];
/// Corners, upper and lower edge of the inner mouth in the mesh.
const MOUTH: [usize; 4] = [78, 308, 13, 14];

/// Light under which the colour of a cover is the lamp's or the camera's noise.
pub(crate) const DIM: f32 = 0.25;
/// Mean chance of a covered mouth over which a mask may hide it, so that how it moves says nothing against anybody.
pub(crate) const MASKED: f32 = 0.3;

/// Points of iBUG's 68 that the pose is fitted on: tip of the nose, chin, outer eye corners, mouth corners.
const POSE_POINTS: [usize; 6] = [30, 8, 36, 45, 48, 54];
/// Pseudo-inverse of those points on a generic head (x right, y down, z towards the camera): fits a weak-perspective
/// camera by least squares.
const POSE_FIT: [[f64; 6]; 3] = [
    [0.0, 0.0, -0.692_31, 0.692_31, -0.461_54, 0.461_54],
    [-0.365_81, 0.613_87, -0.444_74, -0.444_74, 0.320_71, 0.320_71],
    [3.321_21, 0.354_58, -0.678_68, -0.678_68, -1.159_21, -1.159_21],
];

/// Five points of a mesh: eye centres left to right, tip of the nose, corners of the mouth left to right.
pub(super) fn five_points(mesh: &[[f32; 2]]) -> Option<[[f32; 2]; 5]> {
    let middle = |[a, b]: [usize; 2]| -> Option<[f32; 2]> {
        let (p, q) = (mesh.get(a)?, mesh.get(b)?);
        Some([0.5 * (p[0] + q[0]), 0.5 * (p[1] + q[1])])
    };
    Some([middle([33, 133])?, middle([362, 263])?, *mesh.get(4)?, *mesh.get(61)?, *mesh.get(291)?])
}

/// Tilt of the eye line in radians, clockwise positive.
pub(super) fn roll_of(points: &[[f32; 2]; 5]) -> f32 {
    (points[1][1] - points[0][1]).atan2(points[1][0] - points[0][0])
}

/// Height over width of the mouth's inner opening; 0 without a mesh.
pub(super) fn mouth_open(mesh: &[[f32; 2]]) -> f32 {
    openness(mesh, MOUTH)
}

/// Height over width of the eye openings, left to right in the picture; 0 without a mesh.
pub(super) fn eyes_open(mesh: &[[f32; 2]]) -> [f32; 2] {
    EYES.map(|eye| openness(mesh, eye))
}

fn openness(mesh: &[[f32; 2]], [a, b, top, bottom]: [usize; 4]) -> f32 {
    let apart = |i: usize, j: usize| match (mesh.get(i), mesh.get(j)) {
        (Some(p), Some(q)) => (p[0] - q[0]).hypot(p[1] - q[1]),
        _ => 0.0,
    };
    let width = apart(a, b);
    if width > 0.0 { apart(top, bottom) / width } else { 0.0 }
}

/// The face aligned by its five points, interleaved RGB of side [`CROP`]; `None` for points that coincide.
pub(super) fn aligned(frame: &VideoFrame, points: &[[f32; 2]; 5]) -> Option<Arc<[u8]>> {
    let template = TEMPLATE.map(|[x, y]| [x * CROP as f32, y * CROP as f32]);
    let to_frame = Affine::similarity(&template, points)?;
    Some(crop(frame, &to_frame, (CROP, CROP)).rgb.into())
}

/// From the frame to the crop of [`aligned`]; `None` for points that coincide.
pub(crate) fn aligned_map(points: &[[f32; 2]; 5]) -> Option<Affine> {
    Affine::similarity(&TEMPLATE.map(|p| p.map(|v| v * CROP as f32)), points)?.inverse()
}

/// The face with what is around it, interleaved RGB of side [`CONTEXT`]; `None` for points that coincide. The map is fitted in
/// the crop's pixels, as in training.
pub(super) fn context(frame: &VideoFrame, points: &[[f32; 2]; 5]) -> Option<Arc<[u8]>> {
    Some(crop(frame, &context_map(points)?, (CONTEXT, CONTEXT)).rgb.into())
}

/// From the wider crop to the frame; `None` for points that coincide.
pub(crate) fn context_map(points: &[[f32; 2]; 5]) -> Option<Affine> {
    let place = |v: f32, from: f32, to: f32| (CONTEXT_SCALE * (v - from) + to) * CONTEXT as f32;
    let template = TEMPLATE.map(|[x, y]| [place(x, 0.5, 0.5), place(y, 0.56, 0.52)]);
    Affine::similarity(points, &template)?.inverse()
}

/// How well a face can be judged.
pub(super) fn quality(
    frame: &VideoFrame,
    bounds: Rect,
    points: &[[f32; 2]; 5],
    ibug68: &[[f32; 2]],
    light: Light,
) -> FaceQuality {
    let (w, h) = frame.upright_size();
    let inside = bounds.clamp(w as f32, h as f32).area() / bounds.area().max(1.0);
    let roll = roll_of(points);
    let [yaw, pitch] = turn(ibug68, roll);
    let Light { sharpness, exposure, occlusion } = light;
    FaceQuality {
        interocular_px: (points[1][0] - points[0][0]).hypot(points[1][1] - points[0][1]),
        sharpness,
        exposure,
        yaw,
        pitch,
        roll: roll.to_degrees(),
        occlusion,
        cropped: (1.0 - inside).clamp(0.0, 1.0),
    }
}

/// Yaw and pitch in degrees from a weak-perspective fit, of a face that is tilted by `roll` radians: by quarters it is brought upright.
fn turn(ibug68: &[[f32; 2]], roll: f32) -> [f32; 2] {
    if ibug68.len() < 68 {
        return [0.0; 2];
    }
    let (s, c) = ((-roll / FRAC_PI_2).round() * FRAC_PI_2).sin_cos();
    let upright = |[x, y]: [f32; 2]| [c * x - s * y, s * x + c * y];
    let ibug68: Vec<[f32; 2]> = ibug68.iter().map(|p| upright(*p)).collect();
    let row = |axis: usize| {
        POSE_FIT.map(|fit| fit.iter().zip(POSE_POINTS).map(|(k, i)| k * f64::from(ibug68[i][axis])).sum::<f64>())
    };
    let (u, v) = (row(0), row(1));
    let angle = |depth: f64, along: f64, across: f64| depth.atan2(along.hypot(across)).to_degrees() as f32;
    [angle(u[2], u[0], u[1]), angle(v[2], v[0], v[1])]
}

/// What an aligned crop says of how well a face can be judged: costly, and slow to change.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Light {
    sharpness: f32,
    exposure: f32,
    occlusion: f32,
}

impl FaceQuality {
    pub(super) const fn light(&self) -> Light {
        Light { sharpness: self.sharpness, exposure: self.exposure, occlusion: self.occlusion }
    }
}

/// Sharpness, exposure and chance of a covered lower face, from an aligned crop.
pub(super) fn light_of(rgb: &[u8]) -> Light {
    let luma = luma_of_rgb(rgb);
    if luma.len() < CROP * CROP {
        return Light::default();
    }
    // the face's middle, so that hair and background do not count
    let (from, to) = (CROP / 5, CROP * 9 / 10);
    let (mut sum, mut square, mut light, mut count) = (0.0, 0.0, 0.0, 0.0);
    for y in from..to {
        for x in from..CROP - from {
            let i = y * CROP + x;
            let edge = 4.0 * luma[i] - (luma[i - 1] + luma[i + 1] + luma[i - CROP] + luma[i + CROP]);
            sum += edge;
            square += edge * edge;
            light += luma[i];
            count += 1.0;
        }
    }
    let spread = (square / count - (sum / count).powi(2)).max(0.0).sqrt();
    Light { sharpness: spread, exposure: light / count / 255.0, occlusion: covered(rgb) }
}

/// A cloth or a hand over the mouth has another colour than the cheeks: distance of their chromaticities.
fn covered(rgb: &[u8]) -> f32 {
    let colour = |[x0, x1, y0, y1]: [f32; 4]| {
        let px = |v: f32| (v * CROP as f32) as usize;
        let mut sums = [1.0f32; 3];
        for y in px(y0)..px(y1) {
            for x in px(x0)..px(x1) {
                let p = &rgb[3 * (y * CROP + x)..][..3];
                sums.iter_mut().zip(p).for_each(|(s, &v)| *s += f32::from(v));
            }
        }
        let all: f32 = sums.iter().sum();
        [sums[0] / all, sums[1] / all]
    };
    let (cheeks, jaw) = (colour([0.28, 0.72, 0.46, 0.58]), colour([0.34, 0.66, 0.66, 0.92]));
    let apart = (cheeks[0] - jaw[0]).hypot(cheeks[1] - jaw[1]);
    1.0 / (1.0 + (-(apart - 0.06) / 0.012).exp())
}
