//! Where the voice's band ends, and holes in it that a coder before the last one left.

use super::{BIN_HZ, SIZE, Whole, decibels, note};
use crate::evidence::Evidence;

const BINS: usize = SIZE / 2 + 1;
/// Fall of the mean spectrum, from under a frequency to over it, that is an end and not a slope, decibels.
const CLIFF_DB: f32 = 18.0;
/// Ends sought between these, hertz: over the upper one the sampling rate itself ends the band.
const SOUGHT_HZ: [f32; 2] = [2_500.0, 7_400.0];
/// Bins looked at on either side of an end, and those left out between.
const SIDE: usize = 8;
const LEFT_OUT: usize = 2;
/// Bands in which holes are sought: number, bins of each, first bin (2 kHz).
const BANDS: (usize, usize, usize) = (20, 8, 64);
/// A band under this share of its frame's power, in a band that holds [`USUAL`] of it on average, is a hole: rooms and
/// microphones are 30 dB louder than that.
const HOLE: f32 = 1e-9;
const USUAL: f32 = 3e-6;
/// Share of the moments in which a band must be empty.
const HOLES: f64 = 0.03;
/// Codecs that store what they are given, FFmpeg's names.
const LOSSLESS: [&str; 5] = ["pcm", "flac", "alac", "wavpack", "truehd"];

#[derive(Debug)]
pub(super) struct Band {
    power: [f64; BINS],
    frames: u32,
    bands: Vec<[f32; BANDS.0]>,
}

impl Default for Band {
    fn default() -> Self {
        Self { power: [0.0; BINS], frames: 0, bands: Vec::new() }
    }
}

/// Frames of speech that are looked at for holes: two minutes.
const MOST: usize = 7_500;

impl Band {
    pub(super) fn hear(&mut self, power: &[f32]) {
        let total: f32 = power.iter().sum();
        if total <= 0.0 {
            return;
        }
        self.frames += 1;
        self.power.iter_mut().zip(power).for_each(|(s, &p)| *s += f64::from(p / total));
        if self.bands.len() < MOST {
            let share = |b: usize| power[BANDS.2 + b * BANDS.1..][..BANDS.1].iter().sum::<f32>() / total;
            self.bands.push(std::array::from_fn(share));
        }
    }

    pub(super) fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        if self.frames == 0 {
            return;
        }
        let stored = whole.media.audio.as_ref().map_or(0, |a| a.sample_rate);
        // a filter's skirt may reach beyond what the stored rate can hold
        let most = if stored > 0 { stored as f32 / 2.0 } else { f32::INFINITY };
        let end = self.end_hz().map(|hz| hz.min(most));
        if let Some(hz) = end {
            let kind = if hz < 4_200.0 { ": the band of a telephone" } else { "" };
            let message = format!("the voice ends at {:.1} kHz{kind}", hz / 1e3);
            let found = note("channel.band_limit", whole.span, message).fact("band_limit_hz", f64::from(hz));
            out.push(if stored > 0 { found.fact("stored_rate_hz", f64::from(stored)) } else { found });
        }
        let codec = whole.media.audio.as_ref().map_or("", |a| a.codec.as_str());
        let share = self.holes(end);
        if share >= HOLES && LOSSLESS.iter().any(|l| codec.starts_with(l)) {
            let message = format!(
                "bands of the voice are empty {:.0} % of the time: it was coded with loss before it was stored as {codec}",
                100.0 * share
            );
            out.push(note("channel.coded_before", whole.span, message).fact("empty_share", share));
        }
    }

    /// Where the mean spectrum falls off a cliff and stays down, hertz.
    fn end_hz(&self) -> Option<f32> {
        let level: Vec<f32> = self.power.iter().map(|&p| decibels((p / f64::from(self.frames)) as f32)).collect();
        let mean = |bins: &[f32]| bins.iter().sum::<f32>() / bins.len().max(1) as f32;
        let [from, to] = SOUGHT_HZ.map(|hz| (hz / BIN_HZ) as usize);
        let fall = |k: usize| {
            let above = mean(&level[k + LEFT_OUT..(k + LEFT_OUT + SIDE).min(BINS)]);
            // what follows must stay down: a formant's valley is no end
            let rest = level[k + LEFT_OUT..BINS - 2].chunks(SIDE).map(mean).fold(f32::MIN, f32::max);
            mean(&level[k - LEFT_OUT - SIDE..k - LEFT_OUT]) - above.max(rest)
        };
        let steepest = (from..to).map(|k| (fall(k), k)).max_by(|a, b| a.0.total_cmp(&b.0))?;
        (steepest.0 >= CLIFF_DB).then_some(steepest.1 as f32 * BIN_HZ)
    }

    /// Share of moments and bands, under the band's end, in which a band that usually holds something is empty.
    fn holes(&self, end: Option<f32>) -> f64 {
        let usable = end.map_or(BANDS.0, |hz| {
            (((hz - 500.0) / BIN_HZ) as usize).saturating_sub(BANDS.2).div_euclid(BANDS.1).min(BANDS.0)
        });
        let mean = |b: usize| self.bands.iter().map(|f| f[b]).sum::<f32>() / self.bands.len().max(1) as f32;
        let usual: Vec<usize> = (0..usable).filter(|&b| mean(b) > USUAL).collect();
        let empty = self.bands.iter().flat_map(|f| usual.iter().filter(|&&b| f[b] < HOLE)).count();
        empty as f64 / (self.bands.len() * usual.len()).max(1) as f64
    }
}
