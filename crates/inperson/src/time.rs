//! Time as a type: integer microseconds since the start of the media.
//!
//! Container time bases are converted once, at the decode boundary; everything behind it counts in
//! [`Timestamp`]s and half-open [`Span`]s, so no check ever divides by a frame rate to know when something
//! happened.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment, in microseconds since the start of the media. May be negative (sound that leads the picture).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The start of the media.
    pub const ZERO: Self = Self(0);

    /// From seconds; NaN becomes zero and values out of range saturate.
    #[must_use]
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * 1e6).round() as i64)
    }

    /// Seconds since the start of the media.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// This moment, `micros` later; saturates at the ends of the range.
    #[must_use]
    pub const fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this moment, negative if it comes before; saturating.
    #[must_use]
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    /// `hh:mm:ss.d` from one hour on, else `mm:ss.d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0.unsigned_abs() + 50_000) / 100_000;
        let sign = if self.0 < 0 && tenths > 0 { "-" } else { "" };
        let (hours, minutes) = (tenths / 36_000, tenths / 600 % 60);
        let (seconds, tenth) = (tenths / 10 % 60, tenths % 10);
        if hours > 0 {
            write!(f, "{sign}{hours:02}:{minutes:02}:{seconds:02}.{tenth}")
        } else {
            write!(f, "{sign}{minutes:02}:{seconds:02}.{tenth}")
        }
    }
}

/// A half-open stretch of time `[start, end)`; never ends before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// First moment inside, microseconds.
    pub start: Timestamp,
    /// First moment after, microseconds.
    pub end: Timestamp,
}

impl Span {
    /// From `start` to `end`; an `end` before `start` gives an empty span at `start`.
    #[must_use]
    pub fn new(start: Timestamp, end: Timestamp) -> Self {
        Self { start, end: end.max(start) }
    }

    /// From `start`, `micros` long (negative lengths are empty).
    #[must_use]
    pub fn starting(start: Timestamp, micros: i64) -> Self {
        Self::new(start, start.plus(micros))
    }

    /// Length in microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.end.since(self.start)
    }

    /// Length in seconds.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.micros() as f64 / 1e6
    }

    /// Whether nothing lies inside.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether `at` lies inside.
    #[must_use]
    pub fn contains(self, at: Timestamp) -> bool {
        self.start <= at && at < self.end
    }

    /// The part shared with `other`, if there is any.
    #[must_use]
    pub fn overlap(self, other: Self) -> Option<Self> {
        let shared = Self::new(self.start.max(other.start), self.end.min(other.end));
        (!shared.is_empty()).then_some(shared)
    }

    /// Sorts spans and joins those that touch or lie at most `gap` microseconds apart.
    #[must_use]
    pub fn merged(mut spans: Vec<Self>, gap: i64) -> Vec<Self> {
        spans.retain(|s| !s.is_empty());
        spans.sort_unstable();
        let mut joined: Vec<Self> = Vec::with_capacity(spans.len());
        for span in spans {
            match joined.last_mut() {
                Some(last) if span.start <= last.end.plus(gap) => last.end = last.end.max(span.end),
                _ => joined.push(span),
            }
        }
        joined
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn timestamps_read_as_clocks() {
        for (micros, text) in [
            (0, "00:00.0"),
            (41_200_000, "00:41.2"),
            (59_960_000, "01:00.0"),
            (3_600_000_000, "01:00:00.0"),
            (-250_000, "-00:00.3"),
            (-10, "00:00.0"),
        ] {
            assert_eq!(Timestamp(micros).to_string(), text);
        }
    }

    #[test]
    fn spans_are_half_open() {
        let span = Span::starting(Timestamp(10), 5);
        assert!(span.contains(Timestamp(10)) && !span.contains(Timestamp(15)));
        assert_eq!(span.overlap(Span::starting(Timestamp(15), 3)), None);
        assert!(Span::new(Timestamp(4), Timestamp(2)).is_empty());
    }

    proptest! {
        #[test]
        fn merging_keeps_every_moment_and_leaves_gaps(
            raw in prop::collection::vec((0i64..200, 0i64..40), 0..20), probe in 0i64..250, gap in 0i64..5
        ) {
            let spans: Vec<Span> = raw.iter().map(|&(s, l)| Span::starting(Timestamp(s), l)).collect();
            let merged = Span::merged(spans.clone(), gap);
            let inside = spans.iter().any(|s| s.contains(Timestamp(probe)));
            prop_assert!(!inside || merged.iter().any(|s| s.contains(Timestamp(probe))));
            prop_assert!(merged.windows(2).all(|w| w[1].start.since(w[0].end) > gap));
        }
    }
}
