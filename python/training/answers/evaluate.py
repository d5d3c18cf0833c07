"""The matrix: who wrote or said it against what a model wrote, by length and generator, on sources and generators left out.

    python -m answers.evaluate --data /path/to/corpus/text --manuals manuals.jsonl [--shipped] [--json out.json]

Every row is scored by a model that saw neither its repository nor its generator's family; vocabulary, space and line
are fitted anew each time. `--shipped` trains on rows of licence class permissive only, as the shipped weights are.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from metrics import bounded, cllr
from sides import apcer, auc, joined

from . import data, model

BINS = ((40, 119), (80, 119), (120, 249), (250, 10_000), (120, 10_000))


def folds(rows):
    """Pairs of what is scored and what is trained on."""
    repo, family = np.array([r.repo for r in rows]), np.array([r.family for r in rows])
    # one corpus under two names
    repo[repo == data.PREPARED] = "revdotcom/speech-datasets"
    matches = np.array([r.matches for r in rows])
    for name in sorted(set(repo) - set(data.ADDED)):
        here = repo == name
        # what was written against this source goes with it
        kept = np.array([not m or not name.startswith(m) for m in matches])
        families = sorted(set(family[here]) - {"human"})
        if name == "tatsu-lab/alpaca_eval":
            for f in families:
                yield f"{name} {f}", here & (family == f), ~here & (family != f) & kept
        else:
            yield name, here, ~here & ~np.isin(family, families) & kept


def out_of_source(rows, x, permissive: bool, verbose=False):
    """Logits of a model's wording and of speech."""
    train = data.for_training(rows)
    if permissive:
        train &= np.array([r.licence_class == "permissive" for r in rows])
    score, speech, words = np.full(len(rows), np.nan), np.full(len(rows), np.nan), model.lengths(rows)
    for name, test, rest in folds(rows):
        index = np.where(rest & train)[0]
        fitted = model.fit(x[index], [rows[i] for i in index])
        score[test], speech[test] = fitted.score(x[test], words[test]), fitted.speech(x[test])
        if verbose:
            print(f"  {name}: {test.sum()} scored, {len(index)} trained on, {len(fitted.keep)} features", flush=True)
    return score, speech


def calibrate(raw, y, w, bounds, range_quantiles=(0.0005, 0.9995)):
    """Affine map by logistic regression with both classes weighed alike."""
    w = w.copy()
    for k in (0, 1):
        w[y == k] *= 0.5 / w[y == k].sum()
    line = LogisticRegression(C=1e6).fit(raw[:, None], y, sample_weight=w * len(y))
    low, high = np.quantile(raw, range_quantiles)
    pad = 0.1 * (high - low)
    return dict(slope=float(line.coef_[0, 0]), offset=float(line.intercept_[0]), range=[float(low - pad), float(high + pad)], bounds=bounds)


def llr(raw, c):
    out = bounded(c["slope"] * raw + c["offset"], *c["bounds"])
    out[(raw < c["range"][0]) | (raw > c["range"][1])] = np.nan
    return out


def matrix(rows, raw, out=print):
    raw = raw[[r.repo != data.CHECKED for r in rows]]
    rows = [r for r in rows if r.repo != data.CHECKED]
    a = lambda f: np.array([f(r) for r in rows])
    words, register, ai, rewrite, fam, repo = (a(lambda r: r.words), a(lambda r: r.register), a(lambda r: r.ai), a(lambda r: r.rewrite), a(lambda r: r.family), a(lambda r: r.repo))
    human = {"speech": (ai == 0) & (register == "speech"), "prepared": (ai == 0) & (register == "prepared"), "writing": (ai == 0) & (register == "writing")}
    models = {"written": (ai == 1) & (register == "writing") & ~rewrite, "simulated speech": (ai == 1) & (register == "simulated"), "reworded": (ai == 1) & rewrite}
    found = {}
    out("\n| human | model | words | n | AUC | APCER at BPCER 1 % | at 5 % |\n|---|---|---|---|---|---|---|")
    for hn, h in human.items():
        for mn, m in models.items():
            for lo, hi in BINS:
                inside = (words >= lo) & (words <= hi)
                x, z = raw[h & inside], raw[m & inside]
                if len(x) < 15 or len(z) < 15:
                    continue
                cell = dict(n=[len(x), len(z)], auc=auc(x, z), apcer1=apcer(x, z, 0.01), apcer5=apcer(x, z, 0.05))
                found[f"{hn}|{mn}|{lo}"] = cell
                name = f"{lo}-{hi}" if hi < 10_000 else f"{lo}+"
                out(f"| {hn} | {mn} | {name} | {len(x)}/{len(z)} | {cell['auc']:.3f} | {cell['apcer1']:.0%} | {cell['apcer5']:.0%} |")
    out("\nwriting of people against each generator, 120 words and more")
    out("| generator | n | AUC | APCER at BPCER 1 % | at 5 % |\n|---|---|---|---|---|")
    x = raw[human["writing"] & (words >= 120)]
    for f in sorted(set(fam) - {"human"}):
        z = raw[models["written"] & (fam == f) & (words >= 120)]
        if len(z) >= 15:
            found[f"generator|{f}"] = dict(n=len(z), auc=auc(x, z), apcer1=apcer(x, z, 0.01))
            out(f"| {f} | {len(z)} | {auc(x, z):.3f} | {apcer(x, z, 0.01):.0%} | {apcer(x, z, 0.05):.0%} |")
    out("\nby generator and length: AUC (APCER at BPCER 1 %) of each kind of genuine text against all that the generator made")
    out("| generator | " + " | ".join(f"{h} {w}" for h in human for w in ("40-119", "120-249", "250+")) + " |")
    made = models["written"] | models["simulated speech"] | models["reworded"]
    for f in sorted(set(fam) - {"human"}):
        cells = []
        for h in human.values():
            for lo, hi in ((40, 119), (120, 249), (250, 10_000)):
                inside = (words >= lo) & (words <= hi)
                g, m = raw[h & inside], raw[made & (fam == f) & inside]
                cells.append(f"{auc(g, m):.2f} ({apcer(g, m, 0.01):.0%})" if min(len(g), len(m)) >= 15 else "-")
        out(f"| {f} | " + " | ".join(cells) + " |")
    z = raw[models["written"] & (words >= 120)]
    rng, boot = np.random.default_rng(0), []
    h_sources, m_sources = sorted(set(repo[human["writing"]])), sorted(set(fam[models["written"]]))
    by_h = {s: raw[human["writing"] & (repo == s) & (words >= 120)] for s in h_sources}
    by_m = {s: raw[models["written"] & (fam == s) & (words >= 120)] for s in m_sources}
    for _ in range(200):
        boot.append(auc(np.concatenate([by_h[s] for s in rng.choice(h_sources, len(h_sources))]), np.concatenate([by_m[s] for s in rng.choice(m_sources, len(m_sources))])))
    found["interval"] = [float(np.quantile(boot, q)) for q in (0.025, 0.975)]
    out(f"\nwriting against written, 120+: AUC {auc(x, z):.3f}, 95 % interval by source and generator {found['interval'][0]:.3f} to {found['interval'][1]:.3f}")
    return found


def false_alarms(rows, score, out=print):
    """Shares of genuine answers of 80 words and more at an LLR of 0.5 and more, by group."""
    found = {}
    groups = {}
    for i, r in enumerate(rows):
        if r.ai or r.words < 80:
            continue
        if r.group:
            groups.setdefault(r.group, []).append(i)
        register = {"speech": "all genuine speech", "prepared": "prepared remarks", "writing": "writing"}[r.register]
        register = "advertisements" if r.repo == data.CHECKED else register
        groups.setdefault(register, []).append(i)
        if r.register == "writing" and r.repo != data.CHECKED:
            groups.setdefault(f"writing: {r.repo}", []).append(i)
    out("\n| group | n | abstained | LLR >= 0.5 | LLR >= 1.0 |\n|---|---|---|---|---|")
    for name, index in sorted(groups.items()):
        s = score[index]
        said = s[~np.isnan(s)]
        found[name] = dict(n=len(s), abstained=float(np.isnan(s).mean()), at_half=float((said >= 0.5).mean()), at_one=float((said >= 1).mean()))
        out(f"| {name} | {len(s)} | {np.isnan(s).mean():.1%} | {(said >= 0.5).mean():.1%} | {(said >= 1).mean():.1%} |")
    for label, pick in (("written by models", lambda r: r.ai and r.register == "writing" and not r.rewrite), ("simulated speech", lambda r: r.register == "simulated"), ("reworded by models", lambda r: r.ai and r.rewrite)):
        s = score[[i for i, r in enumerate(rows) if pick(r) and r.words >= 80]]
        said = s[~np.isnan(s)]
        found[label] = dict(n=len(s), abstained=float(np.isnan(s).mean()), at_half=float((said >= 0.5).mean()), at_one=float((said >= 1).mean()))
        out(f"| **{label}** | {len(s)} | {np.isnan(s).mean():.1%} | {(said >= 0.5).mean():.1%} | {(said >= 1).mean():.1%} |")
    return found


def calibration(rows, raw):
    """Fitted on writing and prepared speech against model-written of 80 words and more, every source counting by the
    root of its size. Free speech is left out: it is told apart too easily, and would make the scores overconfident."""
    index = [i for i, r in enumerate(rows) if r.words >= 80 and r.register in ("writing", "prepared") and not r.rewrite]
    picked = [rows[i] for i in index]
    w = model.weights(picked)
    c = calibrate(raw[index], np.array([r.ai for r in picked]), w, [-0.7, 1.5])
    # honest people first: at most 2 of 100 pieces of writing and prepared speech reach an LLR of 0.5
    honest = np.array([not r.ai for r in picked])
    order = np.argsort(raw[index][honest])
    reached = np.cumsum(w[honest][order]) / w[honest].sum()
    limit = raw[index][honest][order][min(np.searchsorted(reached, 0.98), honest.sum() - 1)]
    c["offset"] = min(c["offset"], 0.5 - c["slope"] * float(limit))
    every = raw[[i for i, r in enumerate(rows) if r.words >= 80]]
    low, high = np.quantile(every, [0.0005, 0.9995])
    c["range"] = [float(low - 0.3), float(high + 0.3)]
    return c


def leave_one_calibration_out(rows, raw):
    """LLRs by calibrations that did not see the row's repository."""
    out = np.full(len(rows), np.nan)
    repo = np.array([r.repo for r in rows])
    for name in sorted(set(repo)):
        rest = np.where(repo != name)[0]
        here = repo == name
        out[here] = llr(raw[here], calibration([rows[i] for i in rest], raw[rest]))
    return out


def tested(rows, *arrays):
    """Without what was added for training only."""
    index = np.array([i for i, r in enumerate(rows) if r.repo not in data.ADDED])
    return [rows[i] for i in index], *(a[index] for a in arrays)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--manuals", type=Path)
    parser.add_argument("--shipped", action="store_true", help="train on permissive rows only")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="file that the logits are kept in")
    a = parser.parse_args()
    rows = data.load(a.data, a.manuals)
    x = model.counts(rows)
    print(len(rows), "answers")
    logit, speech = out_of_source(rows, x, a.shipped, verbose=True)
    if a.keep:
        np.savez(a.keep, logit=logit, speech=speech)
    rows, logit, speech = tested(rows, logit, speech)
    raw = model.raw(logit, speech, np.array([r.words for r in rows]))
    found = matrix(rows, raw)
    score = leave_one_calibration_out(rows, raw)
    found["false_alarms"] = false_alarms(rows, score)
    h = np.array([i for i, r in enumerate(rows) if r.register == "writing" and not r.ai and r.words >= 120 and r.repo != data.CHECKED])
    m = np.array([i for i, r in enumerate(rows) if r.register == "writing" and r.ai and not r.rewrite and r.words >= 120])
    hs, ms = score[h][~np.isnan(score[h])], score[m][~np.isnan(score[m])]
    found["cllr"] = cllr(*joined(hs, ms))
    print(f"\nCllr, writing against written, 120+, calibrated on other sources: {found['cllr']:.2f}")
    if a.json:
        a.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
