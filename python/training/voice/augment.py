"""What rooms, microphones, processing and networks do to a voice; the same for genuine and fake.

`rough` is slow: it is applied once, to versions kept on disk.
"""

from __future__ import annotations

import numpy as np

from . import codecs, suppression
from .store import RATE, to_pcm


def room(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An early reflection or two and a tail of noise that falls by 60 dB in 0.1 to 0.6 s."""
    tail = int(RATE * rng.uniform(0.1, 0.6))
    echo = rng.normal(0, 1, tail) * np.exp(-6.9 * np.arange(tail) / tail)
    echo *= rng.uniform(0.05, 0.5) / np.sqrt((echo**2).sum())
    for _ in range(rng.integers(1, 5)):
        echo[rng.integers(10, min(tail, 600))] += rng.normal(0, 0.25)
    echo[0] = 1
    size = 1 << int(np.ceil(np.log2(len(x) + tail)))
    return np.fft.irfft(np.fft.rfft(x, size) * np.fft.rfft(echo, size), size)[: len(x)]


def speed(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A few per cent faster or slower, and with it higher or lower."""
    from scipy.signal import resample_poly

    return resample_poly(x, 100, int(rng.choice([92, 95, 97, 103, 106, 110])))


def gate(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A noise gate: quiet stretches are turned down, as calls and noise suppression do."""
    level = np.sqrt(np.convolve(x * x, np.ones(480) / 480, "same") + 1e-12)
    line = np.quantile(level, 0.95) * 10 ** (-rng.uniform(20, 35) / 20)
    gain = np.where(level > line, 1.0, 10 ** (-rng.uniform(6, 40) / 20))
    return x * np.convolve(gain, np.ones(320) / 320, "same")


def low_pass(x: np.ndarray, cut: float) -> np.ndarray:
    s = np.fft.rfft(x)
    s[int(cut / RATE * len(x)) :] = 0
    return np.fft.irfft(s, len(x))


def tilted(noise: np.ndarray, power: float) -> np.ndarray:
    """White noise with less of it the higher it is."""
    s = np.fft.rfft(noise)
    return np.fft.irfft(s * (1 + np.arange(len(s)) / len(s) * 60) ** -power, len(noise))


def coded(pcm: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the codecs of calls and of files."""
    kind = rng.choice(["opus", "lossy", "amr", "g711", "mp3", "aac"], p=[0.4, 0.28, 0.06, 0.06, 0.1, 0.1])
    if kind == "amr":
        return codecs.amr(pcm, float(rng.choice([4.75, 7.4, 12.2])))
    if kind == "g711":
        return codecs.g711(pcm)
    if kind == "mp3":
        return codecs.mp3(pcm, int(rng.choice([24, 32, 48, 64])))
    if kind == "aac":
        return codecs.aac(pcm, int(rng.choice([24, 32, 48, 64])))
    bits = int(rng.choice([6, 8, 12, 16, 16, 24, 32, 48, 64])) * 1000
    loss = rng.uniform(0.02, 0.2) if kind == "lossy" else 0.0
    return codecs.opus(pcm, bits, loss, rng, fec=bool(rng.random() < 0.5))


def rough(x: np.ndarray, seed: list[int]) -> np.ndarray:
    """A random chain of room, speed, gate, noise, level, band limit and codec; 16-bit samples out. The same seed is the same chain."""
    rng = np.random.default_rng(seed)
    if rng.random() < 0.3:
        x = speed(x, rng)
    if rng.random() < 0.4:
        x = room(x, rng)
    if rng.random() < 0.2:
        x = gate(x, rng)
    x = x / (np.abs(x).max() + 1e-6) * rng.uniform(0.15, 0.99)
    if rng.random() < 0.3:
        noise = np.cumsum(rng.normal(0, 1, len(x))) if rng.random() < 0.2 else rng.normal(0, 1, len(x))
        noise -= noise.mean()
        x = x + noise / (noise.std() + 1e-9) * x.std() * 10 ** (-rng.uniform(15, 45) / 20)
    if rng.random() < 0.08:
        x = np.clip(x, -x.std() * 3, x.std() * 3)
    # what came later draws from numbers of its own, so that the rest of a chain stays as it was
    late = np.random.default_rng([*seed, 1])
    if late.random() < 0.35:
        x = low_pass(x, late.uniform(3200, 7600))
    if late.random() < 0.2:
        x = x + late.normal(0, x.std() * 10 ** (-late.uniform(12, 30) / 20), len(x))
    pcm = to_pcm(x)
    return coded(pcm, rng) if rng.random() < 0.8 else pcm


def mild(x: np.ndarray, seed: list[int]) -> np.ndarray:
    """One or two of what `rough` does, so that a single step is met by itself; 16-bit samples out."""
    rng = np.random.default_rng([*seed, 2])
    x = x / (np.abs(x).max() + 1e-6) * rng.uniform(0.15, 0.99)
    kinds = {"aac": 0.16, "mp3": 0.1, "opus": 0.12, "lossy": 0.16, "amr": 0.06, "g711": 0.06, "noise": 0.14, "low": 0.12, "room": 0.08}
    kind, late = rng.choice(list(kinds), p=list(kinds.values())), rng.random() < 0.35
    if kind == "low" or (late and rng.random() < 0.3):
        x = low_pass(x, rng.uniform(3200, 7600))
    if kind == "noise" or (late and rng.random() < 0.3):
        noise = rng.normal(0, 1, len(x))
        if rng.random() < 0.5:
            noise = tilted(noise, rng.uniform(0.2, 1))
        x = x + noise / noise.std() * x.std() * 10 ** (-rng.uniform(15, 40) / 20)
    if kind == "room":
        x = room(x, rng)
        x = x / (np.abs(x).max() + 1e-6) * 0.9
    pcm = to_pcm(x)
    if kind == "aac":
        return codecs.aac(pcm, int(rng.choice([24, 32, 32, 48, 64])))
    if kind == "mp3":
        return codecs.mp3(pcm, int(rng.choice([24, 32, 48, 64])))
    if kind == "amr":
        return codecs.amr(pcm, float(rng.choice([4.75, 7.4, 12.2])))
    if kind == "g711":
        return codecs.g711(pcm)
    if kind in ("opus", "lossy") or late:
        return codecs.opus(pcm, int(rng.choice([6, 8, 12, 16, 16, 24, 32])) * 1000, rng.uniform(0.02, 0.2) if kind == "lossy" else 0.0, rng, fec=bool(rng.random() < 0.5))
    return pcm


def called(x: np.ndarray, seed: list[int]) -> np.ndarray:
    """What a call over the Internet does and nothing else: Opus at 12 to 32 kbit/s, up to a tenth of the packets lost; 16-bit samples out."""
    rng = np.random.default_rng(seed)
    x = x / (np.abs(x).max() + 1e-6) * rng.uniform(0.15, 0.99)
    bits = int(rng.choice([12, 16, 16, 20, 24, 32])) * 1000
    loss = rng.uniform(0, 0.1) if rng.random() < 0.6 else 0.0
    return codecs.opus(to_pcm(x), bits, loss, rng, fec=bool(rng.random() < 0.5))


def filed(x: np.ndarray, seed: list[int]) -> np.ndarray:
    """What recorders and video files do and nothing else: AAC or MP3 of 48 to 128 kbit/s at 44.1 or 48 kHz; 16-bit samples out."""
    rng = np.random.default_rng([*seed, 3])
    x = x / (np.abs(x).max() + 1e-6) * rng.uniform(0.15, 0.99)
    code = codecs.mp3 if rng.random() < 0.25 else codecs.aac
    return code(to_pcm(x), int(rng.choice([48, 64, 64, 96, 128])), int(rng.choice([44_100, 48_000])))


def suppressed(x: np.ndarray, seed: list[int]) -> np.ndarray:
    """What suppression of noise does, in every second chain of noise that was there; in two of five sent on at 32 to 64 kbit/s; 16-bit samples out."""
    rng = np.random.default_rng([*seed, 4])
    x = x / (np.abs(x).max() + 1e-6) * rng.uniform(0.15, 0.9)
    if rng.random() < 0.5:
        noise = tilted(rng.normal(0, 1, len(x)), rng.uniform(0, 1))
        x = x + noise / noise.std() * x.std() * 10 ** (-rng.uniform(10, 35) / 20)
    pcm, kind = to_pcm(x), rng.choice(["webrtc", "speex", "afftdn", "gating"], p=[0.45, 0.15, 0.2, 0.2])
    if kind == "webrtc":
        pcm = suppression.webrtc(pcm, int(rng.integers(1, 5)), int(rng.choice([0, 0, 3, 9])))
    elif kind == "speex":
        pcm = suppression.speex(pcm)
    elif kind == "afftdn":
        pcm = suppression.afftdn(pcm, rng.uniform(6, 35))
    else:
        pcm = suppression.gating(pcm, rng.uniform(0.6, 1), bool(rng.random() < 0.5))
    return codecs.opus(pcm, int(rng.choice([32, 48, 64])) * 1000) if rng.random() < 0.4 else pcm
