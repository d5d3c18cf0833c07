//! Answers judged a second on one core: `cargo bench --bench answers -- [FILE.jsonl]`.
//!
//! Without a file, the answers are made from a list of words; 150 words each.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::time::Instant;

use inperson::detect::answers::Wording;
use inperson::model::{Registry, Runtime, RuntimeConfig};

const WORDS: &str = "the team and I had a plan for what we would build but it did not work at first because of how \
    people use things every day so we asked them about it then changed most parts over two weeks";

fn main() {
    let runtime = Runtime::load(&RuntimeConfig::default()).expect("ONNX Runtime");
    let wording = Wording::load(&runtime, &Registry::built_in().unwrap()).expect("the model");
    let file = std::env::args().skip(1).find(|a| a != "--bench");
    let answers: Vec<String> = match file {
        Some(path) => std::fs::read_to_string(path)
            .expect("the file")
            .lines()
            .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["answer"].as_str().unwrap().to_owned())
            .collect(),
        None => {
            let words: Vec<&str> = WORDS.split_whitespace().collect();
            (0..2000_usize)
                .map(|i| (0..150).map(|j| words[(i * 31 + j * j * 7 + j) % words.len()]).collect::<Vec<_>>().join(" "))
                .collect()
        }
    };
    let start = Instant::now();
    let judged = answers.iter().filter(|a| wording.judge(None, a).unwrap().llr().is_some()).count();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} answers, {judged} judged, {seconds:.2} s: {:.0} answers a second on one core",
        answers.len(),
        answers.len() as f64 / seconds
    );
}
