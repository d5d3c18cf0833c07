//! Counts of a number over even steps: quantiles of a whole interview in constant memory.

/// How often values fell into each of `N` steps; values outside count in the first or last one.
#[derive(Debug, Clone, Copy)]
pub struct Histogram<const N: usize> {
    counts: [u32; N],
    from: f64,
    step: f64,
    total: u32,
}

impl<const N: usize> Histogram<N> {
    /// Steps of `step` from `from` on.
    #[must_use]
    pub const fn new(from: f64, step: f64) -> Self {
        Self { counts: [0; N], from, step, total: 0 }
    }

    /// Counts a value.
    pub fn add(&mut self, value: f64) {
        let index = ((value - self.from) / self.step).max(0.0) as usize;
        self.counts[index.min(N - 1)] += 1;
        self.total += 1;
    }

    /// Number of values.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.total
    }

    /// Number of values in the steps from the one of `low` to the one of `high`, both included.
    #[must_use]
    pub fn between(&self, low: f64, high: f64) -> u32 {
        let index = |v: f64| (((v - self.from) / self.step).max(0.0) as usize).min(N - 1);
        self.counts[index(low)..=index(high)].iter().sum()
    }

    /// Start of the step that holds the quantile `q`, 0 to 1; the first step's while nothing was counted.
    #[must_use]
    pub fn quantile(&self, q: f64) -> f64 {
        let want = q * f64::from(self.total);
        let mut sum = 0.0;
        let reached = |&n: &u32| {
            sum += f64::from(n);
            sum >= want
        };
        self.step.mul_add(self.counts.iter().position(reached).unwrap_or(N - 1) as f64, self.from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_values(mut values in prop::collection::vec(-2.0f64..3.0, 1..80), q in 0.0f64..=1.0) {
            let mut histogram = Histogram::<60>::new(-1.0, 0.05);
            values.iter().for_each(|&v| histogram.add(v));
            values.sort_by(f64::total_cmp);
            let at = ((q * values.len() as f64).ceil() as usize).max(1) - 1;
            let exact = values[at].clamp(-1.0, 1.95);
            let got = histogram.quantile(q);
            prop_assert!(got <= exact + 1e-9 && exact - got <= 0.05 + 1e-9, "{} {}", got, exact);
            prop_assert_eq!(histogram.between(-9.0, 9.0), histogram.total());
        }
    }
}
