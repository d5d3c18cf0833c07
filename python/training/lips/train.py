"""Trains the two towers on all but one fold of repositories: python -m lips.train --data DIR --out DIR --fold K [--steps 1500]"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from .data import Clips, Draw
from .models import Towers
from .evaluate import quick

MOST = 12  # lags in steps of 40 ms that negatives are drawn from


def training_rows(clips: Clips, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Clips whose lips and sound are in step, and their weights: genuine talkers first, then heads that were generated from sound."""
    t = clips.table
    step = (t.in_sync != "no") & (t.speech_s > 0.5 * t.seconds) & (t.rms > 1e-3)
    kind = np.select([(t.label == "bonafide") & (t.part == "talkers"), (t.label == "bonafide") & (t.part == "video"),
                      t.manipulation == "full_generation", t.manipulation == "lip_sync"], [1.0, 0.7, 0.5, 0.15], 0.0)
    held = clips.fold == fold
    rows = np.flatnonzero(step & (kind > 0) & ~held)
    weight = kind[rows] * t.seconds.to_numpy()[rows] ** 0.7
    repo = t.repo.to_numpy()[rows]
    sums = {r: weight[repo == r].sum() for r in set(repo)}
    return rows, weight * np.array([sums[r] ** -0.35 for r in repo])


def loss_of(net: Towers, v: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """The lips' own sound at its own time (a step to either side as well) against other times and other stretches."""
    n, _, t = v.shape
    window = int(torch.randint(t // 3, t + 1, ()))
    start = int(torch.randint(0, t - window + 1, ()))
    lo, hi = start, start + window
    scale = net.scale.exp().clamp(max=200.0) * (window / t) ** 0.5
    logits, own = [], []
    for lag in range(-MOST, MOST + 1):
        b, e = max(lo, -lag), min(hi, t - lag)
        if e - b < window // 2:
            continue
        if abs(lag) <= 1 or lag % 3 == 0:
            s = torch.einsum("nct,mct->nm", v[:, :, b:e], a[:, :, b + lag : e + lag]) / (e - b)
            logits.append(s * scale)
            own.append(torch.eye(n, dtype=torch.bool) if abs(lag) <= 1 else torch.zeros(n, n, dtype=torch.bool))
        elif abs(lag) > 2:
            s = (v[:, :, b:e] * a[:, :, b + lag : e + lag]).sum(1).mean(1)
            logits.append(torch.diag_embed(s * scale) + torch.full((n, n), -1e4) * (1 - torch.eye(n)))
            own.append(torch.zeros(n, n, dtype=torch.bool))
    x, own = torch.stack(logits, 1), torch.stack(own, 1)  # lips, lag, sound
    # of the right times the best may stand for all
    right = torch.where(own, x, torch.tensor(-1e4)).flatten(1).logsumexp(1)
    rows = x.flatten(1).logsumexp(1) - right
    columns = x.permute(2, 1, 0).flatten(1).logsumexp(1) - torch.where(own, x, torch.tensor(-1e4)).permute(2, 1, 0).flatten(1).logsumexp(1)
    return 0.5 * (rows + columns).mean()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--fold", type=int, required=True)
    p.add_argument("--steps", type=int, default=1500)
    p.add_argument("--count", type=int, default=24)
    p.add_argument("--frames", type=int, default=64)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--tag", default="a")
    p.add_argument("--every", type=int, default=250)
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    torch.manual_seed(a.seed)
    clips = Clips(a.data)
    rows, weight = training_rows(clips, a.fold)
    draw = Draw(clips, rows, weight, a.seed)
    net = Towers()
    print("clips", len(rows), "seconds", clips.table.seconds.iloc[rows].sum(), "parameters", sum(q.numel() for q in net.parameters()), flush=True)
    average = torch.optim.swa_utils.AveragedModel(net, avg_fn=lambda m, w, k: m.lerp(w, 1 - min(0.995, (1 + k.item()) / (10 + k.item()))) if m.dtype.is_floating_point else w, use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), a.rate, weight_decay=2e-2)
    a.out.mkdir(parents=True, exist_ok=True)
    began, held = time.time(), 0.0
    net.train()
    for step in range(a.steps):
        for g in optimiser.param_groups:
            g["lr"] = a.rate * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / a.steps)))
        mouths, points, bands, keep = draw.batch(a.count, a.frames)
        with torch.autocast("cpu", torch.bfloat16):
            v, s = net.lips(mouths, points, keep), net.sound(bands)
        loss = loss_of(net, v.float(), s.float())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        average.update_parameters(net)
        held = 0.98 * held + 0.02 * float(loss.detach()) if step else float(loss.detach())
        if (step + 1) % a.every == 0 or step + 1 == a.steps:
            torch.save(average.module.state_dict(), a.out / f"{a.tag}-{a.fold}.pt")
            average.module.eval()
            print(f"step {step + 1} loss {held:.3f} scale {float(net.scale.exp()):.1f} {time.time() - began:.0f} s (processor {time.process_time():.0f} s)", quick(average.module, clips, a.fold), flush=True)


if __name__ == "__main__":
    main()
