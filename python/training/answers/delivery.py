"""Read or free speech from the times of words: features, leave-calls-out evaluation, and the model `answers-delivery`.

    python -m answers.delivery --data /path/to/corpus/text [--export ../../models]

The features are those of `crates/inperson/src/detect/answers/delivery.rs`; what words and pauses last given the words is in `timing.py`.
"""

import argparse
import gzip
import json
import re
from pathlib import Path

import numpy as np
import onnxruntime
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from metrics import bounded

from . import timing
from .text import FILLERS

STRETCH, LEAST, PAUSE, BREAK, STRETCHED = 150, 80, 0.15, 5.0, 0.88
REMARKS = 400  # words of a turn that is a speech
CUT = 4.0  # deviations
FUNCTION = frozenset(
    "the a an of to in on for with and or but that is are was i we you it at by from as so because if our this be have will".split()
)
NAMES = (
    "rate pauses log_pause_mean log_pause_sd log_run run_cv over_350ms over_1s after_function length length_cv length_q90 "
    "repeat_1 repeat_2 small_cv small_q90"
).split()


def plain_words(stretch):
    """(word, start, end, whether it has times) without fillers."""
    words = []
    for word, start, end in stretch:
        plain = re.sub(r"[^a-z0-9']", "", word.lower())
        if plain and plain not in FILLERS:
            known = start is not None and end is not None and end > start
            words.append((plain, round(start, 6) if known else 0.0, round(end, 6) if known else 0.0, known))
    return words


def features(stretch):
    """`stretch`: (word, start_s, end_s), None where unknown. None where too few words have times."""
    words = plain_words(stretch)
    if sum(w[3] for w in words) < LEAST:
        return None
    gaps, runs, run, after, paused_after = [], [], 0, 0, 0
    for a, b in zip(words, words[1:]):
        run += 1
        gap = b[1] - a[2]
        if not (a[3] and b[3]) or not -0.05 <= gap <= BREAK:
            continue
        after += a[0] in FUNCTION
        if gap >= PAUSE:
            paused_after += a[0] in FUNCTION
            runs.append(run)
            run = 0
        gaps.append(max(gap, 0.0))
    gaps, runs = np.array(gaps), np.array(runs)
    if (gaps < 1e-3).sum() > STRETCHED * len(gaps):
        return None
    pauses = gaps[gaps >= PAUSE] if len(gaps) else gaps
    if len(gaps) < 30 or len(pauses) < 4:
        return None
    timed = [w for w in words if w[3]]
    length = np.array([(w[2] - w[1]) / max(len(w[0]), 1) ** 0.6 for w in timed])
    small = np.array([(w[2] - w[1]) / len(w[0]) ** 0.6 for w in timed if w[0] in FUNCTION])
    if len(small) < 8:
        return None
    spoken = timed[-1][2] - timed[0][1]
    logs = np.log(pauses)
    repeats = lambda back: sum(a[0] == b[0] for a, b in zip(words, words[back:])) / max(len(words), 1)
    cv = lambda v: v.std() / v.mean()
    q90 = lambda v: np.quantile(v, 0.9) / max(np.quantile(v, 0.5), 1e-3)
    return [
        len(timed) / max(spoken, 1.0), len(pauses) / len(gaps), logs.mean(), logs.std(), np.log(runs.mean()), cv(runs),
        (pauses > 0.35).mean(), (pauses > 1).mean(), paused_after / len(pauses) - after / len(gaps),
        np.log(length.mean()), cv(length), q90(length), 100 * repeats(1), 100 * repeats(2), cv(small), q90(small),
    ]


def calls(folder: Path):
    """Stretches of every speaker's turns: call, speaker, turn, 1 for prepared remarks, whether it is doubtful, features, words.

    Where questions begin was found by their wording, which some calls miss. So what comes before them, but after the last
    speech of `REMARKS` words, is doubtful: chairmen and questions that were not announced."""
    rows = []
    for line in gzip.open(folder / "transcripts/earnings22.jsonl.gz", "rt"):
        call = json.loads(line)
        if not call["qa_start_s"]:
            continue
        turns = []
        for speaker, word, start, end in call["words"]:
            if not turns or turns[-1][0] != speaker:
                turns.append((speaker, []))
            turns[-1][1].append((word, start, end))
        firsts = [next((s for _, s, _ in words if s is not None), None) for _, words in turns]
        before = [first is not None and first < call["qa_start_s"] for first in firsts]
        last = max((i for i, (_, words) in enumerate(turns) if before[i] and len(words) >= REMARKS), default=-1)
        for number, (speaker, words) in enumerate(turns):
            if firsts[number] is None:
                continue
            for at in range(0, len(words), STRETCH):
                found = features(words[at : at + STRETCH])
                if found:
                    rows.append((call["id"], f"{call['id']}-{speaker}", number, int(before[number]), before[number] and number > last, found, words[at : at + STRETCH]))
    return rows


def model(kind):
    if kind == "additive":
        return Additive()
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0))


def folded(flat, x, y, call, folds):
    """Features with the measures of `timing`, each call's by tables of other calls."""
    more = np.zeros((len(y), len(timing.NAMES)))
    for train, test in GroupKFold(folds).split(x, y, call):
        more[test] = timing.measures(flat, timing.fit(flat, np.isin(np.arange(len(y)), train), y, call))[test]
    return np.hstack([x, more])


def nested(flat, x, y, call):
    """For each fold of `out_of_call`: all stretches, the training calls' by tables of each other, the rest by theirs."""
    for train, test in GroupKFold(10).split(x, y, call):
        use, inner = np.isin(np.arange(len(y)), train), np.zeros((len(y), len(timing.NAMES)))
        for a, b in GroupKFold(5).split(train, y[train], call[train]):
            inner[train[b]] = timing.measures(flat, timing.fit(flat, np.isin(np.arange(len(y)), train[a]), y, call))[train[b]]
        inner[test] = timing.measures(flat, timing.fit(flat, use, y, call))[test]
        yield np.hstack([x, inner])


def out_of_call(make, x, y, call, every=None):
    """Scores of calls left out in ten groups; `every` gives the features fold by fold."""
    out = np.zeros(len(y))
    for train, test in GroupKFold(10).split(x, y, call):
        x = next(every) if every else x
        # every call counts alike
        w = np.array([1 / np.sqrt((call[train] == c).sum()) for c in call[train]])
        m = make()
        if hasattr(m, "steps"):
            m.fit(x[train], y[train], logisticregression__sample_weight=w)
        else:
            m.fit(x[train], y[train], sample_weight=w)
        out[test] = m.decision_function(x[test]).ravel()
    return out


def report(name, out, y, call, speaker, turn):
    keys = {}
    for i in range(len(y)):
        keys.setdefault((speaker[i], y[i]), []).append(out[i])
    whole = np.array([np.mean(v) for v in keys.values()])
    label = np.array([k[1] for k in keys])
    per = [roc_auc_score(y[call == c], out[call == c]) for c in set(call) if 0 < y[call == c].mean() < 1]
    boot = []
    rng = np.random.default_rng(0)
    ids = np.array(sorted(set(call)))
    for _ in range(200):
        pick = np.concatenate([np.where(call == c)[0] for c in rng.choice(ids, len(ids))])
        boot.append(roc_auc_score(y[pick], out[pick]))
    turns = {}
    for i in range(len(y)):
        turns.setdefault((speaker[i], turn[i], y[i]), []).append(out[i])
    answers = roc_auc_score([k[2] for k in turns], [np.mean(v) for v in turns.values()])
    print(f"{name}: AUC by stretch {roc_auc_score(y, out):.3f} [{np.quantile(boot, .025):.3f}, {np.quantile(boot, .975):.3f}],"
          f" by turn {answers:.3f} (n={len(turns)}), by speaker and section {roc_auc_score(label, whole):.3f} (n={len(label)}), median within a call {np.median(per):.3f}")


VERSION = "0.3.0"


class Additive:
    """Logistic regression over standardised features, each bent at five quantiles."""

    def __init__(self, c=0.05):
        self.c = c

    def expand(self, x):
        z = np.clip((x - self.mean) / self.scale, -CUT, CUT)
        return np.hstack([z] + [np.maximum(z - k, 0) for k in self.knots])

    def fit(self, x, y, sample_weight):
        self.mean, self.scale = x.mean(0), x.std(0) + 1e-6
        z = (x - self.mean) / self.scale
        self.knots = np.array([np.quantile(z, q, axis=0) for q in (0.1, 0.3, 0.5, 0.7, 0.9)])
        self.line = LogisticRegression(C=self.c, max_iter=1000).fit(self.expand(x), y, sample_weight=sample_weight / sample_weight.mean())
        return self

    def decision_function(self, x):
        return self.line.decision_function(self.expand(x))


def elsewhere(fitted, tables, data):
    """Scores of free speech from elsewhere, whose times were made otherwise, by corpus."""
    raw = {}
    for name in ("ami_meetings", "coraal_interviews"):
        found = []
        for line in gzip.open(data / f"transcripts/{name}.jsonl.gz", "rt"):
            words = {}
            for speaker, word, start, end in json.loads(line)["words"]:
                words.setdefault(speaker, []).append((word, start, end))
            # every third stretch: enough for a share
            found += [(f, timing.tokens(plain_words(w[at : at + STRETCH]))) for w in words.values() for at in range(0, len(w), 3 * STRETCH)
                      if (f := features(w[at : at + STRETCH]))]
        x, held = zip(*found)
        raw[name] = fitted.decision_function(np.hstack([np.array(x), timing.measures(timing.Flat(held), tables)]))
    return raw


def aloud(data):
    """Stretches of a book read aloud (LJSpeech), whose times were made otherwise; clips joined with 0.6 s between them."""
    words, at = [], 0.0
    for line in gzip.open(data / "transcripts/read_ljspeech.jsonl.gz", "rt"):
        clip = [w[1:] for w in json.loads(line)["words"]]
        words += [(w, None if s is None else at + s, None if e is None else at + e) for w, s, e in clip]
        at += max((e for _, _, e in clip if e is not None), default=0.0) + 0.6
    return [(f, timing.tokens(plain_words(words[k : k + STRETCH]))) for k in range(0, len(words), STRETCH) if (f := features(words[k : k + STRETCH]))]


def export(models, x, flat, held, y, call, out, data):
    from . import export as onnx_export

    w = np.array([1 / np.sqrt((call == c).sum()) for c in call])
    tables = timing.fit(flat, np.ones(len(y), bool), y, call)
    fitted = Additive().fit(folded(flat, x, y, call, 10), y, sample_weight=w)
    # a whole answer of one stretch, both sides weighed alike
    line = LogisticRegression(C=1e6).fit(out[:, None], y, sample_weight=np.where(y == 1, 0.5 / (y == 1).mean(), 0.5 / (y == 0).mean()))
    low, high = np.quantile(out, [0.001, 0.999])
    # one kind of call is no proof for interviews: half of what the fit allows, and never more than 1
    calibration = dict(slope=0.5 * float(line.coef_[0, 0]), offset=0.5 * float(line.intercept_[0]) - 0.1,
                       range=[float(low) - 0.5, float(high) + 0.5], bounds=[-0.7, 1.0])
    # at most 1 of 100 stretches of free speech reaches an LLR of 0.5, here and elsewhere
    free = {"earnings22": out[y == 0], **elsewhere(fitted, tables, data)}
    highest = max(float(np.quantile(raw, 0.99)) for raw in free.values())
    calibration["offset"] = min(calibration["offset"], 0.5 - calibration["slope"] * highest)
    for name, raw in free.items():
        outside = (raw < calibration["range"][0]) | (raw > calibration["range"][1])
        own = bounded(calibration["slope"] * raw + calibration["offset"], *calibration["bounds"])[~outside]
        print(f"{name}: {len(raw)} free stretches, {outside.mean():.1%} out of range, {(own >= 0.5).mean():.1%} at 0.5 and more, median {np.median(own):.2f}")
    found, held_aloud = zip(*aloud(data))
    raw = fitted.decision_function(np.hstack([np.array(found), timing.measures(timing.Flat(held_aloud), tables)]))
    inside = (raw >= calibration["range"][0]) & (raw <= calibration["range"][1])
    read = calibration["slope"] * raw[inside] + calibration["offset"]
    print(f"a book read aloud: {len(raw)} stretches, {1 - inside.mean():.1%} out of range, {(read >= 0.5).mean():.1%} at 0.5 and more, median {np.median(read):.2f}")
    llr = bounded(calibration["slope"] * out + calibration["offset"], *calibration["bounds"])
    metrics = dict(n=len(y), auc=float(roc_auc_score(y, out)), free_at_half=float((llr[y == 0] >= 0.5).mean()), read_at_half=float((llr[y == 1] >= 0.5).mean()))
    print("calibration", calibration, metrics)
    graph = onnx_export.delivery(timing.graph(tables, fitted, CUT), x[0], held[0])
    onnx_export.ship(models, onnx_export.DELIVERY, graph, VERSION, calibration, metrics)
    session = onnxruntime.InferenceSession(graph)
    want = fitted.decision_function(np.hstack([x, timing.measures(flat, tables)]))
    got = [session.run(None, dict(features=x[[i]].astype(np.float32), pairs=held[i][0].astype(np.float32), words=held[i][1].astype(np.float32)))[0][0] for i in range(0, len(y), 20)]
    print("graph against numpy, largest difference", np.abs(want[::20] - got).max())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--export", type=Path)
    a = parser.parse_args()
    rows = calls(a.data)
    held = [timing.tokens(plain_words(r[-1])) for r in rows]
    call, speaker, turn, y, doubtful, x = (np.array(c) for c in zip(*(r[:-1] for r in rows)))
    whole = timing.Flat(held)
    report("doubtful stretches among them", out_of_call(lambda: model("additive"), x, y, call, nested(whole, x, y, call)), y, call, speaker, turn)
    held = [h for h, out in zip(held, doubtful) if not out]
    call, speaker, turn, y, x = (c[~doubtful] for c in (call, speaker, turn, y, x))
    print(len(y), "stretches of", len(set(call)), "calls,", f"{y.mean():.2f} prepared;", doubtful.sum(), "doubtful ones left out")
    flat = timing.Flat(held)
    every = list(nested(flat, x, y, call))
    for name, kind, of in (("16 features, linear", "linear", None), ("16 features, additive", "additive", None), ("as shipped", "additive", every)):
        out = out_of_call(lambda: model(kind), x, y, call, of and iter(of))
        report(name, out, y, call, speaker, turn)
    if a.export:
        export(a.export, x, flat, held, y, call, out, a.data)
    report("the measures given the words alone", out_of_call(lambda: model("additive"), x, y, call, (f[:, x.shape[1]:] for f in every)), y, call, speaker, turn)
    null = x[:, [0]]
    report("null test, speaking rate alone", out_of_call(lambda: model("linear"), null, y, call), y, call, speaker, turn)
    rng = np.random.default_rng(1)
    drawn = timing.redrawn(flat, timing.fit(flat, np.ones(len(y), bool), y, call), rng)
    report("null test, those measures with times drawn anew for the same words", out_of_call(lambda: model("additive"), x, y, call, (f[:, x.shape[1]:] for f in nested(drawn, x, y, call))),
           y, call, speaker, turn)
    shuffled = y.copy()
    for c in set(call):
        shuffled[call == c] = rng.permutation(shuffled[call == c])
    report("null test, labels shuffled within calls", out_of_call(lambda: model("additive"), x, shuffled, call, nested(flat, x, shuffled, call)), shuffled, call, speaker, turn)
    for i, name in enumerate(NAMES + timing.NAMES):
        print(f"  {name}: {roc_auc_score(y, every[0][:, i]):.3f}")


if __name__ == "__main__":
    main()
