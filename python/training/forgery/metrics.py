"""Error rates by clip."""

from __future__ import annotations

import numpy as np


def auc(genuine, fake) -> float:
    g, f = np.asarray(genuine, float), np.asarray(fake, float)
    if not len(g) or not len(f):
        return float("nan")
    both = np.concatenate([g, f])
    values, inverse, counts = np.unique(both, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    ranks = (ends - (counts - 1) / 2)[inverse]
    return float((ranks[len(g) :].sum() - len(f) * (len(f) + 1) / 2) / (len(g) * len(f)))


def apcer(genuine, fake, bpcer: float) -> float:
    """Share of fakes that pass at the score which this share of genuine clips exceeds."""
    return float(np.mean(np.asarray(fake) <= np.quantile(genuine, 1 - bpcer)))
