//! From evidence to an assessment. Pure: no input or output, no clock, no threads.
//!
//! Scores are combined within their question first, then across questions. Correlated evidence counts less than
//! its sum: for `n` Gaussian scores with pairwise correlation `rho` the joint log-likelihood ratio is
//! `sum / (1 + (n - 1) rho)`; `n` is taken as the *effective* number of voices, so that a weak second sign never
//! dilutes a strong first one. Each question's weight is capped. Abstentions and notes move nothing.
//!
//! Across questions, what speaks against an attack counts less than what speaks for one: a swapped face may come with the
//! swapper's own voice and with lips in time. If an attack touches a question with chance `t`, a question's LLR `l` below zero
//! brings `ln(1 - t + t e^l)` to the whole, and never less than `ln(1 - t)`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evidence::{Evidence, Question};
use crate::time::Span;

/// How evidence is fused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FusionConfig {
    /// Probability of an attack before anything was seen. Default: `0.01`.
    pub prior: f64,
    /// Correlation assumed between two checks of one question. Default: `0.5`.
    pub rho_within: f64,
    /// Correlation assumed between two questions. Default: `0.2`.
    pub rho_across: f64,
    /// Chance that an attack touches any one question: how far one question can speak against the whole where several are
    /// asked. Default: `0.5`, so that a person's own voice counts -0.7 against an attack on face or words and not more.
    pub touched: f64,
    /// Largest LLR, in nats, that one question may bring to the whole, either way. Default, also of those that a configuration
    /// leaves out: `5.0`; `answers` 1.5 and `application` 2.5, because honest people look alike there.
    pub caps: BTreeMap<Question, f64>,
    /// Posterior from which moments are shown for review. Default: `0.1`.
    pub review_at: f64,
    /// Posterior from which a live check is suggested. Default: `0.5`.
    pub live_check_at: f64,
    /// Coverage under which *no concern found* is not said; nor is it where questions about the person were asked and none could be
    /// judged. Default: `0.1`.
    pub least_coverage: f64,
}

impl Default for FusionConfig {
    fn default() -> Self {
        Self {
            prior: 0.01,
            rho_within: 0.5,
            rho_across: 0.2,
            touched: 0.5,
            caps: [Question::Answers, Question::Application].map(|q| (q, default_cap(q))).into(),
            review_at: 0.1,
            live_check_at: 0.5,
            least_coverage: 0.1,
        }
    }
}

/// Caps in nats: honest people look alike in what they write and how they apply.
const fn default_cap(question: Question) -> f64 {
    match question {
        Question::Answers => 1.5,
        Question::Application => 2.5,
        _ => 5.0,
    }
}

/// Standard deviation of a calibrated LLR that saw everything, in nats; set by hand, as the next.
const SIGMA_SEEN: f64 = 0.5;
/// Standard deviation, in nats, that a question adds while nothing of it was judged.
const SIGMA_UNSEEN: f64 = 1.5;
/// LLR from which a single sign is named in the headline, in nats.
const NAMED_LLR: f64 = 1.0;
/// LLR from which a single score is a moment to look at, in nats.
pub(crate) const MOMENT_LLR: f64 = 0.5;

/// What is concluded for one question, or for all together. Natural logarithms, positive for attack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Conclusion {
    /// ln p(evidence | attack) / p(evidence | bona fide); `null` when nothing could be judged.
    pub llr: Option<f64>,
    /// Probability of an attack at the configured prior; `null` when nothing could be judged.
    pub posterior: Option<f64>,
    /// 95 % interval of the posterior; widens with everything that could not be judged.
    pub interval: Option<[f64; 2]>,
    /// Share of the interview that could be judged, 0 to 1; 0 where abstained.
    pub coverage: f64,
    /// Whether nothing could be judged. Silence is not innocence.
    pub abstained: bool,
}

/// What to do next. There is no *reject*: a person decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// What was judged gives no reason to look again.
    NoConcernFound,
    /// Too little could be judged to say anything.
    NotEnoughToJudge,
    /// Look at the moments named.
    ReviewTheseMoments,
    /// Repeat a part of the interview live, with a challenge.
    AskForALiveCheck,
}

/// One piece of evidence and what it brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Mover {
    /// The evidence's code.
    pub code: String,
    /// Its question.
    pub question: Question,
    /// Where to look.
    pub span: Span,
    /// Its LLR in nats.
    pub llr: f64,
    /// Its sentence.
    pub message: String,
}

/// The whole conclusion of a session so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Assessment {
    /// Conclusion of every question; those that no check was run for are abstained, and count nowhere else.
    pub questions: BTreeMap<Question, Conclusion>,
    /// All questions together.
    pub overall: Conclusion,
    /// Prior probability of an attack that the posteriors were computed with.
    pub prior: f64,
    /// What to do next.
    pub action: Action,
    /// What speaks for an attack, strongest first.
    pub moved_by: Vec<Mover>,
    /// What speaks against an attack, strongest first.
    pub speaks_against: Vec<Mover>,
}

impl Assessment {
    /// The action as a person reads it. Where nothing reaches the line of a review and something speaks for an attack all the same, it
    /// says so: a posterior under a threshold does not unsay what was found.
    #[must_use]
    pub fn headline(&self) -> &'static str {
        match self.action {
            Action::NoConcernFound | Action::NotEnoughToJudge if self.moved_by.iter().any(|m| m.llr >= NAMED_LLR) => {
                "not enough for a review; what speaks for an attack is named below"
            }
            Action::NoConcernFound => "no concern found in what could be judged",
            Action::NotEnoughToJudge => "not enough to judge",
            Action::ReviewTheseMoments => "review these moments; a person decides",
            Action::AskForALiveCheck => "ask for a live check; a person decides",
        }
    }
}

/// Fuses evidence into an assessment.
///
/// `coverage` names every question that a check was asked about, with the share of the interview it could judge;
/// questions missing there are abstained and leave the whole alone. The order of `evidence` does not matter.
#[must_use]
pub fn fuse(evidence: &[Evidence], coverage: &BTreeMap<Question, f64>, config: &FusionConfig) -> Assessment {
    let mut questions = BTreeMap::new();
    let mut weights = Vec::new();
    let mut variance = 0.0;
    for (&question, &covered) in coverage {
        let scores = strongest_by_code(evidence, question);
        // what a check heard and saw of a question that it then abstains on was not judged
        let covered = if scores.is_empty() { 0.0 } else { covered.clamp(0.0, 1.0) };
        let sigma2 = sigma_squared(covered);
        variance += sigma2;
        let llr = (!scores.is_empty()).then(|| {
            let cap = config.caps.get(&question).copied().unwrap_or_else(|| default_cap(question));
            combine(scores, config.rho_within).clamp(-cap, cap)
        });
        weights.extend(llr.map(|l| if coverage.len() > 1 { tempered(l, config.touched) } else { l }));
        questions.insert(question, conclusion(llr, covered, sigma2.sqrt(), config.prior));
    }
    let llr = (!weights.is_empty()).then(|| combine(weights, config.rho_across));
    let share = questions.values().map(|c: &Conclusion| c.coverage).sum::<f64>() / questions.len().max(1) as f64;
    let overall = conclusion(llr, share, variance.sqrt(), config.prior);
    for question in Question::ALL {
        questions.entry(question).or_insert_with(|| conclusion(None, 0.0, SIGMA_UNSEEN, config.prior));
    }
    let (moved_by, speaks_against) = movers(evidence);
    let of_a_person = |q: &Question| *q != Question::Capture;
    let judged = |q: &Question| questions.get(q).is_some_and(|c: &Conclusion| !c.abstained);
    let nobody = coverage.keys().any(of_a_person) && !coverage.keys().filter(|q| of_a_person(q)).any(judged);
    let action = action(&overall, nobody, &moved_by, config);
    Assessment { questions, overall, prior: config.prior, action, moved_by, speaks_against }
}

/// The strongest score of each code: several places found by one check are not independent.
fn strongest_by_code(evidence: &[Evidence], question: Question) -> Vec<f64> {
    let mut best: BTreeMap<&str, f64> = BTreeMap::new();
    for item in evidence.iter().filter(|e| e.question == question) {
        if let Some(llr) = item.llr() {
            let held = best.entry(item.code.as_ref()).or_insert(llr);
            if (llr.abs(), llr) > (held.abs(), *held) {
                *held = llr;
            }
        }
    }
    best.into_values().collect()
}

/// Correlation-aware sum of log-likelihood ratios. Summed in order of size, so that the order given does not matter.
fn combine(mut llrs: Vec<f64>, rho: f64) -> f64 {
    llrs.sort_by(f64::total_cmp);
    let absolute: f64 = llrs.iter().map(|l| l.abs()).sum();
    let squares: f64 = llrs.iter().map(|l| l * l).sum();
    if squares == 0.0 {
        return 0.0;
    }
    let effective = absolute * absolute / squares;
    llrs.iter().sum::<f64>() / (effective - 1.0).mul_add(rho.clamp(0.0, 1.0), 1.0)
}

/// What a question that speaks against an attack says of all questions together.
fn tempered(llr: f64, touched: f64) -> f64 {
    let touched = touched.clamp(0.0, 1.0);
    if llr < 0.0 { touched.mul_add(llr.exp_m1(), 1.0).ln() } else { llr }
}

fn sigma_squared(coverage: f64) -> f64 {
    let seen = SIGMA_SEEN * SIGMA_SEEN;
    let unseen = SIGMA_UNSEEN * SIGMA_UNSEEN;
    coverage.mul_add(seen, (1.0 - coverage) * unseen)
}

fn conclusion(llr: Option<f64>, coverage: f64, sigma: f64, prior: f64) -> Conclusion {
    Conclusion {
        llr,
        posterior: llr.map(|l| posterior(l, prior)),
        interval: llr
            .map(|l| [posterior(1.96f64.mul_add(-sigma, l), prior), posterior(1.96f64.mul_add(sigma, l), prior)]),
        coverage,
        abstained: llr.is_none(),
    }
}

/// Bayes' rule on log odds.
fn posterior(llr: f64, prior: f64) -> f64 {
    let logit = (prior / (1.0 - prior)).ln();
    1.0 / (1.0 + (-(llr + logit)).exp())
}

fn movers(evidence: &[Evidence]) -> (Vec<Mover>, Vec<Mover>) {
    let mut all: Vec<Mover> = evidence
        .iter()
        .filter_map(|e| {
            let llr = e.llr()?;
            let (code, message) = (e.code.to_string(), e.message.clone());
            Some(Mover { code, question: e.question, span: e.span, llr, message })
        })
        .collect();
    all.sort_by(|a, b| b.llr.abs().total_cmp(&a.llr.abs()).then(a.code.cmp(&b.code)).then(a.span.cmp(&b.span)));
    all.into_iter().filter(|m| m.llr != 0.0).partition(|m| m.llr > 0.0)
}

/// `nobody`: questions about the person were asked, and none of them could be judged.
fn action(overall: &Conclusion, nobody: bool, moved_by: &[Mover], config: &FusionConfig) -> Action {
    match overall.posterior {
        Some(p) if p >= config.live_check_at => Action::AskForALiveCheck,
        Some(p) if p >= config.review_at && moved_by.iter().any(|m| m.llr >= MOMENT_LLR) => Action::ReviewTheseMoments,
        Some(_) if overall.coverage >= config.least_coverage && !nobody => Action::NoConcernFound,
        _ => Action::NotEnoughToJudge,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::{Finding, Reason};
    use crate::time::Timestamp;

    fn score(code: &'static str, question: Question, llr: f64) -> Evidence {
        let span = Span::new(Timestamp(0), Timestamp(1));
        Evidence::new(code, question, span, Finding::Score { raw: llr, llr }, "")
    }

    fn coverage(questions: &[Question]) -> BTreeMap<Question, f64> {
        questions.iter().map(|&q| (q, 1.0)).collect()
    }

    const CODES: [&str; 4] = ["a.a", "a.b", "b.a", "b.b"];

    fn any_evidence() -> impl Strategy<Value = Vec<Evidence>> {
        prop::collection::vec((0usize..4, 0usize..7, -8.0f64..8.0), 0..12)
            .prop_map(|raw| raw.into_iter().map(|(c, q, llr)| score(CODES[c], Question::ALL[q], llr)).collect())
    }

    #[test]
    fn a_lone_score_keeps_its_weight_and_a_weak_second_does_not_dilute_it() {
        let c = coverage(&[Question::Face]);
        let config = FusionConfig::default();
        let alone = fuse(&[score("a.a", Question::Face, 3.0)], &c, &config);
        assert_eq!(alone.overall.llr, Some(3.0));
        let pair = [score("a.a", Question::Face, 3.0), score("a.b", Question::Face, 0.0)];
        assert_eq!(fuse(&pair, &c, &config).overall.llr, Some(3.0));
    }

    #[test]
    fn weak_signs_of_several_questions_paint_a_picture() {
        let signs = [
            score("a.a", Question::Face, 1.5),
            score("a.b", Question::Voice, 1.5),
            score("b.a", Question::Capture, 1.5),
        ];
        let c = coverage(&[Question::Face, Question::Voice, Question::Capture]);
        let all = fuse(&signs, &c, &FusionConfig::default());
        // three equal voices at rho 0.2: 4.5 / 1.4
        assert!((all.overall.llr.unwrap() - 4.5 / 1.4).abs() < 1e-12);
        assert_eq!(all.action, Action::ReviewTheseMoments);
        assert_eq!(fuse(&signs[..1], &c, &FusionConfig::default()).action, Action::NoConcernFound);
    }

    #[test]
    fn a_person_s_own_voice_does_not_clear_a_swapped_face() {
        let signs = [score("a.a", Question::Face, 3.0), score("a.b", Question::Voice, -5.0)];
        let (both, config) = (coverage(&[Question::Face, Question::Voice]), FusionConfig::default());
        let face = fuse(&signs, &both, &config);
        assert!(face.overall.llr.unwrap() > 1.8 && face.questions[&Question::Voice].llr == Some(-5.0));
        // each question alone, and asked alone, keeps its weight
        assert_eq!(fuse(&signs[1..], &coverage(&[Question::Voice]), &config).overall.llr, Some(-5.0));
        let voice = fuse(&signs[1..], &both, &config).overall.llr.unwrap();
        assert!((voice - (0.5 + 0.5 * (-5.0f64).exp()).ln()).abs() < 1e-12);
    }

    #[test]
    fn caps_hold_and_nothing_judged_is_not_no_concern() {
        let config = FusionConfig::default();
        let capped = fuse(&[score("a.a", Question::Answers, 8.0)], &coverage(&[Question::Answers]), &config);
        assert_eq!(capped.overall.llr, Some(1.5));
        let none = fuse(&[], &coverage(&[Question::Face]), &config);
        assert_eq!((none.action, none.overall.llr, none.overall.abstained), (Action::NotEnoughToJudge, None, true));
        // a clean way of capture tells nothing of the person, where the person was asked about
        let capture = [score("a.a", Question::Capture, -0.1)];
        let action = |asked: &[Question]| fuse(&capture, &coverage(asked), &config).action;
        assert_eq!(action(&[Question::Capture]), Action::NoConcernFound);
        assert_eq!(action(&[Question::Capture, Question::Voice]), Action::NotEnoughToJudge);
    }

    proptest! {
        #[test]
        fn order_does_not_matter(evidence in any_evidence(), seed in any::<u64>()) {
            let mut shuffled = evidence.clone();
            let n = shuffled.len().max(1);
            for i in 0..shuffled.len() {
                shuffled.swap(i, (seed as usize).wrapping_mul(31).wrapping_add(i * 7) % n);
            }
            let (c, config) = (coverage(&Question::ALL), FusionConfig::default());
            prop_assert_eq!(fuse(&evidence, &c, &config).overall, fuse(&shuffled, &c, &config).overall);
        }

        #[test]
        fn an_abstention_never_moves_anything(evidence in any_evidence(), q in 0usize..7) {
            let (c, config) = (coverage(&Question::ALL), FusionConfig::default());
            let before = fuse(&evidence, &c, &config);
            let mut more = evidence;
            more.push(Evidence::new("c.c", Question::ALL[q], Span::default(), Finding::Abstain { reason: Reason::TooShort }, ""));
            prop_assert_eq!(before, fuse(&more, &c, &config));
        }

        #[test]
        fn removing_a_question_widens_the_interval(llrs in prop::collection::vec(-3.0f64..3.0, 7), q in 0usize..7) {
            let evidence: Vec<Evidence> = Question::ALL.iter().zip(&llrs).map(|(&q, &l)| score("a.a", q, l)).collect();
            let (c, config) = (coverage(&Question::ALL), FusionConfig::default());
            let width = |a: &Assessment| {
                let logit = |p: f64| (p / (1.0 - p)).ln();
                a.overall.interval.map(|[lo, hi]| logit(hi) - logit(lo)).unwrap()
            };
            let fewer: Vec<Evidence> = evidence.iter().filter(|e| e.question != Question::ALL[q]).cloned().collect();
            prop_assert!(width(&fuse(&fewer, &c, &config)) > width(&fuse(&evidence, &c, &config)));
        }
    }
}
