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


@torch.inference_mode()
def score(nets: list[Head], heard: np.ndarray) -> np.ndarray:
    """What the networks of a fold say on average of listenings: the judges' two parts, and of several voices (3, listenings)."""
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
            good, poor, several = score(net, held[i])
            first = score(net, held.all[held.start[i]][None])[:, 0]
            rows.append((held.table["clip"][i], held.seconds(i), good.mean(), poor.mean(), several.mean(), first[0], first[1]))
    return pd.DataFrame(rows, columns=["clip", "seconds", "good", "poor", "several", "first_good", "first_poor"]).set_index("clip").sort_index()


def worth(good: np.ndarray, poor: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """What the second judge's logit counts beside the first one's."""
    both = LogisticRegression(C=1e6).fit(np.stack([good, poor], 1), label, sample_weight=weight / weight.mean()).coef_[0]
    return float(np.clip(both[1] / both[0], 0, 1.5))


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
    every = [np.concatenate([f[c] for f in frames.values()]) for c in ("good", "poor")]
    many = lambda x: np.tile(x, len(frames))
    # a fold's is fitted on the others
    worths = np.array([worth(*(e[many(fold) != k] for e in every), many(label)[many(fold) != k], many(weight)[many(fold) != k]) for k in range(FOLDS)])
    print("worth of the second judge, by fold:", worths.round(2))
    for name, f in frames.items():
        f["mean"], f["first"] = f.good + worths[fold] * f.poor, f.first_good + worths[fold] * f.first_poor
        f["worth"] = worth(*every, many(label), many(weight))
        f.to_csv(a.nets / f"scores-{name}.csv")
        use = ((table.part == "audio") & (table.samples >= LEAST)).to_numpy()
        print(line(name, few(f["mean"].to_numpy(), f.seconds.to_numpy())[use], table[use]), flush=True)


if __name__ == "__main__":
    main()
