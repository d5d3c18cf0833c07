"""The wording model: which features count, the space they span, and the line through it.

Two parts that add up. What is known of the prose of models and of people is written down in `lexicon.txt`: every group of words and
phrases there has one weight, drawn towards the sign it was written with. And words and pairs of words that occur in
many sources are kept, so that topics do not count; truncated singular value decomposition keeps the few directions
in which answers differ. One logistic regression with every source, register and class weighed draws the line. All
of it is linear and is exported as one weight a feature.
"""

import collections
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.utils.extmath import randomized_svd

from .text import ngrams

BITS = 20
SIZE = 1 << BITS
LONGEST = 3  # words of a phrase
MOST_WORDS = 450
SPREAD = 6  # sources in which a feature must occur
OFTEN = 0.004  # share of a source's answers in which it must occur there
RANKS = (70, 100, 150)  # their mean: which rank is best changes with the sources
C = 0.01  # variance of a direction's weight
C_SPOKEN = 0.03
PRIOR = 0.4  # weight that a deviation of a group of the lexicon has before anything is learned
C_GROUP = 0.003  # variance about it
FULL = 60  # rows from which a cell has its whole weight
DOMAINS = {"code": 0.5, "essay": 1.0, "qa": 1.2, "other": 1.0}
REGISTERS = {"speech": 0.8, "simulated": 0.3, "prepared": 1.5}


def lexicon(path: Path = Path(__file__).parent / "lexicon.txt"):
    """The sign of every group, and a matrix from features to groups."""
    signs, at, group = [], [], []
    for line in path.read_text().splitlines():
        if line.startswith("["):
            signs.append(float(line.partition("]")[2]))
        elif not line.startswith("#"):
            for phrase in filter(None, (p.strip() for p in line.split(","))):
                words = phrase.split()
                at.append(int(ngrams(words, range(len(words), len(words) + 1), 1)[0]) & (SIZE - 1))
                group.append(len(signs) - 1)
    return np.array(signs), sp.csr_matrix((np.ones(len(at)), (at, group)), shape=(SIZE, len(signs)))


SIGNS, GROUPS = lexicon()


def counts(rows) -> sp.csr_matrix:
    """ln(1 + count) of every feature."""
    indices, pointers, values = [], [0], []
    for r in rows:
        hashes = ngrams(r.tokens[:MOST_WORDS], range(1, LONGEST + 1), 1) & np.uint64(SIZE - 1)
        unique, count = np.unique(hashes, return_counts=True)
        indices.append(unique.astype(np.int32))
        values.append(np.log1p(count).astype(np.float32))
        pointers.append(pointers[-1] + len(unique))
    return sp.csr_matrix((np.concatenate(values), np.concatenate(indices), pointers), shape=(len(rows), SIZE))


def lengths(rows) -> np.ndarray:
    return np.array([min(r.words, MOST_WORDS) for r in rows], float)


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
    keep: np.ndarray  # features of the directions
    weight: np.ndarray  # of each of them, for the score
    phrases: np.ndarray  # features of the lexicon
    manner: np.ndarray  # of each of them, for the score, by word of the answer
    bias: float
    spoken: np.ndarray  # of each of `keep`, for speech against writing
    spoken_bias: float

    def score(self, x: sp.csr_matrix, words: np.ndarray) -> np.ndarray:
        return normal(x[:, self.keep]) @ self.weight + x[:, self.phrases] @ self.manner / words + self.bias

    def speech(self, x: sp.csr_matrix) -> np.ndarray:
        return normal(x[:, self.keep]) @ self.spoken + self.spoken_bias


def normal(x):
    length = np.sqrt(np.asarray(x.multiply(x).sum(1)).ravel())
    return sp.diags(1 / np.maximum(length, 1e-6)) @ x


def regress(x, y, w, mean, variance):
    """Logistic regression whose weights have a normal prior; weights and bias."""
    sign = 2 * y - 1

    def cost(p):
        value, off = sign * (x @ p[:-1] + p[-1]), p[:-1] - mean
        pull = -w * sign * expit(-value)
        return (w * np.logaddexp(0, -value)).sum() + (off**2 / variance).sum() / 2, np.append(x.T @ pull + off / variance, pull.sum())

    found = minimize(cost, np.append(mean, 0.0), jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
    return found[:-1], found[-1]


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
    writing = w * np.array([r.register == "writing" for r in rows])
    groups = sp.diags(1 / lengths(rows)) @ (x @ GROUPS)
    groups = groups.toarray()
    middle = np.average(groups, axis=0, weights=writing)
    spread = np.sqrt(np.average((groups - middle) ** 2, axis=0, weights=writing)) + 1e-6
    groups = (groups - middle) / spread
    human = y == 0
    spoken = np.array([r.register == "speech" for r in rows]).astype(int)[human]
    weight, manner, bias, aloud, aloud_bias = np.zeros(len(keep)), np.zeros(len(SIGNS)), 0.0, np.zeros(len(keep)), 0.0
    for rank in RANKS:
        part = z[:, :rank]
        scale = 8 / np.sqrt((part**2).sum(1).mean())
        fold = lambda direction: idf * (vt[:rank].T @ (direction * scale)) / len(RANKS)
        mean = np.concatenate([np.zeros(rank), PRIOR * SIGNS])
        variance = np.concatenate([np.full(rank, C), np.full(len(SIGNS), C_GROUP)])
        line, own_bias = regress(np.hstack([part * scale, groups]), y, w, mean, variance)
        weight, manner, bias = weight + fold(line[:rank]), manner + line[rank:] / len(RANKS), bias + own_bias / len(RANKS)
        if 0 < spoken.sum() < len(spoken):
            line = LogisticRegression(C=C_SPOKEN, max_iter=500, class_weight="balanced").fit(part[human] * scale, spoken)
            aloud, aloud_bias = aloud + fold(line.coef_.ravel()), aloud_bias + float(line.intercept_[0]) / len(RANKS)
    phrases = np.unique(GROUPS.nonzero()[0])
    return Linear(keep, weight, phrases, GROUPS[phrases] @ (manner / spread), float(bias - manner @ (middle / spread)), aloud, aloud_bias)


GATE = 1.0  # what a unit of the logit of speech takes from the score: the Rust code has the same
FEW = 150  # words at which a score counts by half


def raw(score: np.ndarray, spoken: np.ndarray, words: np.ndarray) -> np.ndarray:
    """What is calibrated. Wording that is speech is not compared with models' prose; few words say little."""
    n = np.minimum(words, MOST_WORDS)
    return (score - GATE * np.maximum(spoken, 0)) * n / (n + FEW)
