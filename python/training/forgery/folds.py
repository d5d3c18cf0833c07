"""What is trained on and what is tested: no source on both sides, and no person.

Politicians, actors and inputs that courses hand out occur as genuine and as fake in several repositories. A kernel that met a person on the other side of a split tells
the person, for better (the same fake again) or for worse (the genuine clip that a fake was made of).
"""

from __future__ import annotations

import numpy as np
from sklearn.cluster import AgglomerativeClustering
from sklearn.model_selection import StratifiedGroupKFold

FOLDS = 11
# cosine distance up to which clips are one person's: rather two likenesses joined than one person on both sides
APART = 0.6


def persons(vectors: np.ndarray, apart: float = APART) -> np.ndarray:
    """A number for each row's person, by average linkage."""
    v = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return AgglomerativeClustering(n_clusters=None, metric="precomputed", linkage="average", distance_threshold=apart).fit((1 - v @ v.T).clip(0)).labels_


def splits(d, folds: int = FOLDS, seed: int = 0):
    """Rows to train and to test on: no source on both sides, and nobody of those tested among those trained on."""
    for train, test in StratifiedGroupKFold(folds, shuffle=True, random_state=seed).split(d["x"], d["y"], d["source"]):
        yield train[~np.isin(d["who"][train], d["who"][test])], test
