//! Sound of other rates for live calls.

use std::sync::Arc;

use ff::format::sample::{Sample, Type};
use ffmpeg_next as ff;

use super::audio::{Converter, STRAY};
use super::channels::Channels;
use crate::error::{Error, Result};
use crate::media::{AUDIO_RATE, AudioChunk};
use crate::time::Timestamp;

/// Rates that are taken, hertz.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// Brings mono sound of a live call, such as 48 kHz of WebRTC, to [`AUDIO_RATE`], chunk by chunk.
///
/// A chunk comes out a millisecond or so shorter or longer than it went in, since the filter reaches beyond its ends; times go on without a
/// step until they stray by more than 40 ms.
pub struct Resampler {
    converter: Converter,
    rate: u32,
    /// When the first sample since the last step in time was heard, and how many were given out since.
    anchor: Option<Timestamp>,
    given: i64,
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Resampler({} Hz)", self.rate)
    }
}

impl Resampler {
    /// From `rate` hertz, 4,000 to 384,000.
    ///
    /// # Errors
    /// [`Error::Config`] for another rate.
    pub fn new(rate: u32) -> Result<Self> {
        let takes = (Sample::F32(Type::Packed), rate, 1);
        let made = RATES.contains(&rate).then(|| Converter::new(takes, ff::ChannelLayout::MONO, None));
        let Some(converter) = made.flatten() else {
            let reason =
                format!("sound at {rate} Hz cannot be resampled; rates are {} to {} Hz", RATES.start(), RATES.end());
            return Err(Error::Config(reason));
        };
        Ok(Self { converter, rate, anchor: None, given: 0 })
    }

    /// The rate that is taken, hertz.
    #[must_use]
    pub const fn rate(&self) -> u32 {
        self.rate
    }

    /// Sound at the rate that is taken, first heard at `at`, as a chunk for [`Session::push`](crate::Session::push).
    pub fn push(&mut self, samples: &[f32], at: Timestamp) -> AudioChunk {
        let expected = self.anchor.map(|a| a.plus(self.converter.taken * 1_000_000 / i64::from(self.rate)));
        if expected.is_none_or(|e| at.since(e).abs() > STRAY) {
            (self.anchor, self.converter.taken, self.given) = (Some(at), 0, 0);
        }
        let start = self.anchor.unwrap_or(at).plus(self.given * 1_000_000 / i64::from(AUDIO_RATE));
        let mut out = Vec::with_capacity(samples.len() * AUDIO_RATE as usize / self.rate as usize + 64);
        // in pieces of a second at most, since a frame of FFmpeg's has no room for hours
        for piece in samples.chunks(self.rate as usize) {
            let mut frame = ff::frame::Audio::new(Sample::F32(Type::Packed), piece.len(), ff::ChannelLayout::MONO);
            frame.set_rate(self.rate);
            frame.plane_mut(0).copy_from_slice(piece);
            // of one channel there is nothing to tell apart
            self.converter.run(&frame, &mut out, &mut Channels::default());
        }
        self.given += out.len() as i64;
        AudioChunk { at: start, samples: Arc::from(out) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(rate: u32, seconds: f64) -> Vec<f32> {
        let step = 440.0 * std::f64::consts::TAU / f64::from(rate);
        (0..(f64::from(rate) * seconds) as usize).map(|i| 0.5 * (i as f64 * step).sin() as f32).collect()
    }

    #[test]
    fn a_tone_in_pieces_is_the_tone_at_the_house_s_rate() {
        for rate in [8_000, 44_100, 48_000] {
            let mut resampler = Resampler::new(rate).unwrap();
            let (mut out, mut next) = (Vec::new(), None);
            for (k, piece) in tone(rate, 2.0).chunks(rate as usize / 50).enumerate() {
                let jitter = (k as i64 * 7_919) % 5_000;
                let chunk = resampler.push(piece, Timestamp(k as i64 * 20_000 + jitter));
                assert!(next.is_none_or(|n: Timestamp| chunk.at.since(n).abs() <= 1), "{rate}: a step at {k}");
                next = Some(chunk.at.plus(chunk.samples.len() as i64 * 1_000_000 / i64::from(AUDIO_RATE)));
                out.extend_from_slice(&chunk.samples);
            }
            assert!(out.len().abs_diff(32_000) < 100, "{rate}: {} samples", out.len());
            let want = tone(AUDIO_RATE, 2.0);
            // the filter's ends aside
            let off = out.iter().zip(&want).skip(500).take(30_000).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 0.02, "{rate}: {off}");
        }
    }

    #[test]
    fn a_gap_moves_the_times_and_odd_rates_are_refused() {
        let mut resampler = Resampler::new(48_000).unwrap();
        resampler.push(&[0.0; 960], Timestamp(0));
        assert_eq!(resampler.push(&[0.0; 960], Timestamp(5_000_000)).at, Timestamp(5_000_000));
        assert!(Resampler::new(0).unwrap_err().to_string().contains("4000 to 384000"));
    }
}
