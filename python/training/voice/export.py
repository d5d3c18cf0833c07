"""Writes model.onnx and model.toml: python -m voice.export --weights voice.pt --out models/voice [--figures figures.json]"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from .models import RATE, Voice

CARD = """id = "voice"
version = "0.1.0"
task = "synthetic-voice"
summary = "Tells synthetic, cloned and converted voices from human ones."
licence = "LicenseRef-inperson-research (see CARD.md: training material is research-only or unclear in part)"
sha256 = "{sha}"
opset = 17

[[inputs]]
name = "audio"
dtype = "float32"
shape = [-1, -1]
meaning = "16 kHz mono, -1 to 1; speech of the candidate, 1 to 3 s at a time, 2.4 s in training"

[[outputs]]
name = "score"
dtype = "float32"
shape = [-1]
meaning = "logit; positive: synthetic, cloned or converted"
"""


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--weights", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--figures", type=Path, help="figures.json of voice.evaluate, for [calibration] and [metrics]")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    net = Voice().eval()
    net.load_state_dict(torch.load(a.weights, map_location="cpu", weights_only=True))
    path, audio = a.out / "model.onnx", torch.randn(2, int(2.4 * RATE)) * 0.1
    torch.onnx.export(net, (audio,), str(path), input_names=["audio"], output_names=["score"], opset_version=17, dynamo=False,
                      dynamic_axes={"audio": {0: "n", 1: "t"}, "score": {0: "n"}})
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for n, t in ((1, 1.0), (3, 2.4), (1, 4.0)):
        x = np.random.default_rng(n).normal(0, 0.1, (n, int(t * RATE))).astype(np.float32)
        with torch.no_grad():
            gap = abs(session.run(["score"], {"audio": x})[0] - net(torch.from_numpy(x)).numpy()).max()
        assert gap < 1e-3, gap
    text = CARD.format(sha=hashlib.sha256(path.read_bytes()).hexdigest())
    if a.figures:
        r = json.loads(a.figures.read_text())
        text += "\n# raw: mean logit of n listenings, times n / (n + 1); natural logarithm, positive is attack\n[calibration]\n"
        text += "".join(f"{k} = {json.dumps(r[k])}\n" for k in ("slope", "offset", "range", "bounds"))
        text += "\n[metrics]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in r["all"].items())
    (a.out / "model.toml").write_text(text)
    print(path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
