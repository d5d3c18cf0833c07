//! Small pictures from frames in their planes: the plane on which faces are sought, the thumbnail kept of every
//! frame, and aligned crops. No frame is ever converted whole.
//!
//! All coordinates are those of the upright frame (its rotation applied), continuous, pixel centres at `.5`.

mod channels;
mod crop;

use crate::media::{PixelLayout, Plane, Rotation, VideoFrame};
use channels::Channels;
pub use crop::{Crop, crop, planar};

/// Sides of a search plane are multiples of this.
pub const SEARCH_STEP: usize = 32;

/// A small RGB picture of a whole frame.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPlane {
    /// R, G, B planes one after the other, rows of `width`, values 0 to 255; zero beyond the picture.
    pub chw: Vec<f32>,
    /// Width, a multiple of [`SEARCH_STEP`].
    pub width: usize,
    /// Height, a multiple of [`SEARCH_STEP`].
    pub height: usize,
    /// Pixels of this plane to one of the frame: divide by it to come back.
    pub scale: f32,
}

/// The picture scaled down by area so that its longer side has `long_side` pixels (never up), in the top left of a
/// plane whose sides are multiples of [`SEARCH_STEP`].
#[must_use]
pub fn search_plane(frame: &VideoFrame, long_side: usize) -> SearchPlane {
    let (w, h) = frame.upright_size();
    let scale = (long_side.max(1) as f32 / w.max(h) as f32).min(1.0);
    let side = |v: u32| ((v as f32 * scale).round() as usize).max(1);
    let (inner_w, inner_h) = (side(w), side(h));
    let (width, height) = (inner_w.next_multiple_of(SEARCH_STEP), inner_h.next_multiple_of(SEARCH_STEP));
    let turn = Turn { rotation: frame.rotation, width: inner_w, height: inner_h };
    let (stored_w, stored_h) = turn.stored_size();
    let channels = Channels::of(frame);
    let from = [frame.width as usize, frame.height as usize];
    let grey = || vec![128.0; stored_w * stored_h];
    let small = channels.planes.map(|c| c.map_or_else(grey, |c| c.scaled(from, [stored_w, stored_h])));
    let mut colours = [(); 3].map(|()| vec![0.0; stored_w * stored_h]);
    channels.colours(small.each_ref().map(Vec::as_slice), &mut colours);
    let mut chw = vec![0.0; 3 * width * height];
    for (plane, colour) in chw.chunks_exact_mut(width * height).zip(&colours) {
        for (y, row) in plane.chunks_exact_mut(width).take(inner_h).enumerate() {
            for (x, value) in row[..inner_w].iter_mut().enumerate() {
                let (sx, sy) = turn.stored(x, y);
                *value = colour[sy * stored_w + sx];
            }
        }
    }
    SearchPlane { chw, width, height, scale }
}

/// Samples taken of each thumbnail tile, across and down.
const TILE_SAMPLES: usize = 4;

/// Luma of the frame on a grid of `width` x `height` tiles, full range, row by row: the mean of sixteen pixels spread
/// over each tile, and the single pixel at its middle.
#[must_use]
pub fn luma_thumbnail(frame: &VideoFrame, width: usize, height: usize) -> (Vec<u8>, Vec<u8>) {
    let turn = Turn { rotation: frame.rotation, width, height };
    let (stored_w, stored_h) = turn.stored_size();
    let luma = Luma::of(frame);
    let (w, h) = (frame.width as usize, frame.height as usize);
    let fine = |count: usize, side: usize| -> Vec<usize> {
        let steps = count * TILE_SAMPLES;
        (0..steps).map(|i| ((2 * i + 1) * side / (2 * steps)).min(side - 1)).collect()
    };
    let (xs, ys) = (fine(stored_w, w), fine(stored_h, h));
    let mut sums = Vec::with_capacity(stored_w * stored_h);
    let mut column = vec![0_u16; luma.plane.width];
    for &[a, b, c, d] in ys.as_chunks::<TILE_SAMPLES>().0 {
        // whole rows first: neighbours are summed side by side
        let [a, b, c, d] = [a, b, c, d].map(|y| luma.plane.row(y));
        for (sum, ((&a, &b), (&c, &d))) in column.iter_mut().zip(a.iter().zip(b).zip(c.iter().zip(d))) {
            *sum = [a, b, c, d].map(u16::from).iter().sum();
        }
        let tiles = xs.as_chunks::<TILE_SAMPLES>().0;
        if luma.rgb {
            sums.extend(tiles.iter().map(|xs| xs.iter().map(|&x| luma.at(&column, x)).sum::<u32>()));
        } else {
            sums.extend(tiles.iter().map(|xs| xs.map(|x| u32::from(column[x])).iter().sum::<u32>()));
        }
    }
    let middle = |i: usize, count: usize, side: usize| ((2 * i + 1) * side / (2 * count)).min(side - 1);
    let (mut means, mut pixels) = (Vec::with_capacity(width * height), Vec::with_capacity(width * height));
    let samples = (TILE_SAMPLES * TILE_SAMPLES) as f32;
    for y in 0..height {
        for x in 0..width {
            let (sx, sy) = turn.stored(x, y);
            let row = luma.plane.row(middle(sy, stored_h, h));
            means.push(luma.full(sums[sy * stored_w + sx] as f32 / samples));
            pixels.push(luma.full(luma.at(row, middle(sx, stored_w, w)) as f32));
        }
    }
    (means, pixels)
}

/// Luma of interleaved RGB after ITU-R BT.601, full range, 0 to 255.
#[must_use]
pub fn luma_of_rgb(rgb: &[u8]) -> Vec<f32> {
    // not `mul_add`: without the instruction it is a call
    rgb.chunks_exact(3).map(|p| 0.299 * f32::from(p[0]) + 0.587 * f32::from(p[1]) + 0.114 * f32::from(p[2])).collect()
}

/// Which stored pixel an upright one is, for pictures of any one size.
struct Turn {
    rotation: Rotation,
    width: usize,
    height: usize,
}

impl Turn {
    const fn stored_size(&self) -> (usize, usize) {
        match self.rotation {
            Rotation::None | Rotation::Half => (self.width, self.height),
            Rotation::Quarter | Rotation::ThreeQuarters => (self.height, self.width),
        }
    }

    const fn stored(&self, x: usize, y: usize) -> (usize, usize) {
        match self.rotation {
            Rotation::None => (x, y),
            Rotation::Quarter => (y, self.width - 1 - x),
            Rotation::Half => (self.width - 1 - x, self.height - 1 - y),
            Rotation::ThreeQuarters => (self.height - 1 - y, x),
        }
    }
}

/// The luma of a frame.
struct Luma<'a> {
    plane: Plane<'a>,
    rgb: bool,
    full: bool,
}

impl<'a> Luma<'a> {
    fn of(frame: &'a VideoFrame) -> Self {
        let full = match frame.layout {
            PixelLayout::Yuv { full_range, .. }
            | PixelLayout::Nv12 { full_range }
            | PixelLayout::Grey { full_range } => full_range,
            PixelLayout::Rgb => true,
        };
        Self { plane: frame.plane(0), rgb: frame.layout == PixelLayout::Rgb, full }
    }

    fn at<T: Copy + Into<u32>>(&self, row: &[T], x: usize) -> u32 {
        let value = |i: usize| row.get(i).copied().map_or(0, Into::into);
        if self.rgb { (77 * value(3 * x) + 150 * value(3 * x + 1) + 29 * value(3 * x + 2)) >> 8 } else { value(x) }
    }

    fn full(&self, value: f32) -> u8 {
        let value = if self.full { value } else { (value - 16.0) * (255.0 / 219.0) };
        value.round().clamp(0.0, 255.0) as u8
    }
}
