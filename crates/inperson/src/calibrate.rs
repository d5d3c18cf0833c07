//! From a check's raw score to a log-likelihood ratio. Pure.
//!
//! A [`Calibration`] is an affine map fitted by prior-weighted logistic regression (Brümmer & du Preez 2006;
//! Morrison 2013) on material that the check was neither trained nor tested on. It knows the range of raw
//! scores that it was fitted on and refuses to extrapolate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::{Finding, Reason};

/// Share of a bound up to which an LLR is left as it is.
const LEFT_AS_IS: f64 = 0.8;

/// How one raw score becomes a log-likelihood ratio: `llr = slope * raw + offset`, drawn in smoothly on the last fifth of the
/// way to a bound, so that the order of scores is kept.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Nats per unit of the raw score; 0 for a score that told nothing in calibration.
    pub slope: f64,
    /// Nats at a raw score of zero.
    pub offset: f64,
    /// Smallest and largest raw score met in calibration; scores outside lead to abstention.
    pub range: [f64; 2],
    /// Lowest and highest LLR that the amount of calibration material supports, in nats: with `n` bona fide
    /// recordings no more than about `ln(n)` can be claimed.
    pub bounds: [f64; 2],
}

impl Calibration {
    /// Whether the score told anything in calibration.
    #[must_use]
    pub fn tells(&self) -> bool {
        self.slope != 0.0
    }

    /// Whether its numbers are finite, its range in order and its bounds on either side of no evidence.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let [from, to] = self.range;
        let [low, high] = self.bounds;
        let finite = [self.slope, self.offset, from, to, low, high].iter().all(|v| v.is_finite());
        finite && from <= to && low <= 0.0 && high >= 0.0
    }

    /// The finding for a raw score: a bounded LLR, or an abstention outside the calibrated range or where no score tells.
    #[must_use]
    pub fn finding(&self, raw: f64) -> Finding {
        if !self.tells() {
            return Finding::Abstain { reason: Reason::NotProven };
        }
        if !raw.is_finite() || raw < self.range[0] || raw > self.range[1] {
            return Finding::Abstain { reason: Reason::OutOfRange };
        }
        let llr = self.slope.mul_add(raw, self.offset);
        let [low, high] = self.bounds;
        let llr = if llr < 0.0 { -bounded(-llr, -low) } else { bounded(llr, high) };
        Finding::Score { raw, llr }
    }
}

/// `value` of zero and more under `bound`, which it comes near and never reaches.
fn bounded(value: f64, bound: f64) -> f64 {
    let free = LEFT_AS_IS * bound;
    if bound <= 0.0 {
        return 0.0;
    }
    if value <= free {
        return value;
    }
    let over = (value - free) / (bound - free);
    free + (bound - free) * over / (1.0 + over)
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: Calibration = Calibration { slope: 2.0, offset: -1.0, range: [-1.0, 3.0], bounds: [-2.0, 4.0] };

    fn llr(raw: f64) -> f64 {
        match C.finding(raw) {
            Finding::Score { llr, .. } => llr,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn affine_inside_bounded_at_the_ends_silent_outside() {
        assert_eq!(C.finding(1.0), Finding::Score { raw: 1.0, llr: 1.0 });
        assert_eq!(llr(2.1), 3.2);
        // 5.0 against a bound of 4: free up to 3.2, then 0.8 * 2.25 / 3.25 of what is left
        assert!((llr(3.0) - (3.2 + 0.8 * 2.25 / 3.25)).abs() < 1e-12);
        assert!(llr(-1.0) > -2.0 && llr(-1.0) < -1.6);
        for raw in [3.1, -1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(C.finding(raw), Finding::Abstain { reason: Reason::OutOfRange });
        }
    }

    #[test]
    fn numbers_that_cannot_be_are_not_valid() {
        assert!(C.is_valid());
        for wrong in [
            Calibration { slope: f64::NAN, ..C },
            Calibration { offset: f64::INFINITY, ..C },
            Calibration { range: [3.0, -1.0], ..C },
            Calibration { bounds: [0.5, 4.0], ..C },
            Calibration { bounds: [-2.0, -1.0], ..C },
        ] {
            assert!(!wrong.is_valid(), "{wrong:?}");
        }
    }

    #[test]
    fn the_order_of_scores_is_kept_within_the_bounds() {
        let all: Vec<f64> = (-100..=300).map(|i| llr(f64::from(i) / 100.0)).collect();
        assert!(all.windows(2).all(|w| w[0] < w[1]) && all[0] > -2.0 && all[400] < 4.0);
    }
}
