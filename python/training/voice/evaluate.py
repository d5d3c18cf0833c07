"""Scores of held-out repositories, beside AASIST; calibration; null tests.

    python -m voice.evaluate --data DIR --models ../../models --teachers MODELS
"""

from __future__ import annotations

import argparse
import pickle
from pathlib import Path

import numpy as np
import onnxruntime as ort
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve

RATE = 16_000
LENGTH, HOP = int(2.4 * RATE), RATE


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def listen(net: ort.InferenceSession, pcm: np.ndarray) -> float:
    """As `detect/voice.rs` does: 2.4 s at a time, every second anew, the mean drawn towards zero while there are few."""
    x = pcm.astype(np.float32) / 32768
    ends = [min(len(x), 2 * RATE)]
    while ends[-1] + HOP <= len(x):
        ends.append(ends[-1] + HOP)
    logits = [float(net.run(None, {"audio": x[max(0, e - LENGTH) : e][None]})[0][0]) for e in ends]
    n = len(logits)
    return float(np.mean(logits)) * n / (n + 1)


def eer(score: np.ndarray, label: np.ndarray) -> float:
    far, tpr, _ = roc_curve(label, score)
    i = np.argmin(np.abs(far - (1 - tpr)))
    return float((far[i] + 1 - tpr[i]) / 2)


def apcer(score: np.ndarray, label: np.ndarray, bpcer: float) -> float:
    return float((score[label == 1] <= np.quantile(score[label == 0], 1 - bpcer)).mean())


def cllr(llr: np.ndarray, label: np.ndarray) -> float:
    return float((np.log2(1 + np.exp(-llr[label == 1])).mean() + np.log2(1 + np.exp(llr[label == 0])).mean()) / 2)


def fit(raw: np.ndarray, label: np.ndarray) -> tuple[float, float]:
    """Affine map to natural-log likelihood ratios, both classes weighing the same."""
    m = LogisticRegression(class_weight="balanced", C=1e6).fit(raw[:, None], label)
    return float(m.coef_[0, 0]), float(m.intercept_[0])


def nulls(clips: list[dict], label: np.ndarray) -> None:
    """What can be told without any voice."""
    def quiet(x):
        e = np.array([np.mean(x[i : i + 400].astype(float) ** 2) for i in range(0, len(x) - 400, 400)])
        return np.log(np.quantile(e, 0.05) + 1) - np.log(e.mean() + 1)

    def top(x):
        s = np.abs(np.fft.rfft(x.astype(float))) ** 2
        return np.log(s[int(len(s) * 0.85) :].sum() + 1) - np.log(s.sum() + 1)

    for name, f in (("noise floor", quiet), ("top band", top), ("length", lambda x: float(len(x)))):
        auc = roc_auc_score(label, [f(c["pcm"]) for c in clips])
        print(f"null, {name} alone on the test clips: AUC {max(auc, 1 - auc):.2f}")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--teachers", type=Path)
    a = p.parse_args()
    with open(a.data / "clips.pickle", "rb") as f:
        clips = [c for c in pickle.load(f) if c["part"] in ("calibrate", "test") and c["family"] != "twin" and len(c["pcm"]) >= 2 * RATE]
    net = session(a.models / "voice/model.onnx")
    raw = np.array([listen(net, c["pcm"]) for c in clips])
    label = np.array([c["label"] == "spoof" for c in clips]).astype(int)
    test = np.array([c["part"] == "test" for c in clips])
    slope, offset = fit(raw[~test], label[~test])
    print(f"calibration on {int((~test).sum())} clips of repositories of their own: slope {slope:.4f} offset {offset:.4f}")
    print(f"range of raw scores there: {raw[~test].min():.2f} to {raw[~test].max():.2f}; genuine clips {int((label[~test] == 0).sum())}")
    r, y, c = raw[test], label[test], [x for x, t in zip(clips, test) if t]
    llr = slope * r + offset
    print(f"test: {len(y)} clips, {int((y == 0).sum())} genuine, {len({x['repo'] for x in c})} repositories not trained on")
    print(f"all: EER {eer(r, y):.3f} APCER at BPCER 5 % {apcer(r, y, 0.05):.3f} at 1 % {apcer(r, y, 0.01):.3f} Cllr {cllr(llr, y):.3f} AUC {roc_auc_score(y, r):.3f}")
    genuine = y == 0
    families = sorted({x["family"] for x in c if x["label"] == "spoof"})
    for name in families:
        mine = np.array([x["family"] == name for x in c])
        pick = genuine | mine
        print(f"  {name}: {int(mine.sum())} clips, EER {eer(r[pick], y[pick]):.3f} AUC {roc_auc_score(y[pick], r[pick]):.3f}")
    for style in sorted({x["speaking_style"] for x in c}):
        mine = np.array([x["speaking_style"] == style for x in c]) & genuine
        if mine.sum() >= 10:
            print(f"  genuine, {style}: {int(mine.sum())} clips, LLR over 0 in {(llr[mine] > 0).mean():.2f}, over 1 in {(llr[mine] > 1).mean():.2f}")
    systems = sorted({x["system"] for x in c if x["label"] == "spoof"}, key=lambda s: np.mean([l for l, x in zip(llr, c) if x["system"] == s]))
    print("  most often passed:", ", ".join(f"{s} {np.mean([l <= 0 for l, x in zip(llr, c) if x['system'] == s]):.2f}" for s in systems[:8]))
    coded = np.array([listen(net, x["coded"]) for x in c])
    changed = np.array([len(x["coded"]) != len(x["pcm"]) or bool((x["coded"] != x["pcm"]).any()) for x in c])
    if changed.sum() > 50:
        print(f"after a codec (Opus 12-48 kb/s, MP3, AAC or G.711), {int(changed.sum())} clips: EER {eer(coded[changed], y[changed]):.3f}, the same before: {eer(r[changed], y[changed]):.3f}")
    nulls(c, y)
    if a.teachers:
        aasist = session(a.teachers / "audio_spoof/aasist/AASIST-L.onnx")
        name = aasist.get_inputs()[0].name
        s = []
        for x in c:
            w = np.resize(x["pcm"].astype(np.float32) / 32768, 64600)
            s.append(-float(aasist.run(None, {name: w[None]})[0][0, 1]))
        s = np.array(s)
        print(f"AASIST-L on the same clips: EER {eer(s, y):.3f} APCER at BPCER 5 % {apcer(s, y, 0.05):.3f} AUC {roc_auc_score(y, s):.3f}")


if __name__ == "__main__":
    main()
