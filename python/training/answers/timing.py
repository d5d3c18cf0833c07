"""How long words and the pauses between them last, given which words they are, when read and when spoken freely.

Tables hold how often a gap of a certain length comes between two words, and how long a word takes against the rest of the stretch. What the
words alone would give is taken out: each ratio is centred on what the words let expect, so that wording tells nothing here."""

from pathlib import Path

import numpy as np

COMMON = Path(__file__).parents[3] / "crates/inperson/src/detect/answers/common_words.txt"
GAPS = np.array([0.15, 0.3, 0.5, 0.8, 1.3])
CELLS, KINDS, LENGTHS = len(GAPS) + 1, 4, 12
SHRINK = 60.0  # sightings at which a word's own row counts by half
NAMES = "gaps surprise pauses_more odd missed log_odds lengths lengths_by_word spread long short rate follow before_pause".split()
WORDS = {w: i for i, w in enumerate(COMMON.read_text().split())} if COMMON.exists() else {}
KEYS = len(WORDS) + 44


def key(word):
    """A common word's own number, else one by length and ending."""
    if word in WORDS:
        return WORDS[word]
    ending = 3 if word.isdigit() else 1 if word.endswith("s") else 2 if word.endswith(("ed", "ing")) else 0
    return len(WORDS) + 4 * min(len(word), 10) + ending


def tokens(words):
    """`words`: (plain word, start, end, whether it has times). Pairs (key, next key, cell of the gap) and timed words (key, kind of what
    follows, log of the length in seconds)."""
    keys, pairs, timed = [key(w[0]) for w in words], [], []
    for n, (_, start, end, known) in enumerate(words):
        gap = None
        if n + 1 < len(words) and known and words[n + 1][3]:
            gap = round(words[n + 1][1] - end, 6)
            gap = gap if -0.05 <= gap <= 5.0 else None
        if gap is not None:
            pairs.append((keys[n], keys[n + 1], int(np.searchsorted(GAPS, gap, side="right"))))
        if known:
            kind = 0 if gap is None else 1 if gap < 0.15 else 2 if gap < 0.5 else 3
            timed.append((keys[n], kind, np.log(max(end - start, 0.01))))
    return np.array(pairs).reshape(-1, 3), np.array(timed).reshape(-1, 3)


class Flat:
    """Tokens of many stretches in a row."""

    def __init__(self, stretches):
        self.count = len(stretches)
        pairs, timed = zip(*stretches)
        self.i = np.repeat(np.arange(self.count), [len(p) for p in pairs])
        self.a, self.b, self.g = np.concatenate(pairs).astype(int).T
        self.j = np.repeat(np.arange(self.count), [len(t) for t in timed])
        joined = np.concatenate(timed)
        self.k, self.p, self.v = joined[:, 0].astype(int), joined[:, 1].astype(int), joined[:, 2]
        self.first = np.r_[True, self.j[1:] != self.j[:-1]]

    def mean(self, at, value):
        return np.bincount(at, value, self.count) / np.maximum(np.bincount(at, minlength=self.count), 1)


def shares(context, value, read, weight, contexts, values):
    """Log shares of `values` for free and read speech, and by how much each context moves them: (2, values), (2, contexts, values)."""
    whole, moved = [], []
    for kind in (0, 1):
        use = read == kind
        m = np.bincount(value[use], weight[use], values) + 1
        m /= m.sum()
        n = np.bincount(context[use] * values + value[use], weight[use], contexts * values).reshape(contexts, values)
        whole.append(np.log(m))
        moved.append(np.log((n + SHRINK * m) / (n.sum(1, keepdims=True) + SHRINK)) - np.log(m))
    return np.array(whole), np.array(moved)


def fit(flat, use, read, call):
    """Tables of the stretches in the mask `use`, every call by the root of its size; `read` and `call` are by stretch."""
    ids = np.unique(call, return_inverse=True)[1]
    weigh = (1 / np.sqrt(np.bincount(ids[use], minlength=ids.max() + 1).clip(1)))[ids]
    t, u = use[flat.i], use[flat.j]
    w, x = weigh[flat.i][t], weigh[flat.j][u]
    w, x = w / w.mean(), x / x.mean()
    y, z = read[flat.i][t], read[flat.j][u]
    gaps, before = shares(flat.a[t], flat.g[t], y, w, KEYS, CELLS)
    _, after = shares(flat.b[t], flat.g[t], y, w, KEYS, CELLS)
    sums, n = np.bincount(flat.k[u], flat.v[u], KEYS), np.bincount(flat.k[u], minlength=KEYS)
    usual = (sums + 5 * flat.v[u].mean()) / (n + 5)
    r = flat.v - usual[flat.k]
    r -= flat.mean(flat.j, r)[flat.j]
    edges = np.quantile(r[u], np.linspace(0.08, 0.92, LENGTHS - 1))
    cell = np.searchsorted(edges, r)
    previous = np.r_[LENGTHS // 2, cell[:-1]]
    previous[flat.first] = LENGTHS // 2
    lengths, by_word = shares(flat.k[u], cell[u], z, x, KEYS, LENGTHS)
    _, by_kind = shares(flat.p[u], cell[u], z, x, KINDS, LENGTHS)
    _, by_last = shares(previous[u], cell[u], z, x, LENGTHS, LENGTHS)
    at = flat.k[u] * KINDS + flat.p[u]
    kinds = np.array([r[u & (flat.p == k)].mean() for k in range(KINDS)])
    kinds = (np.bincount(at, r[u], KEYS * KINDS).reshape(KEYS, KINDS) + 20 * kinds) / (np.bincount(at, minlength=KEYS * KINDS).reshape(KEYS, KINDS) + 20)
    left = r[u] - kinds[flat.k[u], flat.p[u]]
    wide = np.sqrt((np.bincount(flat.k[u], left**2, KEYS) + 20 * np.mean(left**2)) / (n + 20))
    return dict(wide=wide, gaps=gaps, before=before, after=after, usual=usual, edges=edges, lengths=lengths, by_word=by_word, by_kind=by_kind, by_last=by_last, kinds=kinds)


def normal(z):
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def centred(free, read, seen):
    """Log ratio of what was seen, less what is expected when nothing is known of the kind; and the log of the mean of both."""
    ratio, mean = read - free, 0.5 * (np.exp(free) + np.exp(read))
    return ratio[np.arange(len(seen)), seen] - (mean * ratio).sum(1), mean


def measures(flat, t):
    """(stretches, 14) by `NAMES`. The exported graph computes the same."""
    free, read = (normal(t["gaps"][k] + t["before"][k][flat.a] + t["after"][k][flat.b]) for k in (0, 1))
    gaps, mean = centred(free, read, flat.g)
    surprise = -np.log(mean[np.arange(len(flat.g)), flat.g]) + (mean * np.log(mean)).sum(1)
    expected, paused = mean[:, 1:].sum(1), flat.g >= 1
    i, j = flat.i, flat.j
    r = flat.v - t["usual"][flat.k]
    rate = flat.mean(j, r)
    r = r - rate[j]
    cell = np.searchsorted(t["edges"], r)
    previous = np.r_[LENGTHS // 2, cell[:-1]]
    previous[flat.first] = LENGTHS // 2
    alone = [t["lengths"][k] + t["by_word"][k][flat.k] for k in (0, 1)]
    lengths, _ = centred(*(normal(alone[k] + t["by_kind"][k][flat.p] + t["by_last"][k][previous]) for k in (0, 1)), cell)
    by_word, _ = centred(*(normal(a) for a in alone), cell)
    left = (r - t["kinds"][flat.k, flat.p]) / t["wide"][flat.k]
    last = np.r_[0, left[:-1]]
    last[flat.first] = 0
    spread = np.sqrt(flat.mean(j, left**2))
    ends = flat.p >= 2
    return np.stack([
        flat.mean(i, gaps), flat.mean(i, surprise), flat.mean(i, paused - expected), flat.mean(i, (paused - expected) * (expected < 0.1)), flat.mean(i, (expected - paused) * (expected > 0.4)),
        flat.mean(i, (paused - expected) * np.log(expected)), flat.mean(j, lengths), flat.mean(j, by_word), spread, flat.mean(j, left > 1.5), flat.mean(j, left < -1.0), rate,
        flat.mean(j, left * last) / spread**2, flat.mean(j[ends], left[ends])], 1)


def redrawn(flat, t, rng):
    """The same words with gaps drawn as the tables' mean has them and lengths exchanged among sightings of a word: only wording is left."""
    import copy

    free, read = (normal(t["gaps"][k] + t["before"][k][flat.a] + t["after"][k][flat.b]) for k in (0, 1))
    new = copy.copy(flat)
    chance = np.cumsum(0.5 * (np.exp(free) + np.exp(read)), 1)
    new.g = np.minimum((chance < rng.random(len(chance))[:, None]).sum(1), CELLS - 1)
    new.v, new.p = flat.v.copy(), flat.p.copy()
    for k in np.unique(flat.k):
        at = np.flatnonzero(flat.k == k)
        other = rng.permutation(at)
        new.v[at], new.p[at] = flat.v[other], flat.p[other]
    return new


def graph(tables, additive, cut):
    """The whole model as a torch module: features (n, 16), pairs and timed words of one stretch to its logit."""
    import torch
    from torch import nn

    class Graph(nn.Module):
        def __init__(self):
            super().__init__()
            for name, value in tables.items():
                self.register_buffer(name, torch.tensor(value, dtype=torch.float32))
            for name, value in dict(mean=additive.mean, scale=additive.scale, knots=additive.knots, weights=additive.line.coef_.reshape(-1, len(additive.mean)), bias=additive.line.intercept_).items():
                self.register_buffer("add_" + name, torch.tensor(np.asarray(value), dtype=torch.float32))

        @staticmethod
        def centred(free, read, seen):
            free, read = torch.log_softmax(free, 1), torch.log_softmax(read, 1)
            ratio, mean = read - free, 0.5 * (torch.exp(free) + torch.exp(read))
            return ratio.gather(1, seen[:, None])[:, 0] - (mean * ratio).sum(1), mean

        def forward(self, features, pairs, timed):
            a, b, g = pairs[:, 0].long(), pairs[:, 1].long(), pairs[:, 2].long()
            gaps, mean = self.centred(*(self.gaps[k] + self.before[k][a] + self.after[k][b] for k in (0, 1)), g)
            surprise = -torch.log(mean.gather(1, g[:, None])[:, 0]) + (mean * torch.log(mean)).sum(1)
            expected, paused = mean[:, 1:].sum(1), (pairs[:, 2] > 0.5).float()
            k, p, v = timed[:, 0].long(), timed[:, 1].long(), timed[:, 2]
            r = v - self.usual[k]
            rate = r.mean()
            r = r - rate
            cell = (self.edges[None] < r[:, None]).long().sum(1)
            previous = torch.cat([torch.full_like(cell[:1], LENGTHS // 2), cell[:-1]])
            alone = [self.lengths[n] + self.by_word[n][k] for n in (0, 1)]
            lengths, _ = self.centred(*(alone[n] + self.by_kind[n][p] + self.by_last[n][previous] for n in (0, 1)), cell)
            by_word, _ = self.centred(*alone, cell)
            left = (r - self.kinds[k, p]) / self.wide[k]
            last = torch.cat([torch.zeros_like(left[:1]), left[:-1]])
            spread = torch.sqrt((left * left).mean())
            ends = (timed[:, 1] > 1.5).float()
            few = lambda sum_, n: sum_.sum() / torch.clamp(n.sum(), min=1.0)
            more = torch.stack([
                gaps.mean(), surprise.mean(), (paused - expected).mean(), ((paused - expected) * (expected < 0.1).float()).mean(), ((expected - paused) * (expected > 0.4).float()).mean(),
                ((paused - expected) * torch.log(expected)).mean(), lengths.mean(), by_word.mean(), spread, (left > 1.5).float().mean(), (left < -1.0).float().mean(), rate,
                (left * last).mean() / (spread * spread), few(ends * left, ends)])
            z = torch.clamp((torch.cat([features[0], more]) - self.add_mean) / self.add_scale, -cut, cut)
            terms = torch.cat([z[None], torch.relu(z[None] - self.add_knots)])
            return (terms * self.add_weights).sum().reshape(1) + self.add_bias

    return Graph().eval()
