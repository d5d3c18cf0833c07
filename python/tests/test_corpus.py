"""A sample of the real recordings beside the project, where it is there: no crash, a face where faces are, no flag on genuine ones."""

import csv
from pathlib import Path

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
