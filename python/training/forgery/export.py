"""Writes models/warp from a trained network and its calibrations.

    python -m forgery.export --run RUN --models ../../models [--version 0.1.0]

`RUN/calibration.json`, which `forgery.calibrate` writes, holds slope, offset, range and bounds of `face` and `border`, and figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch

from face.export import half
from face.teachers import session

from .crops import SIDE
from .score import load

HEAD = '''id = "warp"
version = "{version}"
task = "face-forgery"
summary = "Where in a face the picture was changed, and whether the face is a camera's picture at all."
licence = "LicenseRef-inperson-research (see CARD.md: training material is research-only or unclear in part)"
sha256 = "{digest}"
opset = 17

[[inputs]]
name = "image"
dtype = "float32"
shape = [-1, 3, 160, 160]
meaning = "RGB planes, 0 to 255: the face with hair, neck and background, aligned by five points, eyes 0.23 of the side apart"

[[outputs]]
name = "logit"
dtype = "float32"
shape = [-1]
meaning = "positive: swapped, reenacted, re-lipped or generated"

[[outputs]]
name = "region"
dtype = "float32"
shape = [-1, 40, 40]
meaning = "chance that the place was changed, 0 to 1"

[[outputs]]
name = "border"
dtype = "float32"
shape = [-1, 40, 40]
meaning = "chance that the border of a change lies there, 0 to 1"
'''
TABLE = '''
# {what}; natural logarithm, positive is attack
[calibrations.{name}]
slope = {slope:.6f}
offset = {offset:.6f}
range = [{low:.4f}, {high:.4f}]
bounds = [{least:.4f}, {most:.4f}]
'''
WHAT = {
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
    (a.models / "warp").mkdir(exist_ok=True)
    path = a.models / "warp/model.onnx"
    x = torch.rand((2, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(0)) * 255
    axes = {k: {0: "n"} for k in ("image", "logit", "region", "border")}
    torch.onnx.export(net, (x,), str(path), input_names=["image"], output_names=["logit", "region", "border"], opset_version=17, dynamic_axes=axes, dynamo=False)
    half(path)
    with torch.no_grad():
        want = [v.numpy() for v in net(x)]
    apart = [float(np.abs(u - v).max()) for u, v in zip(want, session(path).run(None, {"image": x.numpy()}))]
    print("difference to PyTorch", apart)
    assert max(apart) < 2e-2, "the graph does not compute what PyTorch computes"
    held = json.loads((a.run / "calibration.json").read_text())
    text = HEAD.format(version=a.version, digest=hashlib.sha256(path.read_bytes()).hexdigest())
    text += "".join(TABLE.format(name=k, what=WHAT[k], **held[k]) for k in ("face", "border"))
    text += "\n[metrics]\n" + "".join(f"{k} = {v:.4f}\n" for k, v in held["metrics"].items())
    (a.models / "warp/model.toml").write_text(text)
    print(path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
