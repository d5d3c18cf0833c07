"""Error rates of `metrics` where scores of genuine and of fake ones are held apart."""

from __future__ import annotations

import numpy as np

import metrics


def joined(genuine, fake) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([genuine, fake]), np.r_[np.zeros(len(genuine), int), np.ones(len(fake), int)]


def auc(genuine, fake) -> float:
    return metrics.auc(*joined(genuine, fake)) if len(genuine) and len(fake) else float("nan")


def apcer(genuine, fake, bpcer: float) -> float:
    """Share of fakes that pass at the line that this share of genuine clips exceeds."""
    return metrics.apcer(*joined(genuine, fake), bpcer)
