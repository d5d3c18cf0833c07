//! What moves in a face by itself from one look to the next, once the head's own movement is taken out.

use std::collections::BTreeMap;

use super::{CROP, FaceObservation};
use crate::dsp::image::luma_of_rgb;
use crate::dsp::register::register;
use crate::time::Timestamp;

/// Side of the pictures compared, and boxes in them (left, top, right, bottom): all that is laid over each other, the mouth,
/// and the eyes, nose and cheeks.
const SIDE: usize = CROP / 2;
const FACE: [usize; 4] = [10, 8, 54, 58];
const MOUTH: [usize; 4] = [20, 43, 44, 56];
const REST: [usize; 4] = [14, 18, 50, 42];
/// Looks further apart are not compared, microseconds.
const FURTHEST: i64 = 500_000;

/// Movement in a face beyond what an affine map and a change of light explain: mean difference over mean gradient, about
/// pixels of a face 64 pixels wide.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Motion {
    /// In the mouth: 0.25 and more in 99 of 100 seconds of genuine talkers under speech, 0.17 and less in those of photographs
    /// moved about.
    pub mouth: f32,
    /// In eyes, nose and cheeks.
    pub rest: f32,
}

/// The last look at each face.
#[derive(Debug, Default)]
pub(super) struct Looks(BTreeMap<u32, (Timestamp, Vec<f32>)>);

impl Looks {
    /// Fills in what moved in each face since the last look at it.
    pub(super) fn compare(&mut self, seen: &mut [FaceObservation]) {
        for face in seen {
            let Some(crop) = face.crop.as_deref().filter(|_| !face.mesh.is_empty()) else { continue };
            let now = luma(crop);
            let before = self.0.insert(face.track, (face.at, now.clone()));
            let recent = |(at, _): &(Timestamp, _)| !face.still && face.at.since(*at) <= FURTHEST;
            face.motion = before.filter(recent).map(|(_, before)| {
                let left = register(&before, &now, SIDE, FACE);
                Motion { mouth: left.moved(SIDE, MOUTH), rest: left.moved(SIDE, REST) }
            });
        }
    }

    /// Forgets faces that are no longer followed.
    pub(super) fn retain(&mut self, followed: impl Fn(u32) -> bool) {
        self.0.retain(|&id, _| followed(id));
    }
}

/// Luma of an aligned crop at half its side.
fn luma(rgb: &[u8]) -> Vec<f32> {
    let whole = luma_of_rgb(rgb);
    let at = |x: usize, y: usize| whole[y * CROP + x];
    (0..SIDE * SIDE)
        .map(|i| {
            let (x, y) = (2 * (i % SIDE), 2 * (i / SIDE));
            0.25 * (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1))
        })
        .collect()
}
