//! `inperson analyze`: one recording in, one report out.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use inperson::media::run_transcriber;
use inperson::{Analyzer, Progress, Transcript};

use crate::config::Options;
use crate::failure::{Failure, Whole, say};
use crate::summary::summary;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The recording
    file: PathBuf,
    /// Transcript: SRT, WebVTT, CTM, TextGrid, a list of questions and answers (JSON or JSON lines), or the JSON of Whisper,
    /// WhisperX, Deepgram, AssemblyAI, Zoom, Teams, AWS
    #[arg(long, value_name = "FILE")]
    transcript: Option<PathBuf>,
    /// Command that is given a WAV file (where `{}` stands, or last) and prints a transcript in any of these formats
    #[arg(long, value_name = "COMMAND", conflicts_with = "transcript")]
    transcriber: Option<String>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Folder that report.json and report.html are written to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// No progress and no summary
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    options: Options,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(out) = &arguments.out {
        std::fs::create_dir_all(out).map_err(|e| Failure::file(out, e))?;
    }
    let analyzer = arguments.options.analyzer()?;
    let transcript =
        words(&analyzer, &arguments.file, arguments.transcript.as_deref(), arguments.transcriber.as_deref())?;
    let bar = bar(arguments.quiet);
    let report = analyzer.analyze_with_transcript(&arguments.file, transcript.as_ref(), |progress: Progress| {
        bar.set_length(progress.total_s.map_or(0, |t| (t * 1e3) as u64));
        bar.set_position((progress.done_s * 1e3) as u64);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let report = report?;
    if let Some(out) = &arguments.out {
        Whole::begin(&out.join("report.json"))?.write(&report.to_json()?)?;
        Whole::begin(&out.join("report.html"))?.write(&report.to_html()?)?;
    }
    if arguments.json {
        say(&report.to_json()?)?;
    } else if !arguments.quiet {
        say(&summary(&report))?;
        if let Some(out) = &arguments.out {
            say(&format!("report: {}", out.join("report.html").display()))?;
        }
    }
    Ok(())
}

/// What was said, from a transcript where there is one, else by the user's transcriber.
pub(crate) fn words(
    analyzer: &Analyzer,
    file: &Path,
    transcript: Option<&Path>,
    transcriber: Option<&str>,
) -> inperson::Result<Option<Transcript>> {
    let limits = &analyzer.config().limits;
    match (transcript, transcriber) {
        (Some(words), _) => Transcript::read(words, limits).map(Some),
        (None, Some(command)) => analyzer.transcribe(file, |wav| run_transcriber(command, wav, limits)).map(Some),
        (None, None) => Ok(None),
    }
}

/// Seconds of media as the unit, so that the time left is right for any frame rate.
fn bar(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} % of the recording, {eta} left");
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
