"""What scores of sources left out tell, and the calibration that ships. Both lean to honest people."""

from __future__ import annotations

import numpy as np

from metrics import affine, bounded, cllr, headline, interval
from sides import apcer, auc

from .folds import splits
from .kernel import EYES, SKIN, fair, rows, weights

SPECIES = ("face_swap", "reenactment", "lip_sync", "full_generation")
# the fitted line is drawn towards silence by this much, and claims no more than this, in nats
SLOPE, OFFSET, BOUNDS = 0.45, -0.3, (-1.0, 1.0)
# like face size, frame size (logarithms) and time between frames
LIKE = (0.3, 0.6, 0.012)


def fitted(d, score: np.ndarray) -> tuple[float, float]:
    slope, offset = affine(score, d["y"], fair(d))
    return SLOPE * slope, SLOPE * offset + OFFSET


def ratios(d, score: np.ndarray) -> np.ndarray:
    """Calibrated on the other sources."""
    out, sources = np.zeros(len(score)), d["source"]
    for s in np.unique(sources):
        rest = sources != s
        slope, offset = fitted(rows(d, rest), score[rest])
        out[~rest] = bounded(slope * score[~rest] + offset, *BOUNDS)
    return out


def pairwise(y, score, w, like=None) -> float:
    """Weighed share of genuine and fake clips in the right order; `like` says which of them are compared."""
    a, b = y == 0, y == 1
    v = w[a][:, None] * w[b] * (1.0 if like is None else like[np.ix_(a, b)])
    right = (score[b] > score[a][:, None]) + 0.5 * (score[b] == score[a][:, None])
    return float((v * right).sum() / v.sum())


def order(d, score) -> dict[str, float]:
    """Share of fakes above their own source, by pair."""
    out = {}
    for pair in np.unique(d["pair"][d["pair"] != ""]):
        here = d["pair"] == pair
        if len(set(d["y"][here])) == 2:
            out[pair] = auc(score[here & (d["y"] == 0)], score[here & (d["y"] == 1)])
    return out


def row(name: str, d, score: np.ndarray, sure: bool = True) -> None:
    y, sources, about = d["y"], d["source"], d["about"]
    w = weights(sources, y, 0.5)
    like = np.all(np.abs(about[:, None] - about[None]) < LIKE, 2)
    every = lambda r: pairwise(y[r], score[r], w[r])
    same = lambda r: pairwise(y[r], score[r], w[r], like[np.ix_(r, r)])
    all_rows, pairs = np.arange(len(y)), order(d, score)
    span = lambda f: "({:.2f} to {:.2f})".format(*interval(f, sources)) if sure else ""
    llr, g, entry = ratios(d, score), y == 0, (d["part"] != "talkers") | (y == 1)
    over = " ".join(f"{p} {np.mean(llr[g & (d['part'] == p)] > 1):.1%}" for p in ("talkers", "video", "pairs"))
    print(f"| {name} | {every(all_rows):.3f} {span(every)} | {same(all_rows):.3f} {span(same)} | {pairwise(y[entry], score[entry], w[entry]):.3f} | {np.mean(list(pairs.values())):.0%} of {len(pairs)} | "
          f"{apcer(score[g], score[~g], 0.05):.0%} | {apcer(score[g], score[~g], 0.01):.0%} | {cllr(llr, y, weights(sources, y)):.3f} ({cllr(llr, y, np.ones(len(y))):.3f} by clip) | {np.mean(llr[g] > 1):.1%} ({over}) |", flush=True)


def told(d, scores: np.ndarray) -> None:
    y, kind, part, sources = d["y"], d["kind"], d["part"], d["source"]
    print("| read | AUC by source | matched | without talkers | pairs in order | APCER at BPCER 5 % | at 1 % | Cllr by source | genuine over LLR 1 |")
    score = scores[:, 0]
    row("as shipped", d, score)
    both = ~np.isnan(scores[:, 1])
    row("degraded copies", rows(d, both), scores[both, 1], False)
    llr, g, w = ratios(d, score), y == 0, weights(sources, y, 0.5)
    print("by clip, intervals over sources:", headline(score, llr, y, sources))
    print("quantiles of LLR (1, 5, 25, 50, 75, 95, 99 %), genuine", np.quantile(llr[g], [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]).round(2), "fakes", np.quantile(llr[~g], [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99]).round(2))
    for level in (0.5, 1.0):
        each = lambda r: f"{np.mean(llr[r] > level):.1%} of clips, {np.average(llr[r] > level, weights=w[r]):.1%} by source"
        print(f"LLR over {level}: genuine {each(g)}; fakes {each(~g)}; under -{level}: genuine {np.mean(llr[g] < -level):.1%}, fakes {np.mean(llr[~g] < -level):.1%}")
    print("| species | clips | sources | AUC by source | APCER at BPCER 5 % | AUC in `video` | in `pairs` |")
    for s in SPECIES:
        f = kind == s
        here, inside = g | f, lambda p: auc(score[g & (part == p)], score[f & (part == p)])
        print(f"| {s} | {f.sum()} | {len(set(sources[f]))} | {pairwise(y[here], score[here], w[here]):.3f} | {apcer(score[g], score[f], 0.05):.0%} | {inside('video'):.3f} | {inside('pairs'):.3f} |")
    each = sorted((pairwise(y[h], score[h], w[h]), s, int(f.sum())) for s in np.unique(d["system"][~g]) if (f := (d["system"] == s) & ~g).sum() >= 3 for h in [g | f])
    print(len(each), "systems of 3 clips and more, AUC:", "; ".join(f"{s} ({n}) {v:.2f}" for v, s, n in each))
    worst = sorted(((np.mean(llr[g & (sources == s)]), s, int((g & (sources == s)).sum())) for s in np.unique(sources[g])), reverse=True)[:8]
    print("genuine sources with the highest mean LLR:", "; ".join(f"{s} ({n}) {v:.2f}" for v, s, n in worst))
    print("| group | genuine | sources | mean LLR | over 0.5 | over 1 | fakes | AUC by source |")
    for name, value, borders in (("skin, ITA", d["skin"], SKIN), ("eyes, px", np.exp(d["about"][:, 0]), EYES)):
        group = np.digitize(value, borders)
        for k in range(len(borders) + 1):
            m, h = group == k, (group == k) & g
            print(f"| {name}, {k + 1} of 3 by {borders} | {h.sum()} | {len(set(sources[h]))} | {np.average(llr[h], weights=w[h]):+.2f} | {np.mean(llr[h] > 0.5):.1%} | {np.mean(llr[h] > 1):.1%} | {(m & ~g).sum()} | {pairwise(y[m], score[m], w[m]):.3f} |")
    nulls(d)


def nulls(d) -> None:
    """What picture size and rate tell by themselves, by the same kernel."""
    x = np.concatenate([d["about"], d["about"] ** 2], 1)
    y, sources, out = d["y"], d["source"], np.zeros(len(d["y"]))
    for train, test in splits(d):
        w = weights(sources[train], y[train])
        middle, spread = x[train].mean(0), x[train].std(0)
        a, b = (x[train] - middle) / spread, (x[test] - middle) / spread
        near = lambda p, q: np.exp(-0.5 / p.shape[1] * ((p[:, None] - q[None]) ** 2).sum(2))
        out[test] = near(b, a) @ np.linalg.solve(near(a, a) + 0.1 * np.diag(1 / w), 2.0 * y[train] - 1)
    row("null: face size, frame size, rate", d, out, False)


def calibration(d, scores: np.ndarray) -> dict:
    """Slope, offset, range and bounds of what ships, and its figures."""
    y, score, sources = d["y"], scores[:, 0], d["source"]
    slope, offset = fitted(d, score)
    # recordings may be poorer than these clips: degraded copies are inside
    low, high = np.nanmin(scores), np.nanmax(scores)
    llr, g, margin = ratios(d, score), y == 0, 0.25 * (high - low)
    metrics = {"n": len(y), "auc_by_source": pairwise(y, score, weights(sources, y, 0.5)), "apcer5": apcer(score[g], score[~g], 0.05), "cllr_by_source": cllr(llr, y, weights(sources, y)),
               "pairs_in_order": float(np.mean(list(order(d, score).values()))), "false_alarms_llr_over_1": float(np.mean(llr[g] > 1))}
    return {"slope": slope, "offset": offset, "range": (low - margin, high + margin), "bounds": BOUNDS, "metrics": metrics}
