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

/// Tags that a person may have typed: a recording *about* such a program is not one made by it.
const TYPED: [&str; 12] = [
    "title",
    "artist",
    "album",
    "album_artist",
    "genre",
    "show",
    "description",
    "synopsis",
    "comment",
    "copyright",
    "keywords",
    "location",
];
/// What a generator's name says in nats: where software writes its own, and where a person may have written it.
const WRITTEN_LLR: f64 = 3.0;
const TYPED_LLR: f64 = 1.0;

/// Whether a lower-case text holds a name, and not as part of a longer word: `record-id` is not `d-id`.
fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let beside = [text[..at].chars().next_back(), text[at + name.len()..].chars().next()];
        !beside.into_iter().flatten().any(char::is_alphanumeric)
    })
}

pub(super) fn conclude(whole: &Whole<'_>, out: &mut Vec<Evidence>) {
    let media = whole.media;
    let tags = media.tags.iter();
    let video = media.video.iter().flat_map(|v| v.tags.iter());
    let audio = media.audio.iter().flat_map(|a| a.tags.iter());
    for (key, value) in tags.chain(video).chain(audio) {
        let text = value.to_lowercase();
        let typed = TYPED.contains(&key.to_lowercase().as_str());
        let named = |of: &[&'static str]| of.iter().copied().find(|n| names(&text, n));
        if let Some(name) = named(&GENERATORS) {
            let llr = if typed { TYPED_LLR } else { WRITTEN_LLR };
            let message =
                format!("the container names `{name}` in its tag `{key}`: software that makes or changes people");
            out.push(evidence("capture.generator_tag", whole.span, score(1.0, llr), message));
        } else if let Some(name) = named(&EDITORS).filter(|_| !typed) {
            let message = format!(
                "the container names `{name}` in its tag `{key}`: the recording went through a cutting program"
            );
            out.push(evidence("capture.editor_tag", whole.span, score(1.0, 0.3), message));
        }
    }
    if let Some((video, encoder)) = media.video.as_ref().and_then(|v| v.encoder.as_ref().map(|e| (v, e))) {
        let order = if video.reordered { ", looking ahead as no live call does" } else { "" };
        let message = format!(
            "the picture was encoded by software ({encoder}{order}): no camera's own recording, as most uploads are not"
        );
        out.push(evidence("capture.encoder", whole.span, Finding::Note, message));
    }
    for note in media.notes.iter().filter(|n| n.code == "size_changed") {
        let span = note.span.unwrap_or(whole.span);
        out.push(evidence("capture.size_changed", span, Finding::Note, note.message.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_name_is_a_word_of_its_own() {
        for text in ["made with hedra", "d-id studio 2.1", "https://heygen.com/x", "wav2lip-hd", "(kling ai)"] {
            assert!(super::GENERATORS.iter().any(|n| names(text, n)), "{text}");
        }
        for text in ["cathedral city interview", "record-id=7", "android-id 3", "build-id", "lavf59.27.100"] {
            assert!(!super::GENERATORS.iter().any(|n| names(text, n)), "{text}");
        }
    }
}
