"""The network: statistics inside, so that the graph takes sound as it is."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from .texture import Texture


class Judge(nn.Module):
    """One logit of scaled statistics: a line and one hidden layer beside it."""

    def __init__(self, numbers: int, hidden: int = 64, drop: float = 0.5):
        super().__init__()
        self.wide = nn.Linear(numbers, 1)
        nn.init.zeros_(self.wide.weight)
        self.deep = nn.Sequential(nn.Dropout(0.2), nn.Linear(numbers, hidden), nn.ReLU(), nn.Dropout(drop), nn.Linear(hidden, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.wide(x) + self.deep(x))[:, 0]


class Head(nn.Module):
    """Logits of the statistics, each brought to its training median and spread and bounded.

    Two judges, one of sound as it was recorded and one of sound that suffered, are mixed by how much the sound suffered; `worth` is what
    the second one's logit counts and what having suffered counts itself, fitted on scores out of the folds.
    """

    def __init__(self, numbers: int):
        super().__init__()
        self.front = Texture()
        self.register_buffer("middle", torch.zeros(numbers))
        self.register_buffer("spread", torch.ones(numbers))
        self.register_buffer("worth", torch.tensor([1.0, 0.0]))
        self.good, self.poor, self.suffered, self.several = Judge(numbers), Judge(numbers), Judge(numbers, 16), Judge(numbers, 32)

    def scaled(self, statistics: torch.Tensor) -> torch.Tensor:
        return torch.tanh((statistics - self.middle) / self.spread / 3) * 3

    def parts(self, statistics: torch.Tensor) -> torch.Tensor:
        """What both judges say, each times its share, and the second one's share (3, clips)."""
        x = self.scaled(statistics)
        share = torch.sigmoid(self.suffered(x))
        return torch.stack([(1 - share) * self.good(x), share * self.poor(x), share])

    def judge(self, statistics: torch.Tensor) -> torch.Tensor:
        good, poor, share = self.parts(statistics)
        return good + self.worth[0] * poor + self.worth[1] * share

    def voices(self, statistics: torch.Tensor) -> torch.Tensor:
        """Logit that several voices speak at once."""
        return self.several(self.scaled(statistics))


def load(nets: Path, fold: int) -> list[Head]:
    """The networks of a fold."""
    out = []
    for held in torch.load(nets / f"texture-{fold}.pt"):
        net = Head(len(held["middle"]))
        net.load_state_dict(held | {"worth": net.worth})
        out.append(net.eval())
    return out
