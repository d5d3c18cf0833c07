"""The wheel as it is installed, on media that FFmpeg makes."""

import json
import pickle
import subprocess
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest

import inperson


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("media") / "clip.mp4"
    lavfi = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=6", "-f", "lavfi", "-i", "sine=duration=6"]
    subprocess.run(["ffmpeg", "-v", "error", *lavfi, "-pix_fmt", "yuv420p", path], check=True)
    return path


def test_it_is_the_installed_wheel():
    assert "site-packages" in inperson.__file__


def test_a_file_gives_a_report(clip):
    seen = []
    report = inperson.analyze(clip, prior=0.2, progress=lambda done, total: seen.append((done, total)))
    overall = report.assessment["overall"]
    assert report.assessment["prior"] == 0.2 and set(overall) >= {"llr", "posterior", "coverage", "abstained"}
    assert np.isclose(overall["posterior"] / (1 - overall["posterior"]), 0.25 * np.exp(overall["llr"]))
    assert [s for s, _ in seen] == sorted(s for s, _ in seen) and seen[-1][0] >= 4
    assert report.to_dict()["media"]["video"]["width"] == 320
    assert "<svg" in report.to_html() and "iframe" in report._repr_html_()
    # nobody is in it
    assert report.action == "not_enough_to_judge" and report.action in repr(report)


def test_errors_are_typed(tmp_path, clip):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no")
    with pytest.raises(inperson.InputError, match="bad.mp4"):
        inperson.analyze(bad)
    with pytest.raises(inperson.ConfigError, match="prior"):
        inperson.Analyzer(prior=3)
    with pytest.raises(inperson.ConfigError, match="nonsense"):
        inperson.Analyzer(checks=["nonsense"])
    with pytest.raises(inperson.LimitError, match="bad|clip|pixels"):
        inperson.Analyzer(config={"limits": {"pixels": 100}}).analyze(clip)
    for said in (False, np.False_, 0, ""):
        with pytest.raises(inperson.Cancelled):
            inperson.analyze(clip, checks=["capture"], progress=lambda done, total: said)
    with pytest.raises(RuntimeError, match="mine"):
        inperson.analyze(clip, progress=lambda done, total: (_ for _ in ()).throw(RuntimeError("mine")))


def test_pushing_finds_a_frozen_picture():
    rng = np.random.default_rng(1)
    session = inperson.Analyzer().session(audio=False)
    still = rng.integers(0, 255, (90, 160, 3), dtype=np.uint8)
    events = []
    for i in range(250):
        frame = still if 100 <= i < 200 else rng.integers(0, 255, (90, 160, 3), dtype=np.uint8)
        events += session.push_video(frame, i / 25)
    assert [(e["kind"], e["code"]) for e in events] == [("raised", "capture.frozen")]
    assert 0 < events[0]["llr"] < 0.5
    with pytest.raises(inperson.LimitError, match="duration"):
        session.push_video(still, 1e9)
    assert session.assess()["questions"]["capture"]["llr"] > 0
    report = session.finish()
    frozen = next(e for e in report.evidence if e["code"] == "capture.frozen")
    assert frozen["span"] == {"start": 4_000_000, "end": 7_960_000}
    with pytest.raises(ValueError, match="finished"):
        session.assess()


def test_words_can_be_pushed_into_a_live_call():
    text = "I believe that it is important to take a structured approach, and I ensure that expectations are aligned. " * 8
    session = inperson.Analyzer(checks=["answers"]).session(video=False)
    session.push_text("How do you work under pressure?", 0.2, 2.0, "Ann")
    session.push_text(text, 2.0, 11.0, "Ben")
    session.push_audio(np.zeros(12 * 16_000, np.float32), 0)
    wording = next(e for e in session.finish().evidence if e["code"] == "answers.wording")
    assert wording["facts"]["answers"] == 1


def test_pictures_and_sound_may_come_from_threads_of_their_own():
    session = inperson.Analyzer(checks=["capture"]).session()
    rng, failed = np.random.default_rng(0), []

    def push(call, samples):
        try:
            for i, sample in enumerate(samples):
                call(sample, i / 25)
        except Exception as e:
            failed.append(e)

    pictures = [rng.integers(0, 255, (90, 160, 3), dtype=np.uint8) for _ in range(100)]
    threads = [threading.Thread(target=push, args=a) for a in ((session.push_video, pictures), (session.push_audio, [np.full(640, 0.1, np.float32)] * 100))]
    [t.start() for t in threads], [t.join() for t in threads]
    assert not failed
    assert json.loads(session.finish().to_json())["span"]["end"] == 4_000_000


def test_checks_and_schema_say_what_there_is(clip):
    assert {"capture", "face", "voice", "answers"} <= set(inperson.checks())
    described, report = inperson.schema(), inperson.analyze(clip, checks="capture")
    assert set(described["required"]) <= set(report.to_dict()) <= set(described["properties"])


def test_answers_given_before_are_found():
    first = "When our deployment failed on a Friday evening I first wrote down what we knew and what we did not know, then I split " \
        "the team in two, so that one half could restore the last good version while the other half looked for the cause."
    index = inperson.NearIndex()
    index.add("ann", first)
    index.add("too short to be held", "It failed on a Friday.")
    [(who, shared)] = index.like("Well, " + first + " It was the load balancer.")
    assert who == "ann" and shared > 0.9 and index.like(first, least=1) == [("ann", 1.0)]
    assert index.like("something else entirely " * 20) == []
    with pytest.raises(ValueError, match="least must lie between 0 and 1, not 20"):
        index.like(first, 20)


def test_errors_go_through_processes():
    error = inperson.InputError("a.mp4: it is empty")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is inperson.InputError and str(again) == str(error)


def test_there_is_one_runtime_in_a_process(tmp_path):
    inperson.Analyzer(checks=["capture"])
    with pytest.raises(inperson.Error, match="loaded"):
        inperson.Analyzer(checks=["capture"], library=tmp_path / "libonnxruntime.so")
    with pytest.raises(inperson.Error, match="loaded"):
        inperson.Analyzer(checks=["capture"], library=tmp_path / "a.so", config={"runtime": {"library": "b.so"}})


def test_other_threads_run_meanwhile(clip):
    analyzer = inperson.Analyzer()
    worker = threading.Thread(target=analyzer.analyze, args=(clip,))
    longest, last = 0.0, time.perf_counter()
    worker.start()
    while worker.is_alive():
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
        time.sleep(0.001)
    # holding the lock through a six-second clip would stop this thread for far longer
    assert longest < 0.25


def test_answers_are_judged_and_short_ones_are_not(tmp_path, clip):
    wording = inperson.Wording()
    told = "so I was at this bakery in Leeds and the oven broke on a Saturday and I called my uncle because he used to fix them " * 5
    judged = wording.judge(told, question="What went wrong?")
    assert judged["finding"]["kind"] == "score" and judged["finding"]["llr"] < 0 and judged["words"] > 80
    assert wording.judge("It broke.")["finding"] == {"kind": "abstain", "reason": "too_short"}
    transcript = tmp_path / "talk.srt"
    transcript.write_text(f"1\n00:00:00,500 --> 00:00:05,500\n{told}\n")
    report = inperson.analyze(clip, transcript=transcript)
    assert not report.assessment["questions"]["answers"]["abstained"]
    transcript.write_text("no transcript")
    with pytest.raises(inperson.InputError, match="talk.srt"):
        inperson.analyze(clip, transcript=transcript)


def test_a_transcriber_of_the_callers_is_asked_and_its_errors_pass_through(clip):
    told = "so I was at this bakery in Leeds and the oven broke on a Saturday and I called my uncle because he used to fix them " * 5
    heard = []

    def transcriber(wav):
        with wave.open(str(wav)) as sound:
            heard.append((sound.getframerate(), sound.getnchannels(), sound.getnframes() / sound.getframerate()))
        return f"1\n00:00:00,500 --> 00:00:05,500\n{told}\n"

    report = inperson.analyze(clip, transcriber=transcriber)
    assert not report.assessment["questions"]["answers"]["abstained"]
    [(rate, channels, seconds)] = heard
    assert (rate, channels) == (16_000, 1) and abs(seconds - report.to_dict()["media"]["seen_duration_s"]) < 0.2

    def broken(wav):
        raise ZeroDivisionError("no model")

    with pytest.raises(ZeroDivisionError):
        inperson.analyze(clip, transcriber=broken)
    with pytest.raises(inperson.TranscriberError, match="output"):
        inperson.analyze(clip, transcriber=lambda wav: "nothing of the kind")
    with pytest.raises(inperson.TranscriberError, match="false"):
        inperson.analyze(clip, transcriber="false")
    with pytest.raises(ValueError, match="not both"):
        inperson.analyze(clip, transcriber="false", transcript="a.srt")
