"""Trains the network of a fold on the clips outside it, as they are and in rough versions, with twins of the genuine ones.

    python -m voice.train --data DIR --out DIR --fold K [--twins twins-lyra,...] [--rough 0.3] [--rounds 12] [--seed 1]

Fold -1 trains on everything.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.nn import functional

from .models import Head
from .prepare import product, training
from .textures import Textures

BATCH, RATE, DECAY = 256, 2e-3, 0.05
# scatter that is added to the scaled statistics, and how sure the network may become
NOISE, SMOOTH = 0.3, 0.05


def weigh(table: pd.DataFrame, use: np.ndarray) -> np.ndarray:
    """What each clip counts: sources and products of many clips count less than their number, both classes the same, what is not used nothing."""
    spoof = (table.label == "spoof").to_numpy()
    count = table[use].groupby(["repo", "system"]).path.transform("size").reindex(table.index).fillna(1).to_numpy()
    family = table.family.map({"tts-llm": 2.0, "tts": 1.2, "vc": 1.2}).fillna(1.0).to_numpy()
    style = np.where(table.speaking_style.isin(["spontaneous", "conversational"]), 2.0, 1.0)
    # many repositories hold the same product: products weigh alike too
    products = table.system.map(product)
    weight = use * count**-0.6 * np.where(spoof, family, style) * products.map(products.value_counts()).to_numpy() ** -0.2
    return np.where(spoof, weight / weight[spoof].sum(), weight / weight[~spoof].sum())


def material(data: Path, fold: int, twins: list[str], rough: float, share: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Statistics, labels and weights of what may be learned from; `share` of the spoofs' weight is the twins'."""
    clean, versions = Textures(data, "clips"), [Textures(data, n) for n in ("clips-v1", "clips-v2")]
    table = clean.table
    use = training(table, fold) if fold >= 0 else np.ones(len(table), bool)
    weight, spoof = weigh(table, use), (table.label == "spoof").to_numpy()
    if twins:
        weight = np.where(spoof, weight * (1 - share), weight)
    x, y, w = [], [], []

    def add(held: Textures, value: np.ndarray, label: np.ndarray, part: float) -> None:
        each = value[held.clip] / np.bincount(held.clip, minlength=len(table))[held.clip]
        keep = each > 0
        x.append(held.all[keep]), y.append(label[held.clip][keep]), w.append(part * each[keep])

    add(clean, weight, spoof, 1 - rough)
    for held in versions:
        add(held, weight, spoof, rough / len(versions))
    for name in twins:
        for version, part in ((name, 1 - rough), (f"{name}-v1", rough)):
            if (data / f"{version}.csv").exists():
                held = Textures(data, version)
                here = np.zeros(len(table))
                here[held.clip] = weight[held.clip]
                add(held, here / here.sum() * share / len(twins), np.ones(len(table), bool), part)
    print(f"fold {fold}: {int((use & ~spoof).sum())} genuine, {int((use & spoof).sum())} spoofs, {len(np.concatenate(y))} listenings", flush=True)
    return np.concatenate(x), np.concatenate(y), np.concatenate(w)


def fit(x: np.ndarray, y: np.ndarray, weight: np.ndarray, rounds: int, seed: int) -> Head:
    torch.manual_seed(seed)
    rng, net = np.random.default_rng(seed), Head(x.shape[1])
    middle, (low, high) = np.median(x[::3], 0), np.quantile(x[::3], [0.16, 0.84], axis=0)
    net.middle.copy_(torch.from_numpy(middle)), net.spread.copy_(torch.from_numpy((high - low) / 2 + 1e-4))
    with torch.no_grad():
        scaled, target = net.scaled(torch.from_numpy(x)), torch.from_numpy(y).float() * (1 - 2 * SMOOTH) + SMOOTH
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    steps, chance = rounds * len(x) // BATCH, weight / weight.sum()
    net.train()
    for step in range(steps):
        for g in optimiser.param_groups:
            g["lr"] = RATE * min(1, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps))
        i = torch.from_numpy(rng.choice(len(x), BATCH, p=chance))
        z = scaled[i] + NOISE * torch.randn((BATCH, x.shape[1]))
        loss = functional.binary_cross_entropy_with_logits((net.wide(z) + net.deep(z))[:, 0], target[i])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(f"{steps} steps, last loss {float(loss.detach()):.3f}", flush=True)
    return net.eval()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--fold", type=int, required=True)
    p.add_argument("--twins", default="", help="names of twins, with commas")
    p.add_argument("--share", type=float, default=0.15, help="of the spoofs' weight that is the twins'")
    p.add_argument("--rough", type=float, default=0.4, help="share of rough versions")
    p.add_argument("--rounds", type=int, default=12)
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    net = fit(*material(a.data, a.fold, [t for t in a.twins.split(",") if t], a.rough, a.share), a.rounds, a.seed)
    a.out.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), a.out / f"texture-{a.fold}.pt")
    print(f"{time.process_time() - start:.0f} s of the processor")


if __name__ == "__main__":
    main()
