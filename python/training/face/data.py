"""The prepared pictures, split by source and identity, and what calls do to pictures."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import cv2
import numpy as np

# whole sources that no training sees: different pages, cameras and people
HELD_OUT_SHARE = 0.15


def load(folder: Path) -> list[dict]:
    with open(folder / "pictures.pickle", "rb") as f:
        return pickle.load(f)


def held_out(picture: dict) -> bool:
    """By repository for clips, by identity for sets of stills."""
    part, who = picture["identity"].split(":", 1)
    key = picture["source"] if part in ("video", "talkers", "pairs") else who
    if key == "None":
        key = hashlib.sha256(picture["jpeg"]).hexdigest()
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 2**32 < HELD_OUT_SHARE


def read(picture: dict) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(picture["jpeg"], np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].copy()


def degrade(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light, noise, blur, scaling and recompression, each with some chance."""
    x = image.astype(np.float32)
    if rng.random() < 0.5:
        x = x * rng.uniform(0.35, 1.3) + rng.uniform(-25, 25)
    if rng.random() < 0.2:
        x = 255 * np.clip(x / 255, 0, 1) ** rng.uniform(0.6, 2.2)
    if rng.random() < 0.4:
        x = x * rng.uniform(0.8, 1.2, 3).astype(np.float32)
    if rng.random() < 0.15:
        x = np.repeat(x.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.25:
        h, w = x.shape[:2]
        ramp = np.linspace(rng.uniform(0.3, 1), rng.uniform(0.7, 1.3), w, dtype=np.float32)[None, :, None]
        x = x * (ramp if rng.random() < 0.5 else ramp[:, ::-1])
    if rng.random() < 0.35:
        f = rng.uniform(0.3, 0.9)
        h, w = x.shape[:2]
        x = cv2.resize(cv2.resize(x, None, fx=f, fy=f, interpolation=cv2.INTER_AREA), (w, h), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.15:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.8))
    if rng.random() < 0.3:
        x = x + rng.normal(0, rng.uniform(1, 14), x.shape)
    x = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        _, code = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(18, 90))])
        x = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return x


def cover(image: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> None:
    """A patch over a part of the face, in place: mask, hand or microphone in crude form."""
    w, h = box[2] - box[0], box[3] - box[1]
    colour = rng.integers(0, 255, 3).tolist()
    kind = rng.integers(3)
    if kind == 0:
        top = box[1] + h * rng.uniform(0.5, 0.65)
        a, b = (box[0] - 0.05 * w, top), (box[2] + 0.05 * w, box[3] + 0.05 * h)
    else:
        cx, cy = box[0] + w * rng.random(), box[1] + h * rng.random()
        a = (cx - w * rng.uniform(0.08, 0.28), cy - h * rng.uniform(0.08, 0.28))
        b = (cx + w * rng.uniform(0.08, 0.28), cy + h * rng.uniform(0.08, 0.28))
    a, b = tuple(int(v) for v in a), tuple(int(v) for v in b)
    if kind == 2:
        cv2.ellipse(image, ((a[0] + b[0]) // 2, (a[1] + b[1]) // 2), ((b[0] - a[0]) // 2 + 1, (b[1] - a[1]) // 2 + 1), float(rng.uniform(0, 180)), 0, 360, colour, -1)
    else:
        cv2.rectangle(image, a, b, colour, -1)


def ema(held, new, count):
    """Moving average of weights whose memory grows with the run, so that the random start is soon forgotten."""
    keep = min(0.998, (1 + float(count)) / (10 + float(count)))
    return keep * held + (1 - keep) * new
