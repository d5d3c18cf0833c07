"""What was made up for packets that never came, told frame by frame, so that statistics of a voice leave it out.

Concealment goes on with the last period of the pitch, or with noise of the last spectrum, and joins again when the next packet arrives (RFC 6716, 4.4): 20 ms that
a person did not say, and which look like synthesis.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from .transform import Tensor

# bands that are seen of each frame: of 32 ms, and four times of 10 ms
BANDS, FINE, TIMES = 40, 20, 4
# logit at which a frame counts by half
LINE = -0.5


class Concealment(nn.Module):
    """Levels of bands (clips, frames, bands) to how much each frame was heard rather than made up (clips, frames, 1), at 10 ms."""

    def __init__(self, width: int = 48):
        super().__init__()
        bands = BANDS + TIMES * FINE
        self.register_buffer("middle", torch.zeros(bands)), self.register_buffer("spread", torch.ones(bands))
        conv = lambda before, after, size, step=1: nn.Conv1d(before, after, size, padding=size // 2 * step, dilation=step)
        self.first, self.second, self.third, self.last = conv(bands, width, 3), conv(width, width, 5), conv(width, width, 5, 2), conv(width, 1, 3)
        # until it is taught, all was said
        nn.init.zeros_(self.last.weight), nn.init.constant_(self.last.bias, -12.0)

    @staticmethod
    def seen(coarse: Tensor, fine: Tensor) -> Tensor:
        """Bands of 32 ms every 10 ms, and those of 10 ms every 2.5 ms whose middles lie about the same (clips, frames, bands)."""
        frames = coarse.shape[1]
        return torch.cat([coarse, fine[:, 2 : 2 + TIMES * frames].reshape(coarse.shape[0], frames, TIMES * FINE)], 2)

    def logit(self, seen: Tensor) -> Tensor:
        """That a frame was made up (clips, frames)."""
        x = torch.relu(self.first(((seen - self.middle) / self.spread).transpose(1, 2)))
        for layer in (self.second, self.third):
            x = x + torch.relu(layer(x))
        return self.last(x)[:, 0]

    def forward(self, seen: Tensor) -> Tensor:
        return torch.sigmoid(LINE - self.logit(seen))[:, :, None]


def finer(heard: Tensor, frames: int) -> Tensor:
    """As many as there are of 10 ms every 2.5 ms; the first and last ones stand for what lies before and after."""
    each = heard.repeat(1, 1, TIMES).reshape(heard.shape[0], -1, 1)
    return torch.cat([each[:, :1], each[:, :1], each, each[:, -1:].repeat(1, 12, 1)], 1)[:, :frames]


def longer(heard: Tensor, frames: int, first: int, count: int, hop: int) -> Tensor:
    """Those of longer windows, in which all of `count` frames from `first` on must have been heard."""
    least = -functional.max_pool1d(-heard[:, first:].transpose(1, 2), count, hop)
    return least.transpose(1, 2)[:, :frames]
