"""Statistics of a face's texture over a short burst, in operations that ONNX knows.

What a generator leaves is spread thinly: how energy falls from scale to scale, how scales, colours and places go together, and what renews
itself from frame to frame once movement is taken out. Each is a mean, a spread or a correlation over a zone of the face or of what is around
it (Portilla & Simoncelli 2000 describe textures so), at the crop's own 160 pixels and at 112, where one camera's softness hides another's.
Every filter is a product with a banded matrix, which is faster here than a convolution.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn

# zones of the aligned crop as boxes x0, x1, y0, y1 of 112
ZONES = {
    "eyes": [(32, 54, 38, 52), (58, 80, 38, 52)], "nose": [(47, 65, 46, 66)], "cheeks": [(32, 46, 56, 72), (66, 80, 56, 72)], "brow": [(40, 72, 25, 36)],
    "mouth": [(44, 68, 67, 82)], "chin": [(46, 66, 84, 95)], "rim": [(22, 30, 40, 80), (82, 90, 40, 80), (36, 76, 95, 101)],
    "hair": [(34, 78, 6, 18)], "body": [(28, 84, 104, 112)], "back": [(0, 14, 8, 92), (98, 112, 8, 92)],
}
SIDES = (160, 112)
SCALES = (0.8, 1.6, 3.2)
LAG = 3
PAIRS = np.triu_indices(len(ZONES), 1)
Tensor = torch.Tensor


def kernel(sigma: float, order: int = 0) -> np.ndarray:
    r = int(np.ceil(3.2 * sigma))
    t = np.arange(-r, r + 1)
    g = np.exp(-t * t / 2 / sigma**2)
    g /= g.sum()
    return {0: g, 1: t / sigma * g, 2: (t * t / sigma**2 - 1) * g}[order]


def banded(k: np.ndarray, side: int) -> np.ndarray:
    """The filter as a matrix; borders mirror."""
    m, r = np.zeros((side, side)), len(k) // 2
    for i in range(side):
        for j, v in enumerate(k):
            c = abs(i + j - r)
            m[i, 2 * (side - 1) - c if c >= side else c] += v
    return m


def resampled(to: int, size: int, sigma: float) -> np.ndarray:
    """Rows of weights that bring `size` pixels to `to`."""
    at = (np.arange(to) + 0.5) * size / to - 0.5
    w = np.exp(-((at[:, None] - np.arange(size)) ** 2) / 2 / sigma**2) if sigma else np.maximum(0, 1 - np.abs(at.clip(0, size - 1)[:, None] - np.arange(size)))
    return w / w.sum(1, keepdims=True)


def lg(x: Tensor, floor: float) -> Tensor:
    return (x.clamp_min(0) + floor).log()


class Side(nn.Module):
    """Filters and zones at one size of the crop."""

    def __init__(self, side: int):
        super().__init__()
        self.side = side
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value, np.float32)), persistent=False)
        self.filters: dict[tuple[float, int], str] = {}
        for sigma, order in [(s, 0) for s in (*SCALES, *(1.6 * s for s in SCALES))] + [(s, o) for s in (0.8, 1.6) for o in (1, 2)] + [(1.0, 0), (1.0, 1), (1.2, 0), (3.0, 0)]:
            name = f"f{len(self.filters)}"
            put(name, banded(kernel(sigma, order), side))
            self.filters[sigma, order] = name
        for w in (14, 20, 28):
            k = np.hanning(w + 1)[1:-1]
            k = k if len(k) % 2 else k[:-1]
            put(f"window{w}", banded(k / k.sum(), side))
        mask = np.zeros((len(ZONES), side, side))
        for k, boxes in enumerate(ZONES.values()):
            for box in boxes:
                x0, x1, y0, y1 = (int(round(v * side / 112)) for v in box)
                mask[k, y0:y1, x0:x1] = 1
        put("share", (mask / mask.sum((1, 2), keepdims=True)).reshape(len(ZONES), -1).T)
        put("spread", (mask / np.maximum(1, mask.sum(0))).reshape(len(ZONES), -1))
        x, y = np.meshgrid(np.arange(side) + 0.5, np.arange(side) + 0.5)
        put("at", np.stack([x, y])[None])

    def sep(self, x: Tensor, vertical: tuple[float, int], horizontal: tuple[float, int]) -> Tensor:
        return getattr(self, self.filters[vertical]) @ x @ getattr(self, self.filters[horizontal]).T

    def blur(self, x: Tensor, sigma: float) -> Tensor:
        return self.sep(x, (sigma, 0), (sigma, 0))

    def mean(self, x: Tensor) -> Tensor:
        return x.flatten(-2) @ self.share

    def laid(self, v: Tensor) -> Tensor:
        return (v @ self.spread).unflatten(-1, (self.side, self.side))

    def alike(self, a: Tensor, b: Tensor) -> Tensor:
        return self.mean(a * b) / (self.mean(a * a) * self.mean(b * b) + 1e-2).sqrt()

    def warp(self, x: Tensor, flow: Tensor) -> Tensor:
        grid = ((self.at + flow) / self.side * 2 - 1).permute(0, 2, 3, 1)
        return nn.functional.grid_sample(x, grid, mode="bicubic", padding_mode="border", align_corners=False)

    def flow(self, a: Tensor, b: Tensor) -> Tensor:
        """Where each place of `a` lies in `b`: least squares on gradients (Lucas & Kanade 1981), coarse to fine."""
        f = torch.zeros_like(a[:, :1]).expand(-1, 2, -1, -1)
        for sigma, window in ((3.0, 28), (1.6, 20), (1.2, 14)):
            p, q = self.blur(a, sigma), self.warp(self.blur(b, sigma), f)
            gx, gy, d = self.sep(p, (1.0, 0), (1.0, 1)), self.sep(p, (1.0, 1), (1.0, 0)), q - p
            w = getattr(self, f"window{window}")
            xx, xy, yy, xd, yd = (w @ torch.cat([gx * gx, gx * gy, gy * gy, gx * d, gy * d], 1) @ w.T).split(1, 1)
            e = 0.5 + 0.02 * (xx + yy)
            det = (xx + e) * (yy + e) - xy * xy
            step = torch.cat([-((yy + e) * xd - xy * yd) / det, -((xx + e) * yd - xy * xd) / det], 1)
            f = f + step.clamp(-3, 3)
        return f


class Texture(nn.Module):
    """A burst of crops (frames, 3, 160, 160), RGB 0 to 255, at 24 to 31 frames a second and at least 8 long, to its statistics (numbers)."""

    def __init__(self):
        super().__init__()
        self.sides = nn.ModuleList(Side(s) for s in SIDES)
        self.register_buffer("down", torch.from_numpy(resampled(112, 160, 0.75).astype(np.float32)), persistent=False)
        self.register_buffer("up", torch.from_numpy(resampled(160, 112, 0).astype(np.float32)), persistent=False)
        self.names: list[str] = []

    def forward(self, x: Tensor) -> Tensor:
        self.names, self.out = [], []
        r, g, b = x[:, :1], x[:, 1:2], x[:, 2:]
        y = 0.299 * r + 0.587 * g + 0.114 * b
        c = torch.cat([y, (b - y) * 0.5643, (r - y) * 0.7133], 1)
        small = self.down @ c @ self.down.T
        moved = [(k, self.sides[1].flow(small[:-k, :1], small[k:, :1])) for k in (1, LAG)]
        for side, c in zip(self.sides, (c, small)):
            flows = [(k, f if side.side == 112 else self.up @ f @ self.up.T * (160 / 112)) for k, f in moved]
            bands, energy, light = self.still(side, c)
            self.moving(side, c, bands, energy, light, flows)
        return torch.cat(self.out)

    def add(self, name: str, value: Tensor, *keys) -> None:
        keys = [list(k) for k in keys] + [list(ZONES)] * (value.dim() - len(keys))
        self.names += ["|".join([name, *map(str, k)]) for k in itertools.product(*keys)]
        self.out.append(value.flatten())

    def together(self, name: str, v: Tensor, floor: float) -> None:
        """Correlations of all zones with each other, in time."""
        v = v - v.mean(0)
        power = (v * v).sum(0)
        i, j = PAIRS
        zones = list(ZONES)
        self.names += [f"{name}|{zones[a]}|{zones[b]}" for a, b in zip(i, j)]
        both = (v.transpose(0, 1) @ v) / (power[:, None] * power + floor).sqrt()
        self.out.append(both.flatten()[torch.from_numpy(i * len(zones) + j)])

    def still(self, s: Side, c: Tensor):
        """What single frames show, averaged."""
        n, scale, ch = f"{s.side}", range(3), ("y", "cb", "cr")
        bands = torch.stack([s.blur(c, q) - s.blur(c, 1.6 * q) for q in SCALES], 1)  # frame, scale, colour, y, x
        energy = lg(s.mean(bands * bands), 0.02)
        self.add(n + "energy", energy.mean(0), scale, ch)
        level = s.mean(c)
        light = lg(level[:, 0], 1.0)
        if s.side == 112:
            self.add(n + "colour", level[:, 1:].mean(0), ch[1:])
            self.add(n + "light", light.mean(0))
        luma = bands[:, :, 0]
        power = s.mean(luma * luma)
        self.add(n + "kurtosis", lg(s.mean(luma**4) / (power + 0.05) ** 2, 0.1).mean(0), scale)
        self.add(n + "skewness", (s.mean(luma**3) / (power + 0.05) ** 1.5).mean(0), scale)
        size = luma.abs()
        size = size - s.laid(s.mean(size))
        for i, j in ((0, 1), (1, 2), (0, 2)):
            self.add(f"{n}size{i}{j}", s.alike(size[:, i], size[:, j]).mean(0))
            self.add(f"{n}sign{i}{j}", s.alike(luma[:, i], luma[:, j]).mean(0))
            self.add(f"{n}colours{i}{j}", s.alike(bands[:, :, i], bands[:, :, j]).mean(0), scale)
        for j in (1, 2):
            tint = bands[:, :, j].abs()
            self.add(f"{n}edge{j}", s.alike(tint - s.laid(s.mean(tint)), size).mean(0), scale)
        y = c[:, 0]
        for q in (0.8, 1.6):
            h, v, d = s.sep(y, (q, 0), (q, 2)), s.sep(y, (q, 2), (q, 0)), 2 * s.sep(y, (q, 1), (q, 1))
            e = [lg(s.mean(t * t), 0.02) for t in (h, v, (h + v + d) / 2, (h + v - d) / 2)]
            self.add(f"{n}turn{q}", torch.stack([e[0] - e[1], e[2] - e[3], e[0] + e[1] - e[2] - e[3]], 1).mean(0), "abc")
        for name, a in (("dx", y - torch.cat([y[:, :, 1:], y[:, :, -1:]], 2)), ("dy", y - torch.cat([y[:, 1:], y[:, -1:]], 1))):
            self.add(n + "sparse" + name, (lg(s.mean(a.abs()), 0.05) - 0.5 * lg(s.mean(a * a), 0.05)).mean(0))
            self.add(n + "flat" + name, s.mean(torch.sigmoid((1 - a.abs()) * 8)).mean(0))
        for zone in ("eyes", "cheeks", "rim", "back"):
            boxes = [[int(round(v * s.side / 112)) for v in b] for b in ZONES[zone][:2]]
            left, right = (bands[:, :, :, y0:y1, x0:x1] for x0, x1, y0, y1 in boxes)
            a, b = (lg((t * t).mean((3, 4)), 0.02) for t in (left, right))
            self.add(f"{n}sides-{zone}", (a - b).abs().mean(0), scale, ch)
            w = min(left.shape[-1], right.shape[-1])
            a, b = left[:, :, 0, :, :w], right[:, :, 0, :, :w].flip(3)
            self.add(f"{n}mirror-{zone}", ((a * b).mean((2, 3)) / ((a * a).mean((2, 3)) * (b * b).mean((2, 3)) + 1e-2).sqrt()).mean(0), scale)
        return bands, energy, light

    def moving(self, s: Side, c: Tensor, bands: Tensor, energy: Tensor, light: Tensor, flows) -> None:
        """What changes from frame to frame, as it comes and with movement taken out."""
        n, scale = f"{s.side}", range(3)
        deviation = lambda v: ((v - v.mean(0)) ** 2).mean(0)
        self.add(n + "wave", lg(deviation(energy[:, :, 0]).sqrt(), 0.01), scale)
        level = s.mean(c[:, 1:]) / 20
        series = [("e0", energy[:, 0, 0]), ("e1", energy[:, 1, 0]), ("e2", energy[:, 2, 0])]
        for name, v in series + ([("light", light), ("cb", level[:, 0]), ("cr", level[:, 1])] if s.side == 112 else []):
            high, near, far = v[1:-1] - (v[:-2] + v[2:]) / 2, v[1:] - v[:-1], v[LAG:] - v[:-LAG]
            self.add(f"{n}flicker-{name}", lg(deviation(high).sqrt(), 1e-3))
            self.add(f"{n}slow-{name}", lg(deviation(far).sqrt(), 2e-3) - lg(deviation(near).sqrt(), 2e-3))
            self.add(f"{n}burst-{name}", lg((high**4).mean(0) / (deviation(high) + 1e-6) ** 2, 0.1))
            self.together(f"{n}with-{name}", near, 1e-8)
        luma = bands[:, :, 0]
        for k, f in flows:
            a, b = luma[:-k], luma[k:]
            w = s.warp(b, f)
            d = w - a
            left, had = s.mean(d * d), s.mean(a * a)
            self.add(f"{n}stays{k}", s.alike(a, w).mean(0), scale)
            self.add(f"{n}residue{k}", lg(left, 0.02).mean(0), scale)
            self.add(f"{n}renewed{k}", (lg(left, 0.02) - lg(had, 0.02)).mean(0), scale)
            self.add(f"{n}unaligned{k}", (lg(s.mean((b - a) ** 2), 0.02) - lg(had, 0.02)).mean(0), scale)
            self.add(f"{n}peaks{k}", lg(s.mean(d**4) / (left + 0.02) ** 2, 0.1).mean(0), scale)
            self.add(f"{n}uneven{k}", lg(deviation(lg(left, 0.02)).sqrt(), 0.02), scale)
            if k == 1:
                tint = bands[:-1, 1, 1:]
                t = s.warp(bands[1:, 1, 1:], f) - tint
                self.add(n + "renewed-colour", (lg(s.mean(t * t), 0.02) - lg(s.mean(tint * tint), 0.02)).mean(0), ("cb", "cr"))
                self.add(n + "change-at-edges", s.alike(d.abs(), a.abs()).mean(0), scale)
                self.together(n + "residues", lg(left[:, 0], 0.02), 1e-6)
            if s.side == 112:
                z = s.mean(f)
                off = f - s.laid(z)
                self.add(f"{n}moves{k}", lg(s.mean(f * f).sum(1).mean(0), 0.002))
                self.add(f"{n}bends{k}", lg(s.mean(off * off).sum(1).mean(0), 0.002))
                self.together(f"{n}moves{k}", z.flatten(0, 1), 1e-4)
