//! `inperson probe`: what a file is.

use std::path::PathBuf;

use inperson::media::{AudioStreamInfo, MediaInfo, Rotation, VideoStreamInfo};
use inperson::{FileSource, Limits, MediaOptions, Sample, Source};

use crate::failure::{Failure, say};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The file
    file: PathBuf,
    /// Print all that is known as JSON
    #[arg(long)]
    json: bool,
}

/// Stretches of sound that may come before the first picture.
const SOUND_FIRST: usize = 1_000;

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut source = FileSource::open(&arguments.file, &Limits::default(), &MediaOptions::default())?;
    if arguments.json {
        return say(&serde_json::to_string_pretty(source.info()).map_err(Failure::other)?);
    }
    if source.info().video.is_some() {
        // only a picture says whether it is interlaced; what cannot be read is for an analysis to tell
        for _ in 0..SOUND_FIRST {
            if !matches!(source.next(), Ok(Some(Sample::Audio(_)))) {
                break;
            }
        }
    }
    say(&described(source.info()).join("\n"))
}

fn described(info: &MediaInfo) -> Vec<String> {
    let mut lines = vec![format!("{}: {}", info.input, info.container)];
    lines.push(format!(
        "  length   {}",
        info.declared_duration_s.map_or("not declared".to_owned(), |s| format!("{s:.2} s"))
    ));
    lines.extend(info.video.as_ref().map(|v| format!("  picture  {}", picture(v))));
    lines.extend(info.audio.as_ref().map(|a| format!("  sound    {}", sound(a))));
    lines.extend(streams(info).map(|s| format!("  streams  {s}")));
    if info.truncated {
        lines.push("  cut off  the file ends before its container says it does".to_owned());
    }
    lines.extend(info.tags.iter().map(|(key, value)| format!("  tag      {key}: {value}")));
    // the line of streams says it already
    let notes = info.notes.iter().filter(|n| !["other_sound", "other_pictures"].contains(&n.code.as_str()));
    lines.extend(notes.map(|n| format!("  note     {}", n.message)));
    lines
}

fn picture(v: &VideoStreamInfo) -> String {
    let mut parts = vec![
        format!("{} {}x{}", v.codec, v.width, v.height),
        format!("{:.2} frames/s", v.frame_rate),
        v.pixel_format.clone(),
    ];
    match v.rotation {
        Rotation::Quarter => parts.push("to be turned a quarter clockwise".to_owned()),
        Rotation::Half => parts.push("to be turned half round".to_owned()),
        Rotation::ThreeQuarters => parts.push("to be turned a quarter anticlockwise".to_owned()),
        _ => {}
    }
    if (v.pixel_aspect - 1.0).abs() > 1e-3 {
        parts.push(format!("pixels {:.3} times as wide as high", v.pixel_aspect));
    }
    if v.interlaced {
        parts.push("interlaced".to_owned());
    }
    parts.extend(later(v.start_s));
    parts.join(", ")
}

fn sound(a: &AudioStreamInfo) -> String {
    let channels = match a.channels {
        1 => "1 channel".to_owned(),
        n => format!("{n} channels"),
    };
    let parts = [format!("{} {} Hz", a.codec, a.sample_rate), channels];
    parts.into_iter().chain(later(a.start_s)).collect::<Vec<_>>().join(", ")
}

/// Where a stream does not begin with the media.
fn later(start_s: f64) -> Option<String> {
    (start_s.abs() >= 0.005).then(|| format!("begins at {start_s:.2} s"))
}

/// How many streams there are where there is a choice, and which are taken.
fn streams(info: &MediaInfo) -> Option<String> {
    let [pictures, sounds] = info.stream_counts;
    let mut parts = Vec::new();
    if pictures > 1 {
        let taken = info.video.as_ref().map_or("none".to_owned(), |v| format!("the one at index {}", v.index));
        parts.push(format!("{pictures} of pictures, {taken} is looked at"));
    }
    if sounds > 1 {
        let taken = info.audio.as_ref().map_or("none".to_owned(), |a| format!("number {}, counted from 0,", a.track));
        parts.push(format!("{sounds} of sound, {taken} is heard"));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
