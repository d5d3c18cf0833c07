//! Small transcripts in every format, written for these tests after the formats' own descriptions.

use super::*;

fn read(text: &str) -> Transcript {
    Transcript::parse("test", text).unwrap()
}

/// Start, speaker and text of every utterance.
fn said(transcript: &Transcript) -> Vec<(f64, Option<&str>, &str)> {
    let one = |u: &'static Utterance| (u.span.start.seconds(), u.speaker.as_deref(), u.text.as_str());
    let kept: &'static [Utterance] = Box::leak(transcript.utterances.clone().into_boxed_slice());
    kept.iter().map(one).collect()
}

#[test]
fn subtitles() {
    let srt = "\u{feff}1\r\n00:00:01,500 --> 00:00:03,000\r\nAnna Lee: Why this\r\n<i>job</i>?\r\n\r\n2\r\n00:00:04,000 --> 00:00:05,000\r\nBecause: money &amp; time\r\n";
    let t = read(srt);
    assert_eq!((t.format, t.word_times), (TranscriptFormat::Srt, false));
    assert_eq!(said(&t), [(1.5, Some("Anna Lee"), "Why this job?"), (4.0, Some("Because"), "money & time")]);

    let cue = |n: u32, text: &str| format!("{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{text}\n\n");
    let talk: String = (1..9).map(|n| cue(n, if n == 4 { "Because: it rained" } else { "and so on" })).collect();
    assert!(read(&talk).speakers().is_empty(), "one colon in eight cues is no name");

    assert_eq!(read(&srt.replace("\r\n", "\r")).utterances, t.utterances, "line ends of old Macs");

    let tight = "1\n00:00:01,000 --> 00:00:02,000\nI left in\n2019\n2\n00:00:03,000 --> 00:00:04,000\nand moved\n00:00:05,000 --> 00:00:06,000\nhere\n";
    assert_eq!(
        said(&read(tight)),
        [(1.0, None, "I left in 2019"), (3.0, None, "and moved"), (5.0, None, "here")],
        "no blank lines"
    );

    let vtt = "WEBVTT\n\nNOTE made up\n\n7\n00:01.000 --> 00:03.000 align:start\n<v Anna>Why?</v> <v Ben>So it is.</v>\n\n01:00:00.000 --> 01:00:01.000\nZoe Q: hello\n";
    let t = read(vtt);
    assert_eq!(t.speakers(), ["Anna", "Ben", "Zoe Q"]);
    assert_eq!(t.utterances[2].span.start.seconds(), 3600.0);
    assert!(t.utterances[1].span.start.seconds() > 1.0 && t.utterances[1].span.end.seconds() == 3.0);

    let teams = "WEBVTT\n\n00:00:03.104 --> 00:00:04.324\n{\"startDateTime\":\"x\",\"speakerName\":\"Ben\",\"spokenText\":\"Hi there.\",\"spokenLanguage\":\"en-us\"}\n";
    assert_eq!(said(&read(teams)), [(3.104, Some("Ben"), "Hi there.")]);
}

#[test]
fn time_marked_words() {
    let t = read(";; comment\ncall A 0.50 0.20 hello 0.98\ncall B 0.60 0.25 hi\ncall A 0.75 0.10 [noise]\n");
    assert_eq!((t.format, t.word_times), (TranscriptFormat::Ctm, true));
    assert_eq!(said(&t), [(0.5, Some("A"), "hello"), (0.6, Some("B"), "hi")]);
    assert!(said(&read("f 1 0 0.5 one\nf 1 0.5 0.5 two"))[0].1.is_none());
}

#[test]
fn praat_long_and_short() {
    let long = "File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n\nxmin = 0\nxmax = 2\ntiers? <exists>\nsize = 2\nitem []:\n    item [1]:\n        class = \"IntervalTier\"\n        name = \"Ann - words\"\n        xmin = 0\n        xmax = 2\n        intervals: size = 2\n        intervals [1]:\n            xmin = 0\n            xmax = 0.5\n            text = \"say \"\"hi\"\"\"\n        intervals [2]:\n            xmin = 0.5\n            xmax = 2\n            text = \"\"\n    item [2]:\n        class = \"IntervalTier\"\n        name = \"Ann - phones\"\n        xmin = 0\n        xmax = 2\n        intervals: size = 1\n        intervals [1]:\n            xmin = 0\n            xmax = 0.5\n            text = \"S\"\n";
    assert_eq!(said(&read(long)), [(0.0, None, "say \"hi\"")]);
    let short = "File type = \"ooTextFile\"\n\"TextGrid\"\n\n0\n2\n<exists>\n2\n\"IntervalTier\"\n\"A\"\n0\n2\n1\n0.25\n1\n\"one\"\n\"IntervalTier\"\n\"B\"\n0\n2\n1\n1\n2\n\"two\"\n";
    let t = read(short);
    assert_eq!(said(&t), [(0.25, Some("A"), "one"), (1.0, Some("B"), "two")]);
    assert!(t.word_times);
    assert!(Transcript::parse("x", &short[..short.len() - 12]).is_err());
}

#[test]
fn recognisers() {
    let whisper = r#"{"text":" Hi you","language":"en","segments":[{"id":0,"start":0.0,"end":1.0,"text":" Hi you","words":[{"word":" Hi","start":0.1,"end":0.3,"probability":0.9},{"word":" you","start":0.4,"end":0.6,"probability":0.8}]}]}"#;
    assert_eq!(said(&read(whisper)), [(0.1, None, "Hi"), (0.4, None, "you")]);
    let plain = r#"{"segments":[{"start":2.5,"end":4.0,"text":" Only a segment."}]}"#;
    assert_eq!(said(&read(plain)), [(2.5, None, "Only a segment.")]);
    let whisperx = r#"{"segments":[{"start":0.0,"end":1.0,"text":"In 1999","speaker":"SPEAKER_01","words":[{"word":"In","start":0.1,"end":0.3,"score":0.9,"speaker":"SPEAKER_01"},{"word":"1999"}]}],"word_segments":[]}"#;
    let t = read(whisperx);
    assert_eq!(said(&t), [(0.1, Some("SPEAKER_01"), "In"), (0.3, Some("SPEAKER_01"), "1999")]);
    let cpp = r#"{"result":{"language":"en"},"transcription":[{"timestamps":{"from":"00:00:01,000","to":"00:00:02,500"},"offsets":{"from":1000,"to":2500},"text":" Well."}]}"#;
    assert_eq!(said(&read(cpp)), [(1.0, None, "Well.")]);
    let deepgram = r#"{"metadata":{},"results":{"channels":[{"alternatives":[{"transcript":"hello there","words":[{"word":"hello","start":0.08,"end":0.4,"confidence":0.9,"speaker":0,"punctuated_word":"Hello"},{"word":"there","start":0.5,"end":0.7,"speaker":1,"punctuated_word":"there."}]}]}]}}"#;
    assert_eq!(said(&read(deepgram)), [(0.08, Some("0"), "Hello"), (0.5, Some("1"), "there.")]);
    let assembly = r#"{"id":"x","status":"completed","audio_duration":12,"words":[{"text":"Hi","start":250,"end":650,"speaker":"A"}],"utterances":[{"speaker":"A","text":"Hi","start":250,"end":650,"words":[{"text":"Hi","start":250,"end":650,"speaker":"A"}]}]}"#;
    assert_eq!(said(&read(assembly)), [(0.25, Some("A"), "Hi")]);
    let aws = r#"{"jobName":"j","results":{"transcripts":[{"transcript":"Yes."}],"speaker_labels":{"segments":[{"speaker_label":"spk_1","items":[{"start_time":"0.04","end_time":"0.4","speaker_label":"spk_1"}]}]},"items":[{"type":"pronunciation","start_time":"0.04","end_time":"0.4","alternatives":[{"confidence":"1","content":"Yes"}]},{"type":"punctuation","alternatives":[{"content":"."}]}]}}"#;
    assert_eq!(said(&read(aws)), [(0.04, Some("spk_1"), "Yes.")]);
}

#[test]
fn meetings_and_lists() {
    let teams = r#"{"version":"1.0","entries":[{"id":"1","text":"Good morning.","startOffset":"00:00:05.1300000","endOffset":"00:00:06","speakerDisplayName":"Ann B"}]}"#;
    assert_eq!(said(&read(teams)), [(5.13, Some("Ann B"), "Good morning.")]);
    let zoom = r#"{"timeline":[{"text":"Hello all","ts":"00:00:01.250","end_ts":"00:00:02.000","users":[{"username":"Cy","user_id":"1"}]}]}"#;
    assert_eq!(said(&read(zoom)), [(1.25, Some("Cy"), "Hello all")]);
    for list in [
        r#"[{"question":"Why?","answer":"So."},{"answer":"And."}]"#,
        "{\"question\":\"Why?\",\"answer\":\"So.\"}\n{\"answer\":\"And.\"}\n",
    ] {
        let list = read(list);
        assert_eq!(list.format, TranscriptFormat::Questions);
        assert_eq!(
            said(&list),
            [(0.0, Some("interviewer"), "Why?"), (0.0, Some("candidate"), "So."), (0.0, Some("candidate"), "And.")]
        );
    }
}

#[test]
fn what_is_no_transcript_is_refused_by_name() {
    for text in [
        "",
        "just some prose about nothing",
        "{\"a\": 1}",
        "{broken",
        "1\n00:00:09,000 --> 00:00:03,000\nbackwards",
        "WEBVTT\n\n",
    ] {
        let error = Transcript::parse("notes.txt", text).unwrap_err();
        assert!(error.to_string().starts_with("notes.txt: "), "{error}");
    }
    let limits = Limits { text_bytes: 3, ..Limits::default() };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "1234").unwrap();
    assert!(matches!(Transcript::read(file.path(), &limits), Err(Error::Limit { .. })));
}

#[test]
fn praat_writes_utf_16() {
    let bytes: Vec<u8> =
        std::iter::once(0xfeff_u16).chain("a 1 0 1 caf\u{e9}".encode_utf16()).flat_map(u16::to_be_bytes).collect();
    assert_eq!(text::decode(&bytes), ("a 1 0 1 caf\u{e9}".to_owned(), None));
}

#[test]
fn other_encodings_are_read_and_named() {
    let srt = "1\n00:00:01,000 --> 00:00:02,000\nZo\u{eb} M\u{fc}ller: caf\u{e9}\n";
    let file = tempfile::NamedTempFile::new().unwrap();
    let of = |bytes: &[u8]| {
        std::fs::write(file.path(), bytes).unwrap();
        let t = Transcript::read(file.path(), &Limits::default()).unwrap();
        assert_eq!(said(&t), [(1.0, Some("Zo\u{eb} M\u{fc}ller"), "caf\u{e9}")]);
        t.notes.into_iter().map(|n| (n.code, n.message)).collect::<Vec<_>>()
    };
    assert!(of(srt.as_bytes()).is_empty());
    let latin: Vec<u8> = srt.chars().map(|c| c as u8).collect();
    let found = of(&latin);
    assert_eq!((found.len(), found[0].0.as_str()), (1, "transcript_encoding"));
    assert!(found[0].1.contains("Windows-1252"), "{found:?}");
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let wide: Vec<u8> = srt.encode_utf16().flat_map(order).collect();
        assert!(of(&wide)[0].1.contains("UTF-16"));
    }
    // damaged, not written otherwise
    let broken = [srt.as_bytes(), b"2\n00:00:03,000 --> 00:00:04,000\nd\xc3"].concat();
    std::fs::write(file.path(), broken).unwrap();
    let t = Transcript::read(file.path(), &Limits::default()).unwrap();
    assert_eq!(t.utterances[0].text, "caf\u{e9}");
    assert!(t.notes[0].message.starts_with("1 signs"), "{:?}", t.notes);
}

fn captions(texts: &[&str]) -> String {
    let cue = |(n, text): (usize, &&str)| format!("{n}\n00:00:{n:02},000 --> 00:00:{n:02},900\n{text}\n\n");
    texts.iter().enumerate().map(cue).collect()
}

#[test]
fn whoever_speaks_is_known_by_what_stands_before_the_words() {
    for (bob, ann) in [
        ("Bob Jones", "Ann Smith (She/Her)"),
        ("Jones, Bob", "Smith, Ann"),
        ("Bob", "Ann O\u{2019}Neil"),
        ("bob jones", "ann smith"),
    ] {
        for dress in ["N: ", "N:", "- N: ", ">> N: ", "&gt;&gt; N: ", "[N] ", "[N]: "] {
            let say = |name: &str, words: &str| dress.replace('N', name) + words;
            let t = read(&captions(&[&say(bob, "Why this job?"), &say(ann, "I like it"), &say(ann, "a lot")]));
            assert_eq!(
                said(&t),
                [(0.0, Some(bob), "Why this job?"), (1.0, Some(ann), "I like it"), (2.0, Some(ann), "a lot")],
                "{dress}"
            );
        }
    }
    // two in one cue
    for two in ["- Bob: Why?\n- Ann: So.", ">> Bob: Why? >> Ann: So.", "[Bob] Why?\n>> [Ann] So."] {
        assert_eq!(read(&captions(&[two])).speakers(), ["Bob", "Ann"], "{two}");
    }
    // a dash of one's own begins nothing new
    assert_eq!(read(&captions(&["Ann: I went \u{2014}\n\u{2014} and left"])).utterances.len(), 1);
    for prose in ["see http://a.b/c", "[laughs] well", "at 10:30 we met", "the thing is: it rained"] {
        assert!(read(&captions(&[prose, "and so on", "and on", prose])).speakers().is_empty(), "{prose}");
    }
}

#[test]
fn a_broken_cue_costs_no_more_than_itself() {
    let good = captions(&["I left in 2019", "and moved", "on"]);
    assert!(read(&good).notes.is_empty());
    for broken in [
        "4\n00:00:10,600 --> 00:00:10,500\nyes\n",
        "4\n00:00:10,600 -> 00:00:11,500\nyes\n",
        "4\n00:00:1O,600 --> 00:00:11,500\nyes\n",
    ] {
        for text in [format!("{good}{broken}"), format!("WEBVTT\n\n{good}{broken}"), format!("{broken}\n{good}")] {
            let t = read(&text);
            assert_eq!(t.utterances.len(), 3, "{text}");
            assert_eq!((t.notes.len(), t.notes[0].code.as_str()), (1, "transcript_left_out"));
            assert!(t.notes[0].message.contains("1 part ") && t.notes[0].message.contains(",600 -"), "{:?}", t.notes);
        }
    }
    let most = "1\n00:00:09,000 --> 00:00:03,000\na\n\n".repeat(4) + &good;
    let error = Transcript::parse("x.srt", &most).unwrap_err().to_string();
    assert!(error.contains("x.srt") && error.contains("00:00:09,000 --> 00:00:03,000"), "{error}");
}

#[test]
fn a_header_without_a_blank_line_behind_it_costs_no_cue() {
    for header in ["WEBVTT", "WEBVTT - made up\nKind: captions"] {
        let t = read(&format!("{header}\n00:00.500 --> 00:04.000\n<v Ann>one</v>\n\n00:04.000 --> 00:05.000\ntwo\n"));
        assert_eq!(said(&t), [(0.5, Some("Ann"), "one"), (4.0, None, "two")]);
        assert!(t.notes.is_empty());
    }
}

proptest::proptest! {
    #[test]
    fn no_text_breaks_the_reader(
        text in "(WEBVTT\n\n|1\n|\"ooTextFile\" \"TextGrid\" |\\{|\\[)?[ -~\n\u{e9}\u{1f600}]{0,80}( --> )?[0-9:.\n<>\"\\[\\]{}v a-z]{0,60}"
    ) {
        if let Ok(read) = Transcript::parse("any", &text) {
            proptest::prop_assert!(read.utterances.windows(2).all(|u| u[0].span.start <= u[1].span.start));
        }
    }
}

#[test]
fn lines_of_whisper_cpp() {
    let t = read("\n[00:00:00.500 --> 00:00:02.000]   And so it went.\n[01:00:02.000 --> 01:00:04.250]  On [laughs]\n");
    assert_eq!(t.format, TranscriptFormat::Whisper);
    assert_eq!(said(&t), [(0.5, None, "And so it went."), (3602.0, None, "On [laughs]")]);
    let log = read("[00:00:00.500 --> 00:00:02.000] x\nmain: done");
    assert!(log.utterances.len() == 1 && log.notes[0].message.contains("main: done"), "{:?}", log.notes);
    let bad = Transcript::parse("bad", "[00:00:00.500 --> 00:00:02.000] x\nmain: done\nmain: gone").unwrap_err();
    assert!(bad.to_string().contains("main: done"), "{bad}");
}
