"""What is not speech, though speech activity may take it for such: python -m voice.pauses --data DIR

Of clips, of their rough versions, of every second one after a call and of every second version with noise suppressed what is quiet, put together; and as many steady noises as a tenth of the clips, made here.
The network learns to know both, and that they do not say who speaks. `clip` is the one that a pause comes of; that of a noise says only in which fold it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from .augment import mild
from .store import RATE, Clips, Writer, to_float, to_pcm
from .textures import LEAST, LENGTH

# how far under the loudest twentieth of a clip, decibels, and least that is put together, samples
QUIET, SOME = 26, int(0.4 * RATE)
# of which sets, and every so manieth clip of them; of which clips there is a noise
SETS, NOISES = {"clips": 1, "clips-v1": 1, "clips-v4": 2, "clips-v7": 2}, 10


def levels(x: np.ndarray) -> np.ndarray:
    """Loudness of every sample's surroundings of 20 ms."""
    return np.sqrt(np.convolve(x.astype(np.float32) ** 2, np.ones(320) / 320, "same") + 1e-9)


def quiet(x: np.ndarray) -> np.ndarray | None:
    """The pauses of a clip put together; none where there are too few."""
    level = levels(x)
    found = x[level < np.quantile(level, 0.95) * 10 ** (-QUIET / 20)]
    return found if len(found) >= SOME else None


def noise(rng: np.random.Generator) -> np.ndarray:
    """Noise of a smooth tone that falls by up to 12 dB an octave, a half of it swaying, a third with hum."""
    n = int(rng.integers(LEAST, LENGTH + 1))
    f = np.arange(1, n // 2 + 2) / n * RATE
    tone = (f / 500 + 0.1) ** -rng.uniform(-0.2, 2) * np.exp(np.interp(np.log2(f + 20), np.linspace(4, 13, 10), rng.normal(0, 1, 10)))
    x = np.fft.irfft(np.fft.rfft(rng.normal(0, 1, n)) * tone, n)
    if rng.random() < 0.5:
        sway = np.interp(np.arange(n), np.linspace(0, n, 8 * n // RATE), rng.normal(0, 1, 8 * n // RATE))
        x = x * np.exp(sway * rng.uniform(0, 0.7))
    if rng.random() < 0.3:
        k, mains = np.arange(1, 12)[:, None], rng.choice([50, 60])
        hum = (rng.uniform(0, 1, (11, 1)) / k * np.sin(2 * np.pi * mains * k * np.arange(n) / RATE)).sum(0)
        x = x + hum * x.std() * rng.uniform(0.3, 3)
    return x


def loud(x: np.ndarray) -> np.ndarray:
    return x / (np.abs(x).max() + 1e-6) * 0.9


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    a = p.parse_args()
    out = Writer(a.data, "pauses")
    for name, every in SETS.items():
        clips = Clips(a.data, name)
        for i, origin in list(enumerate(clips.table["clip"]))[::every]:
            found = quiet(to_float(clips[i]))
            if found is not None:
                # as loud as if it were speech
                out.add(to_pcm(loud(np.resize(found, max(LEAST, len(found))))), clip=origin)
    for origin in Clips(a.data, "clips").table["clip"][::NOISES]:
        rng = np.random.default_rng([10, origin])
        x = loud(noise(rng))
        out.add(mild(x, [10, origin]) if rng.random() < 0.5 else to_pcm(x), clip=origin)
    print("pauses", len(out.close()))


if __name__ == "__main__":
    main()
