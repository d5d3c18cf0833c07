"""What light, cameras and calls do to pictures, and what people wear or hold before their faces."""

from __future__ import annotations

import cv2
import numpy as np

from . import drawn

# from ear to ear along the jaw in the mesh, then over the nose
MASK = [454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 227, 118, 197, 347, 447]
GRAIN = np.random.default_rng(0).standard_normal((1024, 1024, 3)).astype(np.float32)


def tones(rng: np.random.Generator) -> np.ndarray:
    """A table 256x3: exposure, gamma, contrast and white balance of some camera."""
    x = np.repeat(np.arange(256, dtype=np.float32)[:, None], 3, 1) / 255
    if rng.random() < 0.3:
        x = x ** rng.uniform(0.5, 2.2)
    if rng.random() < 0.6:
        x = x * rng.uniform(0.5, 1.5)
    if rng.random() < 0.12:
        x = x * rng.uniform(0.15, 0.5)
    if rng.random() < 0.4:
        x = (x - 0.5) * rng.uniform(0.5, 1.3) + rng.uniform(0.4, 0.6)
    if rng.random() < 0.4:
        x = x * rng.uniform(0.75, 1.25, 3).astype(np.float32)
    return np.clip(x * 255, 0, 255).astype(np.uint8)


def lit(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light from one side, or a bright window behind."""
    h, w = x.shape[:2]
    small = np.empty((8, 8), np.float32)
    yy, xx = np.mgrid[0:8, 0:8] / 7.0
    if rng.random() < 0.7:
        angle = rng.uniform(0, 2 * np.pi)
        small[:] = np.cos(angle) * (xx - 0.5) + np.sin(angle) * (yy - 0.5)
        small = 1 + small * rng.uniform(0.4, 1.8)
    else:
        away = np.hypot(xx - rng.random(), yy - rng.random())
        small[:] = 0.4 + rng.uniform(0.8, 2.5) * np.exp(-away / rng.uniform(0.1, 0.4))
    field = cv2.resize(small.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    return np.clip(x * np.clip(field, 0.25, 3)[:, :, None], 0, 255).astype(np.uint8)


def degrade(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light, noise, blur, scaling and recompression, each with some chance."""
    x = image
    h, w = x.shape[:2]
    if rng.random() < 0.25:
        x = lit(x, rng)
    if rng.random() < 0.75:
        x = cv2.LUT(x, tones(rng)[None])
    if rng.random() < 0.12:
        x = cv2.cvtColor(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    soft = rng.random()
    if soft < 0.3:
        f = rng.uniform(0.3, 0.9)
        x = cv2.resize(cv2.resize(x, None, fx=f, fy=f, interpolation=cv2.INTER_AREA), (w, h), interpolation=cv2.INTER_LINEAR)
    elif soft < 0.42:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 2.0))
    elif soft < 0.5:
        n, angle = int(rng.integers(3, 9)), rng.uniform(0, np.pi)
        kernel = np.zeros((9, 9), np.float32)
        for t in np.linspace(-n / 2, n / 2, 17):
            kernel[int(round(4 + t * np.sin(angle))), int(round(4 + t * np.cos(angle)))] = 1
        x = cv2.filter2D(x, -1, kernel / kernel.sum())
    if rng.random() < 0.3:
        i, j = rng.integers(0, 1024 - h), rng.integers(0, 1024 - w)
        x = np.clip(x + GRAIN[i : i + h, j : j + w] * np.float32(rng.uniform(1, 16)), 0, 255).astype(np.uint8)
    if rng.random() < 0.45:
        _, code = cv2.imencode(".jpg", x, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(15, 90))])
        x = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return x


def cover(image: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> None:
    """A patch over a part of the face, in place: hand, microphone or cup in crude form, of colour or of picture."""
    w, h = box[2] - box[0], box[3] - box[1]
    colour = rng.integers(0, 255, 3).tolist()
    if rng.random() < 0.4:  # the colour of skin in this picture: a hand
        at = np.clip((box[:2] + box[2:]) / 2, 0, np.array(image.shape[1::-1]) - 1).astype(int)
        colour = image[at[1], at[0]].tolist()
    cx, cy = box[0] + w * rng.random(), box[1] + h * rng.uniform(0.1, 1.1)
    rx, ry = w * rng.uniform(0.08, 0.28), h * rng.uniform(0.08, 0.28)
    if rng.random() < 0.5:
        cv2.ellipse(image, (int(cx), int(cy)), (int(rx) + 1, int(ry) + 1), float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    else:
        cv2.rectangle(image, (int(cx - rx), int(cy - ry)), (int(cx + rx), int(cy + ry)), colour, -1)


def wear(image: np.ndarray, mesh: np.ndarray, rng: np.random.Generator) -> None:
    """A mask, glasses or a headset where the mesh is, in place."""
    poly = lambda points: np.round(points * 8).astype(np.int32)
    colour = rng.integers(0, 255, 3).tolist() if rng.random() < 0.6 else [int(rng.integers(170, 255))] * 3
    width = float(np.linalg.norm(mesh[454] - mesh[234]))
    kind = rng.random()
    if kind < 0.45:
        outline = mesh[MASK] + rng.normal(0, 0.015 * width, (len(MASK), 2))
        cv2.fillPoly(image, [poly(outline)], colour, cv2.LINE_AA, 3)
        for a, b in ((234, 454), (93, 323)) if rng.random() < 0.5 else ():
            cv2.polylines(image, [poly(mesh[[a, 197, b]])], False, [int(0.8 * c) for c in colour], max(1, int(width / 60)), cv2.LINE_AA, 3)
    elif kind < 0.85:
        dark = rng.random() < 0.5
        thin = max(1, int(width * rng.uniform(0.01, 0.035)))
        for eye in drawn.EYES:
            centre = mesh[list(eye)].mean(0)
            size = width * rng.uniform(0.15, 0.2), width * rng.uniform(0.1, 0.16)
            at, axes = poly(centre), (int(size[0] * 8), int(size[1] * 8))
            if dark:
                veil = image.copy()
                cv2.ellipse(veil, at.tolist(), axes, 0, 0, 360, [int(c * 0.2) for c in colour], -1, cv2.LINE_AA, 3)
                share = rng.uniform(0.5, 1)
                cv2.addWeighted(veil, share, image, 1 - share, 0, image)
            cv2.ellipse(image, at.tolist(), axes, 0, 0, 360, colour, thin, cv2.LINE_AA, 3)
        cv2.polylines(image, [poly(mesh[[133, 168, 362]])], False, colour, thin, cv2.LINE_AA, 3)
    else:
        ear, tip = (234, 61) if rng.random() < 0.5 else (454, 291)
        end = mesh[ear] * 0.25 + mesh[tip] * 0.75 + [0, 0.08 * width]
        cv2.polylines(image, [poly(np.stack([mesh[ear], mesh[132 if ear == 234 else 361], end]))], False, colour, max(1, int(width * 0.03)), cv2.LINE_AA, 3)
        cv2.circle(image, np.round(end).astype(int).tolist(), max(1, int(width * 0.05)), colour, -1, cv2.LINE_AA)
