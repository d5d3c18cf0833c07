"""Figures of talkers not trained on, and the calibration: python -m lips.report --data DIR --nets DIR --tag TAG --fit FIT.json

Every clip is judged by the network of the fold that holds its repository."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from metrics import apcer, cllr

from .data import SIDE, Clips
from .export import load
from .models import Towers, logs, mel_bank

RATE, REACH = 25, 50
# lags that are believed up to so many seconds of speech: the best of many says little of little
NEAR = ((4, 20), (10, 28))
SECONDS = (2, 3, 6, 15, 30)


def profile(v: np.ndarray, a: np.ndarray, speech: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums and counts of agreement at every lag, over steps with speech; `v` and `a` are (t, width)."""
    t, sums, counts = len(v), np.zeros(2 * REACH + 1), np.zeros(2 * REACH + 1)
    agree = v @ a.T
    for lag in range(-REACH, REACH + 1):
        d = np.diagonal(agree, lag)
        use = speech[max(0, -lag) : max(0, -lag) + len(d)]
        sums[lag + REACH], counts[lag + REACH] = d[use].sum(), use.sum()
    return sums, counts


def best(p: tuple[np.ndarray, np.ndarray]) -> tuple[float, float, float]:
    """Lag in steps, agreement there and seconds of speech, as `detect/lipsync/towers.rs` has them."""
    sums, counts = p
    ok = (counts > 0) & (counts >= 0.5 * counts[REACH])
    reach = next((lags for seconds, lags in NEAR if counts[REACH] < seconds * RATE), REACH)
    ok &= np.abs(np.arange(-REACH, REACH + 1)) <= reach
    m = np.where(ok, sums / np.maximum(counts, 1), -9)
    k = int(m.argmax())
    fine = 0.0
    if 0 < k < len(m) - 1 and m[k - 1] > -9 and m[k + 1] > -9 and m[k - 1] + m[k + 1] < 2 * m[k]:
        fine = 0.5 * (m[k - 1] - m[k + 1]) / (m[k - 1] - 2 * m[k] + m[k + 1])
    return k + fine - REACH, float(m[k]), counts[REACH] / RATE


def whole(profiles: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float, float]:
    """Lag, agreement and seconds of a recording in pieces, as `detect/lipsync/mod.rs` has them: the half of the stretches of 3 s that
    agrees best near the lag of all, where there are two and more."""
    lag, agree, seconds = best((np.sum([p[0] for p in profiles], 0), np.sum([p[1] for p in profiles], 0)))
    near, sums, counts = [], 0, 0
    middle = int(np.clip(round(lag) + REACH, 0, 2 * REACH))
    for s, c in profiles:
        sums, counts = sums + s, counts + c
        if counts[REACH] >= 3 * RATE:
            ok = [k for k in (middle - 1, middle, middle + 1) if 0 <= k <= 2 * REACH and counts[k] >= 0.5 * counts[REACH]]
            near += [max(sums[k] / counts[k] for k in ok)] if ok else []
            sums, counts = 0, 0
    if len(near) >= 2:
        agree = float(np.mean(sorted(near, reverse=True)[: -(-len(near) // 2)]))
    return lag, agree, seconds


class Judge:
    """Embeddings of clips by the network that did not meet them."""

    def __init__(self, data: Path, nets: Path, tag: str, folds: list[int]):
        self.clips = Clips(data)
        self.nets = {k: load(nets, tag, k) for k in folds}
        self.speech = []
        for i in range(len(self.clips.table)):
            z = np.load(data / "clips" / f"{i}.npz")
            at = np.arange(len(z["mouth"])) / RATE
            self.speech.append(np.any([(at >= a - 0.2) & (at < b + 0.2) for a, b in z["speech"]] or [at < 0], axis=0))

    def net(self, i: int) -> Towers:
        return self.nets[self.clips.fold[i]]

    def lips(self, i: int, rows: np.ndarray | None = None, change=lambda m: m) -> np.ndarray:
        low = (64 - SIDE) // 2
        rows = np.arange(len(self.clips.mouths[i])) if rows is None else rows
        m = torch.from_numpy(change(self.clips.mouths[i][rows])[None, :, low : low + SIDE, low : low + SIDE].copy()).float() / 255
        with torch.no_grad():
            return self.net(i).lips(m, torch.from_numpy(self.clips.points[i][rows][None]))[0].T.numpy()

    def sound(self, i: int, judge: int, rows: np.ndarray | None = None, change=lambda p: p) -> np.ndarray:
        """Sound of clip `i` by the network of clip `judge`; `rows` in steps of 10 ms."""
        power = self.clips.power[i] if rows is None else self.clips.power[i][rows]
        with torch.no_grad():
            return self.net(judge).sound(logs(torch.from_numpy(change(power) @ mel_bank())[None]))[0].T.numpy()


def talkers(judge: Judge, sync: str = "yes") -> list[int]:
    t = judge.clips.table
    use = (t.part == "talkers") & (t.label == "bonafide") & (t.in_sync == sync) & (t.speech_s > 0.5 * t.seconds) & (t.rms > 1e-3)
    return [i for i in np.flatnonzero(use) if judge.clips.fold[i] in judge.nets]


def pieces(judge: Judge, rows: list[int], seconds: int):
    """(clip, first step, steps) of windows that do not overlap."""
    n = seconds * RATE
    return [(i, k, n) for i in rows for k in range(0, len(judge.clips.mouths[i]) - n + 1, n)]


def window(judge: Judge, held: dict, lip: tuple, heard: tuple) -> tuple[np.ndarray, np.ndarray]:
    (i, k, n), (j, m, _) = lip, heard
    v, a = held[i][0][k : k + n], judge_sound(judge, held, j, i)[m : m + n]
    return profile(v, a, judge.speech[j][m : m + n][: len(v)])


def judge_sound(judge: Judge, held: dict, j: int, i: int) -> np.ndarray:
    key = (j, int(judge.clips.fold[i]))
    if key not in held:
        held[key] = judge.sound(j, i)
    return held[key]


def trials(judge: Judge, rows: list[int], seconds: int, rng) -> list[tuple]:
    """(talker, kind, lag, agreement, seconds of speech): windows, or sums of one talker's windows where none is so long."""
    ident = judge.clips.table.identity.to_numpy()
    held = {i: (judge.lips(i),) for i in rows}
    out = []
    if seconds <= 6:
        groups = [[p] for p in pieces(judge, rows, seconds)]
    else:
        groups = []
        for who in sorted(set(ident[rows])):
            mine = pieces(judge, [i for i in rows if ident[i] == who], 3)
            size = seconds // 3
            groups += [mine[k : k + size] for k in range(0, len(mine) - size + 1, size)]
    every = pieces(judge, rows, 3 if seconds > 6 else seconds)
    def total(pairs):
        return whole([window(judge, held, a, b) for a, b in pairs])
    for group in groups:
        who = ident[group[0][0]]
        out.append((who, "own", *total([(p, p) for p in group])))
        # of the same fold: others' sound taught the network that sees these lips
        near = judge.clips.fold == judge.clips.fold[group[0][0]]
        other = str(rng.choice(sorted({ident[i] for i, _, _ in every if near[i]} - {who})))
        theirs = [p for p in every if ident[p[0]] == other]
        pick = rng.integers(len(theirs), size=len(group))
        out.append((who, "other", *total([(p, theirs[q]) for p, q in zip(group, pick)])))
        mine = [p for p in every if ident[p[0]] == who]
        moved = [[q for q in mine if q[:2] != p[:2]] for p in group]
        if all(moved):
            out.append((who, "same", *total([(p, m[int(rng.integers(len(m)))]) for p, m in zip(group, moved)])))
    return out


def lags(judge: Judge, rows: list[int], seconds: int, rng) -> np.ndarray:
    """Errors in ms of the lag of windows whose sound is shifted by known amounts, against the rest of the same recording."""
    table, errors = judge.clips.table, []
    source = table.path.str.replace(r"_\d+\.\w+$", "", regex=True).to_numpy()
    lips = {i: judge.lips(i) for i in rows}
    own = {i: judge.sound(i, i) for i in rows}
    for i, k, n in pieces(judge, rows, seconds):
        rest = []
        for j in [j for j in rows if source[j] == source[i]]:
            s = judge.speech[j].copy()
            if j == i:
                s[k : k + n] = False
            if s.sum() >= RATE:
                rest.append(profile(lips[j], own[j], s))
        if not rest or sum(c[REACH] for _, c in rest) < 2 * RATE:
            continue
        want = best(tuple(np.sum(x, 0) for x in zip(*rest)))[0]
        shift = int(rng.integers(-40, 41))  # steps of 10 ms
        at = np.arange(4 * k, 4 * (k + n)) - shift
        if at[0] < 0 or at[-1] >= len(judge.clips.power[i]):
            at = np.clip(at, 0, len(judge.clips.power[i]) - 1)
        a = judge.sound(i, i, at)
        found = best(profile(lips[i][k : k + n], a, judge.speech[i][k : k + n]))[0]
        errors.append(40 * (found - want) - 10 * shift)
    return np.array(errors)


def fit(m: np.ndarray, s: np.ndarray, y: np.ndarray, group: np.ndarray, few: float) -> dict:
    """LLR = slope (neutral + chance / sqrt(s) - m) s / (s + few) + offset, by logistic regression in which talkers weigh alike."""
    w = s / (s + few)
    x = np.stack([m * w, w, w / np.sqrt(s)], 1)
    weight = np.zeros(len(y))
    for who in set(group):
        for side in (0, 1):
            use = (group == who) & (y == side)
            weight[use] = 1 / max(use.sum(), 1) ** 0.5
    weight *= np.where(y == 1, weight[y == 0].sum() / weight[y == 1].sum(), 1)
    lr = LogisticRegression(C=1e3, max_iter=2000).fit(x, y, sample_weight=weight)
    a, b, c = lr.coef_[0]
    return {"slope": -a, "neutral": -b / a, "chance": -c / a, "offset": lr.intercept_[0], "few": few}


def lean(f: dict, m: np.ndarray, s: np.ndarray, y: np.ndarray, group: np.ndarray, window: np.ndarray) -> dict:
    """Honest people first: the offset is lowered until at most 2 of 100 genuine windows of 3 s and more, talkers alike, reach an LLR of 1."""
    use = (y == 0) & (window >= 3)
    llr, who = f["slope"] * raw_of(f, m[use], s[use]) + f["offset"], group[use]
    weight = np.array([1 / (who == w).sum() for w in who])
    order = np.argsort(llr)
    reached = np.cumsum(weight[order]) / weight.sum()
    limit = float(llr[order][min(np.searchsorted(reached, 0.98), len(llr) - 1)])
    return f | {"offset": f["offset"] + min(0.0, 1 - limit)}


def raw_of(f: dict, m: np.ndarray, s: np.ndarray) -> np.ndarray:
    return (f["neutral"] + f["chance"] / np.sqrt(s) - m) * s / (s + f["few"])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--nets", type=Path, required=True)
    p.add_argument("--tag", required=True)
    p.add_argument("--folds", default="0,1,2,3,4")
    p.add_argument("--fit", type=Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    judge = Judge(a.data, a.nets, a.tag, [int(k) for k in a.folds.split(",")])
    rows, rng = talkers(judge), np.random.default_rng(3)
    t = judge.clips.table
    print(f"{len(rows)} clips, {t.identity.iloc[rows].nunique()} talkers, {t.repo.iloc[rows].nunique()} repositories")
    for s in (3, 6):
        e = np.abs(lags(judge, rows, s, rng))
        print(f"lag at {s} s, {len(e)} windows: within 40 ms {np.mean(e <= 40):.3f}, within 80 ms {np.mean(e <= 80):.3f}")
    every, metrics = [], {}
    for s in SECONDS:
        found = trials(judge, rows, s, rng)
        every += [(*f, s) for f in found]
        of = lambda kind: np.array([f[3] for f in found if f[1] == kind])
        own, line = of("own"), []
        for kind in ("other", "same"):
            y = np.r_[np.zeros(len(own)), np.ones(len(of(kind)))]
            x = -np.r_[own, of(kind)]
            line.append(f"{kind} AUC {roc_auc_score(y, x):.4f}, missed at 5 % false alarms {apcer(x, y, 0.05):.3f}, at 1 % {apcer(x, y, 0.01):.3f} (n {len(own)}, {int(y.sum())})")
            metrics[f"auc_{s}s_{kind}"] = round(float(roc_auc_score(y, x)), 4)
        print(f"{s} s:", "; ".join(line))
    who, kind = np.array([e[0] for e in every]), np.array([e[1] for e in every])
    m, sec = np.array([e[3] for e in every]), np.array([max(e[4], 0.5) for e in every])
    length = np.array([e[5] for e in every])
    y, fold = (kind != "own").astype(int), np.array([judge.clips.fold[rows[list(t.identity.iloc[rows]).index(w)]] for w in who])
    scores = {}
    for few in (1.0, 2.0, 4.0, 8.0):
        llr = np.zeros(len(y))
        for k in set(fold):
            rest = fold != k
            f = lean(fit(m[rest], sec[rest], y[rest], who[rest], few), m[rest], sec[rest], y[rest], who[rest], length[rest])
            llr[fold == k] = f["slope"] * raw_of(f, m[fold == k], sec[fold == k]) + f["offset"]
        scores[few] = cllr(llr, y), llr
    few = 8.0  # where little speech is, little is said; the last of these that costs nothing
    llr = scores[few][1]
    f = lean(fit(m, sec, y, who, few), m, sec, y, who, length)
    print("Cllr by `few`", {k: round(v[0], 4) for k, v in scores.items()}, "genuine with LLR over 0.5", round(float((llr[y == 0] > 0.5).mean()), 4), "over 1", round(float((llr[y == 0] > 1).mean()), 4))
    for s in SECONDS:
        use = length == s
        print(f"  {s} s: Cllr {cllr(llr[use], y[use]):.3f}, genuine over 0.5 {np.mean(llr[use & (y == 0)] > 0.5):.3f}, over 1 {np.mean(llr[use & (y == 0)] > 1):.3f}, foreign over 1 {np.mean(llr[use & (y == 1)] > 1):.3f}")
    raw = raw_of(f, m, sec)
    metrics |= {"n": int(len(y)), "cllr": round(scores[few][0], 4), "genuine_llr_over_1": round(float((llr[y == 0] > 1).mean()), 4)}
    f = {k: float(v) for k, v in f.items()}
    a.fit.write_text(json.dumps(f | {"low": -0.6, "high": 0.5, "bound_low": -0.7, "bound_high": 3.0, "metrics": metrics}))
    print(f)
    # material by system: other labels, heads made from sound, mouths that were re-made
    print("by system (agreement over the whole clip):")
    line = {}
    for i in range(len(t)):
        if judge.clips.fold[i] in judge.nets and judge.speech[i].sum() >= 30:
            lag, agree, s = best(profile(judge.lips(i), judge.sound(i, i), judge.speech[i]))
            value = f["slope"] * raw_of(f, np.array(agree), np.array(s)) + f["offset"]
            key = (t.part[i], t.manipulation[i], t.system[i] if t.label[i] == "fake" else ("in sync " + t.in_sync[i]))
            line.setdefault(key, []).append((agree, float(value), lag * 40))
    for key, v in sorted(line.items()):
        v = np.array(v)
        print("  ", *key, f"n {len(v)} agreement {v[:, 0].mean():.2f} LLR mean {v[:, 1].mean():.2f} over 0.5 {np.mean(v[:, 1] > 0.5):.2f} |lag| median {np.median(np.abs(v[:, 2])):.0f} ms")


if __name__ == "__main__":
    main()
