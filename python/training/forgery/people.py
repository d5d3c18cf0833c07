"""Who is who: what a network of face recognition says of a face."""

from __future__ import annotations

import cv2
import numpy as np

from .crops import POINTS, SIDE, similarity

# ArcFace's five points in a picture of 112
ARC = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
MEAN, SPREAD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def vector(crop: np.ndarray, net, points: np.ndarray = POINTS * SIDE) -> np.ndarray:
    """What a network of face recognition says of the face with these five points, of length 1."""
    face = cv2.warpAffine(np.ascontiguousarray(crop), similarity(points, ARC), (112, 112), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    x = ((face.astype(np.float32) / 255 - MEAN) / SPREAD).astype(np.float32)
    v = net.run(None, {net.get_inputs()[0].name: x.transpose(2, 0, 1)[None]})[0][0]
    return v / np.linalg.norm(v)
