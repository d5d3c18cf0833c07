//! Aligned crops.

use super::channels::{Channel, Channels, MOST};
use crate::dsp::geometry::{Affine, Rect};
use crate::media::{Rotation, VideoFrame};

/// A square or oblong picture cut from a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    /// Interleaved RGB, rows of `width`.
    pub rgb: Vec<u8>,
    /// Width in pixels.
    pub width: usize,
    /// Height in pixels.
    pub height: usize,
    /// Share of its pixels that lie beyond the frame and repeat its border, 0 to 1.
    pub outside: f32,
}

impl Crop {
    /// R, G, B planes one after the other, values 0 to 255: what models take.
    #[must_use]
    pub fn chw(&self) -> Vec<f32> {
        planar(&self.rgb)
    }
}

/// R, G, B planes one after the other, values 0 to 255, of interleaved RGB.
#[must_use]
pub fn planar(rgb: &[u8]) -> Vec<f32> {
    let (pixels, _) = rgb.as_chunks::<3>();
    let mut chw = Vec::with_capacity(rgb.len());
    for c in 0..3 {
        chw.extend(pixels.iter().map(|p| f32::from(p[c])));
    }
    chw
}

/// Cuts a picture of `width` x `height` pixels; `to_frame` takes its coordinates to those of the upright frame.
///
/// Bilinear; where the frame is scaled down, boxes of whole pixels are averaged first. Beyond the frame its border
/// repeats.
#[must_use]
pub fn crop(frame: &VideoFrame, to_frame: &Affine, (width, height): (usize, usize)) -> Crop {
    let corners = [[0.0, 0.0], [width as f32, 0.0], [0.0, height as f32], [width as f32, height as f32]];
    let to_stored = to_frame.then(&stored_from_upright(frame));
    let shrink = (to_frame.determinant().abs().sqrt().max(1.0) + 1e-3) as usize;
    let bounds = Rect::around(&corners.map(|c| to_stored.apply(c))).unwrap_or_default();
    let tile = Tile::of(frame, bounds, shrink.min(MOST));
    let channels = Channels::of(frame);
    let rgb = if tile.shrink == 1 {
        let layers = channels.planes.map(|c| c.map(Layer::stored));
        tile.sample(&layers, &channels, &to_stored, (width, height))
    } else {
        let means = channels.planes.map(|c| c.map(|c| c.averaged(tile.origin, tile.size, tile.shrink)));
        let layers = means.each_ref().map(|m| m.as_ref().map(|m| Layer::averaged(m, tile.size[0])));
        tile.sample(&layers, &channels, &to_stored, (width, height))
    };
    let (w, h) = (frame.width as f32, frame.height as f32);
    let within = bounds.x0 >= 0.0 && bounds.y0 >= 0.0 && bounds.x1 < w && bounds.y1 < h;
    let beyond = |x: usize, y: usize| {
        let [sx, sy] = to_stored.apply([x as f32 + 0.5, y as f32 + 0.5]);
        sx < 0.0 || sy < 0.0 || sx >= w || sy >= h
    };
    let outside = match within {
        true => 0,
        false => (0..height).map(|y| (0..width).filter(|&x| beyond(x, y)).count()).sum::<usize>(),
    };
    Crop { rgb, width, height, outside: outside as f32 / (width * height).max(1) as f32 }
}

fn stored_from_upright(frame: &VideoFrame) -> Affine {
    let (w, h) = (frame.width as f32, frame.height as f32);
    Affine(match frame.rotation {
        Rotation::None => [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        Rotation::Quarter => [0.0, 1.0, 0.0, -1.0, 0.0, h],
        Rotation::Half => [-1.0, 0.0, w, 0.0, -1.0, h],
        Rotation::ThreeQuarters => [0.0, -1.0, w, 1.0, 0.0, 0.0],
    })
}

/// The part of a frame that a crop needs, scaled down by a whole number.
struct Tile {
    /// First stored column and row, in boxes.
    origin: [usize; 2],
    /// Columns and rows, in boxes.
    size: [usize; 2],
    /// Stored pixels of a box's side.
    shrink: usize,
}

impl Tile {
    fn of(frame: &VideoFrame, bounds: Rect, shrink: usize) -> Self {
        let side = |low: f32, high: f32, size: u32| {
            let count = (size as usize).div_ceil(shrink);
            let first = ((low / shrink as f32).floor() - 1.0).clamp(0.0, (count - 1) as f32) as usize;
            let end = ((high / shrink as f32).ceil() + 1.0).min(count as f32) as usize;
            (first, end.max(first + 1) - first)
        };
        let (xs, ys) = (side(bounds.x0, bounds.x1, frame.width), side(bounds.y0, bounds.y1, frame.height));
        Self { origin: [xs.0, ys.0], size: [xs.1, ys.1], shrink }
    }

    /// From the frame's stored pixels to this tile's, whose centres are whole numbers.
    fn stored_to_tile(&self) -> Affine {
        let scale = 1.0 / self.shrink as f32;
        let [x, y] = self.origin.map(|v| v as f32);
        Affine([scale, 0.0, -0.5 - x, 0.0, scale, -0.5 - y])
    }

    /// The picture of a size, between the pixels of `layers`. Row by row and step by step, so that neighbours are worked out side by
    /// side.
    fn sample<T: Copy + Default + Into<f32>>(
        &self,
        layers: &[Option<Layer<'_, T>>; 3],
        channels: &Channels<'_>,
        to_stored: &Affine,
        (width, height): (usize, usize),
    ) -> Vec<u8> {
        let Affine([ax, bx, cx, ay, by, cy]) = to_stored.then(&self.stored_to_tile());
        // boxes were cut out already, stored pixels lie in the whole plane
        let origin = if self.shrink == 1 { self.origin } else { [0, 0] };
        let mut places = [(); 2].map(|()| Places::new(width));
        let mut taps = Taps::new(width);
        let mut lines = [(); 3].map(|()| vec![128.0; width]);
        let mut colours = [(); 3].map(|()| vec![0.0; width]);
        let mut bytes = vec![0_u8; width];
        let mut rgb = vec![0; width * height * 3];
        for (y, rgb) in rgb.chunks_exact_mut((width * 3).max(1)).enumerate() {
            let y = y as f32 + 0.5;
            for (axis, (slope, start)) in [(ax, bx * y + cx), (ay, by * y + cy)].into_iter().enumerate() {
                places[axis].fill(slope, start, origin[axis], self.size[axis]);
            }
            for (line, layer) in lines.iter_mut().zip(layers) {
                if let Some(layer) = layer {
                    layer.gather(&places, &mut taps);
                    taps.between(&places, line);
                }
            }
            channels.colours(lines.each_ref().map(Vec::as_slice), &mut colours);
            for (c, colour) in colours.iter().enumerate() {
                // through a 32-bit number, which is one instruction for four of them
                colour.iter().zip(&mut bytes).for_each(|(&v, byte)| *byte = (v + 0.5) as i32 as u8);
                rgb.iter_mut().skip(c).step_by(3).zip(&bytes).for_each(|(to, &byte)| *to = byte);
            }
        }
        rgb
    }
}

/// Along one axis, between which pixels the places of a row lie, and how far towards the second.
struct Places {
    low: Vec<u32>,
    share: Vec<f32>,
    /// How far the second pixel is; 0 where there is one only.
    next: u32,
}

impl Places {
    fn new(count: usize) -> Self {
        Self { low: vec![0; count], share: vec![0.0; count], next: 0 }
    }

    /// Of `count` pixels from `origin` on; the last is the second of its pair.
    fn fill(&mut self, slope: f32, start: f32, origin: usize, count: usize) {
        let last = count.saturating_sub(2) as i32;
        self.next = u32::from(count > 1);
        for (i, (low, share)) in self.low.iter_mut().zip(&mut self.share).enumerate() {
            let at = slope * (i as i32 as f32 + 0.5) + start;
            // by a 32-bit number, since without newer instructions `floor`, `fract` and wider casts are calls
            let whole = (at as i32).clamp(0, last);
            (*low, *share) = (whole as u32 + origin as u32, (at - whole as f32).clamp(0.0, 1.0));
        }
    }
}

/// Of every place of a row the pixels around it: upper left, upper right, lower left, lower right.
struct Taps<T> {
    values: [Vec<T>; 4],
    /// Where in the channel the first is, and how much further the right and the lower ones.
    at: [Vec<u32>; 3],
}

impl<T: Copy + Default + Into<f32>> Taps<T> {
    fn new(count: usize) -> Self {
        Self { values: [(); 4].map(|()| vec![T::default(); count]), at: [(); 3].map(|()| vec![0; count]) }
    }

    fn between(&self, [across, down]: &[Places; 2], out: &mut [f32]) {
        let [a, b, c, d] = &self.values;
        let upper = a.iter().zip(b);
        let lower = c.iter().zip(d);
        let shares = across.share.iter().zip(&down.share);
        for (value, (((&a, &b), (&c, &d)), (&fx, &fy))) in out.iter_mut().zip(upper.zip(lower).zip(shares)) {
            let [a, b, c, d]: [f32; 4] = [a, b, c, d].map(Into::into);
            let (top, bottom) = (a + fx * (b - a), c + fx * (d - c));
            *value = top + fy * (bottom - top);
        }
    }
}

/// Values of one channel: every `step`th from `offset`, subsampled by powers of two.
struct Layer<'a, T> {
    values: &'a [T],
    stride: usize,
    step: usize,
    offset: usize,
    sub: [u8; 2],
}

impl<'a> Layer<'a, u8> {
    const fn stored(channel: Channel<'a>) -> Self {
        let Channel { plane, step, offset, sub } = channel;
        Self { values: plane.data, stride: plane.stride, step, offset, sub }
    }
}

impl<'a> Layer<'a, f32> {
    const fn averaged(means: &'a [f32], width: usize) -> Self {
        Self { values: means, stride: width, step: 1, offset: 0, sub: [0, 0] }
    }
}

impl<T: Copy + Default> Layer<'_, T> {
    fn gather(&self, [across, down]: &[Places; 2], taps: &mut Taps<T>) {
        let (step, stride, offset) = (self.step as u32, self.stride as u32, self.offset as u32);
        let ([sx, sy], next) = (self.sub, [across.next, down.next]);
        let [at, right, below] = &mut taps.at;
        let lows = across.low.iter().zip(&down.low);
        for (((at, right), below), (&x, &y)) in at.iter_mut().zip(right).zip(below).zip(lows) {
            *at = (y >> sy) * stride + (x >> sx) * step + offset;
            *right = (((x + next[0]) >> sx) - (x >> sx)) * step;
            *below = (((y + next[1]) >> sy) - (y >> sy)) * stride;
        }
        let value = |at: u32| self.values.get(at as usize).copied().unwrap_or_default();
        let [a, b, c, d] = &mut taps.values;
        let [at, right, below] = &taps.at;
        let places = at.iter().zip(right).zip(below);
        for ((((a, b), c), d), ((&at, &right), &below)) in a.iter_mut().zip(b).zip(c).zip(d).zip(places) {
            (*a, *b) = (value(at), value(at + right));
            (*c, *d) = (value(at + below), value(at + below + right));
        }
    }
}
