//! Eyes that move as in reading lines: a slow drift to one side in small steps, a quick return, again and again.
//!
//! The irises of the face mesh do not follow the eyes (see the card of `face-landmarks`), so that the iris is sought in the
//! aligned crop: the stretch between the corners of an eye, as wide as an iris, that is darkest. That is coarse; single
//! movements are never counted, only lines in a row. Five looks a second are enough for lines of a second and more, and frames
//! of a burst have no crop, so that bursts add nothing. Many people look aside while they think: a note, without weight.

use crate::dsp::image::luma_of_rgb;
use crate::dsp::register::bilinear;
use crate::evidence::{Evidence, Finding, Question};
use crate::time::{Span, Timestamp};
use crate::track::{CROP, FaceObservation, Tracks, aligned_map};

use super::super::{ELSEWHERE, Whole};

/// Corners of an eye left to right, upper and lower lid, in the mesh.
const EYES: [[usize; 4]; 2] = [[33, 133, 159, 145], [362, 263, 386, 374]];
/// Places between the corners at which pixels are read, from the first share to the last, and those that an iris covers.
const PLACES: usize = 43;
const ENDS: [f32; 2] = [0.08, 0.92];
const IRIS: usize = 19;
/// How much darker the iris is than the brightest stretch at least, and the softness of "darkest", in luma.
const DARKER: f32 = 8.0;
const SOFT: f32 = 4.0;

/// Least distance of the eyes in pixels of the frame, and most turn and nod in degrees.
const LEAST_EYES_PX: f32 = 30.0;
const MOST_TURN: f32 = 25.0;
/// Share of the median opening under which an eye blinks.
const BLINK: f32 = 0.7;

/// Longest time between two looks that follow each other, and longest return, microseconds.
const GAP: i64 = 700_000;
const RETURN: i64 = 450_000;
/// Least width of a return in shares of the eye: three times the noise of the difference of two looks.
const SWEEP: f32 = 0.1;
/// A line: its seconds, its looks, the share of the return that it drifts back, of this the most that a single step may be,
/// and how straight it is at least (squared correlation with time).
const LINE_S: [f64; 2] = [0.8, 5.0];
const LINE_LOOKS: usize = 5;
const BACK: f32 = 0.6;
const STEP: f32 = 0.6;
const STRAIGHT: f64 = 0.6;
/// Lines in a row that count.
const IN_A_ROW: usize = 3;

/// Seconds that must have been seen of speaking and of listening.
const LEAST_S: [f64; 2] = [20.0, 10.0];
/// Returns a minute while speaking, and how many times those while listening, from which it is said.
const MANY: f64 = 8.0;
const TIMES: f64 = 3.0;

/// One look at both eyes.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Timestamp,
    face: u32,
    /// Where the irises stand between the corners, left to right, 0 to 1.
    share: f32,
    /// The less open eye.
    open: f32,
}

/// Follows the gaze of all faces; which is the candidate's is known at the end.
#[derive(Debug, Default)]
pub(super) struct Gaze {
    looks: Vec<Look>,
}

/// What the eyes did while the candidate spoke and while they listened.
#[derive(Debug, Clone, PartialEq)]
struct Found {
    /// Seconds seen: speaking, listening.
    seconds: [f64; 2],
    /// Returns a minute in them.
    rate: [f64; 2],
    /// Lines in a row while speaking, each with its number.
    runs: Vec<(Span, usize)>,
}

impl Gaze {
    /// The next looks at faces.
    pub(super) fn push(&mut self, faces: &[FaceObservation]) {
        let frontal = |f: &&FaceObservation| {
            let q = &f.quality;
            q.interocular_px >= LEAST_EYES_PX && q.yaw.abs() <= MOST_TURN && q.pitch.abs() <= MOST_TURN
        };
        self.looks.extend(faces.iter().filter(frontal).filter_map(|f| {
            let open = f.eyes_open[0].min(f.eyes_open[1]);
            Some(Look { at: f.at, face: f.track, share: share(f)?, open })
        }));
    }

    /// A note for each of the longest runs of lines, where these come with speaking.
    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        let Some((candidate, found)) = whole.tracks.candidate.and_then(|c| Some((c, self.found(c, whole.tracks)?)))
        else {
            return;
        };
        tracing::debug!(seconds = ?found.seconds, rate = ?found.rate, "lines of gaze");
        let told = found.seconds.iter().zip(LEAST_S).all(|(s, least)| *s >= least)
            && found.rate[0] >= MANY
            && found.rate[0] >= TIMES * found.rate[1];
        if !told {
            return;
        }
        out.extend(super::foremost(found.runs, |(_, lines)| *lines).map(|(span, lines)| {
            let message = "the eyes move as in reading lines while answering: note only, many people look aside while \
                           they think; ask them to share what is on the screen";
            Evidence::new("answers.gaze", Question::Answers, span, Finding::Note, message)
                .about(candidate)
                .fact("lines", lines as f64)
                .fact("sweeps_per_min_speaking", found.rate[0])
                .fact("sweeps_per_min_listening", found.rate[1])
                .fact("speaking_s", found.seconds[0])
                .fact("listening_s", found.seconds[1])
        }));
    }

    /// What the eyes of `candidate` did; `None` where they were not seen.
    fn found(&self, candidate: u32, tracks: &Tracks) -> Option<Found> {
        let mut looks: Vec<Look> = self.looks.iter().copied().filter(|l| l.face == candidate).collect();
        let mut open: Vec<f32> = looks.iter().map(|l| l.open).collect();
        open.sort_by(f32::total_cmp);
        let usual = *open.get(open.len() / 2)?;
        looks.retain(|l| l.open > 0.0 && l.open >= BLINK * usual);
        let mut found = Found { seconds: [0.0; 2], rate: [0.0; 2], runs: Vec::new() };
        for pair in looks.windows(2).filter(|p| p[1].at.since(p[0].at) <= GAP) {
            if let Some(s) = speaks(tracks, candidate, pair[1].at) {
                found.seconds[usize::from(!s)] += pair[1].at.since(pair[0].at) as f64 / 1e6;
            }
        }
        let mut count = [0usize; 2];
        for stretch in looks.chunk_by(|a, b| b.at.since(a.at) <= GAP) {
            // a mirrored picture and right-to-left scripts drift the other way
            let (right, left) = (rows(stretch, 1.0), rows(stretch, -1.0));
            let lines = |rows: &Vec<Vec<Span>>| rows.iter().map(Vec::len).sum::<usize>();
            let more = if lines(&right) >= lines(&left) { right } else { left };
            for row in more {
                let during = |s: &Span| speaks(tracks, candidate, s.start.plus(s.micros() / 2));
                let listened = row.iter().filter(|s| during(s) == Some(false)).count();
                let lines: Vec<&Span> = row.iter().filter(|s| during(s) == Some(true)).collect();
                count[0] += lines.len();
                count[1] += listened;
                if let (Some(first), Some(last), true) = (lines.first(), lines.last(), lines.len() >= IN_A_ROW) {
                    found.runs.push((Span::new(first.start, last.end), lines.len()));
                }
            }
        }
        for ((rate, n), seconds) in found.rate.iter_mut().zip(count).zip(found.seconds) {
            *rate = if seconds > 0.0 { 60.0 * n as f64 / seconds } else { 0.0 };
        }
        Some(found)
    }
}

/// Whether the candidate speaks then; `None` where somebody does and mouths do not tell who.
fn speaks(tracks: &Tracks, candidate: u32, at: Timestamp) -> Option<bool> {
    match tracks.turns.iter().find(|t| t.span.contains(at)) {
        None => Some(false),
        Some(turn) if turn.face == Some(candidate) => Some(true),
        Some(turn) => (turn.confidence >= ELSEWHERE).then_some(false),
    }
}

/// Runs of at least [`IN_A_ROW`] lines, each from its first look to the end of the return after it.
fn rows(looks: &[Look], way: f32) -> Vec<Vec<Span>> {
    let (mut rows, mut row): (Vec<Vec<Span>>, Vec<Span>) = (Vec::new(), Vec::new());
    let mut begin = None;
    let mut n = 0;
    while n + 1 < looks.len() {
        let Some(end) = return_at(looks, n, way) else {
            n += 1;
            continue;
        };
        match begin.and_then(|b| line(&looks[b..=n], looks[end], way)) {
            Some(span) => row.push(span),
            None => rows.push(std::mem::take(&mut row)),
        }
        (begin, n) = (Some(end), end);
    }
    rows.push(row);
    rows.retain(|r| r.len() >= IN_A_ROW);
    rows
}

/// The look at which a return that begins with look `n` has ended.
fn return_at(looks: &[Look], n: usize, way: f32) -> Option<usize> {
    let fall = |m: usize| way * (looks[n].share - looks[m].share);
    let within = (n + 1..looks.len()).take_while(|&m| looks[m].at.since(looks[n].at) <= RETURN);
    let end = within.max_by(|&a, &b| fall(a).total_cmp(&fall(b)))?;
    (fall(end) >= SWEEP && fall(n + 1) > 0.0).then_some(end)
}

/// A line that ends with the return to `after`, where these looks are one.
fn line(looks: &[Look], after: Look, way: f32) -> Option<Span> {
    let (first, last) = (looks.first()?, looks.last()?);
    let seconds = last.at.since(first.at) as f64 / 1e6;
    let drift = way * (last.share - first.share);
    let most = looks.windows(2).map(|w| way * (w[1].share - w[0].share)).fold(0.0, f32::max);
    let good = looks.len() >= LINE_LOOKS
        && (LINE_S[0]..=LINE_S[1]).contains(&seconds)
        && drift >= BACK * SWEEP.max(way * (last.share - after.share))
        && most <= STEP * drift
        && straight(looks) >= STRAIGHT;
    good.then(|| Span::new(first.at, after.at))
}

/// Squared correlation of gaze and time.
fn straight(looks: &[Look]) -> f64 {
    let n = looks.len() as f64;
    let points: Vec<[f64; 2]> =
        looks.iter().map(|l| [l.at.since(looks[0].at) as f64 / 1e6, f64::from(l.share)]).collect();
    let mean = [0, 1].map(|k| points.iter().map(|p| p[k]).sum::<f64>() / n);
    let with = |a: usize, b: usize| points.iter().map(|p| (p[a] - mean[a]) * (p[b] - mean[b])).sum::<f64>();
    let spread = with(0, 0) * with(1, 1);
    if spread > 0.0 { with(0, 1).powi(2) / spread } else { 0.0 }
}

/// Where the irises stand, mean of both eyes; `None` without crop or mesh, or where nothing is dark.
fn share(face: &FaceObservation) -> Option<f32> {
    let (crop, to_crop) = (luma_of_rgb(face.crop.as_deref()?), aligned_map(&face.points)?);
    let mut sum = 0.0;
    for eye in EYES {
        let mut at = [[0.0; 2]; 4];
        for (to, i) in at.iter_mut().zip(eye) {
            *to = to_crop.apply(*face.mesh.get(i)?);
        }
        sum += iris(&crop, at)?;
    }
    Some(0.5 * sum)
}

/// Where the iris stands between the corners of one eye, in pixels of the crop.
fn iris(crop: &[f32], [left, right, up, down]: [[f32; 2]; 4]) -> Option<f32> {
    let along = [right[0] - left[0], right[1] - left[1]];
    let middle = [0, 1].map(|k| 0.5 * (up[k] + down[k] - left[k] - right[k]));
    let place = |n: usize| ENDS[0] + (ENDS[1] - ENDS[0]) * n as f32 / (PLACES - 1) as f32;
    let mut profile = [0.0; PLACES];
    for (n, value) in profile.iter_mut().enumerate() {
        let s = place(n);
        // three rows along the middle between the lids, which is curved
        for off in [-0.04, 0.0, 0.04] {
            let bow = 4.0 * s * (1.0 - s);
            let x = left[0] + s * along[0] - off * along[1] + bow * middle[0];
            let y = left[1] + s * along[1] + off * along[0] + bow * middle[1];
            *value += luma(crop, x, y)? / 3.0;
        }
    }
    let wide: Vec<f32> = profile.windows(IRIS).map(|w| w.iter().sum::<f32>() / IRIS as f32).collect();
    let darkest = wide.iter().copied().fold(f32::INFINITY, f32::min);
    let brightest = wide.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if brightest - darkest < DARKER {
        return None;
    }
    let weights = wide.iter().map(|v| (-(v - darkest) / SOFT).exp());
    let (sum, total) =
        weights.enumerate().fold((0.0, 0.0), |(sum, total), (n, w)| (sum + w * place(n + IRIS / 2), total + w));
    Some(sum / total)
}

/// Luma of the aligned crop between pixels; `None` outside.
fn luma(crop: &[f32], x: f32, y: f32) -> Option<f32> {
    let inside = 0.0..=(CROP - 2) as f32;
    (inside.contains(&x) && inside.contains(&y)).then(|| bilinear(crop, CROP, x, y))
}

#[cfg(test)]
mod tests;
