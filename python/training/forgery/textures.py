"""What the statistics of `texture` tell of sources left out, beside null tests.

    python -m forgery.textures --corpus CORPUS --models ../../models --out DIR

Two bursts of a clip at its full rate; ridge and a Gaussian kernel on their mean, in eleven folds by repository (repositories that share material
are joined in the figures of the card, not here), each repository weighed by its clips to the power 0.4.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from .clips import PARTS, genuine, species
from .crops import Faces, cut, to_crop
from .texture import Texture
from .metrics import auc

BURST, SECONDS, MOST_RATE = 14, 3.0, 31


def bursts(path: Path, faces: Faces):
    """Up to two runs of frames without a gap, the first and the last of the clip's beginning; and side, face size and rate."""
    crops, t, eyes, side, last = [], [], [], 0, -9.0
    faces.forget()
    with av.open(str(path)) as media:
        for frame in media.decode(video=0):
            now = float(frame.time or 0)
            if now > SECONDS:
                break
            if now - last < 0.85 / MOST_RATE:
                continue
            image = frame.to_ndarray(format="rgb24")
            mesh, last = faces.look(image), now
            if mesh is None:
                continue
            m = to_crop(mesh)
            crops.append(cut(image, m))
            t.append(now)
            eyes.append(-np.log(abs(np.linalg.det(m[:, :2]))) / 2)
            side = image.shape[0] * image.shape[1]
    if len(t) < BURST:
        return [], None
    step = np.median(np.diff(t))
    whole = [a for a in range(len(t) - BURST + 1) if np.diff(t[a : a + BURST]).max() < 1.6 * step]
    if not whole:
        return [], None
    starts = [whole[0]] + ([whole[-1]] if whole[-1] >= whole[0] + BURST else [])
    return [np.array(crops[a : a + BURST]) for a in starts], (np.median(eyes), np.log(side), step)


def weights(groups: np.ndarray, y: np.ndarray) -> np.ndarray:
    _, at, count = np.unique([f"{a} {b}" for a, b in zip(groups, y)], return_inverse=True, return_counts=True)
    w = count[at] ** -0.6
    for label in (0, 1):
        w[y == label] *= len(y) / 2 / w[y == label].sum()
    return w


def scaled(x: np.ndarray, w: np.ndarray):
    """Statistics beyond the outer hundredths are cut off."""
    low, high = np.quantile(x, [0.01, 0.99], axis=0)
    mean = np.average(x.clip(low, high), axis=0, weights=w)
    spread = np.sqrt(np.average((x.clip(low, high) - mean) ** 2, axis=0, weights=w)) + 1e-6
    return lambda v: ((v.clip(low, high) - mean) / spread).clip(-4, 4)


def left_out(x: np.ndarray, y: np.ndarray, groups: np.ndarray, strength: float, width: float | None) -> np.ndarray:
    """Scores of the folds' clips: ridge, or with `width` a Gaussian kernel."""
    from sklearn.model_selection import StratifiedGroupKFold

    out = np.zeros(len(y))
    for train, test in StratifiedGroupKFold(11, shuffle=True, random_state=0).split(x, y, groups):
        w, target = weights(groups[train], y[train]), 2.0 * y[train] - 1
        f = scaled(x[train], w)
        a, b = f(x[train]), f(x[test])
        if width is None:
            ka, kb = a @ a.T + 900, b @ a.T + 900
        else:
            near = lambda p, q: np.exp(-width * ((p * p).sum(1)[:, None] + (q * q).sum(1) - 2 * p @ q.T) / p.shape[1])
            ka, kb = near(a, a), near(b, a)
        out[test] = kb @ np.linalg.solve(ka + strength * np.diag(1 / w), target)
    return out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    held = a.out / "texture.npz"
    if not held.exists():
        net, faces, rows = Texture().eval(), Faces(a.models), []
        for part in PARTS:
            with open(a.corpus / part / "manifest.csv", newline="") as f:
                for r in csv.DictReader(f):
                    found, about = bursts(a.corpus / part / r["path"], faces)
                    if found:
                        with torch.inference_mode():
                            v = np.mean([net(torch.from_numpy(b).permute(0, 3, 1, 2).float()).numpy() for b in found], 0)
                        rows.append((v, about, not genuine(r), r["repo"], species(r)))
            print(part, len(rows), flush=True)
        x, about, y, repo, kind = (np.array(c) for c in zip(*rows))
        np.savez(held, x=x, about=about, y=y.astype(int), repo=repo, kind=kind, names=net.names)
    d = np.load(held)
    y, repo, kind = d["y"], d["repo"], d["kind"]
    behind = [k for k, n in enumerate(d["names"]) if set(n.split("|")[1:]) & {"back", "body"} and not set(n.split("|")[1:]) & {"eyes", "nose", "cheeks", "brow", "mouth", "chin", "rim", "hair"}]
    reads = {"ridge": (d["x"], 300, None), "kernel": (d["x"], 0.1, 0.5), "null: background and body": (d["x"][:, behind], 100, None), "null: face size, frame size, rate": (d["about"], 1, 0.5)}
    for name, (x, strength, width) in reads.items():
        r = left_out(x, y, repo, strength, width)
        each = " ".join(f"{k} {auc(r[y == 0], r[kind == k]):.3f}" for k in np.unique(kind[y == 1]))
        print(f"{name}: {x.shape[1]} numbers, AUC {auc(r[y == 0], r[y == 1]):.3f}; {each}", flush=True)


if __name__ == "__main__":
    main()
