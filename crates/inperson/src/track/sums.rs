//! What is summed up of each face over the interview, and which one is the candidate's.

use std::collections::BTreeMap;

use super::face::LOOK;
use super::{FaceObservation, FaceQuality, FaceTrack, Tracks};
use crate::config::CandidateRule;
use crate::dsp::geometry::Rect;
use crate::time::Span;

/// Looks at a face, and spread of its middle as a share of its side, from which and under which it may be a picture on a wall: one
/// that is not seen to speak for so much of the seconds that another face speaks, if these are so many, is not the candidate.
const FIXED_LOOKS: u32 = 60;
const FIXED: f64 = 0.02;
const SILENT: f64 = 0.02;
const SPOKEN_S: f64 = 10.0;
/// Gap that does not end a stretch in which a face was seen.
const BRIDGED: i64 = 3_000_000;

/// Sums over the looks at one face.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    area: f64,
    looks: u32,
    bounds: [f64; 4],
    quality: [f64; 8],
    likeness: f32,
    /// Of its middle, pixels, and the squares of that.
    middle: [f64; 2],
    squares: f64,
}

impl Sums {
    /// Adds a look; `like` is how much it is like the reference picture.
    pub(super) fn add(&mut self, face: &FaceObservation, like: f32) {
        let [x0, y0, x1, y1] = face.bounds;
        let bounds = Rect::new(x0, y0, x1, y1);
        let q = &face.quality;
        // heads on their heads lie to both sides of half a turn
        let mean = self.quality[5] / f64::from(self.looks.max(1));
        let roll = q.roll + 360.0 * ((mean as f32 - q.roll) / 360.0).round();
        self.looks += 1;
        self.area += f64::from(bounds.area());
        let middle = bounds.centre().map(f64::from);
        self.middle.iter_mut().zip(middle).for_each(|(s, v)| *s += v);
        self.squares += middle.iter().map(|v| v * v).sum::<f64>();
        let values = [q.interocular_px, q.sharpness, q.exposure, q.yaw, q.pitch, roll, q.occlusion, q.cropped];
        self.quality.iter_mut().zip(values).for_each(|(s, v)| *s += f64::from(v));
        self.bounds.iter_mut().zip(face.share).for_each(|(s, v)| *s += f64::from(v));
        self.likeness += like;
    }

    /// Brings the face's track up to the look that was added last.
    pub(super) fn tell(&self, face: &FaceObservation, tracks: &mut Tracks) {
        let at = match tracks.faces.binary_search_by_key(&face.track, |t| t.id) {
            Ok(at) => at,
            Err(at) => {
                tracks.faces.insert(at, FaceTrack { id: face.track, ..FaceTrack::default() });
                at
            }
        };
        let track = &mut tracks.faces[at];
        let span = Span::starting(face.at, LOOK);
        match track.seen.last_mut() {
            Some(last) if span.start.since(last.end) <= BRIDGED => last.end = last.end.max(span.end),
            _ => track.seen.push(span),
        }
        let n = f64::from(self.looks);
        track.observations = self.looks;
        track.mean_bounds = self.bounds.map(|s| (s / n) as f32);
        let [iod, sharpness, exposure, yaw, pitch, roll, occlusion, cropped] = self.quality.map(|s| (s / n) as f32);
        track.quality = FaceQuality { interocular_px: iod, sharpness, exposure, yaw, pitch, roll, occlusion, cropped };
    }

    /// Whether it hangs where it hangs, as a picture on a wall does: its middle does not move by a fiftieth of its side.
    fn fixed(&self) -> bool {
        let n = f64::from(self.looks.max(1));
        let [x, y] = self.middle.map(|v| v / n);
        let spread = (self.squares / n - x * x - y * y).max(0.0).sqrt();
        self.looks >= FIXED_LOOKS && spread < FIXED * (self.area / n).sqrt()
    }
}

/// The candidate's face by the rule.
pub(super) fn candidate(all: &BTreeMap<u32, Sums>, rule: &CandidateRule, tracks: &Tracks) -> Option<u32> {
    let spoken = |id: u32| tracks.faces.iter().find(|t| t.id == id).map_or(0.0, |t| t.speaking_s);
    let most = tracks.faces.iter().map(|t| t.speaking_s).fold(0.0, f64::max);
    let hung = |id, sums: &Sums| most >= SPOKEN_S && spoken(id) < SILENT * most && sums.fixed();
    let value = |id: u32, sums: &Sums| match rule {
        // smaller than any that lives, but still a face
        CandidateRule::Largest if hung(id, sums) => 1e-9 * sums.area,
        CandidateRule::Largest => sums.area,
        CandidateRule::Region([left, top, right, bottom]) => {
            let b = tracks.faces.iter().find(|t| t.id == id).map(|t| t.mean_bounds).unwrap_or_default();
            let (x, y) = (0.5 * (b[0] + b[2]), 0.5 * (b[1] + b[3]));
            let inside = *left <= x && x <= *right && *top <= y && y <= *bottom;
            if inside { sums.area } else { -1.0 }
        }
        CandidateRule::Reference(_) => f64::from(sums.likeness) / f64::from(sums.looks.max(1)),
    };
    let ranked = all.iter().map(|(&id, sums)| (value(id, sums), id)).filter(|(v, _)| *v > 0.0);
    ranked.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))).map(|(_, id)| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A face that stays, or sways by a tenth of its side.
    fn seen(side: f64, sways: bool) -> Sums {
        let mut sums = Sums::default();
        for k in 0..100 {
            let x = 300.0 + if sways { 0.1 * side * f64::from(k).sin() } else { 0.0 };
            sums.looks += 1;
            sums.area += side * side;
            sums.middle[0] += x;
            sums.squares += x * x;
        }
        sums
    }

    #[test]
    fn a_larger_picture_on_the_wall_is_not_the_candidate_and_a_larger_listener_is() {
        let chosen = |large: Sums, large_s: f64, small_s: f64| {
            let faces = [(0, large_s), (1, small_s)].map(|(id, speaking_s)| FaceTrack {
                id,
                speaking_s,
                ..FaceTrack::default()
            });
            let tracks = Tracks { faces: faces.into(), ..Tracks::default() };
            candidate(&[(0, large), (1, seen(50.0, true))].into(), &CandidateRule::Largest, &tracks)
        };
        assert_eq!(chosen(seen(90.0, false), 0.0, 20.0), Some(1));
        // who moves listens, who speaks is there, and of little speech nothing is concluded
        assert_eq!(chosen(seen(90.0, true), 0.0, 20.0), Some(0));
        assert_eq!(chosen(seen(90.0, false), 5.0, 20.0), Some(0));
        assert_eq!(chosen(seen(90.0, false), 0.0, 5.0), Some(0));
    }
}
