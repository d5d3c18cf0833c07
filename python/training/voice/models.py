"""The networks: front end inside, so that the graph takes sound as it is."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .store import RATE


class FrontEnd(nn.Module):
    """Log energies of bands every 10 ms. Level and channel are taken out, and all that lies 30 dB under a band's mean or
    55 dB under that of all bands: little of the noise floor and the microphone is left to learn."""

    def __init__(self, bands: int = 128, size: int = 512, hop: int = 160, scale: str = "linear"):
        super().__init__()
        self.size, self.hop, self.bins = size, hop, size // 2 + 1
        t, k = np.arange(size), np.arange(self.bins)[:, None]
        window = np.hanning(size + 1)[:-1]
        basis = np.concatenate([np.cos(2 * np.pi * k * t / size), np.sin(2 * np.pi * k * t / size)]) * window
        self.register_buffer("basis", torch.from_numpy(basis.astype(np.float32))[:, None], persistent=False)
        self.register_buffer("window", torch.from_numpy(window.astype(np.float32)), persistent=False)
        f = np.linspace(0, RATE / 2, self.bins)
        if scale == "linear":
            edges = np.linspace(30, 7900, bands + 2)
        else:
            mel = lambda v: 2595 * np.log10(1 + v / 700)
            edges = 700 * (10 ** (np.linspace(mel(30), mel(7900), bands + 2) / 2595) - 1)
        self.middle = edges[1:-1]
        width = np.maximum(np.diff(edges)[1:], RATE / size)
        bank = np.maximum(0, 1 - np.abs(f - self.middle[:, None]) / width[:, None])
        self.register_buffer("bank", torch.from_numpy((bank / bank.sum(1, keepdims=True)).astype(np.float32)).T.contiguous(), persistent=False)

    def level(self, audio: torch.Tensor) -> torch.Tensor:
        x = audio - audio.mean(1, keepdim=True)
        return x / (x.pow(2).mean(1, keepdim=True).sqrt() + 1e-5)

    def bands(self, audio: torch.Tensor) -> torch.Tensor:
        """Powers (clips, frames, bands): for training, where the fast transform counts."""
        s = torch.stft(self.level(audio), self.size, self.hop, window=self.window, center=False, return_complex=True)
        return torch.view_as_real(s).square().sum(-1).transpose(1, 2) @ self.bank

    def features(self, bands: torch.Tensor, floor: torch.Tensor | float = 1e-3) -> torch.Tensor:
        mean = bands.mean(1, keepdim=True)
        x = torch.log(bands + mean * floor + mean.mean(2, keepdim=True) * 3e-6 + 1e-9)
        return (x - x.mean(1, keepdim=True)) * 0.5

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        s = nn.functional.conv1d(self.level(audio)[:, None], self.basis, stride=self.hop).transpose(1, 2)
        return self.features((s[:, :, : self.bins].square() + s[:, :, self.bins :].square()) @ self.bank)


class Residual(nn.Module):
    """Two convolutions beside a short way, with squeeze and excitation."""

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


class Net(nn.Module):
    """Convolutions over frequency and time, attentive statistics pooling (Okabe et al. 2018), one logit."""

    def __init__(self, front: dict | None = None, stem: tuple[int, int] = (4, 4), widths: tuple[int, ...] = (32, 48, 56, 56), drop: float = 0.3):
        super().__init__()
        self.front = FrontEnd(**(front or {}))
        strides = [(2, 1), (2, 2), (1, 1), (1, 1)][: len(widths) - 1]
        size = tuple(2 * s - 1 if s > 1 else 3 for s in stem)
        self.body = nn.Sequential(
            nn.Conv2d(1, widths[0], size, stem, tuple(s // 2 for s in size), bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True),
            *[Residual(i, o, s) for i, o, s in zip(widths, widths[1:], strides)])
        high = self.front.bank.shape[1]
        for s in [stem, *strides]:
            high = -(-high // s[0])
        self.squeeze = nn.Sequential(nn.Conv1d(widths[-1] * high, 128, 1, bias=False), nn.BatchNorm1d(128), nn.ReLU(inplace=True))
        self.attend = nn.Sequential(nn.Conv1d(128, 32, 1), nn.Tanh(), nn.Conv1d(32, 128, 1))
        self.embed = nn.Sequential(nn.BatchNorm1d(256), nn.Dropout(drop), nn.Linear(256, 64), nn.ReLU(inplace=True), nn.Dropout(drop))
        self.last = nn.Linear(64, 1)

    def judge(self, features: torch.Tensor) -> torch.Tensor:
        x = features.transpose(1, 2)[:, None].contiguous(memory_format=torch.channels_last)
        y = self.squeeze(self.body(x).flatten(1, 2))
        w = torch.softmax(self.attend(y), 2)
        mean = (w * y).sum(2)
        spread = ((w * y * y).sum(2) - mean * mean).clamp(min=1e-5).sqrt()
        return self.last(self.embed(torch.cat([mean, spread], 1)))[:, 0]

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return self.judge(self.front(audio))
