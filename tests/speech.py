"""Speech detection: `earshot`, which the library uses, beside Silero VAD on the same sound, one core.

    python tests/speech.py CORPUS SILERO.onnx [--count 60]

Clips of the corpus are set between pauses of known place, in noise of known level, half of them through Opus at 16 kb/s.
A frame of 32 ms is speech where the clip alone is within 35 dB of its peak level, no speech inside a pause; frames of
clips that are quieter are left out, since nobody labelled them. Needs numpy, soundfile, onnxruntime and scikit-learn.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import soundfile
from sklearn.metrics import roc_auc_score

RATE, FRAME = 16_000, 512


def noise(n: int, kind: str, rng: np.random.Generator) -> np.ndarray:
    white = rng.normal(0, 1, n)
    if kind == "white":
        return white
    f = np.fft.rfftfreq(n, 1 / RATE)
    x = np.fft.irfft(np.fft.rfft(white) / np.sqrt(np.maximum(f, 50)), n)
    if kind == "typing":
        x *= 0.05
        for at in rng.integers(0, n - 800, n // 4000):
            x[at : at + 800] += rng.normal(0, 1, 800) * np.exp(-np.arange(800) / 90)
    return x / x.std()


def mixture(clips: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, str]:
    """Sound, and for each frame 1 speech, 0 pause, -1 not known."""
    kind, snr = str(rng.choice(["white", "pink", "typing"])), float(rng.choice([5, 15, 30]))
    parts, labels = [], []
    for clip in clips:
        gap = int(rng.uniform(0.8, 2.5) * RATE) // FRAME * FRAME
        parts += [np.zeros(gap), clip]
        n = len(clip) // FRAME
        level = 10 * np.log10(np.mean(clip.reshape(n, FRAME) ** 2, 1) + 1e-12)
        labels += [np.zeros(gap // FRAME), np.where(level > level.max() - 35, 1, -1)]
    x, y = np.concatenate(parts), np.concatenate(labels)
    loud = np.sqrt(np.mean(np.concatenate(clips) ** 2))
    x = x + noise(len(x), kind, rng) * loud * 10 ** (-snr / 20)
    return (0.3 * x / np.abs(x).max() * 2).astype(np.float32), y, f"{kind} {snr:.0f} dB"


class Silero:
    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.net = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def scores(self, x: np.ndarray) -> np.ndarray:
        names = [i.name for i in self.net.get_inputs()]
        state, rate, context = np.zeros((2, 1, 128), np.float32), np.array(RATE, np.int64), np.zeros(64, np.float32)
        out = []
        for i in range(len(x) // FRAME):
            chunk = np.concatenate([context, x[i * FRAME : (i + 1) * FRAME]])
            given = {n: state if "state" in n else rate if n == "sr" else chunk[None] for n in names}
            p, state = self.net.run(None, given)
            out.append(float(p.reshape(-1)[0]))
            context = chunk[-64:]
        return np.array(out)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("corpus", type=Path)
    p.add_argument("silero", type=Path)
    p.add_argument("--count", type=int, default=60)
    a = p.parse_args()
    rng = np.random.default_rng(0)
    folder = a.corpus / "audio"
    with open(folder / "manifest.csv", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["label"] == "bonafide"]
    # one clip of a repository at a time, so that no source dominates
    by_repo: dict[str, list[dict]] = {}
    for r in rows:
        by_repo.setdefault(r["repo"], []).append(r)
    repos = sorted(by_repo)
    silero = Silero(a.silero)
    with tempfile.TemporaryDirectory() as out:
        truth, rival, kinds, took, files = [], [], [], 0.0, []
        for i in range(a.count):
            clips = []
            for repo in rng.choice(repos, 3):
                x, _ = soundfile.read(folder / by_repo[repo][rng.integers(len(by_repo[repo]))]["path"], dtype="float32")
                clips.append(x[: len(x) // FRAME * FRAME] / (np.abs(x).max() + 1e-6))
            x, y, kind = mixture(clips, rng)
            path = Path(out) / f"{i}.wav"
            soundfile.write(path, x, RATE, subtype="PCM_16")
            if i % 2:
                coded = path.with_suffix(".opus.wav")
                opus = ["ffmpeg", "-v", "error", "-y", "-i", str(path), "-c:a", "libopus", "-b:a", "16k", "-application", "voip", "-f", "ogg", "-"]
                back = ["ffmpeg", "-v", "error", "-y", "-i", "-", "-ar", str(RATE), str(coded)]
                subprocess.run(back, input=subprocess.run(opus, capture_output=True, check=True).stdout, check=True)
                path, kind = coded, kind + " opus"
                x, _ = soundfile.read(path, dtype="float32")
            n = min(len(x) // FRAME, len(y))
            start = time.perf_counter()
            rival.append(silero.scores(x[: n * FRAME]))
            took += time.perf_counter() - start
            truth.append(y[:n])
            kinds.append(kind)
            files.append(path)
        command = ["cargo", "bench", "--quiet", "--package", "inperson", "--bench", "speech", "--", *map(str, files)]
        lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    ours, ours_took = [], 0.0
    for line, y in zip(lines, truth):
        _, seconds, scores = line.split("\t")
        s = np.array([float(v) for v in scores.split()])
        s = s[: len(s) // 2 * 2].reshape(-1, 2).max(1)
        ours.append(np.pad(s, (0, max(0, len(y) - len(s))))[: len(y)])
        ours_took += float(seconds)
    total = sum(map(len, truth)) * FRAME / RATE
    print(f"{a.count} mixtures, {total / 60:.0f} minutes; EER and misses/false alarms at 0.5, frames of 32 ms")
    for name in ("all", "5 dB", "15 dB", "30 dB", "white", "pink", "typing", "opus"):
        pick = [i for i, k in enumerate(kinds) if name == "all" or name in k]
        y = np.concatenate([truth[i] for i in pick])
        line = f"  {name:<8}"
        for who, scores in (("earshot", ours), ("silero", rival)):
            s = np.concatenate([scores[i] for i in pick])[y >= 0]
            t = y[y >= 0]
            grid = np.quantile(s, np.linspace(0, 1, 2001))
            miss = np.array([np.mean(s[t == 1] < g) for g in grid])
            false = np.array([np.mean(s[t == 0] >= g) for g in grid])
            eer = float((miss + false)[np.argmin(np.abs(miss - false))] / 2)
            line += f"   {who} AUC {roc_auc_score(t, s):.4f} EER {eer:.3f} misses {np.mean(s[t == 1] < 0.5):.3f} false {np.mean(s[t == 0] >= 0.5):.3f}"
        print(line)
    print(f"  time: earshot {total / ours_took:.0f}, silero {total / took:.0f} times real time")


if __name__ == "__main__":
    main()
