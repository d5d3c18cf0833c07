"""Trains the face detector: python -m face.train_detector --data DIR --out DIR [--minutes 40]"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from . import data, drawn
from .models import Detector, decode
from .teachers import iou, transform

SIDE = 320
MOST = 12


def labels(picture: dict) -> tuple[list[dict], list[np.ndarray]]:
    """Faces to find, and boxes that are neither right nor wrong."""
    sure, doubt = [], []
    for f in picture["faces"]:
        (sure if f["score"] >= 0.62 else doubt).append(f)
    ignored = [f["box"] for f in doubt]
    for box in picture["human"] or []:
        if picture["ibug68"] is None and all(iou(box, f["box"]) < 0.35 for f in sure):
            sure.append({"box": box, "points": None})
    return sure, ignored


class Pictures(IterableDataset):
    def __init__(self, pictures: list[dict], seed: int):
        self.pictures, self.seed = pictures, seed
        self.meshes = [f["mesh"] for p in pictures for f in p["faces"] if "mesh" in f]
        sources = {}
        for i, p in enumerate(pictures):
            sources.setdefault(p["source"], []).append(i)
        share = {s: min(len(v), 40) ** 0.5 if s not in ("dfdc_pairs", "youtubefaces_udacity", "facemask_boxes", "stills") else len(v) ** 0.5 * 1.2 for s, v in sources.items()}
        self.weights = np.array([share[p["source"]] / len(sources[p["source"]]) for p in pictures])
        self.weights /= self.weights.sum()

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0, int(time.time())])
        while True:
            for i in rng.choice(len(self.pictures), 256, p=self.weights):
                yield self.sample(self.pictures[i], rng)

    def sample(self, picture: dict, rng: np.random.Generator):
        image = data.read(picture)
        faces, ignored = labels(picture)
        faces = [dict(f) for f in faces]
        chance = rng.random()
        if chance < 0.12:
            for f in faces:
                b = np.clip(f["box"] + np.array([-1, -1, 1, 1]) * 0.3 * (f["box"][2] - f["box"][0]), 0, None).astype(int)
                patch = image[b[1]:b[3], b[0]:b[2]]
                if not patch.size:
                    continue
                other = cv2.resize(np.roll(image, image.shape[1] // 2, 1)[: max(8, image.shape[0] // 5)], patch.shape[1::-1])
                patch[:] = other if rng.random() < 0.5 else cv2.GaussianBlur(np.full_like(patch, rng.integers(0, 255, 3)) // 2 + other // 2, (0, 0), 4)
            faces = []
        elif chance < 0.24:
            h, w = image.shape[:2]
            if faces or rng.random() < 0.5:
                image = cv2.GaussianBlur(np.roll(image, rng.integers(w), 1), (0, 0), float(rng.uniform(8, 30)))
            else:
                image = rng.integers(0, 255, (1, 1, 3)).astype(np.uint8).repeat(h, 0).repeat(w, 1)
            mesh = self.meshes[rng.integers(len(self.meshes))].astype(np.float64)
            size = np.ptp(mesh, 0).max()
            mesh = (mesh - mesh.mean(0)) / size * min(h, w) * rng.uniform(0.25, 0.6) + [w * rng.uniform(0.35, 0.65), h * rng.uniform(0.4, 0.6)]
            image = drawn.draw(image, mesh, rng)
            low, high = mesh.min(0), mesh.max(0)
            tall = high[1] - low[1]
            faces, ignored = [{"box": np.array([low[0], low[1] - 0.03 * tall, high[0], high[1]]), "points": drawn.five(mesh)}], []
        h, w = image.shape[:2]
        if faces and rng.random() < 0.9:
            pick = faces[rng.integers(len(faces))]["box"]
            size = np.exp(rng.uniform(np.log(14), np.log(330)))
            scale = size / max(pick[2:] - pick[:2])
            centre = (pick[:2] + pick[2:]) / 2
            scale = max(scale, 0.6 * SIDE / max(h, w) * rng.uniform(0.4, 1))
            aim = rng.uniform(0.05, 0.95, 2) * SIDE
        else:
            scale = SIDE / max(h, w) * rng.uniform(0.7, 2.5)
            centre, aim = rng.uniform(0, 1, 2) * [w, h], np.array([SIDE / 2, SIDE / 2])
        angle = rng.normal(0, 0.16) if rng.random() < 0.8 else rng.uniform(-0.7, 0.7)
        flip = -1.0 if rng.random() < 0.5 else 1.0
        turn = np.array([[np.cos(angle) * flip, -np.sin(angle)], [np.sin(angle) * flip, np.cos(angle)]]) * scale
        m = np.concatenate([turn, (aim - turn @ centre)[:, None]], 1)
        for f in faces:
            if rng.random() < 0.12:
                data.cover(image, f["box"], rng)
        if scale < 0.6:
            image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
        border = cv2.BORDER_CONSTANT if rng.random() < 0.6 else cv2.BORDER_REFLECT101
        if border == cv2.BORDER_REFLECT101 and faces:
            border = cv2.BORDER_REPLICATE
        plane = cv2.warpAffine(image, m, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=border)
        target = np.zeros((MOST, 16), np.float32)  # kind (1 face, 2 ignored), box, points, whether points
        n = 0
        for kind, items in ((1, faces), (2, [{"box": b, "points": None} for b in ignored])):
            for f in items:
                c = transform(m, ((f["box"][:2] + f["box"][2:]) / 2)[None])[0]
                size = (f["box"][2:] - f["box"][:2]) * scale
                box = np.concatenate([c - size / 2, c + size / 2])
                seen = np.clip(box, 0, SIDE)
                share = np.prod(seen[2:] - seen[:2]) / max(np.prod(size), 1e-6)
                if share <= 0.02 or n == MOST:
                    continue
                state = 2 if kind == 2 or share < 0.45 or max(size) < 9 else 1
                target[n, 0], target[n, 1:5] = state, box
                if f["points"] is not None:
                    p = transform(m, f["points"])
                    target[n, 5:15] = (p[[1, 0, 2, 4, 3]] if flip < 0 else p).reshape(-1)
                    target[n, 15] = 1
                n += 1
        return torch.from_numpy(data.degrade(plane, rng).transpose(2, 0, 1).copy()), torch.from_numpy(target)


def assign(boxes, logits, places, target):
    """SimOTA (Ge et al. 2021): which positions answer for which face; -1 none, -2 ignored."""
    kind = torch.full((len(places),), -1, dtype=torch.long)
    centre = places[:, :2]
    inside = lambda b: ((centre[:, None] >= b[None, :, :2]) & (centre[:, None] <= b[None, :, 2:])).all(-1)
    ignored = target[target[:, 0] == 2]
    if len(ignored):
        kind[inside(ignored[:, 1:5]).any(1)] = -2
    faces = torch.nonzero(target[:, 0] == 1)[:, 0]
    if not len(faces):
        return kind, None
    gt = target[faces, 1:5]
    mid, size = (gt[:, :2] + gt[:, 2:]) / 2, (gt[:, 2:] - gt[:, :2]).amax(1)
    off = (centre[:, None] - mid[None]).abs().amax(-1)
    near = off < torch.maximum(0.25 * size[None], places[:, 2:3] * 1.5)
    fits = (size[None] / places[:, 2:3] < 14) & (size[None] / places[:, 2:3] > 0.9)
    near &= fits | (places[:, 2:3] == 32) & (size[None] > 100)
    overlap = pair_iou(boxes, gt)
    cost = F.softplus(-logits)[:, None] + 3 * -torch.log(overlap + 1e-6) + 1e5 * ~near
    best = torch.full((len(places),), 1e4)
    for j in range(len(faces)):
        k = int(overlap[near[:, j], j].topk(min(10, int(near[:, j].sum()))).values.sum().clamp(1, 10)) if near[:, j].any() else 1
        value, index = cost[:, j].topk(k, largest=False)
        better = (value < best[index]) & (value < 1e4)
        kind[index[better]] = faces[j]
        best[index[better]] = value[better]
    return kind, overlap


def pair_iou(a, b):
    low, high = torch.maximum(a[:, None, :2], b[None, :, :2]), torch.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clamp(0).prod(-1)
    area = lambda x: (x[:, 2:] - x[:, :2]).clamp(0).prod(-1)
    return shared / (area(a)[:, None] + area(b)[None] - shared + 1e-6)


def loss_of(maps, targets):
    boxes, points, logits, places = decode(maps)
    total_cls = total_box = total_points = 0.0
    count = 0
    for b, p, s, t in zip(boxes, points, logits, targets):
        with torch.no_grad():
            kind, _ = assign(b, s, places, t)
        pos = kind >= 0
        quality = torch.zeros_like(s)
        if pos.any():
            gt = t[kind[pos]]
            box, mine = gt[:, 1:5], b[pos]
            low, high = torch.maximum(mine[:, :2], box[:, :2]), torch.minimum(mine[:, 2:], box[:, 2:])
            shared = (high - low).clamp(0).prod(-1)
            size = lambda x: (x[:, 2:] - x[:, :2]).clamp(1e-3)
            union = size(mine).prod(-1) + size(box).prod(-1) - shared
            ratio = shared / union
            hull = torch.maximum(mine[:, 2:], box[:, 2:]) - torch.minimum(mine[:, :2], box[:, :2])
            apart = ((mine[:, :2] + mine[:, 2:] - box[:, :2] - box[:, 2:]) / 2).pow(2).sum(-1) / hull.pow(2).sum(-1)
            shape = ((size(mine) - size(box)) / hull).pow(2).sum(-1)
            total_box = total_box + (1 - ratio + apart + shape).sum()
            quality[pos] = ratio.detach().clamp(0.3, 1)
            has = gt[:, 15] > 0
            if has.any():
                scale = size(box).amax(-1)[has, None]
                total_points = total_points + F.smooth_l1_loss(p[pos][has] / scale, gt[has, 5:15] / scale, beta=0.02, reduction="sum") / 5
            count += int(pos.sum())
        use = kind != -2
        chance = torch.sigmoid(s[use])
        raw = F.binary_cross_entropy_with_logits(s[use], quality[use], reduction="none")
        total_cls = total_cls + (raw * (chance - quality[use]).abs().pow(2)).sum()
    n = max(count, 1)
    return total_cls / n, total_box / n, total_points / n


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--minutes", type=float, default=40)
    p.add_argument("--batch", type=int, default=24)
    p.add_argument("--rate", type=float, default=4e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--resume", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    torch.manual_seed(a.seed)
    pictures = [x for x in data.load(a.data) if not data.held_out(x)]
    loader = iter(DataLoader(Pictures(pictures, a.seed), a.batch, num_workers=1, prefetch_factor=4))
    net = Detector()
    file = a.out / "detector.pt"
    if a.resume:
        net.load_state_dict(torch.load(file))
    average = torch.optim.swa_utils.AveragedModel(net, avg_fn=data.ema, use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), a.rate, weight_decay=1e-4)
    start, step, held = time.time(), 0, np.zeros(3)
    net.train()
    while (passed := (time.time() - start) / 60 / a.minutes) < 1:
        rate = a.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * passed)) + 1e-5
        for g in optimiser.param_groups:
            g["lr"] = rate
        image, target = next(loader)
        parts = loss_of(net(image.float()), target)
        loss = parts[0] + 2 * parts[1] + 1.5 * parts[2]
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10)
        optimiser.step()
        average.update_parameters(net)
        held += [float(x) for x in parts]
        step += 1
        if step % 100 == 0:
            print(f"{step} {passed:.2f} cls {held[0] / 100:.3f} box {held[1] / 100:.3f} points {held[2] / 100:.3f}", flush=True)
            held[:] = 0
            torch.save(average.module.state_dict(), file)
    torch.save(average.module.state_dict(), file)


if __name__ == "__main__":
    main()
