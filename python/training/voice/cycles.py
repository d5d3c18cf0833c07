"""Statistics that follow the cycle of the voice: where in it each band is loud, and what its harmonics do to each other.

Sound about every second frame is read cycle by cycle, as far along in each as the other, so that the pitch stands still (after Kepesi & Weruaga
2006): envelopes of bands, and the sound itself, whose transform then has harmonics at whole places and what lies between them halfway.
How loud parts and phases lie to each other is laid down by the glottis in a voice and by training in a synthesiser.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from .moments import Over, halves
from .transform import Tensor, hann

# frames, 10 ms each, by which the pitch's neighbours lie apart, how much they may differ, and the steepest glide, in logs per sample
NEAR, APART, STEEP = 3, 0.15, 6e-5
# finer sampling between samples, and taps of the filter each side
FINER, TAPS = 4, 10
# cycles that are read, points in each of an envelope and of the sound, and harmonics
CYCLES, POINTS, MANY, HARMONICS = 4, 16, 128, 24
# samples from a clip's start to the middle of its second frame, between frames, and to the first value of an envelope
FIRST, HOP, LATE = 160 + 512, 320, 7.5

# unit numbers are pairs of real and imaginary parts; the second one's angle is taken from the first one's
Pair = tuple[Tensor, Tensor]


def less(a: Pair, b: Pair) -> Pair:
    return a[0] * b[0] + a[1] * b[1], a[1] * b[0] - a[0] * b[1]


def length(a: Pair) -> Tensor:
    return (a[0].square() + a[1].square() + 1e-12).sqrt()


def cut(a: Pair, first: int, last: int) -> Pair:
    return a[0][:, :, first:last], a[1][:, :, first:last]


class Cycles(nn.Module):
    """From what `Texture.periods` has found of the pitch at `lags`."""

    def __init__(self, lags: np.ndarray, bands: int):
        super().__init__()
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value, np.float32)), persistent=False)
        self.first, self.last = int(lags[0]), len(lags) - 2
        n = FINER * (TAPS - np.arange(2 * TAPS + 1)) + np.arange(FINER)[:, None]
        low = np.sinc(n / FINER) * np.where(np.abs(n) <= TAPS * FINER, 0.54 + 0.46 * np.cos(np.pi * n / TAPS / FINER), 0)
        # one filter for each place between two samples
        put("between", low[:, None]), put("lag", lags)
        along = np.arange(CYCLES * POINTS) / POINTS - CYCLES / 2
        shape, turn = hann(len(along)) / hann(len(along)).sum(), 2 * np.pi * along
        put("along", along), put("turns", np.stack([np.cos(turn) * shape, -np.sin(turn) * shape, np.cos(2 * turn) * shape, -np.sin(2 * turn) * shape], 1))
        put("one", np.triu_indices(bands, 1)[0]), put("other", np.triu_indices(bands, 1)[1])
        along = np.arange(CYCLES * MANY) / MANY - CYCLES / 2
        shape, half = hann(len(along)) / hann(len(along)).sum(), np.arange(1, 2 * HARMONICS + 2) / 2
        # halfway to the first harmonic, the first, halfway to the second ...
        put("fully", along)
        put("cosine", np.cos(2 * np.pi * along[:, None] * half) * shape[:, None]), put("sine", -np.sin(2 * np.pi * along[:, None] * half) * shape[:, None])

    def fine(self, near: Tensor, at: Tensor) -> Tensor:
        """The lag of the best of three, finer than a sample."""
        i = at.clamp(1, self.last)
        before, here, after = near.gather(2, i - 1), near.gather(2, i), near.gather(2, i + 1)
        return (i + self.first).float() + ((before - after) / (2 * (before - 2 * here + after) - 1e-6)).clamp(-0.5, 0.5)

    def glide(self, near: Tensor, lag: Tensor) -> Tensor:
        """How fast the log of the lag of every second frame changes, per sample, from the frames before and after in which there is one like it."""
        like = ((self.lag / lag).log().abs() < APART).float()
        around = torch.cat([near[:, :1].repeat(1, NEAR, 1), near, near[:, -1:].repeat(1, NEAR, 1)], 1)[:, 1::2]
        frames = lag.shape[1]
        # the first frames and the last have less beside them
        steps = torch.cat([torch.arange(NEAR).float(), torch.full_like(near[0, :, 0], NEAR)])[: near.shape[1], None]
        total, weight = 0, 0
        for beside, sign, far in ((around[:, :frames], -1, steps[1::2]), (around[:, NEAR : NEAR + frames], 1, steps.flip(0)[1::2])):
            strength, at = (like * (beside + 1)).max(2, keepdim=True)
            sure = torch.sigmoid((strength - 1.3) / 0.04)
            total = total + sign * (self.fine(beside, at) / lag).log() * sure
            weight = weight + far * sure
        return (total / (weight * 160 + 1e-3)).clamp(-STEEP, STEEP)

    def forward(self, over: Over, x: Tensor, envelope: Tensor, near: Tensor, at: Tensor, voiced: Tensor) -> None:
        """`envelope` is (clips, bands, samples) at a quarter of the rate; `near` and `at` are of all frames, `voiced` of every second."""
        lag = self.fine(near[:, 1::2], at[:, 1::2])
        glide = self.glide(near, lag) * (voiced > 0.3)
        middle = torch.arange(lag.shape[1])[:, None] * float(HOP) + FIRST
        place = lambda along: middle + lag * along * (1 + glide * lag * along / 2)
        both = voiced[:, 1:] * voiced[:, :-1]
        mean = lambda a, weight: (over.mean(a[0], weight), over.mean(a[1], weight))
        step = lambda a: mean(less((a[0][:, 1:], a[1][:, 1:]), (a[0][:, :-1], a[1][:, :-1])), both)
        self.envelopes(over, envelope, place(self.along), voiced, mean, step)
        self.harmonics(over, x, place(self.fully), voiced, both, mean, step)

    def envelopes(self, over: Over, envelope: Tensor, place: Tensor, voiced: Tensor, mean, step) -> None:
        """Where in the cycle each band is loud beside the others, once and twice a cycle."""
        clips, bands, samples = envelope.shape
        t = ((place - LATE) / 4).clamp(0, samples - 2)
        i = t.floor()
        part, i = (t - i)[:, None], i.long().reshape(clips, 1, -1).repeat(1, bands, 1)
        size = (clips, bands, *t.shape[1:])
        y = envelope.gather(2, i).reshape(size) * (1 - part) + envelope.gather(2, i + 1).reshape(size) * part
        y = (y / (y.mean(3, keepdim=True) + 1e-3) @ self.turns).transpose(1, 2)
        unit = lambda a: (a[0] / (length(a) + 0.02), a[1] / (length(a) + 0.02))
        once, twice = unit((y[..., 0], y[..., 1])), unit((y[..., 2], y[..., 3]))
        i, j = self.one.long(), self.other.long()
        pair = less((once[0][:, :, i], once[1][:, :, i]), (once[0][:, :, j], once[1][:, :, j]))
        own = less((once[0].square() - once[1].square(), 2 * once[0] * once[1]), twice)
        m, change = mean(pair, voiced), step(pair)
        over.add(*m, length(m), change[0], length(change), *mean(own, voiced), step(own)[0])

    def harmonics(self, over: Over, x: Tensor, place: Tensor, voiced: Tensor, both: Tensor, mean, step) -> None:
        """How far harmonics stand over what lies between them, how their levels move, and how their phases lie to each other."""
        finer = nn.functional.conv1d(x[:, None], self.between, padding=TAPS).transpose(1, 2).flatten(1)
        t = (place * FINER).clamp(0, finer.shape[1] - 2)
        i = t.floor()
        part, i = t - i, i.long().flatten(1)
        y = finer.gather(1, i).reshape(t.shape) * (1 - part) + finer.gather(1, i + 1).reshape(t.shape) * part
        re, im = y @ self.cosine, y @ self.sine
        power = re.square() + im.square()
        whole = power[:, :, 1::2]
        total = whole.mean(2, keepdim=True)
        floor = total * 1e-5 + 1e-9
        between = (power[:, :, 0 : 2 * HARMONICS : 2] + power[:, :, 2::2]) / 2
        clear, level = ((whole + floor) / (between + floor)).log(), (whole + floor).log()
        over.moments(halves(clear, 2), voiced)
        over.alike(halves(clear, 3), voiced)
        over.moments(level[:, :, 1:5] - level[:, :, :1], voiced, False)
        change = level[:, 1:] - level[:, :-1]
        change = change - change.mean(2, keepdim=True)
        over.moments(halves((change.abs() + 0.02).log(), 2), both)
        size = (whole + 1e-12).sqrt() + 1e-3 * total.sqrt()
        unit = re[:, :, 1::2] / size, im[:, :, 1::2] / size
        near = less(cut(unit, 1, HARMONICS), cut(unit, 0, HARMONICS - 1))
        # how phases bend from harmonic to harmonic, and how neighbours' lie to the first one's
        for a in (less(cut(near, 1, HARMONICS - 1), cut(near, 0, HARMONICS - 2)), less(cut(near, 0, 12), cut(unit, 0, 1))):
            m, s = mean(a, voiced), step(a)
            over.add(*m, length(m), s[0], length(s))
