"""Out-of-fold scores and what they show: python -m voice.evaluate --data DIR --nets DIR """

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from sklearn.linear_model import LogisticRegression

from metrics import apcer, auc, eer

from .models import PARTS, UNJUDGED, Verdict, load, verdict
from .prepare import FOLDS
from .store import Clips
from .student import MET, half
from .textures import LEAST, Textures
from .train import VERSIONS

# seconds at which a mean counts by half, as in `detect/voice.rs`
FEW = 2.0
# share of clips of a single voice that are taken for several voices, and for none, which is to be rare: who whispers shall be judged
FALSELY = {"several": 0.003, "silent": 0.001}


@torch.inference_mode()
def score(net: Verdict, heard: np.ndarray) -> np.ndarray:
    """What the network of a fold says of listenings: the verdict's parts, and whether they are to be judged (parts + 2, listenings)."""
    x = net.scaled(torch.from_numpy(heard))
    return np.vstack([net.parts(x).numpy(), net.unjudged(x).numpy()])


def bounds(held: pd.DataFrame) -> np.ndarray:
    """Logits over which listenings are not judged, of the scores of clips of one voice."""
    return np.array([held[why].quantile(1 - FALSELY[why]) for why in UNJUDGED])


def few(mean: np.ndarray | float, seconds: np.ndarray | float) -> np.ndarray | float:
    """The mean of listenings, drawn towards zero while little was listened to."""
    return mean * seconds / (seconds + FEW)


def families(score: np.ndarray, label: np.ndarray, family: np.ndarray) -> dict[str, float]:
    return {f: eer(score[(label == 0) | (family == f)], label[(label == 0) | (family == f)]) for f in sorted(set(family[label == 1]))}


def line(name: str, score: np.ndarray, table: pd.DataFrame) -> str:
    label = (table.label == "spoof").to_numpy().astype(int)
    each = " ".join(f"{k} {v:.3f}" for k, v in families(score, label, table.family.to_numpy()).items())
    return f"{name}: n {len(label)} EER {eer(score, label):.3f} AUC {auc(score, label):.3f} APCER@5 {apcer(score, label, 0.05):.3f} | {each}"


def judged(data: Path, nets: Path, name: str) -> pd.DataFrame:
    """Of every clip what the networks of its fold say: of the last listening, and of the first two seconds alone."""
    halves, table = [Textures(data, name, h) for h in range(len(MET))], Clips(data, "clips").table
    clip = halves[0].table["clip"].to_numpy()
    fold, found = table.fold.to_numpy()[clip], np.zeros((2 * len(PARTS) + len(UNJUDGED), len(clip)))
    for k in range(FOLDS):
        net, mine, held = load(nets, k), fold == k, halves[half(k)]
        last, first = (score(net, held.all[at[mine]]) for at in (held.last, held.first))
        found[:, mine] = np.vstack([last, first[: len(PARTS)]])
    columns = [*PARTS, *UNJUDGED, *(f"first_{p}" for p in PARTS)]
    return pd.DataFrame(found.T, columns=columns, index=pd.Index(clip, name="clip")).assign(seconds=held.seconds()).sort_index()


def weights(table: pd.DataFrame) -> np.ndarray:
    """Of clips: repositories, not clips, are what is independent, so all weigh alike, to the square root of their size."""
    return table.groupby(["repo", "label"]).path.transform("size").to_numpy() ** -0.5


def worth(parts: np.ndarray, label: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """What the parts of the verdict count, by logistic regression."""
    spread = parts.std(1)
    return LogisticRegression(C=1e3, max_iter=500).fit((parts / spread[:, None]).T, label, sample_weight=weight / weight.mean()).coef_[0] / spread


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    table = Clips(a.data, "clips").table
    label, fold = (table.label == "spoof").to_numpy().astype(int), table.fold.to_numpy()
    frames = {name: judged(a.data, a.nets, name) for name in ("clips", *VERSIONS)}
    weight = weights(table)
    every = np.concatenate([f[[*PARTS]].to_numpy().T for f in frames.values()], 1)
    clip = np.concatenate([f.index.to_numpy() for f in frames.values()])
    # a fold's is fitted on the others, the last, that of fold -1, on all
    worths = np.array([worth(every[:, use], label[clip[use]], weight[clip[use]]) for use in (fold[clip] != k for k in (*range(FOLDS), -1))])
    print(f"worth of {', '.join(PARTS)}, by fold:", worths.round(2).tolist())
    np.save(a.nets / "worth.npy", worths)
    for name, f in frames.items():
        at = f.index.to_numpy()
        for to, start in (("mean", ""), ("first", "first_")):
            f[to] = verdict(f[[f"{start}{p}" for p in PARTS]].to_numpy().T, worths[fold[at]].T)
        f.to_csv(a.nets / f"scores-{name}.csv")
        use = ((table.part == "audio") & (table.samples >= LEAST)).to_numpy()[at]
        print(line(name, few(f["mean"].to_numpy(), f.seconds.to_numpy())[use], table.iloc[at[use]]), flush=True)
    # what is not to be judged, by networks of its fold, and what is taken for it
    over = dict(zip(UNJUDGED, bounds(frames["clips"][(table.samples >= LEAST).to_numpy()])))
    for name, why in (("mixes", "several"), ("pauses", "silent")):
        print(f"{name}: {(judged(a.data, a.nets, name)[why] > over[why]).mean():.3f} known")
    for name, f in frames.items():
        long = f[(table.samples >= LEAST).to_numpy()[f.index]]
        shares = [f"{why} {(long[why] > over[why])[label[long.index] == k].mean():.4f} of {side}" for why in UNJUDGED for k, side in enumerate(("genuine", "synthetic"))]
        print(f"{name} taken for", ", ".join(shares))


if __name__ == "__main__":
    main()
