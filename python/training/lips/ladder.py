"""What calls do to picture and sound, rung by rung: python -m lips.ladder --data DIR --nets DIR --tag TAG --fit FIT.json [--corpus CORPUS]

Windows of 3 and 6 s of talkers not trained on, own against foreign sound, both through the same rung. With --corpus, 48 clips are also
encoded again and go through the whole of `inperson` before they are judged."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from metrics import bounded

from .report import RATE, Judge, best, pieces, profile, raw_of, talkers

CODECS = {
    "as it is": [], "H.264 150 kbit/s": ["-c:v", "libx264", "-b:v", "150k", "-preset", "veryfast"],
    "VP8 150 kbit/s": ["-c:v", "libvpx", "-b:v", "150k", "-deadline", "realtime", "-cpu-used", "8"],
    "96 px high": ["-vf", "scale=-2:96", "-c:v", "libx264", "-crf", "28", "-preset", "veryfast"],
    "64 px high": ["-vf", "scale=-2:64", "-c:v", "libx264", "-crf", "28", "-preset", "veryfast"],
    "a fifth of the light": ["-vf", "lutyuv=y=16+(val-16)*0.2,noise=alls=4:allf=t", "-c:v", "libx264", "-crf", "26", "-preset", "veryfast"],
    "blurred": ["-vf", "gblur=sigma=1.5", "-c:v", "libx264", "-crf", "26", "-preset", "veryfast"],
    "12 frames/s": ["-vf", "fps=12", "-c:v", "libx264", "-crf", "26", "-preset", "veryfast"],
    "Opus 12 kbit/s": ["-c:v", "copy", "-c:a", "libopus", "-b:a", "12k", "-ac", "1"],
}


def held(fps: float):
    return lambda rows, rng: (np.floor(np.floor(rows * fps / RATE + 1e-9) * RATE / fps + 1e-9)).astype(int)


def repeated(share: float):
    def change(rows, rng):
        rows = rows.copy()
        for k in np.flatnonzero(rng.random(len(rows)) < share):
            if k:
                rows[k] = rows[k - 1]
        return rows
    return change


def lost(share: float):
    def change(power, rng):
        power = power.copy()
        for k in np.flatnonzero(rng.random(len(power) // 2) < share):
            power[2 * k : 2 * k + 2] = 0
        return power
    return change


def late(ms: int, jitter: float = 0.0):
    def change(power, rng):
        wander = np.cumsum(rng.normal(0, jitter, len(power))) if jitter else 0
        wander = np.clip(wander, -4, 4)
        return power[np.clip(np.round(np.arange(len(power)) - ms / 10 + wander).astype(int), 0, len(power) - 1)]
    return change


same = lambda x, rng: x
RUNGS = [("as it is", same, same)]
RUNGS += [(f"{f:g} frames/s", held(f), same) for f in (20, 15, 12.5, 10, 8, 5)]
RUNGS += [(f"{s:.0%} of frames repeated", repeated(s), same) for s in (0.1, 0.3, 0.5)]
RUNGS += [(f"{s:.0%} of packets lost", same, lost(s)) for s in (0.05, 0.1, 0.2)]
RUNGS += [(f"sound {ms} ms late", same, late(ms)) for ms in (-400, -200, 200, 400, 600, 800)]
RUNGS += [("sound 400 ms late and wandering 40 ms", same, late(400, 0.4))]


def judged(lips, own, foreign, speech, fold, of, n, rng):
    """Agreement and seconds of windows with own and with foreign sound, of talkers of the same fold: others' taught the network that hears them."""
    out = []
    for i, k in of:
        others = [(j, m) for j, m in of if j != i and fold[j] == fold[i]]
        j, m = others[int(rng.integers(len(others)))]
        for y, (a, s) in enumerate((((own[i])[k : k + n], speech[i][k : k + n]), (foreign(j, i)[m : m + n], speech[j][m : m + n]))):
            lag, agree, seconds = best(profile(lips[i][k : k + n], a, s))
            out.append((y, agree, max(seconds, 0.5), 40 * lag))
    return np.array(out)


def line(name: str, found: dict, fit: dict) -> str:
    parts = []
    for n, x in found.items():
        llr = bounded(fit["slope"] * raw_of(fit, x[:, 1], x[:, 2]) + fit["offset"], fit["bound_low"], fit["bound_high"])
        g = x[:, 0] == 0
        parts.append(f"{n // RATE} s AUC {roc_auc_score(x[:, 0], -x[:, 1]):.3f} genuine LLR {llr[g].mean():+.2f}, over 0.5 {np.mean(llr[g] > 0.5):.3f}, foreign over 1 {np.mean(llr[~g] > 1):.2f}")
    return f"{name}: " + " | ".join(parts)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--tag", required=True)
    p.add_argument("--folds", default="0,1,2,3,4")
    p.add_argument("--fit", type=Path, required=True)
    p.add_argument("--corpus", type=Path)
    a = p.parse_args()
    torch.set_num_threads(1)
    judge, fit = Judge(a.data, a.nets, a.tag, [int(k) for k in a.folds.split(",")]), json.loads(a.fit.read_text())
    rows = talkers(judge)
    for name, picture, heard in RUNGS:
        rng = np.random.default_rng(1)
        lips = {i: judge.lips(i, picture(np.arange(len(judge.clips.mouths[i])), rng)) for i in rows}
        cache = {}
        def sound(j, i):
            key = (j, int(judge.clips.fold[i]))
            if key not in cache:
                cache[key] = judge.sound(j, i, change=lambda x: heard(x, rng))
            return cache[key]
        own = {i: sound(i, i) for i in rows}
        found = {n: judged(lips, own, sound, judge.speech, judge.clips.fold, [(i, k) for i, k, _ in pieces(judge, rows, n // RATE)], n, rng) for n in (75, 150)}
        print(line(name, found, fit), flush=True)
    if a.corpus:
        through(judge, fit, rows, a.corpus)


def through(judge: Judge, fit: dict, rows: list[int], corpus: Path) -> None:
    """Clips encoded again and looked at by the library."""
    import inperson

    from .prepare import stretches

    analyzer, t = inperson.Analyzer(checks=["capture"]), judge.clips.table
    rows = rows[:: max(1, len(rows) // 48)]
    for name, options in CODECS.items():
        rng, lips, power, speech = np.random.default_rng(1), {}, {}, {}
        for i in rows:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "clip.mkv"
                source = corpus / t.part[i] / t.path[i]
                subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", source, *(options or ["-c", "copy"]), path], check=True)
                runs = stretches(analyzer.observe(path))
            if not runs:
                continue
            run = max(runs, key=lambda r: len(r["mouth"]))
            at = np.arange(len(run["mouth"])) / RATE
            sound = np.pad(run["sound"], (0, max(0, len(at) * 640 - len(run["sound"]))))[: len(at) * 640]
            with torch.no_grad():
                power[i] = judge.net(i).bands.power(torch.from_numpy(sound / (np.sqrt(np.mean(sound**2)) + 1e-4) * 0.1)[None])[0].numpy()
            judge.clips.mouths[i], judge.clips.points[i], judge.clips.power[i] = run["mouth"], run["points"], power[i]
            speech[i] = np.any([(at >= x - 0.2) & (at < y + 0.2) for x, y in run["speech"]] or [at < 0], axis=0)
            lips[i] = judge.lips(i)
        seen = list(lips)
        cache = {}
        def sound_of(j, i):
            key = (j, int(judge.clips.fold[i]))
            if key not in cache:
                cache[key] = judge.sound(j, i)
            return cache[key]
        own = {i: sound_of(i, i) for i in seen}
        found = {n: judged(lips, own, sound_of, speech, judge.clips.fold, [(i, k) for i in seen for k in range(0, len(lips[i]) - n + 1, n)], n, rng) for n in (75,)}
        print(line(f"{name}, {len(seen)} of {len(rows)} clips with lips", found, fit), flush=True)


if __name__ == "__main__":
    main()
