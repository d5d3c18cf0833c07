"""What rooms, microphones, processing and networks do to a voice; the same for genuine and fake."""

from __future__ import annotations

import numpy as np

RATE = 16_000


def crop(x: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    if len(x) < length:
        x = np.tile(x, -(-length // len(x)))
    start = rng.integers(0, len(x) - length + 1)
    return x[start : start + length]


def augment(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = len(x)
    if rng.random() < 0.25:
        # another speed, and with it pitch: resampled by a few per cent
        at = np.arange(n) * np.exp(rng.normal(0, 0.05))
        x = np.interp(at % (n - 1), np.arange(n), x).astype(np.float32)
    spectrum = np.fft.rfft(x)
    f = np.fft.rfftfreq(n, 1 / RATE)
    if rng.random() < 0.7:
        cut = rng.uniform(3200, 8000)
        spectrum *= 1 / (1 + np.exp((f - cut) / rng.uniform(30, 250)))
    if rng.random() < 0.3:
        cut = rng.uniform(60, 350)
        spectrum *= 1 / (1 + np.exp((cut - f) / 25))
    if rng.random() < 0.6:
        places = np.linspace(0, 8000, 7)
        spectrum *= 10 ** (np.interp(f, places, rng.normal(0, 4, 7)) / 20)
    x = np.fft.irfft(spectrum, n)
    if rng.random() < 0.3:
        tail = int(RATE * rng.uniform(0.05, 0.3))
        echo = rng.normal(0, 1, tail) * np.exp(-6.9 * np.arange(tail) / tail)
        echo[0] = 0
        size = 1 << int(np.ceil(np.log2(n + tail)))
        wet = np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(echo, size), size)[:n]
        wet *= x.std() / (wet.std() + 1e-9)
        x = x + wet * rng.uniform(0.05, 0.6)
    if rng.random() < 0.75:
        noise = rng.normal(0, 1, n)
        if rng.random() < 0.6:
            colour = np.fft.rfft(noise) / np.maximum(f, 60) ** rng.uniform(0, 0.9)
            noise = np.fft.irfft(colour, n)
        noise *= x.std() / noise.std() * 10 ** (-rng.uniform(12, 50) / 20)
        x = x + noise
    if rng.random() < 0.1:
        x = np.tanh(x / (x.std() * rng.uniform(2, 6)))
    if rng.random() < 0.2:
        for _ in range(rng.integers(1, 6)):
            start, width = rng.integers(0, n), int(RATE * rng.choice([0.02, 0.04, 0.06]))
            x[start : start + width] = 0 if rng.random() < 0.5 else x[max(0, start - width) : max(0, start - width) + len(x[start : start + width])]
    return (x / (np.abs(x).max() + 1e-6) * rng.uniform(0.1, 1)).astype(np.float32)
