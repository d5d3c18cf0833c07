"""Error rates and calibration; label 1 is an attack, a higher score speaks for one."""

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


def cllr(llr: np.ndarray, label: np.ndarray) -> float:
    return float((np.log2(1 + np.exp(-llr[label == 1])).mean() + np.log2(1 + np.exp(llr[label == 0])).mean()) / 2)


def affine(raw: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None) -> tuple[float, float]:
    """Slope and offset that make natural-log likelihood ratios of scores, both classes weighing the same."""
    w = np.ones(len(raw)) if weight is None else weight.astype(float)
    w = np.where(label == 1, w / w[label == 1].sum(), w / w[label == 0].sum()) * len(raw) / 2
    m = LogisticRegression(C=1e6).fit(raw[:, None], label, sample_weight=w)
    return float(m.coef_[0, 0]), float(m.intercept_[0])
