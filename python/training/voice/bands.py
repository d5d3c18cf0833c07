"""Band powers of all clips, kept on disk in half precision (natural logarithm): what training and evaluation read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from .models import FrontEnd
from .store import Clips, to_float


class Bands:
    """The frames of each clip of `name`, for one front end; computed the first time."""

    def __init__(self, data: Path, name: str, recipe: str, front: FrontEnd):
        self.table = Clips(data, name).table
        path = data / f"{name}-{recipe}.bands"
        bands = front.bank.shape[1]
        frames = (self.table.samples.to_numpy() - front.size) // front.hop + 1
        self.end = np.cumsum(frames)
        self.frames = frames
        if not path.exists() or path.stat().st_size != int(frames.sum()) * bands * 2:
            self.compute(Clips(data, name), path, front)
        self.all = np.memmap(path, np.float16, "r").reshape(-1, bands)

    @torch.inference_mode()
    def compute(self, clips: Clips, path: Path, front: FrontEnd) -> None:
        with open(path.with_suffix(".part"), "wb") as f:
            for i in range(len(clips)):
                x = front.bands(torch.from_numpy(to_float(clips[i]))[None])[0]
                f.write(torch.log(x + 1e-7).to(torch.float16).numpy().tobytes())
        path.with_suffix(".part").rename(path)

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, i: int) -> np.ndarray:
        return self.all[self.end[i] - self.frames[i] : self.end[i]]
