//! The `inperson` command. One file a verb; the only place with progress bars; no logic that a Rust caller would miss.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

mod analyze;
mod answers;
mod batch;
mod config;
mod failure;
mod manifest;
mod models;
mod probe;
mod summary;

use failure::{Failure, say};

/// How likely is it that the candidate in a video interview is really there?
#[derive(Debug, Parser)]
#[command(
    name = "inperson",
    version,
    after_help = "Exit codes:\n  0  done, whatever was found\n  1  some inputs of a batch, or rows, could not be looked at\n  \
                  2  could not look at the input, or wrong usage\n\nResults go to standard output, everything else to \
                  standard error."
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// More on standard error; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Analyse one recording
    Analyze(analyze::Arguments),
    /// Analyse many recordings into one file of JSON lines
    Batch(batch::Arguments),
    /// Score the wording of answers, given as JSON lines
    Answers(answers::Arguments),
    /// Say what a file is, without analysing it
    Probe(probe::Arguments),
    /// Print the JSON Schema of a report
    Schema,
    /// List, show, check and add models
    #[command(subcommand)]
    Models(models::Verb),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for every command
    Man {
        /// Folder to write the pages into, such as `/usr/local/share/man/man1`
        #[arg(long)]
        out: Option<std::path::PathBuf>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let level = ["error", "inperson=info", "inperson=debug"][usize::from(arguments.verbose.min(2))];
    let filter = tracing_subscriber::EnvFilter::try_from_env("INPERSON_LOG").unwrap_or_else(|_| level.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    if let Err(e) = ctrlc::set_handler(stopped) {
        failure::complain(&Failure::other(format!("what is stopped will leave temporary files: {e}")));
    }
    match run(arguments.verb) {
        Ok(code) => code,
        Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(failure) => {
            failure::complain(&failure);
            ExitCode::from(2)
        }
    }
}

/// A candidate's voice does not stay behind in a temporary file.
#[expect(clippy::exit, reason = "what a signal stops has no way back to main")]
fn stopped() {
    let prefix = inperson::media::temporary_prefix();
    for entry in std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            // it may be gone by itself
            let _ = std::fs::remove_file(entry.path());
        }
    }
    std::process::exit(130);
}

fn run(verb: Verb) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Analyze(arguments) => analyze::run(&arguments)?,
        Verb::Batch(arguments) => return batch::run(&arguments),
        Verb::Answers(arguments) => return answers::run(&arguments),
        Verb::Probe(arguments) => probe::run(&arguments)?,
        Verb::Schema => say(&serde_json::to_string_pretty(&inperson::Report::schema()).map_err(Failure::other)?)?,
        Verb::Models(verb) => models::run(verb)?,
        Verb::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "inperson", &mut text);
            say(&String::from_utf8_lossy(&text))?;
        }
        Verb::Man { out: Some(folder) } => {
            std::fs::create_dir_all(&folder)
                .and_then(|()| clap_mangen::generate_to(Arguments::command(), &folder))
                .map_err(|e| inperson::Error::io(&folder, e))?;
        }
        Verb::Man { out: None } => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Arguments::command()).render(&mut page).map_err(Failure::other)?;
            say(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
