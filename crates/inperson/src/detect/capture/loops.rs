//! A stretch of picture that is played again.
//!
//! Of every frame a pattern of where the picture grew lighter and darker within 0.4 s is taken: what moves, not what
//! stands. Patterns kept five times a second are compared with every later frame; a run of matches at one lag that no
//! two natural movements give is a repetition. Periodic motion (a fan) matches at many lags at once, which are no
//! multiples of one, and is left out.
//!
//! Not seen: repetitions of a picture in which less than a twentieth moves, such as somebody who sits still in a wide view.

use std::collections::VecDeque;

use super::{Window, evidence, score};
use crate::evidence::Evidence;
use crate::time::{Span, Timestamp};
use crate::track::THUMB;

/// Width and height of the pattern in cells of 4x4 thumbnail tiles.
const GRID: (usize, usize) = (THUMB.0 / 4, THUMB.1 / 4);
const WORDS: usize = (GRID.0 * GRID.1).div_ceil(64);
/// Time over which change is taken, and between kept patterns, microseconds.
const BASE: i64 = 400_000;
const KEEP: i64 = 200_000;
/// Change of a cell, in luma steps, that is movement.
const MOVED: i32 = 2;
/// Cells that must move for a pattern to say anything.
const ACTIVE: u32 = 8;
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
}

#[derive(Debug, Clone, Copy)]
struct Run {
    lag: i64,
    start: Timestamp,
    last: Timestamp,
    met: u32,
    newest: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Loops {
    recent: VecDeque<(Timestamp, Vec<u8>)>,
    kept: Vec<(Timestamp, Pattern)>,
    runs: Vec<Run>,
    found: Vec<Run>,
}

impl Loops {
    pub(super) fn observe(&mut self, window: &Window<'_>) {
        for frame in window.frames {
            let cells = shrink(&frame.luma);
            while self.recent.front().is_some_and(|(at, _)| frame.at.since(*at) > BASE + 50_000) {
                self.recent.pop_front();
            }
            let before = self.recent.front().filter(|(at, _)| frame.at.since(*at) >= BASE - 50_000);
            if let Some(pattern) = before.and_then(|(_, old)| pattern(old, &cells)) {
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
            if !alike(pattern, old) {
                continue;
            }
            match self.runs.iter_mut().find(|r| (r.lag - lag).abs() <= SLACK && at >= r.newest) {
                Some(run) => {
                    run.met += u32::from(at > run.newest);
                    (run.last, run.newest) = (now, at);
                    // the first match may lie to one side of the lag
                    run.lag += (lag - run.lag) / 8;
                }
                None => self.runs.push(Run { lag, start: now, last: now, met: 1, newest: at }),
            }
        }
        let (alive, ended): (Vec<Run>, Vec<Run>) = self.runs.iter().partition(|r| now.since(r.last) <= BREAK);
        self.runs = alive;
        let room = MOST_FOUND.saturating_sub(self.found.len());
        self.found.extend(ended.into_iter().filter(Run::holds).take(room));
    }

    pub(super) fn conclude(&self, out: &mut Vec<Evidence>) {
        let mut all: Vec<Run> =
            self.found.iter().copied().chain(self.runs.iter().copied().filter(Run::holds)).collect();
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
            let llr = if span.seconds() >= 6.0 { 4.0 } else { 2.5 };
            let message = format!("the picture of {first} is played again at {span}");
            let found = evidence("capture.loop", span, score(span.seconds(), llr), message);
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
    let mut cells = Vec::with_capacity(GRID.0 * GRID.1);
    for y in 0..GRID.1 {
        for x in 0..GRID.0 {
            let rows = (0..4).map(|dy| &luma[(4 * y + dy) * THUMB.0 + 4 * x..][..4]);
            let sum: u32 = rows.flatten().map(|&v| u32::from(v)).sum();
            cells.push((sum / 16) as u8);
        }
    }
    cells
}

fn pattern(before: &[u8], now: &[u8]) -> Option<Pattern> {
    let mut pattern = Pattern::default();
    for (i, (&a, &b)) in before.iter().zip(now).enumerate() {
        let change = i32::from(b) - i32::from(a);
        if change >= MOVED {
            pattern.lighter[i / 64] |= 1 << (i % 64);
        } else if change <= -MOVED {
            pattern.darker[i / 64] |= 1 << (i % 64);
        }
    }
    pattern.active = pattern.lighter.iter().chain(&pattern.darker).map(|w| w.count_ones()).sum();
    (pattern.active >= ACTIVE).then_some(pattern)
}

fn alike(a: &Pattern, b: &Pattern) -> bool {
    let common: u32 =
        (0..WORDS).map(|i| (a.lighter[i] & b.lighter[i]).count_ones() + (a.darker[i] & b.darker[i]).count_ones()).sum();
    common as f32 >= ALIKE * a.active.max(b.active) as f32
}
