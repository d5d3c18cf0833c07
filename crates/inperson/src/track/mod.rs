//! Faces followed, voices followed, and who speaks when: what all checks share, computed once.

mod appearance;
mod burst;
mod face;
mod landmarks;
mod link;
mod motion;
mod names;
mod quality;
mod sound;
mod still;
mod sums;
mod takes;
mod voice;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{CandidateRule, Config};
use crate::error::Result;
use crate::media::VideoFrame;
use crate::time::{Span, Timestamp};
use crate::timeline::Hop;

pub use burst::{Bursts, MOUTH};
use face::FaceFollower;
pub(crate) use landmarks::FaceModels;
use link::Linker;
pub use motion::Motion;
use names::Names;
pub(crate) use quality::{DIM, MASKED, aligned_map, context_map};
use sound::Sound;
pub use sound::{SOUND_STEP, SoundFrame};
pub use takes::TAKE;
use voice::VoiceActivity;

/// Width and height of the small luma pictures in [`FrameFacts`], in pixels.
pub const THUMB: (usize, usize) = (64, 36);

/// What is kept of every frame, so that frames themselves need not be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FrameFacts {
    /// When it is shown.
    pub at: Timestamp,
    /// Stored width and height in pixels.
    pub size: (u32, u32),
    /// Bytes of its packet; 0 where unknown.
    pub packet_bytes: u32,
    /// Whether the encoder marked it as a key frame.
    pub key: bool,
    /// For how long the picture has not changed, microseconds; 0 where it moved.
    pub stood: i64,
    /// Luma averaged over a grid of [`THUMB`] tiles, row by row: what is seen, without noise.
    pub luma: Arc<[u8]>,
    /// Luma of single pixels in the middle of those tiles: what noise does.
    pub pixels: Arc<[u8]>,
}

/// How well a face can be judged.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FaceQuality {
    /// Distance between the eye centres in pixels of the frame.
    pub interocular_px: f32,
    /// Spread of the Laplacian of luma over the aligned face; under about 3 is blurred.
    pub sharpness: f32,
    /// Mean luma of the face, 0 to 1.
    pub exposure: f32,
    /// Turn to the side in degrees, positive to the right of the picture; from landmarks, about 10 degrees exact.
    pub yaw: f32,
    /// Nod in degrees, positive downwards.
    pub pitch: f32,
    /// Tilt in degrees, positive clockwise.
    pub roll: f32,
    /// Chance that a large part of the face is covered, 0 to 1.
    pub occlusion: f32,
    /// Share of the face's box that lies beyond the border of the frame, 0 to 1.
    pub cropped: f32,
}

/// A face in one frame.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FaceObservation {
    /// Number of the face, the same as long as it is followed.
    pub track: u32,
    /// When.
    pub at: Timestamp,
    /// Left, top, right, bottom in pixels of the upright frame.
    pub bounds: [f32; 4],
    /// The same as shares of the upright frame.
    pub share: [f32; 4],
    /// Eye centres left to right, tip of the nose, corners of the mouth left to right, in pixels.
    pub points: [[f32; 2]; 5],
    /// The 478 points of MediaPipe's face mesh in pixels; irises from 468 on, which do not follow the gaze. Empty where
    /// landmarks failed.
    pub mesh: Arc<[[f32; 2]]>,
    /// The 68 points of iBUG's scheme in pixels. Empty where landmarks failed.
    pub ibug68: Arc<[[f32; 2]]>,
    /// Chance that this is a face, 0 to 1.
    pub presence: f32,
    /// How well it can be judged.
    pub quality: FaceQuality,
    /// Whether the picture stands: what was seen of the face before is only shown on.
    pub still: bool,
    /// What moved in it by itself since the last look; none without a recent one, or where the picture stands.
    pub motion: Option<Motion>,
    /// Height of the inner mouth opening over the mouth's width.
    pub mouth_open: f32,
    /// Height of the eye openings over their widths, left to right in the picture.
    pub eyes_open: [f32; 2],
    /// The face aligned by its five points: RGB, side [`CROP`].
    pub crop: Option<Arc<[u8]>>,
    /// The face with hair, neck and some background: RGB, side [`CONTEXT`]; where and when a check asks for it ([`Wanted`]).
    pub context: Option<Arc<[u8]>>,
    /// The mouth from nose to chin, in a burst only: luma of side [`MOUTH`], aligned by eyes and nose, so that the mouth's own
    /// movement stays in it.
    pub mouth: Option<Arc<[u8]>>,
}

/// Side of an aligned face crop in pixels.
pub const CROP: usize = 128;

/// Side of the wider face crop in pixels; the distance of the eyes is 0.23 of it.
pub const CONTEXT: usize = 160;

/// What checks ask for beyond a look at every face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// When faces are looked at in every frame.
    pub bursts: Bursts,
    /// Whether wider crops are cut at every look.
    pub context: bool,
    /// Whether wider crops are cut in a few runs of [`TAKE`] frames within bursts.
    pub takes: bool,
}

/// A face that was followed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FaceTrack {
    /// Its number.
    pub id: u32,
    /// When it was seen; short losses are bridged.
    pub seen: Vec<Span>,
    /// Number of observations.
    pub observations: u32,
    /// Mean left, top, right, bottom as shares of the upright frame.
    pub mean_bounds: [f32; 4],
    /// Mean quality.
    pub quality: FaceQuality,
    /// Seconds in which it was seen speaking.
    pub speaking_s: f64,
}

/// A stretch in which one voice speaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Turn {
    /// When.
    pub span: Span,
    /// The face that speaks it; none where nobody seen does.
    pub face: Option<u32>,
    /// How sure that is, 0 to 1; 0 where there was no way to tell.
    pub confidence: f32,
}

/// Faces and voices through time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Tracks {
    /// Faces by number.
    pub faces: Vec<FaceTrack>,
    /// Turns in order of time.
    pub turns: Vec<Turn>,
    /// Seconds of speech.
    pub speech_s: f64,
    /// Seconds of music, under speech or alone.
    #[serde(default)]
    pub music_s: f64,
    /// The candidate's face.
    pub candidate: Option<u32>,
}

/// What was seen in one frame.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) facts: FrameFacts,
    /// Faces, if this was a frame to look for them.
    pub(crate) faces: Vec<FaceObservation>,
    /// Faces, if the frame lies in a burst.
    pub(crate) burst: Vec<FaceObservation>,
}

/// What was heard in one hop.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Stretches in which somebody speaks.
    pub(crate) speech: Vec<Span>,
    /// Moments that the hop completes.
    pub(crate) sound: Vec<SoundFrame>,
    /// Whether it is music, or has music under it.
    pub(crate) music: bool,
    /// Stretches in which, by a transcript's names, somebody else than the candidate speaks.
    pub(crate) others: Vec<Span>,
}

/// The appearance of the face in a candidate's reference picture. It is a template of a person, and goes into no log.
#[derive(Clone)]
pub(crate) struct Reference(Arc<[f32]>);

impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reference(..)")
    }
}

/// The candidate's reference picture, where the rule names one.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) when it cannot be read, [`Error::Media`](crate::Error::Media) when it is no picture of a face.
pub(crate) fn reference(models: &FaceModels, rule: &CandidateRule) -> Result<Option<Reference>> {
    match rule {
        CandidateRule::Reference(path) => appearance::reference(models, path).map(Some),
        CandidateRule::Largest | CandidateRule::Region(_) => Ok(None),
    }
}

/// Follows faces and voices through one interview.
pub(crate) struct Tracker {
    follower: FaceFollower,
    voice: VoiceActivity,
    sound: Sound,
    linker: Linker,
    names: Names,
    tracks: Tracks,
    rule: CandidateRule,
}

impl Tracker {
    /// `reference` is what [`reference`] made of the configuration's.
    pub(crate) fn new(models: FaceModels, reference: Option<Reference>, config: &Config, wanted: Wanted) -> Self {
        Self {
            follower: FaceFollower::new(models, reference, wanted),
            voice: VoiceActivity::default(),
            sound: Sound::default(),
            linker: Linker::default(),
            names: Names::new(config.speaker.as_deref()),
            tracks: Tracks::default(),
            rule: config.candidate.clone(),
        }
    }

    /// Looks at a frame: the facts kept of it, and the faces if this is a frame to look for them.
    pub(crate) fn look(&mut self, frame: &VideoFrame) -> Result<Seen> {
        self.follower.look(frame)
    }

    /// Listens to a hop and brings the tracks up to its end.
    pub(crate) fn listen(&mut self, hop: &Hop) -> Heard {
        let mut heard = Heard { speech: self.voice.listen(hop.span, &hop.audio), ..Heard::default() };
        self.sound.listen(&hop.audio, &mut heard);
        heard.others = self.names.others(hop.span, &hop.words);
        self.tracks.speech_s += heard.speech.iter().map(|s| s.seconds()).sum::<f64>();
        self.tracks.music_s += if heard.music { hop.span.seconds() } else { 0.0 };
        self.follower.summarise(&hop.faces, &mut self.tracks);
        self.linker.link(hop, &heard.speech, &mut self.tracks);
        self.tracks.candidate = self.follower.candidate(&self.rule, &self.tracks);
        heard
    }

    pub(crate) const fn tracks(&self) -> &Tracks {
        &self.tracks
    }
}
