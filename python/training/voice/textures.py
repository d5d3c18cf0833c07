"""The textures of listenings to all clips, kept on disk: what training and evaluation read.

    python -m voice.textures --data DIR --name clips|clips-v1|twins-lyra|...

What each of the students hears (`voice.student`) is kept beside what is the same for both.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from .store import RATE, Clips, to_float
from .student import MET
from .texture import RECKONED, Texture

LENGTH, LEAST = 6 * RATE, 2 * RATE
# from one listening to the next of those that are trained on
HOP = int(1.2 * RATE)
# least that the statistics can be taken of; shorter clips, which are trained on only, run in circles
SHORTEST = RATE


def ends(samples: int, many: bool = False) -> list[int]:
    """Where the listening ends that counts: as in `detect/voice.rs` one to all of a short clip, and to the first 6 s of a longer one. With
    `many` others too, every 1.2 s."""
    last = min(samples, LENGTH)
    if not many:
        return [last]
    grid = {min(samples, e) for e in range(LEAST, max(samples, LEAST) + 1, HOP)}
    return sorted(grid if max(grid) >= LENGTH else grid | {last})


def windows(x: np.ndarray, many: bool = False) -> list[np.ndarray]:
    """What is listened to, 6 s at most."""
    x = np.resize(x, max(len(x), SHORTEST))
    return [x[max(0, e - LENGTH) : e] for e in ends(len(x), many)]


def front(data: Path, half: int) -> Texture:
    """Statistics that leave out what was made up for lost packets, and hear with the student, as `voice.losses` and `voice.student` have taught."""
    texture = Texture()
    texture.concealment.load_state_dict(torch.load(data / "concealment.pt"))
    texture.student.load_state_dict(torch.load(data / f"student-{half}.pt"))
    return texture.eval()


@torch.inference_mode()
def hear(listen: Callable[[torch.Tensor], torch.Tensor], sounds: list[np.ndarray]) -> np.ndarray:
    """What `listen` says of stretches of sound of any lengths."""
    out, jobs = [np.empty(0)] * len(sounds), {}
    for at, x in enumerate(sounds):
        jobs.setdefault(len(x), []).append(at)
    for many in jobs.values():
        for k in range(0, len(many), 16):
            found = listen(torch.from_numpy(np.stack([sounds[at] for at in many[k : k + 16]])).float()).numpy()
            for at, row in zip(many[k : k + 16], found):
                out[at] = row
    return np.stack(out)


def kept(path: Path, clips: Clips, many: bool, listen: Callable[[torch.Tensor], torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """What `listen` says of the listenings to all clips, and which clip each is of; on disk from the first time on."""
    if not path.exists():
        found, origin = [], []
        for k in range(0, len(clips), 64):
            stretches = [(i, w) for i in range(k, min(k + 64, len(clips))) for w in windows(to_float(clips[i]), many)]
            found.append(hear(listen, [w for _, w in stretches]).astype(np.float32))
            origin += [i for i, _ in stretches]
        np.savez(path, found=np.concatenate(found), row=np.array(origin))
    held = np.load(path)
    return held["found"], held["row"]


class Textures:
    """Of each clip of `name` the textures of its listenings, the last of which counts, as one of the students hears them; computed the first time. Other names than `clips` are
    for training and heard once."""

    def __init__(self, data: Path, name: str, half: int):
        clips = Clips(data, name)
        self.table, self.many = clips.table, name == "clips"
        texture = front(data, half)
        learnt, self.row = kept(data / f"{name}-student-{half}.npz", clips, self.many, lambda x: texture.parts(x, reckon=False)[0])
        reckoned, _ = kept(data / f"{name}-texture.npz", clips, self.many, lambda x: torch.cat(texture.parts(x, learn=False), 1))
        self.all = np.concatenate([reckoned[:, :RECKONED], learnt, reckoned[:, RECKONED:]], 1)
        count = np.bincount(self.row, minlength=len(clips))
        self.last = np.cumsum(count) - 1
        self.first = self.last - count + 1
        self.clip = self.table["clip"].to_numpy()[self.row]
        self.samples = np.maximum(self.table["samples"].to_numpy(), SHORTEST)

    def seconds(self) -> np.ndarray:
        """How much was listened to until the last listening to each clip ended."""
        return np.array([ends(n, self.many)[-1] for n in self.samples]) / RATE


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--name", required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    for half in range(len(MET)):
        print(a.name, "heard by student", half, Textures(a.data, a.name, half).all.shape, flush=True)


if __name__ == "__main__":
    main()
