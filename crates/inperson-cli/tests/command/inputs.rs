//! What a batch is made of, transcripts as people have them, and what `probe` says.

use super::*;

/// A second of a tone.
fn tone(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", "sine=d=1:r=16000", "-f", "wav"])
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    path
}

/// The lines of a batch, and what it said on standard error.
fn batch(folder: &Path, input: &Path) -> (Vec<Value>, String) {
    let out = folder.join("results.jsonl");
    let run = inperson(&["batch", input.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_ne!(run.status.code(), Some(2), "{}", text(&run.stderr));
    let lines = std::fs::read_to_string(&out).unwrap();
    (lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect(), text(&run.stderr))
}

#[test]
fn a_bad_row_of_a_list_is_an_error_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    tone(folder.path(), "a.wav");
    let list = folder.path().join("list.csv");
    let rows: &[u8] = b"\xef\xbb\xbfPath,Who\n a.wav ,Al\n,Bo\na.wav\na.wav,Zo\xeb\na.wav,Smith, Ann\na.wav,\"Cy\",\n";
    std::fs::write(&list, rows).unwrap();
    let (lines, said) = batch(folder.path(), &list);
    let status: Vec<_> = lines.iter().map(|l| l["status"].as_str().unwrap()).collect();
    assert_eq!(status, ["ok", "error", "error", "error", "error", "ok"]);
    assert!(said.contains("4 of 6 inputs"), "{said}");
    for (line, row, why) in [(1, 3, "empty"), (2, 4, "1 of 2 cells"), (3, 5, "UTF-8"), (4, 6, "3 cells for 2")] {
        let error = lines[line]["error"].as_str().unwrap();
        assert!(error.contains(&format!("list.csv: line {row}: ")) && error.contains(why), "{error}");
    }
    assert_eq!((&lines[0]["input"], &lines[0]["meta"]["Who"]), (&"a.wav".into(), &"Al".into()));
    assert_eq!((&lines[5]["input"], &lines[5]["meta"]["Who"]), (&"a.wav".into(), &"Cy".into()));
}

#[test]
fn a_quote_that_is_not_closed_takes_no_recording_with_it_unseen() {
    let folder = tempfile::tempdir().unwrap();
    tone(folder.path(), "a.wav");
    let list = folder.path().join("list.csv");
    for (rows, want) in [
        ("path,n\na.wav,\"5 inch\na.wav,2\na.wav,3\n", &["line 2: a quote"][..]),
        ("path,n\na.wav,\"5 inch\na.wav,\"6 inch\n\na.wav,7\n", &["line 2: a quote", ""]),
        // a quote within a cell, one that is doubled, and a cell of several lines are as they should be
        (
            "path,n\na.wav,5\" disk\na.wav, \"8\na.wav,\"a \"\"b\"\"\nc\" \n\na.wav,\"d\"\n\n,\"e\"\n",
            &["", "", "", "", "line 8: its cell"],
        ),
    ] {
        std::fs::write(&list, rows).unwrap();
        let (lines, _) = batch(folder.path(), &list);
        assert_eq!(lines.len(), want.len(), "{lines:?}");
        for (line, want) in lines.iter().zip(want) {
            let error = line["error"].as_str().unwrap_or_default();
            assert!(error.contains(want) && error.is_empty() == want.is_empty(), "{error} for {want}");
        }
    }
}

#[test]
fn lists_come_with_other_delimiters_and_bad_headers_are_told() {
    let folder = tempfile::tempdir().unwrap();
    tone(folder.path(), "a.wav");
    for (name, rows) in [
        ("semi.csv", "who;PATH;transcript\nSmith, Ann;a.wav;\n"),
        ("tab.csv", "who\tpath\nSmith, Ann\ta.wav\n"),
        ("tab.tsv", "who\tpath\nSmith, Ann\ta.wav\n"),
        ("comma.csv", "who,path,who\n\"Smith, Ann\",a.wav,Bo\n"),
    ] {
        let list = folder.path().join(name);
        std::fs::write(&list, rows).unwrap();
        let (lines, _) = batch(folder.path(), &list);
        assert_eq!((lines.len(), &lines[0]["status"]), (1, &"ok".into()), "{name}: {lines:?}");
        assert_eq!(lines[0]["meta"]["who"], "Smith, Ann");
        assert!(name != "comma.csv" || lines[0]["meta"]["who (2)"] == "Bo", "{lines:?}");
    }
    let out = folder.path().join("none.jsonl");
    for (rows, why) in [
        (&b"file;who\na.wav;Al\n"[..], "`file`, `who`"),
        (b"path,PATH\na.wav,b.wav\n", "more than one column `path`"),
        (b"\xff\xfep\0a\0t\0h\0\n\0", "UTF-8"),
        (b"path\n", "row"),
        (b"", "no column `path`"),
    ] {
        let list = folder.path().join("bad.csv");
        std::fs::write(&list, rows).unwrap();
        refused(&inperson(&["batch", list.to_str().unwrap(), "--out", out.to_str().unwrap()]), why);
    }
}

#[cfg(unix)]
#[test]
fn what_a_folder_holds_beside_media_is_told() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let (work, elsewhere) = (folder.path().join("in"), folder.path().join("elsewhere"));
    std::fs::create_dir_all(work.join("deep")).unwrap();
    std::fs::create_dir(&elsewhere).unwrap();
    let there = tone(&elsewhere, "there.wav");
    for name in ["a.MXF", "b.weba", "deep/c.m2ts", "deep/d.aiff"] {
        std::fs::copy(&there, work.join(name)).unwrap();
    }
    symlink(&there, work.join("linked.wav")).unwrap();
    symlink(&elsewhere, work.join("folder.wav")).unwrap();
    for name in ["notes.txt", "deep/more.TXT", "noext"] {
        std::fs::write(work.join(name), "no media").unwrap();
    }
    let (lines, said) = batch(folder.path(), &work);
    let names: Vec<_> =
        lines.iter().map(|l| Path::new(l["input"].as_str().unwrap()).file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["a.MXF", "b.weba", "c.m2ts", "d.aiff", "linked.wav"]);
    assert!(lines.iter().all(|l| l["status"] == "ok"), "{lines:?}");
    assert!(said.contains("3 files not taken for media (2 .txt, 1 without extension) and 1 link to folders"), "{said}");
}

#[test]
fn names_with_pronouns_tell_the_candidate_from_the_interviewer() {
    let folder = tempfile::tempdir().unwrap();
    let file = tone(folder.path(), "a.wav");
    let srt = folder.path().join("talk.srt");
    let report = |words: &[u8], extra: &[&str]| -> Value {
        std::fs::write(&srt, words).unwrap();
        let (file, srt) = (file.to_str().unwrap(), srt.to_str().unwrap());
        let run = inperson(&[&["analyze", file, "--json", "--transcript", srt], extra].concat());
        assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
        serde_json::from_slice(&run.stdout).unwrap()
    };
    let judged = |report: &Value| report["assessment"]["questions"]["answers"]["abstained"] == false;
    let remark = |report: &Value| {
        let notes = report["evidence"].as_array().unwrap().iter().filter(|e| e["code"] == "answers.speaker");
        notes.map(|e| e["message"].as_str().unwrap().to_owned()).collect::<String>()
    };
    let talk = |ann: &str| {
        let cue = |n: usize, text: &str| format!("{n}\n00:00:00,{n}00 --> 00:00:00,{n}90\n{text}\n\n");
        cue(1, "Bob Jones: How do you prioritise?") + &cue(2, &format!("{ann}{PROSE}"))
    };
    let words = talk("Ann Smith (She/Her): ");
    for (speaker, whether) in [("ann  smith", true), ("Ann Smith (she/her)", true), ("BOB JONES", false)] {
        let found = report(words.as_bytes(), &["--speaker", speaker]);
        assert_eq!((judged(&found), remark(&found).as_str()), (whether, ""), "{speaker}");
    }
    let nobody = remark(&report(words.as_bytes(), &["--speaker", "Cy"]));
    assert!(nobody.contains("`Cy`") && nobody.contains("`Bob Jones`, `Ann Smith (She/Her)`"), "{nobody}");
    // a cue that ends before it starts, and another encoding, are told in the report and fail nothing
    let odd = words.replace("Bob Jones", "Zo\u{eb} Jones") + "3\n00:00:00,900 --> 00:00:00,100\nYes\n";
    let odd = report(&odd.chars().map(|c| c as u8).collect::<Vec<_>>(), &[]);
    let notes: Vec<_> = odd["media"]["notes"].as_array().unwrap().iter().map(|n| n["code"].as_str().unwrap()).collect();
    assert!(
        judged(&odd) && notes.contains(&"transcript_left_out") && notes.contains(&"transcript_encoding"),
        "{notes:?}"
    );
    let half = remark(&report(talk("").as_bytes(), &[]));
    assert!(half.contains("have no speaker's name") && half.contains("`Bob Jones`"), "{half}");
}

#[test]
fn probe_says_what_is_unusual() {
    let folder = tempfile::tempdir().unwrap();
    let said = |name: &str, arguments: &[&str]| {
        let path = clip(folder.path(), name, arguments);
        let run = inperson(&["probe", path.to_str().unwrap()]);
        assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
        text(&run.stdout)
    };
    let plain = said("plain.mp4", &["-c:v", "libx264", "-c:a", "aac"]);
    assert!(plain.contains(", 1 channel\n"), "{plain}");
    for word in ["turned", "pixels", "interlaced", "begins", "streams"] {
        assert!(!plain.contains(word), "{plain}");
    }
    let odd = said(
        "odd.mkv",
        &[
            "-c:v",
            "libx264",
            "-flags",
            "+ilme+ildct",
            "-vf",
            "setsar=4/3,setfield=tff",
            "-map",
            "0",
            "-map",
            "1",
            "-map",
            "1",
            "-ac",
            "2",
        ],
    );
    for words in ["pixels 1.333 times", "interlaced", "2 channels", "2 of sound, number 0, counted from 0, is heard"] {
        assert!(odd.contains(words), "{words}: {odd}");
    }
    assert_eq!(odd.matches("is heard").count(), 1, "once is enough: {odd}");
    let late = folder.path().join("late.mkv");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(folder.path().join("plain.mp4"))
        .args(["-itsoffset", "0.5", "-i"])
        .arg(folder.path().join("plain.mp4"))
        .args(["-map", "0:v", "-map", "1:a", "-c", "copy"])
        .arg(&late)
        .status();
    assert!(made.unwrap().success());
    let late = text(&inperson(&["probe", late.to_str().unwrap()]).stdout);
    assert!(late.contains("1 channel, begins at 0.") && !late.contains("frames/s, yuv420p, begins"), "{late}");
    let turned = folder.path().join("turned.mp4");
    // how the tag is written changed with FFmpeg 6
    let ways: [(&[&str], &[&str]); 2] = [(&["-display_rotation", "90"], &[]), (&[], &["-metadata:s:v", "rotate=90"])];
    let written = ways.iter().any(|(before, behind)| {
        let mut made = Command::new("ffmpeg");
        made.args(["-v", "quiet", "-y"]).args(*before).arg("-i").arg(folder.path().join("plain.mp4"));
        made.args(["-c", "copy"]).args(*behind).arg(&turned).status().unwrap().success()
    });
    assert!(written);
    let turned = text(&inperson(&["probe", turned.to_str().unwrap()]).stdout);
    assert!(turned.contains("to be turned a quarter anticlockwise"), "{turned}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (inner, locked) = (folder.path().join("in"), folder.path().join("in/locked"));
    std::fs::create_dir_all(&locked).unwrap();
    tone(&inner, "a.wav");
    std::fs::set_permissions(&locked, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
    // root reads everything
    let unread = std::fs::read_dir(&locked).is_err();
    let (lines, said) = batch(folder.path(), &inner);
    std::fs::set_permissions(&locked, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(lines[0]["status"], "ok");
    assert_eq!(lines.len(), if unread { 2 } else { 1 }, "{said}");
    assert!(!unread || lines[1]["error"].as_str().unwrap().contains("locked"), "{lines:?}");
}

#[test]
fn results_go_on_with_the_very_recordings_they_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let lists = ["one", "two"].map(|name| {
        let inner = folder.path().join(name);
        std::fs::create_dir(&inner).unwrap();
        tone(&inner, "a.wav");
        std::fs::write(inner.join("list.csv"), "path\na.wav\n").unwrap();
        inner.join("list.csv").to_str().unwrap().to_owned()
    });
    let out = folder.path().join("results.jsonl");
    let run = |lists: &[&str]| {
        let named = [&["batch"], lists, &["--out", out.to_str().unwrap(), "--checks", "capture", "--resume"]].concat();
        inperson(&named)
    };
    let [one, two] = lists.each_ref().map(String::as_str);
    assert_eq!(run(&[one]).status.code(), Some(0));
    let first: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    assert!(first["input"] == "a.wav" && first["path"].as_str().unwrap().ends_with("one/a.wav"), "{first}");
    refused(&run(&[two, one]), "two/a.wav");
    // nor while another batch writes there
    let held = std::fs::File::open(&out).unwrap();
    held.lock().unwrap();
    refused(&run(&[one, two]), "another batch");
    held.unlock().unwrap();
    assert_eq!(run(&[one, two]).status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 2);
}

#[test]
fn tags_and_names_do_not_steer_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a\u{1b}[31m.mkv");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "sine=d=1", "-metadata", "title=\u{1b}]0;owned\u{7}"])
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    for verb in ["probe", "analyze"] {
        let run = inperson(&[verb, path.to_str().unwrap()]);
        let said = text(&run.stdout);
        assert!(!said.contains(['\u{1b}', '\u{7}']) && said.contains("a\\u{1b}[31m.mkv"), "{verb}: {said:?}");
    }
    let gone = path.with_extension("gone");
    refused(&inperson(&["probe", gone.to_str().unwrap()]), "a\\u{1b}[31m.gone");
}

#[cfg(unix)]
#[test]
fn reports_are_readable_for_whom_the_mask_lets() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let sound = tone(folder.path(), "a.wav");
    for (mask, mode) in [("077", 0o600), ("022", 0o644)] {
        let out = folder.path().join(mask);
        let command = format!("umask {mask}; exec \"$0\" analyze \"$1\" --checks capture -q --out \"$2\"");
        let run =
            Command::new("sh").args(["-c", &command, env!("CARGO_BIN_EXE_inperson")]).args([&sound, &out]).status();
        assert!(run.unwrap().success());
        let report = std::fs::metadata(out.join("report.json")).unwrap();
        assert_eq!(report.permissions().mode() & 0o777, mode, "{mask}");
    }
}
