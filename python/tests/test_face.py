"""The check `face` on the drawn candidate, against the same model run by Python's onnxruntime."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import inperson

ROOT = Path(__file__).parents[2]
FRAMES, FEW = 14, 0.5
# so many of a take's frames, every second one, are also held against those so many seconds later
HELD, AWAY = 4, 0.56
# when takes begin: once a face was followed for 0.3 s, and so long after the one before
FIRST, APART = 0.3, [1.6, 5.0]


@pytest.fixture(scope="module")
def candidate(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("face") / "candidate.mp4"
    subprocess.run([sys.executable, ROOT / "examples/demo/candidate.py", path, "--seconds", "9"], check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def analyzer() -> inperson.Analyzer:
    return inperson.Analyzer(checks=["face"])


def found(report: inperson.Report) -> dict:
    return next(e for e in report.evidence if e["code"] == "face.manipulated")


def test_the_score_is_what_python_computes(candidate, analyzer):
    seen = analyzer.observe(candidate)
    mine = seen["track"] == seen["candidate"]
    at, context = seen["at"][mine], seen["context"][mine]
    session = onnxruntime.InferenceSession(str(ROOT / "models/face/model.onnx"), providers=["CPUExecutionProvider"])
    scores, outside, start = [], [], FIRST
    for wait in (*APART, 0):
        first = np.searchsorted(at, start - 1e-6)
        others = [np.abs(at - at[first + 2 * k] - AWAY).argmin() for k in range(HELD)]
        faces, others = (context[k].transpose(0, 3, 1, 2).astype(np.float32) for k in (slice(first, first + FRAMES), others))
        score, share = session.run(None, {"faces": faces, "others": others})
        scores.append(score[0]), outside.append(share[0])
        start = at[first] + wait
    facts = found(analyzer.analyze(candidate))["facts"]
    assert facts["takes"] == len(scores)
    assert facts["raw"] == pytest.approx(sum(scores) / (len(scores) + FEW), abs=2e-3)
    assert facts["outside_share"] == pytest.approx(np.mean(outside), abs=5e-3)


def test_a_live_call_is_judged_as_its_recording(candidate, analyzer):
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", candidate, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True, stdout=subprocess.PIPE).stdout
    session = analyzer.session(audio=False)
    for i, frame in enumerate(np.frombuffer(raw, np.uint8).reshape(-1, 360, 640, 3)):
        session.push_video(frame, i / 25)
    live, recorded = found(session.finish())["facts"], found(analyzer.analyze(candidate))["facts"]
    assert live["takes"] == recorded["takes"] == 3
    # colours were rounded on the way
    assert live["raw"] == pytest.approx(recorded["raw"], abs=0.1)


def test_nobody_is_flagged_by_it_alone(candidate, analyzer):
    report = analyzer.analyze(candidate)
    finding = found(report)["finding"]
    # a drawn face is like nothing that the model knows
    assert finding == {"kind": "abstain", "reason": "out_of_range"}
    assert report.assessment["action"] == "not_enough_to_judge"


@pytest.mark.parametrize(
    ("options", "reason"),
    [(["-vf", "drawbox=t=fill:c=gray"], "no_face"), (["-t", "1"], "too_short"), (["-r", "8"], "too_few_frames"), (["-vf", "gblur=sigma=9"], "too_blurred"), (["-vf", "scale=iw/3:-2,pad=640:360"], "too_small")],
)
def test_what_cannot_be_judged_is_left_with_its_reason(candidate, analyzer, tmp_path, options, reason):
    path = tmp_path / "clip.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", candidate, *options, path], check=True)
    assert found(analyzer.analyze(path))["finding"] == {"kind": "abstain", "reason": reason}


def test_a_dark_face_is_abstained_on(candidate, analyzer, tmp_path):
    path = tmp_path / "dark.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", candidate, "-t", "4", "-vf", "eq=brightness=-0.1,colorlevels=romax=0.12:gomax=0.12:bomax=0.12", path], check=True)
    finding = found(analyzer.analyze(path))["finding"]
    assert finding["kind"] == "abstain" and finding["reason"] in ("bad_exposure", "no_face", "too_short", "too_blurred"), finding
