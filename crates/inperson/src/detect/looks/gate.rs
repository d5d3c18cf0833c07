//! Which looks and takes can be judged, and why the others cannot.

use std::collections::BTreeMap;

use crate::evidence::{Finding, Reason};
use crate::track::{DIM, FaceObservation, FaceQuality};

/// Time between looks, seconds.
const LOOK_S: f64 = 0.2;
/// Limits outside of which a face is not judged.
const LEAST_EYES: f32 = 26.0;
const LEAST_SHARP: f32 = 3.0;
const EXPOSURE: [f32; 2] = [0.10, 0.92];
const MOST_YAW: f32 = 40.0;
const MOST_COVERED: f32 = 0.95;
const MOST_CROPPED: f32 = 0.15;

/// Counts looks, or takes, by what became of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate {
    refused: BTreeMap<Reason, u32>,
    used: u32,
}

impl Gate {
    /// Whether a look at a face can be judged; counted either way, but for faces that were only just found.
    pub(crate) fn admits(&mut self, face: &FaceObservation) -> bool {
        if face.context.is_none() {
            return false;
        }
        self.counted(&face.quality)
    }

    fn counted(&mut self, quality: &FaceQuality) -> bool {
        self.admits_all(std::iter::once(quality))
    }

    /// Whether all frames of a take can be judged; it counts as one.
    pub(crate) fn admits_all<'a>(&mut self, mut frames: impl Iterator<Item = &'a FaceQuality>) -> bool {
        let reason = frames.find_map(unfit);
        match reason {
            Some(reason) => self.refuse(reason),
            None => self.used += 1,
        }
        reason.is_none()
    }

    /// Counts one that cannot be judged for a reason that lies not in how the face looks.
    pub(crate) fn refuse(&mut self, reason: Reason) {
        *self.refused.entry(reason).or_default() += 1;
    }

    /// Looks that were judged.
    pub(crate) const fn used(&self) -> u32 {
        self.used
    }

    /// Seconds of the interview that they stand for.
    pub(crate) fn seconds(&self) -> f64 {
        f64::from(self.used) * LOOK_S
    }

    /// Share of looks that could not be judged, 0 to 1.
    pub(crate) fn refused_share(&self) -> f64 {
        let refused: u32 = self.refused.values().sum();
        f64::from(refused) / f64::from((refused + self.used).max(1))
    }

    /// Why too few were judged: there was no candidate, or what was wrong with most, or nothing but their number.
    pub(crate) fn abstention(&self, candidate: Option<u32>) -> Finding {
        Finding::Abstain { reason: if candidate.is_none() { Reason::NoFace } else { self.reason() } }
    }

    fn reason(&self) -> Reason {
        self.refused.iter().max_by_key(|(_, n)| **n).map_or(Reason::TooShort, |(r, _)| *r)
    }
}

fn unfit(q: &FaceQuality) -> Option<Reason> {
    if q.interocular_px < LEAST_EYES {
        Some(Reason::TooSmall)
    } else if q.exposure < EXPOSURE[0] || q.exposure > EXPOSURE[1] || q.exposure < DIM && q.occlusion > MOST_COVERED {
        Some(Reason::BadExposure)
    } else if q.sharpness < LEAST_SHARP {
        Some(Reason::TooBlurred)
    } else if q.yaw.abs() > MOST_YAW || q.occlusion > MOST_COVERED || q.cropped > MOST_CROPPED {
        Some(Reason::Hidden)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> FaceQuality {
        FaceQuality { interocular_px: 50.0, sharpness: 8.0, exposure: 0.5, ..FaceQuality::default() }
    }

    #[test]
    fn poor_faces_are_refused_for_what_is_wrong_with_them() {
        assert_eq!(unfit(&good()), None);
        assert_eq!(unfit(&FaceQuality { interocular_px: 10.0, ..good() }), Some(Reason::TooSmall));
        assert_eq!(unfit(&FaceQuality { exposure: 0.03, ..good() }), Some(Reason::BadExposure));
        assert_eq!(unfit(&FaceQuality { sharpness: 0.5, ..good() }), Some(Reason::TooBlurred));
        assert_eq!(unfit(&FaceQuality { yaw: -60.0, ..good() }), Some(Reason::Hidden));
        assert_eq!(unfit(&FaceQuality { occlusion: 0.99, ..good() }), Some(Reason::Hidden));
    }

    #[test]
    fn the_commonest_reason_is_named() {
        let mut gate = Gate::default();
        assert_eq!(gate.reason(), Reason::TooShort);
        gate.counted(&FaceQuality { exposure: 0.03, ..good() });
        gate.counted(&FaceQuality { yaw: 60.0, ..good() });
        gate.counted(&FaceQuality { yaw: 70.0, ..good() });
        assert!(gate.counted(&good()));
        assert_eq!((gate.reason(), gate.used()), (Reason::Hidden, 1));
        assert!((gate.refused_share() - 0.75).abs() < 1e-9);
    }
}
