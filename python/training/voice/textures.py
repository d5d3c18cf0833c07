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

LENGTH, HOP, LEAST = int(2.4 * RATE), RATE, 2 * RATE
# least that the statistics can be taken of; shorter clips, which are trained on only, run in circles
SHORTEST = RATE


def windows(x: np.ndarray, hop: int = HOP) -> list[np.ndarray]:
    """As `detect/voice.rs` listens: 2.4 s at a time, first after 2 s and then every second anew."""
    x = np.resize(x, max(len(x), SHORTEST))
    ends = [min(len(x), LEAST)]
    while ends[-1] + hop <= len(x):
        ends.append(ends[-1] + hop)
    return [x[max(0, e - LENGTH) : e] for e in ends]


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
        self.table, hop = clips.table, HOP if name == "clips" else 2 * HOP
        path = data / f"{name}-texture.npz"
        if not path.exists():
            texture, found, origin = Texture().eval(), [], []
            for k in range(0, len(clips), 64):
                many = [(i, w) for i in range(k, min(k + 64, len(clips))) for w in windows(to_float(clips[i]), hop)]
                found.append(hear(texture, [w for _, w in many]).astype(np.float32))
                origin += [i for i, _ in many]
            np.savez(path, texture=np.concatenate(found), row=np.array(origin))
        held = np.load(path)
        self.all, self.row = held["texture"], held["row"]
        self.count = np.bincount(self.row, minlength=len(clips))
        self.start = np.cumsum(self.count) - self.count
        self.clip = self.table["clip"].to_numpy()[self.row]

    def __getitem__(self, i: int) -> np.ndarray:
        return self.all[self.start[i] : self.start[i] + self.count[i]]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--name", required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    print(a.name, Textures(a.data, a.name).all.shape)


if __name__ == "__main__":
    main()
