"""Mouths made to fit a sound, by their detail: python -m lips.detail --data DIR --nets DIR --tag TAG

Clips of `lips.prepare`: lip-sync fakes against genuine faces, sources left out one by one. Cues in four groups: how lips and sound agree, how the
mouth moves with the sound's level, how its pixels are made, how many shapes it takes. Sources weigh alike."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from .report import REACH, Judge, profile
from .shape import INNER, OUTER

# five of the cues that tell most alone, chosen when all had been seen
FEW = "variety.step agree.fall agree.step pixel.moved_in pixel.slope_in".split()
INSIDE, ABOVE, BELOW, SIDES = np.s_[:, 26:44, 20:44], np.s_[:, 2:14, 16:48], np.s_[:, 48:62, 16:48], np.s_[:, 20:48, 2:10]


def of_clip(judge: Judge, i: int) -> dict[str, float]:
    v, a, s = judge.lips(i), judge.sound(i, i), judge.speech[i]
    sums, counts = profile(v, a, s)
    m = np.where(counts >= 0.5 * counts[REACH], sums / np.maximum(counts, 1), -9)
    k = int(m.argmax())
    lag = k - REACH
    d = np.array([v[n] @ a[n + lag] for n in range(len(v)) if 0 <= n + lag < len(a) and s[n]])
    near = [m[j] for j in (k - 2, k + 2) if 0 <= j < len(m) and m[j] > -9]
    far = [x for j, x in enumerate(m) if abs(j - k) > 5 and x > -9]
    out = {"agree.best": m[k], "agree.fall": m[k] - np.mean(near), "agree.far": np.mean(far), "agree.spread": d.std(), "agree.low": np.quantile(d, 0.1),
           "agree.step": np.abs(np.diff(d)).mean(), "agree.high": np.quantile(d, 0.9), "agree.lag": abs(lag)}
    # movement
    points, n = judge.clips.points[i], len(v)
    outer, inner = points[:, : len(OUTER)], points[:, len(OUTER) : len(OUTER) + len(INNER)]
    height, width = np.ptp(inner[:, :, 1], axis=1), np.ptp(outer[:, :, 0], axis=1)
    jaw = points[:, len(OUTER) + len(INNER) :, 1].mean(1)
    level = np.log(judge.clips.power[i].sum(1)[: 4 * n].reshape(-1, 4).mean(1) + 1e-6)
    z = lambda x: (x - x.mean()) / (x.std() + 1e-6)
    smooth = lambda x: np.convolve(x, np.ones(3) / 3, "same")
    def along(x, y):
        return max(float(np.mean(z(x[max(0, -g) : len(x) - max(0, g)]) * z(y[max(0, g) : len(y) - max(0, -g)]))) for g in range(lag - 3, lag + 4) if abs(g) < n // 2)
    out |= {"move.level": along(smooth(height), smooth(level)), "move.jaw_lips": float(np.corrcoef(height, jaw)[0, 1]), "move.width_height": float(np.corrcoef(height, width)[0, 1]),
            "move.jerk": np.abs(np.diff(height, 2)).mean() / (np.abs(np.diff(height)).mean() + 1e-5), "move.range": np.log(height.std() + 1e-4), "move.jaw_range": np.log(jaw.std() + 1e-4),
            "move.quiet": float(np.log(height[~s].std() + 1e-4)) if (~s).sum() > 8 else np.log(height.std() + 1e-4)}
    # pixels
    x = judge.clips.mouths[i].astype(np.float32)
    light = x.std() + 2
    fine = x - gaussian_filter(x, (0, 1, 1))
    middle = gaussian_filter(x, (0, 1, 1)) - gaussian_filter(x, (0, 3, 3))
    change = np.diff(x, axis=0)
    still = np.median(np.abs(change).reshape(len(change), -1).mean(1))
    rough = {name: np.log(fine[zone].std() + 0.3) for name, zone in (("in", INSIDE), ("above", ABOVE), ("below", BELOW), ("side", SIDES))}
    coarse = {name: np.log(middle[zone].std() + 0.3) for name, zone in (("in", INSIDE), ("above", ABOVE), ("below", BELOW), ("side", SIDES))}
    moved = {name: np.log(np.abs(change[zone]).mean() + 0.3) for name, zone in (("in", INSIDE), ("above", ABOVE), ("below", BELOW), ("side", SIDES))}
    flick = np.diff(fine, axis=0)
    flicker = {name: np.log(flick[zone].std() + 0.3) - rough[name] for name, zone in (("in", INSIDE), ("above", ABOVE), ("below", BELOW), ("side", SIDES))}
    for name in ("in", "below", "side"):
        out |= {f"pixel.fine_{name}": rough[name] - rough["above"], f"pixel.middle_{name}": coarse[name] - coarse["above"], f"pixel.moved_{name}": moved[name] - moved["above"],
                f"pixel.flicker_{name}": flicker[name] - flicker["above"]}
    sharp = np.abs(fine[INSIDE]).mean((1, 2))
    out |= {"pixel.fine_change": np.log(sharp.std() / (sharp.mean() + 0.1) + 0.01), "pixel.slope_in": rough["in"] - coarse["in"], "pixel.slope_above": rough["above"] - coarse["above"]}
    # variety of shapes and pictures
    q = points.reshape(n, -1) - points.reshape(n, -1).mean(0)
    e = np.linalg.svd(q, compute_uv=False) ** 2
    p = gaussian_filter(x, (0, 1, 1))[:, ::3, ::3].reshape(n, -1)
    w = np.linalg.svd((p - p.mean(0)) / light, compute_uv=False) ** 2
    ratio = lambda e: np.log(e.sum() ** 2 / (e**2).sum())
    out |= {"variety.shapes": ratio(e), "variety.pictures": ratio(w), "variety.lips": ratio(np.linalg.svd(v - v.mean(0), compute_uv=False) ** 2), "variety.step": np.linalg.norm(np.diff(v, axis=0), axis=1).mean(),
            "variety.step_sound": np.linalg.norm(np.diff(a, axis=0), axis=1).mean(), "still": np.log(still + 0.1)}
    return {k: float(x) for k, x in out.items()}


def weights(y: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Sources weigh alike within each kind, and kinds alike."""
    w = np.array([1 / ((source == s) & (y == k)).sum() for s, k in zip(source, y)])
    for k in (0, 1):
        w[y == k] /= w[y == k].sum()
    return w * len(y) / 2


def left_out(x: np.ndarray, y: np.ndarray, source: np.ndarray, c: float = 0.005) -> np.ndarray:
    out = np.zeros(len(y))
    for s in set(source):
        rest = source != s
        mean, sd = x[rest].mean(0), x[rest].std(0) + 1e-6
        z = lambda v: np.clip((v - mean) / sd, -3, 3)
        out[~rest] = LogisticRegression(C=c, max_iter=500).fit(z(x[rest]), y[rest], sample_weight=weights(y[rest], source[rest])).decision_function(z(x[~rest]))
    return out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--tag", required=True)
    p.add_argument("--beside", type=Path, help="CSV of part, path, score: another check's")
    p.add_argument("--keep", type=Path, help="file for the cues, read again where it is there")
    a = p.parse_args()
    torch.set_num_threads(1)
    if a.keep and a.keep.exists():
        kept = np.load(a.keep, allow_pickle=True)
        rows, names, x = kept["rows"], list(kept["names"]), kept["x"]
        t = pd.read_csv(a.data / "clips.csv", keep_default_na=False)
    else:
        judge = Judge(a.data, a.nets, a.tag, list(range(5)))
        t = judge.clips.table
        use = ((t.label == "bonafide") & (t.audio_label != "spoof") | (t.manipulation == "lip_sync")).to_numpy()
        rows = np.array([i for i in np.flatnonzero(use) if judge.speech[i].sum() >= 30])
        found = [of_clip(judge, i) for i in rows]
        names = list(found[0])
        x = np.nan_to_num(np.array([[f[n] for n in names] for f in found]))
        if a.keep:
            np.savez(a.keep, rows=rows, names=names, x=x)
    t = t.iloc[rows]
    y, part = (t.manipulation == "lip_sync").to_numpy().astype(int), t.part.to_numpy()
    source = t.repo.to_numpy()
    w = weights(y, source)
    auc = lambda score, use=slice(None): roc_auc_score(y[use], score[use], sample_weight=w[use])
    print(f"{y.sum()} fakes of {len(set(source[y == 1]))} sources, {(1 - y).sum()} genuine of {len(set(source[y == 0]))}")
    near = part != "talkers"
    print("single cues, AUC by source, and without talkers:")
    single = sorted(((max(auc(x[:, k]), 1 - auc(x[:, k])), max(auc(x[:, k], near), 1 - auc(x[:, k], near)), n) for k, n in enumerate(names)), reverse=True)
    for s, r, n in single[:12]:
        print(f"  {n}: {s:.3f} {r:.3f}")
    groups = {g: [k for k, n in enumerate(names) if n.startswith(g)] for g in ("agree", "move", "pixel", "variety")}
    groups |= {"all": list(range(len(names))), "few": [names.index(n) for n in FEW]}
    for name, cols in groups.items():
        score = left_out(x[:, cols], y, source)
        own = left_out(x[near][:, cols], y[near], source[near])
        pairs = [np.mean([score[i] > score[j] for i in np.flatnonzero((source == s) & (y == 1)) for j in np.flatnonzero((source == s) & (y == 0))]) for s in set(source[y == 1]) & set(source[y == 0])]
        high = np.quantile(np.repeat(score[y == 0], np.maximum(1, np.round(w[y == 0] / w[y == 0].min())).astype(int)), 0.95)
        print(f"{name} ({len(cols)}): AUC by source {auc(score):.3f}, without talkers {auc(score, near):.3f} (trained without them {roc_auc_score(y[near], own, sample_weight=weights(y[near], source[near])):.3f}), "
              f"within {len(pairs)} sources that have both {np.mean(pairs):.3f}, APCER at BPCER 5 % {np.average(score[y == 1] <= high, weights=w[y == 1]):.2f}")
    scores = {"few": score}
    if a.beside:  # another check's score of the same clips, sources left out; both alike
        other = pd.read_csv(a.beside).groupby(["part", "path"]).score.mean()
        found = np.array([other.get(k, np.nan) for k in zip(t.part, t.path)])
        found[np.isnan(found)] = np.nanmean(found)
        alike = lambda v: (v - np.average(v, weights=w)) / np.sqrt(np.cov(v, aweights=w))
        scores |= {"beside": found, "both": alike(score) + alike(found)}
        for name in ("beside", "both"):
            print(f"{name}: AUC by source {auc(scores[name]):.3f}, without talkers {auc(scores[name], near):.3f}")
    print("by system: clips, sources, AUC against all genuine by", *scores)
    for system in sorted(set(t.system[y == 1])):
        mine = (t.system == system).to_numpy()
        use = (y == 0) | mine
        print(f"  {system}: {mine.sum()}, {len(set(source[mine]))}", *(f"{roc_auc_score(y[use], s[use], sample_weight=w[use]):.3f}" for s in scores.values()))
    rng, null = np.random.default_rng(0), []
    ids = sorted(set(zip(source, y)))
    for _ in range(10):  # labels exchanged between whole sources
        new = dict(zip(ids, rng.permutation([k for _, k in ids])))
        z = np.array([new[(s, k)] for s, k in zip(source, y)])
        null.append(roc_auc_score(z, left_out(x[:, groups["few"]], z, source), sample_weight=weights(z, source)))
    print("null test, labels exchanged between sources:", np.round(null, 3))


if __name__ == "__main__":
    main()
