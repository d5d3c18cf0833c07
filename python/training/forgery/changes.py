"""How zones of a face differ in what changes of its fine texture within a third and within half a second, in operations that ONNX knows.

A head that is drawn anew for every frame keeps or loses its texture otherwise in the mouth, the eyes and the skin than a camera's picture does. Bands are Gabor's
(1946) in four orientations and four widths, of the lightness alone; movement is not taken out, but what moves alike in all zones says nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .crops import SIDE
from .texture import CONTRASTS, moments, shares, weights_of

# waves of the bands, pixels of the crop (the last two of a crop of half the side), and their directions
WAVES, TURNS, RADIUS = (2.8, 4.5, 5.6, 9.0), 4, 5
# every second frame is looked at, and held against the fourth look after it
STEP, APART = 2, 4
# the first looks are also held against others so many seconds away, each
FAR, FAR_S = 4, 0.56
FAR_OFF_S = 0.12  # at most off by this
LEAST = 0.1  # smaller changes hardly count (squares of grey levels): rounding of colours makes some
NUMBERS = 2 * len(WAVES) * TURNS * len(CONTRASTS)  # of each distance


def gabor(wave: float, turn: float) -> np.ndarray:
    """The even and the odd filter of a band, without a mean, sums of sizes alike (2, side, side)."""
    y, x = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]
    hill = np.exp(-2 * (x * x + y * y) / wave**2)
    phase = 2 * np.pi * (x * np.cos(turn) + y * np.sin(turn)) / wave
    even, odd = hill * np.cos(phase), hill * np.sin(phase)
    return np.stack([even - hill * even.sum() / hill.sum(), odd]) * 2 / hill.sum()


def far(times: np.ndarray, first: int) -> list[int] | None:
    """Of looks at these times (seconds), which ones a burst that begins with `first` is also held against: before or after it, whichever is nearest to the distance."""
    out = []
    for k in range(FAR):
        off = np.abs(np.abs(times - times[first + STEP * k]) - FAR_S)
        off[: first + STEP * k] += 1e-6  # rather after it
        out.append(int(off.argmin()))
        if off[out[-1]] > FAR_OFF_S:
            return None
    return out


def amounts(change: torch.Tensor, energy: torch.Tensor, least: torch.Tensor | float) -> torch.Tensor:
    """How much a map changes, and in what share of its energy: (2, ...)."""
    return torch.stack([(change + least).log(), (change / (energy + least) + 1e-2).log()])


def changed(a: torch.Tensor, b: torch.Tensor, zones: torch.Tensor, contrasts: torch.Tensor, least: torch.Tensor | float) -> torch.Tensor:
    """How zones differ in what changes of maps from `a` to `b` (pairs, channels, cells), and in what share of their spread that is: (channels, 2, contrasts)."""
    step = b - a
    change = ((step * step) @ zones).mean(0)
    spread = (moments(a, zones)[1] + moments(b, zones)[1]).mean(0) / 2
    return (amounts(change, spread, least) @ contrasts).transpose(0, 1)


class Changes(nn.Module):
    """A burst of crops (frames, 3, 160, 160), RGB 0 to 255, and at least nine of them, and what its first looks are also held against (4, 3, 160, 160), to numbers
    (near or far, change or its share of the band's energy, band, contrast), flat."""

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
        return [f"{away}|{of}|{b}|{c}" for away in ("near", "far") for of in ("change", "share") for b in bands for c in CONTRASTS]

    def bands(self, x: torch.Tensor) -> torch.Tensor:
        """Even and odd ones side by side: (frames, bands, 2, cells)."""
        r, g, b = x.split(1, 1)
        y = 0.299 * r + 0.587 * g + 0.114 * b
        small = nn.functional.avg_pool2d(y, 2)
        edge = lambda v: nn.functional.pad(v, (RADIUS,) * 4, mode="reflect")
        bands = torch.cat([nn.functional.conv2d(edge(y), self.fine, stride=2), nn.functional.conv2d(edge(small), self.coarse)], 1)
        return bands.flatten(2).unflatten(1, (-1, 2))

    def forward(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        near, far = self.bands(x[::STEP]), self.bands(other)
        first = near[:FAR]
        power = lambda v: ((v * v).sum(2) @ self.zones).mean(0)
        both = amounts(power(near[APART:] - near[:-APART]), power(near), LEAST), amounts(power(far - first), (power(far) + power(first)) / 2, LEAST)
        return (torch.stack(both) @ self.contrasts).flatten()
