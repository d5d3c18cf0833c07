"""Sets the level of the detector's score: at 0.5 no more than two thirds of the teacher's false alarms, on annotated training pictures.

    python -m face.level --data DIR --teachers MODELS --run DIR

Moves the bias of the scores in DIR/detector.pt, which changes no ranking. Pictures that gave the training its false alarms
are left out; the others were trained on too, hence not as many as the teacher has.
"""

from __future__ import annotations

import argparse
import pickle
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from . import data, export
from .evaluate import Ours, average_precision, boxed, matches, rates
from .models import Detector, DetectorGraph
from .teachers import YuNet

# pictures of each set
COUNT = 150
# false alarms over the teacher's
SHARE = 2 / 3


def moved(hits, by: float):
    """The same boxes with scores whose logits are lower by `by`."""
    logit = lambda s: np.log(max(s, 1e-9) / max(1 - s, 1e-9))
    return [([(1 / (1 + np.exp(by - logit(s))), good) for s, good in h], n) for h, n in hits]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--teachers", type=Path, required=True)
    p.add_argument("--run", type=Path, required=True)
    a = p.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    state = torch.load(a.run / "detector.pt")
    net = Detector()
    net.load_state_dict(state)
    pictures = [x for x in data.load(a.data) if not data.held_out(x)]
    mined = a.data / "alarms.pickle"
    skip = set(pickle.loads(mined.read_bytes())) if mined.exists() else set()
    sets = boxed(x for i, x in enumerate(pictures) if i not in skip)
    with tempfile.TemporaryDirectory() as folder:
        export.ship(DetectorGraph(net), export.DETECTOR, torch.rand(1, 3, 192, 320) * 255, Path(folder), "0", False)
        ours = Ours(Path(folder))
    teacher, needed = YuNet(a.teachers), 0.0
    for name, group in sets.items():
        group = [group[i] for i in np.random.default_rng(0).permutation(len(group))[:COUNT]]
        if len(group) < COUNT // 3:
            continue
        images = [data.read(x) for x in group]
        for side in (320, 640):
            mine, theirs = ([matches(n, x, i, side, 48, 0.4) for x, i in zip(group, images)] for n in (ours, teacher))
            most = SHARE * rates(theirs)[1]
            by = next((d for d in np.arange(0, 3, 0.05) if rates(moved(mine, d))[1] <= most), 3.0)
            print(name, side, "faces", sum(n for _, n in mine), "AP", *(f"{average_precision(v):.4f}" for v in (mine, theirs)),
                  "found and false alarms: teacher", rates(theirs), *(f"moved {d}: {rates(moved(mine, d))}" for d in (0, 0.2, 0.4, 0.6)), f"needs {by:.2f}", flush=True)
            needed = max(needed, float(by))
    for head in range(3):
        state[f"heads.{head}.1.bias"][0] -= needed
    torch.save(state, a.run / "detector-levelled.pt")
    print("lower by", needed)


if __name__ == "__main__":
    main()
