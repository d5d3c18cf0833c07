"""Writes models/warp from a trained network and its calibrations.

    python -m forgery.export --run RUN --models ../../models [--version 0.1.0]

`RUN/calibration.json`, which `forgery.calibrate` writes, holds slope, offset, range and bounds of `face` and `border`, and figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from contract import OPSET, Calibration, Contract, Tensor, write
from graphs import agree, half

from .crops import SIDE
from .score import load

CONTRACT = Contract(
    "warp", "face-forgery", "Where in a face the picture was changed, and whether the face is a camera's picture at all.",
    [Tensor("image", [-1, 3, 160, 160], "RGB planes, 0 to 255: the face with hair, neck and background, aligned by five points, eyes 0.23 of the side apart")],
    [
        Tensor("logit", [-1], "positive: swapped, reenacted, re-lipped or generated"),
        Tensor("region", [-1, 40, 40], "chance that the place was changed, 0 to 1"),
        Tensor("border", [-1, 40, 40], "chance that the border of a change lies there, 0 to 1"),
    ],
)
NOTES = {
    "face": "sum of the logits of n looks over n + 2",
    "border": "log((mean border inside the face over n looks + 0.01) / 0.12) times n / (n + 2)",
}


class Graph(torch.nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, image):
        logit, where = self.net(image)
        region, border = torch.sigmoid(where).unbind(1)
        return logit, region, border


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--run", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--version", default="0.1.0")
    a = p.parse_args()
    net = Graph(load(a.run / "net.pt")).eval().to(memory_format=torch.contiguous_format)
    folder = a.models / "warp"
    folder.mkdir(exist_ok=True)
    path = folder / "model.onnx"
    x = torch.rand((2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0)) * 255
    axes = {k: {0: "n"} for k in ("image", "logit", "region", "border")}
    torch.onnx.export(net, (x,), str(path), input_names=["image"], output_names=["logit", "region", "border"], opset_version=OPSET, dynamic_axes=axes, dynamo=False)
    half(path)
    agree(path, net, {"image": x}, 2e-2)
    held = json.loads((a.run / "calibration.json").read_text())
    fits = {k: Calibration(f["slope"], f["offset"], (f["low"], f["high"]), (f["least"], f["most"]), note) for k, note in NOTES.items() for f in [held[k]]}
    write(folder, CONTRACT, a.version, fits, held["metrics"])


if __name__ == "__main__":
    main()
