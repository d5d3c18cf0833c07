"""Out-of-fold scores and what they show: python -m voice.evaluate --data DIR --nets DIR --recipe NAME[+NAME] [--folds 0,1]

Networks joined with + are averaged.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pandas as pd
import torch

from .bands import Bands
from .metrics import apcer, auc, eer
from .models import FrontEnd, Net
from .recipes import RECIPES
from .store import RATE, Clips

LENGTH, HOP, LEAST = int(2.4 * RATE), RATE, 2 * RATE


def windows(frames: np.ndarray, front: FrontEnd) -> list[np.ndarray]:
    """As `detect/voice.rs` listens: 2.4 s at a time, first after 2 s and then every second anew."""
    count = lambda samples: (samples - front.size) // front.hop + 1
    ends, hop = [min(len(frames), count(LEAST))], HOP // front.hop
    while ends[-1] + hop <= len(frames):
        ends.append(ends[-1] + hop)
    return [frames[max(0, e - count(LENGTH)) : e] for e in ends]


@torch.inference_mode()
def score(net: Net, bands: Bands, clips: np.ndarray) -> list[np.ndarray]:
    """The logits of each clip's listenings."""
    jobs: dict[int, list[tuple[int, np.ndarray]]] = {}
    for at, i in enumerate(clips):
        for w in windows(bands[i], net.front):
            jobs.setdefault(len(w), []).append((at, w))
    out: list[list[float]] = [[] for _ in clips]
    for many in jobs.values():
        for k in range(0, len(many), 64):
            x = torch.from_numpy(np.stack([w for _, w in many[k : k + 64]])).float().exp()
            for (at, _), v in zip(many[k : k + 64], net.judge(net.front.features(x)).tolist()):
                out[at].append(v)
    return [np.array(o) for o in out]


def load(nets: Path, name: str, fold: int) -> Net:
    """The network of a fold; its name begins with its recipe's."""
    recipe = next(r for r in sorted(RECIPES, key=len, reverse=True) if name.startswith(r))
    net = Net(**RECIPES[recipe])
    net.load_state_dict(torch.load(nets / f"{name}-{fold}.pt"))
    return net.eval()


def together(nets: list[Net], bands: list[Bands], clips: np.ndarray) -> list[np.ndarray]:
    """The mean logits of networks that listen side by side."""
    each = [score(net, b, clips) for net, b in zip(nets, bands)]
    return [np.mean([v[: min(map(len, many))] for v in many], 0) for many in zip(*each)]


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
    p.add_argument("--recipe", required=True, help="name and tag of the nets, such as linear or linear-twins")
    p.add_argument("--folds", default="0,1,2,3,4")
    p.add_argument("--name", default="clips", help="or clips-v1: after rooms, noise and codecs")
    a = p.parse_args()
    torch.set_num_threads(1)
    table = Clips(a.data, "clips").table
    mean, count = np.full(len(table), np.nan), np.zeros(len(table), int)
    clip, logit = [], []
    for k in map(int, a.folds.split(",")):
        names = a.recipe.split("+")
        nets = [load(a.nets, n, k) for n in names]
        bands = [Bands(a.data, a.name, n.split("-")[0], net.front) for n, net in zip(names, nets)]
        mine = np.flatnonzero(table.fold == k)
        found = together(nets, bands, mine)
        mean[mine], count[mine] = [s.mean() for s in found], [len(s) for s in found]
        clip, logit = [*clip, np.repeat(mine, count[mine])], [*logit, *found]
        mine = mine[table.part[mine] == "audio"]
        print(line(f"{a.recipe} fold {k}", mean[mine], table.loc[mine]), flush=True)
    np.savez(a.nets / f"{a.recipe}-{a.name}.npz", mean=mean, n=count, clip=np.concatenate(clip), logit=np.concatenate(logit))
    done = np.flatnonzero((count > 0) & (table.part == "audio"))
    print(line(a.recipe, mean[done], table.loc[done]))


if __name__ == "__main__":
    main()
