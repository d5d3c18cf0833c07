"""The same clips after calls, uploads, poor light and honest filters: what the network says, rung by rung.

    python -m forgery.ladder --data DIR --corpus CORPUS --run RUN --models ../../models --count 24

Genuine and fake clips go through the same rungs. The line is the one that 5 % of all genuine clips exceed as they are.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from sides import auc

from .behind import behind
from .calibrate import FEW, raws
from .clips import STEP, Clips, scored
from .crops import Faces, cut, to_crop
from .fuse import material
from .score import load

H264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"]
RUNGS = {
    "as it is": ["-c:v", "copy"],
    "H.264 2 Mbit/s": [*H264, "-b:v", "2M"],
    "H.264 1 Mbit/s": [*H264, "-b:v", "1M"],
    "H.264 300 kbit/s": [*H264, "-b:v", "300k"],
    "H.264 150 kbit/s": [*H264, "-b:v", "150k"],
    "VP8 300 kbit/s": ["-c:v", "libvpx", "-b:v", "300k", "-deadline", "realtime", "-cpu-used", "8"],
    "VP9 200 kbit/s": ["-c:v", "libvpx-vp9", "-b:v", "200k", "-deadline", "realtime", "-cpu-used", "8"],
    **{f"{lines} lines": ["-vf", f"scale=-2:{lines}", *H264, "-crf", "26"] for lines in (180, 360, 720, 1080)},
    **{f"{rate} frames/s": ["-r", str(rate), *H264, "-crf", "23"] for rate in (5, 10, 15, 30)},
    "low light": ["-vf", "eq=gamma=0.8,colorlevels=romax=0.45:gomax=0.45:bomax=0.45,noise=alls=8:allf=t", *H264, "-crf", "26"],
    "blur": ["-vf", "gblur=sigma=1.5", *H264, "-crf", "23"],
    "beauty filter": ["-vf", "bilateral=sigmaS=4:sigmaR=0.08", *H264, "-crf", "23"],
    "virtual background": ["-c:v", "copy"],
    "twice coded": [*H264, "-crf", "30"],
}
SUFFIX = {"libvpx": ".webm", "libvpx-vp9": ".webm"}


def remade(source: Path, rung: str, folder: Path, seed: int = 0) -> Path | None:
    """The first seconds of a clip after a rung, `seed` says behind what; nothing where the encoder refuses."""
    if rung == "virtual background":
        behind(source, folder / "behind.mkv", seed)
        source = folder / "behind.mkv"
    path = folder / f"clip{next((s for c, s in SUFFIX.items() if c in RUNGS[rung]), '.mkv')}"
    done = subprocess.run(["ffmpeg", "-v", "error", "-y", "-t", "3", "-i", source, "-an", *RUNGS[rung], path])
    return path if done.returncode == 0 else None


def looks(path: Path, faces: Faces) -> np.ndarray:
    crops, last = [], -9.0
    faces.forget()
    with av.open(str(path)) as media:
        for k, frame in enumerate(media.decode(video=0)):
            t = float(frame.time or 0)
            if t > 3 or len(crops) >= 12:
                break
            if t - last < STEP:
                continue
            last = t
            image = frame.to_ndarray(format="rgb24")
            mesh = faces.look(image)
            if mesh is not None:
                crops.append(cut(image, to_crop(mesh)))
    return np.array(crops)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--run", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--count", type=int, default=24)
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    clips, net, faces = Clips(a.data, a.corpus), load(a.run / "net.pt"), Faces(a.models)
    y, groups, use = material(clips)
    raw = raws(a.run)["face"]
    calibration = json.loads((a.run / "calibration.json").read_text())["face"]
    line = np.quantile(raw[use & (y == 0)], 0.95)
    rng, chosen = np.random.default_rng(0), []
    for label in (0, 1):
        # repositories in turn, so that none fills the sample
        rows = rng.permutation(np.flatnonzero(use & (y == label)))
        turn = np.array([np.sum(groups[rows[:k]] == groups[r]) for k, r in enumerate(rows)])
        chosen += rows[np.argsort(turn, kind="stable")][: a.count].tolist()
    print("| rung | genuine | fake | AUC | mean raw genuine / fake | over the line of 5 %, genuine / fake | genuine with LLR over 1 |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in RUNGS:
            out = {0: [], 1: []}
            for k in chosen:
                item = clips.items[k]
                path = remade(a.corpus / item["part"] / item["path"], name, Path(folder), k)
                crops = looks(path, faces) if path else []
                if len(crops) >= 3:
                    l, _ = scored(net, crops)
                    out[y[k]].append(l.sum() / (len(l) + FEW))
            g, f = np.array(out[0]), np.array(out[1])
            over = (calibration["slope"] * g + calibration["offset"] > 1).mean()
            print(f"| {name} | {len(g)} | {len(f)} | {auc(g, f):.2f} | {g.mean():+.2f} / {f.mean():+.2f} | {np.mean(g > line):.0%} / {np.mean(f > line):.0%} | {over:.0%} |", flush=True)


if __name__ == "__main__":
    main()
