"""Error rates and calibration of the voice model on whole repositories that it was not trained on.

    python -m voice.evaluate --data DIR --model model.onnx --out DIR [--rival aasist.onnx] [--ladder]

Recordings are heard as the library hears them: pauses out, 2.4 s at a time, every second; the mean logit of n
listenings times n / (n + 1). The repositories of the part `calibrate` give slope and offset; `test` gives the figures.
"""

from __future__ import annotations

import argparse
import collections
import json
from pathlib import Path
import pickle

import numpy as np
import onnxruntime
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from .prepare import RATE, coded

LENGTH = int(2.4 * RATE)
LADDER = {
    "opus 6k": ("ogg", ["-c:a", "libopus", "-b:a", "6k"]), "opus 16k": ("ogg", ["-c:a", "libopus", "-b:a", "16k"]),
    "opus 64k": ("ogg", ["-c:a", "libopus", "-b:a", "64k"]), "mp3 32k": ("mp3", ["-c:a", "libmp3lame", "-b:a", "32k"]),
    "g711": ("wav", ["-ar", "8000", "-c:a", "pcm_mulaw"]),
}


def levels(x: np.ndarray) -> np.ndarray:
    """Power of 20 ms frames."""
    return (x[: len(x) // 320 * 320].reshape(-1, 320) ** 2).mean(1)


def speech(x: np.ndarray) -> np.ndarray:
    """Frames more than 35 dB under the loud ones are pauses; those and their neighbours' lack of speech go."""
    e = levels(x)
    keep = np.convolve(e > np.quantile(e, 0.95) * 10**-3.5, np.ones(7), "same") > 0
    return x[: len(e) * 320].reshape(-1, 320)[keep].ravel()


def windows(x: np.ndarray) -> np.ndarray:
    if len(x) < LENGTH:
        return np.tile(x, -(-LENGTH // max(1, len(x))))[None, :LENGTH]
    return np.stack([x[i : i + LENGTH] for i in range(0, len(x) - LENGTH + 1, RATE)])


class Listener:
    def __init__(self, path: Path):
        o = onnxruntime.SessionOptions()
        o.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), o, providers=["CPUExecutionProvider"])

    def __call__(self, x: np.ndarray) -> float:
        w = windows(speech(x))[:8]
        s = self.session.run(["score"], {"audio": w.astype(np.float32)})[0]
        return float(s.mean() * len(s) / (len(s) + 1))


class Rival:
    """AASIST hears 64600 samples; the second of its two outputs stands for bona fide."""

    def __init__(self, path: Path):
        o = onnxruntime.SessionOptions()
        o.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), o, providers=["CPUExecutionProvider"])
        self.name = self.session.get_inputs()[0].name

    def __call__(self, x: np.ndarray) -> float:
        x = np.tile(x, -(-64600 // len(x)))[:64600]
        out = [o for o in self.session.run(None, {self.name: x[None].astype(np.float32)}) if o.shape[-1] == 2][0]
        return float(out[0, 0] - out[0, 1])


def eer(y: np.ndarray, s: np.ndarray) -> float:
    t = np.sort(s)
    miss = np.searchsorted(np.sort(s[y]), t) / y.sum()
    alarm = 1 - np.searchsorted(np.sort(s[~y]), t) / (~y).sum()
    i = np.argmin(abs(miss - alarm))
    return float((miss[i] + alarm[i]) / 2)


def figures(y: np.ndarray, s: np.ndarray) -> dict:
    line = np.quantile(s[~y], 0.95)
    return {"n": len(y), "eer": eer(y, s), "auc": roc_auc_score(y, s), "apcer5": float((s[y] <= line).mean())}


def cllr(y: np.ndarray, llr: np.ndarray) -> float:
    return float((np.log2(1 + np.exp(-llr[y])).mean() + np.log2(1 + np.exp(llr[~y])).mean()) / 2)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--rival", type=Path)
    p.add_argument("--ladder", action="store_true")
    a = p.parse_args()
    with open(a.data / "clips.pickle", "rb") as f:
        clips = [c for c in pickle.load(f) if c["part"] != "train"]
    hear, say = Listener(a.model), lambda *t: print(*t, flush=True)
    sound = [c["pcm"].astype(np.float32) / 32768 for c in clips]
    y = np.array([c["label"] == "spoof" for c in clips])
    held = np.array([c["part"] == "test" for c in clips])
    s = np.array([hear(x) for x in sound])
    fit = LogisticRegression(class_weight="balanced", C=10.0).fit(s[~held, None], y[~held])
    slope, offset = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    limit = min(3.0, float(np.log((~y[~held]).sum())))
    llr = np.clip(slope * s + offset, -limit, limit)
    ends = np.quantile(s[~held], [0, 1])
    result = {"slope": slope, "offset": offset, "range": ends.tolist(), "bounds": [-limit, limit], "all": figures(y[held], s[held])}
    result["all"] |= {"cllr": cllr(y[held], llr[held]), "out_of_range": float(((s[held] < ends[0]) | (s[held] > ends[1])).mean())}
    result["all"]["false_alarms_llr_over_1"] = float((llr[held & ~y] > 1).mean())
    say(json.dumps(result))
    line = np.quantile(s[held & ~y], 0.95)
    for key in ("family", "system", "speaking_style", "language"):
        rows = []
        for v, n in collections.Counter(c[key] for c, h in zip(clips, held) if h).items():
            of = held & np.array([c[key] == v for c in clips])
            if n < 8:
                continue
            if key in ("family", "system"):
                if y[of].all():
                    rows.append((figures(*[np.concatenate([q[of], q[held & ~y]]) for q in (y, s)])["eer"], v, n, "missed at 5 %", float((s[of] <= line).mean())))
                else:
                    rows.append((float((s[of & ~y] > line).mean()), v, n, "false alarms at the line of 5 %", 0.0))
            elif (y[of]).any() and (~y[of]).any():
                rows.append((eer(y[of], s[of]), v, n, "", float((llr[of & ~y] > 1).mean())))
        result[key] = sorted(rows, reverse=True)
        say(key, *[f"\n  {r[0]:.3f} {r[1]} n={r[2]} {r[3]} {r[4]:.3f}" for r in result[key]])
    with open(a.out / "figures.json", "w") as f:
        json.dump(result, f, indent=1)
    # what gives the recording away without its voice; sound only, whole parts mixed
    e = [levels(x) + 1e-12 for x in sound]
    spectra = [abs(np.fft.rfft(x)) ** 2 for x in sound]
    for name, z in {
        "length": [len(x) for x in sound], "noise floor": [np.log(np.quantile(v, 0.05)) for v in e],
        "top band": [np.log(v[len(v) * 7 // 8 :].sum() / v.sum() + 1e-12) for v in spectra],
    }.items():
        v = roc_auc_score(y[held], np.array(z)[held])
        say("null on the raw recordings", name, f"{max(v, 1 - v):.3f}", "model against it", f"{np.corrcoef(np.array(z)[held], s[held])[0, 1]:.3f}")
    rng = np.random.default_rng(3)
    some = rng.choice(np.flatnonzero(held), min(240, held.sum()), replace=False)
    say("subset", figures(y[some], s[some]))
    if a.ladder:
        floor = [sound[i] + rng.normal(0, np.sqrt(e[i].mean()) * 10**-1.25, len(sound[i])) for i in some]
        say("noise floor equalised at 25 dB", figures(y[some], np.array([hear(x) for x in floor])))
        for name, how in LADDER.items():
            z = np.array([hear(coded(clips[i]["pcm"], *how).astype(np.float32) / 32768) for i in some])
            say(name, figures(y[some], z))
    if a.rival:
        rival = Rival(a.rival)
        say("rival on the subset", figures(y[some], np.array([rival(sound[i]) for i in some])))


if __name__ == "__main__":
    main()
