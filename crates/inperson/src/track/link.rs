//! Who speaks when: the face whose mouth moves while speech is heard.

use std::collections::BTreeMap;

use super::{Tracks, Turn};
use crate::time::Span;
use crate::timeline::Hop;

/// Silence, in microseconds, after which the next speech is a new turn.
const TURN_GAP: i64 = 800_000;
/// Mean [`Motion`](super::Motion) of the mouth from which it counts as speaking.
const SPEAKING: f32 = 0.25;
/// Observations of a face in a hop that are needed to say whether it speaks.
const LEAST_LOOKS: usize = 3;

#[derive(Debug, Default)]
pub(super) struct Linker {
    /// Mouth movement of each face in the last hops, smoothed.
    movement: BTreeMap<u32, f32>,
}

impl Linker {
    /// Adds the hop's speech to the turns.
    pub(super) fn link(&mut self, hop: &Hop, speech: &[Span], tracks: &mut Tracks) {
        let mut looks: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
        for face in &hop.faces {
            if let Some(motion) = face.motion {
                looks.entry(face.track).or_default().push(motion.mouth);
            }
        }
        self.movement.retain(|id, _| looks.contains_key(id));
        for (&id, seen) in looks.iter().filter(|(_, seen)| seen.len() >= LEAST_LOOKS) {
            let mean = seen.iter().sum::<f32>() / seen.len() as f32;
            tracing::debug!(face = id, mouth = mean, speech = speech.len(), "mouth in a hop");
            let held = self.movement.entry(id).or_insert(mean);
            *held = 0.5 * (*held + mean);
        }
        let heard: f64 = speech.iter().map(|s| s.seconds()).sum();
        if heard <= 0.0 {
            return;
        }
        let (face, confidence) = self.speaker();
        for &span in speech {
            add(&mut tracks.turns, span, face, confidence);
        }
        if let Some(track) = face.and_then(|id| tracks.faces.iter_mut().find(|t| t.id == id)) {
            track.speaking_s += heard;
        }
    }

    /// The face whose mouth moves most, if it moves like speech, and how far it is ahead of the next.
    fn speaker(&self) -> (Option<u32>, f32) {
        let mut ranked: Vec<(f32, u32)> = self.movement.iter().map(|(&id, &m)| (m, id)).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let Some(&(most, id)) = ranked.first() else { return (None, 0.0) };
        let next = ranked.get(1).map_or(0.5 * SPEAKING, |&(m, _)| m.max(0.5 * SPEAKING));
        if most < SPEAKING {
            return (None, (1.0 - most / SPEAKING).clamp(0.0, 1.0));
        }
        (Some(id), (1.0 - next / most).clamp(0.0, 1.0))
    }
}

fn add(turns: &mut Vec<Turn>, span: Span, face: Option<u32>, confidence: f32) {
    match turns.last_mut() {
        Some(last) if last.face == face && span.start.since(last.span.end) <= TURN_GAP => {
            let (held, new) = (last.span.seconds() as f32, span.seconds() as f32);
            last.confidence = (last.confidence * held + confidence * new) / (held + new).max(f32::EPSILON);
            last.span.end = span.end;
        }
        _ => turns.push(Turn { span, face, confidence }),
    }
}
