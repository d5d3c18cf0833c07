//! A stretch of picture that is played again.
//!
//! Of every frame a pattern of where the candidate's face grew lighter and darker within 0.4 s is taken, beyond what it did as a
//! whole: what moves, not what stands nor how a lamp or a screen lights it. What repeats around an honest person (a
//! moving background, a waiting room, a shared film) says nothing, so the rest of the picture counts only where nobody
//! is seen, and then little. Patterns kept five times a second are compared with every later frame; a run of matches at one
//! lag that no two natural movements give is a repetition. Periodic motion (a fan) matches at many lags at once, which
//! are no multiples of one, and is left out.
//!
//! Not seen: repetitions of a face so small or so calm that fewer than six cells of it move.

use std::collections::VecDeque;

use super::{Whole, Window, evidence, score};
use crate::evidence::Evidence;
use crate::time::{Span, Timestamp};
use crate::track::THUMB;

/// Width and height of the pattern in cells of 2x2 thumbnail tiles.
const GRID: (usize, usize) = (THUMB.0 / 2, THUMB.1 / 2);
const WORDS: usize = (GRID.0 * GRID.1).div_ceil(64);
/// Time over which change is taken, and between kept patterns, microseconds.
const BASE: i64 = 400_000;
const KEEP: i64 = 200_000;
/// Change of a cell, in luma steps, that is movement.
const MOVED: f32 = 2.0;
/// Cells that must move for a pattern to say anything: at least, and as a share of those looked at.
const ACTIVE: u32 = 6;
const ACTIVE_SHARE: f32 = 0.06;
/// Time for which a look says where the face is, microseconds.
const PLACE: i64 = 400_000;
/// LLR of a repetition of the face, of less and of more than [`LONG_S`] seconds; and of a picture in which nobody is seen.
const LLR: [f64; 2] = [2.5, 4.0];
const LONG_S: f64 = 6.0;
const NOBODY_LLR: f64 = 1.0;
/// Share of moving cells that two patterns must have in common.
const ALIKE: f32 = 0.65;
/// Shortest lag and shortest run, microseconds.
const LEAST_LAG: i64 = 3_000_000;
const LEAST_RUN: i64 = 4_000_000;
/// Matches within a run may be this far apart, in time and in lag, microseconds.
const BREAK: i64 = 1_200_000;
const SLACK: i64 = 120_000;
/// Share of the patterns kept meanwhile that a run must meet.
const LEAST_MET: f64 = 0.6;
/// Runs at so many lags at once are periodic motion, unless all lags are multiples of the shortest: then it is a loop.
const PERIODIC: usize = 3;
/// Share of those lags that must be.
const MULTIPLES: f64 = 0.8;
/// Runs kept: a picture that repeats all the time is told by fewer.
const MOST_FOUND: usize = 500;

#[derive(Debug, Clone, Copy, Default)]
struct Pattern {
    lighter: [u64; WORDS],
    darker: [u64; WORDS],
    active: u32,
    /// Whether it is of the candidate's face.
    face: bool,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    lag: i64,
    start: Timestamp,
    last: Timestamp,
    met: u32,
    newest: Timestamp,
    face: bool,
}

#[derive(Debug, Default)]
pub(super) struct Loops {
    /// When and where the candidate's face was seen last, as shares of the frame.
    place: Option<(Timestamp, [f32; 4])>,
    recent: VecDeque<(Timestamp, Vec<u8>)>,
    kept: Vec<(Timestamp, Pattern)>,
    runs: Vec<Run>,
    found: Vec<Run>,
}

impl Loops {
    pub(super) fn observe(&mut self, window: &Window<'_>) {
        let mut looks = window.faces.iter().filter(|f| Some(f.track) == window.tracks.candidate).peekable();
        for frame in window.frames {
            while let Some(look) = looks.next_if(|look| look.at <= frame.at) {
                self.place = Some((look.at, look.share));
            }
            let seen = self.place.filter(|(at, _)| frame.at.since(*at) <= PLACE).map(|(_, share)| share);
            let cells = shrink(&frame.luma);
            while self.recent.front().is_some_and(|(at, _)| frame.at.since(*at) > BASE + 50_000) {
                self.recent.pop_front();
            }
            let before = self.recent.front().filter(|(at, _)| frame.at.since(*at) >= BASE - 50_000);
            if let Some(pattern) = before.and_then(|(_, old)| pattern(old, &cells, seen)) {
                self.compare(frame.at, &pattern);
                if self.kept.last().is_none_or(|(at, _)| frame.at.since(*at) >= KEEP) {
                    self.kept.push((frame.at, pattern));
                }
            }
            self.recent.push_back((frame.at, cells));
        }
    }

    fn compare(&mut self, now: Timestamp, pattern: &Pattern) {
        for &(at, ref old) in &self.kept {
            let lag = now.since(at);
            if lag < LEAST_LAG {
                break;
            }
            if pattern.face != old.face || !alike(pattern, old) {
                continue;
            }
            let goes_on = |r: &&mut Run| r.face == pattern.face && (r.lag - lag).abs() <= SLACK && at >= r.newest;
            match self.runs.iter_mut().find(goes_on) {
                Some(run) => {
                    run.met += u32::from(at > run.newest);
                    (run.last, run.newest) = (now, at);
                    // the first match may lie to one side of the lag
                    run.lag += (lag - run.lag) / 8;
                }
                None => self.runs.push(Run { lag, start: now, last: now, met: 1, newest: at, face: pattern.face }),
            }
        }
        let (alive, ended): (Vec<Run>, Vec<Run>) = self.runs.iter().partition(|r| now.since(r.last) <= BREAK);
        self.runs = alive;
        let room = MOST_FOUND.saturating_sub(self.found.len());
        self.found.extend(ended.into_iter().filter(Run::holds).take(room));
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        let candidate = whole.tracks.candidate;
        let mut all: Vec<Run> =
            self.found.iter().copied().chain(self.runs.iter().copied().filter(Run::holds)).collect();
        // what repeats before or after a person was seen is a waiting room
        all.retain(|r| r.face || candidate.is_none());
        // the shortest lag first: of a loop's many it is the loop's length
        all.sort_by_key(|r| (r.lag, r.start));
        let mut told: Vec<Span> = Vec::new();
        for run in &all {
            let span = Span::new(run.start, run.last);
            let lags: Vec<i64> =
                all.iter().filter(|r| Span::new(r.start, r.last).overlap(span).is_some()).map(|r| r.lag).collect();
            let periodic = lags.len() >= PERIODIC && !multiples(&lags, run.lag);
            if periodic || told.iter().any(|t| t.overlap(span).is_some()) {
                continue;
            }
            told.push(span);
            let first = Span::new(span.start.plus(-run.lag), span.end.plus(-run.lag));
            let (what, llr) = match run.face {
                true => ("face", LLR[usize::from(span.seconds() >= LONG_S)]),
                false => ("picture", NOBODY_LLR),
            };
            let message = format!("the {what} of {first} is played again at {span}");
            let mut found = evidence("capture.loop", span, score(span.seconds(), llr), message);
            found.subject = candidate;
            out.push(found.fact("lag_s", run.lag as f64 / 1e6).fact("repeated_s", span.seconds()));
        }
    }
}

/// Whether nearly all of these lags are multiples of `base`.
fn multiples(lags: &[i64], base: i64) -> bool {
    let near = |lag: i64| {
        let times = (lag + base / 2) / base;
        times > 0 && (lag - times * base).abs() <= SLACK * (1 + times)
    };
    lags.iter().filter(|&&l| near(l)).count() as f64 >= MULTIPLES * lags.len() as f64
}

impl Run {
    fn holds(&self) -> bool {
        let length = self.last.since(self.start);
        length >= LEAST_RUN && f64::from(self.met) >= LEAST_MET * length as f64 / KEEP as f64
    }
}

fn shrink(luma: &[u8]) -> Vec<u8> {
    let tile = |x: usize, y: usize| u32::from(luma[y * THUMB.0 + x]);
    let mean = |x: usize, y: usize| (tile(x, y) + tile(x + 1, y) + tile(x, y + 1) + tile(x + 1, y + 1)) / 4;
    (0..GRID.0 * GRID.1).map(|i| mean(2 * (i % GRID.0), 2 * (i / GRID.0)) as u8).collect()
}

/// What moved in the face that is `seen`, or in the whole picture.
fn pattern(before: &[u8], now: &[u8], seen: Option<[f32; 4]>) -> Option<Pattern> {
    let [x0, y0, x1, y1] = seen.unwrap_or([0.0, 0.0, 1.0, 1.0]);
    let inside = |&i: &usize| {
        let at = |k: usize, of: usize| (k as f32 + 0.5) / of as f32;
        let (x, y) = (at(i % GRID.0, GRID.0), at(i / GRID.0, GRID.1));
        x0 < x && x < x1 && y0 < y && y < y1
    };
    let cells: Vec<usize> = (0..GRID.0 * GRID.1).filter(inside).collect();
    let mut gains: Vec<f32> = cells.iter().map(|&i| f32::from(now[i]) / f32::from(before[i].max(1))).collect();
    gains.sort_by(f32::total_cmp);
    // a light that changes does so all over
    let gain = *gains.get(gains.len() / 2)?;
    let mut pattern = Pattern { face: seen.is_some(), ..Pattern::default() };
    for &i in &cells {
        let change = f32::from(now[i]) - gain * f32::from(before[i]);
        if change >= MOVED {
            pattern.lighter[i / 64] |= 1 << (i % 64);
        } else if change <= -MOVED {
            pattern.darker[i / 64] |= 1 << (i % 64);
        }
    }
    pattern.active = pattern.lighter.iter().chain(&pattern.darker).map(|w| w.count_ones()).sum();
    (pattern.active >= ACTIVE.max((ACTIVE_SHARE * cells.len() as f32) as u32)).then_some(pattern)
}

fn alike(a: &Pattern, b: &Pattern) -> bool {
    let common: u32 =
        (0..WORDS).map(|i| (a.lighter[i] & b.lighter[i]).count_ones() + (a.darker[i] & b.darker[i]).count_ones()).sum();
    common as f32 >= ALIKE * a.active.max(b.active) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::MediaInfo;
    use crate::track::{FaceObservation, FaceQuality, FrameFacts, Tracks};

    /// 16 s at 25 frames a second of which the second half repeats the first, in the face or around it, where the rest stands.
    fn played_again(in_face: bool) -> Vec<Evidence> {
        let media = MediaInfo::live("call", true, false);
        let tracks = Tracks { candidate: Some(0), ..Tracks::default() };
        let share = [0.3, 0.2, 0.7, 0.9];
        let luma = |k: usize| -> Vec<u8> {
            let tile = |i: usize| {
                let (x, y) = ((i % THUMB.0) as f32 / THUMB.0 as f32, (i / THUMB.0) as f32 / THUMB.1 as f32);
                let inside = share[0] < x && x < share[2] && share[1] < y && y < share[3];
                let t = (k % 200) as f32 / 25.0;
                // places of light and dark that wander with no period of their own
                let wave =
                    (9.0 * x + 2.1 * t + (0.7 * t * t).sin()).sin() + (7.0 * y - 1.3 * t + (1.9 * t).cos()).sin();
                if inside == in_face { (120.0 + 40.0 * wave) as u8 } else { 120 }
            };
            (0..THUMB.0 * THUMB.1).map(tile).collect()
        };
        let mut loops = Loops::default();
        for k in 0..400usize {
            let at = Timestamp(k as i64 * 40_000);
            let luma: std::sync::Arc<[u8]> = luma(k).into();
            let frame =
                FrameFacts { at, size: (640, 360), packet_bytes: 0, key: false, stood: 0, pixels: luma.clone(), luma };
            let face = FaceObservation {
                track: 0,
                at,
                bounds: [0.0, 0.0, 1.0, 1.0],
                share,
                points: [[0.0; 2]; 5],
                mesh: [].into(),
                ibug68: [].into(),
                presence: 1.0,
                quality: FaceQuality::default(),
                still: false,
                motion: None,
                mouth_open: 0.0,
                eyes_open: [0.3; 2],
                crop: None,
                context: None,
                mouth: None,
            };
            loops.observe(&Window {
                span: Span::starting(at, 40_000),
                frames: &[frame],
                faces: &[face],
                burst: &[],
                audio: &[],
                heard: &[],
                speech: &[],
                sound: &[],
                music: false,
                words: &[],
                others: &[],
                tracks: &tracks,
                media: &media,
            });
        }
        let mut out = Vec::new();
        loops.conclude(
            &Whole { span: Span::new(Timestamp(0), Timestamp(16_000_000)), tracks: &tracks, media: &media },
            &mut out,
        );
        out
    }

    #[test]
    fn a_face_that_is_played_again_is_a_loop_and_a_film_around_one_is_not() {
        let found = played_again(true);
        assert!(found.len() == 1 && found[0].subject == Some(0) && found[0].llr().unwrap() > 2.0, "{found:?}");
        assert!((found[0].facts["lag_s"] - 8.0).abs() < 0.2, "{found:?}");
        assert!(played_again(false).is_empty());
    }

    #[test]
    fn movement_is_that_of_the_face_and_not_of_what_lights_or_surrounds_it() {
        let before = vec![100u8; GRID.0 * GRID.1];
        let face = Some([0.25, 0.25, 0.75, 0.75]);
        let changed = |f: fn(usize, usize) -> u8| -> Vec<u8> {
            (0..GRID.0 * GRID.1).map(|i| f(i % GRID.0, i / GRID.0)).collect()
        };
        // a lamp, and a film on the wall
        assert!(pattern(&before, &vec![130; before.len()], face).is_none());
        let wall = changed(|x, _| if x < 8 { 160 } else { 100 });
        assert!(pattern(&before, &wall, face).is_none() && pattern(&before, &wall, None).is_some());
        // a head that turns
        let head = changed(|x, y| if x == 12 && (5..13).contains(&y) { 80 } else { 100 });
        let seen = pattern(&before, &head, face).unwrap();
        assert!(seen.face && seen.active == 8 && seen.lighter == [0; WORDS]);
    }
}
