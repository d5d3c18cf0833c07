//! Faces found, followed through short losses, and numbered.
//!
//! Faces are looked at five times a second, and in bursts in every frame. A followed face's landmarks give the place of the next look; the
//! detector runs once a second, or three times while nobody is followed, to find newcomers and to confirm. A face that comes back after a
//! longer while has its number again if it looks as it did.

use std::collections::BTreeMap;

use super::appearance::{Memory, appearance, likeness};
use super::burst::mouth;
use super::landmarks::{FaceModels, Found};
use super::motion::Looks;
use super::quality::{Light, aligned, context, eyes_open, five_points, light_of, mouth_open, quality, roll_of};
use super::still::{STOOD, Still};
use super::sums::{self, Sums};
use super::takes::Takes;
use super::{Bursts, FaceObservation, FrameFacts, Reference, Seen, THUMB, Tracks, Wanted};
use crate::config::CandidateRule;
use crate::dsp::geometry::Rect;
use crate::dsp::image::luma_thumbnail;
use crate::error::Result;
use crate::media::{Rotation, VideoFrame};
use crate::time::Timestamp;

/// Time between looks, microseconds.
pub(super) const LOOK: i64 = 200_000;
/// Time between searches while a face is followed, and while none is.
const SEARCH: [i64; 2] = [1_000_000, 300_000];
/// Presence under which the landmarks have lost the face.
const LOST: f32 = 0.5;
/// Detector score from which a face counts even where landmarks fail: profile, mask.
const SURE: f32 = 0.7;
/// How long a lost face keeps its number, microseconds.
const KEPT: i64 = 10_000_000;
/// How long a face is followed without the detector seeing it.
const UNCONFIRMED: i64 = 4_000_000;
/// Most faces that are followed at once, and in a burst's frames between two looks.
const MOST: usize = 8;
const IN_BURST: usize = 2;
/// Mean change of the thumbnail's luma, of 255, that is a cut to another scene.
const CUT: f32 = 28.0;

/// One face that is followed, or was until a moment ago.
#[derive(Debug, Clone)]
struct Followed {
    id: u32,
    bounds: Rect,
    roll: f32,
    seen: Timestamp,
    confirmed: Timestamp,
    active: bool,
    /// Whether it was lost at a cut: who is seen next at its place may be somebody else.
    cut: bool,
    /// Of the last look; none before one.
    light: Option<Light>,
}

pub(super) struct FaceFollower {
    models: FaceModels,
    reference: Option<Reference>,
    wanted: Wanted,
    last_burst: Timestamp,
    takes: Takes,
    faces: Vec<Followed>,
    looks: Looks,
    memory: Memory,
    sums: BTreeMap<u32, Sums>,
    next_id: u32,
    next_look: Timestamp,
    next_search: Timestamp,
    last: Vec<u8>,
    still: Still,
    /// The turn that makes faces upright: cameras hang upside down, and phones forget how they were held.
    turn: Rotation,
    /// The turn from there that was tried last.
    tried: Rotation,
}

impl FaceFollower {
    pub(super) fn new(models: FaceModels, reference: Option<Reference>, wanted: Wanted) -> Self {
        Self {
            models,
            reference,
            wanted,
            last_burst: Timestamp(i64::MIN),
            takes: Takes::default(),
            faces: Vec::new(),
            looks: Looks::default(),
            memory: Memory::default(),
            sums: BTreeMap::new(),
            next_id: 0,
            next_look: Timestamp(i64::MIN),
            next_search: Timestamp(i64::MIN),
            last: Vec::new(),
            still: Still::default(),
            turn: Rotation::None,
            tried: Rotation::None,
        }
    }

    /// The facts kept of a frame, and the faces in it if this is a frame to look at.
    pub(super) fn look(&mut self, frame: &VideoFrame) -> Result<Seen> {
        let (luma, pixels) = luma_thumbnail(frame, THUMB.0, THUMB.1);
        if mean_change(&self.last, &luma) > CUT {
            self.faces.iter_mut().filter(|f| f.active).for_each(|f| (f.active, f.cut) = (false, true));
            (self.next_look, self.next_search) = (frame.at, frame.at);
        }
        self.last.clone_from(&luma);
        let facts = FrameFacts {
            at: frame.at,
            size: (frame.width, frame.height),
            packet_bytes: frame.packet_bytes,
            key: frame.key,
            stood: self.still.stood(frame, &luma),
            luma: luma.into(),
            pixels: pixels.into(),
        };
        let stands = facts.stood >= STOOD;
        let marked = |mut faces: Vec<FaceObservation>| {
            faces.iter_mut().for_each(|f| f.still = stands);
            faces
        };
        if frame.damaged {
            return Ok(Seen { facts, faces: Vec::new(), burst: Vec::new() });
        }
        let burst = self.wanted.bursts.now(frame.at, self.last_burst);
        if burst {
            self.last_burst = frame.at;
        }
        if frame.at < self.next_look {
            let burst = if burst {
                self.follow(frame, IN_BURST, true, self.wanted.bursts == Bursts::Always)?
            } else {
                Vec::new()
            };
            return Ok(Seen { facts, faces: Vec::new(), burst: marked(burst) });
        }
        self.next_look = frame.at.plus(LOOK);
        let mut seen = self.follow(frame, MOST, burst, true)?;
        let followed = if burst { marked(seen.clone()) } else { Vec::new() };
        if frame.at >= self.next_search
            || !self.faces.iter().any(|f| f.active) && frame.at.plus(SEARCH[0]) >= self.next_search
        {
            self.search(frame, &mut seen)?;
            let busy = self.faces.iter().any(|f| f.active);
            self.next_search = frame.at.plus(SEARCH[usize::from(!busy)]);
        }
        self.faces.retain(|f| f.active || frame.at.since(f.seen) < KEPT);
        let mut seen = marked(seen);
        self.looks.compare(&mut seen);
        self.looks.retain(|id| self.faces.iter().any(|f| f.id == id));
        Ok(Seen { facts, faces: seen, burst: followed })
    }

    /// Landmarks of the faces that were there at the last look, of the largest ones at `most`; with mouths, and with crops (`wide`)
    /// where asked for.
    fn follow(&mut self, frame: &VideoFrame, most: usize, mouths: bool, wide: bool) -> Result<Vec<FaceObservation>> {
        let mut seen: Vec<FaceObservation> = Vec::new();
        let mut areas: Vec<f32> = self.faces.iter().filter(|f| f.active).map(|f| f.bounds.area()).collect();
        areas.sort_by(|a, b| b.total_cmp(a));
        let least = areas.get(most.saturating_sub(1)).copied().unwrap_or(0.0);
        let take = mouths && self.wanted.takes && self.takes.now(frame.at, !areas.is_empty());
        for face in self.faces.iter_mut().filter(|f| f.active && f.bounds.area() >= least) {
            let shape = self.models.shape(frame, face.bounds, face.roll)?;
            let doubtful = frame.at.since(face.confirmed) > UNCONFIRMED;
            let Some(bounds) = Rect::around(&shape.mesh) else { continue };
            let twice = seen.iter().any(|s| rect(s.bounds).iou(bounds) > 0.5);
            // while landmarks fail on a face that the detector sees, the detector alone keeps it for a while
            let held = frame.at.since(face.confirmed) <= SEARCH[0] + LOOK && shape.presence < LOST;
            if shape.presence < LOST || doubtful || twice || !plausible(bounds, frame) {
                face.active = held && !twice;
                continue;
            }
            let points = five_points(&shape.mesh).unwrap_or_default();
            (face.bounds, face.roll, face.seen) = (bounds, roll_of(&points), frame.at);
            let light = face.light.filter(|_| !wide);
            let mut item = observation(frame, face.id, bounds, points, &shape, light);
            face.light = Some(item.quality.light());
            if take || self.wanted.context && wide {
                item.context = context(frame, &item.points);
            }
            if mouths {
                item.mouth = mouth(frame, &item.mesh);
            }
            seen.push(item);
        }
        Ok(seen)
    }

    /// What the detector finds; where it finds nobody and nobody is followed, in the picture turned, another way in every search.
    fn find(&mut self, frame: &VideoFrame) -> Result<Vec<Found>> {
        let found = self.models.find_turned(frame, self.turn)?;
        if self.faces.iter().any(|f| f.active) {
            return Ok(found);
        }
        let (other, least) = match found.first() {
            // a head that stands on its head is found as well, though less surely
            Some(best) => (self.turn.then(Rotation::Half), best.score),
            None => {
                self.tried = self.tried.then(Rotation::Quarter);
                (self.turn.then(self.tried), SURE)
            }
        };
        if other == self.turn {
            return Ok(found);
        }
        let turned = self.models.find_turned(frame, other)?;
        let Some(best) = turned.first().filter(|best| best.score > least) else { return Ok(found) };
        let opposite = other.then(Rotation::Half);
        if opposite != self.turn {
            let opposed = self.models.find_turned(frame, opposite)?;
            if opposed.first().is_some_and(|o| o.score > best.score) {
                self.turn = opposite;
                return Ok(opposed);
            }
        }
        self.turn = other;
        Ok(turned)
    }

    /// Newcomers, and faces that were lost.
    fn search(&mut self, frame: &VideoFrame, seen: &mut Vec<FaceObservation>) -> Result<()> {
        for found in self.find(frame)? {
            let known = self
                .faces
                .iter_mut()
                .filter(|f| f.active)
                .max_by(|a, b| a.bounds.iou(found.bounds).total_cmp(&b.bounds.iou(found.bounds)));
            if let Some(face) = known.filter(|f| f.bounds.iou(found.bounds) > 0.3) {
                face.confirmed = frame.at;
                if !seen.iter().any(|s| s.track == face.id) {
                    (face.bounds, face.roll, face.seen) = (found.bounds, roll_of(&found.points), frame.at);
                    seen.push(self.models.observe(frame, face.id, &found)?);
                }
                continue;
            }
            if self.faces.iter().filter(|f| f.active).count() >= MOST {
                continue;
            }
            let mut item = self.models.observe(frame, self.next_id, &found)?;
            if item.mesh.is_empty() && found.score < SURE {
                continue;
            }
            let id = self.number(&found, &item);
            item.track = id;
            let (at, roll) = (frame.at, roll_of(&found.points));
            self.faces.retain(|f| f.id != id);
            let mut face = Followed {
                id,
                bounds: found.bounds,
                roll,
                seen: at,
                confirmed: at,
                active: true,
                cut: false,
                light: None,
            };
            if !item.mesh.is_empty() {
                (face.bounds, face.roll) = (rect(item.bounds), roll_of(&item.points));
            }
            self.faces.push(face);
            seen.push(item);
        }
        Ok(())
    }

    /// The number of the lost face that this one must be, or a new one.
    fn number(&mut self, found: &Found, item: &FaceObservation) -> u32 {
        let at = item.at;
        let [x, y] = found.bounds.centre();
        let size = found.bounds.width().max(found.bounds.height());
        let look = item.crop.as_deref().map(appearance);
        let near = self.faces.iter().filter(|f| !f.active && at.since(f.seen) < KEPT).filter_map(|f| {
            let [fx, fy] = f.bounds.centre();
            let ratio = size / f.bounds.width().max(f.bounds.height()).max(1.0);
            let away = (x - fx).hypot(y - fy) / size;
            let like = || look.as_deref().is_some_and(|l| self.memory.like(f.id, l));
            (away < 1.0 && (0.6..1.7).contains(&ratio) && (!f.cut || like())).then_some((away, f.id))
        });
        if let Some((_, id)) = near.min_by(|a, b| a.0.total_cmp(&b.0)) {
            return id;
        }
        let here = |id: u32| self.faces.iter().any(|f| f.id == id);
        if let Some(id) = look.as_deref().and_then(|look| self.memory.find(look, here)) {
            return id;
        }
        self.next_id += 1;
        self.next_id - 1
    }

    /// Brings the tracks up to date with what was seen in a hop.
    pub(super) fn summarise(&mut self, faces: &[FaceObservation], tracks: &mut Tracks) {
        for face in faces {
            let look = face.crop.as_deref().map(appearance);
            let like = look.as_ref().zip(self.reference.as_ref()).map_or(0.0, |(look, r)| likeness(&r.0, look));
            self.sums.entry(face.track).or_default().add(face, like);
            if let Some(look) = look {
                self.memory.add(face.track, &look);
            }
            self.sums[&face.track].tell(face, tracks);
        }
    }

    /// The candidate's face by the rule.
    pub(super) fn candidate(&self, rule: &CandidateRule, tracks: &Tracks) -> Option<u32> {
        sums::candidate(&self.sums, rule, tracks)
    }
}

impl FaceModels {
    /// A found face with its landmarks where they hold.
    pub(super) fn observe(&self, frame: &VideoFrame, id: u32, found: &Found) -> Result<FaceObservation> {
        let shape = self.shape(frame, found.bounds, roll_of(&found.points))?;
        let bounds = Rect::around(&shape.mesh).filter(|b| shape.presence >= LOST && plausible(*b, frame));
        if let (Some(bounds), Some(points)) = (bounds, five_points(&shape.mesh)) {
            return Ok(observation(frame, id, bounds, points, &shape, None));
        }
        let none = super::landmarks::Shape { mesh: Vec::new(), ibug68: Vec::new(), presence: found.score };
        Ok(observation(frame, id, found.bounds, found.points, &none, None))
    }
}

/// A face as seen; aligned crop and light anew, or the light of the look before and no crop.
fn observation(
    frame: &VideoFrame,
    track: u32,
    bounds: Rect,
    points: [[f32; 2]; 5],
    shape: &super::landmarks::Shape,
    light: Option<Light>,
) -> FaceObservation {
    let crop = if light.is_none() { aligned(frame, &points) } else { None };
    let light = light.unwrap_or_else(|| crop.as_deref().map(light_of).unwrap_or_default());
    let (w, h) = frame.upright_size();
    let (w, h) = (w as f32, h as f32);
    FaceObservation {
        track,
        at: frame.at,
        bounds: [bounds.x0, bounds.y0, bounds.x1, bounds.y1],
        share: [bounds.x0 / w, bounds.y0 / h, bounds.x1 / w, bounds.y1 / h],
        points,
        presence: shape.presence,
        quality: quality(frame, bounds, &points, &shape.ibug68, light),
        still: false,
        motion: None,
        mouth_open: mouth_open(&shape.mesh),
        eyes_open: eyes_open(&shape.mesh),
        mesh: shape.mesh.as_slice().into(),
        ibug68: shape.ibug68.as_slice().into(),
        crop,
        context: None,
        mouth: None,
    }
}

fn rect([x0, y0, x1, y1]: [f32; 4]) -> Rect {
    Rect::new(x0, y0, x1, y1)
}

/// Whether a box can be a face in this frame: large enough, not all outside.
fn plausible(bounds: Rect, frame: &VideoFrame) -> bool {
    let (w, h) = frame.upright_size();
    let side = bounds.width().min(bounds.height());
    side >= 8.0 && bounds.clamp(w as f32, h as f32).area() > 0.25 * bounds.area()
}

fn mean_change(before: &[u8], now: &[u8]) -> f32 {
    if before.len() != now.len() || now.is_empty() {
        return 0.0;
    }
    let sum: u64 = before.iter().zip(now).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f32 / now.len() as f32
}
