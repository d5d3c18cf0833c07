//! `inperson probe`: what a file is.

use std::path::PathBuf;

use inperson::{FileSource, Limits, MediaOptions, Source};

use crate::failure::{Failure, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file
    file: PathBuf,
    /// Print all that is known as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let source = FileSource::open(&arguments.file, &Limits::default(), &MediaOptions::default())?;
    let info = source.info();
    if arguments.json {
        return say(&serde_json::to_string_pretty(info).map_err(Failure::other)?);
    }
    let mut lines = vec![format!("{}: {}", info.input, info.container)];
    lines.push(format!(
        "  length   {}",
        info.declared_duration_s.map_or("not declared".to_owned(), |s| format!("{s:.2} s"))
    ));
    if let Some(v) = &info.video {
        lines.push(format!(
            "  picture  {} {}x{}, {:.2} frames/s, {}",
            v.codec, v.width, v.height, v.frame_rate, v.pixel_format
        ));
    }
    if let Some(a) = &info.audio {
        lines.push(format!("  sound    {} {} Hz, {} channels", a.codec, a.sample_rate, a.channels));
    }
    if info.truncated {
        lines.push("  cut off  the file ends before its container says it does".to_owned());
    }
    lines.extend(info.tags.iter().map(|(key, value)| format!("  tag      {key}: {value}")));
    lines.extend(info.notes.iter().map(|n| format!("  note     {}", n.message)));
    say(&lines.join("\n"))
}
