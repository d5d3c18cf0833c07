//! Two pictures of one thing laid over each other, and what is left between them.

/// Steps of the fit.
const STEPS: usize = 4;
/// Difference at which a pixel counts by half in the fit, in steps of luma: what moves by itself must not pull it.
const HALF: f32 = 6.0;
const UNKNOWNS: usize = 8;

/// What an affine map of the place and one of the light leave.
#[derive(Debug, Clone, PartialEq)]
pub struct Residual {
    /// Difference of the pictures, pixel by pixel, row by row; of the pixels fitted only; others mean nothing.
    pub difference: Vec<f32>,
    /// Length of the gradient of the second picture as it was laid over the first, of the pixels fitted only; others mean nothing.
    pub gradient: Vec<f32>,
}

impl Residual {
    /// Mean absolute difference over the mean gradient inside left, top, right, bottom (pixels): about the pixels by
    /// which content moved there by itself. The small constant keeps flat skin from dividing by nothing.
    #[must_use]
    pub fn moved(&self, side: usize, [left, top, right, bottom]: [usize; 4]) -> f32 {
        let rows = top..bottom.min(side);
        let sum = |values: &[f32]| -> f32 {
            rows.clone().flat_map(|y| &values[y * side + left..y * side + right.min(side)]).map(|v| v.abs()).sum()
        };
        let count = (rows.len() * (right.min(side) - left)).max(1) as f32;
        (sum(&self.difference) / count) / (sum(&self.gradient) / count + 0.5)
    }
}

/// Lays `b` over `a`, both `side` x `side` pixels of luma, by Gauss-Newton steps on the pixels `fit` (left, top, right,
/// bottom), with robust weights (Baker & Matthews 2004). Small movements only: a few pixels.
#[must_use]
pub fn register(a: &[f32], b: &[f32], side: usize, fit: [usize; 4]) -> Residual {
    let mut place = [0.0_f32; 6];
    let half = side as f32 / 2.0;
    let mut laid = vec![0.0; side * side];
    let mut slopes = vec![[0.0_f32; 2]; side * side];
    let mut light = [0.0_f32; 2];
    // a pixel more on each side, for the gradient
    let near = |low: usize, high: usize| low.saturating_sub(1)..(high + 1).min(side);
    let (columns, rows) = (near(fit[0], fit[2]), near(fit[1], fit[3]));
    for _ in 0..STEPS {
        for y in rows.clone() {
            for x in columns.clone() {
                let (u, v) = ((x as f32 - half) / half, (y as f32 - half) / half);
                // not `mul_add`: without the instruction it is a call
                let dx = place[0] * u + place[1] * v + place[2];
                let dy = place[3] * u + place[4] * v + place[5];
                laid[y * side + x] = bilinear(b, side, x as f32 + dx, y as f32 + dy);
            }
        }
        gradient(&laid, side, fit, &mut slopes);
        let mut normal = [[0.0_f64; UNKNOWNS + 1]; UNKNOWNS];
        for y in fit[1]..fit[3].min(side) {
            // a row's sums in single precision and side by side: rows are short
            let mut sums = [[0.0_f32; UNKNOWNS]; UNKNOWNS];
            let mut right = [0.0_f32; UNKNOWNS];
            for x in fit[0]..fit[2].min(side) {
                let i = y * side + x;
                let (u, v) = ((x as f32 - half) / half, (y as f32 - half) / half);
                let [gx, gy] = slopes[i];
                let left = a[i] - laid[i];
                let row = [gx * u, gx * v, gx, gy * u, gy * v, gy, laid[i], 1.0];
                let weight = 1.0 / (1.0 + left.abs() / HALF);
                for j in 0..UNKNOWNS {
                    let scale = weight * row[j];
                    // what `solve` reads, in whole steps of a vector unit
                    for k in j / 4 * 4..UNKNOWNS {
                        sums[j][k] += scale * row[k];
                    }
                    right[j] += scale * left;
                }
            }
            for j in 0..UNKNOWNS {
                for k in 0..UNKNOWNS {
                    normal[j][k] += f64::from(sums[j][k]);
                }
                normal[j][UNKNOWNS] += f64::from(right[j]);
            }
        }
        let found = solve(normal);
        place.iter_mut().zip(&found).for_each(|(p, &d)| *p += d as f32);
        light = [found[6] as f32, found[7] as f32];
    }
    let difference = a.iter().zip(&laid).map(|(&p, &q)| p - (light[0] * q + q + light[1])).collect();
    Residual { difference, gradient: slopes.iter().map(|[gx, gy]| gx.hypot(*gy)).collect() }
}

/// A square picture between its pixels, whose centres are whole numbers; beyond it its border repeats.
pub(crate) fn bilinear(picture: &[f32], side: usize, x: f32, y: f32) -> f32 {
    let last = (side - 1) as f32;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(side - 1), (y0 + 1).min(side - 1));
    let (fx, fy) = (x - x0 as f32, y - y0 as f32);
    let at = |x: usize, y: usize| picture[y * side + x];
    let top = at(x0, y0) + fx * (at(x1, y0) - at(x0, y0));
    let bottom = at(x0, y1) + fx * (at(x1, y1) - at(x0, y1));
    top + fy * (bottom - top)
}

/// Sobel's gradient, in luma a pixel; borders repeat.
fn gradient(picture: &[f32], side: usize, [left, top, right, bottom]: [usize; 4], out: &mut [[f32; 2]]) {
    for y in top..bottom.min(side) {
        let (up, down) = (y.saturating_sub(1) * side, (y + 1).min(side - 1) * side);
        let row = y * side;
        for x in left..right.min(side) {
            let (l, r) = (x.saturating_sub(1), (x + 1).min(side - 1));
            let p = |i: usize| picture[i];
            let across = p(up + r) - p(up + l) + 2.0 * (p(row + r) - p(row + l)) + p(down + r) - p(down + l);
            let along = p(down + l) - p(up + l) + 2.0 * (p(down + x) - p(up + x)) + p(down + r) - p(up + r);
            out[row + x] = [across / 8.0, along / 8.0];
        }
    }
}

/// Solves the normal equations, of which the upper half is given, by Gaussian elimination; a little is added to the diagonal
/// so that flat pictures have a solution.
fn solve(mut m: [[f64; UNKNOWNS + 1]; UNKNOWNS]) -> [f64; UNKNOWNS] {
    let upper = m;
    for (j, row) in m.iter_mut().enumerate() {
        row[j] += 1e-3;
        row[..j].iter_mut().zip(&upper).for_each(|(to, from)| *to = from[j]);
    }
    // symmetric and positive definite: no pivots are needed
    for j in 0..UNKNOWNS {
        let pivot = m[j];
        for row in m.iter_mut().skip(j + 1) {
            let factor = row[j] / pivot[j];
            row.iter_mut().zip(pivot).for_each(|(r, p)| *r -= factor * p);
        }
    }
    let mut x = [0.0; UNKNOWNS];
    for j in (0..UNKNOWNS).rev() {
        let known: f64 = (j + 1..UNKNOWNS).map(|k| m[j][k] * x[k]).sum();
        x[j] = (m[j][UNKNOWNS] - known) / m[j][j];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 64;

    fn scene(map: impl Fn(f32, f32) -> [f32; 2]) -> Vec<f32> {
        (0..SIDE * SIDE)
            .map(|i| {
                let [x, y] = map((i % SIDE) as f32, (i / SIDE) as f32);
                120.0 + 50.0 * (0.31 * x).sin() * (0.23 * y + 1.0).cos() + 20.0 * (0.11 * x * 0.3 + 0.19 * y).sin()
            })
            .collect()
    }

    #[test]
    fn what_moves_as_a_plane_leaves_nothing_and_what_moves_by_itself_does() {
        let a = scene(|x, y| [x, y]);
        let moved = scene(|x, y| [1.02 * x + 0.03 * y - 1.8, 0.99 * y - 0.02 * x + 1.1]);
        let mut b: Vec<f32> = moved.iter().map(|v| 1.1 * v - 9.0).collect();
        let (fit, mouth, rest) = ([8, 8, 56, 56], [22, 42, 42, 54], [14, 16, 50, 40]);
        let plane = register(&a, &b, SIDE, fit);
        assert!(plane.moved(SIDE, mouth) < 0.05 && plane.moved(SIDE, rest) < 0.05, "{}", plane.moved(SIDE, mouth));
        for y in 44..52 {
            for x in 24..40 {
                b[y * SIDE + x] = 40.0;
            }
        }
        let spoken = register(&a, &b, SIDE, fit);
        assert!(spoken.moved(SIDE, mouth) > 1.0 && spoken.moved(SIDE, rest) < 0.2, "{}", spoken.moved(SIDE, rest));
    }

    #[test]
    fn flat_pictures_have_an_answer() {
        let flat = vec![77.0; SIDE * SIDE];
        assert!(register(&flat, &flat, SIDE, [0, 0, SIDE, SIDE]).moved(SIDE, [0, 0, SIDE, SIDE]) < 1e-3);
    }
}
