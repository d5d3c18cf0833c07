"""The first layers of a network that was taught to hear in speech what the teacher of `lessons` hears, from weights drawn at random.

    python -m voice.student --data DIR --half 0|1 [--steps 1900]

Writes `DIR/student-HALF.pt`. Only how the maps of its first layers are distributed is used: they tell synthesis as well on clips that were not met, the later
ones hardly do. It is told no label, and each half meets clips of two folds only; a fold is judged with the student that met none of it (`half`).
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

from .moments import Over
from .recurrence import NUMBERS as AGAIN
from .recurrence import recurrences
from .store import RATE
from .transform import Tensor, Transform, level, loud, logs

MELS = 80
# channels of its first layers, in how many bins and every how many frames, and which bins are told together
EARLY, PLACES, EVERY, PARTS = 32, 40, 2, (0, 12, 28, 40)
# statistics that are taken of them, `told`
NUMBERS = 2 * EARLY * (len(PARTS) - 1) + AGAIN
# what it is taught: of ten bins from low to high, every 40 ms
BINS, CHANNELS = 10, 64
# folds whose clips the students hear
MET = ((1, 2), (3, 4))
BATCH, PEAK, HELD = 16, 3e-3, 400


def conv(before: int, after: int, step: int | tuple[int, int] = 1, size: int = 3, apart: int = 1) -> nn.Sequential:
    """A convolution over bins and time, which looks `apart` frames away."""
    return nn.Sequential(nn.Conv2d(before, after, size, step, (size // 2, size // 2 * apart), (1, apart), bias=False), nn.BatchNorm2d(after))


class Residual(nn.Module):
    def __init__(self, n: int, apart: int = 1):
        super().__init__()
        self.a, self.b = conv(n, n, apart=apart), conv(n, n, apart=apart)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.b(torch.relu(self.a(x))))


class Early(nn.Module):
    """Powers of 257 bins every 10 ms (clips, frames, bins) to maps (clips, EARLY, PLACES, frames / EVERY)."""

    def __init__(self):
        super().__init__()
        # where bins and the edges of bands lie on the mel scale; the bands are reckoned when the graph is loaded, and not stored
        mel = lambda f: torch.from_numpy(1127 * np.log1p(f / 700)).float()
        self.register_buffer("bins", mel(np.linspace(0, RATE / 2, 257)), persistent=False)
        self.register_buffer("edges", torch.linspace(*mel(np.array([20.0, RATE / 2])).tolist(), MELS + 2), persistent=False)
        self.net = nn.Sequential(conv(1, EARLY, 2, 5), nn.ReLU(), Residual(EARLY))

    def bands(self) -> Tensor:
        """Triangles (257, MELS), evenly on the mel scale from 20 Hz up, as Kaldi's."""
        width = (self.edges[-1] - self.edges[0]) / (MELS + 1)
        bank = torch.relu(1 - (self.bins[:, None] - self.edges[1:-1]).abs() / width)
        return bank / bank.sum(0)

    def forward(self, power: Tensor) -> Tensor:
        levels = logs(power, self.bands())
        x = levels - levels.mean(1, keepdim=True)
        return self.net(x.transpose(1, 2)[:, None] / 3)


def told(maps: Tensor, heard: Tensor) -> Tensor:
    """Of early maps the mean and the spread over time in each part of the spectrum, where frames of 10 ms count by how much each was heard (clips, frames, 1),
    and how near they come to each other: (clips, NUMBERS)."""
    x, weight = maps.flatten(1, 2).transpose(1, 2), heard[:, ::EVERY]
    mean = Over.mean(x, weight)
    square = Over.mean((x - mean[:, None]).square(), weight)
    parts = lambda x: [x.reshape(-1, EARLY, PLACES)[:, :, a:b].mean(2) for a, b in zip(PARTS, PARTS[1:])]
    over = Over([*parts(mean), *((v + 1e-4).log() / 2 for v in parts(square))])
    # neighbouring bins as one, of each the same spread
    y = functional.avg_pool2d(maps, (2, 1)).flatten(1, 2).transpose(1, 2)
    spread = Over.mean((y - Over.mean(y, weight)[:, None]).square(), weight)
    recurrences(over, y / (spread[:, None] + 1e-3).sqrt(), weight)
    return torch.cat(over.out, 1)


class Student(nn.Module):
    """Powers to what the teacher hears (clips, CHANNELS, BINS, frames / 4)."""

    def __init__(self):
        super().__init__()
        layer = lambda *a, **k: nn.Sequential(conv(*a, **k), nn.ReLU())
        self.early = Early()
        self.late = nn.Sequential(layer(EARLY, 56, 2), Residual(56), layer(56, 80, (2, 1)), Residual(80, 2), Residual(80, 4), nn.Conv2d(80, CHANNELS, 1))

    def forward(self, power: Tensor) -> Tensor:
        return self.late(self.early(power))


def means(maps: Tensor, heard: Tensor) -> Tensor:
    """Of what is taught the means over time in thirds of the spectrum."""
    mean = Over.mean(maps.flatten(1, 2).transpose(1, 2), heard[:, :: 2 * EVERY]).reshape(-1, CHANNELS, BINS)
    return torch.cat([mean[:, :, a:b].mean(2) for a, b in ((0, 3), (3, 7), (7, BINS))], 1)


def half(fold: int) -> int:
    """The student that met no clip of a fold; of all that ships the first."""
    return int(fold in MET[0])


def folded(net: Early) -> Early:
    """The same in fewer operations: each normalisation is part of the convolution before it."""
    for module in list(net.modules()):
        if isinstance(module, nn.Sequential) and len(module) == 2 and isinstance(module[1], nn.BatchNorm2d):
            module[0], module[1] = fuse_conv_bn_eval(module[0], module[1]), nn.Identity()
    return net


class Lessons:
    """Stretches of sound and what the teacher hears in them."""

    def __init__(self, data: Path, half: int):
        held = np.load(data / "lessons.npz")
        met = np.flatnonzero(np.isin(held["fold"], MET[half]))
        self.audio, self.maps, self.short = held["audio"][met], held["maps"][met], Transform(512, 160)

    def __len__(self) -> int:
        return len(self.audio)

    def __getitem__(self, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Powers, how much of each frame is heard, and maps."""
        power = self.short(level(torch.from_numpy(self.audio[rows].astype(np.float32) / 32768)))
        return power, loud(power, 28)[1], torch.from_numpy(self.maps[rows].astype(np.float32))


def teach(net: Student, lessons: Lessons, steps: int) -> None:
    rng, lately = np.random.default_rng(0), []
    adam = torch.optim.AdamW(net.parameters(), PEAK, weight_decay=0.02)
    for step in range(steps):
        for g in adam.param_groups:
            g["lr"] = PEAK * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        power, heard, goal = lessons[np.sort(rng.choice(len(lessons) - HELD, BATCH, replace=False))]
        found = net(power)
        of_maps, of_means = functional.mse_loss(found, goal) / goal.square().mean(), functional.mse_loss(means(found, heard), means(goal, heard))
        adam.zero_grad()
        (of_maps + of_means).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        adam.step()
        lately.append((float(of_maps.detach()), float(of_means.detach())))
        if len(lately) % 250 == 0:
            print(f"{len(lately)} steps, unexplained of maps and of means", np.mean(lately[-250:], 0).round(3), flush=True)


@torch.inference_mode()
def tried(net: Student, lessons: Lessons) -> None:
    """What is left unexplained of means in lessons that were kept back."""
    pairs = []
    for rows in np.array_split(np.arange(len(lessons) - HELD, len(lessons)), 20):
        power, heard, goal = lessons[rows]
        pairs.append((means(net(power), heard), means(goal, heard)))
    found, goal = (torch.cat(p) for p in zip(*pairs))
    left = (found - goal).square().mean(0) / goal.var(0)
    print(f"unexplained of means of lessons kept back {left.mean():.3f}, best channel {left.min():.3f}, worst {left.max():.3f}")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--steps", type=int, default=1900)
    p.add_argument("--half", type=int, choices=range(len(MET)), required=True)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    net, lessons = Student().to(memory_format=torch.channels_last), Lessons(a.data, a.half)
    teach(net, lessons, a.steps)
    torch.save(net.early.state_dict(), a.data / f"student-{a.half}.pt")
    tried(net.eval(), lessons)


if __name__ == "__main__":
    main()
