"""Draws stretches of talkers with their sound, as other cameras, microphones, vocal tracts and tempos would give them."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import torch

from .models import MELS, Bands, logs, mel_bank
from .shape import INNER, JAW, OUTER, POINTS

RATE, SIDE = 25, 48
# where a point goes in a mirror
MIRROR = np.array([POINTS.index(m) for m in (
    [291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61, 146, 91, 181, 84, 17, 314, 405, 321, 375]
    + [308, 415, 310, 311, 312, 13, 82, 81, 80, 191, 78, 95, 88, 178, 87, 14, 317, 402, 318, 324]
    + [152, 377, 148, 400, 176, 378, 149, 397, 172])])
assert len(MIRROR) == len(OUTER + INNER + JAW)


def folds(table: pd.DataFrame, count: int = 5) -> np.ndarray:
    """A fold for each clip, whole repositories, with about as much talking in each; other repositories by their names."""
    seconds = table[(table.part == "talkers") & (table.in_sync == "yes")].groupby("repo").seconds.sum()
    load, fold = np.zeros(count), {}
    for repo, s in sorted(seconds.items(), key=lambda x: (-x[1], x[0])):
        fold[repo] = int(load.argmin())
        load[fold[repo]] += s
    return table.repo.map(lambda r: fold.get(r, zlib.crc32(r.encode()) % count)).to_numpy()


class Clips:
    """All clips in memory: mouths, points, and powers of the sound's spectrum every 10 ms."""

    def __init__(self, data: Path):
        self.table = pd.read_csv(data / "clips.csv", keep_default_na=False)
        self.mouths, self.points, self.power = [], [], []
        bands = Bands()
        for i in range(len(self.table)):
            z = np.load(data / "clips" / f"{i}.npz")
            self.mouths.append(z["mouth"]), self.points.append(z["points"])
            sound = z["sound"].astype(np.float32)
            want = len(z["mouth"]) * 640
            sound = np.pad(sound, (0, max(0, want - len(sound))))[:want]
            sound = sound / (np.sqrt(np.mean(sound**2)) + 1e-4) * 0.1
            with torch.no_grad():
                self.power.append(bands.power(torch.from_numpy(sound)[None])[0].numpy())
        self.fold = folds(self.table)


class Draw:
    """Batches of stretches with lips and sound in step."""

    def __init__(self, clips: Clips, rows: np.ndarray, weights: np.ndarray, seed: int):
        self.clips, self.rows, self.p = clips, rows, weights / weights.sum()
        self.rng = np.random.default_rng(seed)
        self.banks = [mel_bank(w) for w in np.linspace(0.82, 1.2, 15)]

    def batch(self, count: int, frames: int, alone: float = 0.35) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Mouths, points, bands, and which of picture and shape to keep; clips come twice, at different times, in part."""
        rng = self.rng
        pick = rng.choice(self.rows, count * 2 // 3, p=self.p)
        pick = np.concatenate([pick, rng.choice(pick, count - len(pick))])
        items = [self.stretch(int(i), frames) for i in pick]
        keep = np.ones((count, 2), np.float32)
        off = rng.random(count)
        keep[off < alone * 0.4, 0] = 0
        keep[(off >= alone * 0.4) & (off < alone), 1] = 0
        m, q, b = (torch.from_numpy(np.stack(x)) for x in zip(*items))
        return m.float() / 255, q, logs(b.float()), torch.from_numpy(keep)

    def stretch(self, i: int, frames: int):
        rng, clips = self.rng, self.clips
        mouths, points, power = clips.mouths[i], clips.points[i], clips.power[i]
        tempo = float(np.exp(rng.normal(0, 0.1))) if rng.random() < 0.6 else 1.0
        need = min(len(mouths), int(np.ceil(frames * tempo)) + 1)
        start = rng.uniform(0, len(mouths) - need) if len(mouths) > need else 0.0
        # loops round where a clip is too short for the tempo
        at = (start + np.arange(frames) * tempo) % len(mouths)
        rows = np.minimum(np.floor(at).astype(int), len(mouths) - 1)
        fine = (start * 4 + np.arange(frames * 4) * tempo) % len(power)
        sound = power[np.minimum(fine.astype(int), len(power) - 1)]
        if rng.random() < 0.25:  # frames repeated as a call does
            hold = rng.random(frames) < rng.uniform(0.05, 0.3)
            for k in np.flatnonzero(hold):
                if k:
                    rows[k] = rows[k - 1]
        return self.picture(mouths[rows], points[rows]) + (self.hear(sound),)

    def picture(self, mouths: np.ndarray, points: np.ndarray):
        rng = self.rng
        angle, scale = rng.normal(0, 0.06), (64 / SIDE) * np.exp(rng.normal(-0.12, 0.1))
        flip = rng.random() < 0.5
        c, s = np.cos(angle) * scale, np.sin(angle) * scale
        turn = np.array([[c, -s], [s, c]]) @ np.diag([-1.0 if flip else 1.0, 1.0])
        mid = np.array([32, 32]) + rng.normal(0, 2.0, 2)
        shake = rng.normal(0, rng.uniform(0, 0.5), (len(mouths), 2))
        out = np.empty((len(mouths), SIDE, SIDE), np.uint8)
        soft = rng.random()
        table = np.clip(255 * (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.35)) * rng.uniform(0.6, 1.2) + rng.normal(0, 12), 0, 255).astype(np.uint8)
        grain = rng.uniform(0, 6) if rng.random() < 0.4 else 0
        for k, m in enumerate(mouths):
            a = np.concatenate([turn, (mid + shake[k] - turn @ np.array([SIDE / 2, SIDE / 2]))[:, None]], 1)
            x = cv2.warpAffine(m, a, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
            if soft < 0.25:
                x = cv2.GaussianBlur(x, (0, 0), 0.5 + 4 * soft)
            elif soft < 0.4:
                f = int(SIDE * (soft * 1.6))
                x = cv2.resize(cv2.resize(x, (f, f), interpolation=cv2.INTER_AREA), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
            out[k] = x
        out = table[out]
        if grain:
            out = np.clip(out + rng.normal(0, grain, out.shape), 0, 255).astype(np.uint8)
        q = points.astype(np.float32)
        if flip:
            q = q[:, MIRROR] * [-1, 1]
        q = q * np.exp(rng.normal(0, 0.08, 2)) + rng.normal(0, rng.uniform(0, 0.012), q.shape)
        return out, q.astype(np.float32)

    def hear(self, power: np.ndarray) -> np.ndarray:
        """Another vocal tract, microphone, room, background."""
        rng = self.rng
        bank = self.banks[int(rng.integers(len(self.banks)))] if rng.random() < 0.7 else self.banks[7]
        b = power @ bank
        if rng.random() < 0.5:  # a microphone
            curve = np.interp(np.arange(MELS), np.linspace(0, MELS - 1, 5), rng.normal(0, 1.0, 5))
            b = b * np.exp(curve).astype(np.float32)
        if rng.random() < 0.5:  # another clip, or noise, behind
            j = int(rng.choice(self.rows))
            other = self.clips.power[j]
            k = int(rng.integers(max(1, len(other) - len(b))))
            o = other[k : k + len(b)] @ self.banks[7]
            o = np.resize(o, b.shape) if rng.random() < 0.4 else np.broadcast_to(o.mean(0), b.shape) * rng.exponential(1, b.shape).astype(np.float32)
            b = b + o * (b.mean() / (o.mean() + 1e-9) * 10 ** -rng.uniform(0.5, 3))
        if rng.random() < 0.3:  # a room: decay of 50 to 300 ms
            decay = np.exp(-1 / (100 * rng.uniform(0.02, 0.08)))
            for t in range(1, len(b)):
                b[t] = b[t] + decay * 0.5 * b[t - 1]
        if rng.random() < 0.3:  # narrow band
            b[:, int(rng.integers(18, MELS)) :] = b.mean() * 1e-5
        if rng.random() < 0.3:  # losses
            for _ in range(int(rng.integers(1, 4))):
                t = int(rng.integers(len(b)))
                b[t : t + int(rng.integers(2, 9))] = b.mean() * 1e-5
        return b.astype(np.float32)
