"""The mouth's shape: points of the mesh in the measure of `track/burst.rs`, aligned by eyes and nose."""

from __future__ import annotations

import numpy as np
import torch

# points of the mesh and where they lie in a frontal face: in distances between the eye centres, from their middle
STEADY_POINTS = {33: (-0.717, -0.010), 133: (-0.283, 0.010), 362: (0.283, 0.010), 263: (0.717, -0.010), 168: (0.0, -0.082),
                 197: (0.0, 0.155), 2: (0.0, 0.708), 98: (-0.265, 0.678), 327: (0.265, 0.678)}
# outer lips, inner lips (both from the left corner over the upper lip), chin and jaw
OUTER = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146]
INNER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95]
JAW = [152, 148, 377, 176, 400, 149, 378, 172, 397]
POINTS = OUTER + INNER + JAW


def aligned(meshes: torch.Tensor) -> torch.Tensor:
    """(n, 478, 2) in pixels to (n, 49, 2): each frame's similarity that lays eyes and nose on their places (Umeyama 1991)."""
    to = meshes.new_tensor(list(STEADY_POINTS.values()))
    src = meshes[:, list(STEADY_POINTS)]
    mean = src.mean(1, keepdim=True)
    p, q = src - mean, to - to.mean(0)
    spread = (p * p).sum((1, 2)) + 1e-6
    a = ((p * q).sum((1, 2)) / spread)[:, None]
    b = ((p[..., 0] * q[:, 1] - p[..., 1] * q[:, 0]).sum(1) / spread)[:, None]
    d = meshes[:, POINTS] - mean
    x, y = a * d[..., 0] - b * d[..., 1], b * d[..., 0] + a * d[..., 1]
    return torch.stack([x, y], -1) + to.mean(0)


def normalised(mesh: np.ndarray) -> np.ndarray:
    """The same on arrays."""
    return aligned(torch.from_numpy(mesh.astype(np.float64))).numpy().astype(np.float32)
