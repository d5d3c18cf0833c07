"""What the first layers of the network of `train` see, zone by zone.

As a whole that network takes soft pictures for fakes. Its early layers, a few pixels wide, learnt what blending, resampling and decoding leave; how zones
of one face differ in them tells something on sources that it has not seen, by the same kernel as the statistics of `texture`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from graphs import carried, fill

from .models import Net
from .texture import CONTRASTS, shares, told, weights_of

STEP = 2  # every second frame is looked at
CELLS = 40  # the layer's side
NUMBERS = 320


class Patches(nn.Module):
    """A burst of crops (frames, 3, 160, 160), RGB 0 to 255, to numbers (channel, mean or spread, contrast), flat."""

    def __init__(self, width: int = 16):
        super().__init__()
        net = Net(width)
        self.stem, self.s2, self.s4, self.channels = net.stem, net.s2, net.s4, 2 * width
        self.register_buffer("fine", net.fine)
        self.register_buffer("cells", torch.from_numpy(weights_of(CELLS).astype(np.float32)))
        self.register_buffer("contrasts", torch.from_numpy(shares().astype(np.float32)))

    @classmethod
    def load(cls, path: Path) -> Patches:
        """Of what `train` wrote, or of a model `face`, which carries the layers as they are."""
        if path.suffix == ".onnx":
            held = carried(path, "patches.")
            width = len(held["stem.0.weight"])
        else:
            run = torch.load(path)
            held, width = run["net"], run["width"]
        out = cls(width)
        fill(out, {k: v for k, v in held.items() if k.split(".")[0] in ("stem", "s2", "s4", "fine")})
        return out.eval()

    @property
    def names(self) -> list[str]:
        return [f"channel{k}|{of}|{c}" for k in range(self.channels) for of in ("mean", "spread") for c in CONTRASTS]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = (x[::STEP] - 127.5) / 64
        x = torch.cat([x, 4 * nn.functional.conv2d(x, self.fine, padding=1, groups=3)], 1)
        f = self.s4(self.s2(self.stem(x))).flatten(2)
        return told(f, self.cells, self.contrasts, 1e-2).mean(0).flatten()
