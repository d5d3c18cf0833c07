"""Genuine crops through a diffusion model's small autoencoder (TAEF2, MIT): the trace of a generator's decoder in an otherwise same picture.

    python -m forgery.decode --data DIR --backbones BACKBONES --count 2600
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from .crops import SIDE


class Block(nn.Module):
    def __init__(self, pool: bool):
        super().__init__()
        c = lambda: nn.Conv2d(64, 64, 3, 1, 1)
        self.conv = nn.Sequential(c(), nn.ReLU(), c(), nn.ReLU(), c())
        self.pool = nn.Sequential(nn.Conv2d(64, 256, 1, bias=False), nn.GroupNorm(4, 256), nn.ReLU(), nn.Conv2d(256, 64, 1, bias=False)) if pool else None

    def forward(self, x):
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


class Soft(nn.Module):
    def forward(self, x):
        return torch.tanh(x / 3) * 3


def built(path: Path, decoder: bool) -> nn.Sequential:
    """The layers as the keys of the state name them."""
    state = torch.load(path, map_location="cpu")
    layers = []
    for i in range(1 + max(int(k.split(".")[0]) for k in state)):
        if f"{i}.conv.0.weight" in state:
            layers.append(Block(f"{i}.pool.0.weight" in state))
        elif f"{i}.weight" in state:
            w = state[f"{i}.weight"]
            bias = f"{i}.bias" in state
            layers.append(nn.Conv2d(w.shape[1], w.shape[0], 3, 2 if not decoder and not bias else 1, 1, bias=bias))
        else:
            layers.append(Soft() if i == 0 else nn.ReLU() if i == 2 else nn.Upsample(scale_factor=2))
    net = nn.Sequential(*layers)
    net.load_state_dict(state)
    return net.eval().to(memory_format=torch.channels_last)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--backbones", type=Path, required=True)
    p.add_argument("--count", type=int, default=2600)
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    rng = np.random.default_rng(0)
    encoder, decoder = built(a.backbones / "taef2_encoder.pth", False), built(a.backbones / "taef2_decoder.pth", True)
    about = json.loads((a.data / "stills.json").read_text())
    talk = json.loads((a.data / "talkers.json").read_text())
    pool = [("stills", i) for i, r in enumerate(about) if r["label"] == "bonafide" and r["set"] != "deepface_tests"]
    frames = [("talkers", i) for i in range(len(talk))]
    pool += [frames[i] for i in rng.choice(len(frames), 1500, replace=False)]
    crops = {k: np.load(a.data / f"{k}.crops.npy", mmap_mode="r") for k in ("stills", "talkers")}
    chosen = [pool[i] for i in rng.permutation(len(pool))[: a.count]]
    out, start = np.zeros((len(chosen), SIDE, SIDE, 3), np.uint8), time.time()
    for k, (part, i) in enumerate(chosen):
        n = int(rng.choice([96, 112, 128, 144, 160, 160, 192]))
        x = cv2.resize(crops[part][i], (n, n), interpolation=cv2.INTER_AREA if n < SIDE else cv2.INTER_CUBIC)
        x = torch.from_numpy(x).permute(2, 0, 1)[None].float().contiguous(memory_format=torch.channels_last) / 255
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            z = encoder(x).float()
            if rng.random() < 0.5:  # generators do not hit the code exactly
                z = z + torch.randn_like(z) * z.std() * float(rng.uniform(0, 0.12))
            y = decoder(z).float()
        y = (y[0].permute(1, 2, 0).numpy() * 255).clip(0, 255).astype(np.uint8)
        out[k] = cv2.resize(y, (SIDE, SIDE), interpolation=cv2.INTER_AREA if n > SIDE else cv2.INTER_CUBIC)
        if k in (3, 200):
            print(k, time.time() - start, np.abs(out[k].astype(int) - crops[part][i]).mean(), flush=True)
    np.savez(a.data / "decoded.npz", crops=out, rows=np.array([(p == "talkers", i) for p, i in chosen]))


if __name__ == "__main__":
    main()
