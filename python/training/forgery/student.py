"""A small network that sees in faces what the teacher of `lessons` sees, from weights drawn at random.

    python -m forgery.student --data DIR --out RUN --minutes 40 [--start RUN/student.pt]

`RUN/student.pt` is what `textures` and `kernel` take. It is taught the maps, and how zones of the face differ in them, which is what is used.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from graphs import carried, fill

from .changes import APART, FAR, STEP, changed
from .crops import SIDE
from .models import Residual, conv, fine
from .texture import CONTRASTS, shares, told, weights_of

# side and number of the teacher's maps
CELLS, CHANNELS = 14, 72
BATCH, RATE, HELD = 32, 3e-3, 1000
FIRST = 24  # channels of the first layer
SPREAD = 2  # what the maps show at once is told of every second look
# smaller changes hardly count, of the first layer and of the maps: about a hundredth of the variance of a channel
LEAST = (4e-3, 6e-3)


class Context(nn.Module):
    """Channels weighed by what the whole picture shows (Hu et al. 2018), as the teacher does."""

    def __init__(self, n: int):
        super().__init__()
        self.down, self.up = nn.Conv2d(n, n // 4, 1), nn.Conv2d(n // 4, n, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.up(F.relu(self.down(x.mean((2, 3), keepdim=True)))))


class Weighed(Residual):
    """A residual block whose answer is weighed by the whole picture."""

    def __init__(self, n: int):
        super().__init__(n)
        self.context = Context(n)

    def forward(self, x):
        return F.relu(x + self.context(self.b(self.a(x))))


class Student(nn.Module):
    """Crops (n, 3, 160, 160), RGB 0 to 255, to maps (n, channels, 14, 14), each channel of about unit spread."""

    def __init__(self):
        super().__init__()
        self.register_buffer("fine", fine())
        self.stem = conv(6, FIRST, 2, 5)
        self.s4 = nn.Sequential(conv(FIRST, 32, 2), Residual(32))
        self.s8 = nn.Sequential(conv(32, 56, 2), *(Weighed(56) for _ in range(3)))
        self.out = nn.Conv2d(56, CHANNELS, 1)
        # the maps' 20 cells a side to the teacher's 14
        cells = F.interpolate(torch.eye(20)[None, None], (CELLS, 20), mode="bilinear", antialias=True)[0, 0]
        self.register_buffer("cells", cells, persistent=False)

    def first(self, image: torch.Tensor) -> torch.Tensor:
        """The first layer's maps (n, FIRST, 80, 80)."""
        x = (image - 127.5) / 64
        return self.stem(torch.cat([x, 4 * F.conv2d(x, self.fine, padding=1, groups=3)], 1))

    def rest(self, first: torch.Tensor) -> torch.Tensor:
        return self.cells @ self.out(self.s8(self.s4(first))) @ self.cells.T

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.rest(self.first(image))


class Told(nn.Module):
    """Of maps (n, channels, 14, 14), how zones differ in the mean and in the spread of each channel: (n, channels, 2, contrasts)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("zones", torch.from_numpy(weights_of(CELLS).astype(np.float32)))
        self.register_buffer("contrasts", torch.from_numpy(shares().astype(np.float32)))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return told(maps.flatten(2), self.zones, self.contrasts, 3e-2)


class Moved(nn.Module):
    """How zones differ in what changes of maps from some looks to others (pairs, channels, cells, cells), and in what share of its spread that is: flat
    (channel, change or its share, contrast)."""

    def __init__(self, cells: int, least: float):
        super().__init__()
        self.least = least
        self.register_buffer("zones", torch.from_numpy(weights_of(cells).astype(np.float32)))
        self.register_buffer("contrasts", torch.from_numpy(shares().astype(np.float32)))

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return changed(a.flatten(2), b.flatten(2), self.zones, self.contrasts, self.least).flatten()


class Seen(nn.Module):
    """A burst of crops (frames, 3, 160, 160), RGB 0 to 255, at least nine of them, and what its first looks are also held against (4, 3, 160, 160), to numbers, flat:
    those of the maps (channel, mean or spread, contrast), and those (channel, change or its share, contrast) of what changes in the first layer over eight frames
    and over half a second, and in the maps over half a second."""

    def __init__(self):
        super().__init__()
        self.student, self.told, self.fine, self.coarse = Student(), Told(), Moved(SIDE // 2, LEAST[0]), Moved(CELLS, LEAST[1])

    @classmethod
    def load(cls, path: Path) -> Seen:
        """Of what training wrote, or of a model `face`, which carries the student as it is."""
        out = cls()
        fill(out.student, carried(path, "seen.student.") if path.suffix == ".onnx" else torch.load(path))
        return out.eval()

    @property
    def names(self) -> list[str]:
        numbers = lambda name, count, of: [f"{name}{k}|{o}|{c}" for k in range(count) for o in of for c in CONTRASTS]
        moved = ("change", "share")
        return numbers("seen", CHANNELS, ("mean", "spread")) + numbers("first-near", FIRST, moved) + numbers("first-far", FIRST, moved) + numbers("seen-far", CHANNELS, moved)

    def forward(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        looks = x[::STEP]
        first, away = self.student.first(looks), self.student.first(other)
        begin, every = slice(None, FAR), slice(None, None, SPREAD)
        maps = self.student.rest(torch.cat([first, away]))
        told = self.told(maps[:-FAR][every]).mean(0).flatten()
        return torch.cat([told, self.fine(first[:-APART], first[APART:]), self.fine(first[begin], away), self.coarse(maps[begin], maps[-FAR:])])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--minutes", type=float, default=40)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--start", type=Path, help="weights to go on from")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    a.out.mkdir(parents=True, exist_ok=True)
    crops, maps = (np.load(a.data / f"lessons.{n}.npy", mmap_mode="r") for n in ("crops", "maps"))
    some = maps[::7].astype(np.float32)
    middle, spread = (torch.from_numpy(v).reshape(1, -1, 1, 1) for v in (some.mean((0, 1, 2)), some.std((0, 1, 2))))
    given = lambda k: torch.from_numpy(crops[k]).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
    aim = lambda k: (torch.from_numpy(maps[k].astype(np.float32)).permute(0, 3, 1, 2) - middle) / spread
    net, differing = Student().to(memory_format=torch.channels_last), Told()
    if a.start:
        net.load_state_dict(torch.load(a.start))
    differ = differing(aim(np.arange(0, len(crops), 40))).std(0) + 1e-2
    adam = torch.optim.AdamW(net.parameters(), RATE, weight_decay=0.01)
    start, step, lately = time.time(), 0, []
    while (share := (time.time() - start) / (60 * a.minutes)) < 1:
        for group in adam.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 200) * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * share)))
        k = np.sort(rng.choice(len(crops) - HELD, BATCH, replace=False))
        out, goal = net(given(k)), aim(k)
        of_maps, of_zones = F.mse_loss(out, goal), (((differing(out) - differing(goal)) / differ) ** 2).mean()
        loss = of_maps + of_zones
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        adam.step()
        step += 1
        lately.append((float(of_maps.detach()), float(of_zones.detach())))
        if step % 500 == 0:
            torch.save(net.state_dict(), a.out / "student.pt")
            print(f"{step} {time.time() - start:.0f}s unexplained of maps and of zones", np.mean(lately[-500:], 0).round(3), flush=True)
    torch.save(net.state_dict(), a.out / "student.pt")
    net.eval()
    with torch.inference_mode():
        held = [((net(given(k)) - aim(k)) ** 2).mean((0, 2, 3)) for k in np.array_split(np.arange(len(crops) - HELD, len(crops)), 20)]
    left = torch.stack(held).mean(0)
    print(f"unexplained of lessons kept back {left.mean():.3f}, best channel {left.min():.3f}, worst {left.max():.3f}")


if __name__ == "__main__":
    main()
