//! What lips cost while a burst runs: `cargo bench --bench lipsync -- CLIP...` with clips of 20 s and less, all of which is a burst.
//!
//! Prints, beside the share of real time that the rest takes (decoding, faces five times a second, `capture`), what the
//! check `lipsync` with its faces in every frame adds.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::time::Instant;

use inperson::{Analyzer, Config};

fn main() {
    let clips: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let analyzer = |check: &str| {
        let mut config = Config::default();
        config.checks = vec![check.to_owned()];
        config.decode_threads = 1;
        Analyzer::new(config).expect("the models")
    };
    let (rest, lips) = (analyzer("capture"), analyzer("lipsync"));
    let (mut seconds, mut taken) = (0.0, [0.0; 2]);
    for clip in &clips {
        for (analyzer, taken) in [&rest, &lips].into_iter().zip(&mut taken) {
            // the better of two runs: the machine may be busy with something else
            let runs = [(); 2].map(|()| {
                let start = Instant::now();
                let report = analyzer.analyze(clip).expect("a clip");
                (start.elapsed().as_secs_f64(), report.span.seconds())
            });
            *taken += runs[0].0.min(runs[1].0);
            seconds += 0.5 * runs[0].1;
        }
    }
    let [rest, lips] = taken.map(|t| 100.0 * t / seconds);
    println!(
        "{seconds:.0} s: the rest {rest:.1} % of real time, with lips {lips:.1} %, lips alone {:.1} %",
        lips - rest
    );
}
