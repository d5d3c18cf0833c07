"""Ours beside YuNet and PFLD-98, same pictures, same run, on people and sources held out of training.

    python -m face.evaluate --data DIR --teachers MODELS --models ../../models [--detector-only]

The short form prints the detector's table on undamaged pictures, and its time.
"""

from __future__ import annotations

import argparse
import io
import time
from collections import defaultdict
from pathlib import Path

import av
import cv2
import numpy as np

from . import data
from graphs import session

from .teachers import YuNet, fit, iou, nms, roll_of, square, transform

# WFLW's 98 points to iBUG's 68: Wu et al. 2018, every second contour point, brows' upper edge
FROM98 = [*range(0, 33, 2), *range(33, 38), *range(42, 47), *range(51, 60), 60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *range(76, 96)]
# from this score a box counts as a face
SURE = 0.5


class Ours:
    def __init__(self, models: Path):
        self.net = session(models / "face-detector/model.onnx")

    def raw(self, plane: np.ndarray):
        b, p, s = self.net.run(None, {"image": plane.transpose(2, 0, 1)[None].astype(np.float32)})
        return b[0], p[0], s[0]


def find(net, image: np.ndarray, side: int, least: float):
    """(box, points, score) in the picture, best first."""
    plane, scale = fit(image, side)
    b, p, s = net.raw(plane)
    good = s >= least
    b, p, s = b[good], p[good], s[good]
    return [(b[i] / scale, p[i].reshape(5, 2) / scale, float(s[i])) for i in nms(b, s)]


def as_is(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return image


def dim(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A fifth of the light, with the noise of a small sensor."""
    light = image.astype(np.float32) * 0.2
    return np.clip(light + rng.normal(0, 1, image.shape) * np.sqrt(light + 4), 0, 255).astype(np.uint8)


def call(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A bad line: 240 px on the long side through H.264 at a constant rate factor of 38."""
    h, w = image.shape[:2]
    scale = min(1.0, 240 / max(h, w))
    small = cv2.resize(image, (round(w * scale / 2) * 2, round(h * scale / 2) * 2), interpolation=cv2.INTER_AREA)
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "38", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = small.shape[1], small.shape[0], "yuv420p"
        frame = av.VideoFrame.from_ndarray(small, format="rgb24")
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with av.open(io.BytesIO(held.getvalue())) as media:
        small = next(media.decode(video=0)).to_ndarray(format="rgb24")
    return cv2.resize(small, (w, h), interpolation=cv2.INTER_LINEAR)


CONDITIONS = {"as is": as_is, "dim": dim, "bad line": call}


def matches(net, picture: dict, image: np.ndarray, side: int, least_px: float, overlap: float):
    """(score, right) of what counts in this picture, and the number of faces; smaller faces are ignored."""
    truth = picture["truth"]
    scale = side / max(image.shape[:2])
    large = [max(t[2:] - t[:2]) * scale >= least_px for t in truth]
    hits, used = [], set()
    for box, _, score in find(net, image, side, 0.02):
        best = max(range(len(truth)), key=lambda i: iou(box, truth[i]), default=None)
        good = best is not None and iou(box, truth[best]) >= overlap
        if good and (not large[best] or best in used):
            continue
        if not good and max(box[2:] - box[:2]) * scale < least_px * 0.8:
            continue
        if good:
            used.add(best)
        hits.append((score, good))
    return hits, sum(large)


def average_precision(per_picture) -> float:
    """All-point AP."""
    count = sum(n for _, n in per_picture)
    hits = sorted((h for hits, _ in per_picture for h in hits), reverse=True)
    right = np.cumsum([h for _, h in hits])
    precision = np.maximum.accumulate((right / np.arange(1, len(hits) + 1))[::-1])[::-1]
    return float(sum(p for p, (_, h) in zip(precision, hits) if h) / max(count, 1))


def rates(per_picture) -> tuple[int, int]:
    """Faces found and false alarms, from the score at which a box counts."""
    sure = [h for hits, _ in per_picture for s, h in hits if s >= SURE]
    return sum(sure), len(sure) - sum(sure)


def detection(nets: dict, sets: dict, overlap: float, conditions: dict) -> None:
    print(f"\n| set | pictures | plane | faces | AP ours | AP YuNet | difference, 95 % | found at {SURE} ours / YuNet | false alarms ours / YuNet |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, pictures in sets.items():
        for condition, change in conditions.items():
            rng = np.random.default_rng(0)
            images = [change(data.read(x), rng) for x in pictures]
            for side in (320, 640):
                got = {k: [matches(n, x, i, side, 48, overlap) for x, i in zip(pictures, images)] for k, n in nets.items()}
                ap = {k: average_precision(v) for k, v in got.items()}
                apart = []
                for _ in range(200):
                    pick = rng.integers(0, len(pictures), len(pictures))
                    apart.append(average_precision([got["ours"][i] for i in pick]) - average_precision([got["yunet"][i] for i in pick]))
                low, high = np.quantile(apart, [0.025, 0.975])
                (fo, ao), (fy, ay) = rates(got["ours"]), rates(got["yunet"])
                faces = sum(n for _, n in got["ours"])
                print(f"| {name}, {condition} | {len(pictures)} | {side} | {faces} | {ap['ours']:.4f} | {ap['yunet']:.4f} | {low:+.4f} to {high:+.4f} | {fo} / {fy} | {ao} / {ay} |", flush=True)


def presence(nets: dict, groups: dict, landmarks) -> None:
    """Pictures in which a face is found, and boxes beyond the teacher's where one face is known to be alone."""
    print(f"\n| group | pictures | a face found at {SURE}, plane 320: ours / YuNet | landmarks present |")
    print("|---|---|---|---|")
    for name, images in groups.items():
        found = {k: [find(n, i, 320, SURE) for i in images] for k, n in nets.items()}
        share = {k: np.mean([bool(f) for f in v]) for k, v in found.items()}
        held = np.mean([bool(f) and shape(landmarks, i, f[0][0], f[0][1])[2] >= 0.5 for i, f in zip(images, found["ours"])])
        print(f"| {name} | {len(images)} | {share['ours']:.3f} / {share['yunet']:.3f} | {held:.3f} |", flush=True)


def speed(a, b, h: int, w: int) -> tuple[float, float]:
    """Median of the ratio of the time of `a` to that of `b`, in pairs on one thread, and milliseconds of `a`."""
    plane = np.random.default_rng(0).integers(0, 255, (h, w, 3)).astype(np.uint8)
    times = []
    for turn in range(60):
        pair = {}
        for name in "ab" if turn % 2 else "ba":
            t = time.perf_counter()
            (a if name == "a" else b).raw(plane)
            pair[name] = time.perf_counter() - t
        times.append((pair["a"], pair["b"]))
    times = np.array(times[10:])
    return float(np.median(times[:, 0] / times[:, 1])), float(np.median(times[:, 0]) * 1e3)


def shape(net, image: np.ndarray, box: np.ndarray, points: np.ndarray):
    """Mesh and 68 points in the picture and presence, from the crop that the library makes."""
    m = square((box[:2] + box[2:]) / 2, 1.3 * max(box[2:] - box[:2]), roll_of(points), 112)
    crop = cv2.warpAffine(image, m, (112, 112), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    mesh, ibug, there = net.run(["mesh", "ibug68", "presence"], {"image": crop.transpose(2, 0, 1)[None].astype(np.float32)})
    back = cv2.invertAffineTransform(m)
    return transform(back, mesh[0] * 112), transform(back, ibug[0] * 112), float(there[0, 0])


def shape98(net, image: np.ndarray, box: np.ndarray):
    m = square((box[:2] + box[2:]) / 2, 1.1 * max(box[2:] - box[:2]), 0.0, 112)
    crop = cv2.warpAffine(image, m, (112, 112), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    got = net.run(None, {net.get_inputs()[0].name: crop.transpose(2, 0, 1)[None].astype(np.float32) / 255})[0]
    return transform(cv2.invertAffineTransform(m), got.reshape(98, 2)[FROM98] * 112)


PARTS = {"inner 51": slice(17, 68), "eyes": slice(36, 48), "lips": slice(48, 68), "all 68": slice(0, 68)}


def landmarks(pictures: list[dict], ours, pfld) -> None:
    """Error over the distance of the outer eye corners; both nets get the teacher's box of the undamaged picture."""
    print("\n| points | pictures | faces | part | ours mean / median / 90 % | PFLD-98 mean / median / 90 % |")
    print("|---|---|---|---|---|---|")
    for source in sorted({p["source"] for p in pictures if p["ibug68"]}):
        for condition, change in CONDITIONS.items():
            rng, errors = np.random.default_rng(0), defaultdict(list)
            for p in pictures:
                if p["source"] != source:
                    continue
                image = change(data.read(p), rng)
                for truth in p["ibug68"] or []:
                    face = next((f for f in p["faces"] if iou(f["box"], np.concatenate([truth.min(0), truth.max(0)])) > 0.3), None)
                    if face is None:
                        continue
                    norm = np.linalg.norm(truth[36] - truth[45])
                    for name, got in (("ours", shape(ours, image, face["box"], face["points"])[1]), ("pfld", shape98(pfld, image, face["box"]))):
                        away = np.linalg.norm(got - truth, axis=1) / norm
                        for part, which in PARTS.items():
                            errors[name, part].append(away[which].mean())
            text = lambda e: f"{np.mean(e):.4f} / {np.median(e):.4f} / {np.quantile(e, 0.9):.4f}"
            for part in PARTS:
                if errors["ours", part]:
                    print(f"| {source} | {condition} | {len(errors['ours', part])} | {part} | {text(errors['ours', part])} | {text(errors['pfld', part])} |", flush=True)


def mesh(pictures: list[dict], ours) -> None:
    """Distance to the teacher's mesh, on held-out pictures, over the distance of the outer eye corners."""
    errors = defaultdict(list)
    for p in pictures:
        for f in p["faces"]:
            if "mesh" in f:
                got, truth = shape(ours, data.read(p), f["box"], f["points"])[0], f["mesh"]
                away = np.linalg.norm(got - truth, axis=1) / np.linalg.norm(truth[33] - truth[263])
                for part, which in {"all 478": slice(0, 478), "inner lips": [13, 14, 78, 308], "lids": [159, 145, 386, 374], "irises": [468, 473]}.items():
                    errors[part].append(away[which].mean())
    print("\n| mesh beside its teacher | faces | mean | median | 90 % |\n|---|---|---|---|---|")
    for part, e in errors.items():
        print(f"| {part} | {len(e)} | {np.mean(e):.4f} | {np.median(e):.4f} | {np.quantile(e, 0.9):.4f} |")


def framed(image: np.ndarray) -> np.ndarray:
    """A picture that is all face, as a part of a larger grey one."""
    h, w = image.shape[:2]
    return cv2.copyMakeBorder(image, h // 3, h // 2, w, w, cv2.BORDER_CONSTANT, value=(96, 96, 96))


def boxed(pictures) -> dict[str, list[dict]]:
    """The pictures in which people marked faces, by set, with the true boxes."""
    sets = defaultdict(list)
    for x in pictures:
        if x["human"] and x["ibug68"] is None:
            sets["masks and crowds"].append(x | {"truth": x["human"]})
        elif x["ibug68"]:
            # annotators' points stop at the brows: the box is grown to the forehead, as detectors draw it
            boxes = [np.concatenate([q.min(0) - [0, 0.18 * np.ptp(q[:, 1])], q.max(0)]) for q in x["ibug68"]]
            sets["YouTube Faces" if "youtube" in x["source"] else x["source"]].append(x | {"truth": boxes})
    return sets


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--teachers", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--overlap", type=float, default=0.4, help="at which a box is right; annotators' and detectors' conventions differ")
    p.add_argument("--detector-only", action="store_true", help="only the detector, on undamaged pictures: a minute")
    a = p.parse_args()
    cv2.setNumThreads(1)
    everything = data.load(a.data)
    pictures = [x for x in everything if data.held_out(x)]
    annotated = boxed(pictures)
    nets = {"ours": Ours(a.models), "yunet": YuNet(a.teachers)}
    print("held out:", len(pictures), "pictures of", len(everything), "; a box is right at an overlap of", a.overlap)
    detection(nets, annotated, a.overlap, {"as is": as_is} if a.detector_only else CONDITIONS)
    print()
    for h, w in ((192, 320), (384, 640), (640, 640)):
        ratio, ms = speed(nets["ours"], nets["yunet"], h, w)
        print(f"time over YuNet's at {w}x{h}, one thread: {ratio:.2f} ({ms:.2f} ms)")
    if a.detector_only:
        return
    shapes = session(a.models / "face-landmarks/model.onnx")
    groups = {
        "frames of held-out clips": [data.read(x) for x in pictures if x["identity"].split(":")[0] in ("video", "talkers", "pairs")],
        "DFDC crops, held out": [data.read(x) for x in pictures if x["source"] == "dfdc_pairs"],
        "StyleGAN2, never trained on": [framed(data.read(x)) for x in pictures if x["source"] == "stylegan2_fakes"],
        "dlib johns, never trained on": [framed(data.read(x)) for x in pictures if x["source"] == "dlib_johns"],
    }
    for which in (1, 2):
        for name in sorted({x["about"][which] for x in everything if x["about"] and x["about"][which]}):
            group = [x for x in everything if x["about"] and x["about"][which] == name]
            unseen = [x for x in group if data.held_out(x)]
            for condition in ("as is", "dim"):
                rng = np.random.default_rng(0)
                change = lambda x: CONDITIONS[condition](framed(data.read(x)), rng)
                groups[f"UTKFace {name}, held out, {condition}"] = [change(x) for x in unseen]
                groups[f"UTKFace {name}, all, {condition}"] = [change(x) for x in group]
    presence(nets, groups, shapes)
    landmarks(pictures, shapes, session(a.teachers / "landmarks/pfld_ghost_98/PFLD_GhostOne_112_1_opt_sim.onnx"))
    mesh(pictures, shapes)


if __name__ == "__main__":
    main()
