"""Tables of out-of-fold scores: python -m voice.report --data DIR --nets DIR

Scores of `voice.evaluate`; each fold's ratios are calibrated on the other folds' scores, weighed as in `voice.export`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from metrics import affine, apcer, auc, bounded, cllr, eer, headline

from .evaluate import few, line, weights
from .prepare import EVERYWHERE, FOLDS, corpora
from .store import Clips
from .textures import LEAST
from .train import VERSIONS


# nats by which ratios lean to genuine, and what they claim at most
LEAN, BOUNDS = 0.2, (-3.0, 3.0)


def calibrated(raw: np.ndarray, label: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Slope and offset of log-likelihood ratios, which lean to genuine."""
    slope, offset = affine(raw, label, weight)
    return slope, offset - LEAN


def lines(raw: np.ndarray, label: np.ndarray, fold: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Slopes and offsets of each fold's log-likelihood ratios, calibrated on the others (folds, 2)."""
    return np.array([calibrated(raw[fold != k], label[fold != k], weight[fold != k]) for k in range(FOLDS)])


def ratios(raw: np.ndarray, fold: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Log-likelihood ratios by the lines of each fold."""
    return bounded(by[fold, 0] * raw + by[fold, 1], *BOUNDS)


def claims(name: str, t: pd.DataFrame) -> None:
    """How many ratios of a set of clips say how much, by class, of talkers to a camera, of each engine of the Python registry, and of its recordings and of the videos."""
    over = lambda g, line: f"{(g.llr > line).mean():.3f}"
    audio = t[t.part == "audio"]
    genuine, spoofs, talkers = audio[audio.label == "bonafide"], audio[audio.label == "spoof"], t[t.part == "talkers"]
    print(f"{name}: {len(audio)} clips; genuine over 0.5, 1, 2: {', '.join(over(genuine, x) for x in (0.5, 1, 2))}; spoofs over 1 {over(spoofs, 1)}; talkers over 0.5 and 1 {(talkers.llr > 0.5).sum()}, {(talkers.llr > 1).sum()} of {len(talkers)}, highest {talkers.llr.max():.2f}")
    engines = t[t.part == "registries"].groupby("system")
    print("   engines over 0.5 and 1:", "; ".join(f"{s} {len(g)}: {over(g, 0.5)}, {over(g, 1)}" for s, g in engines))
    rest = t[t.part.isin(["packaged", "video"])].groupby(["part", "label"])
    print("   others over 0.5 and 1:", "; ".join(f"{part}, {label} {len(g)}: {(g.llr > 0.5).sum()}, {(g.llr > 1).sum()}" for (part, label), g in rest), flush=True)


def joined(table: pd.DataFrame, seconds: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Means over clips of one repository, system and fold until so much was listened to: raw scores, labels, folds, seconds."""
    score, label, folds, heard = [], [], [], []
    for (_, _, side, fold), g in table.groupby(["repo", "system", "label", "fold"]):
        sum_, total = 0.0, 0.0
        for mean, s in zip(g["mean"], g["seconds"]):
            sum_, total = sum_ + mean * s, total + s
            if total >= seconds:
                score.append(sum_ / total), label.append(int(side == "spoof")), folds.append(fold), heard.append(total)
                sum_, total = 0.0, 0.0
    return few(np.array(score), np.array(heard)), np.array(label), np.array(folds), np.array(heard)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    a = p.parse_args()
    whole, held = Clips(a.data, "clips").table, pd.read_csv(a.nets / "scores-clips.csv", index_col="clip")
    whole = whole.join(held[["mean", "first", "seconds", "several"]])
    whole["raw"] = few(whole["mean"], whole["seconds"])
    judged = whole.samples >= LEAST
    print(f"clips of 2 s and more: {judged.sum()} of {len(judged)}")
    whole.loc[judged, "weight"] = weights(whole[judged])
    t = whole[judged].copy()
    label = (t.label == "spoof").to_numpy().astype(int)
    by = lines(t.raw.to_numpy(), label, t.fold.to_numpy(), t.weight.to_numpy())
    t["llr"] = ratios(t.raw.to_numpy(), t.fold.to_numpy(), by)
    claims("as they are", t)
    for name in VERSIONS:
        version = whole.drop(columns=["mean", "seconds"]).join(pd.read_csv(a.nets / f"scores-{name}.csv", index_col="clip")[["mean", "seconds"]], how="inner")
        version = version[version.samples >= LEAST]
        claims(name, version.assign(llr=ratios(few(version["mean"], version["seconds"]).to_numpy(), version.fold.to_numpy(), by)))
    talkers, engines, t = (t[t.part == k] for k in ("talkers", "engines", "audio"))
    label, llr, raw = (t.label == "spoof").to_numpy().astype(int), t.llr.to_numpy(), t.raw.to_numpy()
    print(line("all", raw, t))
    print("intervals over repositories:", headline(raw, llr, label, t.repo.to_numpy()))
    genuine = label == 0
    print(f"genuine: LLR over 1 {(llr[genuine] > 1).mean():.3f}, over 2 {(llr[genuine] > 2).mean():.3f}; spoofs over 1 {(llr[~genuine] > 1).mean():.3f}; talkers to a camera ({len(talkers)}): over 0 {(talkers.llr > 0).mean():.3f}, over 0.5 {(talkers.llr > 0.5).mean():.3f}, over 1 {(talkers.llr > 1).mean():.3f}")
    least, first = np.quantile(raw[genuine], [0.95, 0.99])
    for name, g in t[t.label == "spoof"].groupby("family"):
        pick = genuine | (t.family == name).to_numpy()
        print(f"family {name}: n {len(g)}, missed at 1 % false alarms {(g.raw <= first).mean():.3f}, EER {eer(raw[pick], label[pick]):.3f}, missed at 5 % false alarms {(g.raw <= least).mean():.3f}")
    for name, g in engines.groupby("system"):
        print(f"Debian's {name}: n {len(g)}, missed at 5 % false alarms {(g.raw <= least).mean():.3f}, LLR over 1 {(g.llr > 1).mean():.3f}, under 0 {(g.llr < 0).mean():.3f}")
    systems = []
    for name, g in t[t.label == "spoof"].groupby("system"):
        pick = genuine | (t.system == name).to_numpy()
        systems.append((eer(raw[pick], label[pick]), name, len(g)))
    print("worst systems of 8 clips or more:", ", ".join(f"{n} {e:.2f} ({c})" for e, n, c in sorted(systems, reverse=True) if c >= 8)[:700])
    corpus = t[t.label == "bonafide"].groupby("system").raw.agg(["size", lambda s: (s > least).mean()])
    corpus.columns = ["n", "false"]
    print("worst genuine sources of 8 clips or more, false alarms:", ", ".join(f"{n} {r.false:.2f} ({int(r.n)})" for n, r in corpus[corpus.n >= 8].sort_values("false", ascending=False).head(12).iterrows()))
    for column in ("speaking_style", "language", "channel"):
        for name, g in t.groupby(column):
            y = (g.label == "spoof").to_numpy().astype(int)
            if name and (y == 0).sum() >= 10:
                rate = eer(g.raw.to_numpy(), y) if y.sum() >= 10 else float("nan")
                print(f"{column} {name}: {(y == 0).sum()} genuine, {y.sum()} spoofs, EER {rate:.3f}, false alarms {(g.raw[g.label == 'bonafide'] > least).mean():.3f}")
    recurring = np.array([not corpora(s) and any(e and e in s for e in EVERYWHERE[:5]) for s in t.speaker_or_corpus])
    print(f"recurring corpora (VCTK, LJSpeech, LibriSpeech, LibriTTS, MLS): n {recurring.sum()}, EER {eer(raw[recurring], label[recurring]):.3f}; others: n {(~recurring).sum()}, EER {eer(raw[~recurring], label[~recurring]):.3f}")
    pages = [auc(g.raw.to_numpy(), y) for _, g in t.groupby("repo") if 5 <= (y := (g.label == "spoof").to_numpy().astype(int)).sum() <= len(y) - 5]
    print(f"within repositories of 5 clips a class and more: mean AUC {np.mean(pages):.3f} of {len(pages)}")
    for seconds in (2, 4, 8, 30):
        s, y, fold, heard = joined(t, seconds) if seconds > 2 else (few(t["first"].to_numpy(), 2.0), label, t.fold.to_numpy(), np.array([2.0]))
        said = ratios(s, fold, by)
        print(f"{seconds} s and more, {heard.mean():.1f} on average: n {len(y)}, {int((y == 0).sum())} genuine, EER {eer(s, y):.3f}, Cllr {cllr(said, y):.3f}, genuine with LLR over 1 {(said > 1)[y == 0].mean():.3f}")


if __name__ == "__main__":
    main()
