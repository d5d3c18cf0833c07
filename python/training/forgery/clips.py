"""The labelled clips, and scores of them by the frame."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import torch

STEP = 0.19
PARTS = ("video", "pairs", "talkers")


def permitted(row: dict, without: re.Pattern | None) -> bool:
    """Whether a manifest's row may be trained on: `without` matches licence notes to leave out."""
    return without is None or not without.search(row.get("license_note") or row.get("licence_note") or "")


class Clips:
    def __init__(self, data: Path, corpus: Path):
        self.items, self.crops, self.mesh, self.scale = [], {}, {}, {}
        for part in PARTS:
            self.crops[part] = np.load(data / f"{part}.crops.npy", mmap_mode="r")
            held = np.load(data / f"{part}.npz")
            self.mesh[part], self.scale[part] = held["mesh"], held["scale"]
            about, rows = json.loads((data / f"{part}.json").read_text()), {}
            for i, r in enumerate(about):
                rows.setdefault(r["path"], []).append(i)
            t = np.array([r["t"] for r in about])
            with open(corpus / part / "manifest.csv", newline="") as f:
                for r in csv.DictReader(f):
                    frames = np.array(rows.get(r["path"], []), int)
                    if len(frames) >= 5:
                        self.items.append(r | {"part": part, "frames": frames, "t": t[frames]})

    def looks(self, item: dict) -> np.ndarray:
        """Crops about five a second."""
        kept, last = [], -9.0
        for i, t in zip(item["frames"], item["t"]):
            if t - last >= STEP:
                kept.append(i)
                last = t
        return self.crops[item["part"]][np.array(kept)]


def genuine(item: dict) -> bool:
    """Whether the picture is: of `other` only the sound is synthetic."""
    return item["label"] == "bonafide" or item["manipulation"] == "other"


def species(item: dict) -> str:
    return "bona fide" if genuine(item) else item["manipulation"]


def scored(net, crops: np.ndarray, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Logits and maps' chances."""
    logits, maps = [], []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for k in range(0, len(crops), size):
            x = torch.from_numpy(np.ascontiguousarray(crops[k : k + size])).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
            logit, where = net(x)
            logits.append(logit.float().numpy())
            maps.append(torch.sigmoid(where.float()).numpy().astype(np.float16))
    return np.concatenate(logits), np.concatenate(maps)
