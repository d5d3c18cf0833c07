"""Short-time power spectra, as PyTorch computes them fast and as a graph of products that ONNX Runtime computes fast."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

Tensor = torch.Tensor


def hann(n: int) -> np.ndarray:
    return np.hanning(n + 1)[:-1]


def level(audio: Tensor) -> Tensor:
    """Sound (clips, samples) at a level of one."""
    x = audio - audio.mean(1, keepdim=True)
    return x / (x.pow(2).mean(1, keepdim=True).sqrt() + 1e-5)


def loud(power: Tensor, db: float) -> tuple[Tensor, Tensor]:
    """Level in decibels, and 1 where it is less than so much under the loudest frame."""
    level = (power.sum(2, keepdim=True) + 1e-3).log() * 4.343
    return level, torch.sigmoid((level - level.amax(1, keepdim=True) + db) / 1.5)


def logs(power: Tensor, bands: Tensor) -> Tensor:
    """Logarithms of bands: nothing 30 dB under a band's mean or 55 dB under the whole is heard."""
    b = power @ bands
    mean = b.mean(1, keepdim=True)
    return (b + mean * 1e-3 + mean.mean(2, keepdim=True) * 3e-6 + 1e-9).log()


class Transform(nn.Module):
    """Powers (clips, frames, bins) of a transform of `size` samples through a window of `length` in its middle."""

    def __init__(self, size: int, hop: int, length: int | None = None):
        super().__init__()
        self.size, self.hop, self.length = size, hop, length or size
        # kept with the weights, for what is not is reckoned into the graph
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(value.astype(np.float32)))
        put("window", hann(self.length)), put("bin", np.arange(size // 2 + 1.0)), put("time", np.arange(self.length // 2 + 0.0))

    def forward(self, x: Tensor) -> Tensor:
        if torch.onnx.is_in_onnx_export():
            return self.folded(x)
        s = torch.stft(x, self.size, self.hop, self.length, self.window, center=False, return_complex=True)
        return torch.view_as_real(s).square().sum(-1).transpose(1, 2)

    def folded(self, x: Tensor) -> Tensor:
        """Powers do not hang on where time starts, so that it may start in the middle of the window: cosines then see the sum of both halves and
        sines their difference, and where the window fills the transform, even and odd bins each a quarter. Sines are made when the graph is loaded."""
        half, middle = self.length // 2, self.size // 2
        frames = (x.shape[1] - self.size) // self.hop + 1
        rows = -(-self.size // self.hop)
        blocks = nn.functional.pad(x, (0, self.hop))[:, : (frames + rows - 1) * self.hop].reshape(x.shape[0], -1, self.hop)
        whole = torch.cat([blocks[:, r : r + frames] for r in range(rows)], 2)
        window, step = self.window[half:], torch.arange(half)
        after = whole[:, :, middle : middle + half] * window
        before = whole[:, :, middle - half + 1 : middle + 1].flip(2) * window
        first = (step > 0).float()
        sums, differences = after + before * first, (after - before) * first
        turn = 2 * math.pi / self.size
        if half * 2 < self.size:
            angle = self.time[:, None] * self.bin * turn
            return (sums @ angle.cos()).square() + (differences @ angle.sin()).square()
        # the sample a quarter away is its own counterpart, and counts once
        quarter = half // 2
        self_paired = torch.ones(quarter + 1)
        self_paired[quarter] = 0.5
        pad = nn.functional.pad
        fold = lambda y: (y[:, :, : quarter + 1] * self_paired, pad(y, (0, 1))[:, :, quarter:].flip(2) * self_paired)
        angle = self.time[: quarter + 1, None] * self.bin * turn
        (a, b), (c, d) = fold(sums), fold(differences)
        even = ((a + b) @ angle[:, 0::2].cos()).square() + ((c - d) @ angle[:, 0::2].sin()).square()
        odd = ((a - b) @ angle[:, 1::2].cos()).square() + ((c + d) @ angle[:, 1::2].sin()).square()
        both = torch.stack([even[:, :, :-1], odd], 3).flatten(2)
        return torch.cat([both, even[:, :, -1:]], 2)
