//! What two channels that are mixed hold: two people, or one sound that cancels itself out.

use crate::media::AUDIO_RATE;

/// Samples of a block: a tenth of a second.
const BLOCK: usize = AUDIO_RATE as usize / 10;
/// Power of a block from which somebody may speak: -45 dB of full scale.
const LOUD: f64 = 3.2e-5;
/// How much louder one channel is than the other while it speaks alone: 15 dB.
const ALONE: f64 = 31.6;
/// Blocks in which each channel must speak alone: three seconds.
const LEAST: u32 = 30;
/// Share of the louder channel's power under which a mixture has cancelled out: -15 dB.
const CANCELLED: f64 = 0.03;

#[derive(Debug, Default)]
pub(super) struct Channels {
    held: [Vec<f32>; 2],
    /// Blocks in which one channel speaks alone.
    alone: [u32; 2],
    /// Power of each channel and of their mean, over all loud blocks.
    power: [f64; 3],
}

impl Channels {
    pub(super) fn hear(&mut self, left: &[f32], right: &[f32]) {
        self.held[0].extend_from_slice(left);
        self.held[1].extend_from_slice(right);
        while self.held.iter().all(|h| h.len() >= BLOCK) {
            let [left, right] = [0, 1].map(|k| self.held[k].drain(..BLOCK).collect::<Vec<f32>>());
            let mean =
                |of: &dyn Fn(usize) -> f32| (0..BLOCK).map(|i| f64::from(of(i)).powi(2)).sum::<f64>() / BLOCK as f64;
            let power = [mean(&|i| left[i]), mean(&|i| right[i]), mean(&|i| 0.5 * (left[i] + right[i]))];
            if power[0].max(power[1]) < LOUD {
                continue;
            }
            self.power.iter_mut().zip(power).for_each(|(sum, p)| *sum += p);
            self.alone[0] += u32::from(power[0] > ALONE * power[1]);
            self.alone[1] += u32::from(power[1] > ALONE * power[0]);
        }
    }

    pub(super) fn notes(&self) -> Vec<(&'static str, String)> {
        let mut notes = Vec::new();
        let seconds = self.alone.map(|blocks| f64::from(blocks) * BLOCK as f64 / f64::from(AUDIO_RATE));
        if self.alone.iter().all(|&blocks| blocks >= LEAST) {
            let message = format!(
                "the left channel speaks alone for {:.0} s and the right one for {:.0} s, as where each holds one person; both were \
                 judged as one voice: choose the candidate's channel (`audio_channel`)",
                seconds[0], seconds[1]
            );
            notes.push(("channels_differ", message));
        }
        let [left, right, mixed] = self.power;
        if left.max(right) > 0.0 && mixed < CANCELLED * left.max(right) {
            let message = "left and right cancel each other out in the mixture that was judged: choose one of them (`audio_channel`)";
            notes.push(("channels_cancel", message.to_owned()));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(seconds: usize, level: f32) -> Vec<f32> {
        (0..seconds * AUDIO_RATE as usize).map(|i| level * (i as f32 * 0.17).sin()).collect()
    }

    fn codes(left: &[f32], right: &[f32]) -> Vec<&'static str> {
        let mut channels = Channels::default();
        left.chunks(700).zip(right.chunks(700)).for_each(|(l, r)| channels.hear(l, r));
        channels.notes().iter().map(|(code, _)| *code).collect()
    }

    #[test]
    fn two_people_are_told_from_one_and_a_turned_channel_is_named() {
        let (sound, quiet) = (tone(5, 0.2), tone(5, 0.001));
        let turns = [[&sound[..], &quiet].concat(), [&quiet[..], &sound].concat()];
        assert_eq!(codes(&turns[0], &turns[1]), ["channels_differ"]);
        assert_eq!(codes(&sound, &sound), [""; 0]);
        // a microphone on one side only is one person
        assert_eq!(codes(&sound, &quiet), [""; 0]);
        let turned: Vec<f32> = sound.iter().map(|s| -s).collect();
        assert_eq!(codes(&sound, &turned), ["channels_cancel"]);
    }
}
