//! A background that changes from one pause to the next and stays changed: another room, another take, another file.

use super::{decibels, note};
use crate::evidence::Evidence;
use crate::time::{Span, Timestamp};

/// Bands of the background: first bin of each, and the end; about 125, 250, 500 Hz, 1, 2, 4, 7.5 kHz.
const EDGES: [usize; 8] = [4, 8, 16, 32, 64, 128, 180, 240];
const BANDS: usize = EDGES.len() - 1;
/// Frames that make a pause, and the longest that is averaged before it counts as another.
const LEAST: u32 = 12;
const MOST: u32 = 120;
/// Pauses compared on either side.
const SIDE: usize = 4;
/// Change of the band levels (root mean square over the bands), and spread of each side allowed beside it, decibels.
const CHANGE_DB: f32 = 12.0;
const SPREAD_DB: f32 = 4.0;

#[derive(Debug, Default)]
pub(super) struct Splice {
    sum: [f32; BANDS],
    count: u32,
    since: Timestamp,
    last: Timestamp,
    pauses: Vec<(Span, [f32; BANDS])>,
}

impl Splice {
    pub(super) fn hear(&mut self, at: Timestamp, power: &[f32], pause: bool) {
        if !pause || self.count >= MOST {
            if self.count >= LEAST {
                let mean = self.sum.map(|s| s / self.count as f32);
                self.pauses.push((Span::new(self.since, self.last), mean));
            }
            (self.count, self.sum) = (0, [0.0; BANDS]);
        }
        if pause {
            if self.count == 0 {
                self.since = at;
            }
            self.last = at;
            self.count += 1;
            for (s, edge) in self.sum.iter_mut().zip(EDGES.windows(2)) {
                *s += decibels(power[edge[0]..edge[1]].iter().sum()).max(-100.0);
            }
        }
    }

    pub(super) fn conclude(&self, out: &mut Vec<Evidence>) {
        let mut next = SIDE;
        while next + SIDE <= self.pauses.len() {
            let (before, after) = (&self.pauses[next - SIDE..next], &self.pauses[next..next + SIDE]);
            let (a, b) = (mean(before), mean(after));
            let change = distance(&a, &b);
            let steady = |side: &[(Span, [f32; BANDS])], m| side.iter().all(|(_, p)| distance(p, m) <= SPREAD_DB);
            if change >= CHANGE_DB && steady(before, &a) && steady(after, &b) {
                let span = Span::new(self.pauses[next - 1].0.end, self.pauses[next].0.start);
                let message = "the background changes here and stays changed: another room, device or recording";
                out.push(note("channel.splice", span, message).fact("change_db", f64::from(change)));
                next += SIDE;
            } else {
                next += 1;
            }
        }
    }
}

fn mean(side: &[(Span, [f32; BANDS])]) -> [f32; BANDS] {
    std::array::from_fn(|b| side.iter().map(|(_, p)| p[b]).sum::<f32>() / side.len().max(1) as f32)
}

fn distance(a: &[f32; BANDS], b: &[f32; BANDS]) -> f32 {
    (a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f32>() / BANDS as f32).sqrt()
}
