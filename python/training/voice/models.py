"""The network: front end inside, so that the graph takes sound as it is."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

RATE = 16_000


class FrontEnd(nn.Module):
    """Log energies of linear bands, 25 ms every 10 ms. Level, channel and anything 30 dB under the mean are taken out:
    no noise floor and no microphone is left to learn."""

    def __init__(self, bands: int = 72, size: int = 400, hop: int = 160):
        super().__init__()
        self.hop, self.size = hop, size
        n = 512
        t = np.arange(size)
        window = np.hanning(size)
        k = np.arange(n // 2 + 1)[:, None]
        basis = np.concatenate([np.cos(2 * np.pi * k * t / n), np.sin(2 * np.pi * k * t / n)]) * window / size
        self.register_buffer("basis", torch.from_numpy(basis.astype(np.float32))[:, None])
        f, edges = np.linspace(0, RATE / 2, n // 2 + 1), np.linspace(50, 7800, bands + 2)
        up = (f - edges[:-2, None]) / np.diff(edges)[:-1, None]
        down = (edges[2:, None] - f) / np.diff(edges)[1:, None]
        self.register_buffer("bank", torch.from_numpy(np.maximum(0, np.minimum(up, down)).astype(np.float32)))

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        x = audio - audio.mean(1, keepdim=True)
        x = x / (x.pow(2).mean(1, keepdim=True).sqrt() + 1e-5)
        s = nn.functional.conv1d(x[:, None], self.basis, stride=self.hop)
        power = s[:, :257].pow(2) + s[:, 257:].pow(2)
        bands = torch.matmul(self.bank, power)
        floor = bands.mean((1, 2), keepdim=True) * 1e-3 + 1e-9
        x = torch.log(bands + floor)
        return x - x.mean(2, keepdim=True)


class Block(nn.Module):
    def __init__(self, i: int, o: int, stride: tuple[int, int]):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(i, o, 3, stride, 1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True),
            nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o))
        self.skip = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))
        self.gate = nn.Sequential(nn.Linear(o, o // 4), nn.ReLU(inplace=True), nn.Linear(o // 4, o), nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x)
        y = y * self.gate(y.mean((2, 3)))[:, :, None, None]
        return torch.relu(y + self.skip(x))


class Voice(nn.Module):
    """Residual network with squeeze and excitation, and attentive statistics pooling."""

    def __init__(self):
        super().__init__()
        self.front = FrontEnd()
        self.body = nn.Sequential(
            nn.Conv2d(1, 16, 5, (2, 1), 2, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
            Block(16, 24, (2, 2)), Block(24, 40, (2, 2)), Block(40, 64, (2, 1)), Block(64, 64, (1, 1)))
        self.attend = nn.Sequential(nn.Conv1d(64 * 5, 48, 1), nn.Tanh(), nn.Conv1d(48, 64 * 5, 1))
        self.embed = nn.Sequential(nn.Linear(64 * 10, 96), nn.ReLU(inplace=True), nn.Dropout(0.3))
        self.last = nn.Linear(96, 1)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        x = self.features(self.front(audio))
        return self.last(self.embed(x))[:, 0]

    def features(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x[:, None]).flatten(1, 2)
        w = torch.softmax(self.attend(y), 2)
        mean = (w * y).sum(2)
        spread = ((w * y * y).sum(2) - mean * mean).clamp(min=1e-5).sqrt()
        return torch.cat([mean, spread], 1)
