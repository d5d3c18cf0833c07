"""Decodes the corpus once and puts every repository into one of five folds.

    python -m voice.prepare --corpus CORPUS --data DIR [--without-licence REGEX]

Folds keep repositories whole. Systems and speaker corpora recur in many repositories, so that uniting all that share
one leaves a single group; `training` therefore leaves out of each fold's training part whatever shares a system, or a
speaker corpus other than the four that occur everywhere (VCTK, LibriTTS, LibriSpeech, LJSpeech), with its test part.
"""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from .codecs import opus
from .store import RATE, Writer, to_pcm

FOLDS = 5
COLUMNS = ("path", "label", "system", "family", "repo", "language", "speaker_or_corpus", "speaking_style", "channel", "license_note")
# versions and reimplementations of one system
PRODUCTS = (
    "vall-e", "cosyvoice", "dualcodec", "naturalspeech", "voicebox", "mega-tts", "styletts", "yourtts", "univnet", "bigvgan", "soundstorm",
    "flashspeech", "maskgct", "metis", "uniaudio", "openai", "bark", "freevc", "diffvc", "vits", "hifigan", "e1-tts", "ditto", "mimic3",
    "autovc", "wavegrad", "vall-t", "ardit", "lvc-vc", "encodec", "coqui",
)
EVERYWHERE = ("vctk", "ljspeech", "librispeech", "libritts", "mls", "gt", "unknown", "")


def product(system: str) -> str:
    return next((p for p in PRODUCTS if system.startswith(p)), system)


def corpora(names: str) -> set[str]:
    """The speaker corpora that a note names, without those that occur everywhere and numbers of speakers."""
    parts = {n.strip().lower() for n in names.split("/")}
    return {n for n in parts if len(n) > 3 and not any(n == e or (e and n.startswith(e + "-")) for e in EVERYWHERE)}


def training(table: pd.DataFrame, fold: int) -> np.ndarray:
    """Which clips may be trained on when `fold` is tested: nothing of its repositories, systems or speaker corpora."""
    test = table[table.fold == fold]
    systems = {product(s) for s in test.system[test.label == "spoof"]}
    speakers = set().union(*map(corpora, test.speaker_or_corpus)) if len(test) else set()
    shares = [(r.label == "spoof" and product(r.system) in systems) or bool(corpora(r.speaker_or_corpus) & speakers) for r in table.itertuples()]
    return ((table.fold != fold) & ~np.array(shares)).to_numpy()


def folds(table: pd.DataFrame, tries: int = 300) -> pd.Series:
    """The fold of every repository: families even, as little as possible left out because it is shared."""
    kinds = table.family.unique()
    counts = table.groupby(["repo", "family"]).size().unstack(fill_value=0)[kinds]
    total = counts.sum().to_numpy()
    best, held = np.inf, None
    for seed in range(tries):
        rng = np.random.default_rng(seed)
        order = sorted(range(len(counts)), key=lambda i: -counts.iloc[i].sum() * rng.uniform(0.6, 1.4))
        sums, chosen = np.zeros((FOLDS, len(kinds))), np.zeros(len(counts), int)
        for i in order:
            after = sums + counts.iloc[i].to_numpy()
            cost = [(((np.where(np.arange(FOLDS)[:, None] == k, after, sums) / total) ** 2).sum()) for k in range(FOLDS)]
            chosen[i] = int(np.argmin(cost))
            sums[chosen[i]] += counts.iloc[i].to_numpy()
        fold = table.repo.map(dict(zip(counts.index, chosen)))
        trial = table.assign(fold=fold)
        kept = np.mean([training(trial, k).sum() for k in range(FOLDS)]) / len(table)
        cost = ((sums / total - 1 / FOLDS) ** 2).sum() - kept
        if cost < best:
            best, held = cost, fold
    return held


def sound(path: Path) -> np.ndarray:
    """The sound of a video, 16 kHz mono."""
    run = subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(path), "-vn", "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"], capture_output=True, check=True)
    return np.frombuffer(run.stdout, np.int16)


def rows_of(path: Path) -> list[dict]:
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--without-licence", type=re.compile, help="leave out material whose licence note matches this")
    a = p.parse_args()
    keep = lambda r: not (a.without_licence and a.without_licence.search(r["license_note"]))
    out = Writer(a.data, "clips")
    for r in filter(keep, rows_of(a.corpus / "audio/manifest.csv")):
        x, rate = soundfile.read(a.corpus / "audio" / r["path"], dtype="float32")
        if rate == RATE and len(x) >= RATE // 2:
            out.add(to_pcm(x), part="audio", **{k: r[k] for k in COLUMNS})
    # genuine talkers to a camera, and videos whose voice is known: through the same codec as the rest
    for r in filter(keep, rows_of(a.corpus / "talkers/manifest.csv")):
        x = opus(sound(a.corpus / "talkers" / r["path"]), 32_000)
        row = dict.fromkeys(COLUMNS, "") | {k: r[k] for k in ("path", "repo", "language", "license_note")}
        row |= {"label": "bonafide", "family": "human", "system": "gt-talkers", "speaking_style": "spontaneous", "speaker_or_corpus": r["identity_hint"]}
        if len(x) >= RATE:
            out.add(x[: 6 * RATE], part="talkers", **row)
    table = out.close()
    table["fold"] = folds(table)
    table["clip"] = np.arange(len(table))
    table.to_csv(a.data / "clips.csv", index=False)
    print(table.groupby(["fold", "family"]).size().unstack(fill_value=0))
    for k in range(FOLDS):
        print("fold", k, "trains on", int(training(table, k).sum()), "of", int((table.fold != k).sum()), "clips outside it")


if __name__ == "__main__":
    main()
