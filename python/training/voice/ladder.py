"""What codecs, lost packets, noise, length and silence do to out-of-fold scores, beside AASIST.

    python -m voice.ladder --data DIR --nets DIR --recipe NAME [--count 200] [--rival aasist.onnx] [--nulls]
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import torch

from . import codecs
from .bands import Bands
from .evaluate import load, session, together
from .metrics import apcer, auc, eer
from .prepare import FOLDS
from .store import RATE, Clips, to_float, to_pcm
from .train import speech_only


def floored(x: np.ndarray, rng: np.random.Generator, db: float) -> np.ndarray:
    """White noise at a level below the whole: the noise floor of all clips becomes the same."""
    return x + rng.normal(0, x.std() * 10 ** (-db / 20), len(x))


def low_pass(x: np.ndarray, cut: float) -> np.ndarray:
    s = np.fft.rfft(x)
    s[int(cut / RATE * len(x)) :] = 0
    return np.fft.irfft(s, len(x))


def conditions(rng: np.random.Generator) -> dict:
    on_pcm = {f"Opus {k}k": (lambda x, k=k: codecs.opus(x, k * 1000)) for k in (6, 16, 64)}
    on_pcm |= {f"Opus 16k, {q} % lost": (lambda x, q=q: codecs.opus(x, 16_000, q / 100, rng)) for q in (5, 10, 20)}
    on_pcm |= {"AMR 12.2k": lambda x: codecs.amr(x, 12.2), "G.711": codecs.g711, "AAC 32k": lambda x: codecs.aac(x, 32), "MP3 32k": lambda x: codecs.mp3(x, 32)}
    sound = {f"noise {d} dB": (lambda x, d=d: floored(x, rng, d)) for d in (25, 15)} | {"under 4 kHz": lambda x: low_pass(x, 4000), "under 7 kHz": lambda x: low_pass(x, 7000)}
    return {"as it is": lambda x: x} | on_pcm | {k: (lambda x, f=f: to_pcm(f(to_float(x)))) for k, f in sound.items()}


def balanced(table, rng: np.random.Generator, count: int) -> np.ndarray:
    """As many genuine as spoofed clips of each fold, repositories weighing to the root of their size."""
    use = table[(table.part == "audio") & (table.samples >= 3 * RATE)]
    out = []
    for (_, _), g in use.groupby(["fold", "label"]):
        p = g.groupby("repo").path.transform("size").to_numpy() ** -0.5
        out.append(rng.choice(g.index, min(len(g), count // 2 // FOLDS), replace=False, p=p / p.sum()))
    return np.concatenate(out)


def nulls(clips: Clips, bands: list[Bands], nets: list[list], pick: np.ndarray, label: np.ndarray, fold: np.ndarray) -> None:
    """What tells the classes apart without a voice, and what the networks make of pauses alone."""
    loud = lambda x: np.sqrt((x[: len(x) // 320 * 320].reshape(-1, 320).astype(np.float32) ** 2).mean(1)) + 1
    simple = {"length": len, "noise floor": lambda x: np.log(np.quantile(loud(x), 0.05) / loud(x).mean())}
    simple["top band"] = lambda x: np.log1p((np.abs(np.fft.rfft(x.astype(float))) ** 2)[int(len(x) * 0.425) :].sum()) - np.log1p((x.astype(float) ** 2).sum())
    for name, f in simple.items():
        a = auc(np.array([f(clips[i]) for i in pick], float), label)
        print(f"null, {name} alone: AUC {max(a, 1 - a):.2f}", flush=True)
    heard, which = [], []
    for at, i in enumerate(pick):
        found = []
        for net, b in zip(nets[fold[at]], bands):
            x, second = b[i].astype(np.float32), RATE // net.front.hop
            level = np.max(x[:, x.shape[1] // 32 :], 1)
            x = x[level < np.quantile(level, 0.95) - 6]
            if len(x) >= 0.4 * second:
                x = np.tile(x, (-(-2 * second // len(x)), 1))[: 2 * second]
                found.append(float(net.judge(net.front.features(torch.from_numpy(x)[None].exp()))[0]))
        if found:
            heard.append(np.mean(found))
            which.append(at)
    print(f"null, the networks on pauses alone: AUC {auc(np.array(heard), label[which]):.2f} of {len(which)} clips", flush=True)


@torch.inference_mode()
def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--recipe", required=True)
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--rival", type=Path)
    p.add_argument("--nulls", action="store_true")
    p.add_argument("--only", type=re.compile, default=re.compile(""), help="conditions whose names match this")
    a = p.parse_args()
    torch.set_num_threads(1)
    clips, rng = Clips(a.data, "clips"), np.random.default_rng(5)
    table = clips.table
    pick = balanced(table, rng, a.count)
    label, fold = (table.label[pick] == "spoof").to_numpy().astype(int), table.fold[pick].to_numpy()
    names = a.recipe.split("+")
    nets = [[load(a.nets, n, k) for n in names] for k in range(FOLDS)]
    print(f"{len(pick)} clips, {int((label == 0).sum())} genuine")
    bands = [Bands(a.data, "clips", n.split("-")[0], net.front) for n, net in zip(names, nets[0])]
    if a.nulls:
        nulls(clips, bands, nets, pick, label, fold)
    for name, change in conditions(rng).items():
        if name != "as it is" and not a.only.search(name):
            continue
        found = np.zeros(len(pick))
        for at, i in enumerate(pick):
            x = torch.from_numpy(to_float(change(clips[i])))[None]
            frames = [[torch.log(net.front.bands(x)[0] + 1e-7).to(torch.float16).numpy()] for net in nets[0]]
            found[at] = together(nets[fold[at]], frames, [0])[0].mean()
        false = float((found[label == 0] > held).mean()) if name != "as it is" else 0.05
        if name == "as it is":
            held = np.quantile(found[label == 0], 0.95)
        print(f"{name}: EER {eer(found, label):.3f} AUC {auc(found, label):.3f} APCER@5 {apcer(found, label, 0.05):.3f} false alarms at the first line's threshold {false:.3f}", flush=True)
    speech = np.array([
        together(nets[fold[at]], [[speech_only(b[i], net.front.hop)] for b, net in zip(bands, nets[0])], [0])[0].mean() for at, i in enumerate(pick)])
    print(f"pauses left out: EER {eer(speech, label):.3f} AUC {auc(speech, label):.3f}", flush=True)
    if a.rival:
        rival = session(a.rival)
        name, outs = rival.get_inputs()[0].name, []
        for i in pick:
            outs.append(rival.run(None, {name: np.resize(to_float(clips[i]), 64600)[None]})[0][0])
        found = np.array([spoof - genuine for spoof, genuine in outs])
        print(f"AASIST: EER {eer(found, label):.3f} AUC {auc(found, label):.3f} APCER@5 {apcer(found, label, 0.05):.3f}", flush=True)


if __name__ == "__main__":
    main()
