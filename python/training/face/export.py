"""Writes models/face-detector and models/face-landmarks from checkpoints and compares the graphs with PyTorch.

    python -m face.export --run DIR --models ../../models [--version 0.1.0]
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import torch

from .models import Detector, DetectorGraph, Landmarks
from .teachers import session

OPSET = 17
CONTRACTS = {
    "face-detector": {
        "task": "face-detection",
        "summary": "Finds faces with five points on a small plane.",
        "input": ("[-1, 3, -1, -1]", "RGB planes, 0 to 255; sides multiples of 32, the longer one typically 320"),
        "outputs": [
            ("boxes", "[-1, -1, 4]", "left, top, right, bottom in pixels of the input, before suppression of overlaps"),
            ("points", "[-1, -1, 10]", "x, y of eye centres left to right in the picture, tip of the nose, mouth corners left to right"),
            ("scores", "[-1, -1]", "0 to 1"),
        ],
    },
    "face-landmarks": {
        "task": "face-landmarks",
        "summary": "Dense shape of one face: 478 points of MediaPipe's mesh with irises, 68 points of iBUG's scheme, presence.",
        "input": ("[-1, 3, 112, 112]", "RGB planes, 0 to 255: a square about the face's box, 1.3 times its longer side, eye line level"),
        "outputs": [
            ("mesh", "[-1, 478, 2]", "x, y as shares of the crop"),
            ("ibug68", "[-1, 68, 2]", "x, y as shares of the crop"),
            ("presence", "[-1, 1]", "0 to 1: a face is there and well framed"),
        ],
    },
}


def half(path: Path, least: int = 256) -> None:
    """Stores weights of more than `least` numbers in half precision, with a cast that ONNX Runtime folds when it loads the graph."""
    model = onnx.load(str(path))
    casts = []
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > least:
            name = tensor.name
            tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), name + "_half"))
            casts.append(onnx.helper.make_node("Cast", [name + "_half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def write(net: torch.nn.Module, name: str, example: torch.Tensor, folder: Path, version: str, halved: bool) -> None:
    contract = CONTRACTS[name]
    net.eval()
    path = folder / name / "model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    outputs = [o[0] for o in contract["outputs"]]
    dynamic = {"image": {0: "n"} | ({2: "h", 3: "w"} if "-1, -1]" in contract["input"][0] else {})}
    dynamic |= {o: {0: "n"} | ({1: "k"} if name == "face-detector" else {}) for o in outputs}
    torch.onnx.export(net, (example,), str(path), input_names=["image"], output_names=outputs, opset_version=OPSET, dynamic_axes=dynamic, dynamo=False)
    if halved:
        half(path)
    with torch.no_grad():
        want = [t.numpy() for t in net(example)]
    for w, g in zip(want, session(path).run(None, {"image": example.numpy()})):
        apart = float(np.abs(w - g).max())
        print(name, w.shape, "largest difference to PyTorch", f"{apart:.2g}")
        assert apart < (2e-3 if halved else 1e-3 * max(1.0, float(np.abs(w).max()))), "the graph does not compute what PyTorch computes"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    tensor = lambda table, n, shape, meaning: f'\n[[{table}]]\nname = "{n}"\ndtype = "float32"\nshape = {shape}\nmeaning = "{meaning}"\n'
    text = (
        f'id = "{name}"\nversion = "{version}"\ntask = "{contract["task"]}"\nsummary = "{contract["summary"]}"\n'
        f'licence = "LicenseRef-inperson-research (see CARD.md: training material is research-only in part)"\n'
        f'sha256 = "{digest}"\nopset = {OPSET}\n'
    )
    text += tensor("inputs", "image", *contract["input"]) + "".join(tensor("outputs", *o) for o in contract["outputs"])
    (folder / name / "model.toml").write_text(text)
    print(name, path.stat().st_size, "bytes")


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
        write(DetectorGraph(detector), "face-detector", picture(192, 320), a.models, a.version, False)
    if (a.run / "landmarks.pt").exists():
        landmarks = Landmarks()
        landmarks.load_state_dict(torch.load(a.run / "landmarks.pt"))
        write(landmarks, "face-landmarks", picture(112, 112), a.models, a.version, True)


if __name__ == "__main__":
    main()
