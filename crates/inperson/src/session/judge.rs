//! The second half of a session: checks look at hop after hop, and what they found is kept.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::Event;
use super::watch::Moment;
use crate::detect::{Detector, Whole};
use crate::error::Result;
use crate::evidence::{Evidence, Question};
use crate::fuse::MOMENT_LLR;
use crate::media::MediaInfo;
use crate::time::Timestamp;

/// Seconds without a finding after which it counts as cleared.
const CLEARED_AFTER_S: f64 = 10.0;
/// Hops after which it is asked anew, in a live call, what all hops so far amount to.
const ASKED_EVERY: u32 = 5;

/// The checks of one interview, and what they found hop by hop.
pub(super) struct Judge {
    checks: Vec<Box<dyn Detector>>,
    evidence: Vec<Evidence>,
    /// How much of the evidence was told, hops since the checks were asked what they conclude, and when concerns were last met.
    told: usize,
    unasked: u32,
    raised: BTreeMap<String, Timestamp>,
}

impl Judge {
    pub(super) fn new(checks: Vec<Box<dyn Detector>>) -> Self {
        Self { checks, evidence: Vec::new(), told: 0, unasked: 0, raised: BTreeMap::new() }
    }

    /// Shows a hop to every check.
    ///
    /// # Errors
    /// When a model fails.
    pub(super) fn observe(&mut self, moment: &Moment, media: &MediaInfo) -> Result<()> {
        let window = moment.window(media);
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
        Ok(())
    }

    /// What the hop that was shown last raises or clears: findings of its own, and now and then what all so far amounts to.
    pub(super) fn tell(&mut self, whole: &Whole<'_>, events: &mut Vec<Event>) {
        let moments = self.evidence[self.told..].iter().filter(|f| f.llr().is_some_and(|llr| llr > 0.0));
        let mut met: Vec<Evidence> = moments.cloned().collect();
        self.told = self.evidence.len();
        self.unasked += 1;
        if self.unasked >= ASKED_EVERY {
            self.unasked = 0;
            let mut concluded = Vec::new();
            self.conclude(whole, &mut concluded);
            met.extend(concluded.into_iter().filter(|f| f.llr().is_some_and(|llr| llr >= MOMENT_LLR)));
        }
        let end = whole.span.end;
        for found in met {
            if self.raised.insert(found.code.to_string(), end).is_none() {
                let llr = found.llr().unwrap_or_default();
                events.push(Event::Raised { code: found.code.to_string(), span: found.span, llr });
            }
        }
        self.raised.retain(|code, last| {
            let keep = end.since(*last) as f64 / 1e6 < CLEARED_AFTER_S;
            if !keep {
                events.push(Event::Cleared { code: code.clone(), at: end });
            }
            keep
        });
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
    pub(super) fn judged_s(&self, candidate: Option<u32>) -> BTreeMap<Question, f64> {
        let mut judged: BTreeMap<Question, f64> = BTreeMap::new();
        for check in self.checks.iter().filter(|c| c.asked()) {
            let held = judged.entry(check.info().question).or_default();
            *held = held.max(check.judged_s(candidate));
        }
        judged
    }

    /// Whether a check of this question runs.
    pub(super) fn runs(&self, question: Question) -> bool {
        self.checks.iter().any(|c| c.info().question == question)
    }
}
