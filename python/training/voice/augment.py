"""What rooms, microphones, processing and networks do to a voice; the same for genuine and fake.

`rough` changes sound and is slow: it is applied once, to versions kept on disk. `Fast` changes spectra while training, with
one draw for all members of a pair.
"""

from __future__ import annotations

import numpy as np
import torch

from . import codecs
from .store import RATE


def room(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An early reflection or two and a tail of noise that falls by 60 dB in 0.1 to 0.6 s."""
    tail = int(RATE * rng.uniform(0.1, 0.6))
    echo = rng.normal(0, 1, tail) * np.exp(-6.9 * np.arange(tail) / tail)
    echo *= rng.uniform(0.05, 0.5) / np.sqrt((echo**2).sum())
    for _ in range(rng.integers(1, 5)):
        echo[rng.integers(10, min(tail, 600))] += rng.normal(0, 0.25)
    echo[0] = 1
    size = 1 << int(np.ceil(np.log2(len(x) + tail)))
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(echo, size), size)[: len(x)]


def speed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A few per cent faster or slower, and with it higher or lower."""
    from scipy.signal import resample_poly

    return resample_poly(x, 100, int(rng.choice([92, 95, 97, 103, 106, 110])))


def gate(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A noise gate: quiet stretches are turned down, as calls and noise suppression do."""
    level = np.sqrt(np.convolve(x * x, np.ones(480) / 480, "same") + 1e-12)
    line = np.quantile(level, 0.95) * 10 ** (-rng.uniform(20, 35) / 20)
    gain = np.where(level > line, 1.0, 10 ** (-rng.uniform(6, 40) / 20))
    return x * np.convolve(gain, np.ones(320) / 320, "same")


def coded(pcm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the codecs of calls and of files."""
    kind = rng.choice(["opus", "lossy", "amr", "g711", "mp3", "aac"], p=[0.4, 0.28, 0.06, 0.06, 0.1, 0.1])
    if kind == "amr":
        return codecs.amr(pcm, float(rng.choice([4.75, 7.4, 12.2])))
    if kind == "g711":
        return codecs.g711(pcm)
    if kind == "mp3":
        return codecs.mp3(pcm, int(rng.choice([24, 32, 48, 64])))
    if kind == "aac":
        return codecs.aac(pcm, int(rng.choice([24, 32, 48, 64])))
    bits = int(rng.choice([6, 8, 12, 16, 16, 24, 32, 48, 64])) * 1000
    loss = rng.uniform(0.02, 0.2) if kind == "lossy" else 0.0
    return codecs.opus(pcm, bits, loss, rng, fec=bool(rng.random() < 0.5))


def rough(x: np.ndarray, seed: list[int]) -> np.ndarray:
    """A random chain of room, speed, gate, noise, level and codec; 16-bit samples out. The same seed is the same chain."""
    rng = np.random.default_rng(seed)
    if rng.random() < 0.3:
        x = speed(x, rng)
    if rng.random() < 0.4:
        x = room(x, rng)
    if rng.random() < 0.2:
        x = gate(x, rng)
    x = x / (np.abs(x).max() + 1e-6) * rng.uniform(0.15, 0.99)
    if rng.random() < 0.3:
        noise = np.cumsum(rng.normal(0, 1, len(x))) if rng.random() < 0.2 else rng.normal(0, 1, len(x))
        noise -= noise.mean()
        x = x + noise / (noise.std() + 1e-9) * x.std() * 10 ** (-rng.uniform(15, 45) / 20)
    if rng.random() < 0.08:
        x = np.clip(x, -x.std() * 3, x.std() * 3)
    pcm = (np.clip(x, -1, 1) * 32767).astype(np.int16)
    return coded(pcm, rng) if rng.random() < 0.8 else pcm


class Fast:
    """Filters, band limits and noise on powers of bands (clips, frames, bands), one draw a pair."""

    def __init__(self, front, seed: int):
        self.f = torch.from_numpy(front.middle.astype(np.float32))
        self.g = torch.Generator().manual_seed(seed)
        # a minute of noise, taken from anywhere
        self.noise = front.bands(torch.randn(1, 60 * RATE, generator=self.g))[0]
        self.noise = self.noise / self.noise.mean()

    def draw(self, n: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        return torch.rand(n, generator=self.g) * (high - low) + low

    def __call__(self, bands: torch.Tensor, pair: torch.Tensor) -> torch.Tensor:
        n, f = int(pair.max()) + 1, self.f[None]
        nodes = torch.randn(n, 9, generator=self.g) * self.draw(n, 0, 6)[:, None] * (self.draw(n) < 0.5)[:, None]
        gain = torch.nn.functional.interpolate(nodes[:, None], len(self.f), mode="linear", align_corners=True)[:, 0]  # dB
        cut = torch.where(self.draw(n) < 0.5, self.draw(n, 3300, 8000), torch.tensor(9000.0))[:, None]
        gain = gain - torch.clamp((f - cut) / self.draw(n, 100, 1500)[:, None], 0, 1) * 60
        cut = torch.where(self.draw(n) < 0.25, self.draw(n, 60, 400), torch.tensor(0.0))[:, None]
        gain = 10 ** ((gain - torch.clamp((cut - f) / 150, 0, 1) * 30) / 10)
        # noise under 15 to 60 dB in half, white to brown, before or after the filter
        frames = bands.shape[1]
        at = torch.randint(0, self.noise.shape[0] - frames, (n,), generator=self.g)
        noise = torch.stack([self.noise[i : i + frames] for i in at.tolist()])
        colour = (f.clamp(min=100) / 1000) ** -self.draw(n, 0, 2)[:, None]
        colour = colour / colour.mean(1, keepdim=True)
        level = 10 ** (-self.draw(n, 15, 60) / 10) * (self.draw(n) < 0.5)
        early = (self.draw(n) < 0.5)[:, None]
        noise = noise * (colour * level[:, None] * torch.where(early, gain, torch.tensor(1.0)))[:, None]
        return bands * gain[pair][:, None] + noise[pair] * bands.mean((1, 2), keepdim=True)
