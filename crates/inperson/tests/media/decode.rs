//! Decoding beside FFmpeg's own programs, on media made here.

use crate::common::{Decoded, Made, align, decode, drain, ffprobe_times};
use inperson::media::{FileSource, Limits, MediaOptions, PixelLayout, Rotation, Source};

const PICTURE: [&str; 4] = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=2"];
const SOUND: [&str; 4] = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=2"];

/// Frame times equal ffprobe's to a microsecond's rounding.
fn same_times(made: &Made, got: &Decoded) {
    let expected = ffprobe_times(made);
    let times: Vec<f64> = got.frames.iter().map(|f| f.at.seconds()).collect();
    assert_eq!(times.len(), expected.len(), "number of frames");
    for (index, (a, b)) in times.iter().zip(&expected).enumerate() {
        assert!((a - b).abs() < 2e-6, "frame {index} at {a}, ffprobe says {b}");
    }
}

#[test]
fn picture_and_sound_as_ffprobe_and_ffmpeg_see_them() {
    let made = Made::new("plain.mp4", &[&PICTURE[..], &SOUND, &["-c:v", "libx264", "-c:a", "aac"]].concat());
    let got = decode(&made).unwrap();
    same_times(&made, &got);
    assert!(got.ordered, "samples come in order of time");
    assert!(got.frames.iter().all(|f| f.packet_bytes > 0) && got.frames[0].key);
    let expected = made.sound();
    let (shift, correlation) = align(&got.sound(), &expected);
    assert!(correlation > 0.999 && shift.abs() <= 1, "correlation {correlation} at a shift of {shift}");
    let info = &got.info;
    let video = info.video.as_ref().unwrap();
    assert_eq!((video.codec.as_str(), video.width, video.height, video.frames), ("h264", 320, 180, 50));
    assert!(video.encoder.as_ref().is_some_and(|e| e.starts_with("x264 - core")), "{:?}", video.encoder);
    assert!(info.tags.contains_key("encoder") && info.structure.contains(&"moov".to_owned()));
    assert!(info.notes.is_empty() && !info.truncated, "{:?}", info.notes);
    assert!((info.seen_duration_s.unwrap() - 2.0).abs() < 0.06, "{:?}", info.seen_duration_s);
}

#[test]
fn variable_rate_rotation_odd_size_and_offset() {
    let select = ["-vf", "select='not(mod(n,3))+gt(n,30)',scale=161:91", "-fps_mode", "vfr"];
    let coded = ["-c:v", "libx264", "-pix_fmt", "yuv444p"];
    let made = Made::new("vfr.mkv", &[&PICTURE[..], &select, &coded].concat());
    let got = decode(&made).unwrap();
    same_times(&made, &got);
    assert_eq!((got.frames[0].width, got.frames[0].height), (161, 91));

    let plain = Made::new("upright.mp4", &[&PICTURE[..], &["-c:v", "libx264"]].concat());
    let input = plain.path.to_str().unwrap();
    let turned = Made::new("turned.mp4", &["-i", input, "-c", "copy", "-metadata:s:v", "rotate=90"]);
    let got = decode(&turned).unwrap();
    assert_eq!(got.frames[0].rotation, Rotation::ThreeQuarters);
    assert_eq!(got.frames[0].upright_size(), (180, 320));

    let late = [&PICTURE[..], &["-itsoffset", "0.5"], &SOUND, &["-c:v", "libx264", "-c:a", "aac"]].concat();
    let made = Made::new("late.mkv", &late);
    let got = decode(&made).unwrap();
    same_times(&made, &got);
    let start = got.chunks[0].at.seconds();
    assert!((start - 0.5).abs() < 0.05, "the sound starts at {start}");
    assert!((got.info.audio.as_ref().unwrap().start_s - 0.5).abs() < 0.05);
}

#[test]
fn layouts_and_interlacing() {
    for (codec, format, layout) in [
        ("ffv1", "yuv422p10le", PixelLayout::Yuv { sub_x: 1, sub_y: 0, full_range: false }),
        ("ffv1", "bgra", PixelLayout::Rgb),
        ("ffv1", "gray", PixelLayout::Grey { full_range: true }),
        ("mjpeg", "yuvj420p", PixelLayout::Yuv { sub_x: 1, sub_y: 1, full_range: true }),
    ] {
        let coded = ["-c:v", codec, "-pix_fmt", format, "-t", "0.2"];
        let made = Made::new("layout.mkv", &[&PICTURE[..], &coded].concat());
        let got = decode(&made).unwrap();
        assert_eq!(std::mem::discriminant(&got.frames[0].layout), std::mem::discriminant(&layout), "{format}");
        assert_eq!(got.frames.len(), 5, "{format}");
    }
    let fields = ["-vf", "interlace", "-c:v", "libx264", "-flags", "+ildct+ilme", "-t", "0.4"];
    let made = Made::new("fields.mkv", &[&PICTURE[..], &fields].concat());
    let got = decode(&made).unwrap();
    assert!(got.info.video.as_ref().unwrap().interlaced && got.has_note("deinterlaced"));
}

#[test]
fn a_file_cut_off_gives_what_is_there_and_says_so() {
    let start = ["-c:v", "libx264", "-g", "5", "-c:a", "aac", "-movflags", "+faststart"];
    let made = Made::new("whole.mp4", &[&PICTURE[..], &SOUND, &start].concat());
    let bytes = std::fs::read(&made.path).unwrap();
    let cut = made.with("cut.mp4", &bytes[..bytes.len() * 6 / 10]);
    let got = decode(&cut).unwrap();
    assert!((5..50).contains(&got.frames.len()), "{} frames", got.frames.len());
    assert!(got.info.truncated && got.has_note("truncated"), "{:?}", got.info.notes);
    let opened = FileSource::open(&cut.path, &Limits::default(), &MediaOptions::default()).unwrap();
    assert!(opened.info().truncated, "known before it is decoded");
    let whole = Made::new("whole.mkv", &["-i", made.path.to_str().unwrap(), "-c", "copy"]);
    let bytes = std::fs::read(&whole.path).unwrap();
    let got = decode(&made.with("cut.mkv", &bytes[..bytes.len() * 4 / 10])).unwrap();
    assert!(got.has_note("truncated"), "{:?}", got.info.notes);
}

#[test]
fn sound_tracks_size_changes_and_resets() {
    let other = ["-f", "lavfi", "-i", "sine=frequency=880:sample_rate=8000:duration=1"];
    let both = [&SOUND[..], &other, &["-map", "0:a", "-map", "1:a", "-c:a", "pcm_s16le"]].concat();
    let made = Made::new("tracks.mkv", &both);
    let options = MediaOptions { audio_track: Some(1), threads: 1, ..MediaOptions::default() };
    let got = drain(FileSource::open(&made.path, &Limits::default(), &options).unwrap()).unwrap();
    assert!((got.sound().len() as i64 - 16_000).abs() < 20, "{} samples", got.sound().len());
    let options = MediaOptions { audio_track: Some(2), threads: 1, ..MediaOptions::default() };
    let error = FileSource::open(&made.path, &Limits::default(), &options).unwrap_err().to_string();
    assert!(error.contains("sound track 2") && error.contains("has 2"), "{error}");

    let coded = ["-c:v", "libx264", "-c:a", "aac"];
    let small = Made::new("a.ts", &[&PICTURE[..], &SOUND, &coded].concat());
    let large = Made::new("b.ts", &[&PICTURE[..], &SOUND, &["-s", "480x270"], &coded].concat());
    let joined = [std::fs::read(&small.path).unwrap(), std::fs::read(&large.path).unwrap()].concat();
    let got = decode(&small.with("joined.ts", &joined)).unwrap();
    assert!(got.has_note("size_changed") && got.has_note("timestamps_repaired"), "{:?}", got.info.notes);
    let last = got.frames.last().unwrap().at.seconds();
    assert!(got.ordered && (3.5..4.5).contains(&last), "the last frame is at {last}");
}

#[test]
fn bad_input_is_one_line_that_names_the_file() {
    let made = Made::new("good.mp4", &[&PICTURE[..], &["-c:v", "libx264", "-t", "0.2"]].concat());
    let bytes = std::fs::read(&made.path).unwrap();
    let noise: Vec<u8> = (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let silent = Made::new("silent.wav", &["-f", "lavfi", "-i", "anullsrc", "-t", "0"]);
    let words = made.with("none.srt", b"1\n00:00:00,000 --> 00:00:01,000\nwords\n");
    let pipe = made.missing("pipe.mp4");
    assert!(std::process::Command::new("mkfifo").arg(&pipe.path).status().unwrap().success());
    let huge = ["-f", "lavfi", "-i", "color=size=16000x16000:rate=1:duration=1", "-c:v", "mjpeg"];
    let cases = [
        (made.with("empty.mp4", b""), "empty"),
        (made.with("text.mp4", b"This is not a video at all, only a few words.\n"), "not media"),
        (made.with("noise.mp4", &noise), "not media"),
        (made.with("unfinished.mp4", &bytes[..bytes.len() - 1200]), "moov"),
        (words, "no picture stream and no sound stream"),
        (silent, "no picture and no sound"),
        (made.missing("folder.mp4").folder(), "folder"),
        (pipe, "pipe"),
        (Made::new("huge.avi", &huge), "16000x16000"),
        (Made::sized_zero("zero.avi"), "no picture and no sound"),
        (made.missing("missing.mp4"), "No such file"),
    ];
    for (case, reason) in cases {
        let started = std::time::Instant::now();
        let error = decode(&case).err().unwrap_or_else(|| panic!("{:?} was taken", case.path)).to_string();
        let name = case.path.file_name().unwrap().to_str().unwrap();
        assert!(error.contains(name) && error.contains(reason) && !error.contains('\n'), "{name}: {error}");
        assert!(started.elapsed().as_secs() < 3, "{name} took {:?}", started.elapsed());
    }
}

#[test]
fn damaged_bytes_never_panic_or_hang() {
    let coded = ["-c:v", "libx264", "-g", "10", "-c:a", "aac"];
    for name in ["a.mp4", "a.mkv", "a.ts", "a.avi", "a.flv"] {
        let made = Made::new(name, &[&PICTURE[..], &SOUND, &coded].concat());
        let whole = std::fs::read(&made.path).unwrap();
        let mut state = 7_u64;
        for round in 0..12_usize {
            let mut bytes = whole.clone();
            for _ in 0..1 << round {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // half of the rounds harm the headers alone
                let reach = if round % 2 == 0 { bytes.len() } else { 2_000 };
                let at = (state >> 33) as usize % reach;
                bytes[at] = (state >> 20) as u8;
            }
            if round % 3 == 2 {
                bytes.truncate((state >> 40) as usize % whole.len());
            }
            let started = std::time::Instant::now();
            let outcome = decode(&made.with("damaged", &bytes));
            assert!(started.elapsed().as_secs() < 10, "{name}, round {round}");
            if let Err(error) = outcome {
                assert!(error.to_string().contains("damaged") && !error.to_string().contains('\n'), "{error}");
            }
        }
    }
}

#[test]
fn limits_are_kept_and_named() {
    let made = Made::new("long.mp4", &[&PICTURE[..], &SOUND, &["-c:v", "libx264", "-c:a", "aac"]].concat());
    let raw = Made::new("long.h264", &["-i", made.path.to_str().unwrap(), "-c", "copy", "-an"]);
    let limited = |made: &Made, change: &dyn Fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        let got = FileSource::open(&made.path, &limits, &MediaOptions::default()).and_then(drain);
        got.err().map(|e| e.to_string()).unwrap_or_default()
    };
    for (made, error, words) in [
        (&made, limited(&made, &|l| l.pixels = 320 * 180 - 1), "its frame size is 320x180 pixels, over the limit"),
        (&made, limited(&made, &|l| l.duration_s = 1.0), "its duration is 2 s, over the limit of 1 s"),
        (&made, limited(&made, &|l| l.streams = 1), "its number of streams is 2, over the limit of 1"),
        (&raw, limited(&raw, &|l| l.duration_s = 1.0), "its duration is more than 1 s"),
    ] {
        assert!(error.contains(words) && error.contains(made.path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn streams_without_times_and_cover_pictures() {
    let made = Made::new("plain.h264", &[&PICTURE[..], &["-c:v", "libx264"]].concat());
    let got = decode(&made).unwrap();
    assert!(got.ordered && got.frames.len() == 50 && got.has_note("timestamps_repaired"), "{:?}", got.info.notes);
    let last = got.frames.last().unwrap().at.seconds();
    assert!((last - 1.96).abs() < 0.1, "the last frame is at {last}");

    let cover = ["-map", "0:a", "-map", "1:v", "-c:a", "aac", "-c:v", "mjpeg", "-frames:v", "1"];
    let disposed = ["-disposition:v", "attached_pic"];
    let made = Made::new("song.m4a", &[&SOUND[..], &PICTURE, &cover, &disposed].concat());
    let got = decode(&made).unwrap();
    assert!(got.info.video.is_none() && got.frames.is_empty() && got.sound().len() > 30_000);

    let made = Made::new("old.avi", &[&PICTURE[..], &SOUND, &["-c:v", "mpeg4", "-c:a", "mp3"]].concat());
    let got = decode(&made).unwrap();
    same_times(&made, &got);
    assert!(got.frames.iter().all(|f| f.packet_bytes > 0) && got.info.structure.contains(&"AVI".to_owned()));
}

#[test]
fn sources_go_from_thread_to_thread() {
    fn sent<T: Send>() {}
    sent::<FileSource>();
    sent::<inperson::media::MemorySource>();
}

#[test]
fn a_stream_without_a_decoder_is_named_and_the_other_one_is_read() {
    let coded = ["-c:v", "libx264", "-c:a", "libopus", "-b:a", "32k"];
    let made = Made::new("known.mkv", &[&PICTURE[..], &SOUND, &coded].concat());
    let bytes = std::fs::read(&made.path).unwrap();
    for (codec, code) in [(&b"A_OPUS"[..], "no_sound"), (b"V_MPEG4/ISO/AVC", "no_pictures")] {
        let mut changed = bytes.clone();
        let at = changed.windows(codec.len()).position(|w| w == codec).unwrap();
        changed[at + 2..at + codec.len()].fill(b'X');
        let got = decode(&made.with("unknown.mkv", &changed)).unwrap();
        assert!(got.has_note(code), "{code}: {:?}", got.info.notes);
        assert_eq!(got.frames.is_empty(), code == "no_pictures");
        assert_eq!(got.chunks.is_empty(), code == "no_sound");
    }
}

#[test]
fn one_channel_of_two_can_be_heard_and_two_people_are_named() {
    // left speaks for five seconds, then right
    let turns = "aevalsrc=0.2*sin(2764*t)*lt(t\\,5)|0.2*sin(5529*t)*gte(t\\,5):s=48000:d=10";
    let made = Made::new("two.wav", &["-f", "lavfi", "-i", turns]);
    let (mut levels, mut notes) = (Vec::new(), Vec::new());
    for audio_channel in [None, Some(0), Some(1)] {
        let options = MediaOptions { audio_channel, ..MediaOptions::default() };
        let got = drain(FileSource::open(&made.path, &Limits::default(), &options).unwrap()).unwrap();
        let sound = got.sound();
        let half = sound.len() / 2;
        let level = |s: &[f32]| (s.iter().map(|v| v * v).sum::<f32>() / s.len() as f32).sqrt() > 0.05;
        levels.push([level(&sound[..half - 800]), level(&sound[half + 800..])]);
        notes.push(got.has_note("channels_differ"));
    }
    assert_eq!(levels, [[true, true], [true, false], [false, true]]);
    assert_eq!(notes, [true, false, false]);
    let options = MediaOptions { audio_channel: Some(2), ..MediaOptions::default() };
    let error = FileSource::open(&made.path, &Limits::default(), &options).unwrap_err().to_string();
    assert!(error.contains("channel 2") && error.contains("has 2"), "{error}");
}

#[test]
fn frames_are_damaged_from_an_error_to_the_next_key_frame() {
    let coded = ["-c:v", "libx264", "-g", "10", "-bf", "0", "-sc_threshold", "0"];
    let made = Made::new("whole.mp4", &[&PICTURE[..], &coded].concat());
    assert!(decode(&made).unwrap().frames.iter().all(|f| !f.damaged));
    let mut bytes = std::fs::read(&made.path).unwrap();
    // a stretch in the middle of the pictures
    let middle = bytes.len() / 2;
    bytes[middle..middle + 400].iter_mut().enumerate().for_each(|(i, b)| *b = (i * 97 % 251) as u8);
    let got = decode(&made.with("damaged.mp4", &bytes)).unwrap();
    let damaged: Vec<bool> = got.frames.iter().map(|f| f.damaged).collect();
    let first = damaged.iter().position(|d| *d).expect("damage is seen");
    let last = damaged.iter().rposition(|d| *d).unwrap();
    assert!(first > 5 && last < got.frames.len() - 5 && damaged[first..=last].iter().all(|d| *d), "{damaged:?}");
    assert!(got.frames[last + 1].key, "{damaged:?}");
}

#[test]
fn of_several_tracks_it_is_said_which_is_heard() {
    let both = ["-map", "0:v", "-map", "1:a", "-map", "1:a", "-c:v", "libx264", "-c:a", "aac"];
    let made = Made::new("tracks.mkv", &[&PICTURE[..], &SOUND, &both].concat());
    assert!(decode(&made).unwrap().has_note("other_sound"));
    let options = MediaOptions { audio_track: Some(1), ..MediaOptions::default() };
    let asked = drain(FileSource::open(&made.path, &Limits::default(), &options).unwrap()).unwrap();
    assert!(!asked.has_note("other_sound"), "who asks for a track knows of it");
}
