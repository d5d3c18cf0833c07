"""Calibrates the mean logit and the borders inside the face on clips that the network never met, and prints what they tell.

    python -m forgery.calibrate --data DIR --corpus CORPUS --run RUN

Fakes of `video` and `pairs` are in no training; of `talkers` only the held-out repositories are used. Ratios in the tables are of
repositories left out; what ships is fitted on all.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import metrics
from metrics import affine, cllr, interval
from sides import apcer, auc

from .clips import Clips, species
from .fuse import material, weights
from .models import zones
from .score import order

FEW = 2
# what is claimed at most, in nats, and how far genuine scores reach before a clip is out of range
BOUND = {"face": 2.0, "border": 1.5}


def raws(run: Path) -> dict[str, np.ndarray]:
    """As the library reads them."""
    held = np.load(run / "looks.npz")
    ends = np.cumsum(held["count"])
    face, border, inner = [], [], zones()[0].numpy()
    for a, b in zip(ends - held["count"], ends):
        n = b - a
        face.append(held["logits"][a:b].sum() / (n + FEW))
        seams = held["maps"][a:b, 1].astype(np.float32).mean(0).ravel() @ inner
        border.append(np.log((seams + 0.01) / 0.12) * n / (n + FEW))
    return {"face": np.array(face), "border": np.array(border)}


def left_out(raw, y, groups, use) -> np.ndarray:
    llr = np.full(len(raw), np.nan)
    for g in np.unique(groups):
        t = use & (groups != g)
        slope, offset = affine(raw[t], y[t], weights(groups[t], y[t]))
        llr[groups == g] = slope * raw[groups == g] + offset
    return llr


def tell(name, raw, llr, y, items, groups, use) -> dict:
    kind, part = np.array([species(i) for i in items]), np.array([i["part"] for i in items])
    g = use & (y == 0)
    print(f"\n## {name}: genuine {g.sum()} of {len(np.unique(groups[g]))} repositories")
    print("| species | clips | repositories | AUC | APCER at BPCER 5 % | at 1 % | AUC in `video` | in `pairs` |\n|---|---|---|---|---|---|---|---|")
    inside = lambda p, f: auc(raw[(part == p) & (y == 0)], raw[f & (part == p)])
    for s in ("face_swap", "reenactment", "lip_sync", "full_generation", "all"):
        f = (y == 1) if s == "all" else kind == s
        a, b = apcer(raw[g], raw[f], 0.05), apcer(raw[g], raw[f], 0.01)
        print(f"| {s} | {f.sum()} | {len(np.unique(groups[f]))} | {auc(raw[g], raw[f]):.3f} | {a:.0%} | {b:.0%} | {inside('video', f):.3f} | {inside('pairs', f):.3f} |")
    low, high = interval(lambda r: metrics.auc(raw[use][r], y[use][r]), groups[use])
    share, n = order(items, raw)
    talk = use & (part == "talkers")
    print(f"AUC over repositories drawn anew: {low:.3f} to {high:.3f}; pairs in order {share:.3f} of {n}; Cllr {cllr(llr[use], y[use]):.3f}")
    print("LLR over 0.5 / 1 / 2, genuine:", [round(float((llr[g] > v).mean()), 4) for v in (0.5, 1, 2)], "talkers", int(talk.sum()), [round(float((llr[talk] > v).mean()), 4) for v in (0.5, 1, 2)],
          "fakes", [round(float((llr[y == 1] > v).mean()), 4) for v in (0.5, 1, 2)])
    systems = sorted({i["system"] for i, v in zip(items, y) if v})
    line = np.quantile(raw[g], 0.95)
    print("systems, AUC and share found at BPCER 5 %:", "; ".join(
        f"{s} ({f.sum()}) {auc(raw[g], raw[f]):.2f} {np.mean(raw[f] > line):.0%}" for s in systems if (f := np.array([i["system"] == s and v == 1 for i, v in zip(items, y)])).sum() >= 2))
    worst = sorted(((float(np.mean(llr[g & (groups == r)])), r, int((g & (groups == r)).sum())) for r in np.unique(groups[g])), reverse=True)[:6]
    print("genuine repositories with the highest mean LLR:", [(r, n, round(v, 2)) for v, r, n in worst])
    f = y == 1
    return {f"{name}_auc": auc(raw[g], raw[f]), f"{name}_apcer5": apcer(raw[g], raw[f], 0.05), f"{name}_cllr": cllr(llr[use], y[use]), f"{name}_pairs": share}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--run", type=Path, required=True)
    a = p.parse_args()
    clips = Clips(a.data, a.corpus)
    y, groups, use = material(clips)
    out = {"metrics": {}}
    for name, raw in raws(a.run).items():
        out["metrics"] |= tell(name, raw, left_out(raw, y, groups, use), y, clips.items, groups, use)
        slope, offset = affine(raw[use], y[use], weights(groups[use], y[use]))
        # weak evidence never turns round: a slope below zero would say that training failed
        margin = 0.15 * (raw.max() - raw.min())
        out[name] = {"slope": max(slope, 0.0), "offset": offset if slope > 0 else 0.0, "low": raw.min() - margin, "high": raw.max() + margin,
                     "least": -BOUND[name], "most": BOUND[name]}
        print({k: round(float(v), 3) for k, v in out[name].items()})
    (a.run / "calibration.json").write_text(json.dumps(out, default=float))


if __name__ == "__main__":
    main()
