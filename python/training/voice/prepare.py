"""Decodes the clips once, sends each through a codec of calls, and makes fake twins of genuine ones.

    python -m voice.prepare --corpus CORPUS --out DIR [--without-licence REGEX] [--twins 900]
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import pickle
import re
import subprocess
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
CODECS = (
    ("ogg", ["-c:a", "libopus", "-b:a", "12k"]), ("ogg", ["-c:a", "libopus", "-b:a", "24k"]), ("ogg", ["-c:a", "libopus", "-b:a", "48k"]),
    ("mp3", ["-c:a", "libmp3lame", "-b:a", "48k"]), ("adts", ["-c:a", "aac", "-b:a", "40k"]), ("wav", ["-ar", "8000", "-c:a", "pcm_mulaw"]),
)


def share(text: str) -> float:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


def part(row: dict) -> str:
    """Whole repositories are for training, calibration or test."""
    s = share(row["repo"])
    return "test" if s < 0.22 else "calibrate" if s < 0.34 else "train"


def coded(x: np.ndarray, form: str, args: list[str]) -> np.ndarray:
    raw = ["-f", "s16le", "-ar", str(RATE), "-ac", "1"]
    a = subprocess.run(["ffmpeg", "-v", "error", *raw, "-i", "-", *args, "-f", form, "-"], input=x.tobytes(), capture_output=True, check=True)
    b = subprocess.run(["ffmpeg", "-v", "error", "-i", "-", *raw, "-"], input=a.stdout, capture_output=True, check=True)
    return np.frombuffer(b.stdout, np.int16)


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
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--twins", type=int, default=900)
    p.add_argument("--without-licence", type=re.compile, help="leave out material whose licence note matches this")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    folder = a.corpus / "audio"
    with open(folder / "manifest.csv", newline="") as f:
        rows = [r for r in csv.DictReader(f) if not (a.without_licence and a.without_licence.search(r["license_note"]))]
    rng = np.random.default_rng(1)
    items = []
    for i, r in enumerate(rows):
        x, rate = soundfile.read(folder / r["path"], dtype="float32")
        if rate != RATE or len(x) < RATE // 2:
            continue
        x = (np.clip(x, -1, 1) * 32767).astype(np.int16)
        item = {k: r[k] for k in ("path", "label", "system", "family", "repo", "language", "speaker_or_corpus", "speaking_style", "license_note")}
        item |= {"part": part(r), "pcm": x, "coded": coded(x, *CODECS[rng.integers(len(CODECS))]) if rng.random() < 0.25 else x}
        items.append(item)
        if i % 500 == 0:
            print(i, flush=True)
            with open(a.out / "clips.pickle", "wb") as f:
                pickle.dump(items, f)
    genuine = [i for i in items if i["label"] == "bonafide" and i["part"] == "train"]
    for n, j in enumerate(rng.permutation(len(genuine))[: a.twins]):
        source = genuine[j]
        name, make = (("world", world), ("griffin-lim", griffin_lim))[n % 2]
        y = np.clip(make(source["pcm"], rng), -1, 1)
        y = (y * 32767).astype(np.int16)
        items.append(source | {"label": "spoof", "system": f"twin-{name}", "family": "twin", "repo": "twins", "pcm": y, "coded": y})
    with open(a.out / "clips.pickle", "wb") as f:
        pickle.dump(items, f)
    print("clips", len(items), {q: sum(i["part"] == q for i in items) for q in ("train", "calibrate", "test")})


if __name__ == "__main__":
    main()
