"""The mouth's shape: points of the mesh in the measure of `track/burst.rs`, aligned by eyes and nose."""

from __future__ import annotations

import numpy as np

# points of the mesh and where they lie in a frontal face: in distances between the eye centres, from their middle
STEADY_POINTS = {33: (-0.717, -0.010), 133: (-0.283, 0.010), 362: (0.283, 0.010), 263: (0.717, -0.010), 168: (0.0, -0.082),
                 197: (0.0, 0.155), 2: (0.0, 0.708), 98: (-0.265, 0.678), 327: (0.265, 0.678)}
# outer lips, inner lips (both from the left corner over the upper lip), chin and jaw
OUTER = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
INNER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95]
JAW = [152, 148, 377, 176, 400, 149, 378, 172, 397]
POINTS = OUTER + INNER + JAW


def normalised(mesh: np.ndarray) -> np.ndarray:
    """(n, 478, 2) in pixels to (n, 49, 2): each frame's similarity that lays eyes and nose on their places (Umeyama 1991)."""
    to = np.array(list(STEADY_POINTS.values()))
    src = mesh[:, list(STEADY_POINTS)].astype(np.float64)
    m = src.mean(1, keepdims=True)
    p, q = src - m, to - to.mean(0)
    spread = (p**2).sum((1, 2))
    a = (p * q).sum((1, 2)) / spread
    b = (p[..., 0] * q[:, 1] - p[..., 1] * q[:, 0]).sum(1) / spread
    turn = np.stack([np.stack([a, -b], -1), np.stack([b, a], -1)], 1)
    return (np.einsum("nij,nkj->nki", turn, mesh[:, POINTS] - m) + to.mean(0)).astype(np.float32)
