"""Faces found and followed with the library's own models, and the crop that every network here sees: the face with what is around it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from face.evaluate import Ours, find
from face.teachers import square, transform
from graphs import session

SIDE = 160
# eye centres left to right, tip of the nose, corners of the mouth, as shares of the side: the library's tight template at 0.72
POINTS = 0.72 * (np.array([[0.34, 0.40], [0.66, 0.40], [0.50, 0.58], [0.38, 0.75], [0.62, 0.75]]) - [0.5, 0.56]) + [0.5, 0.52]


def five(mesh: np.ndarray) -> np.ndarray:
    return np.array([(mesh[33] + mesh[133]) / 2, (mesh[362] + mesh[263]) / 2, mesh[4], mesh[61], mesh[291]])


def similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The 2x3 map without shear from points `a` to `b`, by least squares."""
    ca, cb = a.mean(0), b.mean(0)
    x, y = a - ca, b - cb
    n = (x ** 2).sum()
    c, s = (x * y).sum() / n, (x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0]).sum() / n
    m = np.array([[c, -s], [s, c]])
    return np.hstack([m, (cb - m @ ca)[:, None]])


def to_crop(mesh: np.ndarray) -> np.ndarray:
    """From the picture to the crop."""
    return similarity(five(mesh), POINTS * SIDE)


def cut(image: np.ndarray, m: np.ndarray) -> np.ndarray:
    """As the library cuts: boxes of whole pixels averaged where the picture is scaled down, then bilinear; borders repeat."""
    shrink = int(max(1.0, 1 / np.sqrt(abs(np.linalg.det(m[:, :2])))) + 1e-3)
    if shrink > 1:
        h, w = image.shape[0] // shrink * shrink, image.shape[1] // shrink * shrink
        image = cv2.resize(image[:h, :w], (w // shrink, h // shrink), interpolation=cv2.INTER_AREA)
        m = m @ np.diag([shrink, shrink, 1.0])
    # pixel centres at .5 on both sides
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    m = (np.linalg.inv(half) @ np.vstack([m, [0, 0, 1]]) @ half)[:2]
    return cv2.warpAffine(image, m, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


class Faces:
    """Finds the largest face and follows it from frame to frame."""

    def __init__(self, models: Path):
        self.finder, self.shaper = Ours(models), session(models / "face-landmarks/model.onnx")
        self.last = None

    def forget(self) -> None:
        self.last = None

    def shape(self, image: np.ndarray, box: np.ndarray, roll: float) -> tuple[np.ndarray, float]:
        m = square((box[:2] + box[2:]) / 2, 1.3 * max(box[2:] - box[:2]), roll, 112)
        crop = cv2.warpAffine(image, m, (112, 112), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        mesh, there = self.shaper.run(["mesh", "presence"], {"image": crop.transpose(2, 0, 1)[None].astype(np.float32)})
        return transform(cv2.invertAffineTransform(m), mesh[0] * 112), float(there[0, 0])

    def look(self, image: np.ndarray) -> np.ndarray | None:
        """The mesh in pixels of the picture."""
        if self.last is not None:
            box = np.concatenate([self.last.min(0), self.last.max(0)])
            e = five(self.last)
            mesh, there = self.shape(image, box, float(np.arctan2(*(e[1] - e[0])[::-1])))
            self.last = mesh if there >= 0.5 else None
        if self.last is None:
            found = find(self.finder, image, 320, 0.5)
            if not found:
                return None
            box, points, _ = max(found, key=lambda f: (f[0][2] - f[0][0]) * (f[0][3] - f[0][1]))
            mesh, there = self.shape(image, box, float(np.arctan2(*(points[1] - points[0])[::-1])))
            if there < 0.5:
                return None
            # once more from its own box, as a followed face is
            self.last = mesh
        return self.last
