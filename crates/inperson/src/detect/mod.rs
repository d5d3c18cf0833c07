//! The checks: one room each, all behind one door, [`Detector`]. None knows its siblings.

use crate::calibrate::Calibration;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::evidence::{Evidence, Question};
use crate::media::{MediaInfo, Utterance};
use crate::model::{Model, Registry, Runtime};
use crate::time::Span;
use crate::track::{Bursts, FaceObservation, FrameFacts, SoundFrame, Tracks, Turn, Wanted};
use answers::AnswerModels;
use looks::Reader;

pub mod answers;
mod capture;
mod channel;
mod face;
mod lipsync;
mod looks;
mod voice;
mod warp;

pub use answers::Answers;
pub use capture::Capture;
pub use channel::Channel;
pub use face::Face;
pub use lipsync::LipSync;
pub use voice::Voice;
pub use warp::Warp;

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
    /// What was seen of the largest faces in every frame, where the hop lies in a burst ([`Bursts`]); with mouths.
    pub burst: &'a [FaceObservation],
    /// Mono sound at [`AUDIO_RATE`](crate::media::AUDIO_RATE), the whole hop long, silence where nothing came.
    pub audio: &'a [f32],
    /// Stretches of the hop in which sound came at all.
    pub heard: &'a [Span],
    /// Stretches of the hop in which somebody speaks.
    pub speech: &'a [Span],
    /// Moments of sound that the hop completes, one every [`SOUND_STEP`](crate::track::SOUND_STEP) samples.
    pub sound: &'a [SoundFrame],
    /// Whether the hop is music, or has music under its speech.
    pub music: bool,
    /// What was said, where a transcript is given.
    pub words: &'a [Utterance],
    /// Stretches of the hop in which, by the names in the transcript, somebody else than [`Config::speaker`] speaks.
    pub others: &'a [Span],
    /// Faces and voices so far, with the candidate so far.
    pub tracks: &'a Tracks,
    /// What is known of the media.
    pub media: &'a MediaInfo,
}

/// Confidence from which a turn is believed to be somebody else's.
const ELSEWHERE: f32 = 0.5;

impl Window<'_> {
    /// Whether speech at `span` is somebody else's than the candidate's, as far as a transcript's names and mouths tell.
    #[must_use]
    pub fn elsewhere(&self, span: Span) -> bool {
        self.another(span)
            || self
                .turn(span)
                .is_some_and(|t| t.face.is_none() && self.faces.iter().any(|f| Some(f.track) == self.tracks.candidate))
    }

    /// Whether speech at `span` is that of somebody who is known: named by a transcript, or seen to speak.
    #[must_use]
    pub fn another(&self, span: Span) -> bool {
        let named: f64 = self.others.iter().filter_map(|o| o.overlap(span)).map(Span::seconds).sum();
        named > 0.5 * span.seconds()
            || self.tracks.candidate.is_some()
                && self.turn(span).is_some_and(|t| t.face.is_some_and(|f| Some(f) != self.tracks.candidate))
    }

    /// The turn at `span`, where mouths tell surely enough whose it is.
    fn turn(&self, span: Span) -> Option<&Turn> {
        let turn = self.tracks.turns.iter().rev().find(|t| t.span.overlap(span).is_some());
        turn.filter(|t| t.confidence >= ELSEWHERE)
    }
}

/// One check. A fresh one is made for every session; its state is the session's.
///
/// `observe` sees every hop once, in order, and says what it finds in that hop; `conclude` may be asked at any time
/// and says what all hops so far amount to, scores included. Asking changes nothing.
pub trait Detector: Send + Sync {
    /// What this check is.
    fn info(&self) -> &DetectorInfo;

    /// Looks at one hop.
    ///
    /// # Errors
    /// When a model fails; never because of what was found.
    fn observe(&mut self, window: &Window<'_>, out: &mut Vec<Evidence>) -> crate::Result<()>;

    /// Looks at what it put off; called once, after the last hop and before the last `conclude`.
    ///
    /// # Errors
    /// As `observe`.
    fn finish(&mut self) -> crate::Result<()> {
        Ok(())
    }

    /// What all hops so far amount to; `whole` is the interview so far.
    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>);

    /// Seconds of the interview so far that this check could judge; of faces the candidate's, which is given.
    fn judged_s(&self, candidate: Option<u32>) -> f64;

    /// Whether it was given what it needs beyond picture and sound, such as a transcript. A check that was not abstains,
    /// and leaves coverage and interval of the whole alone.
    fn asked(&self) -> bool {
        true
    }
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

/// The checks of a configuration with the models they run: loaded once, shared by all sessions.
#[derive(Debug, Clone)]
pub(crate) struct Checks {
    names: Vec<&'static str>,
    voice: Option<(Model, Calibration)>,
    lipsync: Option<(Model, Calibration)>,
    face: Option<(Model, Calibration)>,
    looks: Option<Reader>,
    answers: Option<AnswerModels>,
}

impl Checks {
    /// Loads what the checks with the given names need; all checks where there are no names.
    ///
    /// # Errors
    /// [`Error::Config`] for a name that no check has, [`Error::Model`] for a model that cannot be loaded.
    pub(crate) fn load(wanted: &[String], runtime: &Runtime, registry: &Registry) -> Result<Self> {
        let names = names(wanted)?;
        let asked = |name| names.contains(&name);
        let with_calibration = |name, model| asked(name).then(|| calibrated(runtime, registry, model)).transpose();
        // side by side: reading and optimising the graphs is most of what a short recording waits for
        let ((voice, lipsync), (face, (looks, answers))) = rayon::join(
            || rayon::join(|| with_calibration("voice", voice::MODEL), || with_calibration("lipsync", lipsync::MODEL)),
            || {
                rayon::join(
                    || with_calibration("face", face::MODEL),
                    || {
                        let looks = asked("warp").then(|| Reader::load(runtime, registry)).transpose();
                        (looks, asked("answers").then(|| AnswerModels::load(runtime, registry)).transpose())
                    },
                )
            },
        );
        let (voice, lipsync, face, looks, answers) = (voice?, lipsync?, face?, looks?, answers?);
        Ok(Self { names, voice, lipsync, face, looks, answers })
    }

    /// What these checks need of faces beyond a look.
    pub(crate) fn wanted(&self) -> Wanted {
        let any = |which: &[&str]| self.names.iter().any(|n| which.contains(n));
        let bursts = if any(&IN_BURSTS) { Bursts::Sparse } else { Bursts::Never };
        Wanted { bursts, context: any(&["warp"]), takes: any(&["face"]) }
    }

    /// The models that are run.
    pub(crate) fn models(&self) -> impl Iterator<Item = &Model> {
        self.voice
            .iter()
            .chain(&self.lipsync)
            .chain(&self.face)
            .map(|(model, _)| model)
            .chain(self.looks.iter().map(Reader::model))
            .chain(self.answers.iter().flat_map(AnswerModels::models))
    }

    /// Fresh checks for one session.
    pub(crate) fn start(&self, config: &Config) -> Vec<Box<dyn Detector>> {
        let mut checks: Vec<Box<dyn Detector>> = Vec::new();
        for name in &self.names {
            match *name {
                "voice" => checks.extend(boxed(&self.voice, |(model, calibration)| Voice::new(model, calibration))),
                "lipsync" => {
                    checks.extend(boxed(&self.lipsync, |(model, calibration)| LipSync::new(model, calibration)))
                }
                "face" => checks.extend(boxed(&self.face, |(model, calibration)| Face::new(model, calibration))),
                "warp" => checks.extend(boxed(&self.looks, Warp::new)),
                "answers" => checks.extend(boxed(&self.answers, |models| Answers::new(models, config))),
                "channel" => checks.push(Box::new(Channel::default())),
                _ => checks.push(Box::new(Capture::default())),
            }
        }
        checks
    }
}

/// A model with its calibration.
///
/// # Errors
/// [`Error::Model`] when it is missing, broken or carries no calibration.
fn calibrated(runtime: &Runtime, registry: &Registry, id: &str) -> Result<(Model, Calibration)> {
    let model = runtime.model(registry.find(id)?)?;
    let calibration = model.calibration()?;
    Ok((model, calibration))
}

/// A fresh check with the models it was loaded with.
fn boxed<M: Clone, D: Detector + 'static>(loaded: &Option<M>, make: impl Fn(M) -> D) -> Option<Box<dyn Detector>> {
    loaded.clone().map(|m| Box::new(make(m)) as Box<dyn Detector>)
}

/// Checks that look at faces in every frame of a burst.
const IN_BURSTS: [&str; 2] = ["face", "lipsync"];

/// Names of all checks.
pub const NAMES: [&str; 7] = ["capture", "face", "warp", "voice", "channel", "lipsync", "answers"];

/// Checks that run only where they are named: on material it had not seen `warp` told nothing, so that it abstains, and what it
/// points at is for study.
pub const BY_NAME_ONLY: [&str; 1] = ["warp"];

/// The names asked for as this library knows them; where none are, all but [`BY_NAME_ONLY`].
///
/// # Errors
/// [`Error::Config`] for a name that no check has, or that is named twice.
pub(crate) fn names(wanted: &[String]) -> Result<Vec<&'static str>> {
    if wanted.is_empty() {
        return Ok(NAMES.into_iter().filter(|n| !BY_NAME_ONLY.contains(n)).collect());
    }
    let mut names = Vec::new();
    for name in wanted {
        match NAMES.iter().copied().find(|n| n == name) {
            Some(known) if !names.contains(&known) => names.push(known),
            Some(_) => return Err(Error::Config(format!("the check `{name}` is named twice"))),
            None => return Err(Error::Config(format!("no check `{name}`; there are: {}", NAMES.join(", ")))),
        }
    }
    Ok(names)
}
