//! The moments that speak most for an attack, with the part of the frame to look at.

use super::Look;
use crate::evidence::{Evidence, Finding, Question};
use crate::time::Span;

/// Most moments that are named, and the least time between two, microseconds.
const NAMED: usize = 5;
const APART: i64 = 1_000_000;
/// How long a look stands for, microseconds.
const LOOK: i64 = 200_000;

/// The worst looks so far, worst first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Worst(Vec<(f64, Look)>);

impl Worst {
    /// Keeps a look if it is among the worst; of looks close in time the worst.
    pub(crate) fn add(&mut self, value: f64, look: &Look) {
        if let Some(near) = self.0.iter().position(|(_, l)| look.at.since(l.at).abs() < APART) {
            if self.0[near].0 >= value {
                return;
            }
            self.0.remove(near);
        }
        self.0.push((value, look.clone()));
        self.0.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.at.cmp(&b.1.at)));
        self.0.truncate(NAMED);
    }

    /// One note a moment: facts `x`, `y`, `w`, `h` are shares of the upright frame, `logit` is the network's.
    pub(crate) fn notes(&self, code: &'static str, message: &'static str, subject: Option<u32>) -> Vec<Evidence> {
        let note = |(value, look): &(f64, Look)| {
            let [x, y, w, h] = look.region();
            let span = Span::new(look.at, look.at.plus(LOOK));
            let mut found = Evidence::new(code, Question::Face, span, Finding::Note, message)
                .fact("x", x)
                .fact("y", y)
                .fact("w", w)
                .fact("h", h)
                .fact("value", *value)
                .fact("logit", f64::from(look.logit));
            found.subject = subject;
            found
        };
        self.0.iter().map(note).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::detect::looks::MAP;
    use crate::dsp::geometry::Affine;
    use crate::time::Timestamp;

    #[test]
    fn the_worst_moments_are_kept_apart_and_shown_where_the_map_is_high() {
        let mut worst = Worst::default();
        for k in 0..200 {
            let mut map = vec![0.0f32; MAP * MAP];
            // a block of the crop's lower left quarter
            (25..30).for_each(|y| map[y * MAP + 10..y * MAP + 15].fill(0.8));
            let to_share = Affine([0.0025, 0.0, 0.1, 0.0, 0.005, 0.0]);
            let region: Arc<[f32]> = map.into();
            let look = Look { at: Timestamp(k * 200_000), logit: 1.0, border: region.clone(), region, to_share };
            worst.add(if k == 77 { 9.0 } else { (k % 7) as f64 }, &look);
        }
        let notes = worst.notes("warp.region", "here", Some(1));
        assert_eq!(notes.len(), NAMED);
        assert_eq!(notes[0].span.start, Timestamp(77 * 200_000));
        let f = &notes[0].facts;
        let want = [0.1 + 40.0 * 0.0025, 100.0 * 0.005, 20.0 * 0.0025, 20.0 * 0.005];
        for (name, want) in ["x", "y", "w", "h"].into_iter().zip(want) {
            assert!((f[name] - want).abs() < 1e-4, "{name} {}", f[name]);
        }
        let mut times: Vec<i64> = notes.iter().map(|n| n.span.start.0).collect();
        times.sort_unstable();
        assert!(times.windows(2).all(|w| w[1] - w[0] >= APART));
    }
}
