"""What consecutive frames of a face tell without a network: sharpness by zone, how much of the texture renews, flicker, jitter of landmarks.

    python -m forgery.motion --data DIR --corpus CORPUS     writes motion.npz
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from .clips import Clips
from .crops import SIDE

# boxes in shares of the crop: left, top, right, bottom
ZONES = {
    "brow": (0.38, 0.26, 0.62, 0.36), "eyes": (0.33, 0.37, 0.67, 0.46), "cheeks": (0.34, 0.48, 0.66, 0.58), "mouth": (0.39, 0.60, 0.61, 0.71),
    "left": (0.02, 0.15, 0.20, 0.75), "right": (0.80, 0.15, 0.98, 0.75), "top": (0.2, 0.02, 0.8, 0.14), "rim": (0.22, 0.45, 0.30, 0.72), "rim2": (0.70, 0.45, 0.78, 0.72),
}
GROUPS = {
    "contour": [234, 93, 132, 172, 152, 397, 361, 323, 454], "brows": [70, 105, 107, 336, 334, 300], "eyes": [33, 133, 362, 263], "lids": [159, 145, 386, 374],
    "nose": [168, 6, 4, 98, 327], "lips": [61, 291, 0, 17, 13, 14],
}
LEAST_DT, MOST_DT = 0.02, 0.075
SIGMAS = (0.8, 1.6, 3.2)


def bands(luma: np.ndarray) -> list[np.ndarray]:
    out, last = [], luma
    for s in SIGMAS:
        low = cv2.GaussianBlur(luma, (0, 0), s)
        out.append(last - low)
        last = low
    return out


def boxed(x: np.ndarray) -> np.ndarray:
    """Mean of |x| by zone."""
    total = cv2.integral(np.abs(x))
    at = lambda v: round(v * SIDE)
    return np.array([(total[at(d), at(c)] - total[at(b), at(c)] - total[at(d), at(a)] + total[at(b), at(a)]) / ((at(c) - at(a)) * (at(d) - at(b))) for a, b, c, d in ZONES.values()])


def openings(mesh: np.ndarray) -> np.ndarray:
    d = lambda a, b: np.linalg.norm(mesh[:, a] - mesh[:, b], axis=1)
    return np.stack([d(159, 145) / d(33, 133), d(386, 374) / d(263, 362), d(13, 14) / d(78, 308)], 1)


def features(crops: np.ndarray, mesh: np.ndarray, t: np.ndarray) -> dict[str, float] | None:
    """Of one burst; None with fewer than eight neighbouring frames."""
    dt = np.diff(t)
    near = (dt > LEAST_DT) & (dt < MOST_DT)
    if near.sum() < 8:
        return None
    energy, light, renewed, last = [], [], [], None
    for crop in crops:
        luma = crop.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
        b = bands(luma)
        energy.append([boxed(x) for x in b])
        light.append(boxed(luma))
        renewed.append([boxed(x - y) for x, y in zip(b, last)] if last is not None else None)
        last = b
    energy, light = np.log(np.array(energy) + 0.05), np.array(light)  # (n, band, zone), (n, zone)
    apart = np.log(np.array([r for r, k in zip(renewed[1:], near) if k]) + 0.05)
    now = energy[1:][near]
    out = {}
    name = list(ZONES)
    mean = energy.mean(0)
    for k, z in enumerate(name):
        for b in range(3):
            out[f"energy_{b}_{z}"] = mean[b, k]
            out[f"renew_{b}_{z}"] = float(np.median(apart[:, b, k] - now[:, b, k]))
        both = near[1:] & near[:-1]
        e = np.diff(energy[:, :, k], 2, axis=0)[both]
        out[f"pulse_{z}"] = float(np.log(e[:, :2].std() + 1e-3))
        l = np.diff(np.log(light[:, k] + 1), 2, axis=0)[both]
        out[f"flicker_{z}"] = float(np.log(l.std() + 1e-4))
    p = mesh / SIDE
    both = near[1:] & near[:-1]
    first, second = np.diff(p, axis=0)[near], np.diff(p, 2, axis=0)[both]
    for g, which in GROUPS.items():
        a, v = np.sqrt((second[:, which] ** 2).sum(2)), np.sqrt((first[:, which] ** 2).sum(2))
        out[f"jitter_{g}"] = float(np.log(np.median(a) + 1e-4))
        out[f"shake_{g}"] = float(np.log(np.median(a) + 1e-4) - np.log(np.median(v) + 1e-4))
        out[f"move_{g}"] = float(np.log(p[:, which].std(0).mean() + 1e-4))
    o = openings(mesh)
    out["eyes_open"], out["eyes_range"] = float(o[:, :2].mean()), float(np.ptp(o[:, :2].mean(1)))
    d, s = np.diff(o[:, 0]), np.diff(o[:, 1])
    out["eyes_agree"] = float((d * s).sum() / (np.sqrt((d**2).sum() * (s**2).sum()) + 1e-4))
    out["mouth_open"], out["mouth_range"] = float(o[:, 2].mean()), float(np.ptp(o[:, 2]))
    return out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--most", type=int, default=60, help="frames of a clip")
    a = p.parse_args()
    cv2.setNumThreads(1)
    clips = Clips(a.data, a.corpus)
    rows, names = [], None
    for k, item in enumerate(clips.items):
        f, part = item["frames"][: a.most], item["part"]
        found = features(clips.crops[part][f], clips.mesh[part][f], item["t"][: a.most])
        names = names or (list(found) if found else None)
        rows.append(found)
    x = np.array([[np.nan] * len(names) if r is None else [r[n] for n in names] for r in rows])
    np.savez(a.data / "motion.npz", x=x, names=names)
    print(x.shape, "without", int(np.isnan(x[:, 0]).sum()))


if __name__ == "__main__":
    main()
