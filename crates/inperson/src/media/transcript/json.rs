//! The JSON of recognisers and meeting services, told apart by their keys.

use serde_json::Value;

use super::{Read, TranscriptFormat, seconds, utterance};
use crate::media::Utterance;

pub(super) fn read(text: &str) -> Read {
    let value = one_or_lines(text).map_err(|e| format!("this JSON cannot be read: {e}"))?;
    let results = &value["results"];
    if results["items"].is_array() {
        return Ok((TranscriptFormat::AwsTranscribe, aws(results)?));
    }
    if results["channels"].is_array() {
        return Ok((TranscriptFormat::Deepgram, deepgram(results)?));
    }
    if let Some(entries) = value["entries"].as_array() {
        return Ok((TranscriptFormat::Teams, list(entries, 1.0)?));
    }
    if let Some(timeline) = value["timeline"].as_array() {
        return Ok((TranscriptFormat::Zoom, list(timeline, 1.0)?));
    }
    if let Some(segments) = value["segments"].as_array() {
        return Ok((TranscriptFormat::Whisper, segments_or_words(segments, 1.0)?));
    }
    if let Some(segments) = value["transcription"].as_array() {
        return Ok((TranscriptFormat::Whisper, list(segments, 1.0)?));
    }
    // AssemblyAI counts in milliseconds
    if let Some(utterances) = value["utterances"].as_array().filter(|u| !u.is_empty()) {
        return Ok((TranscriptFormat::AssemblyAi, segments_or_words(utterances, 1e-3)?));
    }
    if let Some(words) = value["words"].as_array() {
        let milliseconds =
            value["audio_duration"].is_number() || value["acoustic_model"].is_string() || in_milliseconds(words);
        let format = if milliseconds { TranscriptFormat::AssemblyAi } else { TranscriptFormat::Whisper };
        return Ok((format, list(words, if milliseconds { 1e-3 } else { 1.0 })?));
    }
    if let Some(rows) = value.as_array() {
        if rows.iter().any(|r| r["answer"].is_string()) {
            return Ok((TranscriptFormat::Questions, questions(rows)));
        }
        return Ok((TranscriptFormat::Whisper, segments_or_words(rows, 1.0)?));
    }
    Err("this JSON is of no recogniser known: Whisper, WhisperX, Deepgram, AssemblyAI, Zoom, Teams, AWS Transcribe, \
         or a list of objects with `question` and `answer`"
        .to_owned())
}

/// One value; or lines of questions and answers, as `inperson answers` takes them, as a list.
fn one_or_lines(text: &str) -> serde_json::Result<Value> {
    let lines: Vec<Value> =
        serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().unwrap_or_default();
    if !lines.is_empty() && lines.iter().all(|l| l["answer"].is_string()) {
        return Ok(Value::Array(lines));
    }
    serde_json::from_str(text)
}

fn in_milliseconds(words: &[Value]) -> bool {
    let first = words.iter().find(|w| w["start"].is_number());
    first.is_some_and(|w| {
        w["start"].is_u64() && w["end"].is_u64() && w["end"].as_u64() > w["start"].as_u64().map(|s| s + 10)
    })
}

/// Words of the segments that have them, in their order; whole segments otherwise.
fn segments_or_words(segments: &[Value], unit: f64) -> Result<Vec<Utterance>, String> {
    let mut found = Vec::new();
    for segment in segments {
        match segment["words"].as_array().filter(|w| !w.is_empty()) {
            Some(words) => {
                let from = found.len();
                found.extend(list(words, unit)?);
                if let Some(speaker) = speaker(segment) {
                    found[from..].iter_mut().filter(|u: &&mut Utterance| u.speaker.is_none()).for_each(|u| {
                        u.speaker = Some(speaker.clone());
                    });
                }
            }
            None => found.extend(one(segment, unit)?),
        }
    }
    Ok(found)
}

/// A list of objects with text and times; a word without times stands where the word before it ended.
fn list(items: &[Value], unit: f64) -> Result<Vec<Utterance>, String> {
    let mut found: Vec<Utterance> = Vec::new();
    for item in items {
        if let Some(mut next) = one(item, unit)? {
            if time(item, &START).is_none()
                && let Some(last) = found.last()
            {
                next.span = crate::time::Span::new(last.span.end, last.span.end.plus(1));
            }
            found.push(next);
        }
    }
    Ok(found)
}

const START: [&str; 7] = ["start", "start_time", "startTime", "startOffset", "ts", "from", "begin"];
const END: [&str; 6] = ["end", "end_time", "endTime", "endOffset", "end_ts", "to"];
const TEXT: [&str; 9] =
    ["punctuated_word", "word", "text", "displayText", "spokenText", "transcript", "content", "raw_text", "sentence"];
const SPEAKER: [&str; 7] =
    ["speaker", "speakerDisplayName", "speakerName", "speaker_name", "speaker_label", "username", "user_name"];

fn one(item: &Value, unit: f64) -> Result<Option<Utterance>, String> {
    let Some(text) = TEXT.iter().find_map(|k| item[*k].as_str()) else { return Ok(None) };
    // whisper.cpp counts in milliseconds
    let offsets = &item["offsets"];
    let (start, end) = if offsets.is_object() {
        (time(offsets, &START).map(|t| t * 1e-3), time(offsets, &END).map(|t| t * 1e-3))
    } else {
        (time(item, &START).map(|t| t * unit), time(item, &END).map(|t| t * unit))
    };
    let start = start.unwrap_or(0.0);
    let end = end.unwrap_or(start);
    if !(start.is_finite() && end.is_finite()) || start < 0.0 {
        return Err(format!("a time in this JSON is {start}"));
    }
    Ok(Some(utterance(start, end, speaker(item).as_deref(), text)))
}

fn time(item: &Value, keys: &[&str]) -> Option<f64> {
    keys.iter().find_map(|k| match &item[*k] {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => seconds(s),
        _ => None,
    })
}

fn speaker(item: &Value) -> Option<String> {
    let name = |v: &Value| match v {
        Value::String(s) if !s.trim().is_empty() => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    };
    SPEAKER.iter().find_map(|k| name(&item[*k])).or_else(|| name(&item["users"][0]["username"]))
}

fn deepgram(results: &Value) -> Result<Vec<Utterance>, String> {
    let channels = results["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut found = Vec::new();
    for (number, channel) in channels.iter().enumerate() {
        let Some(words) = channel["alternatives"][0]["words"].as_array() else {
            return Err("this Deepgram JSON has no words: ask for them when transcribing".to_owned());
        };
        let from = found.len();
        found.extend(list(words, 1.0)?);
        if channels.len() > 1 {
            found[from..].iter_mut().for_each(|u: &mut Utterance| u.speaker = Some(format!("channel {number}")));
        }
    }
    Ok(found)
}

/// Items in order; punctuation belongs to the word before it, speakers may stand in a list of their own.
fn aws(results: &Value) -> Result<Vec<Utterance>, String> {
    let labels = &results["speaker_labels"]["segments"];
    let mut by_start = std::collections::BTreeMap::new();
    for item in labels.as_array().into_iter().flatten().flat_map(|s| s["items"].as_array().into_iter().flatten()) {
        if let (Some(start), Some(name)) = (item["start_time"].as_str(), item["speaker_label"].as_str()) {
            by_start.insert(start.to_owned(), name.to_owned());
        }
    }
    let mut found: Vec<Utterance> = Vec::new();
    for item in results["items"].as_array().into_iter().flatten() {
        let Some(text) = item["alternatives"][0]["content"].as_str() else { continue };
        if item["type"] == "punctuation" {
            if let Some(last) = found.last_mut() {
                last.text.push_str(text);
            }
            continue;
        }
        let (Some(start), Some(end)) = (time(item, &START), time(item, &END)) else {
            return Err(format!("the word `{text}` of this AWS transcript has no times"));
        };
        let held = item["start_time"].as_str().and_then(|s| by_start.get(s));
        let name = speaker(item).or_else(|| held.cloned());
        found.push(utterance(start, end, name.as_deref(), text));
    }
    Ok(found)
}

/// Questions and answers without times, one after the other.
fn questions(rows: &[Value]) -> Vec<Utterance> {
    let mut found = Vec::new();
    for row in rows {
        for (key, speaker) in [("question", "interviewer"), ("answer", "candidate")] {
            if let Some(text) = row[key].as_str().filter(|t| !t.trim().is_empty()) {
                found.push(utterance(0.0, 0.0, Some(speaker), text));
            }
        }
    }
    found
}
