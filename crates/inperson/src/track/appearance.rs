//! What faces look like: enough to tell the people of one call apart, and to know one of them who comes back. It verifies nobody.

use std::collections::BTreeMap;
use std::path::Path;

use super::landmarks::FaceModels;
use super::{CROP, Reference};
use crate::error::{Error, Result};
use crate::media::VideoFrame;
use crate::time::Timestamp;

/// Likeness of one look to the mean of a face from which it is that face again: of 326 pairs of stretches of one recording 97 %
/// reach it, of 34,262 of two people in two recordings 0.2 %.
const SAME: f32 = 0.9;
/// And where it is seen in the place of a face that was lost at a cut: 98 % of the former, 2 % of the latter.
const ALIKE: f32 = 0.88;
/// Looks that a face must have had to be known again, how many its mean goes back, and most faces that are kept.
const LEAST: u32 = 25;
const MEAN_OF: u32 = 100;
const MOST: usize = 64;

/// The faces of a call as they looked.
#[derive(Debug, Default)]
pub(super) struct Memory(BTreeMap<u32, (u32, Vec<f32>)>);

impl Memory {
    /// Adds a look at a face.
    pub(super) fn add(&mut self, id: u32, look: &[f32]) {
        if self.0.len() >= MOST && !self.0.contains_key(&id) {
            let rarest = self.0.iter().min_by_key(|(id, (looks, _))| (*looks, **id)).map(|(&id, _)| id);
            rarest.and_then(|id| self.0.remove(&id));
        }
        let (looks, mean) = self.0.entry(id).or_insert_with(|| (0, vec![0.0; look.len()]));
        *looks += 1;
        let share = 1.0 / (*looks).min(MEAN_OF) as f32;
        // shares of patterns are averaged, not their roots
        mean.iter_mut().zip(look).for_each(|(m, v)| *m += share * (v * v - *m));
    }

    /// Whether a look at the place of this face may be that face.
    pub(super) fn like(&self, id: u32, look: &[f32]) -> bool {
        self.0.get(&id).is_some_and(|(_, mean)| likeness(&roots(mean), look) >= ALIKE)
    }

    /// The face that a look most resembles, if it can be no other; not one that is `here` already.
    pub(super) fn find(&self, look: &[f32], here: impl Fn(u32) -> bool) -> Option<u32> {
        let gone = self.0.iter().filter(|(id, (looks, _))| *looks >= LEAST && !here(**id));
        let alike = gone.map(|(&id, (_, mean))| (likeness(&roots(mean), look), id));
        alike.filter(|(v, _)| *v >= SAME).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, id)| id)
    }
}

fn roots(shares: &[f32]) -> Vec<f32> {
    shares.iter().map(|m| m.max(0.0).sqrt()).collect()
}

/// The appearance of the face in a picture file.
pub(super) fn reference(models: &FaceModels, path: &Path) -> Result<Reference> {
    let name = || path.display().to_string();
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    let picture = image::load_from_memory(&bytes).map_err(|e| Error::media(name(), e.to_string()))?.to_rgb8();
    let frame = VideoFrame::from_rgb(Timestamp::ZERO, picture.width(), picture.height(), picture.into_raw())?;
    let found = models.find(&frame)?;
    let first = found.first().ok_or_else(|| Error::media(name(), "no face was found in this reference picture"))?;
    let crop = models.observe(&frame, 0, first)?.crop;
    crop.map(|c| Reference(appearance(&c).into()))
        .ok_or_else(|| Error::media(name(), "the face in this reference picture is too small"))
}

/// Roots of the shares of local binary patterns over a 6x6 grid (Ahonen et al. 2006).
pub(super) fn appearance(rgb: &[u8]) -> Vec<f32> {
    let luma: Vec<i32> =
        rgb.chunks_exact(3).map(|p| (2 * i32::from(p[0]) + 5 * i32::from(p[1]) + i32::from(p[2])) / 8).collect();
    const GRID: usize = 6;
    const BINS: usize = 32;
    let mut out = vec![0.0f32; GRID * GRID * BINS];
    for y in 2..CROP - 2 {
        for x in 2..CROP - 2 {
            let i = y * CROP + x;
            let ring = [i - 2, i - 2 * CROP, i + 2, i + 2 * CROP, i - 2 * CROP - 2];
            let code = ring.iter().enumerate().map(|(k, &j)| usize::from(luma[j] > luma[i]) << k).sum::<usize>();
            out[((y * GRID / CROP) * GRID + x * GRID / CROP) * BINS + code] += 1.0;
        }
    }
    let norm = out.iter().sum::<f32>().max(1.0);
    out.iter_mut().for_each(|v| *v = (*v / norm).sqrt());
    out
}

/// Bhattacharyya coefficient, 0 to 1.
pub(super) fn likeness(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crop of smooth blobs, with noise over it.
    fn crop(face: u32, noise: u32) -> Vec<u8> {
        let value = |i: usize| {
            let (x, y) = ((i % CROP) as f32, (i / CROP) as f32);
            let wave = |k: f32| (x * (0.05 + 0.01 * k) + y * 0.03 * k + face as f32 * k).sin();
            let grain = (i as u32).wrapping_mul(2_654_435_761).wrapping_add(noise.wrapping_mul(40_503)) >> 28;
            (128.0 + 25.0 * (wave(1.0) + wave(2.0) + wave(3.0))) as u8 + (grain / 4) as u8
        };
        (0..CROP * CROP).flat_map(|i| [value(i); 3]).collect()
    }

    #[test]
    fn who_comes_back_is_known_and_who_is_here_or_new_is_not() {
        let mut memory = Memory::default();
        for k in 0..40 {
            memory.add(0, &appearance(&crop(0, k)));
            memory.add(1, &appearance(&crop(7, k)));
        }
        (0..10).for_each(|k| memory.add(2, &appearance(&crop(3, k))));
        let find = |face, here: &[u32]| memory.find(&appearance(&crop(face, 99)), |id| here.contains(&id));
        assert_eq!((find(0, &[]), find(7, &[])), (Some(0), Some(1)));
        assert_eq!((find(0, &[0]), find(5, &[])), (None, None));
        assert_eq!(find(3, &[]), None, "seen too seldom");
        let like = |id, face| memory.like(id, &appearance(&crop(face, 99)));
        assert!(like(0, 0) && !like(0, 5) && !like(9, 0), "in the place of a face that was cut off");
    }

    #[test]
    fn of_many_faces_those_seen_most_are_kept() {
        let mut memory = Memory::default();
        let look = appearance(&crop(0, 0));
        for id in 0..200 {
            (0..if id == 50 { 30 } else { 2 }).for_each(|_| memory.add(id, &look));
        }
        assert!(memory.0.len() <= MOST && memory.0.contains_key(&50));
    }
}
