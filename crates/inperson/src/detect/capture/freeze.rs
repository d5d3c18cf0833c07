//! Frozen, still and black pictures.

use super::{Whole, Window, evidence, score, shared_s};
use crate::evidence::{Evidence, Finding};
use crate::time::Span;
use crate::track::FrameFacts;

/// A standing picture shorter than this is an ordinary repeated frame, microseconds.
const LEAST: i64 = 1_500_000;
/// Share of the time from which a picture that stands is a still.
const STILL_SHARE: f64 = 0.9;
/// Luma under which, all over, a picture is black; video black is 0 in full range.
const BLACK: u8 = 20;
/// Seconds of speech that a still or a black picture must lie under to count.
const SPEECH_S: f64 = 3.0;

#[derive(Debug, Default)]
pub(super) struct Freeze {
    last: Option<FrameFacts>,
    /// Seconds of speech under the standing picture so far.
    speech_s: f64,
    pairs: u32,
    repeated: u32,
    still_s: f64,
    still_speech_s: f64,
    black_s: f64,
    black_speech_s: f64,
    seen_s: f64,
}

impl Freeze {
    pub(super) fn observe(&mut self, window: &Window<'_>, out: &mut Vec<Evidence>) {
        for frame in window.frames {
            let black = frame.luma.iter().all(|&l| l < BLACK);
            if let Some(last) = self.last.replace(frame.clone()) {
                let step = Span::new(last.at, frame.at);
                let heard = shared_s(window.speech, step);
                self.pairs += 1;
                self.seen_s += step.seconds();
                self.repeated += u32::from(last.pixels == frame.pixels && last.luma == frame.luma);
                if black {
                    self.black_s += step.seconds();
                    self.black_speech_s += heard;
                }
                if frame.stood > 0 {
                    self.still_s += step.seconds();
                    self.still_speech_s += heard;
                    self.speech_s += heard;
                } else {
                    self.end(&last, out);
                }
            }
        }
    }

    /// Seconds in which the picture moved.
    pub(super) fn moving_s(&self) -> f64 {
        self.seen_s - self.still_s
    }

    /// The picture stood until its `last` frame.
    fn end(&mut self, last: &FrameFacts, out: &mut Vec<Evidence>) {
        let speech_s = std::mem::take(&mut self.speech_s);
        let span = Span::new(last.at.plus(-last.stood), last.at);
        if span.micros() >= LEAST {
            // networks freeze too: little weight, more when it lasts and somebody speaks
            let llr = if speech_s > SPEECH_S { 0.4 } else { 0.1 };
            let message = format!("the picture stood still for {:.1} s and then went on", span.seconds());
            let found = evidence("capture.frozen", span, score(span.seconds(), llr), message);
            out.push(found.fact("frozen_s", span.seconds()).fact("speech_s", speech_s));
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        if self.pairs == 0 {
            return;
        }
        let share = self.still_s / self.seen_s.max(1e-9);
        if self.black_s > 0.5 * self.seen_s && self.black_speech_s >= SPEECH_S {
            let message = format!("the picture is black for {:.0} s while somebody speaks", self.black_s);
            let found = evidence("capture.black", whole.span, score(self.black_s, 0.3), message);
            out.push(found.fact("black_s", self.black_s).fact("speech_s", self.black_speech_s));
        } else if share >= STILL_SHARE && self.still_speech_s >= SPEECH_S {
            let face = whole.tracks.candidate;
            let llr = if face.is_some() { 2.0 } else { 0.3 };
            let message = format!("one unchanging picture was sent for {:.0} s while somebody speaks", self.still_s);
            let mut found = evidence("capture.still", whole.span, score(share, llr), message);
            found.subject = face;
            out.push(found.fact("still_share", share).fact("speech_s", self.still_speech_s));
        } else if self.repeated * 10 > self.pairs {
            let of = f64::from(self.repeated) / f64::from(self.pairs);
            let message = format!("{:.0} % of the frames repeat the one before", 100.0 * of);
            out.push(evidence("capture.repeated", whole.span, Finding::Note, message).fact("repeated_share", of));
        }
    }
}
