"""Writes models/voice: the mean of the networks that met everything in one graph, calibrated on scores out of their folds.

    python -m voice.export --data DIR --nets DIR --models ../../models [--version 0.5.0]

A fold's networks are as many and made alike, of four fifths of the material.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import torch

from .evaluate import few, session
from .metrics import affine, apcer, auc, cllr, eer
from .models import Head, load
from .report import ratios
from .store import RATE, Clips
from .textures import LEAST, LENGTH

# share of single voices that are taken for several
FALSE_OVERLAPS = 0.003

CARD = '''id = "voice"
version = "{version}"
task = "synthetic-voice"
summary = "Tells synthetic, cloned and converted voices from human ones."
licence = "LicenseRef-inperson-research (see CARD.md: training material is research-only or unclear in part)"
sha256 = "{digest}"
opset = 17

[[inputs]]
name = "audio"
dtype = "float32"
shape = [-1, -1]
meaning = "16 kHz mono, -1 to 1; speech of the candidate, 2 to 4.8 s at a time"

[[outputs]]
name = "score"
dtype = "float32"
shape = [-1]
meaning = "logit; positive: synthetic, cloned or converted"

[[outputs]]
name = "several"
dtype = "float32"
shape = [-1]
meaning = "positive: several voices speak at once, and the other output means nothing"

# raw: mean logit of listenings, times s / (s + 2) with s seconds listened to; natural logarithm, positive is attack
[calibration]
slope = {slope:.6f}
offset = {offset:.6f}
range = [{low:.4f}, {high:.4f}]
bounds = [-{bound:.4f}, {bound:.4f}]

# out of fold: three networks a fold, on sources, systems and minor speaker corpora that they never met
[metrics]
n = {n}
eer = {eer:.4f}
auc = {auc:.4f}
apcer5 = {apcer:.4f}
cllr = {cllr:.4f}
false_alarms_llr_over_1 = {false:.4f}
'''


class Mean(torch.nn.Module):
    """The mean logits of networks on one set of statistics, of synthesis and of several voices; the latter less its threshold."""

    def __init__(self, nets: list[Head], worth: torch.Tensor, threshold: float):
        super().__init__()
        self.front, self.nets, self.threshold = nets[0].front, torch.nn.ModuleList(nets), threshold
        for n in nets:
            n.worth.copy_(worth)
            del n.front

    def forward(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.front(audio)
        mean = lambda found: torch.stack(found).mean(0)
        return mean([n.judge(x) for n in self.nets]), mean([n.voices(x) for n in self.nets]) - self.threshold


def small(path: Path) -> None:
    """Stores weights in eight bits with a scale a row, and the numbers of the statistics in half precision; ONNX Runtime unpacks them once,
    when it loads the graph."""
    model, unpack, scales = onnx.load(str(path)), [], []
    node = onnx.helper.make_node
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= 256:
            continue
        name, rows = tensor.name, values.reshape(len(values), -1)
        if tensor.name.startswith("nets.") and not (tensor.name.endswith(".weight") and len(values) > 1):
            continue
        if not tensor.name.startswith("nets."):
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
            unpack.append(node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
            continue
        scale = (np.abs(rows).max(1) / 127 + 1e-12).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1))
        tensor.CopyFrom(onnx.numpy_helper.from_array(np.round(values / scale).astype(np.int8), f"{name}_eight"))
        scales.append(onnx.numpy_helper.from_array(scale, f"{name}_scale"))
        unpack += [node("Cast", [f"{name}_eight"], [f"{name}_whole"], to=onnx.TensorProto.FLOAT), node("Mul", [f"{name}_whole", f"{name}_scale"], [name])]
    model.graph.initializer.extend(scales)
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(unpack + nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--version", default="0.5.0")
    p.add_argument("--fold", type=int, default=-1, help="the networks that are put together; -1 met everything")
    p.add_argument("--bound", type=float, default=3.0, help="largest ratio that is claimed, in nats")
    a = p.parse_args()
    table, held = Clips(a.data, "clips").table, pd.read_csv(a.nets / "scores-clips.csv", index_col="clip")
    use = (table.samples >= LEAST).to_numpy()
    net = Mean(load(a.nets, a.fold), torch.from_numpy(held[["worth", "tilt"]].iloc[0].to_numpy().copy()), float(held["several"][use].quantile(1 - FALSE_OVERLAPS))).eval()
    path = a.models / "voice/model.onnx"
    example = torch.randn((1, LENGTH), generator=torch.Generator().manual_seed(0)) * 0.1
    torch.onnx.export(
        net, (example,), str(path), input_names=["audio"], output_names=["score", "several"], opset_version=17,
        dynamic_axes={"audio": {0: "n", 1: "t"}, "score": {0: "n"}, "several": {0: "n"}}, do_constant_folding=False, dynamo=False)
    small(path)
    graph = session(path)
    for samples in (LEAST, LENGTH):
        x = torch.randn((1, samples), generator=torch.Generator().manual_seed(1)) * 0.1
        with torch.no_grad():
            apart = max(abs(float(a) - float(b[0])) for a, b in zip(net(x), graph.run(None, {"audio": x.numpy()})))
        print("difference to PyTorch", f"{apart:.2g}", "at", samples / RATE, "s")
        assert apart < 5e-2, "the graph does not compute what PyTorch computes"
    raw, label = few(held["mean"].to_numpy(), held["seconds"].to_numpy())[use], (table.label == "spoof").to_numpy().astype(int)[use]
    # repositories, not clips, are what is independent: all weigh alike, to the square root of their size
    groups = table[use].groupby(["repo", "label"]).path.transform("size").to_numpy()
    slope, offset = affine(raw, label, groups**-0.5)
    margin = 0.1 * (raw.max() - raw.min())
    audio = (table.part[use] == "audio").to_numpy()
    llr = ratios(raw, label, table.fold[use].to_numpy(), groups**-0.5)[audio]
    r, y = raw[audio], label[audio]
    text = CARD.format(
        n=len(y), eer=eer(r, y), auc=auc(r, y), apcer=apcer(r, y, 0.05), cllr=cllr(llr, y), false=(llr[y == 0] > 1).mean(),
        version=a.version, digest=hashlib.sha256(path.read_bytes()).hexdigest(), slope=slope, offset=offset,
        low=raw.min() - margin, high=raw.max() + margin, bound=a.bound)
    (a.models / "voice/model.toml").write_text(text)
    print(text, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
