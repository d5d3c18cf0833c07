"""Who is who: unnamed people of `dfdc_pairs` are clustered by resemblance, and a share of all people and sources is held out.

    python -m forgery.split --data DIR --teachers MODELS     writes who.json
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import cv2
import numpy as np

from graphs import session

from .crops import five
from .folds import persons
from .people import vector

HELD_OUT = {"dfdc_pairs": 0.2, "talkers": 0.5}
NEVER = ("stylegan2_fakes", "dlib_johns", "deepface_tests")


def chance(key: str) -> float:
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 2**32


def held_out(part: str, who: str) -> bool:
    return part in NEVER or chance(who) < HELD_OUT.get(part, 0.15)


def vectors(crops: np.ndarray, mesh: np.ndarray, rows: list[int], net) -> np.ndarray:
    return np.array([vector(crops[i], net, five(mesh[i].astype(np.float64))) for i in rows])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--teachers", type=Path, required=True)
    a = p.parse_args()
    cv2.setNumThreads(1)
    about = json.loads((a.data / "stills.json").read_text())
    crops, mesh = np.load(a.data / "stills.crops.npy", mmap_mode="r"), np.load(a.data / "stills.npz")["mesh"]
    rows = [i for i, r in enumerate(about) if r["set"] == "dfdc_pairs" and r["label"] == "bonafide"]
    net = session(a.teachers / "face_recognition/mobilefacenet_foamliu/MobileFaceNet.onnx")
    v = vectors(crops, mesh, rows, net)
    apart = 1 - v @ v.T
    off = apart[np.triu_indices(len(v), 1)]
    print("distances:", np.quantile(off, [0.001, 0.01, 0.1, 0.5, 0.9]).round(3))
    for level in (0.45, 0.55, 0.65, 0.72):
        sizes = np.bincount(persons(v, level))
        print(level, "clusters", len(sizes), "largest", np.sort(sizes)[-5:])
    # rather one person's pictures joined with a likeness' than one person on both sides
    who = {about[i]["original"]: f"dfdc_pairs:{k}" for i, k in zip(rows, persons(v, 0.65).tolist())}
    (a.data / "who.json").write_text(json.dumps(who))


if __name__ == "__main__":
    main()
