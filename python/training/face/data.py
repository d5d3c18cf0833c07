"""The prepared pictures, split by source and identity."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import cv2
import numpy as np

# whole sources that no training sees: different pages, cameras and people
HELD_OUT_SHARE = 0.15
NEVER_SEEN = ("dlib_johns", "stylegan2_fakes")


def load(folder: Path) -> list[dict]:
    with open(folder / "pictures.pickle", "rb") as f:
        return pickle.load(f)


def held_out(picture: dict) -> bool:
    """By repository for clips, by identity for sets of stills, two sets as a whole."""
    if picture["source"] in NEVER_SEEN:
        return True
    part, who = picture["identity"].split(":", 1)
    key = picture["source"] if part in ("video", "talkers", "pairs") else who
    if key == "None":
        key = hashlib.sha256(picture["jpeg"]).hexdigest()
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 2**32 < HELD_OUT_SHARE


def read(picture: dict) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(picture["jpeg"], np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].copy()


def ema(held, new, count):
    """Moving average of weights whose memory grows with the run, so that the random start is soon forgotten."""
    keep = min(0.998, (1 + float(count)) / (10 + float(count)))
    return keep * held + (1 - keep) * new
