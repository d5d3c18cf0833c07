//! What a check costs: `cargo bench --bench cost -- CHECK FILE...`.
//!
//! Prints, beside the share of real time that the rest takes (decoding, and with pictures faces five times a second), what
//! the check adds on one core, and how many times faster than real time that is. Lips and faces are looked at in bursts:
//! clips of 20 s and less are bursts throughout. Voices are listened to most in the first half minute of speech.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::time::Instant;

use inperson::{Analyzer, Config};

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    let Some(check) = args.next() else {
        println!("usage: cargo bench --bench cost -- CHECK FILE...");
        return;
    };
    let analyzer = |check: &str| {
        let mut config = Config::default();
        config.checks = vec![check.to_owned()];
        config.decode_threads = 1;
        Analyzer::new(config).expect("the models")
    };
    let (rest, checked) = (analyzer("capture"), analyzer(&check));
    let (mut seconds, mut taken) = (0.0, [0.0; 2]);
    for file in args {
        let mut least = [f64::INFINITY; 2];
        // by turns, and the best of three runs: the machine may be busy with something else
        for run in 0..3 {
            for (analyzer, least) in [&rest, &checked].into_iter().zip(&mut least) {
                let start = Instant::now();
                let report = analyzer.analyze(&file).expect("a recording");
                *least = least.min(start.elapsed().as_secs_f64());
                if run == 0 {
                    seconds += 0.5 * report.span.seconds();
                }
            }
        }
        taken = [taken[0] + least[0], taken[1] + least[1]];
    }
    let [rest, all] = taken.map(|t| 100.0 * t / seconds);
    println!(
        "{seconds:.0} s: the rest {rest:.1} % of real time, with {check} {all:.1} %, {check} alone {:.1} %, {:.0} times faster than real time",
        all - rest,
        100.0 / (all - rest)
    );
}
