"""Cuts the crops once: stills, and every frame of the clips.

    python -m forgery.prepare --corpus CORPUS --models ../../models --out DIR [--without-licence REGEX]

For `stills` and the parts of clips: `.crops.npy` (n, 160, 160, 3); `.npz` with `mesh` (n, 478, 2) in pixels of the crop and `scale`
(pixels of the crop to one of the picture); `.json` says what each row is.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from pathlib import Path

import av
import cv2
import numpy as np

from .clips import permitted
from .crops import SIDE, Faces, cut, to_crop
from face.teachers import transform

CLIP_S, RATE = 3.0, 25.5
SETS = ("dfdc_pairs", "youtubefaces_udacity", "stills", "facemask_boxes", "deepface_tests", "dlib_johns", "stylegan2_fakes")


def rows(folder: Path):
    with open(folder / "manifest.csv", newline="") as f:
        yield from csv.DictReader(f)


class Store:
    def __init__(self, path: Path, most: int):
        self.path = path
        self.crops = np.lib.format.open_memmap(path.with_suffix(".crops.npy"), "w+", np.uint8, (most, SIDE, SIDE, 3))
        self.mesh, self.scale, self.about = [], [], []

    def add(self, image, mesh, m, about) -> None:
        self.crops[len(self.mesh)] = cut(image, m)
        self.mesh.append(transform(m, mesh).astype(np.float32))
        self.scale.append(float(np.sqrt(abs(np.linalg.det(m[:, :2])))))
        self.about.append(about)

    def close(self) -> None:
        self.crops.flush()
        np.savez(self.path.with_suffix(".npz"), mesh=np.array(self.mesh), scale=np.array(self.scale, np.float32))
        self.path.with_suffix(".json").write_text(json.dumps(self.about))
        print(self.path.name, len(self.mesh), flush=True)


def stills(corpus: Path, faces: Faces, allowed, out: Path) -> None:
    store = Store(out / "stills", 11000)
    for part in SETS:
        folder, meshes = corpus / "faces" / part, {}
        listed = sorted(rows(folder), key=lambda r: r.get("label") == "fake")  # originals first
        for r in listed:
            image = cv2.imread(str(folder / (r.get("file") or r["path"]))) if allowed(r) else None
            if image is None:
                continue
            image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            h, w = image.shape[:2]
            if part not in ("facemask_boxes",):
                # crops that are all face get a border, so that the detector finds them
                image = cv2.copyMakeBorder(image, h // 4, h // 4, w // 4, w // 4, cv2.BORDER_REPLICATE)
            faces.forget()
            key = r.get("original", "")
            aligned = part == "dfdc_pairs" and r["label"] == "fake" and float(r["ring_corr"] or 0) > 0.9
            mesh = meshes.get(key) if aligned else faces.look(image)
            if mesh is None:
                continue
            if part == "dfdc_pairs" and r["label"] == "bonafide":
                meshes[key] = mesh
            m = to_crop(mesh)
            border = image if part == "facemask_boxes" else image[h // 4 : h // 4 + h, w // 4 : w // 4 + w]
            shift = np.zeros((2, 3)) if part == "facemask_boxes" else np.array([[0, 0, w // 4], [0, 0, h // 4]])
            m = np.hstack([m[:, :2], m[:, 2:] + m[:, :2] @ shift[:, 2:]])
            who = r.get("identity") or r.get("identity_hint") or key or r.get("file") or r["path"]
            store.add(border, mesh - shift[:, 2], m, {
                "set": part, "path": r.get("file") or r["path"], "who": f"{part}:{who}", "aligned": aligned, "original": key,
                "label": r.get("label") or ("fake" if "fakes" in part else "bonafide"), "kind": r.get("kind"), "sex": r.get("sex"), "skin": r.get("race_or_skin"),
                "video": r.get("video")})
        print(part, len(store.mesh), flush=True)
    store.close()


def clips(corpus: Path, faces: Faces, allowed, out: Path) -> None:
    for part in ("talkers", "video", "pairs"):
        store = Store(out / part, 50000)
        for r in filter(allowed, rows(corpus / part)):
            faces.forget()
            last, start, n = -1e9, None, 0
            try:
                with av.open(str(corpus / part / r["path"])) as media:
                    for frame in media.decode(video=0):
                        t = float(frame.time or 0)
                        start = t if start is None else start
                        if t - start > CLIP_S:
                            break
                        if t - last < 1 / RATE * 0.85:
                            continue
                        last = t
                        image = frame.to_ndarray(format="rgb24")
                        mesh = faces.look(image)
                        if mesh is None:
                            continue
                        store.add(image, mesh, to_crop(mesh), {"part": part, "path": r["path"], "t": round(t - start, 4)})
                        n += 1
            except av.FFmpegError as e:
                print(r["path"], e, flush=True)
        store.close()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--without-licence", type=re.compile, help="leave out material whose licence note matches this")
    a = p.parse_args()
    cv2.setNumThreads(1)
    a.out.mkdir(parents=True, exist_ok=True)
    allowed = lambda r: permitted(r, a.without_licence)
    faces = Faces(a.models)
    if not (a.out / "stills.npz").exists():
        stills(a.corpus, faces, allowed, a.out)
    clips(a.corpus, faces, allowed, a.out)


if __name__ == "__main__":
    main()
