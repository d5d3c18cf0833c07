//! The channels of a frame, wherever its planes hold them.

use crate::media::{ColorMatrix, PixelLayout, Plane, VideoFrame};

/// One channel inside a plane: every `step`th byte from `offset`, subsampled by powers of two.
#[derive(Clone, Copy)]
pub(super) struct Channel<'a> {
    pub(super) plane: Plane<'a>,
    pub(super) step: usize,
    pub(super) offset: usize,
    pub(super) sub: [u8; 2],
}

/// Most stored pixels of a box's side: what the 16-bit sums of its rows hold.
pub(super) const MOST: usize = 64;

impl Channel<'_> {
    /// A picture of `from` stored pixels scaled to a size, by whole boxes where they fit.
    pub(super) fn scaled(self, from: [usize; 2], [width, height]: [usize; 2]) -> Vec<f32> {
        let shrink = from[0] / width;
        if shrink <= MOST && [width * shrink, height * shrink] == from {
            return self.averaged([0, 0], [width, height], shrink);
        }
        self.area(width, height)
    }

    /// Means over `size` boxes across and down of `shrink` stored pixels ([`MOST`] at most), from the box `origin` on, row by row.
    pub(super) fn averaged(self, origin: [usize; 2], [width, height]: [usize; 2], shrink: usize) -> Vec<f32> {
        let boxes = self.boxes(origin[0], width, shrink);
        let mut sums = Vec::new();
        let mut means = vec![0.0; width * height];
        for (y, line) in means.chunks_exact_mut(width).enumerate() {
            self.means(&boxes, origin[1] + y, &mut sums, line);
        }
        means
    }

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
                let row = self.plane.row(y).iter().skip(self.offset).step_by(self.step);
                sums.iter_mut().zip(row).for_each(|(s, &v)| *s += weight * f32::from(v));
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
        let even = size.is_multiple_of(1 << self.sub[0]) && spans.iter().all(|s| s.len() == size >> self.sub[0]);
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
pub(super) struct Channels<'a> {
    pub(super) planes: [Option<Channel<'a>>; 3],
    /// Offset and scale of luma, then V to R, U to G, V to G, U to B; `None` where the channels are RGB.
    matrix: Option<[f32; 6]>,
}

impl<'a> Channels<'a> {
    pub(super) fn of(frame: &'a VideoFrame) -> Self {
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

    /// R, G and B, 0 to 255, of a line of values.
    pub(super) fn colours(&self, [a, b, c]: [&[f32]; 3], [red, green, blue]: &mut [Vec<f32>; 3]) {
        let out = red.iter_mut().zip(green).zip(blue);
        for (((red, green), blue), ((&a, &b), &c)) in out.zip(a.iter().zip(b).zip(c)) {
            [*red, *green, *blue] = self.rgb([a, b, c]).map(|v| v.clamp(0.0, 255.0));
        }
    }
}
