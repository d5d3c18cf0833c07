"""The check `warp` on the drawn candidate, against the same model run by Python's onnxruntime."""

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
    path = tmp_path_factory.mktemp("warp") / "candidate.mp4"
    subprocess.run([sys.executable, ROOT / "examples/demo/candidate.py", path, "--seconds", "8"], check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def report(candidate) -> inperson.Report:
    # lips are read in bursts, in which faces are followed from frame to frame as `observe` does
    return inperson.Analyzer(checks=["warp", "lipsync"]).analyze(candidate)


def found(report: inperson.Report, code: str) -> dict:
    return next(e for e in report.evidence if e["code"] == code)


def test_borders_are_what_python_computes(candidate, report):
    seen = inperson.Analyzer(checks=["warp"]).observe(candidate)
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
    warp, n = found(report, "warp.inserted")["facts"], len(looks)
    assert abs(warp["looks"] - n) <= 1
    y, x = (np.mgrid[0:MAP, 0:MAP] + 0.5) / MAP
    inner = np.hypot((x - 0.5) / 0.27, (y - 0.52) / 0.36) < 0.85
    seams = np.mean([o[2][0][inner].mean() for o in out])
    assert warp["raw"] == pytest.approx(np.log((seams + 0.01) / 0.12) * n / (n + FEW), abs=0.1)


def test_it_speaks_in_every_report(report):
    # its calibration tells nothing, which must not read as no concern
    assert found(report, "warp.inserted")["finding"] == {"kind": "abstain", "reason": "not_proven"}
    assert report.assessment["questions"]["face"]["abstained"]
