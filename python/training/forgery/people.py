"""Who is who: faces that resemble each other are one person, whatever repository they come from.

Politicians, actors and inputs that courses hand out occur as genuine and as fake in several repositories. A kernel that met a person on the other side of a split tells
the person, for better (the same fake again) or for worse (the genuine clip that a fake was made of).
"""

from __future__ import annotations

import cv2
import numpy as np

from .crops import POINTS, SIDE, similarity

# ArcFace's five points in a picture of 112
ARC = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
MEAN, SPREAD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
# cosine distance up to which clips are one person's: rather two likenesses joined than one person on both sides
APART = 0.6


def vector(crop: np.ndarray, net, points: np.ndarray = POINTS * SIDE) -> np.ndarray:
    """What a network of face recognition says of the face with these five points, of length 1."""
    face = cv2.warpAffine(np.ascontiguousarray(crop), similarity(points, ARC), (112, 112), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    x = ((face.astype(np.float32) / 255 - MEAN) / SPREAD).astype(np.float32)
    v = net.run(None, {net.get_inputs()[0].name: x.transpose(2, 0, 1)[None]})[0][0]
    return v / np.linalg.norm(v)


def persons(vectors: np.ndarray, apart: float = APART) -> np.ndarray:
    """A number for each row's person, by average linkage."""
    from sklearn.cluster import AgglomerativeClustering

    v = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return AgglomerativeClustering(n_clusters=None, metric="precomputed", linkage="average", distance_threshold=apart).fit((1 - v @ v.T).clip(0)).labels_
