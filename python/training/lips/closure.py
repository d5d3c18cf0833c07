"""Do lips stay open on sounds that are made with closed lips? A line over the sound's vectors, and how open the mouth is by its pixels.

    python -m lips.closure --data DIR --nets DIR --tag TAG

Nobody labelled sounds. A line learns from genuine talkers when the mouth is as closed as it gets; each network's on talkers of the fold that it
never met. The figures are of talkers whom neither network nor line met. Too weak to ship, see the card: this only measures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from .report import RATE, Judge, best, profile, talkers

ROWS, COLUMNS, DARK = slice(20, 48), slice(24, 40), 0.55
CLOSED, OPEN, LOW, HIGH = 0.15, 0.5, 0.05, 0.95
SCALE = 8.0  # a unit vector of 64 numbers to deviations of about one
SUREST = 0.95


def dark(mouths: np.ndarray) -> np.ndarray:
    """Share of the middle of the mouth that is dark against the picture."""
    middle = np.median(mouths.reshape(len(mouths), -1), 1)
    return (mouths[:, ROWS, COLUMNS] < DARK * middle[:, None, None]).mean((1, 2))


def openness(mouths: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """0 as closed as in this clip, 1 as open."""
    share = dark(mouths)
    low, high = np.quantile(share[speech], [LOW, HIGH])
    return (share - low) / max(high - low, 1e-6)


def line(x: np.ndarray, closed: np.ndarray):
    return LogisticRegression(C=0.1, max_iter=300).fit(SCALE * x, closed)


def events(logit: np.ndarray, wide: np.ndarray, cut: float) -> np.ndarray:
    """Steps at which the sound is surely one of closed lips and the lips are open, before and after as well."""
    stays = np.minimum(np.minimum(wide[:-2], wide[1:-1]), wide[2:])
    return (logit[1:-1] > cut) & (stays > OPEN)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--tag", required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    judge = Judge(a.data, a.nets, a.tag, list(range(5)))
    ident, found = judge.clips.table.identity.to_numpy(), []
    for fold in range(5):
        rows = [i for i in talkers(judge) if judge.clips.fold[i] == fold]
        clips = []
        for i in rows:
            v, x, speech = judge.lips(i), judge.sound(i, i), judge.speech[i]
            lag = int(round(best(profile(v, x, speech))[0]))
            at = np.arange(max(0, -lag), min(len(v), len(v) - lag))
            at = at[speech[at]]
            if len(at) >= 25:
                clips.append((ident[i], x[at + lag], openness(judge.clips.mouths[i], speech)[at]))
        x, wide = np.concatenate([c[1] for c in clips]), np.concatenate([c[2] for c in clips])
        who, clip = (np.concatenate([np.full(len(c[1]), k) for c, k in zip(clips, keys)]) for keys in ([c[0] for c in clips], range(len(clips))))
        logit, cut = np.zeros(len(x)), np.zeros(len(x))
        for train, test in GroupKFold(3).split(x, groups=who):
            own = line(x[train], wide[train] < CLOSED)
            logit[test] = own.decision_function(SCALE * x[test])
            cut[test] = np.quantile(own.decision_function(SCALE * x[train]), SUREST)
        rng = np.random.default_rng(fold)
        for k in range(len(clips)):
            mine = np.flatnonzero(clip == k)
            others = [j for j in range(len(clips)) if clips[j][0] != clips[k][0]]
            for name, j in (("own", k), *(("foreign", int(j)) for j in rng.choice(others, min(3, len(others)), replace=False))):
                theirs = np.flatnonzero(clip == j)
                n = min(len(mine), len(theirs))
                heard, seen = logit[theirs[:n]] - cut[theirs[:n]], wide[mine[:n]]
                for at in range(0, n - 6 * RATE + 1, 6 * RATE):
                    part = slice(at, at + 6 * RATE)
                    found.append((name, int(events(heard[part], seen[part], 0.0).sum()), float(seen[part][heard[part] > 0].mean()) if (heard[part] > 0).any() else np.nan))
        sure = logit > cut
        print(f"fold {fold}: {len(clips)} clips, closed against the rest AUC {roc_auc_score(wide < CLOSED, logit):.3f}; the mouth open in {np.mean(wide > OPEN):.1%} of all steps,"
              f" in {np.mean(wide[sure] > OPEN):.1%} of those whose sound is surest", flush=True)
    for name in ("own", "foreign"):
        count = np.array([n for f, n, _ in found if f == name])
        print(f"6 s of speech with {name} sound: {len(count)}, with lips open on a closed sound {np.mean(count > 0):.1%}, twice and more {np.mean(count > 1):.1%}")
    mean = {name: np.array([m for f, _, m in found if f == name and m == m]) for name in ("own", "foreign")}
    y = np.r_[np.zeros(len(mean["own"])), np.ones(len(mean["foreign"]))]
    print(f"AUC of the mean openness at such sounds: {roc_auc_score(y, np.r_[mean['own'], mean['foreign']]):.3f}")


if __name__ == "__main__":
    main()
