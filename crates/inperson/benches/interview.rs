//! Wall time and memory of a whole analysis beside `ffmpeg -i X -f null -` on the same file, in the same run.
//!
//! `cargo bench --bench interview -- CLIP [MINUTES...]`: the clip is looped to 1280x720 H.264 with AAC sound of the given
//! lengths (default 10). Prints ratios, with `capture` alone and with all checks; peak memory is that of a process of its own.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::unwrap_used, missing_docs)]

use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use inperson::{Analyzer, Config};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [flag, checks, file] = args.as_slice()
        && flag == "--child"
    {
        return child(checks, Path::new(file));
    }
    let Some((clip, minutes)) = args.split_first() else {
        println!("usage: cargo bench --bench interview -- CLIP [MINUTES...]");
        return;
    };
    let minutes: Vec<u32> = minutes.iter().filter_map(|m| m.parse().ok()).collect();
    let folder = tempfile::tempdir().expect("a folder");
    for length in if minutes.is_empty() { vec![10] } else { minutes } {
        let file = folder.path().join(format!("{length}.mp4"));
        make(clip, length, &file);
        let start = Instant::now();
        run(Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(&file).args(["-f", "null", "-"]));
        let floor = start.elapsed().as_secs_f64();
        for checks in ["capture", "all"] {
            let start = Instant::now();
            let out = Command::new(std::env::current_exe().unwrap())
                .args(["--child", checks])
                .arg(&file)
                .output()
                .expect("a child");
            let ours = start.elapsed().as_secs_f64();
            println!(
                "{length} min, checks {checks}: ffmpeg -f null {floor:.1} s, inperson {ours:.1} s, ratio {:.2}; {}",
                ours / floor,
                String::from_utf8_lossy(&out.stdout).trim()
            );
        }
    }
}

fn child(checks: &str, file: &Path) {
    let start = Instant::now();
    let mut config = Config::default();
    if checks != "all" {
        config.checks = vec![checks.to_owned()];
    }
    let analyzer = Analyzer::new(config).expect("an analyzer");
    let mut first = None;
    let report = analyzer
        .analyze_with(file, |_| {
            first.get_or_insert_with(|| start.elapsed().as_secs_f64());
            ControlFlow::Continue(())
        })
        .expect("a report");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).map_or("unknown", str::trim).to_owned();
    let looks: u32 = report.tracks.faces.iter().map(|f| f.observations).sum();
    println!(
        "first analysis after {:.2} s, peak memory {peak}, {looks} looks at {} faces, {:.0} s of speech",
        first.unwrap_or_default(),
        report.tracks.faces.len(),
        report.tracks.speech_s
    );
}

fn make(clip: &str, minutes: u32, file: &Path) {
    // encoded once at its own length, then looped without encoding
    let once = file.with_extension("once.mp4");
    let scale = "scale=1280:720:force_original_aspect_ratio=decrease,pad=1280:720:-1:-1,fps=25,format=yuv420p";
    run(Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i", clip, "-vf", scale])
        .args(["-c:v", "libx264", "-preset", "fast", "-b:v", "2M", "-c:a", "aac", "-ar", "48000", "-shortest"])
        .arg(&once));
    let seconds = (60 * minutes).to_string();
    run(Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-stream_loop", "-1", "-i"])
        .arg(&once)
        .args(["-t", &seconds, "-c", "copy"])
        .arg(file));
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status().expect("ffmpeg");
    assert!(status.success(), "{command:?} failed");
}
