"""Error rates and calibration, the same for all models; label 1 is an attack, a higher score speaks for one."""

from __future__ import annotations

import numpy as np
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
