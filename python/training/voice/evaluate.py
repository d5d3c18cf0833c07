"""Out-of-fold scores and what they show: python -m voice.evaluate --data DIR --nets DIR """

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pandas as pd
import torch

from sklearn.linear_model import LogisticRegression

from .metrics import apcer, auc, eer
from .models import Head, load
from .prepare import FOLDS
from .store import Clips
from .textures import LEAST, Textures
from .train import VERSIONS

# seconds at which a mean counts by half, as in `detect/voice.rs`
FEW = 2.0
# of the judges' verdict, see `models.Head`
PARTS = ("good", "poor", "share")


@torch.inference_mode()
def score(nets: list[Head], heard: np.ndarray) -> np.ndarray:
    """What the networks of a fold say on average of listenings: the judges' three parts, and of several voices (4, listenings)."""
    x = torch.from_numpy(heard)
    return np.mean([np.vstack([net.parts(x).numpy(), net.voices(x).numpy()[None]]) for net in nets], axis=0)


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def few(mean: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """The mean of listenings, drawn towards zero while little was listened to."""
    return mean * seconds / (seconds + FEW)


def families(score: np.ndarray, label: np.ndarray, family: np.ndarray) -> dict[str, float]:
    return {f: eer(score[(label == 0) | (family == f)], label[(label == 0) | (family == f)]) for f in sorted(set(family[label == 1]))}


def line(name: str, score: np.ndarray, table: pd.DataFrame) -> str:
    label = (table.label == "spoof").to_numpy().astype(int)
    each = " ".join(f"{k} {v:.3f}" for k, v in families(score, label, table.family.to_numpy()).items())
    return f"{name}: n {len(label)} EER {eer(score, label):.3f} AUC {auc(score, label):.3f} APCER@5 {apcer(score, label, 0.05):.3f} | {each}"


def judged(data: Path, nets: Path, name: str) -> pd.DataFrame:
    """Of every clip what the networks of its fold say: means over the listenings that count, and the first two seconds alone."""
    held, table = Textures(data, name), Clips(data, "clips").table
    fold, rows = table.fold.to_numpy()[held.table["clip"]], []
    for k in range(FOLDS):
        net = load(nets, k)
        for i in np.flatnonzero(fold == k):
            *mean, several = score(net, held[i]).mean(1)
            rows.append((held.table["clip"][i], held.seconds(i), *mean, several, *score(net, held.all[held.start[i]][None])[:3, 0]))
    columns = ["clip", "seconds", *PARTS, "several", *(f"first_{p}" for p in PARTS)]
    return pd.DataFrame(rows, columns=columns).set_index("clip").sort_index()


def worth(parts: np.ndarray, label: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What the second judge's logit and its share (rows of `parts`) count beside the first one's logit."""
    fit = LogisticRegression(C=1e6).fit(parts.T, label, sample_weight=weight / weight.mean()).coef_[0]
    return np.clip(fit[1:] / fit[0], [0, -3], [1.5, 3])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    table = Clips(a.data, "clips").table
    label, fold = (table.label == "spoof").to_numpy().astype(int), table.fold.to_numpy()
    frames = {name: judged(a.data, a.nets, name) for name in ("clips", *VERSIONS)}
    weight = table.groupby(["repo", "label"]).path.transform("size").to_numpy() ** -0.5
    every = np.concatenate([f[[*PARTS]].to_numpy().T for f in frames.values()], 1)
    many = lambda x: np.tile(x, len(frames))
    # a fold's is fitted on the others
    apart = [many(fold) != k for k in range(FOLDS)]
    worths = np.array([worth(every[:, k], many(label)[k], many(weight)[k]) for k in apart])
    print("worth of the second judge and of its share, by fold:", worths.round(2).tolist())
    for name, f in frames.items():
        for to, start in (("mean", ""), ("first", "first_")):
            f[to] = f[f"{start}good"] + (worths[fold] * f[[f"{start}poor", f"{start}share"]].to_numpy()).sum(1)
        f["worth"], f["tilt"] = worth(every, many(label), many(weight))
        f.to_csv(a.nets / f"scores-{name}.csv")
        use = ((table.part == "audio") & (table.samples >= LEAST)).to_numpy()
        print(line(name, few(f["mean"].to_numpy(), f.seconds.to_numpy())[use], table[use]), flush=True)


if __name__ == "__main__":
    main()
