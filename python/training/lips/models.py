"""The two towers: what lips do and what is heard, 25 times a second, into one space."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .shape import POINTS

SOUND, STEP, SIZE, MELS = 16_000, 160, 400, 36
WIDTH = 64


def mel_bank(warp: float = 1.0, bins: int = 257) -> np.ndarray:
    """(bins, MELS): triangles from 60 to 7600 Hz, wide enough to blur harmonics; `warp` stretches the frequencies as another vocal tract does."""
    mel = lambda f: 2595 * np.log10(1 + np.asarray(f) / 700)
    hz = lambda m: 700 * (10 ** (np.asarray(m) / 2595) - 1)
    edges = hz(np.linspace(mel(60), mel(7600), MELS + 2)) * warp
    f = np.arange(bins) * SOUND / 512
    low, mid, high = edges[:-2], edges[1:-1], edges[2:]
    width = np.maximum((high - low) / 2, 90.0)
    bank = np.maximum(0, 1 - np.abs(f[:, None] - mid) / width)
    return (bank / bank.sum(0).clip(1e-6)).astype(np.float32)


class Bands(nn.Module):
    """Sound (n, samples) to log bands (n, MELS, frames of 10 ms), centred; as convolutions, so that the graph takes sound as it is."""

    def __init__(self):
        super().__init__()
        t, k = np.arange(SIZE), np.arange(257)[:, None]
        window = np.hanning(SIZE + 1)[:-1]
        basis = np.concatenate([np.cos(2 * np.pi * k * t / 512), np.sin(2 * np.pi * k * t / 512)]) * window
        self.register_buffer("basis", torch.from_numpy(basis.astype(np.float32))[:, None], persistent=False)
        self.register_buffer("bank", torch.from_numpy(mel_bank()), persistent=False)

    def power(self, sound: torch.Tensor) -> torch.Tensor:
        """(n, frames, 257); one frame for every STEP samples."""
        s = F.conv1d(F.pad(sound[:, None], (SIZE // 2 - STEP // 2, SIZE // 2 - STEP // 2)), self.basis, stride=STEP)
        return (s[:, :257].square() + s[:, 257:].square()).transpose(1, 2)

    def forward(self, sound: torch.Tensor) -> torch.Tensor:
        return logs(self.power(sound) @ self.bank)


def logs(bands: torch.Tensor) -> torch.Tensor:
    """(n, frames, MELS) powers to logarithms over a floor 40 dB under the mean of all, without the band's mean (the microphone)."""
    floor = bands.mean((1, 2), keepdim=True) * 1e-4 + 1e-9
    x = torch.log(bands + floor)
    return ((x - x.mean(1, keepdim=True)) * 0.4).transpose(1, 2)


def temporal(i: int, o: int, dilation: int = 1, stride: int = 1, k: int = 5) -> nn.Sequential:
    return nn.Sequential(nn.Conv1d(i, o, k, stride, dilation * (k // 2), dilation, bias=False), nn.BatchNorm1d(o), nn.ReLU(inplace=True))


class Over(nn.Module):
    """Residual convolutions over time."""

    def __init__(self, width: int, dilation: int, drop: float):
        super().__init__()
        self.body = nn.Sequential(nn.Dropout(drop), temporal(width, width, dilation), nn.Conv1d(width, width, 1, bias=False), nn.BatchNorm1d(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.body(x))


def conv(i: int, o: int, stride: int = 2) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class Lips(nn.Module):
    """Mouths (n, t, 48, 48) in 0..1 and points (n, t, 49, 2) to (n, WIDTH, t)."""

    def __init__(self, width: int = 96, drop: float = 0.2):
        super().__init__()
        self.picture = nn.Sequential(conv(1, 16), conv(16, 32), conv(32, 48), conv(48, 64), nn.Flatten(1), nn.Dropout(drop), nn.Linear(64 * 9, 96))
        self.shape = nn.Sequential(nn.Linear(len(POINTS) * 2, 96), nn.ReLU(inplace=True), nn.Dropout(drop), nn.Linear(96, 96))
        self.join = temporal(4 * 96, width, k=3)
        self.time = nn.Sequential(Over(width, 1, drop), Over(width, 2, drop))
        self.last = nn.Conv1d(width, WIDTH, 1)

    def forward(self, mouths: torch.Tensor, points: torch.Tensor, keep: torch.Tensor | None = None) -> torch.Tensor:
        n, t = mouths.shape[:2]
        m = (mouths - mouths.mean((1, 2, 3), keepdim=True)) / (mouths.std((1, 2, 3), keepdim=True) + 0.02)
        p = self.picture(m.reshape(n * t, 1, *mouths.shape[2:]).contiguous(memory_format=torch.channels_last)).view(n, t, -1)
        # what differs from this talker's mean
        q = (points - points.mean(1, keepdim=True)).flatten(2) * 8
        s = self.shape(q)
        if keep is not None:  # training without one of the two
            p, s = p * keep[:, :1, None], s * keep[:, 1:, None]
        x = torch.cat([p, s], 2).transpose(1, 2)
        x = torch.cat([x, F.pad(x[:, :, 1:] - x[:, :, :-1], (1, 0))], 1)
        return F.normalize(self.last(self.time(self.join(x))), dim=1)


class Sound(nn.Module):
    """Log bands (n, MELS, 4 t) to (n, WIDTH, t)."""

    def __init__(self, width: int = 96, drop: float = 0.2):
        super().__init__()
        self.body = nn.Sequential(temporal(MELS, width), temporal(width, width, stride=2), temporal(width, width, stride=2),
                                  Over(width, 1, drop), Over(width, 2, drop))
        self.last = nn.Conv1d(width, WIDTH, 1)

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        return F.normalize(self.last(self.body(bands)), dim=1)


class Towers(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.lips, self.sound, self.bands = Lips(**options), Sound(**options), Bands()
        self.scale = nn.Parameter(torch.tensor(3.0))


def profile(v: torch.Tensor, a: torch.Tensor, most: int) -> torch.Tensor:
    """(n, 2 most + 1): mean agreement of the lips with the sound heard `lag` steps later, for every lag from -most to most."""
    t = v.shape[2]
    out = []
    for lag in range(-most, most + 1):
        lo, hi = max(0, -lag), min(t, t - lag)
        out.append((v[:, :, lo:hi] * a[:, :, lo + lag : hi + lag]).sum(1).mean(1))
    return torch.stack(out, 1)
