"""Small networks on the numbers that `kernel` compares, taught on clips that are mixed with one another (Zhang et al. 2018)."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

# how many are averaged, and hidden units of each
COUNT, HIDDEN = 3, 64
STEPS, BATCH, RATE, DECAY = 300, 96, 1e-3, 1.0
# share of numbers that are hidden at each step, and of units; scatter that is added to scaled numbers; how clips are mixed, and how sure a network may become
DROP, DROP_UNITS, NOISE, BETA, SURE = 0.5, 0.3, 0.3, 0.4, 0.95


def taught(x: torch.Tensor, goal: torch.Tensor, weight: np.ndarray, seed: int) -> nn.Sequential:
    """One network on rows drawn by weight."""
    torch.manual_seed(seed)
    rng, chance = np.random.default_rng(seed), weight / weight.sum()
    net = nn.Sequential(nn.Dropout(DROP), nn.Linear(x.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(DROP_UNITS), nn.Linear(HIDDEN, 1))
    adam = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    for _ in range(STEPS):
        i, j = (rng.choice(len(x), BATCH, p=chance) for _ in range(2))
        share = torch.from_numpy(rng.beta(BETA, BETA, (BATCH, 1)).astype(np.float32))
        mixed, aim = share * x[i] + (1 - share) * x[j], share[:, 0] * goal[i] + (1 - share[:, 0]) * goal[j]
        loss = nn.functional.binary_cross_entropy_with_logits(net(mixed + NOISE * torch.randn(mixed.shape))[:, 0], aim)
        adam.zero_grad()
        loss.backward()
        adam.step()
    return net


class Perceptron(nn.Sequential):
    """The mean of the networks as one: scaled numbers (clips, numbers) to a logit (clips, 1)."""

    def __init__(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray):
        super().__init__(nn.Linear(x.shape[1], COUNT * HIDDEN), nn.ReLU(), nn.Linear(COUNT * HIDDEN, 1))
        rows, goal = torch.from_numpy(x.astype(np.float32)), torch.from_numpy((1 - SURE + y * (2 * SURE - 1)).astype(np.float32))
        nets = [taught(rows, goal, weight, seed) for seed in range(COUNT)]
        with torch.no_grad():
            self[0].weight.copy_(torch.cat([n[1].weight for n in nets]))
            self[0].bias.copy_(torch.cat([n[1].bias for n in nets]))
            self[2].weight.copy_(torch.cat([n[4].weight for n in nets], 1) / COUNT)
            self[2].bias.copy_(sum(n[4].bias for n in nets) / COUNT)
        self.requires_grad_(False)

    def judge(self, x: np.ndarray) -> np.ndarray:
        return self(torch.from_numpy(x.astype(np.float32)))[:, 0].numpy()
