"""Decodes the clips once, a quarter of them through a codec of calls as well.

    python -m voice.prepare --corpus CORPUS --out DIR [--without-licence REGEX]
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


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
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
    with open(a.out / "clips.pickle", "wb") as f:
        pickle.dump(items, f)
    print("clips", len(items), {q: sum(i["part"] == q for i in items) for q in ("train", "calibrate", "test")})


if __name__ == "__main__":
    main()
