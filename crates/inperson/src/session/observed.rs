//! What checks are given, for those who train or study them.

use std::ops::ControlFlow;
use std::path::Path;

use super::{Analyzer, Progress};
use crate::error::{Error, Result};
use crate::media::{Ahead, FileSource, MediaOptions, Sample, Source};
use crate::time::Span;
use crate::timeline::{Hop, Timeline};
use crate::track::{Bursts, FaceObservation, Tracker, Tracks, Wanted};

/// A recording as checks are given it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Observed {
    /// The largest faces in every frame (30 a second at most), in order of time, with crops and mouths.
    pub faces: Vec<FaceObservation>,
    /// Mono sound at [`AUDIO_RATE`](crate::media::AUDIO_RATE) from the recording's start, silence where nothing came.
    pub audio: Vec<f32>,
    /// Stretches in which somebody speaks.
    pub speech: Vec<Span>,
    /// Faces and voices, with the candidate.
    pub tracks: Tracks,
}

impl Analyzer {
    /// What checks would be given of a file, all of it in bursts. Everything is held in memory: 170 kB a frame and face.
    ///
    /// # Errors
    /// When the file cannot be looked at.
    pub fn observe(&self, path: impl AsRef<Path>) -> Result<Observed> {
        self.observe_with(path, |_| ControlFlow::Continue(()))
    }

    /// As [`Analyzer::observe`], and says how far it has come, about once per second of media; `Break` cancels.
    ///
    /// # Errors
    /// As [`Analyzer::observe`], and [`Error::Cancelled`].
    pub fn observe_with(
        &self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Observed> {
        let config = &self.0.config;
        let options = MediaOptions {
            audio_track: config.audio_track,
            audio_channel: config.audio_channel,
            threads: config.decode_threads,
            ..MediaOptions::default()
        };
        let mut source = Ahead::new(FileSource::open(path.as_ref(), &config.limits, &options)?)?;
        let wanted = Wanted { bursts: Bursts::Always, context: true, takes: false };
        let mut tracker = self.tracker(wanted);
        let total_s = source.info().declared_duration_s;
        let mut timeline = Timeline::new(source.info());
        let mut all = Observed::default();
        let mut take = |hop: Hop, tracker: &mut Tracker| {
            all.speech.extend(tracker.listen(&hop).speech);
            all.faces.extend(hop.burst);
            all.audio.extend(hop.audio);
        };
        while let Some(sample) = source.next()? {
            match sample {
                Sample::Video(frame) => timeline.push_frame(tracker.look(&frame)?),
                Sample::Audio(chunk) => timeline.push_audio(&chunk),
                Sample::Text(words) => timeline.push_words(words),
            }
            while let Some(hop) = timeline.next_hop() {
                let done_s = hop.span.end.seconds();
                take(hop, &mut tracker);
                if progress(Progress { done_s, total_s }).is_break() {
                    return Err(Error::Cancelled);
                }
            }
        }
        while let Some(hop) = timeline.last_hop() {
            take(hop, &mut tracker);
        }
        all.speech = Span::merged(all.speech, 1_000);
        all.faces.sort_by_key(|f| (f.at, f.track));
        all.tracks = tracker.tracks().clone();
        Ok(all)
    }
}
