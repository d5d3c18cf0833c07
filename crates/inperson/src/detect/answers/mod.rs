//! Are these the candidate's own words, spoken freely?
//!
//! Nothing here proves anything: honest people prepare, quote and speak like books, and models are asked to sound
//! like people. So several independent things are looked at, each abstains readily, the question's weight in the
//! fusion is capped, and what is said serves to ask a better next question.

use crate::config::Config;
use crate::error::Result;
use crate::evidence::{Evidence, Finding, Question, Reason};
use crate::media::Utterance;
use crate::model::{Registry, Runtime};
use crate::time::Span;

use super::{Detector, DetectorInfo, Whole, Window};

mod delivery;
mod gaze;
mod near;
mod second;
mod signs;
mod style;
mod text;
mod timing;
mod turns;
mod typing;
mod wording;

pub use delivery::{Delivery, Pace};
pub use near::{Near, NearIndex};
pub use signs::Signs;
pub use style::{Style, styles};
pub use wording::{Judgement, LEAST_WORDS, Wording};

use turns::{Answer, Said};

/// Correlation assumed between two answers of one person: their style is one.
const RHO: f64 = 0.7;
/// Turns at the end that later words may still change: the last one, and those a backchannel may join.
const GROWING: usize = 3;
/// LLR from which a single answer is named.
const NAMED: f64 = 0.5;
/// Most answers that are named.
const MOST_NAMED: usize = 5;
/// Share of its runs of five words from which an answer repeats an earlier one of the same interview.
const REPEATED: f64 = 0.3;

const INFO: DetectorInfo = DetectorInfo {
    name: "answers",
    question: Question::Answers,
    summary: "whether the candidate's answers are worded by a model and read out, from a transcript",
};

/// What was heard, that with most of it first and at most [`MOST_NAMED`]: nothing of this carries weight, so a few are enough.
fn foremost<T>(mut heard: Vec<T>, most: impl Fn(&T) -> usize) -> impl Iterator<Item = T> {
    heard.sort_by_key(|h| std::cmp::Reverse(most(h)));
    heard.into_iter().take(MOST_NAMED)
}

/// The models of this check.
#[derive(Debug, Clone)]
pub(crate) struct AnswerModels {
    pub(crate) wording: Wording,
    pub(crate) delivery: Delivery,
}

impl AnswerModels {
    pub(crate) fn load(runtime: &Runtime, registry: &Registry) -> Result<Self> {
        Ok(Self { wording: Wording::load(runtime, registry)?, delivery: Delivery::load(runtime, registry)? })
    }

    pub(crate) fn models(&self) -> [&crate::model::Model; 2] {
        [self.wording.model(), self.delivery.model()]
    }
}

/// The check `answers`.
#[derive(Debug)]
pub struct Answers {
    models: AnswerModels,
    /// The candidate's name in the transcript, where it was given.
    speaker: Option<String>,
    /// Utterances of the turns that may still grow.
    open: Vec<Utterance>,
    /// Turns with what the models said of them, as of the last word; the last few may still grow.
    judged: Vec<(Said, Judged)>,
    growing: usize,
    typing: typing::Typing,
    gaze: gaze::Gaze,
    second: second::Second,
}

#[derive(Debug, Clone)]
struct Judged {
    wording: Judgement,
    delivery: Option<Pace>,
}

impl Answers {
    pub(crate) fn new(models: AnswerModels, config: &Config) -> Self {
        let (typing, second) = (typing::Typing::default(), second::Second::default());
        Self {
            models,
            speaker: config.speaker.clone(),
            open: Vec::new(),
            judged: Vec::new(),
            growing: 0,
            typing,
            gaze: gaze::Gaze::default(),
            second,
        }
    }

    fn answers(&self, whole: &Whole<'_>) -> (Option<String>, Vec<(Answer, &Judged)>) {
        let turns: Vec<Said> = self.judged.iter().map(|(said, _)| said.clone()).collect();
        let candidate = turns::candidate(&turns, self.speaker.as_deref());
        let answers = turns::answers(&turns, candidate.as_deref(), whole.tracks);
        let mut rest = self.judged.iter();
        let matched = answers
            .into_iter()
            .filter_map(|a| {
                let (_, judged) = rest.by_ref().find(|(said, _)| *said == a.said)?;
                Some((a, judged))
            })
            .collect();
        (candidate, matched)
    }
}

impl Detector for Answers {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, _out: &mut Vec<Evidence>) -> Result<()> {
        self.typing.push(window.audio, window.music);
        self.second.push(window.audio, window.music);
        self.gaze.push(window.faces);
        if window.words.is_empty() {
            return Ok(());
        }
        self.open.extend_from_slice(window.words);
        let turns = turns::turns(&self.open);
        let closed = turns.len().saturating_sub(GROWING);
        let first = self.judged.len() - self.judged.len().min(self.growing);
        self.judged.truncate(first);
        self.growing = turns.len() - closed;
        let done: usize = turns[..closed].iter().map(|t| t.utterances).sum();
        self.open.drain(..done);
        for said in turns {
            let wording = self.models.wording.judge(None, &said.text)?;
            let delivery = self.models.delivery.judge(&said.words)?;
            self.judged.push((said, Judged { wording, delivery }));
        }
        Ok(())
    }

    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        let (candidate, answers) = self.answers(whole);
        out.push(wording(whole.span, !self.judged.is_empty(), &answers));
        let mut worst: Vec<&(Answer, &Judged)> =
            answers.iter().filter(|(_, j)| j.wording.llr().is_some_and(|l| l >= NAMED)).collect();
        worst.sort_by(|a, b| b.1.wording.llr().unwrap_or_default().total_cmp(&a.1.wording.llr().unwrap_or_default()));
        out.extend(worst.into_iter().take(MOST_NAMED).map(|(answer, judged)| named(answer, judged)));
        if let Some(read) = delivery::conclude(whole.span, answers.iter().filter_map(|(_, j)| j.delivery.as_ref())) {
            out.push(read);
        }
        let spoken: Vec<(Span, f64)> =
            answers.iter().filter_map(|(a, j)| Some((a.said.span, j.wording.spoken?))).collect();
        out.extend(style::compare(whole.span, &spoken));
        out.extend(delivery::latency(whole.span, &answers.iter().map(|(a, _)| a).collect::<Vec<_>>()));
        out.extend(repeated(&answers));
        self.typing.conclude(out);
        self.gaze.conclude(whole, out);
        // without names an interviewer would be heard as a second voice
        if candidate.is_some() {
            self.second.conclude(answers.iter().map(|(a, _)| a), out);
        }
        let turns: Vec<Said> = self.judged.iter().map(|(said, _)| said.clone()).collect();
        if let Some(message) = turns::remark(&turns, self.speaker.as_deref()) {
            out.push(Evidence::new("answers.speaker", Question::Answers, whole.span, Finding::Note, message));
        }
    }

    fn judged_s(&self, _candidate: Option<u32>) -> f64 {
        let turns: Vec<Said> = self.judged.iter().map(|(said, _)| said.clone()).collect();
        let candidate = turns::candidate(&turns, self.speaker.as_deref());
        let theirs = |said: &Said| candidate.as_deref().is_none_or(|name| said.by(name));
        let judged = self.judged.iter().filter(|(said, j)| theirs(said) && j.wording.llr().is_some());
        // of a long turn its first words alone
        let share = |words: usize| (wording::MOST_WORDS as f64 / words.max(1) as f64).min(1.0);
        judged.map(|(said, j)| said.span.seconds() * share(j.wording.words)).sum()
    }

    fn asked(&self) -> bool {
        !self.judged.is_empty()
    }
}

/// One score for the whole interview: answers of one person are no independent witnesses.
fn wording(span: Span, transcript: bool, answers: &[(Answer, &Judged)]) -> Evidence {
    let llrs: Vec<f64> = answers.iter().filter_map(|(_, j)| j.wording.llr()).collect();
    let n = llrs.len() as f64;
    let spoken: Vec<f64> = answers.iter().filter_map(|(_, j)| j.wording.spoken).collect();
    let finding = if llrs.is_empty() {
        let refused = |reason| answers.iter().any(|(_, j)| j.wording.finding == Finding::Abstain { reason });
        let reason = if !transcript {
            Reason::NoTranscript
        } else if refused(Reason::Language) {
            Reason::Language
        } else if refused(Reason::OutOfRange) {
            Reason::OutOfRange
        } else {
            Reason::TooShort
        };
        Finding::Abstain { reason }
    } else {
        let llr = llrs.iter().sum::<f64>() / (n - 1.0).mul_add(RHO, 1.0);
        Finding::Score { raw: llrs.iter().sum::<f64>() / n, llr }
    };
    let message = match finding {
        Finding::Score { llr, .. } if llr >= NAMED => {
            "the answers are worded more like a model's than like a person's; people who prepare well sound alike: ask \
             about something the answers do not say"
        }
        Finding::Score { llr, .. } if llr <= -NAMED => "the answers are worded as people speak",
        Finding::Score { .. } => "the wording of the answers says little either way",
        Finding::Abstain { reason: Reason::NoTranscript } => {
            "no transcript was given, or none of it falls into the interview, so the answers were not judged"
        }
        Finding::Abstain { reason: Reason::Language } => "the answers are not in English, which the check was made for",
        Finding::Abstain { reason: Reason::OutOfRange } => {
            "the answers are worded unlike anything the check was calibrated on"
        }
        Finding::Abstain { .. } | Finding::Note => "no answer is long enough to judge its wording",
    };
    let found = Evidence::new("answers.wording", Question::Answers, span, finding, message)
        .fact("answers", answers.len() as f64)
        .fact("answers_judged", n);
    let mean = spoken.iter().sum::<f64>() / spoken.len() as f64;
    if spoken.is_empty() { found } else { found.fact("spoken_logit", mean) }
}

/// One answer for a reviewer to look at: a few words of it at most.
fn named(answer: &Answer, judged: &Judged) -> Evidence {
    let asked = answer.question.as_ref().map(|q| text::words(&q.text).list);
    let signs = Signs::of(&text::words(&answer.said.text).list, asked.as_deref());
    let stock: Vec<String> = signs.stock.iter().take(3).map(|p| format!("\"{p}\"")).collect();
    let because = if stock.is_empty() { String::new() } else { format!(" ({})", stock.join(", ")) };
    let message = format!("this answer is worded like a model's{because}; {}", signs.next_question());
    let found = Evidence::new("answers.passage", Question::Answers, answer.said.span, Finding::Note, message)
        .fact("llr", judged.wording.llr().unwrap_or_default())
        .fact("words", judged.wording.words as f64)
        .fact("numbers_per_100", signs.numbers)
        .fact("own_past_per_100", signs.own_past)
        .fact("steps_per_100", signs.steps);
    match signs.echo {
        Some(echo) => found.fact("question_echo", echo),
        None => found,
    }
}

/// Answers that repeat a long passage of an earlier one: read twice from one page, or asked twice.
fn repeated(answers: &[(Answer, &Judged)]) -> Vec<Evidence> {
    let mut index = NearIndex::default();
    let mut found = Vec::new();
    for (number, (answer, _)) in answers.iter().enumerate() {
        if let Some(near) = index.like(&answer.said.text, REPEATED).first() {
            let earlier = near.id.parse().ok().and_then(|i: usize| answers.get(i));
            let at = earlier.map(|(a, _)| a.said.span.start.to_string()).unwrap_or_default();
            let message = format!("this answer repeats a long passage of the one at {at} word for word");
            found.push(
                Evidence::new("answers.repeated", Question::Answers, answer.said.span, Finding::Note, message)
                    .fact("shared", near.shared),
            );
        }
        index.add(number.to_string(), &answer.said.text);
    }
    found
}
