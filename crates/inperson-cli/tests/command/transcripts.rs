//! Transcripts of files, of lists and of the user's own recogniser.

use super::*;

#[test]
fn a_transcript_goes_into_the_report_and_a_bad_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = mp4(folder.path(), "a.mp4");
    let srt = folder.path().join("talk.srt");
    let cue = |n: usize, at: &str, who: &str, said: &str| {
        format!("{n}\n00:00:0{at},000 --> 00:00:0{at},900\n{who}: {said}\n\n")
    };
    std::fs::write(&srt, cue(1, "0", "Ann", "How do you prioritise?") + &cue(2, "1", "Ben", PROSE)).unwrap();
    let judged = |extra: &[&str]| -> Value {
        let run = inperson(
            &[&["analyze", file.to_str().unwrap(), "--json", "--transcript", srt.to_str().unwrap()], extra].concat(),
        );
        assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
        serde_json::from_slice::<Value>(&run.stdout).unwrap()["assessment"]["questions"]["answers"].clone()
    };
    assert_eq!(judged(&[])["abstained"], false);
    assert_eq!(judged(&["--speaker", "Ann"])["abstained"], true, "a question is too short to judge");
    let bad = folder.path().join("bad.srt");
    std::fs::write(&bad, "nothing of the kind").unwrap();
    refused(&inperson(&["analyze", file.to_str().unwrap(), "--transcript", bad.to_str().unwrap()]), "bad.srt");
}

#[cfg(unix)]
#[test]
fn a_transcriber_hears_the_whole_sound_and_its_failures_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = mp4(folder.path(), "a.mp4");
    let script = |name: &str, body: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    let run = |command: &str| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_inperson"));
        run.args(["analyze", file.to_str().unwrap(), "--json", "--transcriber", command]).stdin(Stdio::null());
        run.env("TMPDIR", folder.path()).output().expect("the binary runs")
    };
    // soxi's place is taken by ffprobe, which the tests need anyway
    let heard = folder.path().join("heard");
    let good = script(
        "good",
        &format!(
            "ffprobe -v error -show_entries stream=codec_name,sample_rate,channels,duration -of csv=p=0 \"$2\" > {} && \\
             printf '1\\n00:00:00,000 --> 00:00:03,900\\nBen: %s\\n' '{}'",
            heard.display(),
            PROSE.replace('\'', "")
        ),
    );
    for command in [format!("{good} --wav"), format!("'{good}' --wav {{}} --more")] {
        let done = run(&command);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        let report: Value = serde_json::from_slice(&done.stdout).unwrap();
        assert_eq!(report["assessment"]["questions"]["answers"]["abstained"], false);
        let stream = std::fs::read_to_string(&heard).unwrap();
        assert!(stream.starts_with("pcm_s16le,16000,1,"), "{stream}");
        let seconds: f64 = stream.trim().rsplit(',').next().unwrap().parse().unwrap();
        assert!((seconds - 4.0).abs() < 0.1, "{stream}");
    }
    refused(&run(&script("fails", "echo out of memory >&2; exit 3")), "out of memory");
    refused(&run(&script("mumbles", "echo nothing of the kind")), "transcriber");
    refused(&run("/nowhere/whisper"), "/nowhere/whisper");
    refused(&run("'unclosed"), "quotes");
    let left = std::fs::read_dir(folder.path()).unwrap().flatten();
    let wavs = left.filter(|f| f.file_name().to_string_lossy().starts_with("inperson-")).count();
    assert_eq!(wavs, 0, "the sound is gone afterwards");
}

#[cfg(unix)]
#[test]
fn a_batch_takes_transcripts_from_its_list_and_a_transcriber_for_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    mp4(folder.path(), "a.mp4");
    std::fs::write(folder.path().join("a.srt"), format!("1\n00:00:00,000 --> 00:00:03,900\n{PROSE}\n")).unwrap();
    let list = folder.path().join("list.csv");
    std::fs::write(&list, "path,transcript\na.mp4,a.srt\na.mp4,\na.mp4,missing.srt\n").unwrap();
    let out = folder.path().join("results.jsonl");
    let judged = |extra: &[&str]| -> Vec<Value> {
        inperson(&[&["batch", list.to_str().unwrap(), "--out", out.to_str().unwrap()], extra].concat());
        let lines = std::fs::read_to_string(&out).unwrap();
        let lines = lines.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
        lines.map(|l| l["report"]["assessment"]["questions"]["answers"]["abstained"].clone()).collect()
    };
    assert_eq!(judged(&[]), [Value::Bool(false), Value::Bool(true), Value::Null]);
    let cat = format!("sh -c 'cat {}'", folder.path().join("a.srt").display());
    assert_eq!(judged(&["--transcriber", &cat]), [Value::Bool(false), Value::Bool(false), Value::Null]);
}

#[test]
fn a_recording_without_sound_is_analysed_with_a_transcriber_too() {
    let folder = tempfile::tempdir().unwrap();
    let mute = folder.path().join("mute.mp4");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc=d=4:r=25:s=320x180"])
        .arg(&mute)
        .status();
    assert!(made.unwrap().success());
    let found = inperson(&["analyze", mute.to_str().unwrap(), "--json", "--transcriber", "false"]);
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    let report: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert!(report["not_judged"].as_array().unwrap().iter().any(|n| n["code"] == "answers.wording"));
}

#[test]
fn what_is_stopped_leaves_no_voice_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (sound, seen) = (folder.path().join("sound.wav"), folder.path().join("seen"));
    let made = Command::new("ffmpeg").args(["-v", "error", "-f", "lavfi", "-i", "sine=d=2"]).arg(&sound).status();
    assert!(made.unwrap().success());
    let slow = format!("sh -c 'echo $1 > {}; sleep 20' x", seen.display());
    let mut child = Command::new(env!("CARGO_BIN_EXE_inperson"))
        .args(["analyze", sound.to_str().unwrap(), "--transcriber", &slow])
        .env("TMPDIR", folder.path())
        .spawn()
        .unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let wav = loop {
        match std::fs::read_to_string(&seen) {
            Ok(path) if !path.trim().is_empty() => break Path::new(path.trim()).to_owned(),
            _ => assert!(std::time::Instant::now() < until, "the transcriber was not started"),
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert!(wav.is_file());
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!wav.exists(), "{}", wav.display());
}

#[test]
fn results_that_wait_for_a_slow_one_are_few() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let made = Command::new("ffmpeg").args(["-v", "error", "-f", "lavfi", "-i", "sine=d=0.3", &path("a.wav")]).status();
    assert!(made.unwrap().success());
    std::fs::write(path("list.csv"), "path\n".to_owned() + &"a.wav\n".repeat(60)).unwrap();
    // whoever comes first waits for the file `go`
    let slow = "if mkdir $0/first 2>/dev/null; then while [ ! -e $0/go ]; do sleep 0.05; done; fi; echo >> $0/heard";
    let transcriber = format!("sh -c '{slow}' {}", folder.path().display());
    let mut child = Command::new(env!("CARGO_BIN_EXE_inperson"))
        .args(["batch", &path("list.csv"), "--out", &path("out.jsonl"), "--jobs", "2", "--transcriber", &transcriber])
        .args(["--checks", "capture", "--quiet"])
        .spawn()
        .unwrap();
    let heard = || std::fs::read_to_string(path("heard")).map_or(0, |t| t.lines().count());
    let (mut before, mut since) = (0, std::time::Instant::now());
    while since.elapsed().as_secs() < 5 || before == 0 {
        assert!(since.elapsed().as_secs() < 60, "no transcriber was started");
        std::thread::sleep(std::time::Duration::from_millis(50));
        if heard() > before {
            (before, since) = (heard(), std::time::Instant::now());
        }
    }
    assert!((16..=32).contains(&before), "{before} of 60 went on while the first waited");
    std::fs::write(path("go"), "").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(std::fs::read_to_string(path("out.jsonl")).unwrap().lines().count(), 60);
}
