//! A recogniser inside: whisper.cpp with the user's own model file, behind the feature `whisper`.

use std::path::Path;

use serde_json::json;
use whisper_rs::{FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters};

use super::recogniser::HEADER;
use crate::error::{Error, Result};

/// Hundredths of a second, in which whisper.cpp counts.
const UNIT: f64 = 0.01;

/// What is said in a WAV file (16 kHz, mono, 16 bit), word by word, as Whisper's JSON.
///
/// # Errors
/// [`Error::Io`] when a file cannot be read; [`Error::Transcriber`] when the model file is none of whisper.cpp or it fails.
pub(super) fn run(model: &Path, wav: &Path) -> Result<String> {
    let failed = |reason: String| Error::Transcriber { reason: format!("`{}` {reason}", model.display()) };
    std::fs::File::open(model).map_err(|e| Error::io(model, e))?;
    let sound = std::fs::read(wav).map_err(|e| Error::io(wav, e))?;
    let samples = sound.get(HEADER as usize..).unwrap_or_default().chunks_exact(2);
    let samples: Vec<f32> = samples.map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0).collect();
    // what whisper.cpp says on standard error is said here instead
    whisper_rs::install_logging_hooks();
    let path = model.to_str().ok_or_else(|| failed("has a name that is not UTF-8".to_owned()))?;
    let context = WhisperContext::new_with_params(path, WhisperContextParameters::default()).map_err(|_| {
        failed(
            "is no model of whisper.cpp: give a file such as ggml-base.en.bin, which its repository says how to get"
                .to_owned(),
        )
    })?;
    if samples.is_empty() {
        return Ok(json!({ "segments": [] }).to_string());
    }
    let broken = |e: whisper_rs::WhisperError| failed(format!("failed: {e}"));
    let mut state = context.create_state().map_err(broken)?;
    let mut asked = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    asked.set_language(Some(if context.is_multilingual() { "auto" } else { "en" }));
    asked.set_n_threads(std::thread::available_parallelism().map_or(1, |n| n.get().min(8) as i32));
    // one word a segment, each with its times
    asked.set_token_timestamps(true);
    asked.set_max_len(1);
    asked.set_split_on_word(true);
    asked.set_print_special(false);
    asked.set_print_progress(false);
    asked.set_print_realtime(false);
    asked.set_print_timestamps(false);
    state.full(asked, &samples).map_err(broken)?;
    let mut words = Vec::new();
    for i in 0..state.full_n_segments().map_err(broken)? {
        let text = state.full_get_segment_text_lossy(i).map_err(broken)?;
        let times = (state.full_get_segment_t0(i).map_err(broken)?, state.full_get_segment_t1(i).map_err(broken)?);
        if !text.trim().is_empty() {
            words.push(json!({ "text": text.trim(), "start": times.0 as f64 * UNIT, "end": times.1 as f64 * UNIT }));
        }
    }
    Ok(json!({ "segments": words }).to_string())
}
