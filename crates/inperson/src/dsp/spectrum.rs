//! Short-time power spectra of sound.

use std::fmt;
use std::sync::Arc;

use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};

/// Power spectra of overlapping frames under a Hann window, whatever pieces the sound comes in.
pub struct Spectra {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    hop: usize,
    /// Samples from the next frame's first on, and the number of that first one.
    held: Vec<f32>,
    first: i64,
    frame: Vec<f32>,
    bins: Vec<Complex32>,
    power: Vec<f32>,
}

impl fmt::Debug for Spectra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spectra({} every {})", self.window.len(), self.hop)
    }
}

impl Spectra {
    /// Frames of `size` samples (2 or more) every `hop` samples (1 or more).
    #[must_use]
    pub fn new(size: usize, hop: usize) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(size.max(2));
        let step = std::f32::consts::TAU / size.max(2) as f32;
        let window: Vec<f32> = (0..size.max(2)).map(|i| 0.5 - 0.5 * (i as f32 * step).cos()).collect();
        let (frame, bins) = (fft.make_input_vec(), fft.make_output_vec());
        let power = vec![0.0; bins.len()];
        Self { fft, window, hop: hop.max(1), held: Vec::new(), first: 0, frame, bins, power }
    }

    /// Takes sound in and gives the number of the first sample and the power in `size / 2 + 1` bins of every frame
    /// that is complete. A sine of amplitude 1 in the middle of a bin has power 1 there.
    pub fn push(&mut self, samples: &[f32], mut each: impl FnMut(i64, &[f32])) {
        self.held.extend_from_slice(samples);
        let size = self.window.len();
        let scale = (4.0 / size as f32).powi(2);
        // after it there is no sound, and no transform needed: an hour of that is cut in one push
        let sound = self.held.iter().rposition(|&s| s != 0.0).map_or(0, |last| last + 1);
        let mut start = 0;
        while let Some(piece) = self.held.get(start..start + size) {
            if start >= sound {
                self.power.fill(0.0);
            } else {
                for ((f, &s), &w) in self.frame.iter_mut().zip(piece).zip(&self.window) {
                    *f = s * w;
                }
                // fails only for buffers of another length than its own
                if self.fft.process(&mut self.frame, &mut self.bins).is_ok() {
                    for (p, b) in self.power.iter_mut().zip(&self.bins) {
                        *p = b.norm_sqr() * scale;
                    }
                }
            }
            each(self.first + start as i64, &self.power);
            start += self.hop;
        }
        let start = start.min(self.held.len());
        self.held.drain(..start);
        self.first += start as i64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_has_its_power_in_its_bin_and_pieces_do_not_matter() {
        let sine: Vec<f32> = (0..4096).map(|i| 0.5 * (i as f32 * std::f32::consts::TAU * 32.0 / 512.0).sin()).collect();
        let run = |piece: usize| {
            let mut out = Vec::new();
            let mut spectra = Spectra::new(512, 200);
            sine.chunks(piece).for_each(|c| spectra.push(c, |at, p| out.push((at, p.to_vec()))));
            out
        };
        let whole = run(4096);
        assert_eq!(whole.len(), (4096 - 512) / 200 + 1);
        assert_eq!(whole[3].0, 600);
        for (_, power) in &whole {
            assert!((power[32] - 0.25).abs() < 1e-3 && power[40] < 1e-6, "{} {}", power[32], power[40]);
        }
        assert_eq!(run(77), whole);
    }
    #[test]
    fn silence_has_no_power_and_what_comes_after_it_is_as_without() {
        let sine = |i: i64| if i < 3000 { 0.0 } else { (i as f32 * 0.4).sin() };
        let mut spectra = Spectra::new(512, 200);
        let mut found = Vec::new();
        for second in 0..4 {
            let samples: Vec<f32> = (second * 1500..(second + 1) * 1500).map(sine).collect();
            spectra.push(&samples, |at, p| found.push((at, p.iter().sum::<f32>())));
        }
        assert!(
            found
                .iter()
                .enumerate()
                .all(|(k, (at, power))| *at == 200 * k as i64 && (*power == 0.0) == (at + 512 <= 3001)),
            "{found:?}"
        );
        assert!((found.last().unwrap().1 - found[20].1).abs() < 0.01, "{found:?}");
    }
}
