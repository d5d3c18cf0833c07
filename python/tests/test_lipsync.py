"""The check `lipsync` on the drawn candidate, against the same model run by Python's onnxruntime."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import inperson

ROOT = Path(__file__).parents[2]
STEP, WINDOW, LEAST, EDGE, REACH = 0.04, 64, 48, 8, 50


@pytest.fixture(scope="module")
def candidate(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("lips") / "candidate.mp4"
    subprocess.run([sys.executable, ROOT / "examples/demo/candidate.py", path, "--seconds", "12"], check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def analyzer() -> inperson.Analyzer:
    return inperson.Analyzer(checks=["lipsync"])


def found(report: inperson.Report, code: str = "lipsync.mismatch") -> dict:
    return next(e for e in report.evidence if e["code"] == code)


def remixed(candidate: Path, path: Path, *options) -> Path:
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", candidate, *options, "-c:v", "copy", path], check=True)
    return path


def test_the_agreement_is_what_python_computes(candidate, analyzer):
    seen = analyzer.observe(candidate)
    mine = seen["track"] == seen["candidate"]
    at, mouths, meshes, audio = seen["at"][mine], seen["mouth"][mine], seen["mesh"][mine], seen["audio"]
    session = onnxruntime.InferenceSession(str(ROOT / "models/lipsync/model.onnx"), providers=["CPUExecutionProvider"])
    sums, counts, kept = np.zeros(2 * REACH + 1), np.zeros(2 * REACH + 1), []
    first, done = int(np.ceil(at[0] / STEP - 1e-9)), int(np.ceil(at[0] / STEP - 1e-9))
    spoken = lambda t: any(a - 0.2 <= t < b + 0.2 for a, b in seen["speech"])
    for hop in range(1, int(np.ceil(len(audio) / 16000)) + 1):
        looked = at[at < hop]
        end = min(int(looked[-1] / STEP + 1e-9) + 1, min(hop * 16000, len(audio)) // 640)
        start = max(first, end - WINDOW, min(done - EDGE, end - LEAST))
        if end - start < LEAST or end - EDGE <= done:
            continue
        grid = np.arange(start, end) * STEP
        # of two looks as near, the later one
        near = np.array([len(looked) - 1 - np.abs(looked - g).round(6)[::-1].argmin() for g in grid])
        lips, heard = session.run(None, {"mouths": mouths[near].astype(np.float32), "meshes": meshes[near], "sound": audio[start * 640 : end * 640]})
        for k in range(done, end - EDGE):
            now = (k, lips[k - start], heard[k - start])
            for j, v, a in kept[-REACH:]:
                if spoken(k * STEP):
                    sums[j - k + REACH] += now[1] @ a
                    counts[j - k + REACH] += 1
                if spoken(j * STEP):
                    sums[k - j + REACH] += v @ now[2]
                    counts[k - j + REACH] += 1
            if spoken(k * STEP):
                sums[REACH] += now[1] @ now[2]
                counts[REACH] += 1
            kept.append(now)
        done = end - EDGE
    facts = found(analyzer.analyze(candidate))["facts"]
    # turns only reach as far as each hop was heard, so that speech at a hop's border differs a little
    assert facts["speech_s"] == pytest.approx(counts[REACH] * STEP, abs=0.3)
    assert facts["agreement"] == pytest.approx((sums / np.maximum(counts, 1)).max(), abs=0.08)
    assert (sums / np.maximum(counts, 1)).argmax() - REACH == pytest.approx(found(analyzer.analyze(candidate), "lipsync.lag")["facts"]["lag_ms"] / 40, abs=0.75)


def test_a_delay_is_measured_and_does_not_count(analyzer, tmp_path):
    # as long as the first burst: with 12 s of a drawn mouth, which agrees little, coding the sound anew moves the ratio by half
    long = tmp_path / "long.mp4"
    subprocess.run([sys.executable, ROOT / "examples/demo/candidate.py", long, "--seconds", "20"], check=True, stdout=subprocess.DEVNULL)
    still = analyzer.analyze(long)
    for delay in (120, 240, 400):
        late = analyzer.analyze(remixed(long, tmp_path / "late.mp4", "-af", f"adelay={delay}:all=1", "-c:a", "aac"))
        moved = found(late, "lipsync.lag")["facts"]["lag_ms"] - found(still, "lipsync.lag")["facts"]["lag_ms"]
        assert moved == pytest.approx(delay, abs=40)
        assert abs(found(late)["finding"]["llr"] - found(still)["finding"]["llr"]) < 0.5


def test_other_words_over_the_same_lips_are_found(candidate, analyzer, tmp_path):
    own = found(analyzer.analyze(candidate))["finding"]["llr"]
    # its own voice backwards: the same speaker, channel and pauses
    foreign = analyzer.analyze(remixed(candidate, tmp_path / "foreign.mp4", "-af", "areverse", "-c:a", "aac"))
    assert own < -0.5 and found(foreign)["finding"]["llr"] > 0.5
    assert foreign.assessment["questions"]["sync"]["llr"] > 0.5


@pytest.mark.parametrize(("options", "reason"), [(["-an"], "no_audio"), (["-vf", "drawbox=t=fill:c=gray", "-c:v", "libx264"], "no_face"), (["-t", "1"], "too_little_speech"), (["-r", "6"], "too_few_frames")])
def test_without_lips_or_words_it_abstains(candidate, analyzer, tmp_path, options, reason):
    path = tmp_path / "clip.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", candidate, *options, path], check=True)
    finding = found(analyzer.analyze(path))["finding"]
    assert finding == {"kind": "abstain", "reason": reason}


def test_a_camera_that_slows_down_for_a_while_is_followed_on(candidate, analyzer):
    decode = lambda *options: subprocess.run(["ffmpeg", "-v", "error", "-i", candidate, *options, "-"], check=True, stdout=subprocess.PIPE).stdout
    frames = np.frombuffer(decode("-f", "rawvideo", "-pix_fmt", "rgb24"), np.uint8).reshape(-1, 360, 640, 3)
    sound = np.frombuffer(decode("-f", "f32le", "-ac", "1", "-ar", "16000"), np.float32)
    session = analyzer.session()
    for i, frame in enumerate(frames):
        # 7.5 frames a second from 4 s to 7.6 s, as in low light: too few to judge by, and no hole
        if not 100 <= i < 190 or int(0.3 * i) != int(0.3 * (i - 1)):
            session.push_video(frame, i / 25)
        if i % 25 == 0:
            session.push_audio(sound[i * 640 : (i + 25) * 640], i / 25)
    slowed = found(session.finish())["facts"]
    whole = found(analyzer.analyze(candidate))["facts"]
    assert 0.5 * whole["speech_s"] < slowed["speech_s"] < whole["speech_s"]
