"""Fake twins of genuine training clips: same speaker, words and channel, through a vocoder.

    python -m voice.twins --data DIR [--count 500]
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np

from .prepare import RATE


def world(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """WORLD (Morise et al. 2016): analysis and synthesis, pitch left or moved a little."""
    import pyworld

    y = x.astype(np.float64) / 32768
    f0, t = pyworld.dio(y, RATE)
    f0 = pyworld.stonemask(y, f0, t, RATE) * (1.0 if rng.random() < 0.6 else np.exp(rng.normal(0, 0.12)))
    spectrum, aperiodic = pyworld.cheaptrick(y, f0, t, RATE), pyworld.d4c(y, f0, t, RATE)
    return pyworld.synthesize(f0, spectrum, aperiodic, RATE)


def griffin_lim(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A mel spectrogram of 60 to 100 bands turned back into sound (Griffin & Lim 1984)."""
    import torch

    window = torch.hann_window(512)
    y = torch.from_numpy(x.astype(np.float32) / 32768)
    magnitude = torch.stft(y, 512, 128, window=window, return_complex=True).abs().numpy()
    bands = int(rng.integers(60, 101))
    mel = lambda f: 2595 * np.log10(1 + f / 700)
    edges = 700 * (10 ** (np.linspace(0, mel(8000), bands + 2) / 2595) - 1)
    f = np.linspace(0, 8000, 257)
    bank = np.maximum(0, np.minimum((f - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None], (edges[2:, None] - f) / (edges[2:] - edges[1:-1])[:, None]))
    smooth = np.maximum(np.linalg.pinv(bank) @ (bank @ magnitude), 1e-5)
    phase = np.exp(2j * np.pi * rng.random(smooth.shape))
    for _ in range(24):
        y = torch.istft(torch.from_numpy(smooth * phase).to(torch.complex64), 512, 128, window=window, length=len(x))
        s = torch.stft(y, 512, 128, window=window, return_complex=True).numpy()
        phase = s / np.maximum(np.abs(s), 1e-8)
    return y.numpy()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--count", type=int, default=500)
    a = p.parse_args()
    rng = np.random.default_rng(2)
    with open(a.data / "clips.pickle", "rb") as f:
        items = [i for i in pickle.load(f) if i["family"] != "twin"]
    genuine = [i for i in items if i["label"] == "bonafide" and i["part"] == "train"]
    for n, j in enumerate(rng.permutation(len(genuine))[: a.count]):
        source = genuine[j]
        name, make = (("world", world), ("griffin-lim", griffin_lim))[n % 2]
        y = (np.clip(make(source["pcm"], rng), -1, 1) * 32767).astype(np.int16)
        items.append(source | {"label": "spoof", "system": f"twin-{name}", "family": "twin", "repo": "twins", "pcm": y, "coded": y})
    with open(a.data / "clips.pickle", "wb") as f:
        pickle.dump(items, f)
    print("clips", len(items))


if __name__ == "__main__":
    main()
