"""Trains the face detector: python -m face.train_detector --data DIR --out DIR [--minutes 40]"""

from __future__ import annotations

import argparse
import functools
import pickle
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset

from . import augment, data, drawn, mine, start
from .models import Detector, decode
from .teachers import iou, transform

# sides of the planes of a batch, and how often each
SIDES, SIDES_P = (224, 320, 448, 640), (0.2, 0.35, 0.2, 0.25)
MOST = 24


def labels(picture: dict) -> tuple[list[dict], list[np.ndarray]]:
    """Faces to find, and boxes that are neither right nor wrong."""
    sure, doubt = [], []
    for f in picture["faces"]:
        (sure if f["score"] >= 0.62 else doubt).append(f)
    ignored = [f["box"] for f in doubt]
    for box in picture["human"] or []:
        if all(iou(box, f["box"]) < 0.35 for f in sure):
            # boxes that were made from points end at the brows
            if picture["ibug68"] is None:
                sure.append({"box": box, "points": None})
            else:
                ignored.append(box)
    return sure, ignored


def seen(box: np.ndarray, low, high) -> float:
    """Share of a box that lies between two corners."""
    return float(np.prod(np.clip(np.minimum(box[2:], high) - np.maximum(box[:2], low), 0, None)) / max(np.prod(box[2:] - box[:2]), 1e-6))


class Batches(IterableDataset):
    """Whole batches, each of one size: single pictures, and four put together."""

    def __init__(self, pictures: list[dict], seed: int, pixels: int, alarms: dict | None = None):
        self.pictures, self.seed, self.pixels = pictures, seed, pixels
        self.alarms = [(i, box, size, score) for i, h in (alarms or {}).items() for box, size, score in h["alarms"]]
        self.guesses = {i: h["guesses"] for i, h in (alarms or {}).items()}
        # a part of a large face is an alarm too, but a rare one, and its places lie near those that are right
        part = [any(seen(box, f["box"][:2], f["box"][2:]) > 0.4 for f in pictures[i]["faces"]) for i, box, _, _ in self.alarms]
        self.boxes = {i: [] for i in self.guesses}
        for inside, (i, box, _, _) in zip(part, self.alarms):
            if not inside:
                self.boxes[i].append(box)
        self.alarms_p = np.cumsum([a[3] ** 2 * (0.1 if inside else 1) for a, inside in zip(self.alarms, part)])
        self.meshes = [f["mesh"] for p in pictures for f in p["faces"] if "mesh" in f]
        sources = {}
        for i, p in enumerate(pictures):
            sources.setdefault(p["source"], []).append(i)
        sets = ("dfdc_pairs", "youtubefaces_udacity", "facemask_boxes", "stills")
        share = {s: len(v) ** 0.5 * 1.2 if s in sets else min(len(v), 40) ** 0.5 for s, v in sources.items()}
        share["facemask_boxes"] = share.get("facemask_boxes", 0) * 7
        self.weights = np.array([share[p["source"]] / len(sources[p["source"]]) for p in pictures])
        self.weights /= self.weights.sum()

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0])
        while True:
            side = int(rng.choice(SIDES, p=SIDES_P))
            items = [self.sample(side, rng) for _ in range(max(4, round(self.pixels / side**2)))]
            yield torch.from_numpy(np.stack([i for i, _ in items])), torch.from_numpy(np.stack([t for _, t in items]))

    def any(self, rng: np.random.Generator) -> dict:
        return self.pictures[int(np.searchsorted(self.cumulative, rng.random()))]

    @functools.cached_property
    def cumulative(self) -> np.ndarray:
        return np.minimum(np.cumsum(self.weights), 1 - 1e-12)

    def sample(self, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        plane = np.zeros((side, side, 3), np.uint8)
        found = []
        if rng.random() < 0.55:
            tiles = [(0, 0, side, side)]
        else:
            x, y = (int(v) for v in rng.uniform(0.25, 0.75, 2) * side)
            tiles = [(0, 0, x, y), (x, 0, side, y), (0, y, x, side), (x, y, side, side)]
        # a third of the samples go round what was once taken for a face
        again = bool(self.alarms) and rng.random() < 0.36
        for x0, y0, x1, y1 in tiles:
            if again and (len(tiles) == 1 or rng.random() < 0.75):
                which = min(int(np.searchsorted(self.alarms_p, rng.random() * self.alarms_p[-1])), len(self.alarms) - 1)
                tile, faces = self.place(self.pictures[self.alarms[which][0]], (x1 - x0, y1 - y0), rng, self.alarms[which])
            else:
                tile, faces = self.place(self.any(rng), (x1 - x0, y1 - y0), rng)
            plane[y0:y1, x0:x1] = tile
            for f in faces:
                f[1:15] += np.tile([x0, y0], 7)
            found += faces
        target = np.zeros((MOST, 16), np.float32)  # kind (1 face, 2 ignored, 3 a false alarm), box, points, whether points
        found.sort(key=lambda f: -f[3] + f[1])
        for n, f in enumerate(found[:MOST]):
            target[n] = f
        return augment.degrade(plane, rng).transpose(2, 0, 1), target

    def place(self, picture: dict, size: tuple[int, int], rng: np.random.Generator, alarm: tuple | None = None) -> tuple[np.ndarray, list[np.ndarray]]:
        """A picture warped into a tile, and its faces there as rows of the target."""
        image = data.read(picture)
        faces, ignored = labels(picture)
        wrong, chance = [], rng.random()
        if alarm is not None:
            wrong, ignored = self.boxes[alarm[0]], ignored + self.guesses[alarm[0]]
        elif chance < 0.05:
            faces = self.erase(image, faces, rng)
        elif chance < 0.13:
            image, faces, ignored = self.drawn(image, faces, rng)
        else:
            for f in faces:
                what = rng.random()
                if what < 0.22 and "mesh" in f:
                    augment.wear(image, f["mesh"], rng)
                elif what < 0.34:
                    augment.cover(image, f["box"], rng)
        h, w = image.shape[:2]
        side = min(size)
        if alarm is not None:
            pick = alarm[1]
            scale = min(alarm[2] * np.exp(rng.normal(0, 0.3)), 0.95 * max(size)) / max(pick[2:] - pick[:2])
            centre, aim = (pick[:2] + pick[2:]) / 2, rng.uniform(0.2, 0.8, 2) * size
        elif faces and rng.random() < 0.85:
            pick = faces[rng.integers(len(faces))]["box"]
            scale = np.exp(rng.uniform(np.log(24), np.log(max(1.0 * side, 48)))) / max(pick[2:] - pick[:2])
            fill = max(size[0] / w, size[1] / h) * rng.uniform(0.7, 1.1) if rng.random() < 0.6 else side / max(h, w) * rng.uniform(0.3, 0.8)
            scale = max(scale, fill)
            centre, aim = (pick[:2] + pick[2:]) / 2, rng.uniform(0.02, 0.98, 2) * size
        else:
            scale = side / max(h, w) * rng.uniform(0.7, 2.5)
            centre, aim = rng.uniform(0, 1, 2) * [w, h], np.array(size) / 2
        angle = rng.normal(0, 0.16) if rng.random() < 0.8 else rng.uniform(-0.7, 0.7)
        flip = -1.0 if rng.random() < 0.5 else 1.0
        turn = np.array([[np.cos(angle) * flip, -np.sin(angle)], [np.sin(angle) * flip, np.cos(angle)]])
        turn *= scale * np.exp(rng.normal(0, 0.05, 2))[:, None]  # lenses and players stretch
        m = np.concatenate([turn, (aim - turn @ centre)[:, None]], 1)
        small, into = image, m
        fine = scale / 0.9
        if faces and rng.random() < 0.25:  # a small picture made large: a face of few pixels
            fine = min(fine, np.exp(rng.uniform(np.log(26), np.log(90))) / max(max(x["box"][2:] - x["box"][:2]) for x in faces))
        if fine < 0.67:
            small = cv2.resize(image, (max(2, round(w * fine)), max(2, round(h * fine))), interpolation=cv2.INTER_AREA)
            into = np.concatenate([m[:, :2] * [w / small.shape[1], h / small.shape[0]], m[:, 2:]], 1)
        border = cv2.BORDER_CONSTANT if rng.random() < 0.35 else cv2.BORDER_REPLICATE if faces else cv2.BORDER_REFLECT101
        tile = cv2.warpAffine(small, into, size, flags=cv2.INTER_LINEAR, borderMode=border)
        rows = []
        for kind, items in ((1, faces), (2, [{"box": b, "points": None} for b in ignored]), (3, [{"box": b, "points": None} for b in wrong])):
            for f in items:
                c = transform(m, ((f["box"][:2] + f["box"][2:]) / 2)[None])[0]
                half = (f["box"][2:] - f["box"][:2]) * scale / 2
                box = np.concatenate([c - half, c + half])
                # what shows of a face: inside the tile and inside the picture
                share = min(seen(box, 0, size), seen(f["box"], 0, [w, h]) + 0.2)
                if share <= 0.02:
                    continue
                row = np.zeros(16, np.float32)
                row[0], row[1:5] = 2 if kind == 1 and (share < 0.45 or max(half) < 4.5 or max(f["box"][2:] - f["box"][:2]) * fine < 8) else kind, box
                if f["points"] is not None:
                    p = transform(m, f["points"])
                    row[5:15], row[15] = (p[[1, 0, 2, 4, 3]] if flip < 0 else p).reshape(-1), 1
                rows.append(row)
        return tile, rows

    def erase(self, image: np.ndarray, faces: list[dict], rng: np.random.Generator) -> list[dict]:
        """Faces replaced by something else, in place: the picture without them."""
        for f in faces:
            b = np.clip(f["box"] + np.array([-1, -1, 1, 1]) * 0.3 * (f["box"][2] - f["box"][0]), 0, None).astype(int)
            patch = image[b[1] : b[3], b[0] : b[2]]
            if not patch.size:
                continue
            other = cv2.resize(np.roll(image, image.shape[1] // 2, 1)[: max(8, image.shape[0] // 5)], patch.shape[1::-1])
            patch[:] = other if rng.random() < 0.5 else cv2.GaussianBlur(np.full_like(patch, rng.integers(0, 255, 3)) // 2 + other // 2, (0, 0), 4)
        return []

    def drawn(self, image: np.ndarray, faces: list[dict], rng: np.random.Generator):
        """A drawn face before a picture that is blurred, or none."""
        h, w = image.shape[:2]
        if faces or rng.random() < 0.5:
            image = drawn.soft(np.roll(image, rng.integers(w), 1), float(rng.uniform(8, 30)))
        else:
            image = rng.integers(0, 255, (1, 1, 3)).astype(np.uint8).repeat(h, 0).repeat(w, 1)
        mesh = self.meshes[rng.integers(len(self.meshes))].astype(np.float64)
        mesh = (mesh - mesh.mean(0)) / np.ptp(mesh, 0).max() * min(h, w) * rng.uniform(0.25, 0.6)
        mesh += [w * rng.uniform(0.35, 0.65), h * rng.uniform(0.4, 0.6)]
        image = drawn.draw(image, mesh, rng)
        low, high = mesh.min(0), mesh.max(0)
        box = np.array([low[0], low[1] - 0.03 * (high[1] - low[1]), high[0], high[1]])
        return image, [{"box": box, "points": drawn.five(mesh)}], []


def mirrored(image: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch seen in a mirror."""
    side = image.shape[3]
    t = target.clone()
    t[..., 1], t[..., 3] = side - target[..., 3], side - target[..., 1]
    points = target[..., 5:15].reshape(*target.shape[:2], 5, 2)[..., [1, 0, 2, 4, 3], :].clone()
    points[..., 0] = side - points[..., 0]
    t[..., 5:15] = points.flatten(2)
    return image.flip(3), t


def assign(boxes, logits, places, target):
    """SimOTA (Ge et al. 2021): which positions answer for which face; -1 none, -2 ignored."""
    kind = torch.full((len(places),), -1, dtype=torch.long)
    centre = places[:, :2]
    ignored = target[target[:, 0] == 2]
    if len(ignored):
        kind[within(places, ignored).any(1)] = -2
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


def within(places, rows):
    """Which positions lie in the boxes of which rows of the target."""
    return ((places[:, None, :2] >= rows[None, :, 1:3]) & (places[:, None, :2] <= rows[None, :, 3:5])).all(-1)


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
        # squared, as in quality focal loss, a negative that scores 0.5 hardly counts and stays there
        weight = (chance - quality[use]).abs()
        hard = t[t[:, 0] == 3]
        if len(hard):
            weight = weight * torch.where(within(places[use], hard).any(1) & (kind[use] == -1), 3.0, 1.0)
        total_cls = total_cls + (raw * weight).sum()
    n = max(count, 1)
    return total_cls / n, total_box / n, total_points / n


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--start", type=Path, help="go on from this model.onnx or detector.pt of ours")
    p.add_argument("--minutes", type=float, default=40)
    p.add_argument("--pixels", type=int, default=2_000_000, help="of a batch")
    p.add_argument("--rate", type=float, default=4e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--mine", type=Path, help="first collect false alarms of the detector under this folder of models in the training pictures")
    p.add_argument("--teachers", type=Path, help="needed with --mine")
    p.add_argument("--mine-minutes", type=float, default=10)
    p.add_argument("--hold-stem", action="store_true", help="leave the first layers as they are: half the work")
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    torch.manual_seed(a.seed)
    if a.mine:
        mine.collect(a.data, a.teachers, a.mine, a.mine_minutes)
    pictures = [x for x in data.load(a.data) if not data.held_out(x)]
    alarms = pickle.loads((a.data / "alarms.pickle").read_bytes()) if (a.data / "alarms.pickle").exists() else {}
    loader = iter(DataLoader(Batches(pictures, a.seed, a.pixels, alarms), None, num_workers=1, prefetch_factor=6))
    net = Detector().to(memory_format=torch.channels_last)
    if a.start and a.start.suffix == ".pt":
        missing, unknown = net.load_state_dict(torch.load(a.start), strict=False)
        # only residual blocks, which do nothing before they are trained, may be new
        assert not unknown and all(".body." in k for k in missing), (missing, unknown)
    elif a.start:
        start.load(net, a.start, next(loader)[0].float())
    a.out.mkdir(parents=True, exist_ok=True)
    file = a.out / "detector.pt"
    if a.hold_stem:
        net.stem.requires_grad_(False)
    average = torch.optim.swa_utils.AveragedModel(net, avg_fn=data.ema, use_buffers=True)
    optimiser = torch.optim.AdamW([w for w in net.parameters() if w.requires_grad], a.rate, weight_decay=1e-4)
    began, step, held = time.time(), 0, np.zeros(5)
    net.train()
    if a.hold_stem:
        net.stem.eval()
    seen: list = []
    while (passed := (time.time() - began) / 60 / a.minutes) < 1:
        for g in optimiser.param_groups:
            g["lr"] = a.rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * passed)) + 1e-5
        t = time.time()
        # every batch is learnt from twice, the second time in a mirror
        if step % 2 and len(seen) > 16:
            image, target = mirrored(*seen.pop(int(torch.randint(len(seen), ()))))
        else:
            image, target = next(loader)
            seen.append((image, target))
        waited = time.time() - t
        with torch.autocast("cpu", torch.bfloat16):
            maps = net(image.float().contiguous(memory_format=torch.channels_last))
        parts = loss_of([m.float() for m in maps], target)
        loss = parts[0] + 2 * parts[1] + 1.5 * parts[2]
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10)
        optimiser.step()
        average.update_parameters(net)
        held += [*(float(x) for x in parts), waited, time.time() - t]
        step += 1
        if step % 50 == 0:
            print(f"{step} {passed:.2f} cls {held[0] / 50:.3f} box {held[1] / 50:.3f} points {held[2] / 50:.3f} waited {held[3] / held[4]:.2f} {held[4] / 50:.3f} s", flush=True)
            held[:] = 0
            torch.save(average.module.state_dict(), file)
    torch.save(average.module.state_dict(), file)


if __name__ == "__main__":
    main()
