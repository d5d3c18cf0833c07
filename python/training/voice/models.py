"""The network: statistics inside, so that the graph takes sound as it is."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from .texture import Texture


class Head(nn.Module):
    """One logit of the statistics, each brought to its training median and spread and bounded: a line and one hidden layer beside it."""

    def __init__(self, numbers: int, hidden: int = 64, drop: float = 0.5):
        super().__init__()
        self.front = Texture()
        self.register_buffer("middle", torch.zeros(numbers))
        self.register_buffer("spread", torch.ones(numbers))
        self.wide = nn.Linear(numbers, 1)
        nn.init.zeros_(self.wide.weight)
        self.deep = nn.Sequential(nn.Dropout(0.2), nn.Linear(numbers, hidden), nn.ReLU(), nn.Dropout(drop), nn.Linear(hidden, 1))

    def scaled(self, statistics: torch.Tensor) -> torch.Tensor:
        return torch.tanh((statistics - self.middle) / self.spread / 3) * 3

    def judge(self, statistics: torch.Tensor) -> torch.Tensor:
        x = self.scaled(statistics)
        return (self.wide(x) + self.deep(x))[:, 0]

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        return self.judge(self.front(audio))


def load(nets: Path, fold: int) -> Head:
    """The network of a fold."""
    held = torch.load(nets / f"texture-{fold}.pt")
    net = Head(len(held["middle"]))
    net.load_state_dict(held)
    return net.eval()
