"""Decodes the material once: pictures of at most 512 px with boxes, five points, 478 and 68 points, source and identity.

    python -m face.prepare --corpus CORPUS --models TEACHERS --out DIR [--without-licence REGEX]
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import pickle
import re
from pathlib import Path

import av
import cv2
import numpy as np

from .teachers import Mesh, YuNet

LONG_SIDE = 512


def numbers(text: str) -> list[np.ndarray]:
    return [np.array([float(v) for v in part.split()]) for part in (text or "").split(";") if part.strip()]


def rows(folder: Path):
    with open(folder / "manifest.csv", newline="") as f:
        yield from csv.DictReader(f)


def frames(path: Path, count: int):
    """`count` pictures spread over a clip, as RGB."""
    with av.open(str(path)) as media:
        stream = media.streams.video[0]
        every = [f.to_ndarray(format="rgb24") for f in media.decode(stream)]
    for i in np.unique(np.linspace(0, len(every) - 1, count + 2).round().astype(int)[1:-1]):
        yield every[i]


def material(corpus: Path, without: re.Pattern | None):
    """(picture, source, identity, human boxes or None, human 68 points or None, what the manifest says of the person)."""
    allowed = lambda r: without is None or not without.search(r.get("license_note") or r.get("licence_note") or "")
    for part, count in (("video", 4), ("talkers", 4), ("pairs", 4)):
        for r in rows(corpus / part):
            if allowed(r):
                who = r["identity_hint"] or r["repo"]
                for image in frames(corpus / part / r["path"], count):
                    yield image, r["repo"], f"{part}:{who}", None, None, None
    for part in ("youtubefaces_udacity", "facemask_boxes", "dlib_faces", "dfdc_pairs", "stills", "deepface_tests",
                 "dlib_johns", "stylegan2_fakes"):
        folder = corpus / "faces" / part
        for r in rows(folder):
            if not allowed(r) or (part == "dfdc_pairs" and r["label"] != "bonafide"):
                continue
            image = cv2.imread(str(folder / (r.get("file") or r["path"])))
            if image is None:
                continue
            boxes = [np.array([b[0], b[1], b[0] + b[2], b[1] + b[3]]) for b in numbers(r.get("boxes"))]
            points = [p.reshape(68, 2) for p in numbers(r.get("landmarks"))]
            who = r.get("identity") or r.get("identity_hint") or r.get("original") or r.get("path")
            about = (r["kind"], r["sex"], r["race_or_skin"]) if part == "stills" else None
            yield image[:, :, ::-1], part, f"{part}:{who}", boxes or None, points or None, about


def start(models: Path) -> None:
    global finder, mesher
    cv2.setNumThreads(1)
    finder, mesher = YuNet(models), Mesh(models)


def label(item: tuple) -> dict:
    """The picture made small, with what the teachers see in it."""
    image, source, who, boxes, ibug, about = item
    image = np.ascontiguousarray(image)
    scale = min(1.0, LONG_SIDE / max(image.shape[:2]))
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    faces = []
    for box, points, score in finder.find(image, 640, 0.3):
        face = {"box": box, "points": points, "score": score}
        if max(box[2:] - box[:2]) >= 40 and score >= 0.6:
            mesh, logit = mesher.look(image, box, points)
            if logit > 4:
                face["mesh"] = mesh.astype(np.float32)
        faces.append(face)
    _, jpeg = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    return {
        "jpeg": jpeg.tobytes(), "source": source, "identity": who, "about": about, "faces": faces,
        "human": None if boxes is None else [b * scale for b in boxes],
        "ibug68": None if ibug is None else [q * scale for q in ibug],
    }


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--without-licence", type=re.compile, help="leave out material whose licence note matches this")
    p.add_argument("--jobs", type=int, default=2)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    held = []
    with multiprocessing.Pool(a.jobs, start, (a.models,)) as pool:
        for picture in pool.imap(label, material(a.corpus, a.without_licence), chunksize=8):
            held.append(picture)
            if len(held) % 500 == 0:
                print(len(held), picture["source"], flush=True)
    with open(a.out / "pictures.pickle", "wb") as f:
        pickle.dump(held, f)
    print("pictures", len(held), "faces", sum(len(h["faces"]) for h in held), "meshes", sum("mesh" in x for h in held for x in h["faces"]))


if __name__ == "__main__":
    main()
