//! The real binary on real and broken files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

#[path = "command/inputs.rs"]
mod inputs;
#[path = "command/transcripts.rs"]
mod transcripts;

fn inperson(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_inperson")).args(arguments).stdin(Stdio::null()).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A short recording of FFmpeg's test picture and a tone.
fn clip(folder: &Path, name: &str, arguments: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4"])
        .args(["-f", "lavfi", "-i", "sine=frequency=300:duration=4", "-pix_fmt", "yuv420p"])
        .args(arguments)
        .arg(&path)
        .status()
        .expect("ffmpeg is installed: tests/setup.sh does it");
    assert!(status.success());
    path
}

fn mp4(folder: &Path, name: &str) -> PathBuf {
    clip(folder, name, &["-c:v", "libx264", "-c:a", "aac"])
}

/// One line that names the file, and exit code 2.
fn refused(output: &Output, file: &str) {
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let message = text(&output.stderr);
    assert_eq!(message.trim_end().lines().count(), 1, "{message}");
    assert!(message.starts_with("inperson: ") && message.contains(file), "{message}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
}

#[test]
fn bad_input_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let good = std::fs::read(mp4(folder.path(), "good.mp4")).unwrap();
    std::fs::write(at("empty.mp4"), b"").unwrap();
    std::fs::write(at("text.txt"), "this is not a recording\n".repeat(50)).unwrap();
    std::fs::write(at("moovless.mp4"), &good[..good.len() / 3]).unwrap();
    let noise: Vec<u8> = (0..200_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(at("noise.mkv"), noise).unwrap();
    std::fs::write(
        at("silent.wav"),
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80>\0\0\0}\0\0\x02\0\x10\0data\0\0\0\0",
    )
    .unwrap();
    std::fs::create_dir(at("folder.mp4")).unwrap();
    assert!(Command::new("mkfifo").arg(at("pipe.mp4")).status().unwrap().success());
    for name in
        ["empty.mp4", "text.txt", "moovless.mp4", "noise.mkv", "silent.wav", "folder.mp4", "pipe.mp4", "missing.mp4"]
    {
        refused(&inperson(&["analyze", at(name).to_str().unwrap()]), name);
        refused(&inperson(&["probe", at(name).to_str().unwrap()]), name);
    }
}

#[test]
fn a_frame_over_the_limit_is_refused_by_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.png");
    // only the header of a 16000x16000 picture: its size must be refused before anything is decoded
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x3e\x80\0\0\x3e\x80\x08\x02\0\0\0".to_vec();
    png.extend([0_u8; 4000]);
    std::fs::write(&path, png).unwrap();
    refused(&inperson(&["analyze", path.to_str().unwrap()]), "huge.png");
}

#[test]
fn wrong_usage_is_exit_code_two() {
    let folder = tempfile::tempdir().unwrap();
    let file = mp4(folder.path(), "a.mp4");
    let file = file.to_str().unwrap();
    for arguments in
        [["--prior", "2"], ["--checks", "nonsense"], ["--candidate", "region:0,0"], ["--models", "/nowhere"]]
    {
        let output = inperson(&["analyze", file, arguments[0], arguments[1]]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty());
    }
    let named = inperson(&["analyze", file, "--ort", "/nowhere/libonnxruntime.so"]);
    assert!(text(&named.stderr).contains("/nowhere/libonnxruntime.so"), "{}", text(&named.stderr));
}

#[test]
fn the_report_goes_to_the_terminal_to_json_and_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = mp4(folder.path(), "a.mp4");
    let out = folder.path().join("reports/a");
    let output =
        inperson(&["analyze", file.to_str().unwrap(), "--json", "--prior", "0.2", "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(std::fs::read_to_string(out.join("report.json")).unwrap(), text(&output.stdout).trim_end());
    assert!(std::fs::read_to_string(out.join("report.html")).unwrap().contains("<svg"));
    assert_eq!(report["assessment"]["prior"], 0.2);
    let overall = &report["assessment"]["overall"];
    let (llr, posterior) = (overall["llr"].as_f64().unwrap(), overall["posterior"].as_f64().unwrap());
    // Bayes by hand: odds 1 to 4
    assert!((posterior / (1.0 - posterior) - 0.25 * llr.exp()).abs() < 1e-9);
    assert_eq!(report["assessment"]["questions"]["capture"]["abstained"], false);
    let human = text(&inperson(&["analyze", file.to_str().unwrap()]).stdout);
    assert!(human.contains("capture") && human.contains("prior of 1.0 %"), "{human}");
    assert!(inperson(&["analyze", file.to_str().unwrap(), "--quiet"]).stdout.is_empty());
}

#[test]
fn a_batch_keeps_order_and_meta_and_one_bad_file_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    mp4(folder.path(), "b.mp4");
    mp4(folder.path(), "a.mp4");
    std::fs::write(folder.path().join("bad.mp4"), b"no").unwrap();
    let manifest = folder.path().join("list.csv");
    std::fs::write(&manifest, "who,path\nBo,b.mp4\n\"Dr. X, Jr\",bad.mp4\nAl,a.mp4\n").unwrap();
    let out = folder.path().join("results.jsonl");
    let arguments = ["batch", manifest.to_str().unwrap(), "--out", out.to_str().unwrap(), "--jobs", "2"];
    let output = inperson(&arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("1 of 3"), "{}", text(&output.stderr));
    let whole = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<Value> = whole.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let said: Vec<_> =
        lines.iter().map(|l| (l["input"].as_str(), l["status"].as_str(), l["meta"]["who"].as_str())).collect();
    assert_eq!(
        said,
        [
            (Some("b.mp4"), Some("ok"), Some("Bo")),
            (Some("bad.mp4"), Some("error"), Some("Dr. X, Jr")),
            (Some("a.mp4"), Some("ok"), Some("Al"))
        ]
    );
    assert!(lines[1]["report"].is_null() && lines[1]["error"].as_str().unwrap().contains("bad.mp4"));

    // killed in the middle of the third line: resuming keeps the first two and writes the third whole
    let cut = whole.trim_end().rfind('\n').unwrap() + 40;
    std::fs::write(&out, &whole[..cut]).unwrap();
    let again = inperson(&[&arguments[..], &["--resume"]].concat());
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), whole);

    // nor when that cut a character, and not with other options
    std::fs::write(&out, [&whole.as_bytes()[..cut], b"\xc3"].concat()).unwrap();
    refused(&inperson(&[&arguments[..], &["--resume", "--prior", "0.5"]].concat()), "another configuration");
    assert_eq!(inperson(&[&arguments[..4], &["--resume", "--jobs", "1"]].concat()).status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), whole);

    // another batch's file is not overwritten
    let other =
        inperson(&["batch", folder.path().join("a.mp4").to_str().unwrap(), "--out", out.to_str().unwrap(), "--resume"]);
    assert_eq!(other.status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), whole);
}

#[test]
fn a_full_disk_is_an_error_and_leaves_no_half_report() {
    let folder = tempfile::tempdir().unwrap();
    let file = mp4(folder.path(), "a.mp4");
    let output = inperson(&["batch", file.to_str().unwrap(), "--out", "/dev/full"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("/dev/full"), "{}", text(&output.stderr));
    let blocked = folder.path().join("a.mp4/report");
    refused(&inperson(&["analyze", file.to_str().unwrap(), "--out", blocked.to_str().unwrap()]), "a.mp4");
}

#[test]
fn models_are_listed_checked_and_gated() {
    let folder = tempfile::tempdir().unwrap();
    let listed = text(&inperson(&["models", "list"]).stdout);
    assert!(listed.contains("face-detector") && listed.contains("built in"));
    assert_eq!(inperson(&["models", "verify"]).status.code(), Some(0));
    assert!(text(&inperson(&["models", "show", "face-detector"]).stdout).contains("Trained on"));
    refused(&inperson(&["models", "show", "nothing"]), "nothing");

    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/face-detector");
    let store = folder.path().join("store");
    let add = ["models", "add", source.to_str().unwrap(), "--to", store.to_str().unwrap()];
    let asked = inperson(&add);
    assert_eq!(asked.status.code(), Some(2));
    assert!(text(&asked.stderr).contains("--accept-licence") && !store.exists());
    assert_eq!(inperson(&[&add[..], &["--accept-licence"]].concat()).status.code(), Some(0));
    let replaced = text(&inperson(&["models", "list", "--models", store.to_str().unwrap()]).stdout);
    assert!(replaced.contains(store.to_str().unwrap()), "{replaced}");
    // accepted where it lies, as the error of a model nobody accepted says
    let there = store.join("face-detector");
    std::fs::remove_file(there.join("accepted.toml")).unwrap();
    let again = inperson(&["models", "list", "--models", store.to_str().unwrap()]);
    assert!(text(&again.stderr).contains("models add"), "{}", text(&again.stderr));
    let add = ["models", "add", there.to_str().unwrap(), "--to", store.to_str().unwrap(), "--accept-licence"];
    assert_eq!(inperson(&add).status.code(), Some(0));
    assert_eq!(inperson(&["models", "verify", "--models", store.to_str().unwrap()]).status.code(), Some(0));
    // other weights under an accepted licence: the checksum tells
    std::fs::write(store.join("face-detector/model.onnx"), b"other weights").unwrap();
    let changed = inperson(&["models", "verify", "--models", store.to_str().unwrap()]);
    assert_eq!(changed.status.code(), Some(2));
    assert!(text(&changed.stderr).contains("checksum"), "{}", text(&changed.stderr));
}

#[test]
fn help_documents_itself() {
    assert!(text(&inperson(&["--help"]).stdout).contains("Exit codes"));
    assert!(text(&inperson(&["man"]).stdout).contains(".TH"));
    let folder = tempfile::tempdir().unwrap();
    assert!(inperson(&["man", "--out", folder.path().to_str().unwrap()]).status.success());
    for (page, option) in [
        ("inperson-analyze.1", "\\-\\-prior"),
        ("inperson-batch.1", "\\-\\-resume"),
        ("inperson-models-add.1", "licence"),
    ] {
        let text = std::fs::read_to_string(folder.path().join(page)).unwrap();
        assert!(text.contains(option), "{page}: {text}");
    }
    assert!(text(&inperson(&["completions", "bash"]).stdout).contains("complete"));
    let schema: Value = serde_json::from_slice(&inperson(&["schema"]).stdout).unwrap();
    assert!(schema["properties"]["assessment"].is_object());
}

const PROSE: &str = "When it comes to managing priorities, I believe that it is important to take a structured approach. First, I \
    evaluate the overall impact of each task, and I ensure that expectations are aligned with the relevant stakeholders. Additionally, \
    I make use of tools that provide visibility, which helps to identify potential risks early. By establishing clear communication \
    and regularly reviewing our goals, we were able to deliver the project on time. Ultimately, this experience taught me the \
    importance of flexibility, collaboration, and continuous improvement in a fast-paced environment.";

#[test]
fn answers_are_scored_line_by_line_and_copies_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, out) = (folder.path().join("rows.jsonl"), folder.path().join("scores.jsonl"));
    let lines = [
        serde_json::json!({"id": "a1", "candidate": "Ann", "question": "How do you prioritise?", "answer": PROSE}),
        serde_json::json!({"id": 2, "candidate": "Ben", "answer": format!("Well, sure. {PROSE}"), "words": [["Well", 0.1, 0.4], ["sure", null, null]]}),
        serde_json::json!({"answer": "Too short."}),
        serde_json::json!({"candidate": "Cy", "answer": PROSE}),
        serde_json::json!({"candidate": "Cy", "answer": PROSE}),
        serde_json::json!({"candidate": "Cy", "answer": PROSE}),
    ];
    std::fs::write(&rows, lines.map(|l| l.to_string()).join("\n")).unwrap();
    let run = inperson(&["answers", rows.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    let scored: Vec<Value> =
        std::fs::read_to_string(&out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(scored.len(), 6);
    assert_eq!((&scored[0]["id"], &scored[1]["id"], &scored[2]["id"]), (&"a1".into(), &2.into(), &3.into()));
    assert!(scored[0]["llr"].as_f64().unwrap().abs() <= 1.5);
    assert_eq!((&scored[0]["like"][0]["id"], &scored[1]["like"][0]["id"]), (&"2".into(), &"a1".into()), "both ways");
    assert_eq!(scored[3]["like"].as_array().unwrap().len(), 2, "Ann's and Ben's, not Cy's own");
    assert_eq!((&scored[3]["style_fall"], &scored[3]["style_llr"]), (&0.0.into(), &(-0.1).into()));
    assert!(scored[0]["style_fall"].is_null() && scored[1]["delivery_reason"] == "too_short");
    assert_eq!((&scored[2]["abstained"], &scored[2]["reason"]), (&true.into(), &"too_short".into()));

    // rows that cannot be read are named in their place and stop nothing; what cannot be looked at at all leaves the old results
    let held = std::fs::read(&out).unwrap();
    refused(&inperson(&["answers", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()]), "directory");
    assert_eq!(std::fs::read(&out).unwrap(), held);
    let words =
        serde_json::json!({"id": "w", "answer": "Hm.", "words": [["A", "Hm.", 0.0, 0.4], {"text": "x", "start": 1}]});
    std::fs::write(
        &rows,
        ["{\"id\": 1}\n{\"answer\": \"".as_bytes(), b"Zo\xe9\"}\n", words.to_string().as_bytes()].concat(),
    )
    .unwrap();
    let run = inperson(&["answers", rows.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(1));
    assert!(text(&run.stderr).contains("2 of 3 rows"), "{}", text(&run.stderr));
    let scored: Vec<Value> =
        std::fs::read_to_string(&out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(scored.iter().map(|s| s["id"].clone()).collect::<Vec<_>>(), [Value::from(1), 2.into(), "w".into()]);
    assert!(scored[0]["error"].as_str().unwrap().contains("line 1") && scored[0]["llr"].is_null());
    assert!(scored[2]["error"].is_null() && scored[2]["reason"] == "too_short");
}

#[test]
fn results_are_not_written_over_what_they_are_made_from() {
    let folder = tempfile::tempdir().unwrap();
    let rows = folder.path().join("rows.jsonl");
    std::fs::write(&rows, "\u{feff}{\"answer\": \"It closed.\"}\n").unwrap();
    let held = std::fs::read(&rows).unwrap();
    let (at, out) = (rows.to_str().unwrap(), folder.path().join("out.jsonl"));
    refused(&inperson(&["answers", at, "--out", at]), "another --out");
    refused(&inperson(&["batch", at, "--out", at]), "another --out");
    let list = folder.path().join("list.csv");
    std::fs::write(&list, "path\nrows.jsonl\n").unwrap();
    for over in [&list, &rows] {
        refused(&inperson(&["batch", list.to_str().unwrap(), "--out", over.to_str().unwrap()]), "another --out");
    }
    assert_eq!(std::fs::read(&rows).unwrap(), held);
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "\u{feff}audio_track = 0\n").unwrap();
    let over = settings.to_str().unwrap();
    refused(&inperson(&["batch", at, "--out", over, "--config", over]), "another --out");
    refused(&inperson(&["batch", at, "--out", over, "--candidate", &format!("reference:{over}")]), "another --out");
    // a byte order mark is no part of the first row
    assert_eq!(inperson(&["answers", at, "--out", out.to_str().unwrap()]).status.code(), Some(0));
    // and a folder without a model is no folder of models
    refused(&inperson(&["models", "list", "--models", folder.path().to_str().unwrap()]), "no model lies");
}
