"""Read against free speech from sound alone: pauses, level, pitch and rate of 5 s, sources left out. Not shipped: too weak.

    python -m answers.sound --data corpus/audio
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import soundfile as sf
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

STEP = 160  # samples: 10 ms
PARTS = {"pauses": range(0, 8), "level": range(8, 10), "pitch": range(10, 14), "rate": range(14, 16)}


def features(x: np.ndarray) -> list[float] | None:
    x = x[:80_000]
    if len(x) < 24_000:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(x, 640)[::STEP]
    level = 10 * np.log10((frames[:, :400] ** 2).mean(1) + 1e-9)
    top = np.quantile(level, 0.95)
    active = level > max(top - 25, np.quantile(level, 0.05) + 6)
    edges = np.flatnonzero(np.diff(np.r_[0, active.astype(int), 0]))
    on, off = edges[::2], edges[1::2]
    runs, gaps = (off - on) * 0.01, (on[1:] - off[:-1]) * 0.01
    # pitch where the autocorrelation has a clear peak between 60 and 400 Hz
    window = np.hanning(640)
    spectrum = np.abs(np.fft.rfft((frames - frames.mean(1, keepdims=True)) * window, 2048)) ** 2
    own = np.fft.irfft(np.abs(np.fft.rfft(window, 2048)) ** 2)[:320]
    peaks = np.fft.irfft(spectrum)[:, :320]
    peaks = peaks / (peaks[:, :1] + 1e-9) / (own / own[0] + 1e-3)
    lag = peaks[:, 40:267].argmax(1) + 40
    voiced = active & (peaks[np.arange(len(peaks)), lag] > 0.55)
    pitch = 12 * np.log2(16_000 / lag[voiced] / 100) if voiced.sum() > 20 else np.zeros(2)
    moves = np.abs(np.diff(pitch))
    moves = moves[moves < 2]
    smooth = np.convolve(np.maximum(level, top - 35), np.hanning(9) / np.hanning(9).sum(), "same")
    beats = (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:]) & (smooth[1:-1] > top - 18)
    seconds, some = len(level) * 0.01, lambda v, f: f(v) if len(v) else 0.0
    return [
        active.mean(), (gaps > 0.15).sum() / seconds, (gaps > 0.4).sum() / seconds, some(gaps[gaps > 0.06], np.mean), some(gaps, np.max),
        some(runs, np.median), some(runs, np.max), some(runs, np.std), level[active].std(), np.abs(np.diff(smooth[active])).mean(),
        pitch.std(), np.quantile(pitch, 0.9) - np.quantile(pitch, 0.1), some(moves, np.mean), voiced.sum() / max(active.sum(), 1),
        beats.sum() / max(active.sum() * 0.01, 0.1), np.diff(np.flatnonzero(beats)).std() * 0.01 if beats.sum() > 3 else 0.0,
    ]


def left_out(x, y, source, folds=10):
    """Scores of a linear model by sources left out, every source weighed by the root of its size."""
    score, names = np.full(len(y), np.nan), sorted(set(source))
    np.random.default_rng(0).shuffle(names)
    for k in range(folds):
        test = np.isin(source, names[k::folds])
        mean, spread = x[~test].mean(0), x[~test].std(0) + 1e-6
        z = np.clip((x - mean) / spread, -4, 4)
        w = np.array([(source[~test] == s).sum() ** -0.5 for s in source[~test]])
        for c in (0, 1):
            w[y[~test] == c] /= w[y[~test] == c].sum()
        line = LogisticRegression(C=0.1, max_iter=500).fit(z[~test], y[~test], sample_weight=w * len(w))
        score[test] = line.decision_function(z[test])
    return score


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    a = parser.parse_args()
    found = []
    for r in csv.DictReader(open(a.data / "manifest.csv")):
        if r["label"] == "bonafide" and r["speaking_style"] in ("read", "spontaneous", "conversational"):
            x, _ = sf.read(a.data / r["path"], dtype="float32")
            row = features(x if x.ndim == 1 else x.mean(1))
            if row:
                found.append((row, r["speaking_style"] == "read", r["repo"], len(x) / 16_000))
    x, y, source, seconds = (np.array(c) for c in zip(*found))
    y = y.astype(int)
    score = left_out(x, y, source)
    weight = np.array([(source == s).sum() ** -0.5 for s in source])
    print(f"{len(y)} clips; sources: {len(set(source[y == 1]))} read, {len(set(source[y == 0]))} free")
    print(f"AUC {roc_auc_score(y, score):.3f}, sources weighed {roc_auc_score(y, score, sample_weight=weight):.3f}")
    for name, part in PARTS.items():
        print(f"  {name} alone {roc_auc_score(y, left_out(x[:, list(part)], y, source)):.3f}")
    print(f"  null test, length of the clip alone {roc_auc_score(y, left_out(seconds[:, None], y, source)):.3f}")
    read = {s: int(y[source == s].mean() > 0.5) for s in set(source)}
    shuffled = dict(zip(sorted(read), np.random.default_rng(1).permutation([read[s] for s in sorted(read)])))
    fake = np.array([shuffled[s] for s in source])
    print(f"  null test, labels shuffled by source {roc_auc_score(fake, left_out(x, fake, source)):.3f}")


if __name__ == "__main__":
    main()
