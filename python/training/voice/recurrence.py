"""How near a voice comes to what it was before, and how often: a person says no sound twice alike, synthesis draws on fewer.

Distances between all frames of a stretch that are not neighbours (recurrence plots, Eckmann et al. 1987), as shares of the usual one: the nearest, the nearest few
and a soft count of those within reach (the correlation sum of Grassberger & Procaccia 1983), of single frames and of frames with those beside them.
"""

from __future__ import annotations

import torch

from .moments import Over
from .transform import Tensor

# frames of 20 ms: how far those that are compared lie apart at least, and how many on each side belong to one
APART, BESIDE = 10, (0, 1, 3)
# the nearest that are looked at, and what is within reach, as a share of the usual distance
FEW, REACH = 8, 0.03
# what one call adds
NUMBERS = len(BESIDE) * 14


def recurrences(over: Over, x: Tensor, weight: Tensor) -> None:
    """Of frames `x` (clips, frames, numbers) every 20 ms, which count by `weight` (clips, frames, 1)."""
    length = x.square().sum(2)
    every = (length[:, :, None] + length[:, None] - 2 * x @ x.transpose(1, 2)).clamp_min(0) / x.shape[2]
    at = torch.arange(x.shape[1])
    far = ((at[:, None] - at).abs() >= APART).float()
    for beside in BESIDE:
        n = x.shape[1] - 2 * beside
        apart, others = sum(every[:, k : k + n, k : k + n] for k in range(2 * beside + 1)) / (2 * beside + 1), far[:n, :n]
        heard = weight[:, beside : beside + n]
        # sums over others are products with what is heard of them, which runtimes compute fastest
        many = others @ heard
        pairs = (heard * many).sum((1, 2)) + 1e-6
        mean = lambda v: (heard * ((v * others) @ heard)).sum((1, 2)) / pairs
        usual = mean(apart) + 1e-6
        apart = apart / usual[:, None, None]
        near = (apart * (-1 / REACH)).exp() * others
        over.moments(-(near @ heard / (many + 1e-6) + 1e-6).log(), heard)
        # what is not heard is nobody's neighbour
        nearest = (apart + 10 * (1 - others * heard.transpose(1, 2))).topk(FEW, 2, largest=False)[0]
        over.moments((nearest[:, :, :1] + 1e-3).log(), heard)
        over.moments((nearest.mean(2, keepdim=True) + 1e-3).log(), heard)
        over.add(usual.log()[:, None], (mean((apart - 1).square()) + 1e-6).log()[:, None] / 2)
