"""Stretches in which nothing is said, from which the check shall not tell who speaks: python -m voice.pauses --data DIR

Of clips, of their rough versions and of every second one after a call what is quiet, put together; `clip` is the one that they come of.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from .store import RATE, Clips, Writer, to_float, to_pcm
from .textures import LEAST

# how far under the loudest twentieth of a clip, decibels, and least that is put together, samples
QUIET, SOME = 26, int(0.4 * RATE)
# of which sets, and every so manieth clip of them
SETS = {"clips": 1, "clips-v1": 1, "clips-v4": 2}


def levels(x: np.ndarray) -> np.ndarray:
    """Loudness of every sample's surroundings of 20 ms."""
    return np.sqrt(np.convolve(x.astype(np.float32) ** 2, np.ones(320) / 320, "same") + 1e-9)


def pauses(x: np.ndarray) -> np.ndarray | None:
    """The pauses of a clip, as often as fills what is listened to; none where there are too few."""
    level = levels(x)
    quiet = x[level < np.quantile(level, 0.95) * 10 ** (-QUIET / 20)]
    return np.resize(quiet, max(LEAST, len(quiet))) if len(quiet) >= SOME else None


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    a = p.parse_args()
    out = Writer(a.data, "pauses")
    for name, every in SETS.items():
        clips = Clips(a.data, name)
        for i, origin in list(enumerate(clips.table["clip"]))[::every]:
            found = pauses(to_float(clips[i]))
            if found is not None:
                # as loud as if it were speech
                out.add(to_pcm(found / (np.abs(found).max() + 1e-6) * 0.9), clip=origin)
    print("pauses", len(out.close()))


if __name__ == "__main__":
    main()
