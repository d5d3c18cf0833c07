//! Formats of lines: SubRip, WebVTT and CTM.

use super::{Read, TranscriptFormat, seconds, utterance};
use crate::media::Utterance;

/// Blocks between blank lines whose first or second line holds the times.
pub(super) fn srt(text: &str) -> Read {
    let mut found = Vec::new();
    for block in blocks(text) {
        let Some((start, end, lines)) = cue(&block)? else { continue };
        found.push(utterance(start, end, None, &without_tags(&lines.join(" "))));
    }
    Ok((TranscriptFormat::Srt, found))
}

/// What whisper.cpp prints: `[00:00:00.000 --> 00:00:02.500]   words`, a line a cue.
pub(super) fn whisper_cpp(text: &str) -> Read {
    let mut found = Vec::new();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let parts = line.trim().strip_prefix('[').and_then(|l| l.split_once(']'));
        let times = parts.and_then(|(times, _)| times.split_once("-->"));
        let times = times.and_then(|(start, end)| Some((seconds(start)?, seconds(end)?)));
        let (Some((_, words)), Some((start, end))) = (parts, times) else {
            return Err(format!("`{}` is no line of whisper.cpp's", line.chars().take(60).collect::<String>()));
        };
        found.push(utterance(start, end, None, words));
    }
    Ok((TranscriptFormat::Whisper, found))
}

/// As SubRip, with speakers as `<v Name>`, as `Name: words` (Zoom), or as a line of JSON (Teams).
pub(super) fn vtt(text: &str) -> Read {
    let mut found = Vec::new();
    for block in blocks(text) {
        if ["NOTE", "STYLE", "REGION", "WEBVTT"].iter().any(|word| block[0].starts_with(word)) {
            continue;
        }
        let Some((start, end, lines)) = cue(&block)? else { continue };
        let whole = lines.join(" ");
        if let Ok(teams) = serde_json::from_str::<serde_json::Value>(&whole)
            && let Some(words) = teams["spokenText"].as_str()
        {
            found.push(utterance(start, end, teams["speakerName"].as_str(), words));
            continue;
        }
        voices(start, end, &whole, &mut found);
    }
    Ok((TranscriptFormat::WebVtt, found))
}

/// A cue may hold several `<v Name>` parts: its time is shared out by their length.
fn voices(start: f64, end: f64, text: &str, found: &mut Vec<Utterance>) {
    let mut parts: Vec<(Option<&str>, String)> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("<v") {
        let (before, tagged) = rest.split_at(at);
        parts.push((None, without_tags(before)));
        let Some((tag, after)) = tagged.split_once('>') else { break };
        let name = tag.trim_start_matches("<v").trim_start_matches(|c: char| c == '.' || c.is_alphanumeric()).trim();
        let until = after.find("<v").unwrap_or(after.len());
        parts.push((Some(name), without_tags(&after[..until])));
        rest = &after[until..];
    }
    if parts.is_empty() {
        found.push(utterance(start, end, None, &without_tags(text)));
        return;
    }
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
pub(super) fn ctm(text: &str) -> Read {
    let mut found = Vec::new();
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
            return Err(format!(
                "this is no transcript: not SRT, WebVTT, TextGrid or known JSON, and line {} is not `file channel \
                 start duration word` of a CTM",
                number + 1
            ));
        };
        if !channels.iter().any(|c| c == channel) {
            channels.push(channel.to_owned());
        }
        // alternatives and sounds that are no words
        if !word.starts_with('<') && !word.starts_with('[') {
            found.push(utterance(start, start + length, Some(channel), word));
        }
    }
    if channels.len() < 2 {
        // one channel says nothing of who speaks
        found.iter_mut().for_each(|u: &mut Utterance| u.speaker = None);
    }
    Ok((TranscriptFormat::Ctm, found))
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
            let number = block.pop_if(|l| !l.is_empty() && l.bytes().all(|b| b.is_ascii_digit()));
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

/// A cue; `None` for a block without times.
fn cue<'a>(block: &[&'a str]) -> Result<Option<Cue<'a>>, String> {
    let Some(at) = block.iter().take(2).position(|l| l.contains("-->")) else { return Ok(None) };
    let times = block[at].split_once("-->");
    let parsed = times.and_then(|(start, end)| {
        // settings may stand behind the end
        Some((seconds(start)?, seconds(end.split_whitespace().next()?)?))
    });
    match parsed {
        Some((start, end)) if end >= start => Ok(Some((start, end, block[at + 1..].to_vec()))),
        _ => Err(format!("`{}` is not a time range", block[at])),
    }
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
