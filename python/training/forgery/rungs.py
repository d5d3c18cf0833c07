"""What `face` says of the same clips on every rung of `ladder`, by kernels that know no clip of their source or person.

    python -m forgery.rungs --data OUT --corpus CORPUS --models ../../models [--count 24] [--only REGEX]

OUT is what `textures` wrote. Genuine and fake clips go through the same rungs; ratios are calibrated on the clips as they are.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from metrics import bounded
from sides import auc

from .crops import Faces
from .figures import BOUNDS, fitted
from .kernel import Judge, left_out, raw, rows, taken
from .ladder import RUNGS, remade
from .textures import Nets, read


def chosen(d, count: int) -> np.ndarray:
    """As many genuine as fake clips, sources in turn."""
    rng, out = np.random.default_rng(0), []
    for label in (0, 1):
        names, turn = np.unique(d["source"][d["y"] == label]), []
        left = {s: list(rng.permutation(np.flatnonzero((d["source"] == s) & (d["y"] == label)))) for s in rng.permutation(names)}
        while len(turn) < count // 2:
            turn += [left[s].pop() for s in left if left[s]]
        out += turn[: count // 2]
    return np.array(out)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--count", type=int, default=24)
    p.add_argument("--only", type=re.compile, default=re.compile(""), help="rungs whose names match this, beside the clips as they are")
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    d = dict(np.load(a.data / "texture.npz"))
    d["y"] = d["y"].astype(int)
    slope, offset = fitted(d, left_out(d)[:, 0])
    net = a.models / "face/model.onnx"
    nets, faces = Nets(net, net), Faces(a.models)
    pick = chosen(d, a.count)
    tested = {s: pick[d["source"][pick] == s] for s in np.unique(d["source"][pick])}
    judges = {s: Judge(rows(d, (d["source"] != s) & ~np.isin(d["who"], d["who"][of]))) for s, of in tested.items()}
    print("| rung | genuine | fake | AUC | mean LLR genuine / fake | over the line of 5 %, genuine / fake | genuine over LLR 0.5 / 0.8 |")
    line = None
    for rung in RUNGS:
        if line is not None and not a.only.search(rung):
            continue
        llr, label = [], []
        for k in pick:
            with tempfile.TemporaryDirectory() as folder:
                path = remade(a.corpus / d["part"][k] / d["path"][k], rung, Path(folder), k)
                found = read(path, faces, nets, 0) if path else None
            if found:
                bursts = taken(found[0][None, 0])[0]
                there = ~np.isnan(bursts[:, 0])
                scores = np.where(there, judges[d["source"][k]](bursts), np.nan)
                llr.append(float(bounded(slope * raw(scores[None, :, None])[:, 0] + offset, *BOUNDS)[0])), label.append(d["y"][k])
        llr, g = np.array(llr), np.array(label) == 0
        line = np.quantile(llr[g], 0.95) if line is None else line
        print(f"| {rung} | {g.sum()} | {(~g).sum()} | {auc(llr[g], llr[~g]):.2f} | {llr[g].mean():+.2f} / {llr[~g].mean():+.2f} | {(llr[g] > line).mean():.0%} / {(llr[~g] > line).mean():.0%} | "
              f"{(llr[g] > 0.5).mean():.0%} / {(llr[g] > 0.8).mean():.0%} |", flush=True)


if __name__ == "__main__":
    main()
