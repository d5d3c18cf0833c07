//! One interview: samples are pushed in, hops are analysed as they complete, an assessment can be asked for at any
//! time and a report at the end.
//!
//! A recording is a live call that arrives as fast as the machine can take it: [`Analyzer::analyze`] only pulls a
//! source and pushes; but its times are believed, since a slide may stand for minutes. Nothing here depends on how the samples were cut.

mod clock;
mod judge;
mod observed;
mod pace;
mod watch;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::detect::{self, Checks, Whole};
use crate::error::{Error, Result};
use crate::evidence::{Evidence, Finding, Question, Reason};
use crate::fuse::{Assessment, fuse};
use crate::media::{Ahead, FileSource, MediaInfo, MediaNote, MediaOptions, Sample, Source, Transcript, hash_unless};
use crate::model::{Registry, Runtime};
use crate::report::{ModelUse, NotJudged, Report, RuntimeUse, SCHEMA_VERSION};
use crate::time::{Span, Timestamp};
use crate::track::{self, FaceModels, Reference, Tracker, Wanted};

use clock::Clock;
use judge::Judge;
pub use observed::Observed;
use watch::{Moment, Watch};

/// What a live push may return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Evidence of this code raises concern: a moment with an LLR over 0, or the whole so far with one of 0.5 and more.
    Raised {
        /// The evidence's code.
        code: String,
        /// Where.
        span: Span,
        /// Its log-likelihood ratio, nats, over 0. Between raised and cleared it may grow: [`Session::assess`] tells.
        llr: f64,
    },
    /// Evidence of this code has not raised concern for ten seconds.
    Cleared {
        /// The evidence's code.
        code: String,
        /// When.
        at: Timestamp,
    },
    /// Pictures, or sound, came five times in a row with times over ten seconds back, and are left out: a clock began again. Times
    /// go on over a reconnect, so add what had passed before it.
    Late {
        /// The time that came last.
        at: Timestamp,
    },
}

/// How far an analysis has come.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Seconds of media analysed.
    pub done_s: f64,
    /// Seconds of media in all, where the container says so.
    pub total_s: Option<f64>,
}

/// Configuration and models: immutable, shared, cheap to clone.
#[derive(Debug, Clone)]
pub struct Analyzer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: Config,
    runtime: Runtime,
    faces: FaceModels,
    reference: Option<Reference>,
    checks: Checks,
    models: Vec<ModelUse>,
}

impl Analyzer {
    /// Loads ONNX Runtime, the models and the candidate's reference picture.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Media`] when that picture cannot be read or shows no face,
    /// [`Error::Config`] for a configuration that contradicts itself or names an unknown check,
    /// [`Error::Runtime`] and [`Error::Model`] when ONNX Runtime or a model cannot be loaded.
    pub fn new(config: Config) -> Result<Self> {
        config.validate()?;
        detect::names(&config.checks)?;
        let runtime = Runtime::load(&config.runtime)?;
        let registry = config.models.as_deref().map_or_else(Registry::built_in, Registry::with_folder)?;
        let (faces, checks) =
            rayon::join(|| FaceModels::load(&runtime, &registry), || Checks::load(&config.checks, &runtime, &registry));
        let (faces, checks) = (faces?, checks?);
        let reference = track::reference(&faces, &config.candidate)?;
        let ids = FaceModels::IDS.into_iter().chain(checks.models().map(|m| m.card().id.as_str()));
        let models = ids
            .map(|id| {
                let entry = registry.find(id)?;
                Ok(ModelUse {
                    id: entry.card.id.clone(),
                    version: entry.card.version.clone(),
                    sha256: entry.card.sha256.clone(),
                    replaced: entry.folder.is_some(),
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self(Arc::new(Shared { config, runtime, faces, reference, checks, models })))
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// A session for one interview; `media` is what is known of it beforehand.
    ///
    /// # Errors
    /// None at present: what a session needs was loaded with the analyzer.
    pub fn session(&self, media: MediaInfo) -> Result<Session> {
        Ok(Session::new(self.clone(), media))
    }

    /// Analyses a file.
    ///
    /// # Errors
    /// When the file cannot be looked at; never because of what was found in it.
    pub fn analyze(&self, path: impl AsRef<Path>) -> Result<Report> {
        self.analyze_with(path, |_| ControlFlow::Continue(()))
    }

    /// Analyses a file and says how far it has come, about once per second of media; `Break` cancels.
    ///
    /// # Errors
    /// As [`Analyzer::analyze`], and [`Error::Cancelled`].
    pub fn analyze_with(
        &self,
        path: impl AsRef<Path>,
        progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        self.analyze_with_transcript(path, None, progress)
    }

    /// As [`Analyzer::analyze_with`], with what was said in the recording.
    ///
    /// # Errors
    /// As [`Analyzer::analyze_with`].
    pub fn analyze_with_transcript(
        &self,
        path: impl AsRef<Path>,
        transcript: Option<&Transcript>,
        progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let (path, config) = (path.as_ref(), &self.0.config);
        let options = MediaOptions {
            audio_track: config.audio_track,
            audio_channel: config.audio_channel,
            threads: config.decode_threads,
            ..MediaOptions::default()
        };
        let mut source = Ahead::new(FileSource::open(path, &config.limits, &options)?)?;
        let stopped = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let hash = scope.spawn(|| hash_unless(&stopped, path));
            let report = self.analyze_source_with(&mut source, transcript, progress);
            stopped.store(report.is_err(), Relaxed);
            let mut report = report?;
            let hash = hash.join().map_err(|_| Error::media(path.display().to_string(), "hashing it failed"))?;
            report.media_sha256 = Some(hash?);
            Ok(report)
        })
    }

    /// What was said in a recording, by a recogniser of the caller's: it is given a WAV file and gives the text of a
    /// transcript in any format that [`Transcript::parse`] reads. [`run_transcriber`](crate::media::run_transcriber)
    /// makes one of a command.
    ///
    /// # Errors
    /// As [`Transcript::recognise`].
    pub fn transcribe(
        &self,
        path: impl AsRef<Path>,
        recogniser: impl FnOnce(&Path) -> Result<String>,
    ) -> Result<Transcript> {
        let config = &self.0.config;
        let options = MediaOptions {
            audio_track: config.audio_track,
            audio_channel: config.audio_channel,
            ..MediaOptions::default()
        };
        Transcript::recognise(path.as_ref(), &config.limits, &options, recogniser)
    }

    /// Analyses whatever a source gives.
    ///
    /// # Errors
    /// As [`Analyzer::analyze_with`].
    pub fn analyze_source(
        &self,
        source: &mut dyn Source,
        progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        self.analyze_source_with(source, None, progress)
    }

    fn tracker(&self, wanted: Wanted) -> Tracker {
        let Shared { config, faces, reference, .. } = &*self.0;
        Tracker::new(faces.clone(), reference.clone(), config, wanted)
    }

    fn analyze_source_with(
        &self,
        source: &mut dyn Source,
        transcript: Option<&Transcript>,
        progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Report> {
        let mut session = self.session(source.info().clone())?;
        for words in transcript.into_iter().flat_map(|t| &t.utterances) {
            session.push(Sample::Text(words.clone()))?;
        }
        session.pull(source, progress)?;
        session.media.notes.extend(transcript.into_iter().flat_map(|t| t.notes.iter().cloned()));
        session.finish()
    }
}

/// Hops that may wait for the checks while a recording is read.
const WAITING: usize = 2;

/// The mutable state of one interview.
pub struct Session {
    analyzer: Analyzer,
    media: MediaInfo,
    clock: Clock,
    watch: Watch,
    judge: Judge,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({} at {})", self.media.input, self.analysed())
    }
}

impl Session {
    fn new(analyzer: Analyzer, media: MediaInfo) -> Self {
        let config = &analyzer.0.config;
        let tracker = analyzer.tracker(analyzer.0.checks.wanted());
        let judge = Judge::new(analyzer.0.checks.start(config));
        let watch = Watch::new(tracker, &media, config.limits.clone());
        Self { media, clock: Clock::default(), watch, judge, analyzer }
    }

    /// Takes one sample in and analyses every hop that it completes. What raises concern by itself is told at once, what the
    /// interview so far amounts to about every five seconds.
    ///
    /// The checks run in here, all at the push that completes a second of media, and longer where sessions share processors.
    /// Push from a thread of the session's own, not from one that receives packets.
    ///
    /// Times count from the start of the interview and go on over a reconnect: what comes when its second is analysed is left
    /// out with a note, and told by [`Event::Late`] where a clock began again. So is a sample more than ten seconds ahead of all others, unless four more follow it there.
    ///
    /// # Errors
    /// When a model fails; [`Error::Limit`] when the sample passes one of [`Config::limits`], [`Error::Unsupported`] when a
    /// frame's planes do not hold its size, [`Error::Media`] when sound lasts much longer or shorter than its times say: it is not taken
    /// in, and the session can go on with others.
    pub fn push(&mut self, sample: Sample) -> Result<Vec<Event>> {
        self.watch.check(&sample)?;
        let mut events: Vec<Event> = self.clock.fell_back(&sample).map(|at| Event::Late { at }).into_iter().collect();
        for sample in self.clock.admit(sample) {
            self.watch.take(sample)?;
            self.watch.declare(&mut self.media);
            self.judge_complete(&mut events)?;
        }
        Ok(events)
    }

    fn judge_complete(&mut self, events: &mut Vec<Event>) -> Result<()> {
        while let Some(moment) = self.watch.next() {
            self.judge.observe(&moment, &self.media)?;
            let span = Span::new(Timestamp::ZERO, moment.hop.span.end);
            let whole = Whole { span, tracks: self.watch.tracker.tracks(), media: &self.media };
            self.judge.tell(&whole, events);
        }
        Ok(())
    }

    /// Pushes all that a source gives. Checks look at a hop while the next one is watched, which changes nothing in what they find.
    fn pull(&mut self, source: &mut dyn Source, mut progress: impl FnMut(Progress) -> ControlFlow<()>) -> Result<()> {
        let Self { watch, judge, media, .. } = self;
        let total_s = source.info().declared_duration_s;
        let (sender, receiver) = sync_channel::<Moment>(WAITING);
        std::thread::scope(|scope| {
            let judging = scope.spawn(move || {
                // a recording has nobody to tell events to
                receiver.iter().try_for_each(|moment| judge.observe(&moment, media))
            });
            let mut reported = f64::NEG_INFINITY;
            let watched = (|| {
                while let Some(sample) = source.next()? {
                    watch.check(&sample)?;
                    watch.take(sample)?;
                    while let Some(moment) = watch.next() {
                        if sender.send(moment).is_err() {
                            // the checks failed, and say how
                            return Ok(());
                        }
                    }
                    let done_s = watch.timeline.analysed().seconds();
                    if done_s >= reported + 1.0 {
                        reported = done_s;
                        if progress(Progress { done_s, total_s }).is_break() {
                            return Err(Error::Cancelled);
                        }
                    }
                }
                Ok(())
            })();
            drop(sender);
            let judged = judging.join();
            watched?;
            judged.unwrap_or_else(|_| Err(Error::media(&source.info().input, "a check failed, which is a defect")))
        })?;
        self.set_media(source.info().clone());
        Ok(())
    }

    /// Up to where the interview was analysed.
    #[must_use]
    pub fn analysed(&self) -> Timestamp {
        self.watch.timeline.analysed()
    }

    /// Replaces what is known of the media; a source knows most at its end.
    pub fn set_media(&mut self, media: MediaInfo) {
        self.media = media;
    }

    /// What the interview so far amounts to.
    #[must_use]
    pub fn assess(&self) -> Assessment {
        let mut evidence = self.judge.found().to_vec();
        self.conclude(&mut evidence);
        self.fuse(&evidence)
    }

    /// Whether no picture and no sound was taken in so far: [`Session::finish`] would have nothing to report on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watch.is_empty()
    }

    /// Ends the interview.
    ///
    /// # Errors
    /// When a model fails on the last hop; [`Error::Media`] when nothing at all came in.
    pub fn finish(mut self) -> Result<Report> {
        while let Some(moment) = self.watch.last() {
            self.judge.observe(&moment, &self.media)?;
        }
        self.judge.finish()?;
        self.watch.describe(&mut self.media);
        let ahead = self.clock.left_out();
        if ahead > 0 {
            let message =
                format!("{ahead} pictures or pieces of sound with times over 10 s ahead of all others were left out");
            self.media.notes.push(MediaNote::new("time_ahead", None, message));
        }
        let beyond = self.watch.timeline.words_left();
        if beyond > 0 {
            let message = format!("{beyond} utterances of the transcript lie beyond the end of the recording");
            self.media.notes.push(MediaNote::new("transcript_beyond_end", None, message));
        }
        let span = self.span();
        if span.is_empty() {
            return Err(Error::media(&self.media.input, "no picture and no sound came"));
        }
        let mut evidence = self.judge.take();
        self.conclude(&mut evidence);
        evidence.sort_by(|a, b| (a.span, &a.code, a.subject).cmp(&(b.span, &b.code, b.subject)));
        let Shared { config, runtime, models, .. } = &*self.analyzer.0;
        Ok(Report {
            schema_version: SCHEMA_VERSION,
            inperson_version: env!("CARGO_PKG_VERSION").to_owned(),
            media_sha256: None,
            span,
            models: models.clone(),
            runtime: Some(RuntimeUse {
                onnxruntime: runtime.build_info().to_owned(),
                device: runtime.device().to_string(),
            }),
            config: config.clone(),
            assessment: self.fuse(&evidence),
            not_judged: self.not_judged(&evidence),
            evidence,
            tracks: self.watch.tracker.tracks().clone(),
            media: self.media,
            decision: None,
        })
    }

    fn span(&self) -> Span {
        Span::new(Timestamp::ZERO, self.analysed())
    }

    fn conclude(&self, evidence: &mut Vec<Evidence>) {
        let whole = Whole { span: self.span(), tracks: self.watch.tracker.tracks(), media: &self.media };
        self.judge.conclude(&whole, evidence);
    }

    fn fuse(&self, evidence: &[Evidence]) -> Assessment {
        let seconds = self.span().seconds();
        let share = |judged: f64| if seconds > 0.0 { (judged / seconds).min(1.0) } else { 0.0 };
        let judged = self.judge.judged_s(self.watch.tracker.tracks().candidate);
        let coverage = judged.into_iter().map(|(question, judged)| (question, share(judged))).collect();
        fuse(evidence, &coverage, &self.analyzer.0.config.fusion)
    }

    /// Abstentions, and the questions that nothing was asked about: silence is not innocence.
    fn not_judged(&self, evidence: &[Evidence]) -> Vec<NotJudged> {
        let abstained = evidence.iter().filter_map(|e| match e.finding {
            Finding::Abstain { reason } => Some(NotJudged {
                question: e.question,
                code: e.code.to_string(),
                reason,
                span: e.span,
                message: e.message.clone(),
            }),
            Finding::Score { .. } | Finding::Note => None,
        });
        let not_asked = Question::ALL.into_iter().filter(|&q| !self.judge.runs(q)).map(|question| NotJudged {
            question,
            code: format!("{question}.not_run"),
            reason: Reason::NotRun,
            span: self.span(),
            message: "no check of this question was run".to_owned(),
        });
        abstained.chain(not_asked).collect()
    }
}
