//! Where somebody speaks: voice activity with hysteresis.
//!
//! The detector is `earshot`, which was measured beside Silero VAD on the material at hand (see README).

use crate::media::AUDIO_RATE;
use crate::time::{Span, Timestamp};

/// Samples of one frame of the detector: 16 ms.
const FRAME: usize = 256;
/// Score from which speech begins.
const BEGIN: f32 = 0.5;
/// Score below which speech may end.
const END: f32 = 0.35;
/// Time below [`END`] after which speech has ended, microseconds: shorter gaps are closures inside words.
const HANG: i64 = 240_000;

pub(super) struct VoiceActivity {
    detector: Box<earshot::Detector>,
    /// Samples of a frame that the next hop completes.
    rest: Vec<f32>,
    /// Since when speech has been quiet, while it goes on.
    speaking: Option<Timestamp>,
}

impl Default for VoiceActivity {
    fn default() -> Self {
        Self { detector: earshot::Detector::default_boxed(), rest: Vec::with_capacity(FRAME), speaking: None }
    }
}

impl VoiceActivity {
    /// Speech in the hop `span`, whose sound is `audio`.
    pub(super) fn listen(&mut self, span: Span, audio: &[f32]) -> Vec<Span> {
        let mut speech = Vec::new();
        let mut at = span.start.plus(-micros(self.rest.len()));
        let mut samples = std::mem::take(&mut self.rest);
        // lossy decoders overshoot full scale a little
        samples.extend(audio.iter().map(|s| s.clamp(-1.0, 1.0)));
        if self.speaking.is_none() && samples.iter().all(|&s| s == 0.0) {
            // no sound at all, as in a video without any, or while a call is interrupted
            self.rest = vec![0.0; samples.len() % FRAME];
            return speech;
        }
        let mut frames = samples.chunks_exact(FRAME);
        for frame in &mut frames {
            let end = at.plus(micros(FRAME));
            let score = self.detector.predict_f32(frame);
            if score >= BEGIN || (score >= END && self.speaking.is_some()) {
                self.speaking = Some(end);
            } else if self.speaking.is_some_and(|last| end.since(last) > HANG) {
                self.speaking = None;
            }
            if self.speaking.is_some() {
                speech.push(Span::new(at.max(span.start), end));
            }
            at = end;
        }
        self.rest = frames.remainder().to_vec();
        // the frame that the next hop completes goes on as the last one did, so that speech has no holes at borders
        if self.speaking.is_some() {
            speech.push(Span::new(at.max(span.start), span.end));
        }
        Span::merged(speech, 0)
    }
}

fn micros(samples: usize) -> i64 {
    samples as i64 * 1_000_000 / i64::from(AUDIO_RATE)
}
