"""From looks and motion to one score a clip: a regularised logistic regression, judged on repositories left out.

    python -m forgery.fuse --data DIR --corpus CORPUS --run RUN
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from .clips import Clips, genuine
from .models import zones
from .score import table
from .split import held_out

STRENGTH = 0.02


def looked(run: Path) -> tuple[np.ndarray, list[str]]:
    """Of each clip, what the network said."""
    held = np.load(run / "looks.npz")
    ends = np.cumsum(held["count"])
    w, out = zones().numpy(), []
    for a, b in zip(ends - held["count"], ends):
        l, m = held["logits"][a:b], held["maps"][a:b].astype(np.float32)
        row = [l.mean(), np.quantile(l, 0.8), np.log(l.std() + 0.1)]
        for mean in m.mean(0).reshape(2, -1):
            row += [*np.log(w @ mean + 0.01), np.log(np.sort(mean)[-80:].mean() + 0.01)]
        out.append(row + [np.log(np.abs(np.diff(m, axis=0)).mean() + 0.001) if len(m) > 1 else -4])
    return np.array(out), ["logit", "logit_high", "logit_spread", *(f"{m}_{z}" for m in ("region", "border") for z in ("inner", "ring", "outer", "top")), "map_flicker"]


def fit(x, y, weight, strength: float = STRENGTH):
    scale = StandardScaler().fit(x)
    model = LogisticRegression(C=strength, max_iter=2000).fit(scale.transform(x).clip(-4, 4), y, weight)
    return lambda z: model.decision_function(scale.transform(z).clip(-4, 4)), scale, model


def weights(groups, y) -> np.ndarray:
    """Repositories, not clips, are what is independent: each counts by the root of its size, both classes alike."""
    keys = [f"{g} {c}" for g, c in zip(groups, y)]
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    w = counts[inverse] ** -0.5
    for c in (0, 1):
        w[y == c] *= 0.5 * len(y) / w[y == c].sum()
    return w


def left_out(x, y, groups, use, strength: float = STRENGTH) -> np.ndarray:
    """Scores of every clip by a fit that met none of its repository; talkers that the network met are never scored on."""
    raw = np.full(len(y), np.nan)
    for g in np.unique(groups):
        train, test = use & (groups != g), groups == g
        raw[test] = fit(x[train], y[train], weights(groups[train], y[train]), strength)[0](x[test])
    return raw


def material(clips: Clips):
    y = np.array([0 if genuine(i) else 1 for i in clips.items])
    groups = np.array([i["repo"] for i in clips.items])
    use = np.array([i["part"] != "talkers" or held_out("talkers", i["path"].split("/")[1]) for i in clips.items])
    return y, groups, use


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--run", type=Path, required=True)
    a = p.parse_args()
    clips = Clips(a.data, a.corpus)
    y, groups, use = material(clips)
    looks, names = looked(a.run)
    held = np.load(a.data / "motion.npz")
    motion = np.where(np.isnan(held["x"]), np.nanmedian(held["x"][use], 0), held["x"])
    for name, x in (("looks", looks), ("motion", motion), ("both", np.hstack([looks, motion]))):
        for strength in (0.003, 0.02, 0.2):
            print("==", name, strength)
            table(clips.items, left_out(x, y, groups, use, strength))
    _, scale, model = fit(np.hstack([looks, motion])[use], y[use], weights(groups[use], y[use]))
    order = np.argsort(-np.abs(model.coef_[0]))
    names = names + list(held["names"])
    print([(names[k], round(float(model.coef_[0][k]), 2)) for k in order[:40]])


if __name__ == "__main__":
    main()
