"""What a batch over the corpus showed: python tests/sweep.py RESULTS.jsonl... (made by `inperson batch DIR --out`)."""

from __future__ import annotations

import json
import sys
from collections import Counter


def main() -> None:
    for name in sys.argv[1:]:
        rows = [json.loads(line) for line in open(name)]
        good = [r["report"] for r in rows if r["status"] == "ok"]
        pictures = [r for r in good if r["media"]["video"]]
        faces = sum(bool(r["tracks"]["faces"]) for r in pictures)
        print(f"{name}: {len(rows)} inputs, {len(rows) - len(good)} errors", end="")
        print(f", a face in {faces} of {len(pictures)} with picture ({faces / max(len(pictures), 1):.3f})")
        codes = Counter(code for r in good for code in {e["code"] for e in r["evidence"] if e["finding"]["kind"] == "score"})
        notes = Counter(code for r in good for code in {e["code"] for e in r["evidence"] if e["finding"]["kind"] == "note"})
        print("  scores:", dict(codes.most_common()))
        print("  notes:", dict(notes.most_common()))
        print("  actions:", dict(Counter(r["assessment"]["action"] for r in good)))


if __name__ == "__main__":
    main()
