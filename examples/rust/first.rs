//! The smallest use: one recording in, one assessment out.
//!
//! `cargo run --example first -- interview.mp4`

#![allow(clippy::print_stdout)]

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: first FILE")?;
    let analyzer = inperson::Analyzer::new(inperson::Config::default())?;
    let report = analyzer.analyze(&path)?;
    let overall = &report.assessment.overall;
    println!("{path}: {:?}, llr {:?}, judged {:.0} %", report.assessment.action, overall.llr, 100.0 * overall.coverage);
    for item in &report.evidence {
        println!("  {} {}: {}", item.span, item.code, item.message);
    }
    println!(
        "  {} faces, candidate {:?}, {:.1} s of speech",
        report.tracks.faces.len(),
        report.tracks.candidate,
        report.tracks.speech_s
    );
    Ok(())
}
