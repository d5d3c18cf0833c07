"""Two voices at once, which the check shall know rather than judge: pairs of clips of one fold, laid over each other.

    python -m voice.mixes --data DIR [--count 1250]

`clip` is the louder one's. Genuine and spoofed voices are mixed alike, a half of them after `augment.mild`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from .augment import mild
from .store import RATE, Clips, Writer, to_float, to_pcm


def laid(a: np.ndarray, b: np.ndarray, db: float) -> np.ndarray:
    """`b` under `a`, quieter by so many decibels."""
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    return a + b * (a.std() + 1e-6) / (b.std() + 1e-6) * 10 ** (-db / 20)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--count", type=int, default=1250)
    a = p.parse_args()
    clips, out, rng = Clips(a.data, "clips"), Writer(a.data, "mixes"), np.random.default_rng(9)
    table = clips.table[clips.table.samples >= 2.5 * RATE]
    p_repo = table.groupby(["repo", "label"]).path.transform("size").to_numpy() ** -0.5
    for k in range(a.count):
        first = table.index[rng.choice(len(table), p=p_repo / p_repo.sum())]
        others = table[(table.fold == table.fold[first]) & (table.repo != table.repo[first])]
        second = rng.choice(others.index)
        x = laid(to_float(clips[first]), to_float(clips[second]), rng.uniform(0, 10))
        x = x / (np.abs(x).max() + 1e-6) * 0.9
        out.add(to_pcm(x) if rng.random() < 0.5 else mild(x, [9, k]), clip=first)
    print("mixes", len(out.close()))


if __name__ == "__main__":
    main()
