//! Bursts: stretches in which faces are looked at in every frame, since lips move faster than five looks a second.

use std::sync::Arc;

use crate::dsp::geometry::Affine;
use crate::dsp::image::{crop, luma_of_rgb};
use crate::media::VideoFrame;
use crate::time::Timestamp;

/// Side of a mouth picture in pixels.
pub const MOUTH: usize = 64;

/// Points of the mesh that neither speech nor smiles move much (corners of the eyes, ridge and base of the nose), and where
/// they lie in a frontal face: in distances between the eye centres, from the middle between these. Medians of 7,607
/// meshes of frontal faces.
const STEADY: [(usize, [f32; 2]); 9] = [
    (33, [-0.717, -0.010]),
    (133, [-0.283, 0.010]),
    (362, [0.283, 0.010]),
    (263, [0.717, -0.010]),
    (168, [0.0, -0.082]),
    (197, [0.0, 0.155]),
    (2, [0.0, 0.708]),
    (98, [-0.265, 0.678]),
    (327, [0.265, 0.678]),
];
/// Middle and side of the mouth picture in the same measure.
const MIDDLE: [f32; 2] = [0.0, 1.22];
const SIDE: f32 = 1.5;

/// When faces are looked at in every frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bursts {
    /// Never: no check asks for it.
    Never,
    /// In the first 20 seconds, then for 4 in every 24, after five minutes for 4 in every 40.
    Sparse,
    /// In every frame: for training.
    Always,
}

impl Bursts {
    const FIRST: i64 = 20_000_000;
    /// How often one begins: up to [`Self::EARLY`], and later, when most is known already.
    const EVERY: [i64; 2] = [24_000_000, 40_000_000];
    const EARLY: i64 = Self::FIRST + 12 * Self::EVERY[0];
    const LENGTH: i64 = 4_000_000;
    /// Least time between two frames that are looked at: no more than about 30 a second.
    const STEP: i64 = 28_000;

    /// Whether a frame is looked at, the last one in a burst having been shown at `last`.
    pub(super) fn now(self, at: Timestamp, last: Timestamp) -> bool {
        let due = last == Timestamp(i64::MIN) || at.since(last) >= Self::STEP;
        match self {
            Self::Never => false,
            Self::Sparse => {
                let (since, every) = match at.0 < Self::EARLY {
                    true => (Self::FIRST, Self::EVERY[0]),
                    false => (Self::EARLY, Self::EVERY[1]),
                };
                due && (at.0 < Self::FIRST || (at.0 - since) % every >= every - Self::LENGTH)
            }
            Self::Always => due,
        }
    }
}

/// The mouth's picture; `None` without a mesh.
pub(super) fn mouth(frame: &VideoFrame, mesh: &[[f32; 2]]) -> Option<Arc<[u8]>> {
    let scale = MOUTH as f32 / SIDE;
    let place = |p: [f32; 2], axis: usize| (p[axis] - MIDDLE[axis]) * scale + 0.5 * MOUTH as f32;
    let mut seen = [[0.0; 2]; STEADY.len()];
    for (to, (i, _)) in seen.iter_mut().zip(STEADY) {
        *to = *mesh.get(i)?;
    }
    let template = STEADY.map(|(_, p)| [place(p, 0), place(p, 1)]);
    let to_frame = Affine::similarity(&template, &seen)?;
    Some(
        luma_of_rgb(&crop(frame, &to_frame, (MOUTH, MOUTH)).rgb)
            .iter()
            .map(|v| v.round().clamp(0.0, 255.0) as u8)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_sparse_and_skip_frames_over_thirty_a_second() {
        let count = |bursts: Bursts, rate: i64, seconds: i64| {
            let mut last = Timestamp(i64::MIN);
            (0..rate * seconds)
                .filter(|k| {
                    let at = Timestamp(k * 1_000_000 / rate);
                    let now = bursts.now(at, last);
                    last = if now { at } else { last };
                    now
                })
                .count()
        };
        assert_eq!(count(Bursts::Never, 25, 10), 0);
        assert_eq!(count(Bursts::Sparse, 25, 20), 500);
        assert_eq!(count(Bursts::Sparse, 25, 20 + 240), 500 + 10 * 100);
        assert_eq!(count(Bursts::Sparse, 25, 20 + 12 * 24 + 400), 500 + 22 * 100);
        assert_eq!(count(Bursts::Always, 60, 10), 300);
    }
}
