"""The wording model: which features count, the space they span, and the line through it.

Words and pairs of words that occur in many sources are kept, so that topics do not count; truncated singular value
decomposition keeps the few directions in which answers differ; logistic regression with every source, register and
class weighed draws the line. All of it is linear and is exported as one weight a feature.
"""

import collections
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.utils.extmath import randomized_svd

from .text import ngrams

BITS = 18
SIZE = 1 << BITS
SPREAD = 6  # sources in which a feature must occur
OFTEN = 0.004  # share of a source's answers in which it must occur there
RANKS = (70, 100, 150)  # their mean: which rank is best changes with the sources
C = 0.03
FULL = 60  # rows from which a cell has its whole weight
DOMAINS = {"code": 0.5, "essay": 1.0, "qa": 1.2, "other": 1.0}
REGISTERS = {"speech": 0.4, "simulated": 0.1, "prepared": 0.5}


def counts(rows) -> sp.csr_matrix:
    """ln(1 + count) of every feature."""
    indices, pointers, values = [], [0], []
    for r in rows:
        hashes = ngrams(r.tokens[:450], range(1, 3), 1) & np.uint64(SIZE - 1)
        unique, count = np.unique(hashes, return_counts=True)
        indices.append(unique.astype(np.int32))
        values.append(np.log1p(count).astype(np.float32))
        pointers.append(pointers[-1] + len(unique))
    return sp.csr_matrix((np.concatenate(values), np.concatenate(indices), pointers), shape=(len(rows), SIZE))


def sources(rows) -> np.ndarray:
    return np.array([f"{r.ai}|{r.repo}|{r.family}" for r in rows])


def weights(rows) -> np.ndarray:
    """Every source counts by the root of its size; then classes balance within each domain of writing."""
    key = [f"{r.ai}|{r.repo}|{r.register}" for r in rows]
    size = collections.Counter(key)
    w = np.array([size[k] ** -0.5 for k in key])
    cell = np.array([f"{r.domain}|{r.ai}" if r.register == "writing" else r.register for r in rows])
    for name in set(cell):
        target = DOMAINS[name.split("|")[0]] if "|" in name else REGISTERS[name]
        # a cell of a few rows must not carry a whole domain
        target *= min(1.0, (cell == name).sum() / FULL)
        w[cell == name] *= target / w[cell == name].sum()
    return w * len(rows) / w.sum()


@dataclass
class Linear:
    keep: np.ndarray  # features
    weight: np.ndarray  # of each of them, for the score
    bias: float
    spoken: np.ndarray  # of each of them, for speech against writing
    spoken_bias: float

    def score(self, x: sp.csr_matrix) -> np.ndarray:
        return normal(x[:, self.keep]) @ self.weight + self.bias

    def speech(self, x: sp.csr_matrix) -> np.ndarray:
        return normal(x[:, self.keep]) @ self.spoken + self.spoken_bias


def normal(x):
    length = np.sqrt(np.asarray(x.multiply(x).sum(1)).ravel())
    return sp.diags(1 / np.maximum(length, 1e-6)) @ x


def fit(x: sp.csr_matrix, rows, least_sources: int | None = None) -> Linear:
    """`x`: the counts of `rows`."""
    source = sources(rows)
    large = [s for s, n in collections.Counter(source).items() if n >= 30]
    share = sum((np.asarray((x[source == s] > 0).mean(0)).ravel() > OFTEN).astype(int) for s in large)
    # with few sources, half of them
    least = least_sources or min(SPREAD, max(len(large) // 2, 2))
    keep = np.where(share >= least)[0]
    kept = normal(x[:, keep]).tocsr()
    frequency = np.asarray((kept > 0).sum(0)).ravel()
    idf = np.log(kept.shape[0] / np.maximum(frequency, 1)) + 1
    kept = (kept @ sp.diags(idf)).tocsr()
    u, s, vt = randomized_svd(kept, max(RANKS), random_state=0, n_iter=3)
    z = u * s
    w = weights(rows)
    y = np.array([r.ai for r in rows])
    human = y == 0
    spoken = np.array([r.register == "speech" for r in rows]).astype(int)[human]
    weight, bias, aloud, aloud_bias = np.zeros(len(keep)), 0.0, np.zeros(len(keep)), 0.0
    for rank in RANKS:
        part = z[:, :rank]
        scale = 8 / np.sqrt((part**2).sum(1).mean())
        fold = lambda m: idf * (vt[:rank].T @ (m.coef_.ravel() * scale)) / len(RANKS)
        line = LogisticRegression(C=C, max_iter=500).fit(part * scale, y, sample_weight=w)
        weight, bias = weight + fold(line), bias + float(line.intercept_[0]) / len(RANKS)
        if 0 < spoken.sum() < len(spoken):
            line = LogisticRegression(C=C, max_iter=500, class_weight="balanced").fit(part[human] * scale, spoken)
            aloud, aloud_bias = aloud + fold(line), aloud_bias + float(line.intercept_[0]) / len(RANKS)
    return Linear(keep, weight, bias, aloud, aloud_bias)


GATE = 1.0  # what a unit of the logit of speech takes from the score: the Rust code has the same
FEW = 60  # words at which a score counts by half


def raw(score: np.ndarray, spoken: np.ndarray, words: np.ndarray) -> np.ndarray:
    """What is calibrated. Wording that is speech is not compared with models' prose; few words say little."""
    n = np.minimum(words, 450)
    return (score - GATE * np.maximum(spoken, 0)) * n / (n + FEW)
