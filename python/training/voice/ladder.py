"""What codecs, lost packets, noise, length and silence do to out-of-fold scores, beside AASIST.

    python -m voice.ladder --data DIR --nets DIR [--count 200] [--least 3] [--rival aasist.onnx] [--nulls]
        [--only REGEX] [--seeds 5 6 7]
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from graphs import session
from metrics import apcer, auc, eer

from . import codecs, suppression
from .augment import low_pass
from .evaluate import bounds, few, line, score, weights
from .models import NOTHING, PARTS, Verdict, load, verdict
from .pauses import levels, quiet
from .prepare import FOLDS
from .report import lines, ratios
from .store import RATE, Clips, to_float, to_pcm
from .textures import LEAST, LENGTH, hear, windows


# clips of the null tests
NULLS = 1000


def floored(x: np.ndarray, rng: np.random.Generator, db: float) -> np.ndarray:
    """White noise at a level below the whole: the noise floor of all clips becomes the same."""
    return x + rng.normal(0, x.std() * 10 ** (-db / 20), len(x))


def floor(x: np.ndarray) -> float:
    """Level of the quietest twentieth of frames of 20 ms, decibels under the mean level."""
    level = np.sqrt((x[: len(x) // 320 * 320].reshape(-1, 320).astype(np.float32) ** 2).mean(1)) + 1e-5 * np.abs(x).max() + 1e-9
    return float(20 * np.log10(level.mean() / np.quantile(level, 0.05)))


def raised(x: np.ndarray, rng: np.random.Generator, db: float) -> np.ndarray:
    """White noise where it takes some to bring the noise floor to so much under the mean level: the floor of all such clips becomes the same."""
    level = np.sqrt((x[: len(x) // 320 * 320].reshape(-1, 320) ** 2).mean(1)).mean()
    lacks = 10 ** (-db / 10) - 10 ** (-floor(x) / 10)
    return x + rng.normal(0, level * max(lacks, 0) ** 0.5 + 1e-9, len(x))


def filled(x: np.ndarray, rng: np.random.Generator, db: float) -> np.ndarray:
    """Pauses as the same noise in all clips: so much under the mean level."""
    level = levels(x)
    speech = np.convolve(level > np.quantile(level, 0.95) * 10**-1.3, np.ones(800) / 800, "same")
    speech = np.convolve(speech > 1e-6, np.ones(160) / 160, "same")
    return x * speech + rng.normal(0, level.mean() * 10 ** (-db / 20), len(x)) * (1 - speech)


def conditions(rng: np.random.Generator) -> dict:
    on_pcm = {f"Opus {k}k": (lambda x, k=k: codecs.opus(x, k * 1000)) for k in (6, 16, 64)}
    on_pcm |= {f"Opus 16k, {q} % lost": (lambda x, q=q: codecs.opus(x, 16_000, q / 100, rng)) for q in (5, 10, 20)}
    on_pcm |= {"AMR 12.2k": lambda x: codecs.amr(x, 12.2), "G.711": codecs.g711}
    on_pcm |= {f"AAC {k}k": (lambda x, k=k: codecs.aac(x, k)) for k in (32, 64)} | {f"MP3 {k}k": (lambda x, k=k: codecs.mp3(x, k)) for k in (32, 64)}
    on_pcm |= {f"AAC {k}k at 48 kHz": (lambda x, k=k: codecs.aac(x, k, 48_000)) for k in (64, 96, 128)}
    on_pcm |= {f"WebRTC's suppression, level {k}": (lambda x, k=k: suppression.webrtc(x, k)) for k in (2, 3)} | {f"afftdn {k} dB": (lambda x, k=k: suppression.afftdn(x, k)) for k in (12, 30)}
    on_pcm |= {"Speex' suppression": suppression.speex, "spectral gating": suppression.gating, "RNNoise, not met": suppression.rnnoise}
    sound = {f"noise {d} dB": (lambda x, d=d: floored(x, rng, d)) for d in (25, 15)} | {"under 4 kHz": lambda x: low_pass(x, 4000), "under 7 kHz": lambda x: low_pass(x, 7000)}
    sound |= {"noise floor at 30 dB": lambda x: raised(x, rng, 30), "pauses filled alike": lambda x: filled(x, rng, 40)}
    sound |= {"pauses left out": speech_only}
    return {"as it is": lambda x: x} | on_pcm | {k: (lambda x, f=f: to_pcm(f(to_float(x)))) for k, f in sound.items()}


def balanced(table, rng: np.random.Generator, count: int, least: float = 3) -> np.ndarray:
    """As many genuine as spoofed clips of each fold, of so many seconds and more, repositories weighing to the root of their size."""
    use = table[(table.part == "audio") & (table.samples >= least * RATE)]
    out = []
    for (_, _), g in use.groupby(["fold", "label"]):
        p = g.groupby("repo").path.transform("size").to_numpy() ** -0.5
        out.append(rng.choice(g.index, min(len(g), count // 2 // FOLDS), replace=False, p=p / p.sum()))
    return np.concatenate(out)


def speech_only(x: np.ndarray) -> np.ndarray:
    """Without pauses of more than about 0.2 s: the check hears speech only."""
    level = levels(x)
    keep = np.convolve(level > np.quantile(level, 0.95) * 10**-1.5, np.ones(2720), "same") > 0.5
    return x[keep] if keep.sum() > RATE else x


def listen(net: Verdict, x: np.ndarray) -> tuple[float, np.ndarray]:
    """The logit of a clip, and those that it is not to be judged."""
    found = score(net, hear(net.front, windows(x)).astype(np.float32))
    return float(verdict(found[: len(PARTS)], net.worth.numpy()[:, None])[0]), found[len(PARTS) :, 0]


def nulls(clips: Clips, nets: list[Verdict], pick: np.ndarray, over: np.ndarray) -> None:
    """What tells the classes apart without a voice, and what the networks make of pauses alone, which are not judged `over` these bounds."""
    label, fold = (clips.table.label[pick] == "spoof").to_numpy().astype(int), clips.table.fold[pick].to_numpy()
    simple = {"length": len, "noise floor": floor}
    simple["top band"] = lambda x: np.log1p((np.abs(np.fft.rfft(x.astype(float))) ** 2)[int(len(x) * 0.425) :].sum()) - np.log1p((x.astype(float) ** 2).sum())
    for name, f in simple.items():
        a = auc(np.array([f(clips[i]) for i in pick], float), label)
        print(f"null, {name} alone: AUC {max(a, 1 - a):.2f}", flush=True)
    heard = {at: listen(nets[fold[at]], np.resize(x, 2 * RATE)) for at, i in enumerate(pick) if (x := quiet(to_float(clips[i]))) is not None}
    logit, why = (np.array([v[k] for v in heard.values()]) for k in (0, 1))
    y, known = label[list(heard)], (why > over).any(1)
    shares = ", ".join(f"{known[y == k].mean():.2f} of {(y == k).sum()}" for k in (0, 1))
    said = auc(np.where(known, NOTHING, logit), y)
    print(f"null, the networks on pauses alone: AUC {said:.2f} of {len(y)} clips; not judged {shares} genuine and synthetic; were all judged {auc(logit, y):.2f}", flush=True)


def matched(clips: Clips, held: pd.DataFrame, rng: np.random.Generator) -> None:
    """Out-of-fold scores of all clips, and of as many genuine as synthetic ones at each decibel of the noise floor."""
    table = clips.table
    use = np.flatnonzero((table.part == "audio") & (table.samples >= 2 * RATE))
    raw, label = few(held["mean"].to_numpy(), held["seconds"].to_numpy())[use], (table.label[use] == "spoof").to_numpy().astype(int)
    level = np.array([floor(to_float(clips[i])) for i in use])
    pick = []
    for _, at in pd.Series(np.arange(len(use))).groupby(np.floor(level)):
        sides = [at.to_numpy()[label[at] == k] for k in (0, 1)]
        pick += [rng.choice(side, min(map(len, sides)), replace=False) for side in sides]
    for name, some in (("all clips", np.arange(len(use))), ("as many of both at each decibel of the noise floor", np.concatenate(pick))):
        s, y, noise = raw[some], label[some], auc(level[some], label[some])
        print(f"{name}: n {len(some)}, noise floor alone AUC {max(noise, 1 - noise):.2f}, the networks AUC {auc(s, y):.3f} EER {eer(s, y):.3f}", flush=True)


@torch.inference_mode()
def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--least", type=float, default=3, help="seconds of the shortest clips; of 2 s all that are judged")
    p.add_argument("--rival", type=Path)
    p.add_argument("--nulls", action="store_true")
    p.add_argument("--only", type=re.compile, default=re.compile(""), help="conditions whose names match this")
    p.add_argument("--seeds", type=int, nargs="+", default=[5], help="draws of the packets that are lost and of noise, one of each")
    a = p.parse_args()
    torch.set_num_threads(1)
    clips = Clips(a.data, "clips")
    table = clips.table
    pick = balanced(table, np.random.default_rng(5), a.count, a.least)
    label, fold, long = (table.label[pick] == "spoof").to_numpy().astype(int), table.fold[pick].to_numpy(), (table.samples[pick] >= 3 * RATE).to_numpy()
    nets = [load(a.nets, k) for k in range(FOLDS)]
    for n, worth in zip(nets, np.load(a.nets / "worth.npy")):
        n.worth.copy_(torch.from_numpy(worth))
    print(f"{len(pick)} clips, {int((label == 0).sum())} genuine")
    held = pd.read_csv(a.nets / "scores-clips.csv", index_col="clip")
    use = (table.samples >= LEAST).to_numpy()
    by = lines(few(held["mean"], held["seconds"]).to_numpy()[use], (table.label[use] == "spoof").to_numpy().astype(int), table.fold[use].to_numpy(), weights(table[use]))
    if a.nulls:
        # of 160 clips an area under the curve is good to five points only
        nulls(clips, nets, balanced(table, np.random.default_rng(5), NULLS), bounds(held[use]))
        matched(clips, held, np.random.default_rng(6))
    for turn, seed in enumerate(a.seeds):
        for name, change in conditions(np.random.default_rng(seed)).items():
            if not (turn == 0 if name == "as it is" else a.only.search(name)):
                continue
            changed = [to_float(change(clips[i])) for i in pick]
            found = np.array([listen(nets[k], x)[0] for k, x in zip(fold, changed)])
            noise = auc(np.array([floor(x) for x in changed]), label)
            llr = ratios(few(found, np.minimum([len(x) for x in changed], LENGTH) / RATE), fold, by)
            said = ", ".join(f"{side} over LLR 0.5 {(llr[label == k] > 0.5).mean():.3f}, over 1 {(llr[label == k] > 1).mean():.3f}" for k, side in enumerate(("genuine", "spoofs")))
            print(f"{name}{f', draw {seed}' if len(a.seeds) > 1 else ''}: EER {eer(found, label):.3f} AUC {auc(found, label):.3f} APCER@5 {apcer(found, label, 0.05):.3f}; {said}; noise floor alone: AUC {max(noise, 1 - noise):.2f}", flush=True)
            if a.least < 3:
                print(f"    the {long.sum()} clips of 3 s and more: EER {eer(found[long], label[long]):.3f} AUC {auc(found[long], label[long]):.3f}", flush=True)
    if a.rival:
        rival = session(a.rival)
        name, outs = rival.get_inputs()[0].name, []
        for i in pick:
            outs.append(rival.run(None, {name: np.resize(to_float(clips[i]), 64600)[None]})[0][0])
        found = np.array([spoof - genuine for spoof, genuine in outs])
        print(line("AASIST", found, table.iloc[pick]), flush=True)


if __name__ == "__main__":
    main()
