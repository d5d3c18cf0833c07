"""Trains the networks of a fold on the clips outside it, as they are, in rough and in mild versions, and on voices laid over each other.

    python -m voice.train --data DIR --out DIR --fold K [--rounds 12] [--seeds 3]

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

from .models import Head, Judge
from .prepare import product, training
from .textures import Textures

BATCH, RATE, DECAY = 256, 2e-3, 0.3
# scatter that is added to the scaled statistics, and how sure the network may become
NOISE, SMOOTH = 0.3, 0.05
VERSIONS = ("clips-v1", "clips-v2", "clips-v3")


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


def spread(held: Textures, each: np.ndarray) -> np.ndarray:
    """The clips' weights, divided among their listenings; they sum to one."""
    weight = each[held.clip] / np.bincount(held.clip, minlength=len(each))[held.clip]
    return weight / weight.sum()


def teach(judge: Judge, x: torch.Tensor, target: np.ndarray, weight: np.ndarray, rounds: int, rng: np.random.Generator) -> None:
    """Logistic regression of a network on draws by weight; a round is as many draws as there are listenings of any weight."""
    optimiser = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=DECAY)
    steps, chance = rounds * int((weight > 0).sum()) // BATCH, weight / weight.sum()
    goal = torch.from_numpy(target).float() * (1 - 2 * SMOOTH) + SMOOTH
    judge.train()
    for step in range(steps):
        for g in optimiser.param_groups:
            g["lr"] = RATE * min(1, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps))
        i = torch.from_numpy(rng.choice(len(x), BATCH, p=chance))
        loss = functional.binary_cross_entropy_with_logits(judge(x[i] + NOISE * torch.randn((BATCH, x.shape[1]))), goal[i])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(f"{steps} steps, last loss {float(loss.detach()):.3f}", flush=True)


def fit(data: Path, fold: int, rounds: int, seed: int) -> Head:
    """The judges of the voice in sound as it is and in sound that suffered, of whether it suffered, and of whether several voices speak."""
    clean, mixes = Textures(data, "clips"), Textures(data, "mixes")
    versions = [Textures(data, n) for n in VERSIONS]
    table = clean.table
    use = training(table, fold) if fold >= 0 else np.ones(len(table), bool)
    weight, spoof = weigh(table, use), (table.label == "spoof").to_numpy()
    sets = [clean, *versions, mixes]
    x = np.concatenate([s.all for s in sets])
    parts = [spread(s, weight) for s in sets]
    label = np.concatenate([spoof[s.clip] for s in sets])
    # how much each judge hears of sound as it is, of each version, and of mixes
    shares = lambda good, version, several: np.concatenate([k * p for k, p in zip((good, *[version] * len(versions), several), parts)])
    kind = np.repeat(np.arange(len(sets)), [len(s.all) for s in sets])
    print(f"fold {fold}: {int((use & ~spoof).sum())} genuine, {int((use & spoof).sum())} spoofs, {len(x)} listenings", flush=True)
    torch.manual_seed(seed)
    rng, net = np.random.default_rng(seed), Head(x.shape[1])
    seen = x[shares(1, 1, 0) > 0][::3]
    middle, (low, high) = np.median(seen, 0), np.quantile(seen, [0.16, 0.84], axis=0)
    net.middle.copy_(torch.from_numpy(middle)), net.spread.copy_(torch.from_numpy((high - low) / 2 + 1e-4))
    with torch.no_grad():
        z = net.scaled(torch.from_numpy(x))
    teach(net.good, z, label, shares(0.9, 0.1 / 3, 0), rounds, rng)
    teach(net.poor, z, label, shares(0.1, 0.3, 0), rounds, rng)
    teach(net.suffered, z, kind > 0, shares(0.5, 0.5 / 3, 0), rounds // 3, rng)
    teach(net.several, z, kind == len(sets) - 1, shares(0.25, 0.25 / 3, 0.5), rounds // 2, rng)
    return net.eval()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--fold", type=int, required=True)
    p.add_argument("--rounds", type=int, default=12)
    p.add_argument("--seeds", type=int, default=3, help="how many networks")
    a = p.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    a.out.mkdir(parents=True, exist_ok=True)
    torch.save([fit(a.data, a.fold, a.rounds, seed).state_dict() for seed in range(a.seeds)], a.out / f"texture-{a.fold}.pt")
    print(f"{time.process_time() - start:.0f} s of the processor")


if __name__ == "__main__":
    main()
