"""The checks `face` and `warp` on the drawn candidate, against the same model run by Python's onnxruntime."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

import inperson

ROOT = Path(__file__).parents[2]
LOOK, FEW, MAP = 0.2, 2, 40


@pytest.fixture(scope="module")
def candidate(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("face") / "candidate.mp4"
    subprocess.run([sys.executable, ROOT / "examples/demo/candidate.py", path, "--seconds", "8"], check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def report(candidate) -> inperson.Report:
    # lips are read in bursts, in which faces are followed from frame to frame as `observe` does
    return inperson.Analyzer(checks=["face", "warp", "lipsync"]).analyze(candidate)


def found(report: inperson.Report, code: str) -> dict:
    return next(e for e in report.evidence if e["code"] == code)


def test_both_checks_compute_what_python_computes(candidate, report):
    seen = inperson.Analyzer(checks=["face"]).observe(candidate)
    mine = (seen["track"] == seen["candidate"]) & (seen["context"].reshape(len(seen["at"]), -1).any(1))
    at, crops = seen["at"][mine], seen["context"][mine]
    # the look at which the face is found has no wider crop
    looks, due = [], LOOK
    for k, t in enumerate(at):
        if t >= due - 1e-6:
            looks.append(k)
            due = t + LOOK
    session = onnxruntime.InferenceSession(str(ROOT / "models/warp/model.onnx"), providers=["CPUExecutionProvider"])
    out = [session.run(None, {"image": crops[k].transpose(2, 0, 1)[None].astype(np.float32)}) for k in looks]
    face, warp = found(report, "face.manipulated")["facts"], found(report, "warp.inserted")["facts"]
    n = len(looks)
    assert abs(face["looks"] - n) <= 1 and face["looks"] == warp["looks"]
    logits = np.array([o[0][0] for o in out])
    assert face["raw"] == pytest.approx(logits.sum() / (n + FEW), abs=0.05)
    y, x = (np.mgrid[0:MAP, 0:MAP] + 0.5) / MAP
    inner = np.hypot((x - 0.5) / 0.27, (y - 0.52) / 0.36) < 0.85
    seams = np.mean([o[2][0][inner].mean() for o in out])
    assert warp["raw"] == pytest.approx(np.log((seams + 0.01) / 0.12) * n / (n + FEW), abs=0.1)


def test_both_checks_speak_in_every_report(report):
    for code in ("face.manipulated", "warp.inserted"):
        item = found(report, code)
        # its calibration tells nothing, which must not read as no concern
        assert item["question"] == "face" and item["finding"] == {"kind": "abstain", "reason": "not_proven"}, item
    assert report.assessment["questions"]["face"]["abstained"]


def test_a_picture_without_a_face_is_abstained_on(tmp_path):
    path = tmp_path / "nobody.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=320x240:d=3:r=10", path], check=True)
    report = inperson.Analyzer(checks=["face", "warp"]).analyze(path)
    for code in ("face.manipulated", "warp.inserted"):
        assert found(report, code)["finding"] == {"kind": "abstain", "reason": "no_face"}
    assert report.assessment["questions"]["face"]["abstained"]


def test_a_dark_face_is_abstained_on(candidate, tmp_path):
    path = tmp_path / "dark.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", candidate, "-t", "4", "-vf", "eq=brightness=-0.1,colorlevels=romax=0.12:gomax=0.12:bomax=0.12", path], check=True)
    finding = found(inperson.Analyzer(checks=["face"]).analyze(path), "face.manipulated")["finding"]
    assert finding["kind"] == "abstain" and finding["reason"] in ("bad_exposure", "no_face", "too_short", "too_blurred"), finding
