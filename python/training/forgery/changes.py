"""How zones of a face differ in what changes of its fine texture within a third of a second, in operations that ONNX knows.

A head that is drawn anew for every frame keeps or loses its texture otherwise in the mouth, the eyes and the skin than a camera's picture does. Bands are Gabor's
(1946) in four orientations and four widths, of the lightness alone; movement is not taken out, but what moves alike in all zones says nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .crops import SIDE
from .texture import CONTRASTS, shares, weights_of

# waves of the bands, pixels of the crop (the last two of a crop of half the side), and their directions
WAVES, TURNS, RADIUS = (2.8, 4.5, 5.6, 9.0), 4, 5
# every second frame is looked at, and held against the fourth look after it
STEP, APART = 2, 4
LEAST = 0.1  # smaller changes hardly count (squares of grey levels): rounding of colours makes some
NUMBERS = 2 * len(WAVES) * TURNS * len(CONTRASTS)


def gabor(wave: float, turn: float) -> np.ndarray:
    """The even and the odd filter of a band, without a mean, sums of sizes alike (2, side, side)."""
    y, x = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]
    hill = np.exp(-2 * (x * x + y * y) / wave**2)
    phase = 2 * np.pi * (x * np.cos(turn) + y * np.sin(turn)) / wave
    even, odd = hill * np.cos(phase), hill * np.sin(phase)
    return np.stack([even - hill * even.sum() / hill.sum(), odd]) * 2 / hill.sum()


class Changes(nn.Module):
    """A burst of crops (frames, 3, 160, 160), RGB 0 to 255, and at least nine of them, to numbers (change or its share of the band's energy, band, contrast), flat."""

    def __init__(self):
        super().__init__()
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value, np.float32)))
        turns = np.arange(TURNS) * np.pi / TURNS
        for name, waves in (("fine", WAVES[:2]), ("coarse", np.array(WAVES[2:]) / 2)):
            put(name, np.concatenate([gabor(w, t) for w in waves for t in turns])[:, None])
        put("zones", weights_of(SIDE // 2))
        put("contrasts", shares())

    @property
    def names(self) -> list[str]:
        bands = [f"{w}px{t}" for w in WAVES for t in range(TURNS)]
        return [f"changes|{of}|{b}|{c}" for of in ("change", "share") for b in bands for c in CONTRASTS]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        r, g, b = x[::STEP].split(1, 1)
        y = 0.299 * r + 0.587 * g + 0.114 * b
        small = nn.functional.avg_pool2d(y, 2)
        edge = lambda v: nn.functional.pad(v, (RADIUS,) * 4, mode="reflect")
        bands = torch.cat([nn.functional.conv2d(edge(y), self.fine, stride=2), nn.functional.conv2d(edge(small), self.coarse)], 1)
        # even and odd ones side by side: (frames, bands, 2, cells)
        bands = bands.flatten(2).unflatten(1, (-1, 2))
        power = lambda v: ((v * v).sum(2) @ self.zones).mean(0)
        energy, change = power(bands), power(bands[APART:] - bands[:-APART])
        return (torch.stack([(change + LEAST).log(), (change / (energy + LEAST) + 1e-2).log()]) @ self.contrasts).flatten()
