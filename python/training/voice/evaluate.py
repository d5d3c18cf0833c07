"""Out-of-fold scores and what they show: python -m voice.evaluate --data DIR --nets DIR [--folds 0,1]"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pandas as pd
import torch

from .metrics import apcer, auc, eer
from .models import Head, load
from .textures import Textures


@torch.inference_mode()
def score(net: Head, heard: np.ndarray) -> np.ndarray:
    """The logits of listenings."""
    return net.judge(torch.from_numpy(heard)).numpy()


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def few(mean: np.ndarray, n: np.ndarray) -> np.ndarray:
    """The mean of n listenings, drawn towards zero while they are few."""
    return mean * n / (n + 1)


def families(score: np.ndarray, label: np.ndarray, family: np.ndarray) -> dict[str, float]:
    return {f: eer(score[(label == 0) | (family == f)], label[(label == 0) | (family == f)]) for f in sorted(set(family[label == 1]))}


def line(name: str, score: np.ndarray, table: pd.DataFrame) -> str:
    label = (table.label == "spoof").to_numpy().astype(int)
    each = " ".join(f"{k} {v:.3f}" for k, v in families(score, label, table.family.to_numpy()).items())
    return f"{name}: n {len(label)} EER {eer(score, label):.3f} AUC {auc(score, label):.3f} APCER@5 {apcer(score, label, 0.05):.3f} | {each}"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--folds", default="0,1,2,3,4")
    p.add_argument("--name", default="clips", help="or clips-v1: after rooms, noise and codecs")
    a = p.parse_args()
    torch.set_num_threads(1)
    held = Textures(a.data, a.name)
    table = Textures(a.data, "clips").table
    mean, count = np.full(len(table), np.nan), np.zeros(len(table), int)
    clip, logit = [], []
    for k in map(int, a.folds.split(",")):
        net = load(a.nets, k)
        mine = np.flatnonzero(table.fold == k)
        found = [score(net, held[i]) for i in mine]
        mean[mine], count[mine] = [s.mean() for s in found], [len(s) for s in found]
        clip, logit = [*clip, np.repeat(mine, count[mine])], [*logit, *found]
        mine = mine[table.part[mine] == "audio"]
        print(line(f"fold {k}", mean[mine], table.loc[mine]), flush=True)
    np.savez(a.nets / f"scores-{a.name}.npz", mean=mean, n=count, clip=np.concatenate(clip), logit=np.concatenate(logit))
    done = np.flatnonzero((count > 0) & (table.part == "audio"))
    print(line("all", mean[done], table.loc[done]))


if __name__ == "__main__":
    main()
