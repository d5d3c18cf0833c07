//! The whole house on media made in memory: no file, no decoder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use inperson::media::AUDIO_RATE;
use inperson::{
    Action, Analyzer, AudioChunk, Config, Error, Event, MediaInfo, Reason, Report, Sample, Timestamp, VideoFrame,
};

const SIZE: (u32, u32) = (160, 90);
const STEP: i64 = 40_000;

/// Blobs that wander without repeating: `seed` names the walk.
fn wandering(frames: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut state = seed;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from((state >> 33) as u32) / f64::from(u32::MAX >> 1) - 0.5
    };
    let mut blobs: Vec<[f64; 4]> = (0..5).map(|i| [20.0 + 28.0 * f64::from(i), 45.0, 0.0, 0.0]).collect();
    (0..frames)
        .map(|_| {
            let mut rgb = vec![90_u8; (SIZE.0 * SIZE.1 * 3) as usize];
            for blob in &mut blobs {
                for axis in 0..2 {
                    let limit = f64::from(if axis == 0 { SIZE.0 } else { SIZE.1 });
                    blob[2 + axis] = 0.9f64.mul_add(blob[2 + axis], 2.5 * random());
                    blob[axis] = (blob[axis] + blob[2 + axis]).clamp(8.0, limit - 9.0);
                }
                for y in -8..=8 {
                    for x in -8..=8 {
                        let at = (blob[1] as i64 + y) * i64::from(SIZE.0) + blob[0] as i64 + x;
                        rgb[3 * at as usize..][..3].fill(220);
                    }
                }
            }
            rgb
        })
        .collect()
}

fn media(video: bool, audio: bool) -> MediaInfo {
    MediaInfo::live("memory", video, audio)
}

fn video(pictures: &[Vec<u8>]) -> Vec<Sample> {
    pictures
        .iter()
        .enumerate()
        .map(|(i, rgb)| {
            Sample::Video(VideoFrame::from_rgb(Timestamp(i as i64 * STEP), SIZE.0, SIZE.1, rgb.clone()).unwrap())
        })
        .collect()
}

fn analyzer() -> Analyzer {
    Analyzer::new(Config::default()).unwrap()
}

fn report(info: MediaInfo, samples: Vec<Sample>) -> Report {
    run(&analyzer(), info, samples)
}

/// By the check `capture` alone, which needs no person.
fn capture_alone(prior: f64, samples: Vec<Sample>) -> Report {
    let mut config = Config::default();
    (config.fusion.prior, config.checks) = (prior, vec!["capture".to_owned()]);
    run(&Analyzer::new(config).unwrap(), media(true, false), samples)
}

fn run(analyzer: &Analyzer, info: MediaInfo, samples: Vec<Sample>) -> Report {
    let mut session = analyzer.session(info).unwrap();
    for sample in samples {
        session.push(sample).unwrap();
    }
    session.finish().unwrap()
}

fn codes(report: &Report) -> Vec<&str> {
    report.evidence.iter().map(|e| e.code.as_ref()).collect()
}

/// A tone with a pulse, in chunks of the given sizes in turn.
fn sound(seconds: f64, sizes: &[usize]) -> Vec<Sample> {
    let total = (seconds * f64::from(AUDIO_RATE)) as usize;
    let all: Vec<f32> = (0..total)
        .map(|i| {
            let t = i as f32 / AUDIO_RATE as f32;
            0.3 * (t * 220.0 * std::f32::consts::TAU).sin() * (t * 4.0 * std::f32::consts::TAU).sin().max(0.0)
        })
        .collect();
    let mut out = Vec::new();
    let mut at = 0;
    for size in sizes.iter().cycle() {
        if at >= total {
            break;
        }
        let end = (at + size).min(total);
        let start = Timestamp::from_seconds(at as f64 / f64::from(AUDIO_RATE));
        out.push(Sample::Audio(AudioChunk { at: start, samples: all[at..end].into() }));
        at = end;
    }
    out
}

#[test]
fn a_stretch_played_twice_is_found_at_its_lag_and_an_endless_walk_is_not() {
    let walk = wandering(500, 7);
    let mut looped = walk[..200].to_vec();
    looped.extend_from_slice(&walk[..200]);
    let found = report(media(true, false), video(&looped));
    let item = found.evidence.iter().find(|e| e.code == "capture.loop").expect("the loop");
    assert!((item.facts["lag_s"] - 8.0).abs() < 0.15, "{:?}", item.facts);
    // nobody is seen in it, so that it weighs little
    assert!(item.llr() == Some(1.0) && item.facts["repeated_s"] > 6.0);
    assert_eq!(found.assessment.overall.llr, item.llr());
    assert!(!codes(&report(media(true, false), video(&walk))).contains(&"capture.loop"));
}

#[test]
fn a_clip_that_goes_round_is_a_loop_and_a_swing_is_not() {
    let round: Vec<Vec<u8>> = wandering(200, 11).into_iter().cycle().take(1000).collect();
    let found = report(media(true, false), video(&round));
    let item = found.evidence.iter().find(|e| e.code == "capture.loop").expect("the loop");
    assert!((item.facts["lag_s"] - 8.0).abs() < 0.15, "{:?}", item.facts);
    // four blobs that swing at rates of their own, as fans and trees do
    let swing: Vec<Vec<u8>> = (0..750)
        .map(|i| {
            let mut rgb = vec![90_u8; (SIZE.0 * SIZE.1 * 3) as usize];
            for (k, period) in [0.8, 0.9, 1.1, 1.3].into_iter().enumerate() {
                let phase = f64::from(i) * 0.04 / period * std::f64::consts::TAU;
                let x = (25.0 + 36.0 * k as f64 + 12.0 * phase.sin()) as usize;
                for y in 35..55 {
                    rgb[3 * (y * SIZE.0 as usize + x - 8)..][..48].fill(220);
                }
            }
            rgb
        })
        .collect();
    assert!(!codes(&report(media(true, false), video(&swing))).contains(&"capture.loop"));
}

#[test]
fn a_frozen_picture_is_named_with_its_time() {
    let mut pictures = wandering(250, 3);
    for i in 100..175 {
        pictures[i] = pictures[99].clone();
    }
    let found = report(media(true, false), video(&pictures));
    let item = found.evidence.iter().find(|e| e.code == "capture.frozen").expect("the freeze");
    assert_eq!((item.span.start, item.span.end), (Timestamp(99 * STEP), Timestamp(174 * STEP)));
    assert!(item.llr().unwrap() < 0.5, "networks freeze too");
}

#[test]
fn a_live_call_is_told_of_moments_and_of_what_all_so_far_amounts_to() {
    let raised = |pictures: &[Vec<u8>]| -> Vec<String> {
        let mut session = analyzer().session(media(true, false)).unwrap();
        let events = video(pictures).into_iter().flat_map(|s| session.push(s).unwrap());
        events
            .filter_map(|e| match e {
                Event::Raised { code, llr, .. } => Some((llr > 0.0).then_some(code).expect("evidence for an attack")),
                _ => None,
            })
            .collect()
    };
    let walk = wandering(500, 7);
    assert_eq!(raised(&walk), Vec::<String>::new());
    // a loop is concluded from the whole, a freeze is a moment
    assert_eq!(raised(&[&walk[..200], &walk[..200], &walk[..100]].concat()), ["capture.loop"]);
    let mut frozen = walk;
    for i in 100..175 {
        frozen[i] = frozen[99].clone();
    }
    assert_eq!(raised(&frozen), ["capture.frozen"]);
}

#[test]
fn a_sample_of_a_wrong_clock_or_size_is_refused_and_the_call_goes_on() {
    let mut config = Config::default();
    config.limits.pixels = u64::from(SIZE.0 * SIZE.1);
    let mut session = Analyzer::new(config).unwrap().session(media(true, true)).unwrap();
    let frame = |at, (width, height): (u32, u32)| {
        Sample::Video(VideoFrame::from_rgb(at, width, height, vec![0; (width * height * 3) as usize]).unwrap())
    };
    let sound = |at| Sample::Audio(AudioChunk { at, samples: vec![0.0; 160].into() });
    // microseconds since 1970 in place of those since the call began
    let now = Timestamp(1_764_000_000_000_000);
    for (sample, what) in [
        (frame(now, SIZE), "its duration"),
        (sound(now), "its duration"),
        (sound(Timestamp(i64::MAX)), "its duration"),
        (frame(Timestamp::ZERO, (SIZE.0, SIZE.1 + 1)), "its frame size"),
    ] {
        let refused = session.push(sample).unwrap_err();
        assert!(matches!(refused, Error::Limit { .. }) && refused.to_string().contains(what), "{refused}");
    }
    for sample in video(&wandering(60, 2)).into_iter().chain((0..250).map(|i| sound(Timestamp(i * 10_000)))) {
        session.push(sample).unwrap();
    }
    assert_eq!(session.analysed(), Timestamp(2_000_000));
}

#[test]
fn values_that_would_break_the_fusion_are_refused() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        Analyzer::new(config).unwrap_err().to_string()
    };
    assert!(refused(|c| _ = c.fusion.caps.insert(inperson::Question::Face, -1.0)).contains("cap of `face`"));
    assert!(refused(|c| _ = c.fusion.caps.insert(inperson::Question::Face, f64::NAN)).contains("cap of `face`"));
    assert!(refused(|c| c.fusion.review_at = 1.5).contains("review_at"));
    assert!(refused(|c| c.limits.duration_s = f64::NAN).contains("duration_s"));
}

#[test]
fn the_cut_of_the_samples_changes_nothing() {
    let pictures = video(&wandering(120, 5));
    let whole = |sizes: &[usize]| {
        let mut samples = pictures.clone();
        samples.extend(sound(4.8, sizes));
        samples.sort_by_key(|s| match s {
            Sample::Video(f) => f.at,
            Sample::Audio(a) => a.at,
            _ => Timestamp::ZERO,
        });
        report(media(true, true), samples).to_json().unwrap()
    };
    let one = whole(&[1024]);
    assert_eq!(one, whole(&[1, 333, 16_000, 7]));
    assert_eq!(one, whole(&[80_000]));
}

#[test]
fn too_little_is_not_no_concern() {
    let short = report(media(true, false), video(&wandering(20, 1)));
    assert_eq!(short.assessment.action, Action::NotEnoughToJudge);
    assert!(short.assessment.overall.abstained && short.assessment.overall.llr.is_none());
    let (asked, not_asked): (Vec<_>, Vec<_>) =
        short.not_judged.iter().map(|n| (n.code.as_str(), n.reason)).partition(|n| n.1 != Reason::NotRun);
    let want = [
        ("answers.wording", Reason::NoTranscript),
        ("capture.all", Reason::TooShort),
        ("face.manipulated", Reason::NoFace),
        ("lipsync.mismatch", Reason::NoAudio),
        ("voice.synthetic", Reason::NoAudio),
    ];
    assert_eq!(asked, want);
    // every question is either judged, abstained from, or said not to have been asked
    let questions = &short.assessment.questions;
    assert!(questions.len() == 7 && questions.values().all(|c| c.abstained && c.llr.is_none()));
    assert!(not_asked.contains(&("identity.not_run", Reason::NotRun)));
    let nothing = analyzer().session(media(true, true)).unwrap().finish();
    assert!(nothing.unwrap_err().to_string().contains("no picture and no sound"));
}

#[test]
fn a_stalled_camera_does_not_stop_the_sound_from_being_heard() {
    let mut session = analyzer().session(media(true, true)).unwrap();
    for sample in video(&wandering(25, 2)).into_iter().chain(sound(12.0, &[1600])) {
        session.push(sample).unwrap();
    }
    assert!(session.analysed().seconds() >= 6.0, "{}", session.analysed());
}

#[test]
fn nothing_that_moves_and_nobody_who_speaks_is_not_enough_to_judge() {
    let black = vec![vec![16_u8; (SIZE.0 * SIZE.1 * 3) as usize]; 250];
    let found = report(media(true, false), video(&black));
    assert_eq!(found.assessment.action, Action::NotEnoughToJudge, "{:?}", found.assessment.overall);
    let quiet = Sample::Audio(AudioChunk { at: Timestamp::ZERO, samples: vec![0.0; 160_000].into() });
    let found = report(media(false, true), vec![quiet]);
    assert_eq!(found.assessment.action, Action::NotEnoughToJudge, "{:?}", found.assessment.overall);
    // what moves is no person: with nobody seen or heard only the way of capture was judged
    let moving = report(media(true, false), video(&wandering(250, 3)));
    assert_eq!(moving.assessment.action, Action::NotEnoughToJudge);
    assert_eq!(capture_alone(0.01, video(&wandering(250, 3))).assessment.action, Action::NoConcernFound);
}

#[test]
fn a_strong_sign_under_the_line_of_review_is_in_the_headline() {
    let round: Vec<Vec<u8>> = wandering(200, 11).into_iter().cycle().take(1000).collect();
    let looped = capture_alone(0.001, video(&round));
    assert_eq!(looped.assessment.action, Action::NoConcernFound);
    for text in [looped.assessment.headline(), &looped.to_html().unwrap()] {
        assert!(text.contains("what speaks for an attack") && !text.contains("no concern found"), "{text}");
    }
    let clear = capture_alone(0.001, video(&wandering(250, 3)));
    assert!(clear.assessment.headline().starts_with("no concern found"));
    // nobody was judged, and what was found is said all the same
    let mut config = Config::default();
    config.fusion.prior = 0.001;
    let nobody = run(&Analyzer::new(config).unwrap(), media(true, false), video(&round));
    assert_eq!(nobody.assessment.action, Action::NotEnoughToJudge);
    assert!(nobody.assessment.headline().contains("what speaks for an attack"));
}

#[test]
fn a_cap_that_is_set_leaves_the_others() {
    let config: Config = serde_json::from_str(r#"{"fusion": {"caps": {"voice": 3.0}}}"#).unwrap();
    let span = inperson::Span::new(Timestamp(0), Timestamp(1));
    let score = inperson::Finding::Score { raw: 4.0, llr: 4.0 };
    let llr = |question| {
        let found = inperson::Evidence::new("a.b", question, span, score, "");
        inperson::fuse(&[found], &[(question, 1.0)].into(), &config.fusion).overall.llr.unwrap()
    };
    assert_eq!([llr(inperson::Question::Voice), llr(inperson::Question::Answers)], [3.0, 1.5]);
}

#[test]
fn samples_that_are_not_numbers_are_silence() {
    let bad = [f32::NAN, f32::INFINITY, 9.0, -9.0].repeat(20_000);
    let chunk = AudioChunk { at: Timestamp::ZERO, samples: bad.into() };
    let heard = report(media(false, true), vec![Sample::Audio(chunk)]);
    assert!(heard.to_json().is_ok() && heard.tracks.speech_s.is_finite());
}

#[test]
fn the_report_reads_back_and_its_page_names_what_was_found() {
    let mut pictures = wandering(250, 3);
    for i in 100..175 {
        pictures[i] = pictures[99].clone();
    }
    let mut found = report(media(true, false), video(&pictures));
    found.media.input = "a <b> & c.mp4".to_owned();
    let again: Report = serde_json::from_str(&found.to_json().unwrap()).unwrap();
    assert_eq!(again, found);
    let page = found.to_html().unwrap();
    assert!(page.contains("capture.frozen") && page.contains("a &lt;b&gt; &amp; c.mp4") && !page.contains("<b>"));
}

const READ: &str = "When it comes to managing competing priorities, I believe that it is important to take a structured approach. First, \
    I evaluate the overall impact and urgency of each task, and I ensure that expectations are aligned with the relevant stakeholders. \
    Additionally, I make use of tools that provide visibility into progress, which helps to identify potential risks early. For \
    example, in my previous role I was responsible for a complex project that involved multiple teams. By establishing clear \
    communication channels and regularly reviewing our goals, we were able to deliver the project on time. Ultimately, this \
    experience taught me the importance of flexibility, collaboration, and continuous improvement in a fast-paced environment.";
const TOLD: &str = "So yeah I was I was at this uh this bakery in Leeds for like two years right and the oven broke on a Saturday and \
    I mean I didn't know what to do so I called my uncle because he used to fix them and he goes well just bang it on the side and I \
    did and it it worked for about an hour you know and then we had no bread and there was this lady she was really angry she wanted \
    her rolls and I said look I can give you the ones from yesterday for nothing and she was okay with that so that was that was fine \
    in the end but yeah we lost a lot of money on that day I think it was like three hundred pounds or something";

fn words(text: &str, from: f64, speaker: &str) -> Vec<Sample> {
    text.split_whitespace()
        .enumerate()
        .map(|(i, word)| {
            let start = from + 0.05 * i as f64;
            let span = inperson::Span::new(Timestamp::from_seconds(start), Timestamp::from_seconds(start + 0.04));
            Sample::Text(inperson::Utterance { span, speaker: Some(speaker.to_owned()), text: word.to_owned() })
        })
        .collect()
}

fn interview(answer: &str) -> Report {
    let mut samples = words("How do you work under pressure and can you give us an example of it?", 0.5, "Ann");
    samples.extend(words(answer, 2.0, "Ben"));
    samples.extend(words("And why did you leave that job?", 9.0, "Ann"));
    samples.extend(words("It closed.", 9.6, "Ben"));
    samples.extend(sound(11.0, &[16_000]));
    report(media(false, true), samples)
}

#[test]
fn answers_are_judged_from_a_transcript_and_the_interviewer_is_not() {
    let (read, told) = (interview(READ), interview(TOLD));
    let llr =
        |r: &Report| r.evidence.iter().find(|e| e.code == "answers.wording").and_then(|e| e.llr()).expect("a score");
    assert!(llr(&read) > 0.0 && llr(&told) < -0.3, "{} {}", llr(&read), llr(&told));
    assert!(read.assessment.questions[&inperson::Question::Answers].llr.unwrap() <= 1.5);
    for found in [&read, &told] {
        let item = found.evidence.iter().find(|e| e.code == "answers.wording").unwrap();
        assert_eq!((item.facts["answers"], item.facts["answers_judged"]), (2.0, 1.0), "{item:?}");
        // a few words at most are quoted
        assert!(found.evidence.iter().all(|e| e.message.len() < 260));
    }
}

#[test]
fn words_beyond_the_end_are_named_and_too_many_refused() {
    let mut samples = words("this was said later than anything", 60.0, "Ben");
    samples.extend(sound(3.0, &[16_000]));
    let found = report(media(false, true), samples);
    assert!(found.media.notes.iter().any(|n| n.code == "transcript_beyond_end"), "{:?}", found.media.notes);
    let mut config = Config::default();
    config.limits.text_bytes = 8;
    let mut session = Analyzer::new(config).unwrap().session(media(false, true)).unwrap();
    let refused = words("one two three", 0.0, "Ben").into_iter().map(|w| session.push(w)).find_map(Result::err);
    assert!(refused.unwrap().to_string().contains("text is 11 bytes"));
}

#[test]
fn without_a_transcript_the_answers_are_not_judged() {
    let silent = report(media(false, true), sound(11.0, &[16_000]));
    let entry = silent.not_judged.iter().find(|n| n.code == "answers.wording").expect("named");
    assert_eq!(entry.reason, inperson::Reason::NoTranscript);
    assert!(silent.assessment.questions[&inperson::Question::Answers].abstained);
}

#[test]
fn answers_in_another_language_are_not_judged() {
    let german = "Ich habe damals in einer kleinen Werkstatt gearbeitet und wir hatten jeden Tag mit anderen Kunden zu tun, was mir sehr \
        gut gefallen hat, weil man nie wusste, was als n\u{e4}chstes kommt. ";
    let found = interview(&german.repeat(4));
    assert!(found.not_judged.iter().any(|n| n.reason == inperson::Reason::Language), "{:?}", found.not_judged);
}
