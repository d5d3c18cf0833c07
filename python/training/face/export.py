"""Writes models/face-detector and models/face-landmarks from checkpoints and compares the graphs with PyTorch.

    python -m face.export --run DIR --models ../../models [--version 0.1.0]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from contract import OPSET, Contract, Tensor, write
from graphs import agree, half

from .models import Detector, DetectorGraph, Landmarks

DETECTOR = Contract(
    "face-detector", "face-detection", "Finds faces with five points on a small plane.",
    [Tensor("image", [-1, 3, -1, -1], "RGB planes, 0 to 255; sides multiples of 32, the longer one typically 320")],
    [
        Tensor("boxes", [-1, -1, 4], "left, top, right, bottom in pixels of the input, before suppression of overlaps"),
        Tensor("points", [-1, -1, 10], "x, y of eye centres left to right in the picture, tip of the nose, mouth corners left to right"),
        Tensor("scores", [-1, -1], "0 to 1"),
    ],
)
LANDMARKS = Contract(
    "face-landmarks", "face-landmarks", "Dense shape of one face: 478 points of MediaPipe's mesh with irises, 68 points of iBUG's scheme, presence.",
    [Tensor("image", [-1, 3, 112, 112], "RGB planes, 0 to 255: a square about the face's box, 1.3 times its longer side, eye line level")],
    [
        Tensor("mesh", [-1, 478, 2], "x, y as shares of the crop"),
        Tensor("ibug68", [-1, 68, 2], "x, y as shares of the crop"),
        Tensor("presence", [-1, 1], "0 to 1: a face is there and well framed"),
    ],
)


def ship(net: torch.nn.Module, contract: Contract, example: torch.Tensor, models: Path, version: str, halved: bool) -> None:
    net.eval()
    folder = models / contract.id
    folder.mkdir(parents=True, exist_ok=True)
    # names of the sizes that are free, by their place
    axes = {t.name: {i: "nkhw"[i] for i, size in enumerate(t.shape) if size == -1} for t in (*contract.inputs, *contract.outputs)}
    path, outputs = folder / "model.onnx", [t.name for t in contract.outputs]
    torch.onnx.export(net, (example,), str(path), input_names=["image"], output_names=outputs, opset_version=OPSET, dynamic_axes=axes, dynamo=False)
    if halved:
        half(path)
    with torch.no_grad():
        largest = max(float(t.abs().max()) for t in net(example))
    agree(path, net, {"image": example}, 2e-3 if halved else 1e-3 * max(1.0, largest))
    write(folder, contract, version)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--run", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--version", default="0.1.0")
    a = p.parse_args()
    rng = torch.Generator().manual_seed(0)
    picture = lambda h, w: torch.rand((1, 3, h, w), generator=rng) * 255
    # what has a checkpoint there is written, the other model stays
    if (a.run / "detector.pt").exists():
        detector = Detector()
        detector.load_state_dict(torch.load(a.run / "detector.pt"))
        ship(DetectorGraph(detector), DETECTOR, picture(192, 320), a.models, a.version, False)
    if (a.run / "landmarks.pt").exists():
        landmarks = Landmarks()
        landmarks.load_state_dict(torch.load(a.run / "landmarks.pt"))
        ship(landmarks, LANDMARKS, picture(112, 112), a.models, a.version, True)


if __name__ == "__main__":
    main()
