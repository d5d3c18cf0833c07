"""Writes models/lipsync: the folds' towers side by side in one graph, calibrated on scores out of their folds.

    python -m lips.export --nets DIR --tag TAG --fit FIT.json --models ../../models [--folds 0,1,2]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import nn

from contract import OPSET, Calibration, Contract, Tensor, write
from graphs import agree, half, once

from .data import SIDE
from .models import Bands, Towers
from .shape import aligned

MOUTHS = Tensor("mouths", [-1, 64, 64], "luma 0 to 255 every 40 ms, aligned by eyes and nose as in track/burst.rs")
MESHES = Tensor("meshes", [-1, 478, 2], "the mesh of the same looks in pixels")
SOUND = Tensor("sound", [-1], "16 kHz mono of the same stretch: 640 samples a look")


def contract(width: int) -> Contract:
    """Of towers whose vectors have `width` numbers together."""
    lips = Tensor("lips", [-1, width], "unit vectors of the lips")
    heard = Tensor("heard", [-1, width], "unit vectors of the sound; the product of a row of each is their agreement, -1 to 1")
    summary = "Puts lips and sound into one space, 25 times a second: the nearer, the better they fit."
    return Contract("lipsync", "lip-sync", summary, [MOUTHS, MESHES, SOUND], [lips, heard])


class Graph(nn.Module):
    """Looks and sound of one stretch to the vectors of all networks, laid side by side."""

    def __init__(self, nets: list[Towers]):
        super().__init__()
        self.nets, self.bands = nn.ModuleList(nets), Bands()
        for n in nets:
            del n.bands

    def forward(self, mouths: torch.Tensor, meshes: torch.Tensor, sound: torch.Tensor):
        low = (64 - SIDE) // 2
        m = mouths[None, :, low : low + SIDE, low : low + SIDE] / 255
        q = aligned(meshes)[None]
        level = sound / (sound.square().mean().sqrt() + 1e-4) * 0.1
        b = self.bands(level[None])
        side = lambda rows: torch.cat(rows, 1)[0].transpose(0, 1) / len(self.nets) ** 0.5
        return side([n.lips(m, q) for n in self.nets]), side([n.sound(b) for n in self.nets])


def load(nets: Path, tag: str, fold: int) -> Towers:
    net = Towers()
    net.load_state_dict(torch.load(nets / f"{tag}-{fold}.pt"))
    return net.eval()


def graph(nets: list[Towers], path: Path) -> None:
    """Exports and compares with PyTorch."""
    net = Graph(nets).eval()
    g = torch.Generator().manual_seed(0)
    inputs = lambda t: (torch.rand((t, 64, 64), generator=g) * 255, torch.rand((t, 478, 2), generator=g) * 100, torch.randn(t * 640, generator=g) * 0.1)
    names = ["mouths", "meshes", "sound"]
    torch.onnx.export(net, inputs(64), str(path), input_names=names, output_names=["lips", "heard"], opset_version=OPSET, dynamo=False,
                      dynamic_axes={"mouths": {0: "t"}, "meshes": {0: "t"}, "sound": {0: "n"}, "lips": {0: "t"}, "heard": {0: "t"}})
    once(path)
    half(path)
    for t in (48, 64):
        agree(path, net, dict(zip(names, inputs(t))), 2e-2)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--tag", required=True)
    p.add_argument("--folds", default="0,1,2", help="the networks that are put together")
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--fit", type=Path, required=True, help="calibration and metrics that lips.report wrote")
    p.add_argument("--version", default="0.3.0")
    a = p.parse_args()
    folder = a.models / "lipsync"
    folder.mkdir(parents=True, exist_ok=True)
    nets = [load(a.nets, a.tag, int(k)) for k in a.folds.split(",")]
    graph(nets, folder / "model.onnx")
    fit = json.loads(a.fit.read_text())
    note = "raw: ({neutral} + {chance} / sqrt(s) - agreement) s / (s + {few}) with s seconds of speech".format(**fit)
    calibration = Calibration(fit["slope"], fit["offset"], (fit["low"], fit["high"]), (fit["bound_low"], fit["bound_high"]), note)
    write(folder, contract(64 * len(nets)), a.version, calibration, fit["metrics"], "out of fold: talkers of repositories that the networks never met")


if __name__ == "__main__":
    main()
