"""Trains the landmark network: python -m face.train_landmarks --data DIR --out DIR [--minutes 40]"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from . import augment, data, drawn, start
from .models import Landmarks
from .teachers import roll_of, square, transform

SIDE = 112
SCALE = 1.3
FLIP68 = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
          41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65]


def weights() -> torch.Tensor:
    """What blinks, gaze and lips are read from counts more than the skin between."""
    w = torch.ones(478)
    w[drawn.LIPS] = 2.0
    w[drawn.MOUTH] = 4.0
    for eye in drawn.EYES:
        w[eye] = 4.0
    w[468:] = 3.0
    return w / w.mean()


# lids and lips that meet: what blinks and speech are read from is the gap
GAPS = torch.tensor([[159, 145], [158, 153], [160, 144], [386, 374], [385, 380], [387, 373], [13, 14], [82, 87], [312, 317], [468, 159], [473, 386]])


def gaps(mesh: torch.Tensor) -> torch.Tensor:
    return mesh[:, GAPS[:, 0]] - mesh[:, GAPS[:, 1]]


def normal(shape: np.ndarray) -> np.ndarray:
    return (shape - shape.mean(0)) / np.ptp(shape, 0).max()


def mirror(mean: np.ndarray) -> np.ndarray:
    """For every mesh point the one on the other side, found on the mean face."""
    turned = mean * [-1, 1]
    return np.argmin(((turned[:, None] - mean[None]) ** 2).sum(-1), 1)


def to_ibug(items: list[dict]) -> np.ndarray:
    """Ridge regression from the mesh to the 68 points of annotators: fills in where nobody annotated."""
    x = np.stack([np.append(normal(i["mesh"]).reshape(-1), 1) for i in items if i["ibug"] is not None])
    y = np.stack([((i["ibug"] - i["mesh"].mean(0)) / np.ptp(i["mesh"], 0).max()).reshape(-1) for i in items if i["ibug"] is not None])
    return np.linalg.solve(x.T @ x + 0.03 * np.eye(x.shape[1]), x.T @ y)


def items_of(pictures: list[dict]) -> list[dict]:
    found = []
    for p in pictures:
        for f in p["faces"]:
            if "mesh" not in f:
                continue
            mesh = f["mesh"].astype(np.float64)
            ibug = None
            if p["ibug68"] is not None:
                near = [q for q in p["ibug68"] if np.linalg.norm(q.mean(0) - mesh.mean(0)) < 0.25 * np.ptp(mesh, 0).max()]
                ibug = near[0] if near else None
            found.append({"picture": p, "box": f["box"], "roll": roll_of(f["points"]), "mesh": mesh, "ibug": ibug})
    return found


def express(mesh: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another mouth opening and other lids, for drawn faces."""
    out = mesh.copy()
    down = (mesh[152] - mesh[10]) / np.linalg.norm(mesh[152] - mesh[10])
    gap = np.linalg.norm(mesh[152] - mesh[10]) * rng.uniform(0, 0.14) * (rng.random() < 0.7)
    centre = mesh[[61, 291]].mean(0)
    below = (mesh - centre) @ down
    reach = np.abs((mesh - centre) @ np.array([down[1], -down[0]])) / np.linalg.norm(mesh[61] - mesh[291])
    lower = np.array([78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308])
    # what lies under the mouth line follows the jaw
    move = np.clip(below / np.linalg.norm(mesh[152] - centre), 0, 1) * (reach < 1.6)
    move[lower] = np.clip(1 - (reach[lower] / 0.5) ** 2, 0, 1)
    out += (gap * move)[:, None] * down
    shut = rng.uniform(0, 1.0) * (rng.random() < 0.6)
    for eye in drawn.EYES:
        under, over = np.array(eye[1:8]), np.array(eye[9:16])[::-1]
        out[over] += shut * (mesh[under] - mesh[over])
    return out


class Crops(IterableDataset):
    def __init__(self, pictures: list[dict], seed: int):
        self.items, self.seed = items_of(pictures), seed
        self.regress = to_ibug(self.items)
        self.mean = np.mean([normal(i["mesh"]) for i in self.items], 0)
        self.mirror = mirror(self.mean - self.mean[[10, 152]].mean(0) * [1, 0])
        per = {}
        for i in self.items:
            per[i["picture"]["identity"]] = per.get(i["picture"]["identity"], 0) + 1
        self.p = np.array([per[i["picture"]["identity"]] ** -0.6 for i in self.items])
        annotated = np.array([i["ibug"] is not None for i in self.items])
        # annotated faces are a third of what is seen
        self.p[annotated] *= 0.33 / self.p[annotated].sum()
        self.p[~annotated] *= 0.67 / self.p[~annotated].sum()

    def mean_shape(self) -> torch.Tensor:
        """The mean face in a crop, 546x2."""
        low, high = self.mean.min(0), self.mean.max(0)
        centre, size = (low + high) / 2, SCALE * max(high - low)
        ibug = (np.append(self.mean.reshape(-1), 1) @ self.regress).reshape(68, 2)
        return torch.from_numpy(((np.concatenate([self.mean, ibug]) - centre) / size + 0.5).astype(np.float32))

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        while True:
            for i in rng.choice(len(self.items), 256, p=self.p):
                yield self.sample(self.items[i], rng)

    def sample(self, item: dict, rng: np.random.Generator):
        image, mesh = data.read(item["picture"]), item["mesh"]
        human = item["ibug"] is not None
        is_drawn = rng.random() < 0.12
        if is_drawn:
            if rng.random() < 0.7:
                image = drawn.soft(np.roll(image, rng.integers(image.shape[1]), 1), float(rng.uniform(3, 25)))
            mesh = express(mesh, rng)
            image, human = drawn.draw(image, mesh, rng), False
        size = np.ptp(mesh, 0).max()
        ibug = item["ibug"] if human else (np.append(normal(mesh).reshape(-1), 1) @ self.regress).reshape(68, 2) * size + mesh.mean(0)
        box = item["box"] if not is_drawn and rng.random() < 0.5 else np.concatenate([mesh.min(0), mesh.max(0)])
        centre, side = (box[:2] + box[2:]) / 2, SCALE * max(box[2:] - box[:2])
        angle = item["roll"] + (rng.normal(0, 0.1) if rng.random() < 0.8 else rng.uniform(-0.5, 0.5))
        present = rng.random() > 0.15
        if present:
            centre = centre + rng.normal(0, 0.045, 2) * side
            side = side * np.exp(rng.normal(0, 0.07))
        elif rng.random() < 0.6:
            away = rng.uniform(0, 2 * np.pi)
            centre = centre + np.array([np.cos(away), np.sin(away)]) * side * rng.uniform(0.55, 1.2)
            side = side * np.exp(rng.uniform(-0.5, 0.5))
        else:
            side = side * (rng.uniform(0.2, 0.42) if rng.random() < 0.5 else rng.uniform(2.4, 4))
        m = square(centre, side, angle, SIDE)
        chance = rng.random()
        if present and chance < 0.12 and not is_drawn:
            augment.wear(image, mesh, rng)
        elif present and chance < 0.22:
            augment.cover(image, item["box"], rng)
        small, into = image, m
        if side > 1.7 * SIDE:
            h, w = image.shape[:2]
            f = 1.1 * SIDE / side
            small = cv2.resize(image, (max(2, round(w * f)), max(2, round(h * f))), interpolation=cv2.INTER_AREA)
            into = np.concatenate([m[:, :2] * [w / small.shape[1], h / small.shape[0]], m[:, 2:]], 1)
        crop = cv2.warpAffine(small, into, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE if rng.random() < 0.6 else cv2.BORDER_CONSTANT)
        shape = np.concatenate([transform(m, mesh), transform(m, ibug)]) / SIDE
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
            shape = (shape * [-1, 1] + [1, 0])[np.concatenate([self.mirror, 478 + np.array(FLIP68)])]
        crop = augment.degrade(np.ascontiguousarray(crop), rng)
        flags = np.array([present, human], np.float32)
        return torch.from_numpy(crop.transpose(2, 0, 1).copy()), torch.from_numpy(shape.astype(np.float32)), torch.from_numpy(flags)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--start", type=Path, help="go on from this model.onnx of ours")
    p.add_argument("--minutes", type=float, default=40)
    p.add_argument("--batch", type=int, default=48)
    p.add_argument("--rate", type=float, default=3e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--hold-first", action="store_true", help="leave the first five layers as they are: half the work")
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    torch.manual_seed(a.seed)
    crops = Crops([x for x in data.load(a.data) if not data.held_out(x)], a.seed)
    loader = iter(DataLoader(crops, a.batch, num_workers=1, prefetch_factor=4))
    net = Landmarks(crops.mean_shape()).to(memory_format=torch.channels_last)
    if a.start:
        start.load(net, a.start, torch.cat([next(loader)[0] for _ in range(4)]).float())
    a.out.mkdir(parents=True, exist_ok=True)
    file = a.out / "landmarks.pt"
    first = net.body[:5] if a.hold_first else None
    if first:
        first.requires_grad_(False)
    average = torch.optim.swa_utils.AveragedModel(net, avg_fn=data.ema, use_buffers=True)
    optimiser = torch.optim.AdamW([w for w in net.parameters() if w.requires_grad], a.rate, weight_decay=1e-4)
    w = weights()
    began, step, held = time.time(), 0, np.zeros(4)
    net.train()
    if first:
        first.eval()
    while (passed := (time.time() - began) / 60 / a.minutes) < 1:
        for g in optimiser.param_groups:
            g["lr"] = a.rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * passed)) + 1e-5
        image, shape, flags = next(loader)
        mesh, ibug, presence = net(image.float().contiguous(memory_format=torch.channels_last))
        there = flags[:, 0] > 0
        error = F.smooth_l1_loss(mesh, shape[:, :478], beta=0.01, reduction="none").sum(-1)
        mesh_loss = (error * w).mean(1)[there].mean()
        gap_loss = F.smooth_l1_loss(gaps(mesh[there]), gaps(shape[there]), beta=0.005)
        # regressed annotations teach less than real ones
        trust = 0.2 + 0.8 * flags[:, 1]
        ibug_loss = (F.smooth_l1_loss(ibug, shape[:, 478:], beta=0.01, reduction="none").sum(-1).mean(1) * trust)[there].mean()
        presence_loss = F.binary_cross_entropy(presence[:, 0], flags[:, 0])
        loss = 20 * mesh_loss + 20 * ibug_loss + 10 * gap_loss + 0.1 * presence_loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.update_parameters(net)
        held += [float(x.detach()) for x in (mesh_loss, ibug_loss, gap_loss, presence_loss)]
        step += 1
        if step % 100 == 0:
            print(f"{step} {passed:.2f} mesh {held[0]:.3f} ibug {held[1]:.3f} gaps {held[2]:.3f} presence {held[3] / 100:.4f}", flush=True)
            held[:] = 0
            torch.save(average.module.state_dict(), file)
    torch.save(average.module.state_dict(), file)


if __name__ == "__main__":
    main()
