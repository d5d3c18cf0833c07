//! Scores of the speech detector for `tests/speech.py`, which compares them with Silero VAD's on the same sound.
//!
//! `cargo bench --bench speech -- FILE...`: one line a file, the time taken in seconds and a score every 16 ms.

#![allow(clippy::print_stdout, clippy::expect_used, missing_docs)]

use std::time::Instant;

use inperson::{FileSource, Limits, MediaOptions, Sample, Source};

fn main() {
    for file in std::env::args().skip(1).filter(|a| a != "--bench") {
        let mut source = FileSource::open(&file, &Limits::default(), &MediaOptions::default()).expect("a sound file");
        let mut sound: Vec<f32> = Vec::new();
        while let Some(sample) = source.next().expect("sound that can be decoded") {
            if let Sample::Audio(chunk) = sample {
                sound.extend(chunk.samples.iter().map(|s| s.clamp(-1.0, 1.0)));
            }
        }
        let mut detector = earshot::Detector::default_boxed();
        let start = Instant::now();
        let scores: Vec<String> =
            sound.chunks_exact(256).map(|frame| format!("{:.4}", detector.predict_f32(frame))).collect();
        println!("{file}\t{:.4}\t{}", start.elapsed().as_secs_f64(), scores.join(" "));
    }
}
