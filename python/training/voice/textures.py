"""The textures of all listenings to all clips, kept on disk: what training and evaluation read.

    python -m voice.textures --data DIR --name clips|clips-v1|twins-lyra|...
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from .store import RATE, Clips, to_float
from .texture import Texture

LENGTH, HOP, LEAST = int(4.8 * RATE), int(1.2 * RATE), 2 * RATE
# least that the statistics can be taken of; shorter clips, which are trained on only, run in circles
SHORTEST = RATE


def ends(samples: int, hop: int = HOP) -> list[int]:
    """Where listenings end: after 2 s and then every 1.2 s anew."""
    out = [min(samples, LEAST)]
    while out[-1] + hop <= samples:
        out.append(out[-1] + hop)
    return out


def windows(x: np.ndarray, hop: int = HOP) -> list[np.ndarray]:
    """As `detect/voice.rs` listens: to 4.8 s at a time, to all while it is less."""
    x = np.resize(x, max(len(x), SHORTEST))
    return [x[max(0, e - LENGTH) : e] for e in ends(len(x), hop)]


def counted(samples: int, hop: int = HOP) -> slice:
    """Which listenings count: those of full length, or the last."""
    full = sum(e >= LENGTH for e in ends(samples, hop))
    return slice(-max(full, 1), None)


@torch.inference_mode()
def hear(texture: Texture, sounds: list[np.ndarray]) -> np.ndarray:
    """Textures of stretches of sound of any lengths."""
    out, jobs = [np.empty(0)] * len(sounds), {}
    for at, x in enumerate(sounds):
        jobs.setdefault(len(x), []).append(at)
    for many in jobs.values():
        for k in range(0, len(many), 16):
            found = texture(torch.from_numpy(np.stack([sounds[at] for at in many[k : k + 16]])).float()).numpy()
            for at, row in zip(many[k : k + 16], found):
                out[at] = row
    return np.stack(out)


class Textures:
    """Of each clip of `name` the textures of its listenings; computed the first time. Other names than `clips` are for training, and heard half as often."""

    def __init__(self, data: Path, name: str):
        clips = Clips(data, name)
        self.table, self.hop = clips.table, HOP if name == "clips" else 2 * HOP
        path = data / f"{name}-texture.npz"
        if not path.exists():
            texture, found, origin = Texture().eval(), [], []
            for k in range(0, len(clips), 64):
                many = [(i, w) for i in range(k, min(k + 64, len(clips))) for w in windows(to_float(clips[i]), self.hop)]
                found.append(hear(texture, [w for _, w in many]).astype(np.float32))
                origin += [i for i, _ in many]
            np.savez(path, texture=np.concatenate(found), row=np.array(origin))
        held = np.load(path)
        self.all, self.row = held["texture"], held["row"]
        self.count = np.bincount(self.row, minlength=len(clips))
        self.start = np.cumsum(self.count) - self.count
        self.clip = self.table["clip"].to_numpy()[self.row]
        self.samples = np.maximum(self.table["samples"].to_numpy(), SHORTEST)

    def __getitem__(self, i: int) -> np.ndarray:
        """The listenings that count."""
        return self.all[self.start[i] : self.start[i] + self.count[i]][counted(self.samples[i], self.hop)]

    def seconds(self, i: int) -> float:
        """How much was listened to until the last listening ended."""
        return ends(self.samples[i], self.hop)[-1] / RATE


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--name", required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    print(a.name, Textures(a.data, a.name).all.shape)


if __name__ == "__main__":
    main()
