//! Is this a human voice?
//!
//! The model listens to 6 s of the candidate's speech at a time, pauses left out, one stretch after the other, after
//! three minutes to every other one; while there is less speech, to all of it, about every second anew; and once more at
//! the end, if enough is left. Its logits are averaged, drawn towards zero while little was heard, and calibrated on whole recordings.
//! Listenings to several voices at once, and to none, are not judged.

use ndarray::ArrayView2;

use super::{Detector, DetectorInfo, Whole, Window};
use crate::calibrate::Calibration;
use crate::error::{Error, Result};
use crate::evidence::{Evidence, Finding, Question, Reason};
use crate::media::AUDIO_RATE;
use crate::model::Model;
use crate::time::{Span, Timestamp};

/// The model's id.
pub(crate) const MODEL: &str = "voice";
/// Samples that the model listens to at a time.
const LENGTH: usize = AUDIO_RATE as usize * 6;
/// Samples by which it moves on until it has heard that much.
const SOON: usize = AUDIO_RATE as usize * 21 / 20;
/// Samples of speech after which it leaves every other stretch out: more adds little by then.
const WHOLE: usize = AUDIO_RATE as usize * 180;
/// Samples of speech under which nothing is said: about two seconds, of which speech activity leaves out the edges.
const LEAST: usize = AUDIO_RATE as usize * 9 / 5;
/// Seconds listened to after which the mean counts by half.
const FEW: f64 = 2.0;
/// Most stretches that are named.
const NAMED: usize = 5;

const INFO: DetectorInfo = DetectorInfo {
    name: "voice",
    question: Question::Voice,
    summary: "whether the candidate's speech comes from a person or from a synthesiser, converter or vocoder",
};

/// The check `voice`.
#[derive(Debug)]
pub struct Voice {
    model: Model,
    calibration: Calibration,
    /// The latest speech, pauses left out, with the time of every stretch in it.
    speech: Vec<f32>,
    spans: Vec<Span>,
    /// Samples since the last listening, in all, and in all until the last listening.
    fresh: usize,
    total: usize,
    judged: usize,
    heard: bool,
    music: bool,
    listened: Vec<(Span, f32)>,
    /// Listenings to several voices at once, and to none, which are not judged.
    several: usize,
    silent: usize,
}

/// Samples of speech to the next listening once so many were listened to.
const fn due(judged: usize) -> usize {
    match judged {
        0 => LEAST,
        1..LENGTH => SOON,
        LENGTH..WHOLE => LENGTH,
        _ => 2 * LENGTH,
    }
}

impl Voice {
    pub(crate) fn new(model: Model, calibration: Calibration) -> Self {
        Self {
            calibration,
            model,
            speech: Vec::new(),
            spans: Vec::new(),
            fresh: 0,
            total: 0,
            judged: 0,
            heard: false,
            music: false,
            listened: Vec::new(),
            several: 0,
            silent: 0,
        }
    }

    fn listen(&mut self) -> Result<()> {
        let from = self.speech.len().saturating_sub(LENGTH);
        let audio = &self.speech[from..];
        let input = ArrayView2::from_shape((1, audio.len()), audio).map_err(|e| Error::model(MODEL, e.to_string()))?;
        let out = self.model.run(&[input.into_dyn()])?;
        self.forget(LENGTH);
        let number = |at: usize| out.get(at).and_then(|o| o.iter().next()).copied().unwrap_or(f32::NAN);
        let (logit, several, silent) = (number(0), number(1), number(2));
        let start = self.spans.first().map_or(Timestamp::ZERO, |s| s.start);
        let end = self.spans.last().map_or(start, |s| s.end);
        if self.judged < LENGTH {
            // what was heard so far is part of this listening
            (self.listened, self.several, self.silent) = (Vec::new(), 0, 0);
        }
        self.judged = self.total;
        if silent > 0.0 {
            // speech activity takes pauses with a loud room in them for speech
            self.silent += 1;
        } else if several > 0.0 {
            self.several += 1;
        } else if logit.is_finite() {
            self.listened.push((Span::new(start, end), logit));
        }
        self.fresh = 0;
        self.speech.drain(..from);
        Ok(())
    }

    /// Keeps the times of the latest `samples` only.
    fn forget(&mut self, samples: usize) {
        let mut left = samples as i64 * 1_000_000 / i64::from(AUDIO_RATE);
        let keep = self.spans.iter().rev().take_while(|s| {
            let inside = left > 0;
            left -= s.micros();
            inside
        });
        let keep = keep.count();
        self.spans.drain(..self.spans.len() - keep);
    }

    /// Of so many samples of speech the seconds that were judged.
    fn seconds(&self, samples: usize) -> f64 {
        let (judged, others) = (self.listened.len() as f64, (self.several + self.silent) as f64);
        samples as f64 / f64::from(AUDIO_RATE) * judged / (judged + others).max(1.0)
    }

    fn raw(&self) -> f64 {
        let n = self.listened.len() as f64;
        let mean = self.listened.iter().map(|(_, l)| f64::from(*l)).sum::<f64>() / n.max(1.0);
        let seconds = self.seconds(self.judged);
        mean * seconds / (seconds + FEW)
    }
}

impl Detector for Voice {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, _out: &mut Vec<Evidence>) -> Result<()> {
        self.heard |= !window.heard.is_empty();
        self.music |= window.music;
        if window.music {
            return Ok(());
        }
        for &span in window.speech.iter().filter(|s| !window.elsewhere(**s)) {
            let sample = |at: Timestamp| {
                let micros = at.since(window.span.start).max(0);
                ((micros * i64::from(AUDIO_RATE) / 1_000_000) as usize).min(window.audio.len())
            };
            let mut audio = &window.audio[sample(span.start)..sample(span.end)];
            self.spans.push(span);
            while !audio.is_empty() {
                let due = due(self.judged);
                let (now, later) = audio.split_at(due.saturating_sub(self.fresh).min(audio.len()));
                self.speech.extend_from_slice(now);
                self.fresh += now.len();
                self.total += now.len();
                audio = later;
                if self.fresh >= due {
                    self.listen()?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        // of a short recording all counts, of a longer one a tail that another listening would soon have been due for
        let (some, most) = (self.fresh > 0 && self.judged < LENGTH, 2 * self.fresh >= due(self.judged));
        if self.total >= LEAST && (some || most) { self.listen() } else { Ok(()) }
    }

    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        let seconds = self.total as f64 / f64::from(AUDIO_RATE);
        let mixed = whole.media.notes.iter().any(|n| n.code == "channels_differ");
        let (raw, finding) = if mixed {
            (self.raw(), Finding::Abstain { reason: Reason::MixedChannels })
        } else if self.listened.len() <= self.several {
            let reason = match (self.several, self.heard, self.music) {
                (1.., ..) => Reason::OverlappingSpeech,
                (_, _, true) => Reason::Music,
                (_, true, false) => Reason::TooLittleSpeech,
                (_, false, false) => Reason::NoAudio,
            };
            (0.0, Finding::Abstain { reason })
        } else {
            (self.raw(), self.calibration.finding(self.raw()))
        };
        let message = match finding {
            Finding::Score { llr, .. } if llr > 0.5 => "the voice sounds more like a synthetic one",
            Finding::Score { llr, .. } if llr < -0.5 => "the voice sounds more like a person's",
            Finding::Score { .. } => "the voice says little either way",
            Finding::Abstain { reason: Reason::OutOfRange } => {
                "the voice lies outside what the check was calibrated on"
            }
            Finding::Abstain { reason: Reason::Music } => "music lies under the voice, which the check does not judge",
            Finding::Abstain { reason: Reason::MixedChannels } => {
                "each channel holds another person's voice, and both were mixed: choose the candidate's channel"
            }
            Finding::Abstain { reason: Reason::OverlappingSpeech } => {
                "several voices speak at once, which the check does not judge"
            }
            Finding::Abstain { .. } | Finding::Note => {
                "too little of the candidate's speech was heard to judge the voice"
            }
        };
        let found = Evidence::new("voice.synthetic", Question::Voice, whole.span, finding, message);
        let suspicious = found.llr().is_some_and(|llr| llr > 0.5);
        let found = found.fact("speech_s", seconds).fact("listenings", self.listened.len() as f64);
        out.push(
            found.fact("several_voices", self.several as f64).fact("no_voice", self.silent as f64).fact("raw", raw),
        );
        if suspicious {
            let mut worst: Vec<&(Span, f32)> = self.listened.iter().filter(|(_, l)| *l > 0.0).collect();
            worst.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            for (span, logit) in worst.into_iter().take(NAMED) {
                let message = "listen here: the voice sounds least like a person's";
                let found = Evidence::new("voice.stretch", Question::Voice, *span, Finding::Note, message);
                out.push(found.fact("logit", f64::from(*logit)));
            }
        }
    }

    fn judged_s(&self, _candidate: Option<u32>) -> f64 {
        if self.listened.len() <= self.several { 0.0 } else { self.seconds(self.total) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_listens_soon_at_first_and_less_after_six_seconds_and_after_three_minutes() {
        let mut heard = 0;
        for _ in 0..100 {
            let expected = match heard as f64 / AUDIO_RATE as f64 {
                0.0 => 1.8,
                ..6.0 => 1.05,
                ..180.0 => 6.0,
                _ => 12.0,
            };
            assert_eq!(due(heard), (expected * AUDIO_RATE as f64).round() as usize, "after {heard} samples");
            heard += due(heard);
        }
        // the first listening of full length comes when there is as much speech
        assert_eq!((LENGTH - LEAST) % SOON, 0);
    }
}
