"""Statistics of a face's texture over a short burst, in operations that ONNX knows.

What a generator leaves is spread thinly: how energy falls from scale to scale, how scales and colours go together, and what renews itself
from frame to frame once movement is taken out. Each is a mean, a spread or a correlation over a zone of the face or of what is around it (Portilla &
Simoncelli 2000 describe textures so), at 112 pixels, where one camera's softness hides another's. What is given is how zones differ: camera and
encoder are the same for all of them. Colour, light and movement themselves are left out, which tell people apart, not pictures; so are background and
body, which lie at another depth and may be put there.
Every filter is a product with a banded matrix, which is faster here than a convolution.
"""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch import nn

from .crops import SIDE

# the crop's side in here, and zones as boxes x0, x1, y0, y1 of it
SMALL = 112
ZONES = {
    "eyes": [(32, 54, 38, 52), (58, 80, 38, 52)], "nose": [(47, 65, 46, 66)], "cheeks": [(32, 46, 56, 72), (66, 80, 56, 72)], "brow": [(40, 72, 25, 36)],
    "mouth": [(44, 68, 67, 82)], "chin": [(46, 66, 84, 95)], "rim": [(22, 30, 40, 80), (82, 90, 40, 80), (36, 76, 95, 101)],
    "hair": [(34, 78, 6, 18)],
}
# one set of zones less another
FACE = ("eyes", "nose", "cheeks", "brow", "mouth", "chin")
CONTRASTS = {
    "rim": (FACE, ("rim",)), "hair": (FACE, ("hair",)), "mouth": (FACE, ("mouth",)),
    "eyes": (("eyes",), ("cheeks",)), "inner": (("nose", "cheeks"), ("rim", "chin", "brow")),
}
SCALES = (0.8, 1.6, 3.2)
LAG = 3
NUMBERS = 540
Tensor = torch.Tensor


def kernel(sigma: float, order: int = 0) -> np.ndarray:
    r = int(np.ceil(3.2 * sigma))
    t = np.arange(-r, r + 1)
    g = np.exp(-t * t / 2 / sigma**2)
    g /= g.sum()
    return {0: g, 1: t / sigma * g, 2: (t * t / sigma**2 - 1) * g}[order]


def banded(k: np.ndarray) -> np.ndarray:
    """The filter as a matrix; borders mirror."""
    m, r = np.zeros((SMALL, SMALL)), len(k) // 2
    for i in range(SMALL):
        for j, v in enumerate(k):
            c = abs(i + j - r)
            m[i, 2 * (SMALL - 1) - c if c >= SMALL else c] += v
    return m


def reduced(sigma: float) -> np.ndarray:
    """Rows of weights that bring the crop's side to the small one."""
    at = (np.arange(SMALL) + 0.5) * SIDE / SMALL - 0.5
    w = np.exp(-((at[:, None] - np.arange(SIDE)) ** 2) / 2 / sigma**2)
    return w / w.sum(1, keepdims=True)


def shares() -> np.ndarray:
    """What each zone weighs in each contrast, (zones, contrasts)."""
    share = lambda zones: np.array([z in zones for z in ZONES]) / len(zones)
    return np.stack([share(a) - share(b) for a, b in CONTRASTS.values()], 1)


def weights_of(cells: int) -> np.ndarray:
    """Weights of a map's cells, so many a side, for the mean of each zone, (cells, zones)."""
    at = (np.arange(cells) + 0.5) * SMALL / cells
    mask = np.zeros((len(ZONES), cells, cells))
    for k, boxes in enumerate(ZONES.values()):
        for x0, x1, y0, y1 in boxes:
            mask[k] += np.outer((at >= y0) & (at < y1), (at >= x0) & (at < x1))
    mask = mask.reshape(len(ZONES), -1)
    return (mask / mask.sum(1, keepdims=True)).T


def moments(maps: Tensor, zones: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of maps (n, channels, cells) in each zone."""
    mean = maps @ zones
    return mean, ((maps * maps) @ zones - mean * mean).clamp_min(0)


def told(maps: Tensor, zones: Tensor, contrasts: Tensor, floor: float) -> Tensor:
    """Of a network's maps (n, channels, cells) how zones differ in the mean and in the spread of each channel: (n, channels, 2, contrasts)."""
    mean, variance = moments(maps, zones)
    return torch.stack([mean, (variance + floor).log() / 2], 2) @ contrasts


def lg(x: Tensor, floor: float) -> Tensor:
    return (x.clamp_min(0) + floor).log()


class Texture(nn.Module):
    """A burst of crops (frames, 3, 160, 160), RGB 0 to 255, at 20 to 31 frames a second and at least 8 long, to its statistics (numbers)."""

    def __init__(self):
        super().__init__()
        # kept with the weights, for what is not is reckoned into the graph, and again where it is turned
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value, np.float32)))
        self.filters: dict[tuple[float, int], str] = {}
        for sigma, order in [(s, 0) for s in (*SCALES, *(1.6 * s for s in SCALES))] + [(s, o) for s in (0.8, 1.6) for o in (1, 2)] + [(1.0, 0), (1.0, 1), (1.2, 0), (3.0, 0)]:
            name = f"f{len(self.filters)}"
            put(name, banded(kernel(sigma, order)))
            self.filters[sigma, order] = name
        for w in (14, 20, 28):
            k = np.hanning(w + 1)[1:-1]
            k = k if len(k) % 2 else k[:-1]
            put(f"window{w}", banded(k / k.sum()))
        mask = np.zeros((len(ZONES), SMALL, SMALL))
        for k, boxes in enumerate(ZONES.values()):
            for x0, x1, y0, y1 in boxes:
                mask[k, y0:y1, x0:x1] = 1
        put("zones", mask.reshape(len(ZONES), -1))
        put("area", mask.sum((1, 2)))
        put("most", np.maximum(1, mask.sum(0)).reshape(-1))
        put("contrasts", shares())
        x, y = np.meshgrid(np.arange(SMALL) + 0.5, np.arange(SMALL) + 0.5)
        put("at", np.stack([x, y])[None])
        put("down", reduced(0.75))
        self.names: list[str] = []

    def sep(self, x: Tensor, vertical: tuple[float, int], horizontal: tuple[float, int]) -> Tensor:
        return getattr(self, self.filters[vertical]) @ x @ getattr(self, self.filters[horizontal]).T

    def blur(self, x: Tensor, sigma: float) -> Tensor:
        return self.sep(x, (sigma, 0), (sigma, 0))

    def mean(self, x: Tensor) -> Tensor:
        return x.flatten(-2) @ self.zones.T / self.area

    def less_zones(self, x: Tensor) -> Tensor:
        """Every zone's mean taken out."""
        return x - (self.mean(x) @ self.zones / self.most).unflatten(-1, (SMALL, SMALL))

    def alike(self, a: Tensor, b: Tensor) -> Tensor:
        return self.mean(a * b) / (self.mean(a * a) * self.mean(b * b) + 1e-2).sqrt()

    def warp(self, x: Tensor, flow: Tensor) -> Tensor:
        grid = ((self.at + flow) / SMALL * 2 - 1).permute(0, 2, 3, 1)
        return nn.functional.grid_sample(x, grid, mode="bicubic", padding_mode="border", align_corners=False)

    def flow(self, a: Tensor, b: Tensor) -> Tensor:
        """Where each place of `a` lies in `b`: least squares on gradients (Lucas & Kanade 1981), coarse to fine."""
        f = None
        for sigma, window in ((3.0, 28), (1.6, 20), (1.2, 14)):
            p, q = self.blur(a, sigma), self.blur(b, sigma)
            q = q if f is None else self.warp(q, f)
            gx, gy, d = self.sep(p, (1.0, 0), (1.0, 1)), self.sep(p, (1.0, 1), (1.0, 0)), q - p
            w = getattr(self, f"window{window}")
            xx, xy, yy, xd, yd = (w @ torch.cat([gx * gx, gx * gy, gy * gy, gx * d, gy * d], 1) @ w.T).split(1, 1)
            e = 0.5 + 0.02 * (xx + yy)
            det = (xx + e) * (yy + e) - xy * xy
            step = torch.cat([-((yy + e) * xd - xy * yd) / det, -((xx + e) * yd - xy * xd) / det], 1).clamp(-3, 3)
            f = step if f is None else f + step
        return f

    def forward(self, x: Tensor) -> Tensor:
        self.names, self.out = [], []
        r, g, b = x[:, :1], x[:, 1:2], x[:, 2:]
        y = 0.299 * r + 0.587 * g + 0.114 * b
        c = self.down @ torch.cat([y, (b - y) * 0.5643, (r - y) * 0.7133], 1) @ self.down.T
        self.moving(c, *self.still(c))
        return torch.cat(self.out)

    def add(self, name: str, value: Tensor, *keys) -> None:
        """What `value`, whose last axis is zones, says of how they differ."""
        self.names += ["|".join([name, *map(str, k)]) for k in itertools.product(*keys, CONTRASTS)]
        self.out.append((value @ self.contrasts).flatten())

    def still(self, c: Tensor):
        """What single frames show, averaged. One scale after the other, so that few maps are held at a time."""
        scale, ch, pairs = range(3), ("y", "cb", "cr"), ((0, 1), (1, 2), (0, 2))
        lumas, sizes, tints, of = [], [], None, {k: [] for k in ("energy", "kurtosis", "skewness", *(f"colours{i}{j}" for i, j in pairs), "edge1", "edge2")}
        for q in SCALES:
            band = self.blur(c, q) - self.blur(c, 1.6 * q)  # frame, colour, y, x
            luma, squares = band[:, 0], band * band
            of["energy"].append(lg(self.mean(squares), 0.02))
            square = squares[:, 0]
            power = self.mean(square) + 0.05
            of["kurtosis"].append(lg(self.mean(square * square) / (power * power), 0.1))
            of["skewness"].append(self.mean(square * luma) / (power * power.sqrt()))
            size = self.less_zones(luma.abs())
            for i, j in pairs:
                of[f"colours{i}{j}"].append(self.alike(band[:, i], band[:, j]))
            for j in (1, 2):
                of[f"edge{j}"].append(self.alike(self.less_zones(band[:, j].abs()), size))
            tints = band[:, 1:] if q == SCALES[1] else tints
            lumas.append(luma), sizes.append(size)
        of = {k: torch.stack(v, 1) for k, v in of.items()}
        self.add("energy", of["energy"].mean(0), scale, ch)
        for name in ("kurtosis", "skewness"):
            self.add(name, of[name].mean(0), scale)
        for i, j in pairs:
            self.add(f"size{i}{j}", self.alike(sizes[i], sizes[j]).mean(0))
            self.add(f"sign{i}{j}", self.alike(lumas[i], lumas[j]).mean(0))
            self.add(f"colours{i}{j}", of[f"colours{i}{j}"].mean(0), scale)
        for j in (1, 2):
            self.add(f"edge{j}", of[f"edge{j}"].mean(0), scale)
        y = c[:, 0]
        for q in (0.8, 1.6):
            h, v, d = self.sep(y, (q, 0), (q, 2)), self.sep(y, (q, 2), (q, 0)), 2 * self.sep(y, (q, 1), (q, 1))
            e = [lg(self.mean(t * t), 0.02) for t in (h, v, (h + v + d) / 2, (h + v - d) / 2)]
            self.add(f"turn{q}", torch.stack([e[0] - e[1], e[2] - e[3], e[0] + e[1] - e[2] - e[3]], 1).mean(0), "abc")
        for name, a in (("dx", y - torch.cat([y[:, :, 1:], y[:, :, -1:]], 2)), ("dy", y - torch.cat([y[:, 1:], y[:, -1:]], 1))):
            self.add("sparse" + name, (lg(self.mean(a.abs()), 0.05) - 0.5 * lg(self.mean(a * a), 0.05)).mean(0))
            self.add("flat" + name, self.mean(torch.sigmoid((1 - a.abs()) * 8)).mean(0))
        return lumas, tints, of["energy"], lg(self.mean(y), 1.0)

    def moving(self, c: Tensor, lumas: list[Tensor], tints: Tensor, energy: Tensor, light: Tensor) -> None:
        """What changes from frame to frame, as it comes and with movement taken out."""
        scale = range(3)
        deviation = lambda v: ((v - v.mean(0)) ** 2).mean(0)
        self.add("wave", lg(deviation(energy[:, :, 0]).sqrt(), 0.01), scale)
        tint = self.mean(c[:, 1:]) / 20
        for name, v in (("e0", energy[:, 0, 0]), ("e1", energy[:, 1, 0]), ("e2", energy[:, 2, 0]), ("light", light), ("cb", tint[:, 0]), ("cr", tint[:, 1])):
            high, near, far = v[1:-1] - (v[:-2] + v[2:]) / 2, v[1:] - v[:-1], v[LAG:] - v[:-LAG]
            self.add(f"flicker-{name}", lg(deviation(high).sqrt(), 1e-3))
            self.add(f"slow-{name}", lg(deviation(far).sqrt(), 2e-3) - lg(deviation(near).sqrt(), 2e-3))
            self.add(f"burst-{name}", lg((high**4).mean(0) / (deviation(high) + 1e-6) ** 2, 0.1))
        for k in (1, LAG):
            f = self.flow(c[:-k, :1], c[k:, :1])
            of = {n: [] for n in ("stays", "residue", "renewed", "unaligned", "peaks", "uneven", "edges")}
            for luma in lumas:
                a, b = luma[:-k], luma[k:]
                w = self.warp(b[:, None], f)[:, 0]
                d = w - a
                square = d * d
                left, had = self.mean(square), lg(self.mean(a * a), 0.02)
                of["stays"].append(self.alike(a, w).mean(0))
                of["residue"].append(lg(left, 0.02).mean(0))
                of["renewed"].append((lg(left, 0.02) - had).mean(0))
                of["unaligned"].append((lg(self.mean((b - a) * (b - a)), 0.02) - had).mean(0))
                of["peaks"].append(lg(self.mean(square * square) / (left + 0.02) ** 2, 0.1).mean(0))
                of["uneven"].append(lg(deviation(lg(left, 0.02)).sqrt(), 0.02))
                if k == 1:
                    of["edges"].append(self.alike(d.abs(), a.abs()).mean(0))
            for name in list(of)[:6]:
                self.add(f"{name}{k}", torch.stack(of[name]), scale)
            if k == 1:
                a = tints[:-1]
                t = self.warp(tints[1:], f) - a
                self.add("renewed-colour", (lg(self.mean(t * t), 0.02) - lg(self.mean(a * a), 0.02)).mean(0), ("cb", "cr"))
                self.add("change-at-edges", torch.stack(of["edges"]), scale)
