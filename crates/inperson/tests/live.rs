//! Calls whose clocks, rates and order are not as they should be: what is lost is named.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use inperson::media::AUDIO_RATE;
use inperson::{
    Analyzer, AudioChunk, Config, Event, Finding, MediaInfo, Question, Reason, Report, Sample, Session, Span,
    Timestamp, Utterance, VideoFrame,
};

fn session(checks: &[&str], video: bool, audio: bool) -> Session {
    let mut config = Config::default();
    config.checks = checks.iter().map(|c| (*c).to_owned()).collect();
    Analyzer::new(config).unwrap().session(MediaInfo::live("call", video, audio)).unwrap()
}

/// A picture that is never the same.
fn picture(at: i64) -> Sample {
    let byte = |i: i64| ((i * 31 + at / 40_000 * 17) % 251) as u8;
    let rgb = (0..64 * 36 * 3).map(byte).collect();
    Sample::Video(VideoFrame::from_rgb(Timestamp(at), 64, 36, rgb).unwrap())
}

/// So many samples of a tone, first heard at `at` plus `off`.
fn sound(at: i64, off: i64, samples: usize) -> Sample {
    let tone = |i: usize| 0.2 * ((at as f32 / 1e6 + i as f32 / AUDIO_RATE as f32) * 1500.0).sin();
    Sample::Audio(AudioChunk { at: Timestamp(at + off), samples: (0..samples).map(tone).collect() })
}

fn notes(report: &Report) -> Vec<&str> {
    report.media.notes.iter().map(|n| n.code.as_str()).collect()
}

#[test]
fn a_stream_that_comes_too_late_is_named() {
    let mut call = session(&["capture"], true, true);
    (0..600).for_each(|k| drop(call.push(sound(k * 20_000, 0, 320)).unwrap()));
    (0..300).for_each(|k| drop(call.push(picture(k * 40_000)).unwrap()));
    let report = call.finish().unwrap();
    assert!(notes(&report).contains(&"video_late"), "{:?}", report.media.notes);
    assert!(report.assessment.questions[&Question::Capture].coverage < 0.95);
}

#[test]
fn sound_of_another_rate_is_refused_and_resampled_sound_is_not() {
    let mut call = session(&["capture"], false, true);
    let refused = (0..200).find_map(|k| call.push(sound(k * 20_000, 0, 960)).err()).expect("an error").to_string();
    assert!(refused.contains("3.0 times") && refused.contains("16000 Hz"), "{refused}");
    // 8 kHz, said to be 16: every chunk ends halfway to the next
    let mut call = session(&["capture"], false, true);
    let refused = (0..200).find_map(|k| call.push(sound(k * 20_000, 0, 160)).err()).expect("an error").to_string();
    assert!(refused.contains("0.5 times") && refused.contains("16000 Hz"), "{refused}");
    // it goes on once the rate is right
    let taken = (200..400).filter(|k| call.push(sound(k * 20_000, 0, 320)).is_ok()).count();
    assert!(taken > 150, "{taken}");
    let (mut call, mut resampler) =
        (session(&["capture"], false, true), inperson::media::Resampler::new(48_000).unwrap());
    for k in 0..200 {
        call.push(Sample::Audio(resampler.push(&[0.1; 960], Timestamp(k * 20_000)))).unwrap();
    }
    assert!((call.finish().unwrap().span.end.seconds() - 4.0).abs() < 0.01);
}

#[test]
fn a_clock_that_begins_again_is_told_once() {
    let mut call = session(&["capture"], false, true);
    let mut told = |from: i64, off: i64| {
        let events = (from..from + 1_000).flat_map(|k| call.push(sound(k * 20_000, off, 320)).unwrap());
        events.filter_map(|e| if let Event::Late { at } = e { Some(at) } else { None }).collect::<Vec<_>>()
    };
    assert_eq!(told(0, 0), []);
    // the second connection counts from 0 again, until the caller adds what passed
    assert_eq!(told(0, 0), [Timestamp(80_000)]);
    assert_eq!(told(1_000, 0), []);
    assert!(notes(&call.finish().unwrap()).contains(&"audio_late"));
}

#[test]
fn packets_that_are_lost_or_not_sent_are_no_other_rate() {
    let told = |comes: fn(i64) -> bool| {
        let mut call = session(&["capture"], false, true);
        (0..1_000)
            .filter(|&k| comes(k))
            .filter(|k| call.push(sound(k * 20_000, k * 7_919 % 5_000, 320)).is_err())
            .count()
    };
    // half lost at random, bursts of speech of two packets, one packet in ten as in silence
    for comes in [|k: i64| k * k % 7 < 3, |k| k % 4 < 2, |k| k % 10 == 0 || k > 300] {
        assert_eq!(told(comes), 0);
    }
}

#[test]
fn clocks_that_jitter_leave_no_holes() {
    let told = |jitter: i64| {
        let mut call = session(&["capture", "channel"], false, true);
        (0..500).for_each(|k| drop(call.push(sound(k * 20_000, (k * 7_919) % (jitter + 1), 320)).unwrap()));
        let report = call.finish().unwrap();
        report.evidence.iter().map(|e| (e.code.to_string(), e.span)).collect::<Vec<_>>()
    };
    assert_eq!(told(0), told(20_000));
}

#[test]
fn words_that_come_after_the_last_sound_are_heard_and_later_ones_named() {
    let said = |from: i64, to: i64| {
        let span = Span::new(Timestamp(from), Timestamp(to));
        Sample::Text(Utterance { span, speaker: None, text: "words ".repeat(120) })
    };
    let mut call = session(&["answers"], false, true);
    (0..10).for_each(|k| drop(call.push(sound(k * 1_000_000, 0, 16_000)).unwrap()));
    call.push(said(200_000, 9_000_000)).unwrap();
    call.push(said(11_000_000, 12_000_000)).unwrap();
    let report = call.finish().unwrap();
    let wording = report.evidence.iter().find(|e| e.code == "answers.wording").unwrap();
    assert!(!matches!(wording.finding, Finding::Abstain { reason: Reason::NoTranscript }), "{wording:?}");
    assert!(report.media.notes.iter().any(|n| n.message.starts_with("1 utterances")), "{:?}", report.media.notes);
}

#[test]
fn a_camera_that_sends_nothing_was_not_judged_and_a_call_is_described() {
    let mut call = session(&["capture"], true, true);
    (0..600).for_each(|k| drop(call.push(sound(k * 20_000, 0, 320)).unwrap()));
    let report = call.finish().unwrap();
    assert!(notes(&report).contains(&"no_pictures"));
    assert!((report.assessment.questions[&Question::Capture].coverage - 0.5).abs() < 0.1);
    let mut call = session(&["capture"], true, false);
    (0..250).for_each(|k| drop(call.push(picture(k * 40_000)).unwrap()));
    let media = call.finish().unwrap().media;
    let seen = media.video.unwrap();
    assert_eq!((seen.frames, seen.width, seen.height, seen.frame_rate.round()), (250, 64, 36, 25.0));
    assert!(media.notes.is_empty() && (media.seen_duration_s.unwrap() - 10.0).abs() < 0.1);
}

#[test]
fn one_stamp_far_ahead_is_left_out_and_named() {
    let told = |wrong: bool| {
        let mut call = session(&["capture"], true, true);
        for k in 0..300 {
            if wrong && k == 150 {
                call.push(picture(3_600_000_000)).unwrap();
                call.push(sound(7_200_000_000, 0, 320)).unwrap();
            }
            call.push(picture(k * 40_000)).unwrap();
            call.push(sound(k * 40_000, 0, 640)).unwrap();
        }
        call.finish().unwrap()
    };
    let (right, wrong) = (told(false), told(true));
    assert_eq!((wrong.span, &wrong.evidence), (right.span, &right.evidence));
    assert!(notes(&right).is_empty(), "{:?}", right.media.notes);
    let note = wrong.media.notes.iter().find(|n| n.code == "time_ahead").expect("a note");
    assert!(note.message.starts_with("2 "), "{}", note.message);
}

#[test]
fn a_camera_of_another_clock_leaves_the_sound_to_be_judged() {
    let mut call = session(&["capture", "channel"], true, true);
    for k in 0..300 {
        call.push(sound(k * 40_000, 0, 640)).unwrap();
        call.push(picture(3_600_000_000 + k * 40_000)).unwrap();
    }
    let report = call.finish().unwrap();
    assert!((report.span.end.seconds() - 12.0).abs() < 0.1, "{}", report.span.end);
    assert!(notes(&report).contains(&"time_ahead") && notes(&report).contains(&"no_pictures"), "{:?}", notes(&report));
}

#[test]
fn a_call_that_goes_on_after_a_silence_is_heard_again() {
    let mut call = session(&["capture"], true, true);
    for k in (0..250).chain(1_000..1_250) {
        call.push(picture(k * 40_000)).unwrap();
        call.push(sound(k * 40_000, 0, 640)).unwrap();
    }
    let report = call.finish().unwrap();
    assert!((report.span.end.seconds() - 50.0).abs() < 0.1, "{}", report.span.end);
    assert!(!notes(&report).contains(&"time_ahead"), "{:?}", notes(&report));
    assert_eq!(report.media.video.unwrap().frames, 500);
}

#[test]
fn a_stream_that_nobody_declared_is_judged_and_reported_as_it_came() {
    let mut call = session(&["capture", "lipsync"], false, true);
    for k in 0..200 {
        call.push(sound(k * 40_000, 0, 640)).unwrap();
        call.push(picture(k * 40_000)).unwrap();
    }
    let report = call.finish().unwrap();
    let video = report.media.video.as_ref().expect("a picture stream");
    assert_eq!((video.frames, video.width, video.height), (200, 64, 36));
    let lips = report.not_judged.iter().find(|n| n.question == Question::Sync).expect("no lips were seen");
    assert_ne!(lips.reason, Reason::NoVideo);
}

#[test]
fn sound_of_a_clock_that_starts_again_is_late_and_not_of_another_rate() {
    let mut call = session(&["capture"], false, true);
    for k in (0..1_000).chain(0..500) {
        call.push(sound(k * 20_000, 0, 320)).unwrap();
    }
    let report = call.finish().unwrap();
    assert!(notes(&report).contains(&"audio_late"), "{:?}", notes(&report));
}

#[test]
fn a_frame_whose_size_was_changed_is_refused_and_the_call_goes_on() {
    let mut call = session(&["capture"], true, false);
    let Sample::Video(mut frame) = picture(0) else { unreachable!() };
    frame.height = 720;
    let error = call.push(Sample::Video(frame)).unwrap_err().to_string();
    assert!(error.contains("720"), "{error}");
    (0..50).for_each(|k| drop(call.push(picture(k * 40_000)).unwrap()));
    assert_eq!(call.finish().unwrap().media.video.unwrap().frames, 50);
}

#[test]
fn levels_that_contradict_each_other_and_names_without_letters_are_refused() {
    let mut config = Config::default();
    config.fusion.review_at = 0.9;
    assert!(Analyzer::new(config).unwrap_err().to_string().contains("review_at"));
    let mut config = Config::default();
    config.speaker = Some(" ".to_owned());
    assert!(config.validate().unwrap_err().to_string().contains("speaker"));
}
