"""How zones of a face differ in what changes of its texture's texture within half a second, in operations that ONNX knows.

Second-order scattering (Bruna & Mallat 2013): sizes of fine Gabor bands of the lightness, and sizes of coarser bands of these, so how pores, hair and wrinkles are
grouped, whatever their phase.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .changes import FAR, RADIUS, STEP, changed, gabor
from .crops import SIDE
from .texture import CONTRASTS, shares, weights_of

# waves (pixels of the crop, of the first order's maps for the second) and directions of the bands
FINE, FINE_TURNS = (3.0, 5.0), 4
COARSE, COARSE_TURNS = (5.0, 9.0), 3
CELLS = SIDE // 4
CHANNELS = len(FINE) * FINE_TURNS * (1 + len(COARSE) * COARSE_TURNS)
NUMBERS = CHANNELS * 2 * len(CONTRASTS)
# smaller changes hardly count, of the first order and of the second: about a hundredth of the variance of a channel
LEAST = (5e-2, 3e-3)


def bank(waves: tuple[float, ...], turns: int) -> np.ndarray:
    return np.concatenate([gabor(w, t * np.pi / turns) for w in waves for t in range(turns)])[:, None]


class Scattering(nn.Module):
    """A burst of crops (frames, 3, 160, 160), RGB 0 to 255, and what its first looks are also held against (4, 3, 160, 160), to numbers (band, change or its share
    of the spread, contrast), flat."""

    def __init__(self):
        super().__init__()
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value, np.float32)))
        put("fine", bank(FINE, FINE_TURNS))
        put("coarse", bank(COARSE, COARSE_TURNS))
        put("zones", weights_of(CELLS))
        put("contrasts", shares())
        first = len(FINE) * FINE_TURNS
        put("least", np.repeat(LEAST, (first, CHANNELS - first))[:, None])

    @property
    def names(self) -> list[str]:
        first = [f"{w}px{t}" for w in FINE for t in range(FINE_TURNS)]
        second = [f"{a}-{w}px{t}" for a in first for w in COARSE for t in range(COARSE_TURNS)]
        return [f"scattering|{b}|{of}|{c}" for b in first + second for of in ("change", "share") for c in CONTRASTS]

    @staticmethod
    def sizes(x: torch.Tensor, bands: torch.Tensor, floor: float) -> torch.Tensor:
        """Of bands of maps (n, 1, side, side), at every second pixel: (n, bands, side / 2, side / 2)."""
        both = nn.functional.conv2d(nn.functional.pad(x, (RADIUS,) * 4, mode="reflect"), bands, stride=2)
        both = both.unflatten(1, (-1, 2))
        return ((both * both).sum(2) + floor).sqrt()

    def maps(self, x: torch.Tensor) -> torch.Tensor:
        r, g, b = x.split(1, 1)
        first = self.sizes(0.299 * r + 0.587 * g + 0.114 * b, self.fine, 0.25)
        second = self.sizes(first.flatten(0, 1)[:, None], self.coarse, 0.05)
        second = second.reshape(len(x), -1, CELLS, CELLS)
        return torch.cat([nn.functional.avg_pool2d(first, 2), second], 1).flatten(2)

    def forward(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return changed(self.maps(x[: FAR * STEP : STEP]), self.maps(other), self.zones, self.contrasts, self.least).flatten()
