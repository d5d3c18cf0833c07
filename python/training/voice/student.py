"""A network that was taught to hear in speech what the second layer of the teacher of `lessons` hears, from weights drawn at random.

    python -m voice.student --data DIR --half 0|1 [--steps 1500]

Writes `DIR/student-HALF.pt`. How its maps are distributed is used: what deeper layers hear tells no more, and is not learnt well enough from so little speech.
It is told no label, and each half meets clips of two folds only; a fold is judged with the student that met none of it (`half`).
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from .store import RATE
from .transform import Tensor, Transform, level, loud

MELS = 80
# maps, in how many bins and every how many frames, and which bins are told together
MAPS, PLACES, EVERY, PARTS = 128, 40, 2, (0, 12, 28, 40)
# between: channels, and how many blocks; and principal parts of how the maps are distributed
WIDTH, DEEP, LEARNT = 32, 5, 192
# decibels under the whole at which nothing is heard
FLOOR = 50
# frames that it is taught, two at a time, and the most that a map may be
SEEN, HIGHEST = [k for k in range(148) if k % 8 < 2], 8.0
# folds whose clips the students hear
MET = ((1, 2), (3, 4))
BATCH, PEAK, HELD = 16, 3e-3, 200


def conv(before: int, after: int, size: int = 3, step: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, size, step, size // 2, bias=False), nn.BatchNorm2d(after))


class Residual(nn.Module):
    def __init__(self, n: int):
        super().__init__()
        self.a, self.b = conv(n, n), conv(n, n)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.b(torch.relu(self.a(x))))


class Student(nn.Module):
    """Powers of 257 bins every 10 ms (clips, frames, bins) to maps (clips, MAPS, PLACES, frames / EVERY), none of them negative."""

    def __init__(self):
        super().__init__()
        # where bins and the edges of bands lie on the mel scale; the bands are reckoned when the graph is loaded, and not stored
        mel = lambda f: torch.from_numpy(1127 * np.log1p(f / 700)).float()
        self.register_buffer("bins", mel(np.linspace(0, RATE / 2, 257)), persistent=False)
        self.register_buffer("edges", torch.linspace(*mel(np.array([20.0, RATE / 2])).tolist(), MELS + 2), persistent=False)
        self.net = nn.Sequential(conv(1, WIDTH, 5, EVERY), nn.ReLU(), *(Residual(WIDTH) for _ in range(DEEP)))
        self.last = nn.Conv2d(WIDTH, MAPS, 1)
        self.parts = nn.Linear(6 * MAPS, LEARNT)

    def bands(self) -> Tensor:
        """Triangles (257, MELS), evenly on the mel scale from 20 Hz up, as Kaldi's."""
        width = (self.edges[-1] - self.edges[0]) / (MELS + 1)
        bank = torch.relu(1 - (self.bins[:, None] - self.edges[1:-1]).abs() / width)
        return bank / bank.sum(0)

    def forward(self, power: Tensor, frames: list[int] | slice = slice(None)) -> Tensor:
        b = power @ self.bands()
        levels = (b + b.mean((1, 2), keepdim=True) * 10 ** (-FLOOR / 10) + 1e-9).log()
        x = levels - levels.mean(1, keepdim=True)
        return torch.relu(self.last(self.net(x.transpose(1, 2)[:, None] / 3)[:, :, :, frames]))


    def learnt(self, power: Tensor, weight: Tensor) -> Tensor:
        """The principal parts of what is told of the maps, each of spread one (clips, LEARNT)."""
        return self.parts(told(self(power), weight))


def told(maps: Tensor, weight: Tensor, pairs: int = 1) -> Tensor:
    """Of maps the spread over time in each part of the spectrum, and how fast they change for it, logarithms, where frames count by `weight`
    (clips, frames, 1): (clips, MAPS x 6). Every so many `pairs`th frame is followed by the next one."""
    x, last = maps.flatten(1, 2), maps.shape[3] - 1
    mean = lambda x, weight: x @ (weight / (weight.sum(1, keepdim=True) + 1e-3))
    parts = lambda x: torch.cat([x.reshape(-1, MAPS, PLACES)[:, :, a:b].mean(2) for a, b in zip(PARTS, PARTS[1:])], 1)
    change, both = x[:, :, 1::pairs] - x[:, :, :last:pairs], weight[:, 1::pairs] * weight[:, :last:pairs]
    spread, quick = ((parts(v) + 1e-4).log() / 2 for v in (mean((x - mean(x, weight)).square(), weight), mean(change.square(), both)))
    return torch.cat([spread, quick - spread], 1)


def half(fold: int) -> int:
    """The student that met no clip of a fold; of all that ships the first."""
    return int(fold in MET[0])


def folded(net: Student) -> Student:
    """The same in fewer operations: each normalisation is part of the convolution before it."""
    for module in list(net.modules()):
        if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.BatchNorm2d):
            module[0], module[1] = fuse_conv_bn_eval(module[0], module[1]), nn.Identity()
    return net


class Lessons:
    """Stretches of sound of some folds and what the teacher hears in them."""

    def __init__(self, data: Path, folds: tuple[int, ...]):
        self.audio, self.maps, self.short = [], [], Transform(512, 160)
        for path in sorted(data.glob("lessons-*.npz")):
            held = np.load(path)
            met = np.isin(held["fold"], folds)
            self.audio.append(held["audio"][met]), self.maps.append(held["maps"][met])
        self.audio, self.maps = np.concatenate(self.audio), np.concatenate(self.maps)

    def __len__(self) -> int:
        return len(self.audio)

    def power(self, rows: np.ndarray) -> Tensor:
        return self.short(level(torch.from_numpy(self.audio[rows].astype(np.float32) / 32768)))

    def __getitem__(self, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Powers, how much of each frame that is taught is heard, and maps."""
        power = self.power(rows)
        return power, loud(power, 28)[1][:, ::EVERY][:, SEEN], torch.from_numpy(self.maps[rows].astype(np.float32)) * (HIGHEST / 255)


@torch.no_grad()
def scales(lessons: Lessons) -> tuple[Tensor, Tensor]:
    """Variance of each map, and of each number that is told of them."""
    rows = np.arange(0, len(lessons), max(1, len(lessons) // 300))
    _, heard, maps = lessons[rows]
    return maps.var((0, 2, 3))[:, None, None] + 1e-3, told(maps, heard, 2).var(0) + 1e-4


def teach(net: Student, lessons: Lessons, steps: int) -> None:
    rng, lately, (of_map, of_told) = np.random.default_rng(0), [], scales(lessons)
    adam = torch.optim.AdamW(net.parameters(), PEAK, weight_decay=0.02)
    for step in range(steps):
        for g in adam.param_groups:
            g["lr"] = PEAK * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        power, heard, goal = lessons[np.sort(rng.choice(len(lessons) - HELD, BATCH, replace=False))]
        found = net(power, SEEN)
        maps = ((found - goal).square() / of_map).mean()
        numbers = ((told(found, heard, 2) - told(goal, heard, 2)).square() / of_told).mean()
        adam.zero_grad()
        (maps + numbers).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        adam.step()
        lately.append((float(maps.detach()), float(numbers.detach())))
        if len(lately) % 100 == 0:
            print(f"{len(lately)} steps, unexplained of maps and of what is told {np.mean(lately[-100:], 0).round(3)}", flush=True)


@torch.no_grad()
def turn(net: Student, lessons: Lessons) -> None:
    """Finds the principal parts. Neighbouring maps say much the same, which would count many times elsewise."""
    found = []
    for rows in np.array_split(np.arange(len(lessons)), len(lessons) // BATCH):
        power = lessons.power(rows)
        found.append(told(net(power), loud(power, 28)[1][:, ::EVERY]).double())
    found = torch.cat(found)
    middle, spread = found.mean(0), found.std(0)
    values, axes = torch.linalg.eigh(torch.cov(((found - middle) / spread).T))
    weight = (axes / spread[:, None] / values.sqrt())[:, -LEARNT:].flip(1).T
    net.parts.weight.copy_(weight), net.parts.bias.copy_(-weight @ middle)
    print(f"{LEARNT} parts explain {float(values[-LEARNT:].sum() / values.sum()):.3f}")


@torch.inference_mode()
def tried(net: Student, lessons: Lessons, name: str) -> None:
    """What is left unexplained of the last of some lessons."""
    pairs = []
    for rows in np.array_split(np.arange(len(lessons) - HELD, len(lessons)), 20):
        power, heard, goal = lessons[rows]
        pairs.append((told(net(power, SEEN), heard, 2), told(goal, heard, 2)))
    found, goal = (torch.cat(p) for p in zip(*pairs))
    left = (found - goal).square().mean(0) / goal.var(0)
    print(f"unexplained of what is told, {name}: spread {left[: MAPS * 3].mean():.3f}, change {left[MAPS * 3 :].mean():.3f}")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--steps", type=int, default=1500)
    p.add_argument("--half", type=int, choices=range(len(MET)), required=True)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    net, lessons = Student().to(memory_format=torch.channels_last), Lessons(a.data, MET[a.half])
    print(len(lessons), "lessons,", sum(w.numel() for w in net.parameters()), "weights", flush=True)
    teach(net, lessons, a.steps)
    turn(net.eval(), lessons)
    torch.save(net.state_dict(), a.data / f"student-{a.half}.pt")
    tried(net, lessons, "clips that it met")
    tried(net, Lessons(a.data, MET[1 - a.half]), "clips that it did not")


if __name__ == "__main__":
    main()
