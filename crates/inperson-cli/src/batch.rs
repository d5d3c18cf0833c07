//! `inperson batch`: many recordings into one file of JSON lines, in the order of the inputs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use inperson::{Analyzer, Config, Report};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::analyze::words;
use crate::config::Options;
use crate::failure::{Failure, apart, complain};
use crate::manifest::{Input, inputs};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Files, folders (searched for media), or manifests: CSV (comma, semicolon or tab) with a column `path`, relative to
    /// the manifest, and where there is one `transcript`
    #[arg(required = true)]
    inputs: Vec<PathBuf>,
    /// File that one line an input is written to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Command that is given a WAV file (where `{}` stands, or last) and prints a transcript, for inputs without one
    #[arg(long, value_name = "COMMAND")]
    transcriber: Option<String>,
    /// Recordings analysed at the same time; 0 for one a core
    #[arg(long, default_value_t = 0)]
    jobs: usize,
    /// Go on after the lines that the file already has
    #[arg(long)]
    resume: bool,
    /// No progress
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    options: Options,
}

/// Inputs a job that may be done before the one whose line is written next.
const AHEAD: usize = 16;

/// One line of the results.
#[derive(Serialize)]
struct Line<'a> {
    input: &'a str,
    /// Where that lies, when the manifest's folder comes before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'a Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Report>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let inputs = inputs(&arguments.inputs)?;
    let mut config = arguments.options.config()?;
    {
        let read = inputs.iter().flat_map(|i| [Some(i.path.as_path()), i.transcript.as_deref()]).flatten();
        let named = arguments.inputs.iter().map(PathBuf::as_path);
        apart(&arguments.out, named.chain(read).chain(arguments.options.files(&config)))?;
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let jobs = if arguments.jobs == 0 { cores } else { arguments.jobs }.min(inputs.len());
    if config.decode_threads == 0 {
        // recordings share the cores: threads within one only wait for each other
        config.decode_threads = (cores / jobs).max(1);
    }
    let analyzer = Analyzer::new(config)?;
    let (mut out, done, mut failed) = open(&arguments.out, arguments.resume, &inputs, analyzer.config())?;
    let bar = bar(arguments.quiet, inputs.len() as u64);
    bar.set_position(done as u64);

    let (next, stop) = (AtomicUsize::new(done), AtomicBool::new(false));
    let (send, receive) = mpsc::sync_channel::<(usize, String, bool)>(2 * jobs);
    // a line that waits for a slow one before it is lost when the batch is killed, so that no more than these wait
    let (allow, allowed) = mpsc::channel::<()>();
    let allowed = Mutex::new(allowed);
    for _ in 0..AHEAD * jobs {
        let _ = allow.send(());
    }
    let written = std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (send, next, stop, inputs, analyzer) = (send.clone(), &next, &stop, &inputs, &analyzer);
            let allowed = &allowed;
            scope.spawn(move || {
                let turn = || allowed.lock().unwrap_or_else(PoisonError::into_inner).recv();
                while turn().is_ok() && !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(input) = inputs.get(index) else { break };
                    let (line, good) = analyse(analyzer, input, arguments.transcriber.as_deref());
                    if send.send((index, line, good)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        // dropped with the last line: workers that wait for their turn go home
        let allow = allow;
        let mut waiting = BTreeMap::new();
        let mut turn = done;
        for (index, line, good) in receive {
            waiting.insert(index, (line, good));
            while let Some((line, good)) = waiting.remove(&turn) {
                failed += usize::from(!good);
                turn += 1;
                bar.inc(1);
                let _ = allow.send(());
                if let Err(e) = out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
                    stop.store(true, Ordering::Relaxed);
                    return Err(Failure::file(&arguments.out, e));
                }
            }
        }
        Ok(())
    });
    bar.finish_and_clear();
    written?;
    if failed > 0 {
        complain(&Failure::other(format!(
            "{failed} of {} inputs could not be looked at; see {}",
            inputs.len(),
            arguments.out.display()
        )));
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

/// What an input amounts to. A defect in one stays there.
fn look(analyzer: &Analyzer, input: &Input, transcriber: Option<&str>) -> Result<Report, String> {
    if let Some(problem) = &input.problem {
        return Err(problem.clone());
    }
    let path = &input.path;
    let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let transcript = words(analyzer, path, input.transcript.as_deref(), transcriber)?;
        let report = analyzer.analyze_with_transcript(path, transcript.as_ref(), |_| ControlFlow::Continue(()))?;
        report.to_json().map(|_| report)
    }));
    looked.map_or_else(
        |_| Err(format!("{}: analysing it failed, which is a defect", path.display())),
        |r| r.map_err(|e| e.to_string()),
    )
}

/// The whole line with its end, and whether the input could be looked at.
fn analyse(analyzer: &Analyzer, input: &Input, transcriber: Option<&str>) -> (String, bool) {
    let result = look(analyzer, input, transcriber);
    let good = result.is_ok();
    let line = Line {
        input: &input.name,
        path: place(input),
        status: if good { "ok" } else { "error" },
        error: result.as_ref().err().cloned(),
        meta: input.meta.as_ref(),
        report: result.as_ref().ok(),
    };
    let text = serde_json::to_string(&line).unwrap_or_else(|e| {
        let fallback = serde_json::json!({"input": input.name, "status": "error", "error": e.to_string()});
        fallback.to_string()
    });
    (text + "\n", good)
}

/// Where an input lies, if its name does not say it.
fn place(input: &Input) -> Option<Cow<'_, str>> {
    let path = input.path.to_string_lossy();
    (!path.is_empty() && path != input.name).then_some(path)
}

/// The results file, how many of its lines stand, and how many of those are errors.
fn open(path: &Path, resume: bool, inputs: &[Input], config: &Config) -> Result<(File, usize, usize), Failure> {
    let failed = |e| Failure::file(path, e);
    let file = OpenOptions::new().read(resume).append(true).create(true).open(path).map_err(failed)?;
    // what is no file, such as a pipe, cannot be locked or cut
    let regular = file.metadata().is_ok_and(|m| m.is_file());
    if regular && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(Failure::other(format!("{}: another batch is writing to it", path.display())));
    }
    let (mut whole, mut done, mut errors) = (0, 0, 0);
    if resume {
        let (mut reader, mut line) = (BufReader::new(&file), Vec::new());
        // a line without its end was cut off when the batch was killed
        while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 && line.ends_with(b"\n") {
            let held = serde_json::from_slice::<Value>(&line).map_err(|e| e.to_string());
            let good = held.and_then(|held| continues(&held, inputs.get(done), config)).map_err(|e| {
                Failure::other(format!("{}: line {}: {e}; or give another --out", path.display(), done + 1))
            })?;
            errors += usize::from(!good);
            whole += line.len() as u64;
            done += 1;
            line.clear();
        }
    }
    if regular {
        file.set_len(whole).map_err(failed)?;
    }
    Ok((file, done, errors))
}

/// Whether a line is a result, where it is one of this batch: of this input, looked at as this batch looks.
fn continues(held: &Value, input: Option<&Input>, config: &Config) -> Result<bool, String> {
    let (name, lies) = (input.map(|i| i.name.as_str()), input.and_then(place));
    if held["input"].as_str() != name || held["path"].as_str() != lies.as_deref() {
        let told = |name: &str, lies: Option<&str>| lies.map_or_else(|| name.to_owned(), |l| format!("{name} ({l})"));
        let there = told(held["input"].as_str().unwrap_or("nothing"), held["path"].as_str());
        let here = told(name.unwrap_or("nothing"), lies.as_deref());
        return Err(format!("it is for {there}, this batch has {here} there; give the same inputs"));
    }
    if held["status"] != "ok" {
        return Ok(false);
    }
    let mut made_with: Config =
        serde_json::from_value(held["report"]["config"].clone()).map_err(|e| format!("its configuration: {e}"))?;
    made_with.decode_threads = config.decode_threads;
    if made_with != *config {
        return Err("it was made with another configuration; give the same options".to_owned());
    }
    Ok(true)
}

fn bar(quiet: bool, count: u64) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} recordings, {eta} left");
    ProgressBar::new(count).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
