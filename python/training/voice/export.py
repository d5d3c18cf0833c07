"""Writes models/voice from a checkpoint, compares the graph with PyTorch, fits the calibration.

    python -m voice.export --run DIR --data DIR --models ../../models [--version 0.1.0]
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
from pathlib import Path

import numpy as np
import torch

from .evaluate import RATE, fit, listen, session
from .models import Voice


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--run", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--version", default="0.1.0")
    a = p.parse_args()
    net = Voice()
    net.load_state_dict(torch.load(a.run / "voice.pt"))
    net.eval()
    path = a.models / "voice/model.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    example = torch.randn((1, int(2.4 * RATE)), generator=torch.Generator().manual_seed(0)) * 0.1
    torch.onnx.export(
        net, (example,), str(path), input_names=["audio"], output_names=["score"], opset_version=17,
        dynamic_axes={"audio": {0: "n", 1: "t"}, "score": {0: "n"}}, dynamo=False,
    )
    graph = session(path)
    for seconds in (2.0, 2.4):
        x = torch.randn((1, int(seconds * RATE)), generator=torch.Generator().manual_seed(1)) * 0.1
        with torch.no_grad():
            apart = abs(float(net(x)) - float(graph.run(None, {"audio": x.numpy()})[0][0]))
        print("difference to PyTorch", f"{apart:.2g}", "at", seconds, "s")
        assert apart < 1e-3, "the graph does not compute what PyTorch computes"
    with open(a.data / "clips.pickle", "rb") as f:
        clips = [c for c in pickle.load(f) if c["part"] == "calibrate" and c["family"] != "twin" and len(c["pcm"]) >= 2 * RATE]
    raw = np.array([listen(graph, c["pcm"]) for c in clips])
    label = np.array([c["label"] == "spoof" for c in clips]).astype(int)
    slope, offset = fit(raw, label)
    # repositories, not clips, are what is independent: they bound what can be claimed
    bound = [float(np.log(len({c["repo"] for c, l in zip(clips, label) if l == side}))) for side in (1, 0)]
    margin = 0.1 * (raw.max() - raw.min())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (a.models / "voice/model.toml").write_text(
        f'id = "voice"\nversion = "{a.version}"\ntask = "voice-anti-spoofing"\n'
        'summary = "Logit that a stretch of speech comes from a synthesiser, converter, vocoder or neural codec."\n'
        'licence = "LicenseRef-inperson-research (see CARD.md: training material is research-only in part)"\n'
        f'sha256 = "{digest}"\nopset = 17\n\n'
        '[[inputs]]\nname = "audio"\ndtype = "float32"\nshape = [-1, -1]\nmeaning = "mono speech at 16 kHz, -1 to 1; 2 to 2.4 s"\n\n'
        '[[outputs]]\nname = "score"\ndtype = "float32"\nshape = [-1]\nmeaning = "logit, positive for attack; not calibrated"\n\n'
        f'[calibration]\nslope = {slope:.6f}\noffset = {offset:.6f}\n'
        f'range = [{raw.min() - margin:.4f}, {raw.max() + margin:.4f}]\nbounds = [{-bound[0]:.4f}, {bound[1]:.4f}]\n'
    )
    print((a.models / "voice/model.toml").read_text(), path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
