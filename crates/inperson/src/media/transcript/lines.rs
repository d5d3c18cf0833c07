//! Formats of lines: SubRip, WebVTT and CTM.

use super::{ReadLines, TranscriptFormat, seconds, utterance};
use crate::media::Utterance;

/// What stands before the line of each of two people in one cue.
const DASHES: [char; 3] = ['-', '–', '—'];

/// Blocks between blank lines whose first or second line holds the times.
pub(super) fn srt(text: &str) -> ReadLines {
    let mut cues = Cues::default();
    for block in blocks(text) {
        if let Some((start, end, lines)) = cues.cue(&block) {
            let parts = parts(&lines).into_iter().map(|words| (None, words)).collect();
            share(start, end, parts, &mut cues.found);
        }
    }
    cues.read(TranscriptFormat::Srt)
}

/// What whisper.cpp prints: `[00:00:00.000 --> 00:00:02.500]   words`, a line a cue.
pub(super) fn whisper_cpp(text: &str) -> ReadLines {
    let mut cues = Cues::default();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let parts = line.trim().strip_prefix('[').and_then(|l| l.split_once(']'));
        let times = parts.and_then(|(times, _)| times.split_once("-->"));
        let times = times.and_then(|(start, end)| Some((seconds(start)?, seconds(end)?)));
        match (parts, times) {
            (Some((_, words)), Some((start, end))) if end >= start => {
                cues.found.push(utterance(start, end, None, words));
            }
            _ => cues.leave_out(|| format!("`{}` is no line of whisper.cpp's", short(line))),
        }
    }
    cues.read(TranscriptFormat::Whisper)
}

/// As SubRip, with speakers as `<v Name>`, as `Name: words` (Zoom), or as a line of JSON (Teams).
pub(super) fn vtt(text: &str) -> ReadLines {
    let mut cues = Cues::default();
    for block in blocks(text) {
        let first = block[0].split_whitespace().next().unwrap_or_default();
        // some tools write no blank line behind the header
        let header = ["NOTE", "STYLE", "REGION", "WEBVTT"].contains(&first);
        if header && !block.iter().any(|l| l.contains("-->")) {
            continue;
        }
        let Some((start, end, lines)) = cues.cue(&block) else { continue };
        let whole = lines.join(" ");
        if let Ok(teams) = serde_json::from_str::<serde_json::Value>(&whole)
            && let Some(words) = teams["spokenText"].as_str()
        {
            cues.found.push(utterance(start, end, teams["speakerName"].as_str(), words));
        } else if whole.contains("<v") {
            share(start, end, voices(&whole), &mut cues.found);
        } else {
            let parts = parts(&lines).into_iter().map(|words| (None, words)).collect();
            share(start, end, parts, &mut cues.found);
        }
    }
    cues.read(TranscriptFormat::WebVtt)
}

/// The `<v Name>` parts of a cue.
fn voices(text: &str) -> Vec<(Option<&str>, String)> {
    let mut parts: Vec<(Option<&str>, String)> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("<v") {
        let (before, tagged) = rest.split_at(at);
        parts.push((None, without_tags(before)));
        let Some((tag, after)) = tagged.split_once('>') else {
            parts.push((None, without_tags(tagged)));
            break;
        };
        let name = tag.trim_start_matches("<v").trim_start_matches(|c: char| c == '.' || c.is_alphanumeric()).trim();
        let until = after.find("<v").unwrap_or(after.len());
        parts.push((Some(name), without_tags(&after[..until])));
        rest = &after[until..];
    }
    parts
}

/// What several people say in one cue: captions put `>>` before each, or a dash before the line of each.
fn parts(lines: &[&str]) -> Vec<String> {
    let text = without_tags(&lines.join("\n"));
    let dialogue = text.starts_with(DASHES);
    let mut parts = vec![String::new()];
    for line in text.lines() {
        let line = if dialogue && line.starts_with(DASHES) {
            parts.push(String::new());
            line.trim_start_matches(DASHES)
        } else {
            line
        };
        for (number, piece) in line.split(">>").enumerate() {
            if number > 0 {
                parts.push(String::new());
            }
            if let Some(last) = parts.last_mut() {
                last.push(' ');
                last.push_str(piece);
            }
        }
    }
    parts
}

/// The time of a cue is shared out to its parts by their length.
fn share(start: f64, end: f64, mut parts: Vec<(Option<&str>, String)>, found: &mut Vec<Utterance>) {
    parts.retain(|(_, words)| !words.trim().is_empty());
    let total: usize = parts.iter().map(|(_, words)| words.len()).sum();
    let mut at = start;
    for (speaker, words) in parts {
        let until = at + (end - start) * words.len() as f64 / total.max(1) as f64;
        found.push(utterance(at, until, speaker, &words));
        at = until;
    }
}

/// `file channel start duration word [confidence]`, comments behind `;;`.
pub(super) fn ctm(text: &str) -> ReadLines {
    let mut cues = Cues::default();
    let mut channels: Vec<String> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split(";;").next().unwrap_or_default();
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.is_empty() {
            continue;
        }
        let (Some(&channel), Some(start), Some(length), Some(&word)) = (
            fields.get(1),
            fields.get(2).and_then(|f| seconds(f)),
            fields.get(3).and_then(|f| seconds(f)),
            fields.get(4),
        ) else {
            cues.leave_out(|| format!("line {} is not `file channel start duration word` of a CTM", number + 1));
            continue;
        };
        if !channels.iter().any(|c| c == channel) {
            channels.push(channel.to_owned());
        }
        // alternatives and sounds that are no words
        if !word.starts_with('<') && !word.starts_with('[') {
            cues.found.push(utterance(start, start + length, Some(channel), word));
        }
    }
    if channels.len() < 2 {
        // one channel says nothing of who speaks
        cues.found.iter_mut().for_each(|u| u.speaker = None);
    }
    let other = |reason| format!("this is no transcript: not SRT, WebVTT, TextGrid or known JSON, and {reason}");
    cues.read(TranscriptFormat::Ctm).map_err(other)
}

/// Runs of lines between blank ones; a second line of times starts a block too, with the cue's number before it, since some tools write no
/// blank lines.
fn blocks(text: &str) -> Vec<Vec<&str>> {
    let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
    for line in text.lines().map(str::trim) {
        let Some(block) = blocks.last_mut() else { break };
        if line.is_empty() {
            blocks.push(Vec::new());
        } else if line.contains("-->") && block.iter().any(|l| l.contains("-->")) {
            let number = block.pop_if(|l| number(l));
            blocks.push(number.into_iter().chain([line]).collect());
        } else {
            block.push(line);
        }
    }
    blocks.retain(|b| !b.is_empty());
    blocks
}

/// Start and end in seconds, and lines.
type Cue<'a> = (f64, f64, Vec<&'a str>);

/// What is read, cue by cue. One that is broken costs no more than itself.
#[derive(Default)]
struct Cues {
    found: Vec<Utterance>,
    left_out: usize,
    /// What is wrong with the first that was left out.
    first: Option<String>,
}

impl Cues {
    fn leave_out(&mut self, reason: impl FnOnce() -> String) {
        self.left_out += 1;
        self.first.get_or_insert_with(reason);
    }

    /// The cue in a block, unless it is broken.
    fn cue<'a>(&mut self, block: &[&'a str]) -> Option<Cue<'a>> {
        let Some(at) = block.iter().position(|l| l.contains("-->")) else {
            // a number alone lost its cue long ago
            if !block.iter().all(|l| number(l)) {
                self.leave_out(|| format!("`{}` has no time range", short(&block.join(" "))));
            }
            return None;
        };
        let times = block[at].split_once("-->").and_then(|(start, end)| {
            // settings may stand behind the end
            Some((seconds(start)?, seconds(end.split_whitespace().next()?)?))
        });
        let Some((start, end)) = times.filter(|(start, end)| end >= start) else {
            self.leave_out(|| format!("`{}` is not a time range", short(block[at])));
            return None;
        };
        Some((start, end, block[at + 1..].to_vec()))
    }

    /// An error only where most is broken.
    fn read(self, format: TranscriptFormat) -> ReadLines {
        let Some(first) = self.first else { return Ok((format, self.found, None)) };
        if self.left_out > self.found.len() {
            return Err(first);
        }
        let which = if self.left_out == 1 { "1 part".to_owned() } else { format!("{} parts", self.left_out) };
        let message = format!("{which} of the transcript could not be read and was left out; the first: {first}");
        Ok((format, self.found, Some(message)))
    }
}

fn number(line: &str) -> bool {
    !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit())
}

/// So much of a line as an error has room for.
fn short(line: &str) -> String {
    line.chars().take(60).collect()
}

fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '{']) {
        let close = if rest[at..].starts_with('<') { '>' } else { '}' };
        out.push_str(&rest[..at]);
        match rest[at..].find(close) {
            Some(end) => rest = &rest[at + end + 1..],
            None => {
                out.push_str(&rest[at..=at]);
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    for (entity, sign) in
        [("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&#39;", "'"), ("&quot;", "\""), ("&amp;", "&")]
    {
        if out.contains(entity) {
            out = out.replace(entity, sign);
        }
    }
    out
}
