"""Trains the network on pairs of a genuine crop and a fake of the same crop.

    python -m forgery.train --data DIR --out RUN --minutes 25 [--width 16] [--start RUN/net.pt]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from face.data import ema

from .models import MAP, Net
from .pool import Pool

PAIRS = 10
# of region and border: a border is seen where it is, a region only beside what is around it
MAP_WEIGHTS = (2.0, 6.0)
# share of pairs in the right order at which tasks grow harder
KEEPS_UP = 0.74


def batch(pool: Pool, rng, strong: float, easy: float):
    items = [pool.pair(rng, strong=strong, easy=easy) for _ in range(PAIRS)]
    x = np.stack([i[0] for i in items] + [i[1] for i in items])
    blank = np.zeros((2, MAP, MAP), np.float32)
    where = np.stack([blank] * PAIRS + [blank if i[2] is None else i[2] for i in items])
    known = np.array([1.0] * PAIRS + [float(i[2] is not None) for i in items], np.float32)
    x = torch.from_numpy(x).permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
    return x, torch.from_numpy(where.astype(np.float32)), torch.from_numpy(known), [i[3] for i in items]


def losses(logit, where, target, known):
    genuine, fake = logit[:PAIRS], logit[PAIRS:]
    face = 0.5 * (F.softplus(genuine).mean() + F.softplus(-fake).mean())
    order = F.softplus(-(fake - genuine)).mean()
    per = F.binary_cross_entropy_with_logits(where, target, reduction="none").mean((2, 3)) @ torch.tensor(MAP_WEIGHTS)
    return face + 0.5 * order, (per * known).mean()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--minutes", type=float, default=25)
    p.add_argument("--width", type=int, default=16)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--start", type=Path)
    p.add_argument("--level", type=float, default=0.0, help="how hard tasks are at first, 0 to 1")
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    a.out.mkdir(parents=True, exist_ok=True)
    pool = Pool(a.data)
    print({k: len(v) for k, v in pool.genuine.items()}, "swaps", len(pool.swaps), "decoded", len(pool.with_decoded), flush=True)
    net = Net(a.width).to(memory_format=torch.channels_last)
    if a.start:
        net.load_state_dict(torch.load(a.start)["net"])
    mean = torch.optim.swa_utils.AveragedModel(net, avg_fn=ema, use_buffers=False)
    adam = torch.optim.AdamW(net.parameters(), lr=a.rate, weight_decay=0.01)
    # tasks grow harder while the network keeps up: more damage, fewer obvious blends
    level, lately = a.level, []
    start, step, shown, right = time.time(), 0, {}, {}
    while (share := (time.time() - start) / (60 * a.minutes)) < 1:
        for group in adam.param_groups:
            group["lr"] = a.rate * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * share)))
        x, target, known, recipes = batch(pool, rng, level, 0.95 * (1 - level))
        with torch.autocast("cpu", torch.bfloat16):
            logit, where = net(x)
        face, area = losses(logit.float(), where.float(), target, known)
        if not torch.isfinite(face + area):
            raise SystemExit(f"loss is not finite at step {step}")
        adam.zero_grad()
        (face + area).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        adam.step()
        mean.update_parameters(net)
        step += 1
        for k, v in (("face", face), ("map", area)):
            shown.setdefault(k, []).append(float(v.detach()))
        l = logit.detach().float().numpy()
        for k, r in enumerate(recipes):
            right.setdefault(str(r), []).append((l[PAIRS + k] > l[k], l[k] < 0, l[PAIRS + k] > 0))
        lately = (lately + [float(v) for v in l[PAIRS:] > l[:PAIRS]])[-200:]
        if step > 30:
            level = float(np.clip(level + (0.004 if np.mean(lately) > KEEPS_UP else -0.002), 0, 1))
        if step % 100 == 0:
            pool.take_decoded()
            told = {r: np.mean(v[-600:], 0).round(2).tolist() for r, v in sorted(right.items())}
            print(f"{step} {time.time() - start:.0f}s level {level:.2f}", {k: round(float(np.mean(v[-100:])), 3) for k, v in shown.items()}, told, flush=True)
        if step % 500 == 0:
            save(net, mean, a)
    save(net, mean, a)


def save(net, mean, a) -> None:
    held = {k: v.clone() for k, v in net.state_dict().items()}
    held.update({k: v.clone() for k, v in mean.module.named_parameters()})
    torch.save({"net": held, "width": a.width}, a.out / "net.pt")


if __name__ == "__main__":
    main()
