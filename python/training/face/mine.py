"""What a detector of ours takes for faces in the training pictures, for train_detector to show it again."""

from __future__ import annotations

import pickle
import time
from pathlib import Path

import numpy as np

from . import data
from .evaluate import Ours, find
from .teachers import YuNet, iou, nms

SIDES = (320, 640, 960)
LEAST = 0.3
# from this score of the teacher's on there may be a face, which is then neither right nor wrong
MAYBE = 0.2


def alarms(net, teacher, picture: dict) -> tuple[list[tuple[np.ndarray, float, float]], list[np.ndarray]]:
    """Boxes that no label and no guess of the teacher's touches, with their size on the plane and score; and the guesses."""
    image = data.read(picture)
    known = [f["box"] for f in picture["faces"]] + (picture["human"] or [])
    known += [np.concatenate([q.min(0), q.max(0)]) for q in picture["ibug68"] or []]
    found = []
    for side in SIDES:
        scale = side / max(image.shape[:2])
        found += [(b, max(b[2:] - b[:2]) * scale, s) for b, _, s in find(net, image, side, LEAST)]
    found = [f for f in found if all(iou(f[0], k) < 0.25 for k in known)]
    if not found:
        return [], []
    guesses = [b for side in SIDES[:2] for b, _, _ in find(teacher, image, side, MAYBE)]
    guesses = [g for g in guesses if all(iou(g, k) < 0.25 for k in known)]
    found = [f for f in found if all(iou(f[0], g) < 0.1 for g in guesses)]
    if not found:
        return [], guesses
    return [found[i] for i in nms(np.stack([f[0] for f in found]), np.array([f[2] for f in found]))], guesses


def collect(folder: Path, teachers: Path, models: Path, minutes: float) -> None:
    """Writes `alarms.pickle`: by index among the training pictures, what was wrongly found there. In an order drawn once."""
    net, teacher, held, began = Ours(models), YuNet(teachers), {}, time.time()
    pictures = [x for x in data.load(folder) if not data.held_out(x)]
    for n, i in enumerate(np.random.default_rng(0).permutation(len(pictures))):
        found, guesses = alarms(net, teacher, pictures[i])
        if found:
            held[int(i)] = {"alarms": found, "guesses": guesses}
        over = time.time() - began > minutes * 60
        if n % 250 == 249 or over or n + 1 == len(pictures):
            print(n + 1, "pictures", sum(len(h["alarms"]) for h in held.values()), "false alarms in", len(held), flush=True)
            with open(folder / "alarms.pickle", "wb") as f:
                pickle.dump(held, f)
        if over:
            break
