//! What the way of the sound left in it, on speech that espeak-ng makes and FFmpeg takes on that way.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::Command;

use inperson::{Analyzer, Config, Evidence, Report};

const TEXT: &str = "I have worked with databases for eleven years. At first I wrote reports for a small bank. Later I led a \
                    team of four who moved a billing system to new machines. We lost one night of sleep and no data. \
                    What I liked most was that everybody could stop the roll out, and that somebody once did.";

fn run(command: &mut Command) {
    assert!(command.status().expect("tests/setup.sh installs it").success(), "{command:?}");
}

/// Speech with a room's noise under it, as 16-bit PCM at 16 kHz.
fn speech(folder: &Path, noise: f64) -> PathBuf {
    slow_speech(folder, noise, 0)
}

/// With pauses of `gap` hundredths of a second between words.
fn slow_speech(folder: &Path, noise: f64, gap: u32) -> PathBuf {
    let (dry, wet) = (folder.join("dry.wav"), folder.join(format!("speech{noise}.wav")));
    run(Command::new("espeak-ng").args(["-v", "en-gb", "-g", &gap.to_string(), "-w"]).arg(&dry).arg(TEXT));
    let graph = format!(
        "[0]aresample=16000[a];anoisesrc=r=16000:a={noise}:c=pink:seed=5[b];[a][b]amix=inputs=2:duration=first:normalize=0"
    );
    run(Command::new("ffmpeg").args(["-v", "error", "-y", "-i"]).arg(&dry).args(["-filter_complex", &graph]).arg(&wet));
    wet
}

fn through(from: &Path, to: &str, arguments: &[&str]) -> PathBuf {
    let to = from.with_file_name(to);
    run(Command::new("ffmpeg").args(["-v", "error", "-y", "-i"]).arg(from).args(arguments).arg(&to));
    to
}

fn analyzer() -> Analyzer {
    let mut config = Config::default();
    config.checks = vec!["channel".to_owned()];
    Analyzer::new(config).unwrap()
}

fn report(file: &Path) -> Report {
    analyzer().analyze(file).unwrap()
}

fn found<'a>(report: &'a Report, code: &str) -> Option<&'a Evidence> {
    report.evidence.iter().find(|e| e.code == code)
}

#[test]
fn a_plain_recording_has_nothing_to_name_and_answers_no_question() {
    let folder = tempfile::tempdir().unwrap();
    let plain = report(&speech(folder.path(), 0.004));
    let codes: Vec<&str> = plain.evidence.iter().map(|e| e.code.as_ref()).collect();
    assert!(plain.tracks.speech_s > 8.0 && codes.is_empty(), "{} {codes:?}", plain.tracks.speech_s);
    let voice = &plain.assessment.questions[&inperson::Question::Voice];
    assert!(voice.abstained && voice.coverage == 0.0);
}

#[test]
fn the_band_of_a_telephone_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let whole = speech(folder.path(), 0.004);
    for (cut, name) in [(3400, "a.wav"), (5500, "b.wav")] {
        let filter = format!("firequalizer=gain='if(lt(f,{cut}),0,-80)'");
        let item = report(&through(&whole, name, &["-af", &filter]));
        let item = found(&item, "channel.band_limit").expect("a band limit").clone();
        assert!((item.facts["band_limit_hz"] - f64::from(cut)).abs() < 250.0, "{cut}: {:?}", item.facts);
        assert_eq!(item.llr(), None);
    }
}

#[test]
fn coding_before_storing_leaves_holes() {
    let folder = tempfile::tempdir().unwrap();
    let whole = speech(folder.path(), 0.0005);
    let coded = through(&whole, "coded.mp3", &["-c:a", "libmp3lame", "-b:a", "16k"]);
    assert!(found(&report(&coded), "channel.coded_before").is_none(), "an MP3 says itself that it is coded");
    let again = through(&coded, "again.wav", &["-c:a", "pcm_s16le"]);
    assert!(found(&report(&again), "channel.coded_before").is_some());
}

#[test]
fn a_gate_and_another_room_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let whole = slow_speech(folder.path(), 0.002, 70);
    let gate = "agate=threshold=0.02:ratio=9000:range=0.000001:attack=1:release=60";
    assert!(found(&report(&through(&whole, "gated.wav", &["-af", gate])), "channel.floor_off").is_some());
    let other = slow_speech(folder.path(), 0.02, 70);
    let joined = folder.path().join("joined.wav");
    let graph = "[0][1]concat=n=2:v=0:a=1";
    run(Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&whole)
        .arg("-i")
        .arg(&other)
        .args(["-filter_complex", graph])
        .arg(&joined));
    let seen = report(&joined);
    let item = found(&seen, "channel.splice").expect("the change of background");
    let middle = seen.span.seconds() / 2.0;
    assert!(item.span.start.seconds() - 1.0 < middle && middle < item.span.end.seconds() + 1.0, "{}", item.span);
}

#[test]
fn a_sentence_played_again_is_found_at_its_lag_even_through_a_call() {
    let folder = tempfile::tempdir().unwrap();
    let whole = speech(folder.path(), 0.002);
    let graph = "[0]atrim=2:6,asetpts=N/SR/TB[again];[0][again]concat=n=2:v=0:a=1";
    let played = folder.path().join("played.wav");
    run(Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&whole)
        .args(["-filter_complex", graph, "-map_metadata", "-1"])
        .arg(&played));
    let length = report(&whole).span.seconds();
    for file in
        [played.clone(), through(&played, "call.ogg", &["-c:a", "libopus", "-b:a", "24k", "-application", "voip"])]
    {
        let seen = report(&file);
        let item = found(&seen, "channel.repeated").unwrap_or_else(|| panic!("nothing in {}", file.display()));
        assert!((item.facts["lag_s"] - (length - 2.0)).abs() < 0.1, "{:?} {length}", item.facts);
        assert!(item.facts["repeated_s"] > 2.0 && item.llr().unwrap() >= 0.5);
    }
}

#[test]
fn music_is_heard_and_the_voice_over_it_is_not_judged() {
    let folder = tempfile::tempdir().unwrap();
    let voice = speech(folder.path(), 0.002);
    let chords = "aevalsrc=0.12*(sin(2*PI*t*220*pow(2\\,floor(mod(t\\,4))/6))+sin(2*PI*t*277*pow(2\\,floor(mod(t\\,4))/6))\
                  +sin(2*PI*t*330*pow(2\\,floor(mod(t\\,4))/6))):s=16000[m];[0][m]amix=inputs=2:duration=first:normalize=0";
    let mixed = through(&voice, "music.wav", &["-filter_complex", chords]);
    let mut config = Config::default();
    config.checks = vec!["voice".to_owned()];
    let analyzer = Analyzer::new(config).unwrap();
    let plain = analyzer.analyze(&voice).unwrap();
    assert!(plain.tracks.music_s == 0.0 && !plain.assessment.questions[&inperson::Question::Voice].abstained);
    let over = analyzer.analyze(&mixed).unwrap();
    assert!(over.tracks.music_s > 0.8 * over.span.seconds(), "{}", over.tracks.music_s);
    assert!(over.assessment.questions[&inperson::Question::Voice].abstained);
    assert_eq!(over.not_judged[0].reason, inperson::Reason::Music);
}
