"""Writes models/face: statistics, the network's first layers, the student, changes, scattering, scaling and kernels in one graph; every filter kept once. Called by `kernel`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from contract import OPSET, Calibration, Contract, Tensor
from contract import write as write_contract
from graphs import agree, half, once

from .changes import FAR, FAR_S
from .crops import SIDE
from .kernel import AT, KERNELS, STEP, Judge, Numbers
from .texture import CONTRASTS
from .textures import Nets

LOOK = "10 to 14 successive frames at 20 to 31 a second, RGB planes, 0 to 255: the face with hair, neck and background, aligned by five points, eyes 0.23 of the side apart"
CONTRACT = Contract(
    "face", "face-forgery", "Whether the texture of a face, and how it goes on from frame to frame, is a camera's picture's.",
    [
        Tensor("faces", [-1, 3, 160, 160], LOOK),
        Tensor("others", [FAR, 3, 160, 160], f"the same face {FAR_S} s after the first, third, fifth and seventh of them (or before)"),
    ],
    [
        Tensor("score", [1], "about -1 to 1, one for all frames; positive: swapped, reenacted, re-lipped or generated"),
        Tensor("outside", [1], "share of the statistics beyond the outer hundredths of what was known; up to 0.13 on sources left out"),
    ],
)
NOTE = "raw: sum of the scores of n takes over n + 0.5"
MEASURED = "scores by kernels that know no clip of the same source and none of the same person"


class Apart(torch.nn.Module):
    """How far numbers lie from those of each clip to compare with, and the share of them that are beyond what is known."""

    def __init__(self, n: Numbers):
        super().__init__()
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value)))
        for name in ("low", "high", "middle", "spread"):
            put(name, getattr(n, name).astype(np.float32))
        put("centres", n.centres)
        put("length", np.square(n.centres * STEP).sum(1).astype(np.float32))

    def forward(self, x):
        outside = ((x < self.low) | (x > self.high)).float().mean()
        x = ((torch.minimum(torch.maximum(x, self.low), self.high) - self.middle) / self.spread).clamp(-4, 4)
        return (self.length + x.square().sum() - 2 * STEP * (self.centres.float() @ x)).clamp_min(0) / len(x), outside.reshape(1)


class Graph(Nets):
    """The networks that a judge's numbers come of, and the judge; names of weights are those of `Nets`, so that the model can be what the next one is made with."""

    def __init__(self, j: Judge, net: Path, student: Path):
        super().__init__(net, student)
        self.apart = torch.nn.ModuleDict({kind: Apart(n) for kind, n in j.numbers.items()})
        self.levels = [float(k.level) for k in j.kernels]
        for i, k in enumerate(j.kernels):
            self.register_buffer(f"factors{i}", torch.from_numpy(k.factors.astype(np.float32)))
        self.register_buffer("mixing", torch.from_numpy(j.mixing.astype(np.float32)))

    def forward(self, faces, others):
        row = super().forward(faces, others)
        numbers = {kind: row[at] for kind, at in AT.items()}
        numbers["patches"] = (self.mixing @ numbers["patches"].reshape(-1, 2, len(CONTRASTS)).transpose(0, 1)).flatten()
        found = {kind: self.apart[kind](of) for kind, of in numbers.items()}
        score = 0
        for i, (kinds, width, count) in enumerate(KERNELS):
            apart = sum(found[k][0] for k in kinds) / len(kinds)
            score = score + count * ((-width * apart).exp() @ getattr(self, f"factors{i}") + self.levels[i])
        return score.reshape(1), found["texture"][1]


def write(j: Judge, net: Path, student: Path, models: Path, version: str, calibration: dict) -> None:
    net = Graph(j, net, student).eval()
    folder = models / CONTRACT.id
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    rng = torch.Generator().manual_seed(0)
    x = torch.nn.functional.avg_pool2d(torch.rand((18, 3, SIDE, SIDE), generator=rng) * 255, 5, 1, 2).cumsum(0) / torch.arange(1, 19).reshape(-1, 1, 1, 1)
    x, y = x[:14], x[14:]
    torch.onnx.export(net, (x, y), str(path), input_names=["faces", "others"], output_names=["score", "outside"], opset_version=OPSET, dynamic_axes={"faces": {0: "n"}}, dynamo=False, do_constant_folding=False)
    once(path)
    # zones and places, which are exact so, and the student's large layers: filters must sum to one or nothing, and the factors' sum would suffer
    half(path, 20000)
    for n in (14, 11):
        agree(path, net, {"faces": x[:n], "others": y}, 5e-3)
    metrics = calibration.pop("metrics")
    write_contract(folder, CONTRACT, version, Calibration(**calibration, note=NOTE), metrics, MEASURED)
