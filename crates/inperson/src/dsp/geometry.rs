//! Boxes, affine maps and the suppression of overlapping boxes.
//!
//! Coordinates are continuous: pixel `i` covers `[i, i + 1)` and its centre is at `i + 0.5`.

/// An upright box in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub x0: f32,
    /// Top edge.
    pub y0: f32,
    /// Right edge.
    pub x1: f32,
    /// Bottom edge.
    pub y1: f32,
}

impl Rect {
    /// From left, top, right and bottom.
    #[must_use]
    pub const fn new(x0: f32, y0: f32, x1: f32, y1: f32) -> Self {
        Self { x0, y0, x1, y1 }
    }

    /// The smallest box around points; `None` without points.
    #[must_use]
    pub fn around(points: &[[f32; 2]]) -> Option<Self> {
        let (&[x, y], rest) = points.split_first()?;
        Some(
            rest.iter().fold(Self::new(x, y, x, y), |r, &[x, y]| {
                Self::new(r.x0.min(x), r.y0.min(y), r.x1.max(x), r.y1.max(y))
            }),
        )
    }

    /// Width, never negative.
    #[must_use]
    pub fn width(self) -> f32 {
        (self.x1 - self.x0).max(0.0)
    }

    /// Height, never negative.
    #[must_use]
    pub fn height(self) -> f32 {
        (self.y1 - self.y0).max(0.0)
    }

    /// Width times height.
    #[must_use]
    pub fn area(self) -> f32 {
        self.width() * self.height()
    }

    /// The middle.
    #[must_use]
    pub fn centre(self) -> [f32; 2] {
        [0.5 * (self.x0 + self.x1), 0.5 * (self.y0 + self.y1)]
    }

    /// The part shared with `other`; of no area where there is none.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        let (x0, y0) = (self.x0.max(other.x0), self.y0.max(other.y0));
        Self::new(x0, y0, self.x1.min(other.x1).max(x0), self.y1.min(other.y1).max(y0))
    }

    /// Intersection over union, 0 to 1; 0 where both are empty.
    #[must_use]
    pub fn iou(self, other: Self) -> f32 {
        let shared = self.intersection(other).area();
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// Grown about its middle: `factor` 1 leaves it, 2 doubles its sides.
    #[must_use]
    pub fn expand(self, factor: f32) -> Self {
        let [x, y] = self.centre();
        let (w, h) = (0.5 * factor * self.width(), 0.5 * factor * self.height());
        Self::new(x - w, y - h, x + w, y + h)
    }

    /// Cut to a picture of this width and height.
    #[must_use]
    pub fn clamp(self, width: f32, height: f32) -> Self {
        let (x, y) = (|v: f32| v.clamp(0.0, width.max(0.0)), |v: f32| v.clamp(0.0, height.max(0.0)));
        Self::new(x(self.x0), y(self.y0), x(self.x1), y(self.y1))
    }
}

/// Indices of the boxes that remain, best score first, when each suppresses the lower scored ones that overlap it by
/// more than `iou`. Boxes whose score is not a number are left out.
#[must_use]
pub fn nms(boxes: &[(Rect, f32)], iou: f32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..boxes.len()).filter(|&i| !boxes[i].1.is_nan()).collect();
    order.sort_by(|&a, &b| boxes[b].1.total_cmp(&boxes[a].1).then(a.cmp(&b)));
    let mut kept: Vec<usize> = Vec::new();
    for index in order {
        if kept.iter().all(|&k| boxes[k].0.iou(boxes[index].0) <= iou) {
            kept.push(index);
        }
    }
    kept
}

/// An affine map of the plane: `x' = m[0] x + m[1] y + m[2]`, `y' = m[3] x + m[4] y + m[5]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine(pub [f32; 6]);

impl Default for Affine {
    fn default() -> Self {
        Self([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    }
}

impl Affine {
    /// Takes `[0, width) x [0, height)` to `rect`: the map for a crop of that size.
    #[must_use]
    pub fn onto(rect: Rect, width: f32, height: f32) -> Self {
        Self([(rect.x1 - rect.x0) / width, 0.0, rect.x0, 0.0, (rect.y1 - rect.y0) / height, rect.y0])
    }

    /// Where a point goes.
    #[must_use]
    pub fn apply(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let m = &self.0;
        [m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]]
    }

    /// This map first, `next` after it.
    #[must_use]
    pub fn then(&self, next: &Self) -> Self {
        let ([a, b, c, d, e, f], n) = (self.0, &next.0);
        Self([
            n[0] * a + n[1] * d,
            n[0] * b + n[1] * e,
            n[0] * c + n[1] * f + n[2],
            n[3] * a + n[4] * d,
            n[3] * b + n[4] * e,
            n[3] * c + n[4] * f + n[5],
        ])
    }

    /// By how much areas grow; negative for a mirror.
    #[must_use]
    pub fn determinant(&self) -> f32 {
        self.0[0] * self.0[4] - self.0[1] * self.0[3]
    }

    /// The map back; `None` where this one collapses the plane.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let [a, b, c, d, e, f] = self.0;
        let k = 1.0 / self.determinant();
        k.is_finite().then(|| Self([e * k, -b * k, (b * f - c * e) * k, -d * k, a * k, (c * d - a * f) * k]))
    }

    /// The similarity (turn, one scale, shift; no mirror) that takes `from` to `to` with the least squared error
    /// (Umeyama 1991). `None` for fewer than two points or points that coincide.
    #[must_use]
    pub fn similarity(from: &[[f32; 2]], to: &[[f32; 2]]) -> Option<Self> {
        let count = from.len().min(to.len());
        let mean = |points: &[[f32; 2]]| {
            let sum =
                points[..count].iter().fold([0.0_f64; 2], |s, p| [s[0] + f64::from(p[0]), s[1] + f64::from(p[1])]);
            [sum[0] / count as f64, sum[1] / count as f64]
        };
        if count < 2 {
            return None;
        }
        let (mf, mt) = (mean(from), mean(to));
        // in the plane the best turn has a closed form, with the two sums that complex numbers would give
        let (mut dot, mut cross, mut spread) = (0.0, 0.0, 0.0);
        for (p, q) in from.iter().zip(to) {
            let (px, py) = (f64::from(p[0]) - mf[0], f64::from(p[1]) - mf[1]);
            let (qx, qy) = (f64::from(q[0]) - mt[0], f64::from(q[1]) - mt[1]);
            dot += px * qx + py * qy;
            cross += px * qy - py * qx;
            spread += px * px + py * py;
        }
        if spread <= f64::EPSILON || !spread.is_finite() {
            return None;
        }
        let (a, b) = (dot / spread, cross / spread);
        let (tx, ty) = (mt[0] - a * mf[0] + b * mf[1], mt[1] - b * mf[0] - a * mf[1]);
        Some(Self([a, -b, tx, b, a, ty].map(|v| v as f32)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn boxes() {
        let (a, b) = (Rect::new(0.0, 0.0, 4.0, 4.0), Rect::new(2.0, 0.0, 6.0, 4.0));
        assert!((a.iou(b) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.iou(Rect::new(9.0, 9.0, 10.0, 10.0)), 0.0);
        assert_eq!(Rect::default().iou(Rect::default()), 0.0);
        assert_eq!(a.expand(2.0), Rect::new(-2.0, -2.0, 6.0, 6.0));
        assert_eq!(a.expand(2.0).clamp(5.0, 3.0), Rect::new(0.0, 0.0, 5.0, 3.0));
        assert_eq!(Rect::around(&[[1.0, 5.0], [3.0, 2.0]]), Some(Rect::new(1.0, 2.0, 3.0, 5.0)));
        assert_eq!(nms(&[(a, 0.5), (b, 0.9), (a.expand(0.9), 0.8), (b, f32::NAN)], 0.3), [1, 2]);
        assert_eq!(nms(&[(a, 0.5), (b, 0.9)], 0.5), [1, 0]);
    }

    #[test]
    fn too_few_points_have_no_similarity() {
        assert_eq!(Affine::similarity(&[[1.0, 1.0]], &[[1.0, 1.0]]), None);
        assert_eq!(Affine::similarity(&[[1.0, 1.0]; 3], &[[1.0, 2.0]; 3]), None);
        assert_eq!(Affine([0.0; 6]).inverse(), None);
    }

    proptest! {
        #[test]
        fn similarities_are_found_and_undone(
            scale in 0.2f32..5.0, turn in -3.1f32..3.1, tx in -100f32..100.0, ty in -100f32..100.0,
            points in prop::collection::vec([-50f32..50.0, -50f32..50.0], 3..8)
        ) {
            let spread = Rect::around(&points).unwrap();
            prop_assume!(spread.width().max(spread.height()) > 1.0);
            let (c, s) = (scale * turn.cos(), scale * turn.sin());
            let made = Affine([c, -s, tx, s, c, ty]);
            let moved: Vec<[f32; 2]> = points.iter().map(|&p| made.apply(p)).collect();
            let found = Affine::similarity(&points, &moved).unwrap();
            let back = made.then(&found.inverse().unwrap());
            for &p in &points {
                let (q, r) = (found.apply(p), back.apply(p));
                prop_assert!((q[0] - made.apply(p)[0]).abs() < 0.01 && (q[1] - made.apply(p)[1]).abs() < 0.01);
                prop_assert!((r[0] - p[0]).abs() < 0.05 && (r[1] - p[1]).abs() < 0.05);
            }
        }
    }
}
