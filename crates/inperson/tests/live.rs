//! Calls whose clocks, rates and order are not as they should be: what is lost is named.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use inperson::media::AUDIO_RATE;
use inperson::{
    Analyzer, AudioChunk, Config, Finding, MediaInfo, Question, Reason, Report, Sample, Session, Span, Timestamp,
    Utterance, VideoFrame,
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
    let (mut call, mut resampler) =
        (session(&["capture"], false, true), inperson::media::Resampler::new(48_000).unwrap());
    for k in 0..200 {
        call.push(Sample::Audio(resampler.push(&[0.1; 960], Timestamp(k * 20_000)))).unwrap();
    }
    assert!((call.finish().unwrap().span.end.seconds() - 4.0).abs() < 0.01);
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
