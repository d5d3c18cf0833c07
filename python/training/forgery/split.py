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

from face.teachers import transform
from graphs import session

from .crops import five, similarity

# ArcFace's five points in a picture of 112
ARC = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
HELD_OUT = {"dfdc_pairs": 0.2, "talkers": 0.5}
NEVER = ("stylegan2_fakes", "dlib_johns", "deepface_tests")


def chance(key: str) -> float:
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 2**32


def held_out(part: str, who: str) -> bool:
    return part in NEVER or chance(who) < HELD_OUT.get(part, 0.15)


def vectors(crops: np.ndarray, mesh: np.ndarray, rows: list[int], net) -> np.ndarray:
    out = []
    for i in rows:
        m = similarity(five(mesh[i].astype(np.float64)), ARC)
        face = cv2.warpAffine(crops[i], m, (112, 112), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        x = ((face.astype(np.float32) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).astype(np.float32)
        v = net.run(None, {net.get_inputs()[0].name: x.transpose(2, 0, 1)[None]})[0][0]
        out.append(v / np.linalg.norm(v))
    return np.array(out)


def main() -> None:
    from sklearn.cluster import AgglomerativeClustering

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
        c = AgglomerativeClustering(n_clusters=None, metric="precomputed", linkage="average", distance_threshold=level).fit(apart.clip(0))
        print(level, "clusters", c.n_clusters_, "largest", np.sort(np.bincount(c.labels_))[-5:])
    # rather one person's pictures joined with a likeness' than one person on both sides
    c = AgglomerativeClustering(n_clusters=None, metric="precomputed", linkage="average", distance_threshold=0.65).fit(apart.clip(0))
    who = {about[i]["original"]: f"dfdc_pairs:{k}" for i, k in zip(rows, c.labels_.tolist())}
    (a.data / "who.json").write_text(json.dumps(who))


if __name__ == "__main__":
    main()
