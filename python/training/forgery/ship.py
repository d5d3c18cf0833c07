"""Writes models/face: statistics, the network's first layers, the student, scaling and kernels in one graph; every filter kept once. Called by `kernel`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from contract import OPSET, Calibration, Contract, Tensor
from contract import write as write_contract
from graphs import agree, half, once

from .crops import SIDE
from .kernel import SHARES, SEEN, STEP, Judge, Kernel
from .patches import Patches
from .student import Seen
from .texture import CONTRASTS, Texture

LOOK = "10 to 14 successive frames at 20 to 31 a second, RGB planes, 0 to 255: the face with hair, neck and background, aligned by five points, eyes 0.23 of the side apart"
CONTRACT = Contract(
    "face", "face-forgery", "Whether the texture of a face, and how it goes on from frame to frame, is a camera's picture's.",
    [Tensor("faces", [-1, 3, 160, 160], LOOK)],
    [
        Tensor("score", [1], "about -1 to 1, one for all frames; positive: swapped, reenacted, re-lipped or generated"),
        Tensor("outside", [1], "share of the statistics beyond the outer hundredths of what was known; up to 0.13 on sources left out"),
    ],
)
NOTE = "raw: sum of the scores of n takes over n + 0.5"
MEASURED = "scores by kernels that know no clip of the same source and none of the same person"


class Near(torch.nn.Module):
    """A `Kernel` of numbers, and the share of them that are beyond what it knows."""

    def __init__(self, k: Kernel):
        super().__init__()
        self.level, self.width = float(k.level), k.width
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value)))
        for name in ("low", "high", "middle", "spread", "factors"):
            put(name, getattr(k, name).astype(np.float32))
        put("centres", k.centres)
        put("length", np.square(k.centres * STEP).sum(1).astype(np.float32))

    def forward(self, x):
        outside = ((x < self.low) | (x > self.high)).float().mean()
        x = ((torch.minimum(torch.maximum(x, self.low), self.high) - self.middle) / self.spread).clamp(-4, 4)
        apart = (self.length + x.square().sum() - 2 * STEP * (self.centres.float() @ x)).clamp_min(0) / len(x)
        return ((-self.width * apart).exp() @ self.factors + self.level).reshape(1), outside.reshape(1)


class Graph(torch.nn.Module):
    def __init__(self, j: Judge, patches: Patches, seen: Seen):
        super().__init__()
        self.texture, self.near, self.patches, self.near_patches = Texture(), Near(j.texture), patches, Near(j.patches)
        self.seen, self.near_seen, self.near_moved = seen, Near(j.seen), Near(j.moved)
        self.register_buffer("mixing", torch.from_numpy(j.mixing.astype(np.float32)))

    def forward(self, faces):
        score, outside = self.near(self.texture(faces))
        by_channel = self.patches(faces).reshape(-1, 2, len(CONTRASTS)).transpose(0, 1)
        seen = self.seen(faces)
        told = score, self.near_patches((self.mixing @ by_channel).flatten())[0], self.near_seen(seen[:SEEN])[0], self.near_moved(seen[SEEN:])[0]
        return sum(part * each for part, each in zip(SHARES, told)), outside


def write(j: Judge, net: Path, student: Path, models: Path, version: str, calibration: dict) -> None:
    net = Graph(j, Patches.load(net), Seen.load(student)).eval()
    folder = models / CONTRACT.id
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    rng = torch.Generator().manual_seed(0)
    x = torch.nn.functional.avg_pool2d(torch.rand((14, 3, SIDE, SIDE), generator=rng) * 255, 5, 1, 2).cumsum(0) / torch.arange(1, 15).reshape(-1, 1, 1, 1)
    torch.onnx.export(net, (x,), str(path), input_names=["faces"], output_names=["score", "outside"], opset_version=OPSET, dynamic_axes={"faces": {0: "n"}}, dynamo=False, do_constant_folding=False)
    once(path)
    # zones and places, which are exact so, and the student's large layers: filters must sum to one or nothing, and the factors' sum would suffer
    half(path, 20000)
    for n in (14, 11):
        agree(path, net, {"faces": x[:n]}, 5e-3)
    metrics = calibration.pop("metrics")
    write_contract(folder, CONTRACT, version, Calibration(**calibration, note=NOTE), metrics, MEASURED)
