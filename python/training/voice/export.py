"""Writes models/voice: the network that met everything in one graph, calibrated on scores out of the folds.

    python -m voice.export --data DIR --nets DIR --models ../../models [--version 0.18.0]

A fold's network is made alike, of four fifths of the material.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import torch

from contract import OPSET, Calibration, Contract, Tensor, write
from graphs import agree, eight
from metrics import apcer, auc, cllr, eer

from .evaluate import bounds, few, weights
from .models import NOTHING, UNJUDGED, load
from .report import calibrated, lines, ratios
from .store import RATE, Clips
from .student import folded
from .textures import LEAST, LENGTH

CONTRACT = Contract(
    "voice", "synthetic-voice", "Tells synthetic, cloned and converted voices from human ones.",
    [Tensor("audio", [-1, -1], "16 kHz mono, -1 to 1; speech of the candidate, 2 to 6 s at a time")],
    [
        Tensor("score", [-1], "logit; positive: synthetic, cloned or converted"),
        Tensor("several", [-1], "positive: several voices speak at once, and `score` means nothing"),
        Tensor("silent", [-1], "positive: nobody speaks, and `score` means nothing"),
    ],
)
NOTE = "raw: mean logit of listenings, times s / (s + 2) with s seconds listened to"
MEASURED = "out of fold: one network a fold, on sources, systems and minor speaker corpora that they never met"


def small(path: Path) -> None:
    """Stores weights in eight bits with a scale a row, and tables and what many small differences hang on in half precision; ONNX Runtime
    unpacks them once, when it loads the graph."""
    model, unpack, scales = onnx.load(str(path)), [], []
    node, numbers = onnx.helper.make_node, onnx.numpy_helper
    # tables of the front are constants in the graph: the same ones once, and stored as weights are
    tables, rename, nodes = {}, {}, []
    for n in model.graph.node:
        value = numbers.to_array(n.attribute[0].t) if n.op_type == "Constant" and n.attribute[0].name == "value" else None
        if value is None or value.dtype != np.float32 or value.size <= 256:
            nodes.append(n)
            continue
        key = (value.shape, value.tobytes())
        if key not in tables:
            tables[key] = n.output[0]
            model.graph.initializer.append(numbers.from_array(value, n.output[0]))
        rename[n.output[0]] = tables[key]
    for n in nodes:
        n.input[:] = [rename.get(name, name) for name in n.input]
    for tensor in model.graph.initializer:
        values = numbers.to_array(tensor)
        if values.dtype != np.float32 or values.size <= 256:
            continue
        name = tensor.name
        coarse = name.startswith(("heads.", "known.", "likeness.parts.own.", "likeness.landmarks.", "front.concealment.", "front.student."))
        if not coarse or not (name.endswith(".weight") and len(values) > 1):
            if not name.endswith((".bias", "wide.weight")):
                tensor.CopyFrom(numbers.from_array(values.astype(np.float16), f"{name}_half"))
                unpack.append(node("Cast", [f"{name}_half"], [name], to=onnx.TensorProto.FLOAT))
            continue
        whole, scale = eight(values)
        tensor.CopyFrom(numbers.from_array(whole, f"{name}_eight"))
        scales.append(numbers.from_array(scale, f"{name}_scale"))
        unpack += [node("Cast", [f"{name}_eight"], [f"{name}_whole"], to=onnx.TensorProto.FLOAT), node("Mul", [f"{name}_whole", f"{name}_scale"], [name])]
    model.graph.initializer.extend(scales)
    del model.graph.node[:]
    model.graph.node.extend(unpack + nodes)
    # names that nobody reads take half a megabyte
    kept = {t.name for t in (*model.graph.input, *model.graph.output)}
    short = {}
    brief = lambda name: name if not name or name in kept else short.setdefault(name, f"{len(short):x}")
    for n in model.graph.node:
        n.name = ""
        n.input[:], n.output[:] = [brief(x) for x in n.input], [brief(x) for x in n.output]
    for tensor in model.graph.initializer:
        tensor.name = brief(tensor.name)
    del model.graph.value_info[:]
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--version", default="0.18.0")
    p.add_argument("--fold", type=int, default=-1, help="-1 met everything")
    p.add_argument("--bound", type=float, default=3.0, help="largest ratio that is claimed, in nats")
    a = p.parse_args()
    table, held = Clips(a.data, "clips").table, pd.read_csv(a.nets / "scores-clips.csv", index_col="clip")
    use = (table.samples >= LEAST).to_numpy()
    raw, label = few(held["mean"].to_numpy(), held["seconds"].to_numpy())[use], (table.label == "spoof").to_numpy().astype(int)[use]
    weight = weights(table[use])
    slope, offset = calibrated(raw, label, weight)
    remains = slope * few(NOTHING, LENGTH / RATE) + offset
    if not -1 < remains < 0:
        p.error(f"where sound suffered most, a verdict would say {remains:.2f} nats of 6 s and not lean to genuine: move models.NOTHING, and evaluate anew")
    net = load(a.nets, a.fold)
    with torch.no_grad():
        net.worth.copy_(torch.from_numpy(np.load(a.nets / "worth.npy")[a.fold]))
        # several voices or none are what is over the threshold
        for why, bound in zip(UNJUDGED, bounds(held[use])):
            for head in net.heads:
                getattr(head, why).wide.bias -= float(bound)
    # under their own names, by which they are stored in eight bits
    folded(net.front.student)
    path = a.models / "voice/model.onnx"
    example = torch.randn((1, LENGTH), generator=torch.Generator().manual_seed(0)) * 0.1
    torch.onnx.export(
        net, (example,), str(path), input_names=["audio"], output_names=["score", *UNJUDGED], opset_version=OPSET,
        dynamic_axes={"audio": {0: "n", 1: "t"}, **{name: {0: "n"} for name in ("score", *UNJUDGED)}}, do_constant_folding=False, dynamo=False)
    small(path)
    for samples in (LEAST, LENGTH):
        agree(path, net, {"audio": torch.randn((1, samples), generator=torch.Generator().manual_seed(1)) * 0.1}, 0.1)
    margin = 0.1 * (raw.max() - raw.min())
    audio = (table.part[use] == "audio").to_numpy()
    fold = table.fold[use].to_numpy()
    llr = ratios(raw, fold, lines(raw, label, fold, weight))[audio]
    r, y = raw[audio], label[audio]
    metrics = {"eer": eer(r, y), "auc": auc(r, y), "apcer5": apcer(r, y, 0.05), "cllr": cllr(llr, y), "false_alarms_llr_over_1": (llr[y == 0] > 1).mean()}
    calibration = Calibration(slope, offset, (raw.min() - margin, raw.max() + margin), (-a.bound, a.bound), NOTE)
    write(path.parent, CONTRACT, a.version, calibration, {"n": len(y)} | {k: float(v) for k, v in metrics.items()}, MEASURED)


if __name__ == "__main__":
    main()
