//! The checks: one room each, all behind one door, [`Detector`]. None knows its siblings.

use std::collections::BTreeMap;

use crate::evidence::{Evidence, Question};
use crate::media::{MediaInfo, Utterance};
use crate::time::Span;
use crate::track::{FaceObservation, FrameFacts, Tracks};

mod capture;

pub use capture::Capture;

/// What a check is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetectorInfo {
    /// Name on the command line and first part of its evidence codes.
    pub name: &'static str,
    /// The question it bears on.
    pub question: Question,
    /// One sentence.
    pub summary: &'static str,
}

/// A read-only view of one hop of the interview: everything that checks share, computed once.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// The hop.
    pub span: Span,
    /// Facts of every frame shown in it, in order of time.
    pub frames: &'a [FrameFacts],
    /// What was seen of each face, in order of time; several a second and face.
    pub faces: &'a [FaceObservation],
    /// Mono sound at [`AUDIO_RATE`](crate::media::AUDIO_RATE), the whole hop long, silence where nothing came.
    pub audio: &'a [f32],
    /// Stretches of the hop in which sound came at all.
    pub heard: &'a [Span],
    /// Stretches of the hop in which somebody speaks.
    pub speech: &'a [Span],
    /// What was said, where a transcript is given.
    pub words: &'a [Utterance],
    /// Faces and voices so far, with the candidate so far.
    pub tracks: &'a Tracks,
    /// What is known of the media.
    pub media: &'a MediaInfo,
}

/// One check. A fresh one is made for every session; its state is the session's.
///
/// `observe` sees every hop once, in order, and says what it finds in that hop; `conclude` may be asked at any time
/// and says what all hops so far amount to, scores included. Asking changes nothing.
pub trait Detector: Send {
    /// What this check is.
    fn info(&self) -> &DetectorInfo;

    /// Looks at one hop.
    ///
    /// # Errors
    /// When a model fails; never because of what was found.
    fn observe(&mut self, window: &Window<'_>, out: &mut Vec<Evidence>) -> crate::Result<()>;

    /// What all hops so far amount to; `whole` is the interview so far.
    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>);

    /// Seconds of the interview so far that this check could judge.
    fn judged_s(&self) -> f64;
}

/// The interview so far.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// From the start to the end of the last hop.
    pub span: Span,
    /// Faces and voices, with the candidate.
    pub tracks: &'a Tracks,
    /// What is known of the media.
    pub media: &'a MediaInfo,
}

/// Makes the checks with the given names, all where there are none.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) for a name that no check has.
pub fn built_in(names: &[String]) -> crate::Result<Vec<Box<dyn Detector>>> {
    let mut known: BTreeMap<&'static str, Box<dyn Detector>> = BTreeMap::new();
    let all: [Box<dyn Detector>; 1] = [Box::new(Capture::default())];
    for check in all {
        known.insert(check.info().name, check);
    }
    if names.is_empty() {
        return Ok(known.into_values().collect());
    }
    let listed = known.keys().copied().collect::<Vec<_>>().join(", ");
    names
        .iter()
        .map(|name| {
            known.remove(name.as_str()).ok_or_else(|| {
                crate::Error::Config(format!("no check `{name}` (or it is named twice); there are: {listed}"))
            })
        })
        .collect()
}
