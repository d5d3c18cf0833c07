//! Do device and path look like a camera and a microphone in use?
//!
//! Most of what is met here happens in honest calls too: networks freeze, platforms re-encode, people hide their
//! camera. Such things are notes or carry a small weight; only what a live camera cannot do, such as playing a
//! stretch twice, carries much. The weights are judgements bounded by what the genuine clips at hand showed, not fits:
//! there is no material of real capture attacks to fit on (see `DESIGN.md`).

use super::{Detector, DetectorInfo, Whole, Window};
use crate::error::Result;
use crate::evidence::{Evidence, Finding, Question, Reason};
use crate::time::Span;

mod container;
mod cuts;
mod freeze;
mod loops;
mod photo;
mod sound;
mod times;

/// The check `capture`.
#[derive(Debug, Default)]
pub struct Capture {
    judged_s: f64,
    /// Whether any picture, and any sound, came.
    came: [bool; 2],
    speech_s: f64,
    freeze: freeze::Freeze,
    loops: loops::Loops,
    photo: photo::Photo,
    cuts: cuts::Cuts,
    times: times::Times,
    sound: sound::Sound,
}

const INFO: DetectorInfo = DetectorInfo {
    name: "capture",
    question: Question::Capture,
    summary: "frames, times, sound and container against what a camera and a microphone give",
};
/// Seconds of material under which nothing is said.
const LEAST_S: f64 = 3.0;
/// Most cuts, and most gaps of the sound, that are named one by one: a live call may have any number of them.
const MOST_NAMED: usize = 100;
/// LLR of a recording in which nothing was found: an attack leaves no sign here about nine times in ten.
const NO_SIGN: f64 = -0.1;

impl Detector for Capture {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, out: &mut Vec<Evidence>) -> Result<()> {
        let now = [!window.frames.is_empty(), !window.heard.is_empty()];
        let promised = [window.media.video.is_some(), window.media.audio.is_some()];
        // a camera or microphone that was announced and sends nothing was not judged
        let streams = (0..2).filter(|&k| promised[k] || now[k]).count().max(1);
        self.judged_s += window.span.seconds() * now.iter().filter(|&&n| n).count() as f64 / streams as f64;
        (0..2).for_each(|k| self.came[k] |= now[k]);
        self.speech_s += window.speech.iter().map(|s| s.seconds()).sum::<f64>();
        self.freeze.observe(window, out);
        self.loops.observe(window);
        self.photo.observe(window);
        self.cuts.observe(window, out);
        self.times.observe(window, out);
        self.sound.observe(window, out);
        Ok(())
    }

    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        if self.judged_s < LEAST_S {
            let message = format!("{:.1} s are too short to judge the capture", self.judged_s);
            out.push(evidence("capture.all", whole.span, Finding::Abstain { reason: Reason::TooShort }, message));
            return;
        }
        self.freeze.conclude(whole, out);
        self.loops.conclude(whole, out);
        self.photo.conclude(whole, out);
        self.times.conclude(whole, out);
        self.cuts.conclude(whole, out);
        self.sound.conclude(whole, out);
        container::conclude(whole, out);
        let signs = out.iter().any(|e| e.question == Question::Capture && e.llr().is_some());
        if !signs && self.speech_s < LEAST_S && self.freeze.moving_s() < LEAST_S {
            let message = "no moving picture and no speech: nothing that a camera and a microphone in use would send";
            out.push(evidence("capture.all", whole.span, Finding::Abstain { reason: Reason::TooShort }, message));
        } else if !signs {
            let finding = Finding::Score { raw: 0.0, llr: NO_SIGN };
            let message = match self.came {
                [true, false] => "no sign against a camera in use was found; no sound came",
                [false, true] => "no sign against a microphone in use was found; no picture came",
                _ => "no sign against a camera and a microphone in use was found",
            };
            out.push(evidence("capture.no_sign", whole.span, finding, message));
        }
    }

    fn judged_s(&self, _candidate: Option<u32>) -> f64 {
        self.judged_s
    }
}

/// A note that says how many of a kind there are, where that is more than are named.
fn more(code: &'static str, whole: &Whole<'_>, count: usize, message: &str) -> Option<Evidence> {
    (count > MOST_NAMED).then(|| evidence(code, whole.span, Finding::Note, message).fact("count", count as f64))
}

fn evidence(code: &'static str, span: Span, finding: Finding, message: impl Into<String>) -> Evidence {
    Evidence::new(code, Question::Capture, span, finding, message)
}

const fn score(raw: f64, llr: f64) -> Finding {
    Finding::Score { raw, llr }
}

/// Seconds that the spans of `a` and `span` share.
fn shared_s(a: &[Span], span: Span) -> f64 {
    a.iter().filter_map(|s| s.overlap(span)).map(Span::seconds).sum()
}
