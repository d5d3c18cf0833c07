//! Do these lips speak these words?
//!
//! Two towers see lips and sound 25 times a second, each with a third of a second to either side, and put them into one
//! space (Chung & Zisserman 2016, "Out of time"; here with the mouth's shape beside its pixels). How well they agree is
//! averaged over speech at every lag up to 2 s. The best lag is a fact, since headsets delay; how well lips and sound agree there is the
//! evidence.

mod mouths;
mod towers;

use std::collections::{BTreeMap, VecDeque};

use super::{Detector, DetectorInfo, Whole, Window};
use crate::calibrate::Calibration;
use crate::error::Result;
use crate::evidence::{Evidence, Finding, Question, Reason};
use crate::model::Model;
use crate::time::{Span, Timestamp};
use crate::track::{DIM, FaceObservation, MASKED};

use mouths::Mouths;
use towers::{Profile, STEP, Towers};

/// The model's id.
pub(crate) const MODEL: &str = "lipsync";
/// Steps of speech under which nothing is said: 1.2 s.
const LEAST: f32 = 30.0;
/// Steps of speech in a stretch: 3 s.
const STRETCH: f32 = 75.0;
/// Distance of the eyes in pixels under which lips are not read: at 27 honest talkers are taken for dubbed twice as often as at 45.
const SMALLEST: f32 = 28.0;
/// Mean light of the face, 0 to 1, under which lips are not read: in a fifth of the light four in ten honest talkers are taken for dubbed.
const DARKEST: f32 = 0.12;
/// Degrees of turn to the side, and chance of a covered mouth, beyond which lips are not read.
const TURNED: f32 = 45.0;
const COVERED: f32 = 0.9;
/// Speech keeps counting so long before and after, microseconds.
const AROUND: i64 = 200_000;
/// Agreement that tells nothing with much speech, what the best of all lags adds to it by chance in one second of speech, and the
/// seconds of speech at which a mean counts by half.
const NEUTRAL: f64 = 0.4371;
const CHANCE: f64 = 0.0494;
const FEW: f64 = 8.0;
/// Most stretches that are named.
const NAMED: usize = 5;

const INFO: DetectorInfo = DetectorInfo {
    name: "lipsync",
    question: Question::Sync,
    summary: "whether the candidate's lips speak what is heard; a constant delay of the sound is measured and does not count",
};

/// What kept looks from being read, counted.
#[derive(Debug, Clone, Copy, Default)]
struct Unread {
    small: u32,
    dark: u32,
    hidden: u32,
    still: u32,
    read: u32,
    /// Sum of the chances of a covered mouth over those that were lit, large and frontal enough, and their number.
    covered: f32,
    facing: u32,
    /// Hops left out because another face speaks.
    shared: u32,
    /// Hops with speech in which nobody else's mouth moves.
    alone: u32,
}

impl Unread {
    /// Whether another face speaks most of the time.
    const fn by_turns(&self) -> bool {
        self.shared > self.alone
    }

    fn masked(&self) -> bool {
        self.covered > MASKED * self.facing as f32
    }

    /// Steps of the candidate's speech under which nothing is said: a few words left over between another's are no sample of theirs.
    const fn least(&self) -> f32 {
        if self.by_turns() { 2.0 * STRETCH } else { LEAST }
    }
}

/// What was read of one face's lips.
#[derive(Debug, Default)]
struct Read {
    /// Agreement with the sound, by second.
    seconds: Vec<(i64, Profile)>,
    unread: Unread,
    mouths: Mouths,
}

/// The check `lipsync`.
#[derive(Debug)]
pub struct LipSync {
    calibration: Calibration,
    towers: Towers,
    /// Speech of the latest seconds that the candidate may have spoken.
    speech: VecDeque<Span>,
    /// What was read of the candidate's lips, whose face that is, and what was read of those who were taken for the candidate before.
    read: Read,
    read_of: Option<u32>,
    parked: BTreeMap<Option<u32>, Read>,
    heard: bool,
    spoken: bool,
    music: bool,
}

impl LipSync {
    pub(crate) fn new(model: Model, calibration: Calibration) -> Self {
        Self {
            calibration,
            towers: Towers::new(model),
            speech: VecDeque::new(),
            read: Read::default(),
            read_of: None,
            parked: BTreeMap::new(),
            heard: false,
            spoken: false,
            music: false,
        }
    }

    /// Whether lips can be read in a look.
    fn legible(&mut self, face: &FaceObservation) -> bool {
        let q = &face.quality;
        let small = q.interocular_px < SMALLEST;
        let covered = q.occlusion > COVERED;
        let dark = q.exposure < DARKEST || covered && q.exposure < DIM;
        let hidden = q.yaw.abs() > TURNED || covered;
        let unread = &mut self.read.unread;
        if !face.still && !small && !dark && q.yaw.abs() <= TURNED {
            unread.facing += 1;
            unread.covered += q.occlusion;
        }
        match () {
            () if face.still => unread.still += 1,
            () if small => unread.small += 1,
            () if dark => unread.dark += 1,
            () if hidden => unread.hidden += 1,
            () => unread.read += 1,
        }
        !(face.still || small || dark || hidden)
    }

    /// Goes on with what was read of this face.
    fn turn_to(&mut self, face: Option<u32>) {
        if face != self.read_of {
            let other = self.parked.remove(&face).unwrap_or_default();
            self.parked.insert(self.read_of, std::mem::replace(&mut self.read, other));
            self.read_of = face;
        }
    }

    /// Seconds of the candidate's speech that were compared with lips.
    fn speech_s(&self) -> f64 {
        f64::from(self.read.seconds.iter().map(|(_, p)| p.steps()).sum::<f32>()) * STEP as f64 / 1e6
    }

    fn total(&self) -> Profile {
        let mut total = Profile::default();
        self.read.seconds.iter().for_each(|(_, p)| total.add(p));
        total
    }

    /// Stretches of three seconds of speech and more with the agreement near the lag.
    fn stretches(&self, lag: f32) -> Vec<(Span, f32)> {
        let mut out: Vec<(Span, f32)> = Vec::new();
        let mut held: Option<(i64, i64, Profile)> = None;
        for (second, profile) in self.read.seconds.iter().filter(|(_, p)| p.steps() > 0.0) {
            let (from, to, mut sum) = held.take().unwrap_or_else(|| (*second, *second, Profile::default()));
            sum.add(profile);
            let to = to.max(*second);
            if sum.steps() >= STRETCH {
                let span = Span::new(Timestamp(from * 1_000_000), Timestamp((to + 1) * 1_000_000));
                out.extend(sum.near(lag).map(|m| (span, m)));
            } else {
                held = Some((from, to, sum));
            }
        }
        out
    }

    /// Agreement of the half that agrees best, since an interviewer's voice may run over lips that only smile; of the
    /// whole where there is one stretch.
    fn agreement(&self, total: &Profile, lag: f32, stretches: &[(Span, f32)]) -> f64 {
        if stretches.len() < 2 {
            return f64::from(total.near(lag).unwrap_or(0.0));
        }
        let mut sorted: Vec<f32> = stretches.iter().map(|(_, m)| *m).collect();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let half = sorted.len().div_ceil(2);
        f64::from(sorted[..half].iter().sum::<f32>()) / half as f64
    }

    fn why_not(&self, whole: &Whole<'_>) -> (Reason, &'static str) {
        let u = &self.read.unread;
        match () {
            () if whole.media.video.is_none() => (Reason::NoVideo, "there is no picture, so that lips cannot be read"),
            () if !self.heard => (Reason::NoAudio, "there is no sound to compare the lips with"),
            () if whole.tracks.candidate.is_none() => (Reason::NoFace, "no face was seen whose lips could be read"),
            () if u.still > u.read => {
                (Reason::TooFewFrames, "the picture stood still, so that what is heard cannot be held against lips")
            }
            () if u.small > u.read => (Reason::TooSmall, "the face is too small to read its lips"),
            () if u.dark > u.read => (Reason::BadExposure, "the face is too dark to read its lips"),
            () if u.hidden > u.read => (Reason::Hidden, "the mouth is turned away or covered"),
            () if self.music => (Reason::Music, "music lies under the speech, which the check does not judge"),
            () if u.by_turns() => (
                Reason::OverlappingSpeech,
                "another face speaks while the candidate is seen, so that the words may be theirs",
            ),
            () if !self.spoken => (Reason::TooLittleSpeech, "no speech of the candidate was heard"),
            () if self.towers.sparse() => (Reason::TooFewFrames, "lips move faster than the frames come"),
            () => (Reason::TooLittleSpeech, "too little speech was heard while the candidate's lips were seen"),
        }
    }
}

impl Detector for LipSync {
    fn info(&self) -> &DetectorInfo {
        &INFO
    }

    fn observe(&mut self, window: &Window<'_>, _out: &mut Vec<Evidence>) -> Result<()> {
        self.heard |= !window.heard.is_empty();
        self.music |= window.music;
        self.turn_to(window.tracks.candidate);
        self.read.mouths.look(window);
        self.towers.hear(window.span, window.audio);
        let old = window.span.start.plus(-4_000_000);
        self.speech.retain(|s| s.end >= old);
        let spoken = !window.speech.is_empty();
        let shared = spoken && mouths::another_speaks(window.faces, window.tracks.candidate);
        self.read.unread.shared += u32::from(shared);
        self.read.unread.alone += u32::from(spoken && !shared);
        // what is heard then may be the other's words, or both at once
        if !window.music && !shared {
            let own = window.speech.iter().filter(|s| !window.elsewhere(**s));
            self.speech.extend(own.map(|s| Span::new(s.start.plus(-AROUND), s.end.plus(AROUND))));
        }
        self.spoken |= !self.speech.is_empty();
        let Some(candidate) = window.tracks.candidate else { return Ok(()) };
        let mine: Vec<&FaceObservation> = window.burst.iter().filter(|f| f.track == candidate).collect();
        let legible: Vec<&FaceObservation> = mine.into_iter().filter(|f| self.legible(f)).collect();
        if legible.is_empty() {
            return Ok(());
        }
        self.towers.see(candidate, legible.into_iter());
        let speech = &self.speech;
        for (second, found) in self.towers.judge(|at| speech.iter().any(|s| s.contains(at)))? {
            match self.read.seconds.iter_mut().rev().take(4).find(|(s, _)| *s == second) {
                Some((_, profile)) => profile.add(&found),
                None => self.read.seconds.push((second, found)),
            }
        }
        Ok(())
    }

    fn conclude(&self, whole: &Whole<'_>, out: &mut Vec<Evidence>) {
        self.read.mouths.tell(whole.tracks.candidate, out);
        let total = self.total();
        let subject = |mut e: Evidence| {
            e.subject = whole.tracks.candidate;
            e
        };
        let Some((lag, _)) = total.best().filter(|_| total.steps() >= self.read.unread.least()) else {
            let (reason, message) = self.why_not(whole);
            let finding = Finding::Abstain { reason };
            let found = Evidence::new("lipsync.mismatch", Question::Sync, whole.span, finding, message);
            out.push(subject(found).fact("speech_s", self.speech_s()));
            return;
        };
        let stretches = self.stretches(lag);
        let agreement = self.agreement(&total, lag, &stretches);
        let seconds = self.speech_s();
        let raw = (NEUTRAL + CHANCE / seconds.sqrt() - agreement) * seconds / (seconds + FEW);
        let finding = match self.calibration.finding(raw) {
            Finding::Score { llr, .. } if llr > 0.0 && self.read.unread.masked() => {
                Finding::Abstain { reason: Reason::Hidden }
            }
            finding => finding,
        };
        let message = match finding {
            Finding::Abstain { reason: Reason::Hidden } => {
                "the mouth may be covered, so that lips that do not fit say nothing"
            }
            Finding::Score { llr, .. } if llr > 0.5 => "lips and sound disagree more than those of a person speaking",
            Finding::Score { llr, .. } if llr < -0.5 => "the lips speak what is heard",
            Finding::Score { .. } => "lips and sound say little either way",
            Finding::Abstain { .. } | Finding::Note => "lips and sound lie outside what the check was calibrated on",
        };
        let found = Evidence::new("lipsync.mismatch", Question::Sync, whole.span, finding, message);
        let suspicious = found.llr().is_some_and(|llr| llr > 0.5);
        let clear = found.llr().is_some_and(|llr| llr < 0.0);
        out.push(subject(found.fact("agreement", agreement).fact("speech_s", seconds)));
        let lag_ms = f64::from(lag) * STEP as f64 / 1e3;
        let when = if lag_ms < 0.0 { "earlier" } else { "later" };
        let message = if clear {
            format!("the sound comes {:.0} ms {when} than the lips", lag_ms.abs())
        } else {
            format!(
                "lips and sound fit best where the sound comes {:.0} ms {when}, and not well enough to be sure of it",
                lag_ms.abs()
            )
        };
        let mut found =
            Evidence::new("lipsync.lag", Question::Sync, whole.span, Finding::Note, message).fact("lag_ms", lag_ms);
        if let Some(drift) = self.drift_ms().filter(|_| clear) {
            found = found.fact("drift_ms", drift);
        }
        out.push(subject(found));
        if suspicious {
            let mut worst = stretches;
            worst.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
            for (span, agreement) in worst.into_iter().take(NAMED) {
                let message = "look here: the lips fit what is heard least";
                let found = Evidence::new("lipsync.stretch", Question::Sync, span, Finding::Note, message);
                out.push(subject(found.fact("agreement", f64::from(agreement))));
            }
        }
    }

    fn judged_s(&self, _candidate: Option<u32>) -> f64 {
        self.speech_s()
    }
}

impl LipSync {
    /// How far the lag moves from the first half of the speech to the second, in milliseconds; with 20 s and more.
    fn drift_ms(&self) -> Option<f64> {
        let all: f32 = self.read.seconds.iter().map(|(_, p)| p.steps()).sum();
        let (mut halves, mut passed) = ([Profile::default(), Profile::default()], 0.0);
        for (_, profile) in &self.read.seconds {
            halves[usize::from(passed > 0.5 * all)].add(profile);
            passed += profile.steps();
        }
        let [first, second] = [halves[0].best()?, halves[1].best()?];
        (all >= 500.0).then(|| f64::from(second.0 - first.0) * STEP as f64 / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_words_between_another_speakers_are_too_little() {
        let alone = Unread { alone: 9, shared: 2, ..Unread::default() };
        let by_turns = Unread { alone: 2, shared: 9, ..Unread::default() };
        // 1.2 s of speech where nobody else speaks, 6 s where another face speaks most of the time
        assert_eq!((alone.least(), by_turns.least()), (30.0, 150.0));
        assert!(!Unread::default().by_turns() && by_turns.by_turns());
    }
}
