//! A second, quieter voice while the candidate pauses: somebody who prompts, a loudspeaker, a television.
//!
//! Looked for only inside the candidate's own answers, as the transcript gives them, in pauses with the candidate's
//! voice on both sides, and only as syllables: runs of sound with a pitch, well below the candidate's level and well
//! above the room's.

use crate::dsp::spectrum::Spectra;
use crate::evidence::{Evidence, Finding, Question};
use crate::media::AUDIO_RATE;
use crate::time::{Span, Timestamp};
use crate::timeline::time_of;

use super::foremost;
use super::turns::Answer;

/// Samples of a frame (64 ms) and of the step to the next (10 ms).
const SIZE: usize = 1024;
const STEP: usize = 160;
const BIN_HZ: f32 = AUDIO_RATE as f32 / SIZE as f32;
/// Where the level is taken, and where the pitch shows, hertz.
const LEVEL_HZ: [f32; 2] = [80.0, 4_000.0];
const PITCH_HZ: [f32; 2] = [60.0, 1_200.0];
/// Periods of voices, samples: 400 to 70 Hz; every other is enough for what repeats under 1.2 kHz.
const PERIODS: std::ops::Range<usize> = 40..230;
const PERIOD_STEP: usize = 2;
/// Autocorrelation from which a frame has a pitch.
const PITCHED: f32 = 0.6;
/// Frames of the shortest pause (in shorter ones people's own soft words were taken for another's), and what of it
/// belongs to the words around.
const LEAST_PAUSE: usize = 160;
const EDGE: [usize; 2] = [12, 8];
/// Level from which it is the candidate who speaks, and under which nothing is heard: decibel under the candidate's
/// loud frames.
const BELOW_DB: i32 = 9;
const DEEPEST_DB: i32 = 40;
/// Decibel above the answer's quietest frames.
const OVER_ROOM_DB: i32 = 8;
/// Frames of one syllable, the fewest syllables, and frames of all together.
const SYLLABLE: std::ops::RangeInclusive<usize> = 4..=60;
const LEAST_SYLLABLES: usize = 3;
const LEAST_FRAMES: usize = 50;
/// Frames with a pitch in an answer from which the candidate's level is known.
const LEAST_PITCHED: usize = 100;

/// Level, whole decibels of full scale, and pitch of every frame.
#[derive(Debug, Clone, Copy)]
struct Frame {
    db: i8,
    pitched: bool,
}

/// Listens for voices; what they are is known with the transcript.
#[derive(Debug)]
pub(super) struct Second {
    spectra: Spectra,
    /// Cosines of every period in every bin of the pitch.
    cosines: Vec<f32>,
    /// What the window leaves of a perfect repetition, by period.
    taper: Vec<f32>,
    frames: Vec<Frame>,
}

/// A pause in which somebody is heard.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Heard {
    span: Span,
    syllables: usize,
    below_db: f64,
}

fn bins(hz: [f32; 2]) -> std::ops::Range<usize> {
    (hz[0] / BIN_HZ) as usize..(hz[1] / BIN_HZ) as usize
}

impl Default for Second {
    fn default() -> Self {
        let turn = std::f32::consts::TAU / SIZE as f32;
        let cosines = PERIODS
            .step_by(PERIOD_STEP)
            .flat_map(|p| bins(PITCH_HZ).map(move |k| ((k * p % SIZE) as f32 * turn).cos()))
            .collect();
        let hann: Vec<f32> = (0..SIZE).map(|i| 0.5f32.mul_add(-(i as f32 * turn).cos(), 0.5)).collect();
        let lag = |p: usize| hann.iter().zip(&hann[p..]).map(|(a, b)| a * b).sum::<f32>();
        let whole = lag(0);
        Self {
            spectra: Spectra::new(SIZE, STEP),
            cosines,
            taper: PERIODS.step_by(PERIOD_STEP).map(|p| lag(p) / whole).collect(),
            frames: Vec::new(),
        }
    }
}

impl Second {
    /// The next sound; notes have a pitch as well, so that nothing is heard in `music`.
    pub(super) fn push(&mut self, audio: &[f32], music: bool) {
        let Self { spectra, cosines, taper, frames } = self;
        spectra.push(audio, |_, power| {
            let level: f32 = power[bins(LEVEL_HZ)].iter().sum();
            let band = &power[bins(PITCH_HZ)];
            let all: f32 = band.iter().sum();
            let repeats = cosines.chunks_exact(band.len()).zip(taper.iter());
            let pitched = !music
                && all > 1e-12
                && repeats
                    .map(|(c, t)| c.iter().zip(band).map(|(c, p)| c * p).sum::<f32>() / t)
                    .any(|r| r > PITCHED * all);
            frames.push(Frame { db: (10.0 * (level + 1e-10).log10()) as i8, pitched });
        });
    }

    fn at(frame: usize) -> Timestamp {
        time_of((frame * STEP + SIZE / 2) as i64)
    }

    /// Pauses of one answer in which somebody is heard; `others` are stretches that somebody else is known to speak in.
    fn pauses(&self, answer: Span, others: &[Span]) -> Vec<Heard> {
        let frame = |t: Timestamp| {
            let samples = t.seconds() * f64::from(AUDIO_RATE) - SIZE as f64 / 2.0;
            ((samples / STEP as f64).max(0.0) as usize).min(self.frames.len())
        };
        let (first, end) = (frame(answer.start), frame(answer.end));
        let frames = &self.frames[first..end.max(first)];
        let mut pitched: Vec<i8> = frames.iter().filter(|f| f.pitched).map(|f| f.db).collect();
        if pitched.len() < LEAST_PITCHED {
            return Vec::new();
        }
        pitched.sort_unstable();
        let loud = i32::from(pitched[pitched.len() * 4 / 5]);
        let mut levels: Vec<i8> = frames.iter().map(|f| f.db).collect();
        levels.sort_unstable();
        let room = i32::from(levels[levels.len() / 20]);
        let theirs: Vec<usize> = frames
            .windows(3)
            .enumerate()
            .filter(|(_, w)| w.iter().map(|f| i32::from(f.db)).sum::<i32>() > 3 * (loud - BELOW_DB))
            .map(|(i, _)| i + 1)
            .collect();
        let mut found = Vec::new();
        for gap in theirs.windows(2) {
            let span = Span::new(Self::at(first + gap[0]), Self::at(first + gap[1]));
            if gap[1] - gap[0] < LEAST_PAUSE || others.iter().any(|o| o.overlap(span).is_some()) {
                continue;
            }
            let pause = &frames[gap[0] + EDGE[0]..gap[1] - EDGE[1]];
            let voice = |f: &Frame| f.pitched && i32::from(f.db) > (loud - DEEPEST_DB).max(room + OVER_ROOM_DB);
            let syllables: Vec<&[Frame]> = pause
                .chunk_by(|a, b| voice(a) == voice(b))
                .filter(|r| voice(&r[0]) && SYLLABLE.contains(&r.len()))
                .collect();
            let mut heard: Vec<i8> = syllables.iter().flat_map(|s| s.iter().map(|f| f.db)).collect();
            if syllables.len() >= LEAST_SYLLABLES && heard.len() >= LEAST_FRAMES {
                heard.sort_unstable();
                let below_db = f64::from(loud - i32::from(heard[heard.len() / 2]));
                found.push(Heard { span, syllables: syllables.len(), below_db });
            }
        }
        found
    }

    /// A note for each of the pauses with most syllables: it proves nothing, others may be in the room.
    pub(super) fn conclude<'a>(&self, answers: impl Iterator<Item = &'a Answer>, out: &mut Vec<Evidence>) {
        let heard: Vec<Heard> = answers.flat_map(|a| self.pauses(a.said.span, &a.said.others)).collect();
        out.extend(foremost(heard, |h| h.syllables).map(|h| {
            let message = "a quieter voice is heard while the candidate pauses; it may be anybody nearby, or sound from a loudspeaker: \
                           listen to it";
            Evidence::new("answers.second_voice", Question::Answers, h.span, Finding::Note, message)
                .fact("syllables", h.syllables as f64)
                .fact("below_db", h.below_db)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Syllables of 150 ms every 200 ms: twelve harmonics of `hz`, the first of amplitude `loud`.
    fn say(sound: &mut [f32], from: f64, to: f64, hz: f32, loud: f32) {
        let rate = f64::from(AUDIO_RATE);
        let (first, end) = ((from * rate) as usize, (to * rate) as usize);
        for (n, sample) in sound.iter_mut().enumerate().take(end).skip(first) {
            let phase = (n as f64 / rate - from) % 0.2 / 0.15;
            if phase < 1.0 {
                let at = n as f32 / AUDIO_RATE as f32 * std::f32::consts::TAU * hz;
                let hull = (phase as f32 * std::f32::consts::PI).sin();
                *sample += loud * hull * (1..=12).map(|k| (at * k as f32).sin() / k as f32).sum::<f32>();
            }
        }
    }

    /// Noise at about -66 dB with a candidate at 110 Hz who pauses from 4 to 7 s, and another voice in the pause.
    fn room(second: f32) -> Vec<f32> {
        let mut seed = 1u32;
        let mut sound: Vec<f32> = (0..11 * AUDIO_RATE as usize)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                0.001 * (f64::from(seed) / f64::from(u32::MAX)).mul_add(2.0, -1.0) as f32
            })
            .collect();
        say(&mut sound, 0.5, 4.0, 110.0, 0.2);
        say(&mut sound, 7.0, 10.5, 110.0, 0.2);
        say(&mut sound, 4.6, 6.4, 190.0, second);
        sound
    }

    fn heard(sound: &[f32], others: &[Span]) -> Vec<Heard> {
        let mut second = Second::default();
        sound.chunks(8_000).for_each(|hop| second.push(hop, false));
        second.pauses(Span::new(Timestamp::ZERO, time_of(sound.len() as i64)), others)
    }

    #[test]
    fn a_quiet_voice_in_a_pause_is_heard_and_how_quiet_it_is() {
        let found = heard(&room(0.02), &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!((7..=9).contains(&found[0].syllables), "{found:?}");
        assert!((found[0].below_db - 20.0).abs() < 4.0, "{found:?}");
        assert!(found[0].span.start.seconds() > 3.5 && found[0].span.end.seconds() < 7.5, "{found:?}");
    }

    #[test]
    fn an_empty_pause_a_known_voice_and_silence_are_none() {
        assert!(heard(&room(0.0), &[]).is_empty());
        let known = Span::new(time_of(5 * i64::from(AUDIO_RATE)), time_of(6 * i64::from(AUDIO_RATE)));
        assert!(heard(&room(0.02), &[known]).is_empty());
        assert!(heard(&vec![0.0; 160_000], &[]).is_empty());
    }
}
