//! Speech without a moving mouth, and a speaking mouth without speech: facts for the reviewer. Other people in the room or the call
//! explain the first, a muted microphone the second, so neither carries weight.

use crate::detect::Window;
use crate::evidence::{Evidence, Finding, Question};
use crate::time::Span;
use crate::track::FaceObservation;

/// Mean [`Motion`](crate::track::Motion) of the mouth under which it stands still, and from which it moves as in speech.
const STILL: f32 = 0.15;
const SPEAKING: f32 = 0.5;
/// Looks in a hop that are needed.
const LEAST_LOOKS: usize = 3;
/// Share of a hop with speech from which it is spoken.
const SPOKEN: f64 = 0.6;
/// Seconds from which a stretch is told, gap that does not end one in microseconds, and most stretches of a kind.
const TOLD: f64 = 3.0;
const BRIDGED: i64 = 1_000_000;
const NAMED: usize = 10;

/// What the candidate's mouth did that the sound did not say.
#[derive(Debug, Default)]
pub(super) struct Mouths {
    still: Vec<Span>,
    silent: Vec<Span>,
}

/// Whether the mouth of a face that is not the candidate's moves as in speech.
pub(super) fn another_speaks(faces: &[FaceObservation], candidate: Option<u32>) -> bool {
    faces.iter().filter(|f| Some(f.track) != candidate).filter_map(|f| f.motion).any(|m| m.mouth > SPEAKING)
}

impl Mouths {
    pub(super) fn look(&mut self, window: &Window<'_>) {
        let Some(candidate) = window.tracks.candidate else { return };
        let mine = window.faces.iter().filter(|f| f.track == candidate);
        let moved: Vec<f32> = mine.filter_map(|f| f.motion).map(|m| m.mouth).collect();
        // in a call of several, another face may be the speaker
        let other = window.faces.iter().any(|f| f.track != candidate && f.motion.is_some_and(|m| m.mouth > STILL));
        if moved.len() < LEAST_LOOKS || window.heard.is_empty() || window.music {
            return;
        }
        let mean = moved.iter().sum::<f32>() / moved.len() as f32;
        let spoken = window.speech.iter().map(|s| s.seconds()).sum::<f64>();
        if mean < STILL && spoken > SPOKEN * window.span.seconds() && !other {
            extend(&mut self.still, window.span);
        } else if mean > SPEAKING && spoken == 0.0 {
            extend(&mut self.silent, window.span);
        }
    }

    pub(super) fn tell(&self, subject: Option<u32>, out: &mut Vec<Evidence>) {
        let kinds = [
            (
                "lipsync.still_mouth",
                &self.still,
                "speech is heard while the candidate's mouth stands still: somebody unseen speaks",
            ),
            ("lipsync.silent_mouth", &self.silent, "the candidate's mouth moves as in speech and nothing is heard"),
        ];
        for (code, spans, message) in kinds {
            let mut told: Vec<&Span> = spans.iter().filter(|s| s.seconds() >= TOLD).collect();
            told.sort_by(|a, b| b.seconds().total_cmp(&a.seconds()).then(a.cmp(b)));
            for span in told.into_iter().take(NAMED) {
                let mut found = Evidence::new(code, Question::Sync, *span, Finding::Note, message);
                found.subject = subject;
                out.push(found);
            }
        }
    }
}

fn extend(spans: &mut Vec<Span>, span: Span) {
    match spans.last_mut() {
        Some(last) if span.start.since(last.end) <= BRIDGED => last.end = span.end,
        _ => spans.push(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::track::{FaceQuality, Motion};

    fn face(track: u32, mouth: Option<f32>) -> FaceObservation {
        FaceObservation {
            track,
            at: Timestamp(0),
            bounds: [10.0, 20.0, 60.0, 80.0],
            share: [0.1, 0.2, 0.6, 0.8],
            points: [[0.0; 2]; 5],
            mesh: [].into(),
            ibug68: [].into(),
            presence: 1.0,
            quality: FaceQuality::default(),
            still: false,
            motion: mouth.map(|mouth| Motion { mouth, rest: 0.1 }),
            mouth_open: 0.0,
            eyes_open: [0.3; 2],
            crop: None,
            context: None,
            mouth: None,
        }
    }

    #[test]
    fn another_speaks_where_a_mouth_moves_that_is_not_the_candidate_s() {
        let moving = Some(2.0 * SPEAKING);
        assert!(another_speaks(&[face(1, None), face(2, moving)], Some(1)));
        assert!(!another_speaks(&[face(1, moving), face(2, Some(0.5 * SPEAKING)), face(3, None)], Some(1)));
    }
}
