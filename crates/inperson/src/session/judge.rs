//! The second half of a session: checks look at hop after hop, and what they found is kept.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Event;
use super::watch::Moment;
use crate::detect::{Detector, Whole};
use crate::error::Result;
use crate::evidence::{Evidence, Question};
use crate::media::MediaInfo;
use crate::time::Timestamp;

/// Seconds without a finding after which it counts as cleared.
const CLEARED_AFTER_S: f64 = 10.0;

/// The checks of one interview, and what they found hop by hop.
pub(super) struct Judge {
    checks: Vec<Box<dyn Detector>>,
    evidence: Vec<Evidence>,
    raised: BTreeMap<String, Timestamp>,
}

impl Judge {
    pub(super) fn new(checks: Vec<Box<dyn Detector>>) -> Self {
        Self { checks, evidence: Vec::new(), raised: BTreeMap::new() }
    }

    /// Shows a hop to every check; events go to `events`.
    ///
    /// # Errors
    /// When a model fails.
    pub(super) fn observe(&mut self, moment: &Moment, media: &MediaInfo, events: &mut Vec<Event>) -> Result<()> {
        let window = moment.window(media);
        let before = self.evidence.len();
        // side by side, since the slowest two take most of the time; what they found stays in the checks' order
        let found: Vec<Vec<Evidence>> = self
            .checks
            .par_iter_mut()
            .map(|check| {
                let mut found = Vec::new();
                check.observe(&window, &mut found).map(|()| found)
            })
            .collect::<Result<_>>()?;
        self.evidence.extend(found.into_iter().flatten());
        let end = window.span.end;
        for found in &self.evidence[before..] {
            if found.llr().is_some_and(|llr| llr > 0.0) && self.raised.insert(found.code.to_string(), end).is_none() {
                events.push(Event::Raised { code: found.code.to_string(), span: found.span });
            }
        }
        self.raised.retain(|code, last| {
            let keep = end.since(*last) as f64 / 1e6 < CLEARED_AFTER_S;
            if !keep {
                events.push(Event::Cleared { code: code.clone(), at: end });
            }
            keep
        });
        Ok(())
    }

    /// Lets every check look at what it put off.
    ///
    /// # Errors
    /// When a model fails.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.checks.par_iter_mut().try_for_each(|check| check.finish())
    }

    /// What was found hop by hop.
    pub(super) fn found(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The same, given away.
    pub(super) fn take(&mut self) -> Vec<Evidence> {
        std::mem::take(&mut self.evidence)
    }

    /// Adds what all hops so far amount to.
    pub(super) fn conclude(&self, whole: &Whole<'_>, evidence: &mut Vec<Evidence>) {
        for check in &self.checks {
            check.conclude(whole, evidence);
        }
    }

    /// For every question that is asked, the seconds that the check which could judge most could judge.
    pub(super) fn judged_s(&self) -> BTreeMap<Question, f64> {
        let mut judged: BTreeMap<Question, f64> = BTreeMap::new();
        for check in self.checks.iter().filter(|c| c.asked()) {
            let held = judged.entry(check.info().question).or_default();
            *held = held.max(check.judged_s());
        }
        judged
    }

    /// Whether a check of this question runs.
    pub(super) fn runs(&self, question: Question) -> bool {
        self.checks.iter().any(|c| c.info().question == question)
    }
}
