"""Openly artificial faces, drawn from a mesh with random colours: exact labels, and a demo's rendered head is one."""

from __future__ import annotations

import cv2
import numpy as np

OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
        136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
MOUTH = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191]
EYES = ([33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
        [362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398])
BROWS = ([70, 63, 105, 66, 107, 55, 65, 52, 53, 46], [300, 293, 334, 296, 336, 285, 295, 282, 283, 276])
NOSE = [168, 6, 197, 195, 5, 4]
NOSTRILS = [98, 97, 2, 326, 327]
IRISES = ((468, 469, 471), (473, 474, 476))


def soft(image: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur, done small where it is wide."""
    if sigma < 4:
        return cv2.GaussianBlur(image, (0, 0), sigma)
    h, w = image.shape[:2]
    f = 2 / sigma
    small = cv2.resize(image, (max(2, round(w * f)), max(2, round(h * f))), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), 2), (w, h), interpolation=cv2.INTER_LINEAR)


def five(mesh: np.ndarray) -> np.ndarray:
    """Eye centres left to right, tip of the nose, corners of the mouth left to right."""
    return np.stack([mesh[[33, 133]].mean(0), mesh[[362, 263]].mean(0), mesh[4], mesh[61], mesh[291]])


def draw(image: np.ndarray, mesh: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture with a head drawn over it where the mesh is."""
    out = image.copy()
    tone = np.array([[255, 224, 196], [240, 190, 150], [198, 134, 92], [141, 85, 54], [90, 56, 37]])[rng.integers(5)]
    skin = np.clip(tone + rng.normal(0, 12, 3), 0, 255)
    hair = rng.integers(0, 120, 3) if rng.random() < 0.8 else rng.integers(60, 230, 3)
    poly = lambda idx: np.round(mesh[idx] * 8).astype(np.int32)
    fill = lambda idx, c: cv2.fillPoly(out, [poly(idx)], tuple(float(v) for v in c), cv2.LINE_AA, 3)
    line = lambda idx, c, w, closed=False: cv2.polylines(out, [poly(idx)], closed, tuple(float(v) for v in c), w, cv2.LINE_AA, 3)
    width = float(np.ptp(mesh[:, 0]))
    thin = max(1, round(width / 60))
    top, chin = mesh[10], mesh[152]
    axis = chin - top
    centre = (top + chin) / 2 - axis * 0.12
    if rng.random() < 0.85:
        size = (width * rng.uniform(0.52, 0.75), np.linalg.norm(axis) * rng.uniform(0.6, 0.8))
        angle = np.degrees(np.arctan2(axis[1], axis[0])) - 90
        cv2.ellipse(out, tuple(map(float, centre)) and (int(centre[0]), int(centre[1])), (int(size[0]), int(size[1])), angle, 0, 360, tuple(float(v) for v in hair), -1, cv2.LINE_AA)
    neck = np.array([chin + [-0.25 * width, -0.1 * width], chin + [0.25 * width, -0.1 * width], chin + [0.3 * width, 0.7 * width], chin + [-0.3 * width, 0.7 * width]])
    cv2.fillPoly(out, [np.round(neck * 8).astype(np.int32)], tuple(float(v) for v in skin * 0.85), cv2.LINE_AA, 3)
    fill(OVAL, skin)
    if rng.random() < 0.6:
        shade = out.copy()
        cv2.fillPoly(shade, [poly(OVAL[: len(OVAL) // 2])], tuple(float(v) for v in skin * rng.uniform(0.75, 0.95)), cv2.LINE_AA, 3)
        blurred = soft(shade, max(1.0, width / 8))
        mask = np.zeros(out.shape[:2], np.uint8)
        cv2.fillPoly(mask, [poly(OVAL)], 255, cv2.LINE_8, 3)
        out[mask > 0] = blurred[mask > 0]
    for eye, iris in zip(EYES, IRISES):
        fill(eye, rng.uniform(225, 255, 3))
        lid = np.zeros(out.shape[:2], np.uint8)
        cv2.fillPoly(lid, [poly(eye)], 255, cv2.LINE_8, 3)
        radius = float(np.linalg.norm(mesh[iris[1]] - mesh[iris[2]]) / 2)
        at = tuple(int(round(v)) for v in mesh[iris[0]])
        ball = out.copy()
        cv2.circle(ball, at, max(1, round(radius)), tuple(float(v) for v in rng.uniform(20, 140, 3)), -1, cv2.LINE_AA)
        cv2.circle(ball, at, max(1, round(radius * 0.45)), (10.0, 10.0, 10.0), -1, cv2.LINE_AA)
        out[lid > 0] = ball[lid > 0]
        line(eye, skin * 0.45, thin, True)
    for brow in BROWS:
        fill(brow, hair * 0.8)
    line(NOSE, skin * 0.8, thin)
    line(NOSTRILS, skin * 0.6, thin)
    lips = np.clip(skin * [0.95, 0.6, 0.6], 0, 255)
    fill(LIPS, lips)
    fill(MOUTH, rng.uniform(20, 70, 3) * [1.2, 0.6, 0.6])
    line(LIPS, lips * 0.7, 1, True)
    return out
