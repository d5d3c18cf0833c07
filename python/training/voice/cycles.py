"""Statistics that follow the pitch inside the window: what a steady pitch would leave, and where in its cycle each band is loud.

A pitch that glides smears high harmonics within a window, and with it what says how strictly a band repeats. Here each window is stretched
until its pitch stands still (after Kepesi & Weruaga 2006). The envelopes of bands are read cycle by cycle, as far along in each as
the other: how their loud parts lie to each other is laid down by the glottis in a voice and by training in a synthesiser.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from .store import RATE
from .transform import Tensor, Transform, hann

# frames, 10 ms each, by which the pitch's neighbours lie apart, how much they may differ, and the steepest glide, in logs per sample
NEAR, APART, STEEP = 3, 0.15, 6e-5
# finer sampling between samples, and taps of the filter each side
FINER, TAPS = 4, 10
# cycles that are followed, points in each
CYCLES, POINTS = 4, 16
NUMBERS = 196


class Cycles(nn.Module):
    """Statistics of every second frame, from what `Texture.periods` has found of the pitch."""

    def __init__(self, lags: np.ndarray, bands: int, long: Transform, sixteen: Tensor):
        super().__init__()
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value, np.float32)), persistent=False)
        self.long, self.first, self.last = long, int(lags[0]), len(lags) - 2
        self.size = long.size
        n = FINER * (TAPS - np.arange(2 * TAPS + 1)) + np.arange(FINER)[:, None]
        low = np.sinc(n / FINER) * np.where(np.abs(n) <= TAPS * FINER, 0.54 + 0.46 * np.cos(np.pi * n / TAPS / FINER), 0)
        # one filter for each place between two samples
        put("between", low[:, None])
        put("lag", lags), put("sixteen", sixteen.numpy()), put("bin", np.arange(self.size // 2 + 1) * 2 * math.pi / self.size)
        put("twice", np.where(np.isin(np.arange(self.size // 2 + 1), [0, self.size // 2]), 1, 2))
        put("about", np.arange(self.size) - self.size // 2)
        w = hann(self.size)
        left = np.correlate(w, w, "full")[self.size - 1 :]
        put("left", np.maximum(left / left[0], 0.05)[: lags[-1] + 2])
        along = np.arange(CYCLES * POINTS) - CYCLES * POINTS / 2
        put("along", along / POINTS)
        shape, turn = hann(len(along)) / hann(len(along)).sum(), 2 * np.pi * along / POINTS
        put("turns", np.stack([np.cos(turn) * shape, -np.sin(turn) * shape, np.cos(2 * turn) * shape, -np.sin(2 * turn) * shape], 1))
        put("one", np.triu_indices(bands, 1)[0]), put("other", np.triu_indices(bands, 1)[1])

    def fine(self, alike: Tensor, at: Tensor) -> Tensor:
        """The lag of the best of three, finer than a sample."""
        i = at.clamp(1, self.last)
        before, here, after = alike.gather(2, i - 1), alike.gather(2, i), alike.gather(2, i + 1)
        return (i + self.first).float() + ((before - after) / (2 * (before - 2 * here + after) - 1e-6)).clamp(-0.5, 0.5)

    def glide(self, alike: Tensor, lag: Tensor) -> Tensor:
        """How fast the log of the lag changes, per sample, from the frames before and after in which there is one like it."""
        frames = alike.shape[1]
        like = ((self.lag / lag).log().abs() < APART).float()
        around = torch.cat([alike[:, :1].repeat(1, NEAR, 1), alike, alike[:, -1:].repeat(1, NEAR, 1)], 1)
        far = torch.cat([torch.arange(NEAR).float(), torch.full_like(lag[0, :, 0], NEAR)])[:frames][None, :, None]
        total, weight = 0, 0
        for beside, sign, steps in ((around[:, :frames], -1, far), (around[:, 2 * NEAR :], 1, far.flip(1))):
            strength, at = (like * (beside + 1)).max(2, keepdim=True)
            sure = torch.sigmoid((strength - 1.3) / 0.04)
            total = total + sign * (self.fine(beside, at) / lag).log() * sure
            weight = weight + steps * sure
        return (total / (weight * 160 + 1e-3)).clamp(-STEEP, STEEP)

    def still(self, x: Tensor, middle: Tensor, glide: Tensor) -> Tensor:
        """Powers of windows about `middle` that are stretched until the pitch stands still."""
        finer = nn.functional.conv1d(x[:, None], self.between, padding=TAPS).transpose(1, 2).flatten(1)
        t = (middle + self.about + glide * self.about.square() / 2) * FINER
        t = t.clamp(0, finer.shape[1] - 2)
        i = t.floor()
        part, i = t - i, i.long().flatten(1)
        y = finer.gather(1, i).reshape(t.shape) * (1 - part) + finer.gather(1, i + 1).reshape(t.shape) * part
        return self.long.powers(y * (1 + glide * self.about).clamp(min=0.2).sqrt())

    def again(self, power: Tensor, lag: Tensor) -> Tensor:
        """How each band repeats after the lag."""
        whole = lag.floor()
        left = self.left[whole.long()] * (whole + 1 - lag) + self.left[whole.long() + 1] * (lag - whole)
        return (power * torch.cos(lag * self.bin) * self.twice) @ self.sixteen / left / ((power * self.twice) @ self.sixteen + 1e-3)

    def forward(self, over, x: Tensor, power: Tensor, envelope: Tensor, alike: Tensor, at: Tensor, voiced: Tensor) -> None:
        """`envelope` is (clips, bands, samples) at a quarter of the rate, its first value of sample 7.5; `power` of the long window."""
        lag = self.fine(alike, at)
        glide = self.glide(alike, lag) * (voiced > 0.3)
        half = lambda v: v[:, 1::2]
        glide, lag, voiced, power = half(glide), half(lag), half(voiced), half(power)
        frames = lag.shape[1]
        middle = torch.arange(frames)[:, None] * 320.0 + (160 + self.size // 2)
        gain = self.again(self.still(x, middle, glide), lag) - self.again(power[:, :frames], lag)
        over.moments(gain, voiced * (glide.abs() * 2e4).clamp(max=1), False)

        clips, bands, samples = envelope.shape
        t = (middle + lag * self.along * (1 + glide * lag * self.along / 2) - 7.5) / 4
        t = t.clamp(0, samples - 2)
        i = t.floor()
        part, i = (t - i)[:, None], i.long().reshape(clips, 1, -1).repeat(1, bands, 1)
        y = envelope.gather(2, i).reshape(clips, bands, frames, -1) * (1 - part) + envelope.gather(2, i + 1).reshape(clips, bands, frames, -1) * part
        y = (y / (y.mean(3, keepdim=True) + 1e-3) @ self.turns).transpose(1, 2)
        re, im, re2, im2 = y[..., 0], y[..., 1], y[..., 2], y[..., 3]
        size, size2 = (re.square() + im.square() + 1e-12).sqrt() + 0.02, (re2.square() + im2.square() + 1e-12).sqrt() + 0.02
        once, twice = (re / size, im / size), (re2 / size2, im2 / size2)
        # products of unit numbers: the second one's angle is taken from the first one's
        less = lambda a, b: (a[0] * b[0] + a[1] * b[1], a[1] * b[0] - a[0] * b[1])
        mean = lambda a, weight: (over.mean(a[0], weight), over.mean(a[1], weight))
        length = lambda a: (a[0].square() + a[1].square() + 1e-12).sqrt()
        both = voiced[:, 1:] * voiced[:, :-1]
        step = lambda a: mean(less((a[0][:, 1:], a[1][:, 1:]), (a[0][:, :-1], a[1][:, :-1])), both)
        i, j = self.one.long(), self.other.long()
        pair = less((once[0][:, :, i], once[1][:, :, i]), (once[0][:, :, j], once[1][:, :, j]))
        own = less((once[0].square() - once[1].square(), 2 * once[0] * once[1]), twice)
        m, change, shape = mean(pair, voiced), step(pair), mean(own, voiced)
        over.add(*m, length(m), change[0], length(change), *shape, step(own)[0])
