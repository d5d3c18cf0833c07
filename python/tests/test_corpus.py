"""A sample of the real recordings beside the project, where it is there: no crash, a face where faces are, no flag on genuine ones."""

import csv
import subprocess
from pathlib import Path

import numpy as np
import pytest

import inperson

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
COUNT = 10


@pytest.fixture(scope="module")
def analyzer():
    return inperson.Analyzer()


@pytest.mark.parametrize("part", ["video", "talkers", "pairs", "audio"])
def test_real_recordings_go_through(part, analyzer):
    manifest = CORPUS / part / "manifest.csv"
    if not manifest.is_file():
        pytest.skip(f"left out: the corpus ({manifest}) is not on this machine")
    with open(manifest, newline="") as f:
        rows = list(csv.DictReader(f))
    rows = rows[:: max(1, len(rows) // COUNT)][:COUNT]
    for row in rows:
        report = analyzer.analyze(CORPUS / part / row["path"])
        questions = report.assessment["questions"]
        assert len(questions) == 7 and all((q["llr"] is None) == q["abstained"] for q in questions.values())
        if part != "audio":
            assert report.tracks["faces"], row["path"]
        if row["label"] == "bonafide":
            assert report.action != "ask_for_a_live_check", row["path"]


def test_a_constant_delay_moves_the_ratio_of_talkers_little(tmp_path):
    folder = CORPUS / "talkers"
    if not (folder / "manifest.csv").is_file():
        pytest.skip(f"left out: the corpus ({folder / 'manifest.csv'}) is not on this machine")
    with open(folder / "manifest.csv", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["in_sync"] == "yes"]
    analyzer, late, moved = inperson.Analyzer(checks=["lipsync"]), tmp_path / "late.mp4", []
    for row in rows[:: max(1, len(rows) // COUNT)][:COUNT]:
        # both are coded anew, so that nothing but the delay differs
        ratios = []
        for delay in (0, 240):
            options = ["-i", folder / row["path"], "-af", f"adelay={delay}:all=1", "-c:v", "copy", "-c:a", "aac", late]
            subprocess.run(["ffmpeg", "-v", "error", "-y", *options], check=True)
            (found,) = (e["finding"] for e in analyzer.analyze(late).evidence if e["code"] == "lipsync.mismatch")
            ratios.append(found.get("llr"))
        if None not in ratios:
            moved.append(abs(ratios[1] - ratios[0]))
    assert len(moved) >= COUNT // 2 and np.mean(moved) < 0.5, moved
