//! What the container says of the software that wrote it.

use super::{Whole, evidence, score};
use crate::evidence::{Evidence, Finding};

/// Names of programs that make or change faces and voices; no camera writes them. Lower case.
const GENERATORS: [&str; 17] = [
    "heygen",
    "synthesia",
    "d-id",
    "deepfacelive",
    "deepfacelab",
    "facefusion",
    "faceswap",
    "wav2lip",
    "sadtalker",
    "runwayml",
    "runway gen",
    "hedra",
    "pika labs",
    "kling ai",
    "trainedalgorithmicmedia",
    "stable diffusion",
    "comfyui",
];
/// Names of programs for cutting video. Lower case.
const EDITORS: [&str; 13] = [
    "premiere",
    "after effects",
    "final cut",
    "davinci",
    "capcut",
    "jianying",
    "imovie",
    "filmora",
    "kdenlive",
    "shotcut",
    "openshot",
    "vegas pro",
    "videopad",
];

pub(super) fn conclude(whole: &Whole<'_>, out: &mut Vec<Evidence>) {
    let media = whole.media;
    let tags = media.tags.iter();
    let video = media.video.iter().flat_map(|v| v.tags.iter());
    let audio = media.audio.iter().flat_map(|a| a.tags.iter());
    for (key, value) in tags.chain(video).chain(audio) {
        let text = value.to_lowercase();
        let named = |names: &[&'static str]| names.iter().copied().find(|n| text.contains(n));
        if let Some(name) = named(&GENERATORS) {
            let message =
                format!("the container names `{name}` in its tag `{key}`: software that makes or changes people");
            out.push(evidence("capture.generator_tag", whole.span, score(1.0, 3.0), message));
        } else if let Some(name) = named(&EDITORS) {
            let message = format!(
                "the container names `{name}` in its tag `{key}`: the recording went through a cutting program"
            );
            out.push(evidence("capture.editor_tag", whole.span, score(1.0, 0.3), message));
        }
    }
    for note in media.notes.iter().filter(|n| n.code == "size_changed") {
        let span = note.span.unwrap_or(whole.span);
        out.push(evidence("capture.size_changed", span, Finding::Note, note.message.clone()));
    }
}
