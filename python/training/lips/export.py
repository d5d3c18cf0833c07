"""Writes models/lipsync: the folds' towers side by side in one graph, calibrated on scores out of their folds.

    python -m lips.export --data DIR --nets DIR --tag TAG --models ../../models [--folds 0,1,2]
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from face.export import half
from torch import nn

from .data import SIDE
from .models import Bands, Towers
from .shape import aligned

CARD = '''id = "lipsync"
version = "{version}"
task = "lip-sync"
summary = "Puts lips and sound into one space, 25 times a second: the nearer, the better they fit."
licence = "LicenseRef-inperson-research (see CARD.md: training material is research-only or unclear in part)"
sha256 = "{digest}"
opset = 17

[[inputs]]
name = "mouths"
dtype = "float32"
shape = [-1, 64, 64]
meaning = "luma 0 to 255 every 40 ms, aligned by eyes and nose as in track/burst.rs"

[[inputs]]
name = "meshes"
dtype = "float32"
shape = [-1, 478, 2]
meaning = "the mesh of the same looks in pixels"

[[inputs]]
name = "sound"
dtype = "float32"
shape = [-1]
meaning = "16 kHz mono of the same stretch: 640 samples a look"

[[outputs]]
name = "lips"
dtype = "float32"
shape = [-1, {width}]
meaning = "unit vectors of the lips"

[[outputs]]
name = "heard"
dtype = "float32"
shape = [-1, {width}]
meaning = "unit vectors of the sound; the product of a row of each is their agreement, -1 to 1"

# raw: ({neutral} + {chance} / sqrt(s) - agreement) s / (s + {few}) with s seconds of speech; natural logarithm, positive is attack
[calibration]
slope = {slope:.6f}
offset = {offset:.6f}
range = [{low:.4f}, {high:.4f}]
bounds = [{bound_low:.4f}, {bound_high:.4f}]

# out of fold: talkers of repositories that the networks never met
[metrics]
{metrics}
'''


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


def held(path: Path) -> None:
    """Makes initializers of large constants, so that `half` sees them."""
    model = onnx.load(str(path))
    for node in [n for n in model.graph.node if n.op_type == "Constant" and n.attribute[0].name == "value" and np.prod(n.attribute[0].t.dims) > 256]:
        tensor = onnx.TensorProto()
        tensor.CopyFrom(node.attribute[0].t)
        tensor.name = node.output[0]
        model.graph.initializer.append(tensor)
        model.graph.node.remove(node)
    onnx.save(model, str(path))


def graph(nets: list[Towers], path: Path) -> None:
    """Exports and compares with PyTorch."""
    net = Graph(nets).eval()
    g = torch.Generator().manual_seed(0)
    inputs = lambda t: (torch.rand((t, 64, 64), generator=g) * 255, torch.rand((t, 478, 2), generator=g) * 100, torch.randn(t * 640, generator=g) * 0.1)
    names = ["mouths", "meshes", "sound"]
    torch.onnx.export(net, inputs(64), str(path), input_names=names, output_names=["lips", "heard"], opset_version=17, dynamo=False,
                      dynamic_axes={"mouths": {0: "t"}, "meshes": {0: "t"}, "sound": {0: "n"}, "lips": {0: "t"}, "heard": {0: "t"}})
    held(path)
    half(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for t in (48, 64):
        x = inputs(t)
        with torch.no_grad():
            want = [o.numpy() for o in net(*x)]
        got = session.run(None, {k: v.numpy() for k, v in zip(names, x)})
        apart = max(float(np.abs(w - o).max()) for w, o in zip(want, got))
        print("difference to PyTorch", f"{apart:.2g}", "at", t, "looks")
        assert apart < 2e-2, "the graph does not compute what PyTorch computes"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--tag", required=True)
    p.add_argument("--folds", default="0,1,2", help="the networks that are put together")
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--fit", type=Path, help="calibration and metrics that lips.report wrote")
    p.add_argument("--version", default="0.2.0")
    a = p.parse_args()
    path = a.models / "lipsync/model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    nets = [load(a.nets, a.tag, int(k)) for k in a.folds.split(",")]
    graph(nets, path)
    fit = json.loads(a.fit.read_text())
    metrics = "\n".join(f"{k} = {v}" for k, v in fit.pop("metrics").items())
    text = CARD.format(version=a.version, digest=hashlib.sha256(path.read_bytes()).hexdigest(), width=64 * len(nets), metrics=metrics, **fit)
    (a.models / "lipsync/model.toml").write_text(text)
    print(text, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
