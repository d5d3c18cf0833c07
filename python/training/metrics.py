"""Error rates and calibration, the same for all models; label 1 is an attack, a higher score speaks for one."""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve


def auc(score: np.ndarray, label: np.ndarray) -> float:
    return float(roc_auc_score(label, score))


def eer(score: np.ndarray, label: np.ndarray) -> float:
    if len(set(label)) < 2:
        return float("nan")
    far, tpr, _ = roc_curve(label, score)
    i = np.argmin(np.abs(far - (1 - tpr)))
    return float((far[i] + 1 - tpr[i]) / 2)


def apcer(score: np.ndarray, label: np.ndarray, bpcer: float) -> float:
    """Attacks passed at the line that flags `bpcer` of the genuine."""
    return float((score[label == 1] <= np.quantile(score[label == 0], 1 - bpcer)).mean())


def cllr(llr: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Bits that ratios cost, both classes weighing the same (Brümmer & du Preez 2006); 1 for saying nothing."""
    cost = np.logaddexp(0, np.where(label == 1, -llr, llr)) / np.log(2)
    mean = lambda side: np.average(cost[side], weights=None if weight is None else weight[side])
    return float((mean(label == 0) + mean(label == 1)) / 2)


def min_cllr(score: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Bits that the best calibration which keeps the order would cost (Brümmer & du Preez 2006, by pool adjacent violators)."""
    w = np.ones(len(score)) if weight is None else weight.astype(float)
    w = np.where(label == 1, w / w[label == 1].sum(), w / w[label == 0].sum())
    p = IsotonicRegression(out_of_bounds="clip").fit_transform(score, label, sample_weight=w).clip(1e-12, 1 - 1e-12)
    return cllr(np.log(p / (1 - p)), label, weight)


def ppv(missed: float, flagged: float, prior: float) -> float:
    """Share of attacks among those flagged, where `missed` of the attacks pass, `flagged` of the genuine do not, and `prior` of all are attacks."""
    found = prior * (1 - missed)
    return found / (found + (1 - prior) * flagged)


def interval(of, group: np.ndarray, times: int = 200) -> tuple[float, float]:
    """95 % interval of `of(rows)` where groups (sources) are drawn anew, not rows."""
    rng, names = np.random.default_rng(1), np.unique(group)
    places = {name: np.flatnonzero(group == name) for name in names}
    found = [of(np.concatenate([places[name] for name in rng.choice(names, len(names))])) for _ in range(times)]
    low, high = np.nanquantile(found, [0.025, 0.975])
    return float(low), float(high)


def headline(score: np.ndarray, llr: np.ndarray, label: np.ndarray, group: np.ndarray, weight: np.ndarray | None = None) -> str:
    """What leads a card: low false alarms and calibration first, each with its interval over sources."""
    def told(name, of):
        low, high = interval(of, group)
        return f"{name} {of(np.arange(len(label))):.3f} ({low:.3f} to {high:.3f})"
    w = lambda rows: None if weight is None else weight[rows]
    at = {b: apcer(score, label, b) for b in (0.01, 0.05)}
    rates = [told(f"APCER at BPCER {b:.0%}", lambda r, b=b: apcer(score[r], label[r], b)) for b in at]
    rates += [told("Cllr", lambda r: cllr(llr[r], label[r], w(r))), f"min Cllr {min_cllr(llr, label, weight):.3f}"]
    rates += [told("EER", lambda r: eer(score[r], label[r])), told("AUC", lambda r: auc(score[r], label[r]))]
    worth = ", ".join(f"1/{round(1 / prior)} {ppv(at[0.01], 0.01, prior):.0%}" for prior in (1 / 20, 1 / 100, 1 / 1000))
    return "; ".join(rates) + f"; PPV at BPCER 1 % where so many are attacks: {worth}"


def bounded(llr: np.ndarray, low: float, high: float) -> np.ndarray:
    """Ratios as the library gives them (`calibrate.rs`): as they are for four fifths of the way to a bound, then drawn in smoothly."""
    bound = np.where(llr < 0, -low, high)
    free = 0.8 * bound
    over = (np.abs(llr) - free).clip(0) / (bound - free)
    return np.sign(llr) * np.where(np.abs(llr) <= free, np.abs(llr), free + (bound - free) * over / (1 + over))


def affine(raw: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float]:
    """Slope and offset that make natural-log likelihood ratios of scores, both classes weighing the same."""
    w = np.ones(len(raw)) if weight is None else weight.astype(float)
    w = np.where(label == 1, w / w[label == 1].sum(), w / w[label == 0].sum()) * len(raw) / 2
    m = LogisticRegression(C=1e6).fit(raw[:, None], label, sample_weight=w)
    return float(m.coef_[0, 0]), float(m.intercept_[0])
