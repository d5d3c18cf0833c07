"""Fakes of own making from genuine crops, and the damage that both sides take alike.

Blends with the face itself after Shiohara & Yamasaki 2022 (self-blended images) and with other people after Li et al. 2020
(face X-ray); the re-lipped lower half and the generator's small inner picture are ours. Crops are uint8 RGB of side 160.
"""

from __future__ import annotations

import cv2
import numpy as np

from .crops import SIDE

OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
BROWS = [70, 63, 105, 66, 107, 336, 296, 334, 293, 300]
INNER = [*BROWS, 356, 454, 361, 397, 379, 152, 150, 172, 132, 234, 127]
CENTRE = [*BROWS, 205, 425, 61, 291, 17, 214, 434]
LIPS = [61, 291, 0, 17, 40, 270, 91, 321, 84, 314]
LOWER = [2, 205, 425, 187, 411, 172, 397, 150, 379, 152, 148, 377, 136, 365]
EYES = ([33, 133, 159, 145, 70, 107], [263, 362, 386, 374, 300, 336])


def u8(x: np.ndarray) -> np.ndarray:
    return np.clip(x + 0.5, 0, 255).astype(np.uint8)


def hull(mesh: np.ndarray, which) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(mesh[list(which)].round().astype(np.int32)), 1.0)
    return mask


def grow(mask: np.ndarray, px: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(px) + 1,) * 2)
    return (cv2.dilate if px > 0 else cv2.erode)(mask, kernel) if px else mask


def wobble(rng: np.random.Generator, most: float, cells: int) -> np.ndarray:
    """A smooth displacement field in pixels, (SIDE, SIDE, 2)."""
    coarse = rng.uniform(-most, most, (cells, cells, 2)).astype(np.float32)
    return cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


GRID = np.stack(np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32)), -1)


def displaced(image: np.ndarray, field: np.ndarray) -> np.ndarray:
    at = GRID + field
    return cv2.remap(image, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def region(mesh: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What is changed, 0 to 1 and soft at its edge, and hard."""
    kind = rng.choice(["oval", "inner", "centre", "lips", "lower", "box", "eyes", "square"], p=[0.26, 0.22, 0.08, 0.08, 0.14, 0.1, 0.05, 0.07])
    if kind == "box":
        # re-lipping models write a rectangle back: the lower half of the detector's box
        low, high = mesh[OVAL].min(0), mesh[OVAL].max(0)
        top = rng.uniform(0.35, 0.55) if rng.random() < 0.7 else 0.0
        y0 = low[1] + top * (high[1] - low[1])
        mask = np.zeros((SIDE, SIDE), np.float32)
        pad = rng.integers(-4, 8)
        cv2.rectangle(mask, (int(low[0]) - pad, int(y0)), (int(high[0]) + pad, int(high[1]) + pad), 1.0, -1)
    elif kind == "square":
        low, high = mesh[BROWS + [152, 234, 454]].min(0), mesh[BROWS + [152, 234, 454]].max(0)
        mask = np.zeros((SIDE, SIDE), np.float32)
        cv2.rectangle(mask, tuple(low.astype(int) - rng.integers(-6, 10)), tuple(high.astype(int) + rng.integers(-8, 8)), 1.0, -1)
    elif kind == "eyes":
        mask = np.maximum(*(grow(hull(mesh, e), int(rng.integers(1, 5))) for e in EYES))
    else:
        which = {"oval": OVAL, "inner": INNER, "centre": CENTRE, "lips": LIPS, "lower": LOWER}[kind]
        most = {"lips": (2, 9), "lower": (-4, 8), "centre": (-2, 8)}.get(kind, (-12, 4))
        mask = grow(hull(mesh, which), int(rng.integers(*most)))
    if rng.random() < 0.6 and kind not in ("box", "square"):
        mask = displaced(mask, wobble(rng, 6, 4))
    hard = (mask > 0.5).astype(np.float32)
    k = int(rng.choice([1, 3, 5, 7, 11, 15, 21], p=[0.08, 0.16, 0.22, 0.2, 0.16, 0.1, 0.08]))
    soft = cv2.GaussianBlur(hard, (k, k), 0) if k > 1 else hard
    if rng.random() < 0.25:
        soft = np.clip(cv2.GaussianBlur(grow(hard, -k // 2), (k, k), 0) * 1.6, 0, 1)
    return soft * rng.choice([1.0, 1.0, 1.0, 0.85, 0.7]), hard


def rescaled(x: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    n = max(16, round(SIDE * share))
    down = cv2.resize(x, (n, n), interpolation=int(rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC])))
    return cv2.resize(down, (SIDE, SIDE), interpolation=int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4])))


def checkered(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What transposed convolutions leave: pixels weighted by their place in a block of two or four."""
    n = int(rng.choice([2, 4]))
    gain = 1 + rng.normal(0, 0.012, (n, n, 1))
    return u8(x * np.tile(gain, (SIDE // n, SIDE // n, 1)))


def jpeg(x: np.ndarray, quality: int, webp: bool = False) -> np.ndarray:
    kind, flag = (".webp", cv2.IMWRITE_WEBP_QUALITY) if webp else (".jpg", cv2.IMWRITE_JPEG_QUALITY)
    return cv2.imdecode(cv2.imencode(kind, x, [flag, int(quality)])[1], cv2.IMREAD_COLOR)


def coloured(x: np.ndarray, rng: np.random.Generator, much: float = 1.0) -> np.ndarray:
    """Another exposure, white balance and saturation."""
    y = x.astype(np.float32)
    y = (y - 128) * (1 + rng.uniform(-0.12, 0.12) * much) + 128 + rng.uniform(-10, 10) * much + rng.uniform(-7, 7, 3) * much
    grey = y.mean(2, keepdims=True)
    return u8(grey + (y - grey) * (1 + rng.uniform(-0.25, 0.25) * much))


def generated(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The marks of a generator on a picture that stays otherwise the same."""
    if rng.random() < 0.55:
        x = rescaled(x, rng.uniform(0.3, 0.95), rng)
    if rng.random() < 0.15:
        x = cv2.bilateralFilter(x, 5, rng.uniform(10, 40), 3)
    if rng.random() < 0.25:
        blur = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.6, 1.6)).astype(np.float32)
        x = u8(x + rng.uniform(0.3, 1.5) * (x - blur))
    if rng.random() < 0.15:
        x = checkered(x, rng)
    if rng.random() < 0.2:
        x = u8(x + rng.normal(0, rng.uniform(1, 5), x.shape))
    if rng.random() < 0.3:
        x = jpeg(x, rng.integers(40, 95), rng.random() < 0.4)
    return x


def moved(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shifted, scaled and bent a little, as a face that was fitted back."""
    c, s = 1 + rng.uniform(-0.05, 0.05), rng.uniform(-0.04, 0.04)
    m = np.array([[c, -s, 0], [s, c, 0]], np.float32)
    m[:, 2] = SIDE / 2 - m[:, :2] @ [SIDE / 2, SIDE / 2] + rng.uniform(-5, 5, 2)
    x = cv2.warpAffine(x, m, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return displaced(x, wobble(rng, 3, int(rng.integers(3, 6)))) if rng.random() < 0.5 else x


def tinted_as(x: np.ndarray, like: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """`x` with the mean and spread of `like` under the mask, channel by channel in CIELAB."""
    a, b = (cv2.cvtColor(i, cv2.COLOR_RGB2LAB).astype(np.float32) for i in (x, like))
    inside = mask > 0.5
    if inside.sum() < 50:
        return x
    p, q = a[inside], b[inside]
    a = (a - p.mean(0)) * np.clip(q.std(0) / (p.std(0) + 1), 0.6, 1.6) + q.mean(0)
    return cv2.cvtColor(u8(a), cv2.COLOR_LAB2RGB)


def fitted(x: np.ndarray, mesh: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Another person's crop laid over a face: an affine map by all points, and what is left of the outline by a smooth field."""
    ones = np.hstack([mesh, np.ones((len(mesh), 1))])
    m = np.linalg.lstsq(ones, onto, rcond=None)[0].T.astype(np.float32)
    return cv2.warpAffine(x, m, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def blend(base: np.ndarray, inner: np.ndarray, soft: np.ndarray) -> np.ndarray:
    return u8(base + soft[..., None] * (inner.astype(np.float32) - base))


def obvious(base: np.ndarray, mesh: np.ndarray, rng: np.random.Generator):
    """A blend that anybody sees: what training begins with."""
    _, hard = region(mesh, rng)
    inner = coloured(moved(base, rng), rng, 2.0)
    kind = rng.integers(4)
    inner = (rescaled(inner, rng.uniform(0.15, 0.4), rng) if kind == 0 else u8(inner + rng.normal(0, rng.uniform(6, 14), inner.shape)) if kind == 1
             else jpeg(inner, rng.integers(10, 25)) if kind == 2 else u8(2.5 * inner.astype(np.float32) - 1.5 * cv2.GaussianBlur(inner, (0, 0), 1.2)))
    return blend(base, inner, hard), hard


def fake(base: np.ndarray, mesh: np.ndarray, other: tuple | None, decoded: np.ndarray | None, rng: np.random.Generator):
    """(fake, changed region 0 to 1). `other`: crop and mesh of somebody else; `decoded`: the crop through an autoencoder."""
    soft, hard = region(mesh, rng)
    if decoded is not None and rng.random() < 0.35:
        # generated as a whole
        return generated(decoded, rng) if rng.random() < 0.4 else decoded, np.ones_like(hard)
    if other is not None:
        inner = fitted(other[0], other[1], mesh)
        inner = tinted_as(inner, base, hard) if rng.random() < 0.85 else inner
        inner = generated(inner, rng) if rng.random() < 0.6 else inner
    elif decoded is not None:
        inner = generated(decoded, rng) if rng.random() < 0.3 else decoded
        inner = moved(inner, rng) if rng.random() < 0.3 else inner
    else:
        inner = moved(base, rng) if rng.random() < 0.8 else base
        inner = coloured(inner, rng) if rng.random() < 0.7 else inner
        inner = generated(inner, rng)
    return blend(base, inner, soft), cv2.GaussianBlur(hard, (5, 5), 0)


def honest_filter(x: np.ndarray, mesh: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What honest people's software does to a part of the picture: soft skin, a blurred or exchanged background."""
    head = grow(hull(mesh, OVAL), int(rng.integers(10, 24)))
    k = int(rng.choice([3, 7, 11]))
    if rng.random() < 0.5:
        skin = cv2.GaussianBlur(hull(mesh, OVAL), (15, 15), 0)
        smooth = cv2.bilateralFilter(x, 7, rng.uniform(15, 50), rng.uniform(2, 5))
        return blend(x, smooth, skin * rng.uniform(0.4, 1))
    yy = GRID[..., 1] > mesh[152, 1] + 8
    person = cv2.GaussianBlur(np.maximum(head, yy * (np.abs(GRID[..., 0] - mesh[152, 0]) < rng.uniform(40, 90))).astype(np.float32), (k, k), 0)
    back = cv2.GaussianBlur(x, (0, 0), rng.uniform(2, 8))
    return blend(back, x, person)


class Damage:
    """One draw of camera, call and upload, applied alike to any number of crops."""

    def __init__(self, rng: np.random.Generator, strong: float = 1.0):
        self.seed = int(rng.integers(1 << 31))
        r = rng.random
        self.share = float(np.exp(rng.uniform(np.log(0.28), 0))) if r() < 0.65 * strong else 1.0
        if r() > strong:
            self.mild(rng)
            return
        self.light = rng.uniform(0.25, 0.8) if r() < 0.12 else 1.0
        self.gamma = float(np.exp(rng.normal(0, 0.15)))
        self.noise = rng.uniform(0.5, 6) if r() < 0.3 else 0.0
        self.blur = rng.uniform(0.3, 1.2) if r() < 0.2 else 0.0
        self.streak = int(rng.integers(3, 8)) if r() < 0.06 else 0
        self.sharpen = rng.uniform(0.2, 1.0) if r() < 0.12 else 0.0
        # a face is small in its frame: the codec works at the picture's size
        self.codecs = [(int(rng.integers(15, 92)), r() < 0.5) for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.15, 0.45, 0.3, 0.1])))]
        self.laid(rng)

    def mild(self, rng) -> None:
        """Hardly any damage: what training begins with."""
        self.light, self.gamma, self.noise, self.blur, self.streak, self.sharpen = 1.0, 1.0, 0.0, 0.0, 0, 0.0
        self.codecs = [(int(rng.integers(80, 97)), False)]
        self.laid(rng)

    def laid(self, rng) -> None:
        """Where the crop lies."""
        self.shift = rng.integers(0, 16, 2)
        self.flip = rng.random() < 0.5
        self.colour = rng.normal(0, 0.04, 3)
        c, t = float(np.exp(rng.normal(0, 0.05))), rng.normal(0, 0.05)
        turn = c * np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
        self.place = np.hstack([turn, (SIDE / 2 + rng.normal(0, 3, (2, 1))) - turn @ np.full((2, 1), SIDE / 2)])

    def __call__(self, x: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        x = cv2.warpAffine(x, self.place, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        n = max(32, round(SIDE * self.share / 2) * 2)
        x = cv2.resize(x, (n, n), interpolation=cv2.INTER_AREA) if n < SIDE else x
        y = x.astype(np.float32)
        if self.light < 1 or abs(self.gamma - 1) > 0.02:
            y = 255 * (y / 255) ** self.gamma * self.light
        y *= 1 + self.colour
        if self.noise:
            y += rng.normal(0, self.noise, y.shape)
        if self.blur:
            y = cv2.GaussianBlur(y, (0, 0), self.blur)
        if self.streak:
            y = cv2.blur(y, (self.streak, 1))
        if self.sharpen:
            y = y + self.sharpen * (y - cv2.GaussianBlur(y, (0, 0), 1.2))
        x = u8(y)
        for quality, webp in self.codecs:
            # blocks need not begin at the crop's corner
            padded = cv2.copyMakeBorder(x, int(self.shift[0]), 0, int(self.shift[1]), 0, cv2.BORDER_REPLICATE)
            x = jpeg(padded, quality, webp)[self.shift[0] :, self.shift[1] :]
        x = cv2.resize(x, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) if n < SIDE else x
        return x[:, ::-1] if self.flip else x

    def map(self, mask: np.ndarray) -> np.ndarray:
        mask = cv2.warpAffine(mask, self.place, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return mask[:, ::-1] if self.flip else mask
