//! A report for a person at a terminal.

use std::fmt::Write as _;

use inperson::fuse::Mover;
use inperson::{Finding, Question, Reason, Report};

const MOST: usize = 8;

pub(crate) fn summary(report: &Report) -> String {
    let a = &report.assessment;
    let mut text = String::new();
    let mut line = |l: String| {
        // writing to a string cannot fail
        let _ = writeln!(text, "{l}");
    };
    line(report.media.input.clone());
    line(format!(
        "  {} analysed, {} {}{}, {:.0} s of speech",
        report.span.end,
        report.tracks.faces.len(),
        if report.tracks.faces.len() == 1 { "face" } else { "faces" },
        report.tracks.candidate.map_or_else(String::new, |c| format!(" (the candidate's is number {c})")),
        report.tracks.speech_s
    ));
    line(format!("\n{}", a.headline()));
    match (a.overall.posterior, a.overall.interval) {
        (Some(p), Some([low, high])) => line(format!(
            "  probability of an attack {} ({} to {}) at a prior of {}; {:.0} % could be judged",
            percent(p),
            percent(low),
            percent(high),
            percent(a.prior),
            100.0 * a.overall.coverage
        )),
        _ => line("  nothing could be judged; silence is not innocence".to_owned()),
    }
    line("\nquestions".to_owned());
    let not_run = |q: Question| report.not_judged.iter().any(|n| n.question == q && n.reason == Reason::NotRun);
    for (&question, c) in a.questions.iter().filter(|(q, _)| !not_run(**q)) {
        line(match (c.llr, c.posterior) {
            (Some(llr), Some(p)) => {
                format!("  {question:<12} LLR {llr:+.2}, {}, judged {:.0} %", percent(p), 100.0 * c.coverage)
            }
            _ => format!("  {question:<12} not judged"),
        });
    }
    let silent: Vec<&str> = Question::ALL.into_iter().filter(|&q| not_run(q)).map(Question::name).collect();
    if !silent.is_empty() {
        line(format!("  no check was run for {}", silent.join(", ")));
    }
    for (title, movers) in [("speaks for an attack", &a.moved_by), ("speaks against it", &a.speaks_against)] {
        if !movers.is_empty() {
            line(format!("\n{title}"));
            movers.iter().take(MOST).for_each(|m| line(mover(m)));
        }
    }
    let abstained: Vec<_> = report.not_judged.iter().filter(|n| n.reason != Reason::NotRun).collect();
    if !abstained.is_empty() {
        line("\nnot judged".to_owned());
        abstained.iter().take(MOST).for_each(|n| line(format!("  {}: {}", n.question, n.message)));
    }
    let notes = report.evidence.iter().filter(|e| e.finding == Finding::Note);
    let notes: Vec<String> = notes
        .map(|e| format!("  {}  {}", e.span, e.message))
        .chain(report.media.notes.iter().map(|n| format!("  recording: {}", n.message)))
        .collect();
    if !notes.is_empty() {
        line("\nnotes".to_owned());
        notes.iter().take(MOST).for_each(|n| line(n.clone()));
        if notes.len() > MOST {
            line(format!("  and {} more in the report", notes.len() - MOST));
        }
    }
    text
}

fn mover(m: &Mover) -> String {
    format!("  {}  LLR {:+.2}  {} ({})", m.span, m.llr, m.message, m.code)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
