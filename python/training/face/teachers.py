"""Teachers: YuNet for boxes and five points, MediaPipe's landmarker for 478 points. They label; no weight of theirs is kept."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from graphs import session


def nms(boxes: np.ndarray, scores: np.ndarray, overlap: float = 0.4) -> list[int]:
    """Indices of the boxes that stay, best first."""
    left, kept = np.argsort(-scores), []
    area = (boxes[:, 2:] - boxes[:, :2]).clip(0).prod(1)
    while len(left):
        best, left = left[0], left[1:]
        kept.append(int(best))
        low, high = np.maximum(boxes[best, :2], boxes[left, :2]), np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = (high - low).clip(0).prod(1)
        left = left[shared < overlap * (area[best] + area[left] - shared)]
    return kept


def iou(a: np.ndarray, b: np.ndarray) -> float:
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    if w <= 0 or h <= 0:
        return 0.0
    return float(w * h / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h))


def fit(image: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """The picture scaled so that its long side is `side`, black below and right up to multiples of 32."""
    scale = side / max(image.shape[:2])
    h, w = (max(1, round(n * scale)) for n in image.shape[:2])
    small = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    return cv2.copyMakeBorder(small, 0, -h % 32, 0, -w % 32, cv2.BORDER_CONSTANT), scale


class YuNet:
    def __init__(self, models: Path):
        self.net = session(models / "face_detection/yunet_n/yunet_n_dynamic.onnx")

    def raw(self, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes, points and scores of an RGB plane whose sides are multiples of 32, before suppression."""
        x = plane[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32)
        names = [o.name for o in self.net.get_outputs()]
        out = dict(zip(names, self.net.run(None, {self.net.get_inputs()[0].name: x})))
        boxes, points, scores = [], [], []
        for s in (8, 16, 32):
            w = plane.shape[1] // s
            get = lambda kind: out[f"{kind}_{s}"].reshape(-1, out[f"{kind}_{s}"].shape[-1])
            score = np.sqrt(np.clip(get("cls")[:, 0], 0, 1) * np.clip(get("obj")[:, 0], 0, 1))
            i = np.arange(len(score))
            at = np.stack([i % w, i // w], 1).astype(np.float32)
            box, kps = get("bbox"), get("kps")
            centre, size = (at + box[:, :2]) * s, np.exp(box[:, 2:]) * s
            boxes.append(np.concatenate([centre - size / 2, centre + size / 2], 1))
            points.append(((kps.reshape(-1, 5, 2) + at[:, None]) * s).reshape(-1, 10))
            scores.append(score)
        return np.concatenate(boxes), np.concatenate(points), np.concatenate(scores)

    def find(self, image: np.ndarray, side: int = 640, least: float = 0.5) -> list[tuple[np.ndarray, np.ndarray, float]]:
        plane, scale = fit(image, side)
        boxes, points, scores = self.raw(plane)
        good = np.flatnonzero(scores >= least)
        boxes, points, scores = boxes[good], points[good], scores[good]
        return [(boxes[i] / scale, points[i].reshape(5, 2) / scale, float(scores[i])) for i in nms(boxes, scores)]


def square(centre: np.ndarray, side: float, angle: float, size: int) -> np.ndarray:
    """2x3 map from the picture to a crop of `size` pixels: square about `centre`, turned upright by `angle` radians."""
    c, s = np.cos(angle) * size / side, np.sin(angle) * size / side
    turn = np.array([[c, s], [-s, c]])
    return np.concatenate([turn, (size / 2 - turn @ centre)[:, None]], 1)


def roll_of(points: np.ndarray) -> float:
    """Tilt of the eye line in radians, positive clockwise in the picture; eyes in picture order."""
    dx, dy = points[1] - points[0]
    return float(np.arctan2(dy, dx))


def transform(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :2].T + matrix[:, 2]


def inverse(matrix: np.ndarray) -> np.ndarray:
    return cv2.invertAffineTransform(matrix)


class Mesh:
    """MediaPipe's face landmarker on an upright crop 1.5 times the box."""

    def __init__(self, models: Path):
        from ai_edge_litert.interpreter import Interpreter

        path = models / "landmarks/mediapipe_face_landmarker_478/face_landmarks_detector.tflite"
        self.net = Interpreter(model_path=str(path), num_threads=1)
        self.net.allocate_tensors()
        self.input = self.net.get_input_details()[0]["index"]
        outputs = self.net.get_output_details()
        self.points = next(o["index"] for o in outputs if np.prod(o["shape"]) == 1434)
        self.presence = next(o["index"] for o in outputs if np.prod(o["shape"]) == 1)

    def look(self, image: np.ndarray, box: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, float]:
        """478 points in the picture and the presence logit; the crop is centred a second time on the first result."""
        centre, side, angle = (box[:2] + box[2:]) / 2, 1.5 * max(box[2:] - box[:2]), roll_of(points)
        for _ in range(2):
            m = square(centre, side, angle, 256)
            crop = cv2.warpAffine(image, m, (256, 256), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            self.net.set_tensor(self.input, (crop[None] / 255).astype(np.float32))
            self.net.invoke()
            mesh = self.net.get_tensor(self.points).reshape(478, 3)[:, :2].astype(np.float64)
            logit = float(self.net.get_tensor(self.presence).reshape(-1)[0])
            mesh = transform(inverse(m), mesh)
            low, high = mesh.min(0), mesh.max(0)
            centre, side = (low + high) / 2, 1.5 * max(high - low)
            eyes = mesh[[33, 133]].mean(0), mesh[[362, 263]].mean(0)
            angle = roll_of(np.stack(eyes))
        return mesh, logit
