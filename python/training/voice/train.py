"""Trains the network of a fold on the clips outside it, as they are, in rough and in mild versions and after calls, on voices laid over each other and on pauses.

    python -m voice.train --data DIR --out DIR --fold K [--rounds 12] [--seeds 1]

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

from graphs import eight

from .models import COMPARED, COVARIATES, KNOWN, LANDMARKS, PRINCIPAL, Judge, Layer, Likeness, Pupil, Verdict
from .prepare import FOLDS, product, training
from .student import half
from .textures import Textures, front

BATCH, RATE, DECAY = 256, 2e-3, 0.3
# scatter that is added to the scaled statistics, and how sure the network may become
NOISE, SMOOTH = 0.3, 0.05
# rough and mild versions, two draws of what calls do, what files of recorders do to every other clip, and what suppression of noise does to the others
ROUGH, CALLED, FILED, SUPPRESSED = ("clips-v1", "clips-v3"), ("clips-v4", "clips-v5"), ("clips-v6",), ("clips-v7",)
VERSIONS = ROUGH + CALLED + FILED + SUPPRESSED
# how much of what is aimed at is the label, and with how many listenings the likeness compares that says the rest, see `aims`
SURE, AGREED = 0.7, 2000
# of the likeness: width of the kernel by the mean square of a statistic's difference, ridge, and how much those that tell more weigh
WIDTH, RIDGE, TELLING = 1.4, 1e-5, 0.3
# ridge of what statistics should be, and of what they would be without a call, by the mean square of a number
EXPECTED, RESTORED = 1e-3, 0.5


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


def teach(judge: Pupil, x: torch.Tensor, target: np.ndarray, weight: np.ndarray, rounds: int, rng: np.random.Generator) -> None:
    """Logistic regression of a network on draws by weight, towards -1 or 1, or with several columns (of 0 and 1) to the one that is true; a round is as many draws as there
    are listenings of any weight."""
    optimiser = torch.optim.AdamW(judge.parameters(), RATE, weight_decay=DECAY)
    steps, chance = rounds * int((weight > 0).sum()) // BATCH, weight / weight.sum()
    if target.ndim > 1:
        goal, miss = torch.from_numpy(target * (1 - SMOOTH) + SMOOTH / target.shape[1]).float(), functional.cross_entropy
    else:
        goal, miss = torch.from_numpy((target / 2 + 0.5).clip(SMOOTH, 1 - SMOOTH)).float(), functional.binary_cross_entropy_with_logits
    judge.train()
    for step in range(steps):
        for g in optimiser.param_groups:
            g["lr"] = RATE * min(1, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps))
        i = torch.from_numpy(rng.choice(len(x), BATCH, p=chance))
        loss = miss(judge(x[i] + NOISE * torch.randn((BATCH, x.shape[1]))), goal[i])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(f"{steps} steps, last loss {float(loss.detach()):.3f}", flush=True)


def ridge(f: np.ndarray, weight: np.ndarray, at_centres: np.ndarray, target: np.ndarray, by: float) -> np.ndarray:
    """Weights of kernel functions `f` (listenings, centres) that give the target."""
    use, root = weight > 0, np.sqrt(weight[weight > 0])
    g = f[use] * root[:, None]
    target = (target[use].T * root).T
    return np.linalg.solve(g.T @ g + by * at_centres + 1e-7 * np.eye(f.shape[1]), g.T @ target)


def draw(weight: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Listenings by the root of their weight."""
    return rng.choice(len(weight), count, replace=False, p=np.sqrt(weight) / np.sqrt(weight).sum())


class Read:
    """What is taught on, each number linear in the scaled statistics `z` and in what is known of voices like this one: the statistics; the same less
    what a genuine voice of such covariates has, fitted on genuine listenings of some weight; and after `restore`, for the likeness, what both would be
    without a call."""

    def __init__(self, net: Verdict, z: np.ndarray, weight: np.ndarray, rng: np.random.Generator):
        weight = weight / weight.sum()
        use, n = weight > 0, z.shape[1]
        with torch.no_grad():
            net.known.centres.weight.copy_(torch.from_numpy(z[draw(weight, KNOWN, rng)][:, COVARIATES]))
            known = net.known(torch.from_numpy(z)).numpy()
            centres = np.zeros((KNOWN, n), np.float32)
            centres[:, COVARIATES] = net.known.centres.weight.numpy()
            at_centres = net.known(torch.from_numpy(centres)).numpy()
        mean = weight @ z
        weights = ridge(known[use].astype(float), weight[use], at_centres, (z - mean)[use], EXPECTED)
        rest = z - mean - known @ weights
        spread = np.sqrt(weight @ rest**2 + 1e-3)
        self.numbers = np.concatenate([z, rest / spread], 1).astype(np.float32)
        # the numbers are z @ own + known @ beside + bias
        self.own = np.concatenate([np.eye(n), np.diag(1 / spread)], 1).astype(np.float32)
        self.beside = np.concatenate([np.zeros_like(weights), -weights / spread], 1)
        self.bias = np.concatenate([np.zeros(n), -mean / spread])
        # those that judges are taught on, and those that are compared
        self.taught = slice(0, 2 * n)
        self.compared = np.r_[:COMPARED, n : n + COMPARED]

    def restore(self, heard: np.ndarray, whole: np.ndarray, weight: np.ndarray) -> None:
        """Adds what the compared numbers would be had the sound not suffered: a ridge regression from listenings `heard` to the same ones as recorded."""
        at, weight = self.compared, (weight / weight.sum()).astype(np.float32)[:, None]
        x, y = self.numbers[heard][:, at], self.numbers[whole][:, at]
        before, after = (weight * x).sum(0), (weight * y).sum(0)
        x = x - before
        square = (weight * x).T @ x
        turn = np.linalg.solve(square + RESTORED * np.trace(square) / len(at) * np.eye(len(at), dtype=np.float32), (weight * x).T @ (y - after))
        self.compared = np.r_[at, self.numbers.shape[1] : self.numbers.shape[1] + len(at)]
        self.numbers = np.concatenate([self.numbers, (self.numbers[:, at] - before) @ turn + after], 1)
        self.own, self.beside = (np.concatenate([m, m[:, at] @ turn], 1) for m in (self.own, self.beside))
        self.bias = np.concatenate([self.bias, (self.bias[at] - before) @ turn + after])

    def put(self, layer: Layer, weight: np.ndarray, bias: np.ndarray | float, at: np.ndarray | slice) -> None:
        """Puts a linear function of the numbers `at` some places into a layer of statistics and what is known."""
        with torch.no_grad():
            layer.own.weight.copy_(torch.from_numpy(weight @ self.own[: layer.own.in_features, at].T))
            layer.own.bias.copy_(torch.from_numpy(bias + weight @ self.bias[at]))
            layer.beside.weight.copy_(torch.from_numpy(weight @ self.beside[:, at].T))

    def judge(self, judge: Judge, pupil: Pupil) -> None:
        values = lambda line: (line.weight.detach().numpy().astype(float), line.bias.detach().numpy().astype(float))
        self.put(judge.wide, *values(pupil.wide), self.taught), self.put(judge.first, *values(pupil.deep[1]), self.taught)
        judge.last.load_state_dict(pupil.deep[4].state_dict())


def telling(z: np.ndarray, spoof: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """How far the classes' means of each statistic lie apart, in spreads."""
    sides = [weight * side / (weight * side).sum() for side in (spoof, ~spoof)]
    means = [p @ z for p in sides]
    spread = np.sqrt(sum(p @ (z * z) - m * m for p, m in zip(sides, means)) / 2 + 1e-3)
    return np.abs(means[0] - means[1]) / spread


def compare(like: Likeness, read: Read, spoof: np.ndarray, goal: np.ndarray, whole: np.ndarray, weights: list[np.ndarray], rng: np.random.Generator) -> None:
    """Ridge regressions of `goal` on a kernel of listenings drawn by the weights `whole`; of the others there is one set for each column of `like.weights`."""
    use = whole > 0
    z = read.numbers[use][:, read.compared]
    spoof, goal, whole, weights = spoof[use], goal[use], whole[use], [w[use] for w in weights]
    scale = (telling(z, spoof, whole) + 0.05) ** TELLING
    scale /= np.sqrt((whole @ (z * scale) ** 2).mean())
    about = (z - whole @ z) * scale
    axes = np.linalg.eigh((about * whole[:, None]).T @ about)[1][:, : -PRINCIPAL - 1 : -1] * np.sqrt(WIDTH / z.shape[1])
    read.put(like.parts, (axes * scale[:, None]).T, 0.0, read.compared)
    parts = torch.from_numpy((z * scale) @ axes).float()
    pick = draw(whole, len(like.landmarks.weight), rng)
    with torch.no_grad():
        # rounded before anything is fitted on them, so that eight bits cost nothing
        whole_numbers, each = eight(parts[pick].numpy())
        like.landmarks.weight.copy_(torch.from_numpy(whole_numbers * each))
        f = like.kernel(parts).numpy().astype(float)
        at_landmarks = like.kernel(like.landmarks.weight).numpy().astype(float)
        for column, weight in enumerate(weights):
            like.weights.weight[column] = torch.from_numpy(ridge(f, weight, at_landmarks, goal, RIDGE))


def sides(yes: np.ndarray) -> np.ndarray:
    return np.where(yes, 1.0, -1.0)


def founded(
    x: np.ndarray, seen: np.ndarray, whole: np.ndarray, spoof: np.ndarray, goal: np.ndarray, weights: list[np.ndarray], heads: int, calls: tuple | None = None, landmarks: int = LANDMARKS
) -> tuple[Verdict, torch.Tensor, Read]:
    """A verdict that knows how statistics lie where `seen`, what genuine ones should be, and likenesses; and the scaled statistics. `calls` is what
    `Read.restore` takes."""
    torch.manual_seed(0)
    rng, net = np.random.default_rng(0), Verdict(x.shape[1], heads, landmarks)
    middle, (low, high) = np.median(x[seen][::3], 0), np.quantile(x[seen][::3], [0.16, 0.84], axis=0)
    net.middle.copy_(torch.from_numpy(middle)), net.spread.copy_(torch.from_numpy((high - low) / 2 + 1e-4))
    with torch.no_grad():
        z = net.scaled(torch.from_numpy(x))
    read = Read(net, z.numpy(), whole * ~spoof, rng)
    if calls:
        read.restore(*calls)
    compare(net.likeness, read, spoof, goal, whole, weights, rng)
    return net, z, read


@torch.no_grad()
def aims(clean: Textures, use: np.ndarray, fold: int) -> np.ndarray:
    """What each clip should be judged: -1 or 1 by its label, and in part what a likeness says that met nothing of its repository, system and speaker
    corpus. So a trace that no other source has is taught less, and what only sound as it was recorded shows still teaches sound that suffered."""
    table, found = clean.table, np.zeros(len(clean.table))
    label = (table.label == "spoof").to_numpy()
    for k in sorted({*range(FOLDS)} - {fold}):
        whole, spoof = spread(clean, weigh(table, use & training(table, k))), label[clean.clip]
        net, z, _ = founded(clean.all, whole > 0, whole, spoof, sides(spoof), [whole], 0, landmarks=AGREED)
        at = clean.last[(table.fold == k).to_numpy()]
        found[clean.clip[at]] = net.likeness(z[at], net.known(z[at]))[:, 0].numpy()
    return SURE * sides(label) + (1 - SURE) * (found / found[use].std()).clip(-2, 2)


def fit(data: Path, fold: int, rounds: int, seeds: int) -> Verdict:
    """A verdict with so many heads."""
    clean, mixes, quiet, *versions = (Textures(data, n, half(fold)) for n in ("clips", "mixes", "pauses", *VERSIONS))
    table = clean.table
    use = training(table, fold) if fold >= 0 else np.ones(len(table), bool)
    weight, spoof, aim = weigh(table, use), (table.label == "spoof").to_numpy(), aims(clean, use, fold)
    sets = [clean, *versions, mixes, quiet]
    x = np.concatenate([s.all for s in sets])
    parts = [spread(s, weight) for s in sets]
    clip, kind = np.concatenate([s.clip for s in sets]), np.repeat(np.arange(len(sets)), [len(s.all) for s in sets])
    laid, silent = kind == sets.index(mixes), kind == sets.index(quiet)
    # how much is heard of sound as it is, of rough and mild versions, of calls, of files, with noise suppressed, of mixes and of pauses
    split = lambda share, of: [share / len(of)] * len(of)
    shares = lambda good, rough, called, filed=0.0, suppressed=0.0, several=0.0, pauses=0.0: np.concatenate(
        [k * p for k, p in zip((good, *split(rough, ROUGH), *split(called, CALLED), *split(filed, FILED), *split(suppressed, SUPPRESSED), several, pauses), parts)]
    )
    within = lambda names: np.isin(kind, [1 + VERSIONS.index(n) for n in names])
    among = np.stack([kind == 0, within(CALLED), within(FILED), within(SUPPRESSED), within(ROUGH)], 1)
    print(f"fold {fold}: {int((use & ~spoof).sum())} genuine, {int((use & spoof).sum())} spoofs, {len(x)} listenings", flush=True)
    # the last listening to each clip as it is and in calls, and the one to the clip as it is
    own = clean.last[use]
    starts = np.cumsum([0, *(len(s.all) for s in sets)])
    called = [starts[k] + sets[k].last[use] for k in (1 + VERSIONS.index(n) for n in CALLED)]
    calls = np.concatenate([own, *called]), np.tile(own, 1 + len(called)), np.tile(weight[use], 1 + len(called))
    # in the second likeness calls count three times: most interviews are calls
    net, z, read = founded(x, shares(1, 1, 1) > 0, shares(0.8, 0.1, 0.1), spoof[clip], aim[clip], [shares(1, 0, 0), shares(0.3, 0.175, 0.525)], seeds, calls)
    rng, taught = np.random.default_rng(0), torch.from_numpy(read.numbers[:, read.taught].copy())
    for head in net.heads:
        for judge, share in ((head.good, shares(0.9, 0.05, 0.05)), (head.poor, shares(0.1, 0.45, 0.45))):
            pupil = Pupil(taught.shape[1])
            teach(pupil, taught, aim[clip], share, rounds, rng)
            read.judge(judge, pupil)
        # files and suppressed noise are met here alone: judges and likenesses that met files too told them little better, and calls worse; and rarely, so that
        # less of what was recorded is taken for either
        teach(head.kind, z, among, shares(0.4, 0.22, 0.22, 0.11, 0.05), 5 * rounds // 2, rng)
        teach(head.several, z, sides(laid), shares(0.25, 0.125, 0.125, several=0.5), rounds // 2, rng)
        teach(head.silent, z, sides(silent), shares(0.25, 0.125, 0.125, several=0.1, pauses=0.4), rounds // 2, rng)
    net.front = front(data, half(fold))
    return net.eval()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--fold", type=int, required=True)
    p.add_argument("--rounds", type=int, default=12)
    p.add_argument("--seeds", type=int, default=1, help="how many heads")
    a = p.parse_args()
    torch.set_num_threads(1)
    start = time.process_time()
    a.out.mkdir(parents=True, exist_ok=True)
    torch.save(fit(a.data, a.fold, a.rounds, a.seeds).state_dict(), a.out / f"texture-{a.fold}.pt")
    print(f"{time.process_time() - start:.0f} s of the processor")


if __name__ == "__main__":
    main()
