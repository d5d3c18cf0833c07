//! What the sound is made of, frame by frame: a fingerprint, and how much of it is notes that are held.

use super::Heard;
use crate::dsp::spectrum::Spectra;
use crate::media::AUDIO_RATE;
use crate::time::Timestamp;
use crate::timeline::time_of;

/// Samples of a frame (256 ms: bins of 4 Hz) and of the step to the next.
const SIZE: usize = 4096;
/// Samples from one [`SoundFrame`] to the next: 16 ms.
pub const SOUND_STEP: usize = 256;
const BIN_HZ: f32 = AUDIO_RATE as f32 / SIZE as f32;
/// Bands of the fingerprint and where they lie, evenly in the logarithm, hertz.
const BANDS: usize = 33;
const RANGE_HZ: [f32; 2] = [250.0, 3_600.0];
/// Bins in which held notes are sought: 150 Hz to 4 kHz.
const NOTES: [usize; 2] = [38, 1024];
/// Frames that a peak must stay in its bin to be a held note: 0.35 s. Voices glide.
const HELD: u16 = 22;
/// Peaks under this share of the strongest are not looked at.
const PEAK: f32 = 1e-3;
/// Share of held notes, smoothed over hops, from which a hop is music: of 100 clips of speech only those with music
/// under them pass it; nine of ten pieces of rendered music do.
const MUSIC: f32 = 0.03;
const SMOOTH: f32 = 0.5;
/// Hops in a row that must be so: a single one is a long vowel or a hum in a pause.
const LASTING: u32 = 2;
/// Frames of a hop under which it is too short to tell: the last one of a recording.
const FEW: usize = AUDIO_RATE as usize / SOUND_STEP / 2;

/// One moment of sound.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct SoundFrame {
    /// Its middle.
    pub at: Timestamp,
    /// 32 bits, each whether the difference of two neighbouring bands grows (Haitsma & Kalker 2002).
    pub fingerprint: u32,
    /// Share of the power that lies in notes held for a third of a second, 0 to 1.
    pub held: f32,
}

#[derive(Debug)]
pub(super) struct Sound {
    spectra: Spectra,
    before: Option<[f32; BANDS]>,
    runs: Vec<u16>,
    smoothed: f32,
    /// Hops in a row over [`MUSIC`].
    hops: u32,
}

impl Default for Sound {
    fn default() -> Self {
        Self {
            spectra: Spectra::new(SIZE, SOUND_STEP),
            before: None,
            runs: vec![0; NOTES[1] - NOTES[0]],
            smoothed: 0.0,
            hops: 0,
        }
    }
}

impl Sound {
    /// The frames that this hop completes, and whether it is music.
    pub(super) fn listen(&mut self, audio: &[f32], heard: &mut Heard) {
        let Self { spectra, before, runs, smoothed, hops } = self;
        spectra.push(audio, |first, power| {
            let at = time_of(first + SIZE as i64 / 2);
            let bands = bands(power);
            let fingerprint = before.replace(bands).map_or(0, |old| print(&old, &bands));
            heard.sound.push(SoundFrame { at, fingerprint, held: held(&power[NOTES[0]..NOTES[1]], runs) });
        });
        if heard.sound.len() >= FEW {
            let mean = heard.sound.iter().map(|f| f.held).sum::<f32>() / heard.sound.len() as f32;
            *smoothed += SMOOTH * (mean - *smoothed);
            *hops = if *smoothed > MUSIC { hops.saturating_add(1) } else { 0 };
        }
        heard.music = *hops >= LASTING;
    }
}

fn bands(power: &[f32]) -> [f32; BANDS] {
    let edge = |m: usize| {
        let share = m as f32 / BANDS as f32;
        ((RANGE_HZ[0] * (RANGE_HZ[1] / RANGE_HZ[0]).powf(share)) / BIN_HZ) as usize
    };
    // logarithms, so that loud bands do not decide for all
    std::array::from_fn(|m| power[edge(m)..edge(m + 1).max(edge(m) + 1)].iter().sum::<f32>().max(1e-14).ln())
}

fn print(before: &[f32; BANDS], now: &[f32; BANDS]) -> u32 {
    (0..BANDS - 1).fold(0, |bits, m| {
        let grows = now[m] - now[m + 1] - before[m] + before[m + 1] > 0.0;
        bits << 1 | u32::from(grows)
    })
}

/// Share of the power within two bins of peaks that have stood for [`HELD`] frames; `runs` counts how long each has.
fn held(power: &[f32], runs: &mut [u16]) -> f32 {
    let all: f32 = power.iter().sum();
    if all <= 1e-9 {
        runs.fill(0);
        return 0.0;
    }
    let least = PEAK * power.iter().copied().fold(0.0, f32::max);
    let mut in_notes = 0.0;
    for k in 1..power.len() - 1 {
        let peak = power[k] > power[k - 1] && power[k] >= power[k + 1] && power[k] > least;
        runs[k] = if peak { runs[k].saturating_add(1) } else { 0 };
        if runs[k] >= HELD {
            in_notes += power[k.saturating_sub(2)..(k + 3).min(power.len())].iter().sum::<f32>();
        }
    }
    (in_notes / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hops of a second in which a chord is held or not, each over the same faint noise: which of them are music.
    fn music(held: &[bool]) -> Vec<bool> {
        let rate = AUDIO_RATE as usize;
        let (mut sound, mut seed) = (Sound::default(), 1_u32);
        let hop = |(second, &held): (usize, &bool)| {
            let audio: Vec<f32> = (second * rate..(second + 1) * rate)
                .map(|n| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let note = |hz: f32| (std::f32::consts::TAU * hz * n as f32 / rate as f32).sin();
                    let chord = if held { note(220.0) + note(277.0) + note(330.0) } else { 0.0 };
                    0.1 * chord + 0.02 * (seed as f32 / u32::MAX as f32 - 0.5)
                })
                .collect();
            let mut heard = Heard::default();
            sound.listen(&audio, &mut heard);
            heard.music
        };
        held.iter().enumerate().map(hop).collect()
    }

    #[test]
    fn one_hop_of_a_held_chord_is_no_music_and_several_are() {
        assert!(music(&[false; 4]).iter().all(|m| !m));
        let lasting = music(&[false, true, true, true, true]);
        assert_eq!(lasting[..2], [false, false]);
        assert!(lasting[3] && lasting[4], "{lasting:?}");
    }
}
