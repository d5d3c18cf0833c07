"""Writes the golden file that Rust's tests read; its texts were written for it."""

import json
import sys

import numpy as np

from .model import LONGEST, SIZE
from .text import ngrams, tokens

TEXTS = [
    "Um, I  I wor- worked\u2019s [laughs] on 25 pro\u00e9jects, (pause 0.2) well-known; don 't \u2019quote\u2019 it's #1.",
    "1. First, we\u2019ll ship. Ship it!\n- Then rest; three days\u2014maybe 4.\n* \u00dcber-fast caf\u00e9 (not [sic] here) <br> ok",
    "So uh the the thing is, you know, we had two two hundred users and and it it broke on day one. What did I do? I "
    "called Sarah, we rolled it back, and I wrote the post-mortem on the train.",
    "",
    "a{b}c (pauses are odd) [unclosed <also {open 3x 3x x3 '' n't 's",
]


def main(path):
    cases = []
    for text in TEXTS:
        words = tokens(text)
        hashes = ngrams(words, range(1, LONGEST + 1), 1) & np.uint64(SIZE - 1)
        index, count = np.unique(hashes, return_counts=True)
        value = np.log1p(count.astype(np.float32))
        cases.append(dict(text=text, words=words, indices=[int(i) for i in index], values=[float(v) for v in value]))
    open(path, "w").write(json.dumps(cases, indent=1, ensure_ascii=True) + "\n")


def times(path):
    """Made-up words at made-up times, with and without a pause after each."""
    from .delivery import features, plain_words
    from .timing import tokens

    rng = np.random.default_rng(5)
    list_ = "so the team and I went to um the old mill because we we had heard that it was not in use 25 worked buildings counting".split()
    cases = []
    for kind in ("free", "short", "stretched"):
        at, words = 0.0, []
        for i in range(40 if kind == "short" else 150):
            word = list_[(i * 7 + i // 5) % len(list_)]
            end = round(at + 0.05 + 0.05 * len(word) + 0.1 * rng.random(), 3)
            words.append([word, None, None] if i % 29 == 3 else [word, round(at, 3), end])
            at = end if kind == "stretched" or rng.random() < 0.7 else round(end + rng.gamma(2, 0.25), 3)
        found = features([tuple(w) for w in words])
        pairs, timed = tokens(plain_words([tuple(w) for w in words]))
        cases.append(dict(words=words, features=None if found is None else [float(f) for f in found], pairs=pairs.ravel().tolist(), tokens=timed.ravel().round(6).tolist()))
    open(path, "w").write(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] + "/golden.json")
    times(sys.argv[1] + "/golden_times.json")
