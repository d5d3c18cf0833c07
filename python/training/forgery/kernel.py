"""Kernel regression on the numbers of `textures`, each source weighing the same: scores of sources left out, and the model `face`.

    python -m forgery.kernel --data OUT [--net NET --student STUDENT --export ../../models --version 0.7.0]

`OUT/scores.npz` holds what sources left out score.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from .changes import NUMBERS as CHANGED
from .folds import FOLDS, splits
from .patches import NUMBERS as PATCHES
from .scattering import NUMBERS as SCATTERED
from .student import CHANNELS, FIRST
from .texture import CONTRASTS, NUMBERS

# where people of the other side of a split are left out, wide kernels tell more of the rest than narrow ones
STRENGTH, WIDTH = 0.1, 0.2
# the network's channels are mixed to so many, whose kernel is narrower
MIXED, MIXED_WIDTH = 6, 0.75
# kinds of numbers in the order of a row, and how many there are of each
COUNTS = {
    "texture": NUMBERS, "patches": PATCHES, "seen": CHANNELS * 2 * len(CONTRASTS), "first-near": FIRST * 2 * len(CONTRASTS), "first-far": FIRST * 2 * len(CONTRASTS),
    "seen-far": CHANNELS * 2 * len(CONTRASTS), "near": CHANGED, "far": CHANGED, "scattering": SCATTERED,
}
ENDS = dict(zip(COUNTS, np.cumsum(list(COUNTS.values()))))
AT = {kind: slice(ENDS[kind] - count, ENDS[kind]) for kind, count in COUNTS.items()}
# which numbers a kernel compares, how wide it is, and what it counts in the score: what tells a fake in one kind depends on all the others. Those of one kind
# put more fakes above their own source
TOGETHER = tuple(kind for kind in COUNTS if kind != "patches")
KERNELS = ((TOGETHER, WIDTH, 1.0), (("patches",), MIXED_WIDTH, 0.35), (("texture",), WIDTH, 0.2), (("seen",), WIDTH, 0.2))
# takes that the library has of 3 s, and after how many the mean counts by half
TAKES, FEW = 2, 0.5
STEP = 1 / 32  # centres are kept as bytes of so much


def weights(sources: np.ndarray, y: np.ndarray, power: float = 1.0) -> np.ndarray:
    """Clips by how many their source has, both classes the same in all."""
    _, at, count = np.unique([f"{a} {b}" for a, b in zip(sources, y)], return_inverse=True, return_counts=True)
    w = count[at].astype(float) ** -power
    for label in (0, 1):
        w[y == label] *= len(y) / 2 / w[y == label].sum()
    return w


# borders of groups in which both classes weigh the same: skin tone (individual typology angle, degrees) and distance of the eyes (pixels)
SKIN, EYES = (10, 41), (45, 80)


def fair(d) -> np.ndarray:
    """Sources weigh the same, and genuine and fake clips of each skin tone and face size too: fakes here are lighter and larger than genuine faces."""
    y = d["y"]
    w = weights(d["source"], y)
    for _ in range(20):
        for group in (np.digitize(d["skin"], SKIN), np.digitize(np.exp(d["about"][:, 0]), EYES)):
            for k in np.unique(group):
                parts = [(group == k) & (y == label) for label in (0, 1)]
                half = w[group == k].sum() / 2
                for rows in parts if all(p.any() for p in parts) else []:
                    w[rows] *= half / w[rows].sum()
    return w / w.mean()


def rows(d, chosen: np.ndarray) -> dict:
    """Of these clips alone."""
    return {k: v[chosen] for k, v in d.items() if len(v) == len(d["y"])}


class Numbers:
    """Numbers of clips to compare with: means of bursts, cut off beyond the outer hundredths of single ones, scaled and kept as bytes."""

    def __init__(self, d, x: np.ndarray):
        self.low, self.high = np.nanquantile(x.reshape(-1, x.shape[-1]), [0.01, 0.99], axis=0)
        cut, w = mean(x).clip(self.low, self.high), fair(d)
        self.middle = np.average(cut, axis=0, weights=w)
        self.spread = np.sqrt(np.average((cut - self.middle) ** 2, axis=0, weights=w)) + 1e-6
        self.centres = np.round(self.scaled(cut) / STEP).clip(-127, 127).astype(np.int8)

    def scaled(self, x: np.ndarray) -> np.ndarray:
        return ((x.clip(self.low, self.high) - self.middle) / self.spread).clip(-4, 4)

    def apart(self, scaled: np.ndarray) -> np.ndarray:
        """Mean squared difference from each of the clips to compare with."""
        a, b = scaled, self.centres * STEP
        return ((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T) / a.shape[1]


class Kernel:
    """A Gaussian kernel on numbers of one or several kinds, which count alike."""

    def __init__(self, d, numbers: list[Numbers], width: float):
        w, target, self.width = fair(d), d["y"] * 2.0 - 1, width
        near = self.near([n.apart(n.centres * STEP) for n in numbers])
        self.level = np.average(target, weights=w)
        self.factors = np.linalg.solve(near + STRENGTH * np.diag(1 / w), target - self.level)

    def near(self, apart: list[np.ndarray]) -> np.ndarray:
        return np.exp(-self.width * sum(apart) / len(apart))

    def __call__(self, apart: list[np.ndarray]) -> np.ndarray:
        return self.near(apart) @ self.factors + self.level


class Judge:
    """The kernels of `KERNELS`. The network's channels are first mixed to their main axes, since more of them tell sources apart."""

    def __init__(self, d):
        x = d["x"][:, 0]
        v = self.by_channel(mean(x))
        spread = v.std((0, 3)) + 1e-6  # channel, mean or spread
        v = (v / spread[..., None]).transpose(2, 0, 3, 1).reshape(2, -1, len(spread))
        axes = np.linalg.svd(v - v.mean(1, keepdims=True), full_matrices=False)[2][:, :MIXED]
        self.mixing = axes / spread.T[:, None]  # mean or spread, axis, channel
        self.numbers = {kind: Numbers(d, of) for kind, of in self.kinds(x).items()}
        self.kernels = [Kernel(d, [self.numbers[k] for k in kinds], width) for kinds, width, _ in KERNELS]

    @staticmethod
    def by_channel(x: np.ndarray) -> np.ndarray:
        return x[..., AT["patches"]].reshape(*x.shape[:-1], -1, 2, len(CONTRASTS))

    def kinds(self, x: np.ndarray) -> dict[str, np.ndarray]:
        mixed = np.einsum("...ctk,tac->...tak", self.by_channel(x), self.mixing)
        return {kind: x[..., at] for kind, at in AT.items()} | {"patches": mixed.reshape(*x.shape[:-1], -1)}

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Of single bursts."""
        out, here = np.full(len(x), np.nan), ~np.isnan(x[:, 0])
        apart = {kind: self.numbers[kind].apart(self.numbers[kind].scaled(of)) for kind, of in self.kinds(x[here]).items()}
        out[here] = sum(count * kernel([apart[k] for k in kinds]) for (kinds, _, count), kernel in zip(KERNELS, self.kernels))
        return out


def mean(x: np.ndarray) -> np.ndarray:
    """Over bursts that there are."""
    count = (~np.isnan(x)).sum(1)
    return np.where(count, np.nansum(x, 1) / np.maximum(count, 1), np.nan)


def raw(bursts: np.ndarray) -> np.ndarray:
    """As the library reads them: the mean over bursts, drawn towards zero while they are few."""
    n = (~np.isnan(bursts)).sum(1)
    return np.where(n, np.nansum(bursts, 1) / (n + FEW), np.nan)


def taken(bursts: np.ndarray) -> np.ndarray:
    """Of each clip as many as the library takes, spread."""
    out = np.full((len(bursts), TAKES, bursts.shape[2]), np.nan, bursts.dtype)
    for row, of in zip(out, bursts):
        there = of[~np.isnan(of[:, 0])]
        at = np.linspace(0, len(there) - 1, min(TAKES, len(there))).round().astype(int)
        row[: len(at)] = there[at]
    return out


def left_out(d, folds: int = FOLDS, seed: int = 0) -> np.ndarray:
    """Scores (clips, as it is or degraded) by kernels that know no clip of the same source, and none of the same person."""
    x = d["x"]
    out = np.full((len(x), 2), np.nan)
    for train, test in splits(d, folds, seed):
        k = Judge(rows(d, train))
        for view in (0, 1):
            bursts = taken(x[test, view])
            out[test, view] = raw(np.stack([k(bursts[:, t]) for t in range(TAKES)], 1))
    return out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--net", type=Path, help="what `textures` had as --net, to export")
    p.add_argument("--student", type=Path, help="what `textures` had as --student")
    p.add_argument("--export", type=Path)
    p.add_argument("--version", default="0.7.0")
    p.add_argument("--seed", type=int, default=0, help="how sources are drawn into folds")
    a = p.parse_args()
    d = dict(np.load(a.data / "texture.npz"))
    if d["x"].shape[-1] != sum(COUNTS.values()):
        p.error(f"{a.data / 'texture.npz'} holds {d['x'].shape[-1]} numbers a burst, not {sum(COUNTS.values())}: another version made it; run forgery.textures again")
    d["y"] = d["y"].astype(int)
    scores = left_out(d, seed=a.seed)
    np.savez(a.data / "scores.npz", scores=scores)
    from . import figures, ship

    figures.told(d, scores)
    if a.export:
        ship.write(Judge(d), a.net, a.student, a.export, a.version, figures.calibration(d, scores))


if __name__ == "__main__":
    main()
