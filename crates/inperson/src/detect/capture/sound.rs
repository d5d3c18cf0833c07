//! Sound that is switched off to exact zeros, as gates, mutes and cutting programs do. Notes.

use super::{MOST_NAMED, Whole, Window, evidence, more};
use crate::evidence::{Evidence, Finding};
use crate::media::AUDIO_RATE;
use crate::time::{Span, Timestamp};

/// Samples of exact zeros that are a gap: a quarter of a second.
const LEAST: i64 = AUDIO_RATE as i64 / 4;

#[derive(Debug, Default)]
pub(super) struct Sound {
    zeros: i64,
    since: Option<Timestamp>,
    heard_before: bool,
    count: usize,
}

impl Sound {
    pub(super) fn observe(&mut self, window: &Window<'_>, out: &mut Vec<Evidence>) {
        let rate = i64::from(AUDIO_RATE);
        for (i, &sample) in window.audio.iter().enumerate() {
            let at = window.span.start.plus(i as i64 * 1_000_000 / rate);
            if sample == 0.0 && !window.heard.iter().any(|s| s.contains(at)) {
                // no sound came here at all, which the recording's notes say
                (self.zeros, self.since) = (0, None);
                continue;
            }
            if sample == 0.0 {
                self.since = self.since.or(Some(at));
                self.zeros += 1;
                continue;
            }
            if let Some(since) = self.since.take().filter(|_| self.zeros >= LEAST && self.heard_before) {
                self.count += 1;
                let span = Span::new(since, at);
                let message = format!("the sound is switched off for {:.1} s: exact zeros", span.seconds());
                let found = evidence("capture.sound_off", span, Finding::Note, message).fact("off_s", span.seconds());
                out.extend((self.count <= MOST_NAMED).then_some(found));
            }
            (self.zeros, self.since, self.heard_before) = (0, None, true);
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        let message = "the sound is switched off more often than is named one by one";
        out.extend(more("capture.sounds_off", whole, self.count, message));
    }
}
