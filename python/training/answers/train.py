"""Trains, calibrates and writes the wording model.

    python -m answers.train --data /path/to/corpus/text --manuals manuals.jsonl --out ../../models [--all-licences]

Weights come from rows of licence class permissive only. The calibration is fitted on scores of sources and generators
that were left out, all licences, by the same recipe: no row that calibrates was trained on.
"""

import argparse
import re
from pathlib import Path

import numpy as np

from . import data, evaluate, export, model

VERSION = "0.4.0"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--manuals", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--all-licences", action="store_true", help="for research: not to be shipped")
    parser.add_argument("--without-licence", default=None, metavar="REGEX", help="leave out rows whose licence note matches")
    parser.add_argument("--logits", type=Path, help="what `answers.evaluate --shipped --keep` kept, to save doing it again")
    a = parser.parse_args()
    rows = data.load(a.data, a.manuals)
    if a.without_licence:
        rows = [r for r in rows if not re.search(a.without_licence, r.licence_note)]
    x = model.counts(rows)
    if a.logits:
        kept = np.load(a.logits)
        logit, speech = kept["logit"], kept["speech"]
        if len(logit) != len(rows):
            raise SystemExit(f"{a.logits} is for {len(logit)} rows, not {len(rows)}")
    else:
        logit, speech = evaluate.out_of_source(rows, x, not a.all_licences)
    others, logit, speech = evaluate.tested(rows, logit, speech)
    raw = model.raw(logit, speech, np.array([r.words for r in others]))
    calibration = evaluate.calibration(others, raw)
    train = data.for_training(rows)
    if not a.all_licences:
        train &= np.array([r.licence_class == "permissive" for r in rows])
    index = np.where(train)[0]
    linear = model.fit(x[index], [rows[i] for i in index])
    score = evaluate.leave_one_calibration_out(others, raw)
    alarms = evaluate.false_alarms(others, score)
    print(f"trained on {len(index)} answers, {len(linear.keep)} features; calibration {calibration}")
    notes = {}
    for i in index:
        r = rows[i]
        key = (r.repo, "model" if r.ai else "people", r.register, r.licence_note)
        notes[key] = notes.get(key, 0) + 1
    for key, n in sorted(notes.items()):
        print("  ", n, *key, sep=" | ")
    metrics = {"false_alarms_speech": alarms["all genuine speech"]["at_half"], "flagged_written": alarms["written by models"]["at_half"], "features": len(linear.keep), "phrases": len(linear.phrases)}
    export.ship(a.out, export.WORDING, export.wording(linear), VERSION, calibration, metrics)


if __name__ == "__main__":
    main()
