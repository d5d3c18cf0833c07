"""Clips on disk: one file of 16-bit samples at 16 kHz, and a table that says what lies where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

RATE = 16_000


class Writer:
    """Appends clips to `name.pcm`, and writes the table `name.csv` when it is closed."""

    def __init__(self, folder: Path, name: str):
        folder.mkdir(parents=True, exist_ok=True)
        self.table, self.samples = folder / f"{name}.csv", open(folder / f"{name}.pcm", "wb")
        self.rows: list[dict] = []
        self.at = 0

    def add(self, pcm: np.ndarray, **columns: object) -> None:
        pcm = np.ascontiguousarray(pcm, np.int16)
        self.samples.write(pcm.tobytes())
        self.rows.append(columns | {"offset": self.at, "samples": len(pcm)})
        self.at += len(pcm)

    def close(self) -> pd.DataFrame:
        self.samples.close()
        table = pd.DataFrame(self.rows)
        table.to_csv(self.table, index=False)
        return table


class Clips:
    """A table of clips and their samples, mapped from disk and read when asked for."""

    def __init__(self, folder: Path, name: str):
        self.table = pd.read_csv(folder / f"{name}.csv", keep_default_na=False, low_memory=False)
        self.pcm = np.memmap(folder / f"{name}.pcm", np.int16, "r")
        self.offset, self.samples = self.table.offset.to_numpy(), self.table.samples.to_numpy()

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, i: int) -> np.ndarray:
        return self.pcm[self.offset[i] : self.offset[i] + self.samples[i]]


def to_pcm(x: np.ndarray) -> np.ndarray:
    return (np.clip(x, -1, 1) * 32767).astype(np.int16)


def to_float(pcm: np.ndarray) -> np.ndarray:
    return pcm.astype(np.float32) / 32768
