"""The two networks. Plain convolutions, batch normalisation folded at export; pictures come in as RGB 0..255."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)


def conv(i: int, o: int, k: int = 3, s: int = 1, groups: int = 1, act: bool = True) -> nn.Sequential:
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if act else []))


def separable(i: int, o: int, act: bool = True) -> nn.Sequential:
    """Mixing across channels, then across places; linear between the two, so that one normalisation does."""
    return nn.Sequential(nn.Conv2d(i, o, 1), conv(o, o, 3, groups=o, act=act))


class Refine(nn.Module):
    """A residual separable convolution that does nothing before it is trained."""

    def __init__(self, width: int):
        super().__init__()
        self.body = separable(width, width, act=False)
        nn.init.zeros_(self.body[1][1].weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(x + self.body(x))


def refined(*layers: nn.Module, width: int, times: int) -> nn.Sequential:
    return nn.Sequential(*layers, *(Refine(width) for _ in range(times)))


class Detector(nn.Module):
    """Anchor-free single-stage face detector over strides 8, 16 and 32 with a top-down path (after YuNet, Wu et al. 2023)."""

    def __init__(self, width: int = 64):
        super().__init__()
        two = lambda i: (nn.MaxPool2d(2), separable(i, width), separable(width, width))
        self.stem = nn.Sequential(conv(3, 16, 3, 2), separable(16, 16), nn.MaxPool2d(2), separable(16, 32), separable(32, 32))
        self.s8 = refined(*two(32), width=width, times=2)
        self.s16 = refined(*two(width), width=width, times=3)
        self.s32 = refined(*two(width), width=width, times=4)
        self.top32 = refined(separable(width, width), width=width, times=2)
        self.down16 = refined(separable(width, width), width=width, times=2)
        self.down8 = refined(separable(width, width), width=width, times=2)
        # score, box (cx, cy, log w, log h), five points: one head a stride
        self.heads = nn.ModuleList(nn.Sequential(conv(width, width, 3, groups=width), nn.Conv2d(width, 15, 1)) for _ in STRIDES)
        for head in self.heads:
            nn.init.constant_(head[-1].bias[:1], -4.0)

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        c8 = self.s8(self.stem((image - 127.5) / 64))
        c16 = self.s16(c8)
        p32 = self.top32(self.s32(c16))
        p16 = self.down16(c16 + F.interpolate(p32, scale_factor=2.0, mode="nearest"))
        p8 = self.down8(c8 + F.interpolate(p16, scale_factor=2.0, mode="nearest"))
        return [head(p) for head, p in zip(self.heads, (p8, p16, p32))]


def decode(maps: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Boxes [N,K,4], points [N,K,10], score logits [N,K] and the strides and places [K,3] of the K positions."""
    boxes, points, logits, places = [], [], [], []
    for stride, m in zip(STRIDES, maps):
        h, w = m.shape[2], m.shape[3]
        y = torch.arange(h, device=m.device, dtype=m.dtype).view(h, 1).expand(h, w)
        x = torch.arange(w, device=m.device, dtype=m.dtype).view(1, w).expand(h, w)
        at = torch.stack([x, y], -1).reshape(1, -1, 2) + 0.5
        flat = m.flatten(2).transpose(1, 2)
        centre = (at + flat[..., 1:3]) * stride
        half = torch.exp(flat[..., 3:5].clamp(-4, 4)) * (2.0 * stride)
        boxes.append(torch.cat([centre - half, centre + half], -1))
        points.append((flat[..., 5:15] * 2.0 + at.repeat(1, 1, 5)) * stride)
        logits.append(flat[..., 0])
        places.append(torch.cat([at[0] * stride, torch.full_like(at[0, :, :1], stride)], -1))
    return torch.cat(boxes, 1), torch.cat(points, 1), torch.cat(logits, 1), torch.cat(places, 0)


class DetectorGraph(nn.Module):
    """The detector as it ships: boxes and points in pixels, scores 0..1."""

    def __init__(self, net: Detector):
        super().__init__()
        self.net = net

    def forward(self, image: torch.Tensor):
        boxes, points, logits, _ = decode(self.net(image))
        return boxes, points, torch.sigmoid(logits)


class Inverted(nn.Module):
    def __init__(self, i: int, o: int, s: int = 1, expand: int = 2):
        super().__init__()
        m = i * expand
        self.body = nn.Sequential(conv(i, m, 1), conv(m, m, 3, s, groups=m), conv(m, o, 1, act=False))
        self.skip = s == 1 and i == o

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x) if self.skip else self.body(x)


class Landmarks(nn.Module):
    """Regresses 478 and 68 points and the chance of a well framed face from a 112 px crop."""

    def __init__(self, mean: torch.Tensor | None = None):
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 24, 3, 2), conv(24, 24, 3, 1, groups=24), Inverted(24, 32, 2), Inverted(32, 32), Inverted(32, 32),
            Inverted(32, 64, 2, 4), Inverted(64, 64), Inverted(64, 64), Inverted(64, 64), Inverted(64, 64),
            Inverted(64, 96, 2, 4), Inverted(96, 96), Inverted(96, 96), Inverted(96, 96),
        )
        self.squeeze = conv(96, 32, 1)
        self.fuse = nn.Sequential(nn.Linear(32 * 49 + 96, 256), nn.ReLU(inplace=True))
        self.shape = nn.Linear(256, 2 * (478 + 68))
        self.presence = nn.Linear(256, 1)
        nn.init.normal_(self.shape.weight, std=0.003)
        if mean is not None:
            self.shape.bias.data.copy_(mean.flatten())

    def forward(self, image: torch.Tensor):
        x = self.body((image - 127.5) / 64)
        v = self.fuse(torch.cat([self.squeeze(x).flatten(1), x.mean((2, 3))], 1))
        shape = self.shape(v).view(-1, 546, 2)
        return shape[:, :478], shape[:, 478:], torch.sigmoid(self.presence(v))
