"""The shipped weights through the command, by group, on rows that were not trained on; and one answer against the same person's others.

    python -m answers.shipped --data /path/to/corpus/text --inperson ../../target/release/inperson --scratch DIR

What it writes to DIR holds people's answers: keep it out of the repository. What it prints are shares.
"""

import argparse
import collections
import gzip
import json
import random
import statistics
import subprocess
from pathlib import Path

from . import data


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--inperson", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--errors", type=float, default=0, help="share of words that a recogniser gets wrong")
    a = parser.parse_args()
    rows = [json.loads(line) for line in gzip.open(a.data / "answers.jsonl.gz", "rt")]
    asked, scored = a.scratch / "rows.jsonl", a.scratch / "scores.jsonl"
    plain = lambda r: r.get("answer_plain") or r["answer"]
    others, rng = [w for r in rows[::20] for w in plain(r).split()] if a.errors else [], random.Random(0)
    said = lambda r: misheard(plain(r), a.errors, others, rng) if a.errors else plain(r)
    with asked.open("w") as out:
        for r in rows:
            out.write(json.dumps(dict(id=r["id"], question=r["question"] or None, answer=said(r))) + "\n")
    subprocess.run([a.inperson, "answers", asked, "--out", scored], check=True)
    score = {s["id"]: s for s in map(json.loads, scored.open())}
    groups, people, prose = collections.defaultdict(list), collections.defaultdict(list), []
    for r in rows:
        s = score[r["id"]]
        if r["licence_class"] == "permissive" or s["words"] < 80:
            continue
        human = r["label"] == "human"
        if r["register"] == "spoken":
            groups[data.group(r)].append(s)
            groups["all genuine speech"].append(s)
        elif r["mode"] == "rewrite":
            groups["reworded by models"].append(s)
        else:
            side = "writing of people" if human else "written by models"
            groups[f"{side}: {r['repo'].split('/')[1]}"].append(s)
            groups[f"{side}, all"].append(s)
        if s["spoken_logit"] is None:
            continue
        if human and r["register"] == "spoken" and r.get("speaker"):
            people[r["repo"], r["speaker"]].append(s["spoken_logit"])
        if not human and r["register"] == "written":
            prose.append(s["spoken_logit"])
    print("| group | n | abstained | LLR >= 0.5 | LLR >= 1.0 |\n|---|---|---|---|---|")
    for name, found in sorted(groups.items()):
        llr = [s["llr"] for s in found if s["llr"] is not None]
        at = lambda least: f"{sum(v >= least for v in llr) / len(llr):.1%} ({sum(v >= least for v in llr)})"
        print(f"| {name} | {len(found)} | {1 - len(llr) / len(found):.1%} | {at(0.5)} | {at(1.0)} |")
    falls, medians = [], []
    for own in (v for v in people.values() if len(v) >= 3):
        medians.append(statistics.median(own))
        falls += [statistics.median(own[:i] + own[i + 1 :]) - own[i] for i in range(len(own))]
    for least in (4, 4.5, 5, 5.5):
        ours = sum(f >= least for f in falls) / len(falls)
        theirs = sum(m - p >= least for m in medians for p in prose[::7]) / (len(medians) * len(prose[::7]))
        print(f"{len(medians)} people, {len(falls)} answers: {ours:.2%} fall {least} behind their own median; of models' texts in their place {theirs:.0%}")
    prepared(a)


def misheard(text: str, share: float, others: list[str], rng: random.Random) -> str:
    """Of the words that go wrong 30 % are lost, 55 % become another and 15 % gain one beside them."""
    out = []
    for word in text.split():
        wrong = rng.random() / share
        out += [] if wrong < 0.3 else [rng.choice(others)] if wrong < 0.85 else [word, rng.choice(others)] if wrong < 1 else [word]
    return " ".join(out)


def prepared(a):
    """Prepared remarks against the same speakers' own answers in earnings calls: what is honestly prepared falls as well."""
    asked, scored = a.scratch / "calls.jsonl", a.scratch / "calls-scores.jsonl"
    who = {}
    with asked.open("w") as out:
        for line in gzip.open(a.data / "transcripts/earnings22.jsonl.gz", "rt"):
            call = json.loads(line)
            turns = []
            for speaker, word, start, _ in call["words"]:
                if not turns or turns[-1][0] != speaker:
                    turns.append((speaker, start, []))
                turns[-1][2].append(word)
            for number, (speaker, start, words) in enumerate(turns):
                if start is None or not call["qa_start_s"]:
                    continue
                for at in range(0, min(len(words), 1200), 300):
                    if len(piece := words[at : at + 300]) >= 90:
                        name = f"{call['id']}-{number}-{at}"
                        who[name] = (call["id"], speaker), start < call["qa_start_s"]
                        out.write(json.dumps(dict(id=name, answer=" ".join(piece))) + "\n")
    subprocess.run([a.inperson, "answers", asked, "--out", scored], check=True)
    own, read = collections.defaultdict(list), collections.defaultdict(list)
    for s in map(json.loads, scored.open()):
        if s["spoken_logit"] is not None:
            speaker, ahead = who[s["id"]]
            (read if ahead else own)[speaker].append(s["spoken_logit"])
    falls = [statistics.median(own[k]) - v for k in read if len(own[k]) >= 2 for v in read[k]]
    free = [statistics.median(v[:i] + v[i + 1 :]) - v[i] for v in own.values() if len(v) >= 3 for i in range(len(v))]
    for least in (4, 4.5, 5, 5.5):
        share = lambda v: f"{sum(f >= least for f in v) / len(v):.1%} of {len(v)}"
        print(f"earnings calls, fall of {least} and more: prepared remarks {share(falls)}, answers {share(free)}")


if __name__ == "__main__":
    main()
