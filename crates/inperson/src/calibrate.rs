//! From a check's raw score to a log-likelihood ratio. Pure.
//!
//! A [`Calibration`] is an affine map fitted by prior-weighted logistic regression (Brümmer & du Preez 2006;
//! Morrison 2013) on material that the check was neither trained nor tested on. It knows the range of raw
//! scores that it was fitted on and refuses to extrapolate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::{Finding, Reason};

/// How one raw score becomes a log-likelihood ratio: `llr = slope * raw + offset`, within limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Nats per unit of the raw score.
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
    /// The finding for a raw score: a bounded LLR, or an abstention outside the calibrated range.
    #[must_use]
    pub fn finding(&self, raw: f64) -> Finding {
        if !raw.is_finite() || raw < self.range[0] || raw > self.range[1] {
            return Finding::Abstain { reason: Reason::OutOfRange };
        }
        let llr = self.slope.mul_add(raw, self.offset).max(self.bounds[0]).min(self.bounds[1]);
        Finding::Score { raw, llr }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const C: Calibration = Calibration { slope: 2.0, offset: -1.0, range: [-1.0, 3.0], bounds: [-2.0, 4.0] };

    #[test]
    fn affine_inside_bounded_at_the_ends_silent_outside() {
        assert_eq!(C.finding(1.0), Finding::Score { raw: 1.0, llr: 1.0 });
        assert_eq!(C.finding(3.0), Finding::Score { raw: 3.0, llr: 4.0 });
        assert_eq!(C.finding(-1.0), Finding::Score { raw: -1.0, llr: -2.0 });
        for raw in [3.1, -1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(C.finding(raw), Finding::Abstain { reason: Reason::OutOfRange });
        }
    }
}
