"""Ours beside YuNet and PFLD-98, same pictures, same run, on people and sources held out of training.

    python -m face.evaluate --data DIR --teachers MODELS --models ../../models
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from . import data
from .teachers import YuNet, fit, iou, nms, roll_of, session, square, transform

# WFLW's 98 points to iBUG's 68: Wu et al. 2018, every second contour point, brows' upper edge
FROM98 = [*range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60), 60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *range(76, 96)]


class Ours:
    def __init__(self, models: Path):
        self.net = session(models / "face-detector/model.onnx")

    def raw(self, plane: np.ndarray):
        b, p, s = self.net.run(None, {"image": plane.transpose(2, 0, 1)[None].astype(np.float32)})
        return b[0], p[0], s[0]


def find(net, image: np.ndarray, side: int, least: float):
    plane, scale = fit(image, side)
    b, p, s = net.raw(plane)
    good = s >= least
    b, p, s = b[good], p[good], s[good]
    return [(b[i] / scale, s[i]) for i in nms(b, s)]


def average_precision(net, pictures: list[dict], side: int, least_px: float) -> tuple[float, int, list[tuple[float, bool]]]:
    """All-point AP at an overlap of 0.4 (annotators' and detectors' boxes differ in convention); smaller faces are ignored."""
    hits: list[tuple[float, bool]] = []
    count = 0
    for p in pictures:
        truth = p["truth"]
        image = data.read(p)
        scale = side / max(image.shape[:2])
        large = [max(t[2:] - t[:2]) * scale >= least_px for t in truth]
        count += sum(large)
        used = set()
        for box, score in sorted(find(net, image, side, 0.05), key=lambda f: -f[1]):
            best = max(range(len(truth)), key=lambda i: iou(box, truth[i]), default=None)
            good = best is not None and iou(box, truth[best]) >= 0.4
            if good and (not large[best] or best in used):
                continue
            if not good and max(box[2:] - box[:2]) * scale < least_px * 0.8:
                continue
            if good:
                used.add(best)
            hits.append((float(score), good))
    hits.sort(reverse=True)
    right = np.cumsum([h for _, h in hits])
    precision = right / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(sum(p for p, (_, h) in zip(precision, hits) if h) / max(count, 1)), count, hits


def speed(a, b, h: int, w: int) -> float:
    """Median time of `a` over that of `b`, in pairs on one thread."""
    plane = np.random.default_rng(0).integers(0, 255, (h, w, 3)).astype(np.uint8)
    times = []
    for _ in range(30):
        pair = []
        for net in (a, b):
            t = time.perf_counter()
            net.raw(plane)
            pair.append(time.perf_counter() - t)
        times.append(pair)
    times = np.array(times[5:])
    return float(np.median(times[:, 0]) / np.median(times[:, 1])), float(np.median(times[:, 0]) * 1e3)


def landmarks(pictures: list[dict], models: Path, teachers: Path) -> None:
    ours = session(models / "face-landmarks/model.onnx")
    pfld = session(teachers / "landmarks/pfld_ghost_98/PFLD_GhostOne_112_1_opt_sim.onnx")
    errors = {"ours": [], "pfld": []}
    lips = {"ours": [], "pfld": []}
    for p in pictures:
        for truth in p["ibug68"] or []:
            face = next((f for f in p["faces"] if iou(f["box"], np.concatenate([truth.min(0), truth.max(0)])) > 0.3), None)
            if face is None:
                continue
            image = data.read(p)
            box, norm = face["box"], np.linalg.norm(truth[36] - truth[45])
            centre, side = (box[:2] + box[2:]) / 2, max(box[2:] - box[:2])
            for name, net, scale in (("ours", ours, 1.3), ("pfld", pfld, 1.1)):
                m = square(centre, side * scale, roll_of(face["points"]) if name == "ours" else 0.0, 112)
                crop = cv2.warpAffine(image, m, (112, 112), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                x = crop.transpose(2, 0, 1)[None].astype(np.float32)
                if name == "ours":
                    got = net.run(["ibug68"], {"image": x})[0][0] * 112
                else:
                    got = net.run(None, {net.get_inputs()[0].name: x / 255})[0].reshape(98, 2)[FROM98] * 112
                got = transform(cv2.invertAffineTransform(m), got)
                away = np.linalg.norm(got - truth, axis=1) / norm
                errors[name].append(away[17:].mean())
                lips[name].append(away[48:].mean())
    for name in errors:
        e = np.array(errors[name])
        print(f"landmarks {name}: {len(e)} faces, inner 51 points, error over outer eye corners: mean {e.mean():.4f} median {np.median(e):.4f} 90 % {np.quantile(e, .9):.4f}; lips {np.mean(lips[name]):.4f}")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--teachers", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    a = p.parse_args()
    cv2.setNumThreads(1)
    pictures = [x for x in data.load(a.data) if data.held_out(x)]
    annotated = []
    for x in pictures:
        if x["human"] and "facemask" in x["source"]:
            annotated.append(x | {"truth": x["human"]})
        elif x["ibug68"]:
            # annotators' points stop at the brows: the box is grown to the forehead, as detectors draw it
            boxes = [np.concatenate([q.min(0) - [0, 0.18 * np.ptp(q[:, 1])], q.max(0)]) for q in x["ibug68"]]
            annotated.append(x | {"truth": boxes})
    ours, yunet = Ours(a.models), YuNet(a.teachers)
    sets = {"youtubefaces": [x for x in annotated if x["ibug68"]], "facemask": [x for x in annotated if not x["ibug68"]]}
    for name, group in sets.items():
        for side, least in ((320, 48), (640, 48), (320, 24)):
            line = f"detector {name} plane {side}, faces of {least} px and more:"
            for who, net in (("ours", ours), ("yunet", yunet)):
                ap, count, hits = average_precision(net, group, side, least)
                false = sum(1 for s, h in hits if not h and s >= 0.5)
                line += f" {who} AP {ap:.4f}, false alarms at 0.5 {false};"
            print(line, count, "faces,", len(group), "pictures", flush=True)
    clips = [x for x in pictures if x["identity"].split(":")[0] in ("video", "talkers", "pairs")]
    for who, net in (("ours", ours), ("yunet", yunet)):
        found = np.mean([bool(find(net, data.read(x), 320, 0.5)) for x in clips])
        print(f"frames of held-out clips with a face, {who}: {found:.4f} of {len(clips)}")
    for h, w in ((192, 320), (640, 640)):
        ratio, ms = speed(ours, yunet, h, w)
        print(f"time over YuNet's at {w}x{h}, one thread: {ratio:.2f} ({ms:.2f} ms)")
    landmarks(pictures, a.models, a.teachers)


if __name__ == "__main__":
    main()
