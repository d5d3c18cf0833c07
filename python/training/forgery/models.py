"""The network: a small U-shaped one whose map says where a face was changed, and whose logit compares the face with what is around it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
import torch.nn.functional as F


MAP = 40


def conv(a: int, b: int, stride: int = 1, k: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(a, b, k, stride, k // 2, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True))


class Residual(nn.Module):
    def __init__(self, n: int):
        super().__init__()
        self.a = conv(n, n)
        self.b = nn.Sequential(nn.Conv2d(n, n, 3, 1, 1, bias=False), nn.BatchNorm2d(n))

    def forward(self, x):
        return F.relu(x + self.b(self.a(x)))


def zones() -> torch.Tensor:
    """Inner face, the ring in which its border lies, and what is around it, as weights over the map that sum to one each."""
    y, x = np.mgrid[0:MAP, 0:MAP] / MAP + 0.5 / MAP
    r = np.hypot((x - 0.5) / 0.27, (y - 0.52) / 0.36)
    parts = [r < 0.85, (r >= 0.85) & (r < 1.2), r >= 1.2]
    w = np.stack(parts).astype(np.float32).reshape(3, -1)
    return torch.from_numpy(w / w.sum(1, keepdims=True))


def fine() -> torch.Tensor:
    """What a pixel has beyond the mean of its neighbours: traces lie there, and are small beside the picture."""
    k = torch.tensor([[-1.0, -2, -1], [-2, 12, -2], [-1, -2, -1]]) / 12
    return k.expand(3, 1, 3, 3).clone()


class Net(nn.Module):
    def __init__(self, width: int = 24):
        super().__init__()
        w = width
        self.stem = conv(6, w, 2, 5)
        self.register_buffer("fine", fine())
        self.s2 = conv(w, w)
        self.s4 = nn.Sequential(conv(w, 2 * w, 2), Residual(2 * w), Residual(2 * w))
        self.s8 = nn.Sequential(conv(2 * w, 4 * w, 2), Residual(4 * w), Residual(4 * w))
        self.s16 = nn.Sequential(conv(4 * w, 5 * w, 2), Residual(5 * w), Residual(5 * w))
        self.up8 = conv(9 * w, 3 * w, 1, 1)
        self.up4 = nn.Sequential(conv(5 * w, 2 * w, 1, 1), conv(2 * w, 2 * w))
        self.map = nn.Conv2d(2 * w, 2, 1)
        self.features = conv(2 * w, 2 * w, 1, 1)
        self.register_buffer("zones", zones())
        self.drop = nn.Dropout(0.2)
        self.head = nn.Sequential(nn.Linear(8 * w + 5 * w + 8, 48), nn.ReLU(), nn.Linear(48, 1))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Image (n, 3, 160, 160), 0 to 255, to the logit (n) and the logits of two maps (n, 2, 40, 40): region and border of a change."""
        x = (image - 127.5) / 64
        x = torch.cat([x, 4 * F.conv2d(x, self.fine, padding=1, groups=3)], 1)
        x4 = self.s4(self.s2(self.stem(x)))
        x8 = self.s8(x4)
        x16 = self.s16(x8)
        y8 = self.up8(torch.cat([x8, F.interpolate(x16, scale_factor=2.0, mode="nearest")], 1))
        y4 = self.up4(torch.cat([x4, F.interpolate(y8, scale_factor=2.0, mode="nearest")], 1))
        where = self.map(y4).flatten(2)
        f = self.features(y4).flatten(2)
        with torch.autocast("cpu", enabled=False):
            return self.judged(f.float(), where.float(), x16.float()), where.view(-1, 2, MAP, MAP)

    def judged(self, f: torch.Tensor, where: torch.Tensor, x16: torch.Tensor) -> torch.Tensor:
        """The logit from the features by zone, the map and the coarse features; differences cancel camera and encoder."""
        means = (f @ self.zones.T).transpose(1, 2)
        spread = torch.sqrt((f**2 @ self.zones.T).transpose(1, 2) - means**2 + 0.01)
        inner, ring, outer = means.unbind(1)
        chance = torch.sigmoid(where)
        told = torch.cat([chance.mean(2), (chance @ self.zones.T).flatten(1)], 1)
        told = torch.log(told + 0.01)
        both = torch.cat([inner - outer, ring - 0.5 * (inner + outer), spread[:, 0] - spread[:, 2], inner, x16.mean((2, 3)), told], 1)
        return self.head(self.drop(both)).squeeze(1)
