"""Weighted statistics over time, in operations that ONNX knows."""

from __future__ import annotations

import numpy as np
import torch

from .transform import Tensor


class Over:
    """Weighted statistics over time; `weight` is (clips, frames, 1)."""

    def __init__(self, out: list[Tensor]):
        self.out = out

    @staticmethod
    def mean(x: Tensor, weight: Tensor) -> Tensor:
        # a product is what runtimes compute fastest
        return (weight.transpose(1, 2) @ x)[:, 0] / (weight.sum(1) + 1e-3)

    def add(self, *values: Tensor) -> None:
        self.out.extend(values)

    def moments(self, x: Tensor, weight: Tensor, high: bool = True) -> None:
        """Mean and log spread, and with `high` skewness and log kurtosis."""
        mean = self.mean(x, weight)
        apart = x - mean[:, None]
        spread = (self.mean(apart * apart, weight) + 1e-6).sqrt()
        self.add(mean, (spread + 1e-3).log())
        if high:
            z = apart / spread[:, None]
            square = z * z
            self.add(self.mean(square * z, weight), (self.mean(square * square, weight) + 0.1).log())

    def alike(self, x: Tensor, weight: Tensor) -> None:
        """Correlations of all pairs."""
        apart = (x - self.mean(x, weight)[:, None]) * weight.sqrt()
        power = (apart * apart).sum(1) + 1e-5
        both = apart.transpose(1, 2) @ apart / (power[:, :, None] * power[:, None]).sqrt()
        count = int(x.shape[2])
        i, j = np.triu_indices(count, 1)
        self.add(both.flatten(1)[:, torch.from_numpy(i * count + j)])


def halves(x: Tensor, by: int = 2) -> Tensor:
    """Means of neighbouring columns."""
    return x.reshape(x.shape[0], x.shape[1], -1, by).mean(3)
