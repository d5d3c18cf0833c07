"""Which recordings of a batch to look at first, and where.

    inperson batch recordings/ --out results.jsonl
    python triage.py results.jsonl [--least 0.02]

Prints the recordings whose posterior is at least `--least`, highest first, with the moments that moved it; then those that could not be
looked at, and those that gave too little to judge. A person decides.
"""

from __future__ import annotations

import argparse
import json


def clock(micros: int) -> str:
    return f"{micros // 60_000_000:02}:{micros / 1e6 % 60:04.1f}"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("results")
    p.add_argument("--least", type=float, default=0.02)
    a = p.parse_args()
    with open(a.results) as f:
        rows = [json.loads(line) for line in f]
    looked_at = [(r["input"], r["report"]["assessment"]) for r in rows if r["status"] == "ok"]
    judged = [(name, s) for name, s in looked_at if s["overall"]["posterior"] is not None]
    for name, said in sorted(judged, key=lambda x: -x[1]["overall"]["posterior"]):
        overall = said["overall"]
        if overall["posterior"] < a.least:
            break
        print(f"{name}: {overall['posterior']:.1%}, {overall['coverage']:.0%} judged, {said['action'].replace('_', ' ')}")
        for m in said["moved_by"][:3]:
            print(f"    {clock(m['span']['start'])}-{clock(m['span']['end'])}  {m['llr']:+.2f}  {m['message']}")
    for row in rows:
        if row["status"] != "ok":
            print(f"could not look: {row['error']}")
    silent = [name for name, said in looked_at if said["action"] == "not_enough_to_judge"]
    if silent:
        print(f"not enough to judge, which is no sign of innocence: {', '.join(silent)}")


if __name__ == "__main__":
    main()
