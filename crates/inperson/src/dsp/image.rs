//! Small pictures from frames in their planes: the plane on which faces are sought, the thumbnail kept of every
//! frame, and aligned crops. No frame is ever converted whole.
//!
//! All coordinates are those of the upright frame (its rotation applied), continuous, pixel centres at `.5`.

use super::geometry::{Affine, Rect};
use crate::media::{ColorMatrix, PixelLayout, Plane, Rotation, VideoFrame};

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
    let small = channels.planes.map(|c| c.map(|c| c.area(stored_w, stored_h)));
    let [first, second, third] = &small;
    let mut chw = vec![0.0; 3 * width * height];
    for y in 0..inner_h {
        for x in 0..inner_w {
            let (sx, sy) = turn.stored(x, y);
            let at = sy * stored_w + sx;
            let value = |plane: &Option<Vec<f32>>| plane.as_ref().map_or(128.0, |p| p[at]);
            let rgb = channels.rgb([value(first), value(second), value(third)]);
            for (c, v) in rgb.into_iter().enumerate() {
                chw[(c * height + y) * width + x] = v.clamp(0.0, 255.0);
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
    for ys in ys.chunks_exact(TILE_SAMPLES) {
        // whole rows first: neighbours are summed side by side
        column.fill(0);
        for &y in ys {
            column.iter_mut().zip(luma.plane.row(y)).for_each(|(s, &v)| *s += u16::from(v));
        }
        sums.extend(xs.chunks_exact(TILE_SAMPLES).map(|xs| xs.iter().map(|&x| luma.at(&column, x)).sum::<u32>()));
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

/// Cuts a picture of `width` x `height` pixels; `to_frame` takes its coordinates to those of the upright frame.
///
/// Bilinear; where the frame is scaled down, boxes of whole pixels are averaged first. Beyond the frame its border
/// repeats.
#[must_use]
pub fn crop(frame: &VideoFrame, to_frame: &Affine, (width, height): (usize, usize)) -> Crop {
    let corners = [[0.0, 0.0], [width as f32, 0.0], [0.0, height as f32], [width as f32, height as f32]];
    let to_stored = to_frame.then(&stored_from_upright(frame));
    let shrink = (to_frame.determinant().abs().sqrt().max(1.0) + 1e-3) as usize;
    let mut rgb = Vec::with_capacity(width * height * 3);
    let bounds = Rect::around(&corners.map(|c| to_stored.apply(c))).unwrap_or_default();
    let tile = Tile::of(frame, bounds, shrink.min(64));
    let to_tile = to_stored.then(&tile.from_stored());
    let mut outside = 0_usize;
    let (w, h) = (frame.width as f32, frame.height as f32);
    let within = bounds.x0 >= 0.0 && bounds.y0 >= 0.0 && bounds.x1 < w && bounds.y1 < h;
    for y in 0..height {
        for x in 0..width {
            let at = [x as f32 + 0.5, y as f32 + 0.5];
            if !within {
                let [sx, sy] = to_stored.apply(at);
                outside += usize::from(sx < 0.0 || sy < 0.0 || sx >= w || sy >= h);
            }
            let [r, g, b, _] = tile.sample(to_tile.apply(at));
            rgb.extend_from_slice(&[r, g, b].map(|v| (v + 0.5) as i32 as u8));
        }
    }
    Crop { rgb, width, height, outside: outside as f32 / (width * height).max(1) as f32 }
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

fn stored_from_upright(frame: &VideoFrame) -> Affine {
    let (w, h) = (frame.width as f32, frame.height as f32);
    Affine(match frame.rotation {
        Rotation::None => [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        Rotation::Quarter => [0.0, 1.0, 0.0, -1.0, 0.0, h],
        Rotation::Half => [-1.0, 0.0, w, 0.0, -1.0, h],
        Rotation::ThreeQuarters => [0.0, -1.0, w, 1.0, 0.0, 0.0],
    })
}

/// One channel inside a plane: every `step`th byte from `offset`, subsampled by powers of two.
#[derive(Clone, Copy)]
struct Channel<'a> {
    plane: Plane<'a>,
    step: usize,
    offset: usize,
    sub: [u8; 2],
}

impl Channel<'_> {
    /// Scaled to a size by area.
    fn area(self, width: usize, height: usize) -> Vec<f32> {
        let columns = self.plane.width / self.step;
        let (across, down) = (spans(columns, width), spans(self.plane.height, height));
        let mut out = Vec::with_capacity(width * height);
        let mut sums = vec![0.0_f32; columns];
        let scale = (width as f32 / columns as f32) * (height as f32 / self.plane.height as f32);
        for &(y0, y1, top, bottom) in &down {
            sums.fill(0.0);
            for y in y0..y1 {
                let weight = if y == y0 {
                    top
                } else if y + 1 == y1 {
                    bottom
                } else {
                    1.0
                };
                let row = self.plane.row(y);
                if self.step == 1 {
                    sums.iter_mut().zip(row).for_each(|(s, &v)| *s += weight * f32::from(v));
                } else {
                    let row = row.iter().skip(self.offset).step_by(self.step);
                    sums.iter_mut().zip(row).for_each(|(s, &v)| *s += weight * f32::from(v));
                }
            }
            out.extend(across.iter().map(|&(x0, x1, left, right)| {
                let inner: f32 = sums[x0..x1].iter().sum();
                let last = if x1 - x0 == 1 { 0.0 } else { (right - 1.0) * sums[x1 - 1] };
                (inner + (left - 1.0) * sums[x0] + last) * scale
            }));
        }
        out
    }

    /// The boxes of `size` stored pixels across, from box `first` on.
    fn boxes(&self, first: usize, count: usize, size: usize) -> Boxes {
        let columns = self.plane.width / self.step;
        let spans: Vec<_> = (first..first + count).map(|x| boxed(x, size, self.sub[0], columns)).collect();
        let even = size % (1 << self.sub[0]) == 0 && spans.iter().all(|s| s.len() == size >> self.sub[0]);
        Boxes { even: even.then_some(size >> self.sub[0]), spans, size }
    }

    /// Means of `boxes` in box row `y` (64 stored pixels high at most), cut to the picture; `sums` is room to work in.
    fn means(self, boxes: &Boxes, y: usize, sums: &mut Vec<u16>, out: &mut [f32]) {
        let rows = boxed(y, boxes.size, self.sub[1], self.plane.height);
        let (Some(first), Some(last)) = (boxes.spans.first(), boxes.spans.last()) else { return };
        let all = first.start..last.end;
        if boxes.size == 1 {
            let row = self.plane.row(rows.start);
            for (value, span) in out.iter_mut().zip(&boxes.spans) {
                *value = f32::from(row[span.start * self.step + self.offset]);
            }
            return;
        }
        // down first, where neighbours are summed side by side
        sums.clear();
        sums.resize(all.len(), 0);
        let count = rows.len();
        for y in rows {
            let row = self.plane.row(y);
            if self.step == 1 {
                sums.iter_mut().zip(&row[all.clone()]).for_each(|(s, &v)| *s += u16::from(v));
            } else {
                let row = row[all.start * self.step + self.offset..].iter().step_by(self.step);
                sums.iter_mut().zip(row).for_each(|(s, &v)| *s += u16::from(v));
            }
        }
        match boxes.even {
            // widths that are known beforehand become a few additions
            Some(1) => wide::<1>(sums, count, out),
            Some(2) => wide::<2>(sums, count, out),
            Some(3) => wide::<3>(sums, count, out),
            Some(4) => wide::<4>(sums, count, out),
            Some(5) => wide::<5>(sums, count, out),
            Some(6) => wide::<6>(sums, count, out),
            _ => {
                for (value, span) in out.iter_mut().zip(&boxes.spans) {
                    let sums = &sums[span.start - all.start..span.end - all.start];
                    let sum: u32 = sums.iter().map(|&v| u32::from(v)).sum();
                    *value = sum as f32 / (sums.len() * count) as f32;
                }
            }
        }
    }
}

/// Means over boxes `W` wide of sums over `count` rows.
fn wide<const W: usize>(sums: &[u16], count: usize, out: &mut [f32]) {
    let share = 1.0 / (W * count) as f32;
    let (boxes, _) = sums.as_chunks::<W>();
    for (value, sums) in out.iter_mut().zip(boxes) {
        let sum: i32 = sums.iter().map(|&v| i32::from(v)).sum();
        *value = sum as f32 * share;
    }
}

/// Boxes of pixels side by side in a channel.
struct Boxes {
    spans: Vec<std::ops::Range<usize>>,
    /// Their width where it is the same for all and none shares a pixel with its neighbour.
    even: Option<usize>,
    /// Stored pixels of a side.
    size: usize,
}

/// Pixels of a channel subsampled by `sub`, `count` in all, that box `index` of `size` stored pixels covers.
fn boxed(index: usize, size: usize, sub: u8, count: usize) -> std::ops::Range<usize> {
    let from = ((index * size) >> sub).min(count - 1);
    from..((index * size + size - 1) >> sub).min(count - 1) + 1
}

/// For each of `count` equal parts of `side` pixels: first pixel, end, and how much of the first and last is inside.
fn spans(side: usize, count: usize) -> Vec<(usize, usize, f32, f32)> {
    let step = side as f64 / count as f64;
    (0..count)
        .map(|i| {
            let (from, to) = (i as f64 * step, (i + 1) as f64 * step);
            let first = (from as usize).min(side - 1);
            let end = ((to - 1e-6).ceil() as usize).clamp(first + 1, side);
            let left = if end - first == 1 { to - from } else { first as f64 + 1.0 - from };
            (first, end, left as f32, (to - (end as f64 - 1.0)) as f32)
        })
        .collect()
}

/// The colour channels of a frame and the way from them to RGB.
struct Channels<'a> {
    planes: [Option<Channel<'a>>; 3],
    /// Offset and scale of luma, then V to R, U to G, V to G, U to B; `None` where the channels are RGB.
    matrix: Option<[f32; 6]>,
}

impl<'a> Channels<'a> {
    fn of(frame: &'a VideoFrame) -> Self {
        let channel = |index, step, offset, sub| Some(Channel { plane: frame.plane(index), step, offset, sub });
        let luma = channel(0, 1, 0, [0, 0]);
        let (planes, full) = match frame.layout {
            PixelLayout::Yuv { sub_x, sub_y, full_range } => {
                let sub = [sub_x, sub_y];
                ([luma, channel(1, 1, 0, sub), channel(2, 1, 0, sub)], full_range)
            }
            PixelLayout::Nv12 { full_range } => {
                ([luma, channel(1, 2, 0, [1, 1]), channel(1, 2, 1, [1, 1])], full_range)
            }
            PixelLayout::Grey { full_range } => ([luma, None, None], full_range),
            PixelLayout::Rgb => {
                return Self { planes: [0, 1, 2].map(|o| channel(0, 3, o, [0, 0])), matrix: None };
            }
        };
        // ITU-R BT.601, BT.709, BT.2020: weights of red and blue in luma
        let (kr, kb) = match frame.matrix {
            ColorMatrix::Bt601 => (0.299, 0.114),
            ColorMatrix::Bt709 => (0.2126, 0.0722),
            ColorMatrix::Bt2020 => (0.2627, 0.0593),
        };
        let kg = 1.0 - kr - kb;
        let (offset, luma, chroma) = if full { (0.0, 1.0, 1.0) } else { (16.0, 255.0 / 219.0, 255.0 / 224.0) };
        let (r, b) = (2.0 * (1.0 - kr) * chroma, 2.0 * (1.0 - kb) * chroma);
        Self { planes, matrix: Some([offset, luma, r, -b * kb / kg, -r * kr / kg, b]) }
    }

    fn rgb(&self, [y, u, v]: [f32; 3]) -> [f32; 3] {
        let Some([offset, scale, rv, gu, gv, bu]) = self.matrix else { return [y, u, v] };
        let (y, u, v) = ((y - offset) * scale, u - 128.0, v - 128.0);
        [y + rv * v, y + gu * u + gv * v, y + bu * u]
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

/// The part of a frame that a crop needs, in RGB, scaled down by a whole number.
struct Tile {
    /// The fourth is nothing: four numbers are one step of a vector unit. The last column and row are there twice, so that every pixel has
    /// a neighbour.
    rgb: Vec<[f32; 4]>,
    width: usize,
    height: usize,
    /// First stored column and row, in scaled pixels.
    origin: [f32; 2],
    shrink: f32,
}

impl Tile {
    fn of(frame: &VideoFrame, bounds: Rect, shrink: usize) -> Self {
        let side = |low: f32, high: f32, size: u32| {
            let count = (size as usize).div_ceil(shrink);
            let first = ((low / shrink as f32).floor() - 1.0).clamp(0.0, (count - 1) as f32) as usize;
            let end = ((high / shrink as f32).ceil() + 1.0).min(count as f32) as usize;
            first..end.max(first + 1)
        };
        let (xs, ys) = (side(bounds.x0, bounds.x1, frame.width), side(bounds.y0, bounds.y1, frame.height));
        let channels = Channels::of(frame);
        let stride = xs.len() + 1;
        let mut rgb = Vec::with_capacity(stride * (ys.len() + 1));
        let mut lines = [(); 3].map(|()| vec![128.0; xs.len()]);
        let mut sums = Vec::new();
        let boxes = channels.planes.map(|c| c.map(|c| (c, c.boxes(xs.start, xs.len(), shrink))));
        for y in ys.clone() {
            for (line, channel) in lines.iter_mut().zip(&boxes) {
                if let Some((channel, boxes)) = channel {
                    channel.means(boxes, y, &mut sums, line);
                }
            }
            let [a, b, c] = &lines;
            let values = a.iter().zip(b).zip(c).map(|((&a, &b), &c)| [a, b, c]);
            rgb.extend(values.map(|v| {
                let [r, g, b] = channels.rgb(v).map(|v| v.clamp(0.0, 255.0));
                [r, g, b, 0.0]
            }));
            rgb.extend_from_within(rgb.len() - 1..);
        }
        rgb.extend_from_within(rgb.len() - stride..);
        let origin = [xs.start as f32, ys.start as f32];
        Self { rgb, width: xs.len(), height: ys.len(), origin, shrink: shrink as f32 }
    }

    /// From the frame's stored pixels to this tile's, whose centres are whole numbers.
    fn from_stored(&self) -> Affine {
        let scale = 1.0 / self.shrink;
        let [x, y] = self.origin;
        Affine([scale, 0.0, -0.5 - x, 0.0, scale, -0.5 - y])
    }

    fn sample(&self, [x, y]: [f32; 2]) -> [f32; 4] {
        // by a 32-bit number, since without newer instructions `floor`, `fract` and wider casts are calls
        let place = |v: f32, count: usize| {
            let v = v.clamp(0.0, (count - 1) as f32);
            let whole = v as i32;
            (whole as usize, v - whole as f32)
        };
        let ((x, fx), (y, fy)) = (place(x, self.width), place(y, self.height));
        let stride = self.width + 1;
        let pair = |at: usize| (self.rgb[at..].first_chunk::<2>()).copied().unwrap_or_default();
        let ([a, b], [c, d]) = (pair(y * stride + x), pair((y + 1) * stride + x));
        let mix = |a: [f32; 4], b: [f32; 4], t: f32| -> [f32; 4] { std::array::from_fn(|i| a[i] + t * (b[i] - a[i])) };
        mix(mix(a, b, fx), mix(c, d, fx), fy)
    }
}
