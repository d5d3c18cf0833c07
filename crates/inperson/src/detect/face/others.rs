//! Another face than the candidate's, alone before the camera: whoever sits there is not judged as the candidate.

use super::Whole;
use crate::evidence::{Evidence, Finding, Question};
use crate::time::Span;

/// Seconds alone from which a face is named: shorter ones are passers-by and detection errors.
const LEAST_S: f64 = 20.0;

/// A note on each face that was alone in the picture for long. Views of several people that switch have them too.
pub(super) fn conclude(whole: &Whole<'_>, out: &mut Vec<Evidence>) {
    let candidate = whole.tracks.faces.iter().find(|f| Some(f.id) == whole.tracks.candidate);
    let theirs = candidate.map_or(&[][..], |f| &f.seen);
    for face in whole.tracks.faces.iter().filter(|f| candidate.is_some_and(|c| c.id != f.id)) {
        let alone = |seen: &Span| {
            let both: f64 = theirs.iter().filter_map(|t| t.overlap(*seen)).map(Span::seconds).sum();
            seen.seconds() - both
        };
        let alone_s: f64 = face.seen.iter().map(alone).sum();
        let longest = face.seen.iter().max_by(|a, b| alone(a).total_cmp(&alone(b)));
        if let Some(&span) = longest.filter(|_| alone_s >= LEAST_S) {
            let message = format!(
                "a face that was not taken for the candidate's (number {}) is alone in the picture for {alone_s:.0} s, and is not judged",
                face.id
            );
            let mut found = Evidence::new("face.another", Question::Face, span, Finding::Note, message);
            found.subject = Some(face.id);
            out.push(found.fact("alone_s", alone_s));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::MediaInfo;
    use crate::time::Timestamp;
    use crate::track::{FaceTrack, Tracks};

    fn named(faces: &[(u32, &[(i64, i64)])]) -> Vec<Option<u32>> {
        let span = |&(a, b): &(i64, i64)| Span::new(Timestamp(a * 1_000_000), Timestamp(b * 1_000_000));
        let faces = faces.iter().map(|(id, seen)| FaceTrack {
            id: *id,
            seen: seen.iter().map(span).collect(),
            ..FaceTrack::default()
        });
        let tracks = Tracks { faces: faces.collect(), candidate: Some(0), ..Tracks::default() };
        let media = MediaInfo::live("call", true, true);
        let whole = Whole { span: span(&(0, 600)), tracks: &tracks, media: &media };
        let mut out = Vec::new();
        conclude(&whole, &mut out);
        out.iter().map(|e| e.subject).collect()
    }

    #[test]
    fn who_takes_the_seat_is_named_and_who_sits_beside_is_not() {
        assert_eq!(named(&[(0, &[(0, 300)]), (1, &[(311, 600)])]), [Some(1)]);
        assert_eq!(named(&[(0, &[(0, 600)]), (1, &[(100, 500)])]), []);
        assert_eq!(named(&[(0, &[(0, 300)]), (1, &[(310, 320)])]), []);
        assert_eq!(named(&[(0, &[(0, 100), (200, 300)]), (1, &[(90, 115), (295, 312)])]), [Some(1)]);
    }
}
