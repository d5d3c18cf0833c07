"""Trains one network on the clips outside a fold, with twins of their genuine ones.

    python -m voice.train --data DIR --out DIR --fold K [--recipe NAME] [--steps 2000] [--seed 1]

Fold -1 trains on everything.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from .augment import Fast
from .bands import Bands
from .models import FrontEnd, Net
from .prepare import product, training
from .recipes import RECIPES
from .store import RATE

GENUINE, SPOOFED, TWINS = 24, 24, 16


def speech_only(frames: np.ndarray, hop: int = 160) -> np.ndarray:
    """Without pauses of more than about 0.2 s: the check hears speech only."""
    level = torch.tensor(frames[:, frames.shape[1] // 32 :]).float().amax(1).numpy()
    keep = np.convolve(level > np.quantile(level, 0.95) - 7, np.ones(2720 // hop), "same") > 0
    return frames[keep] if keep.sum() > 8000 // hop else frames


class Source:
    """Draws batches: genuine clips, some with a twin beside them, and real spoofs, half of them of the same repositories."""

    def __init__(self, data: Path, fold: int, recipe: str, front: FrontEnd, frames: int, seed: int, twins: tuple[str, ...], versions: int = 1):
        self.rng, self.length, self.hop = np.random.default_rng(seed), frames, front.hop
        self.clips = [Bands(data, n, recipe, front) for n in ["clips", *(f"clips-v{v + 1}" for v in range(versions))]]
        t = self.clips[0].table
        use = training(t, fold) if fold >= 0 else np.ones(len(t), bool)
        count = t.groupby(["repo", "system"]).path.transform("size").to_numpy()
        family = t.family.map({"tts-llm": 2.0, "tts": 1.2, "vc": 1.2}).fillna(1.0).to_numpy()
        style = np.where(t.speaking_style.isin(["spontaneous", "conversational"]), 2.0, 1.0)
        weight = count**-0.6 * np.where(t.label == "spoof", family, style)
        # many repositories hold the same product: products weigh alike too
        products = t.system.map(product)
        weight = weight * products.map(products.value_counts()).to_numpy() ** -0.2
        self.genuine, self.spoofs = np.flatnonzero(use & (t.label == "bonafide")), np.flatnonzero(use & (t.label == "spoof"))
        self.p = {side: weight[i] / weight[i].sum() for side, i in (("genuine", self.genuine), ("spoof", self.spoofs))}
        self.of_repo = {r: g.index.to_numpy() for r, g in t.loc[self.spoofs].groupby("repo")}
        self.weight, self.repo = weight, t.repo.to_numpy()
        self.twins: dict[int, list[tuple[list[Bands], int]]] = {}
        for name in twins:
            held = [Bands(data, n, recipe, front) for n in (name, f"{name}-v1") if (data / f"{n}.csv").exists()]
            for row, origin in enumerate(held[0].table["clip"]):
                self.twins.setdefault(int(origin), []).append((held, row))
        print(f"fold {fold}: {len(self.genuine)} genuine, {len(self.spoofs)} spoofs, twins of {len(self.twins)}", flush=True)

    def cut(self, many: list[np.ndarray]) -> list[np.ndarray]:
        """The same stretch of clips that run beside one another, now and then short."""
        length, start = self.length, self.rng.random()
        speech, out = self.rng.random() < 0.6, []
        for x in many:
            x = speech_only(x, self.hop) if speech else x
            x = np.tile(x, (-(-length // len(x)), 1)) if len(x) < length else x
            at = int(start * (len(x) - length))
            out.append(x[at : at + length])
        return out

    def batch(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Powers of bands, label (0 genuine, 1 spoof, 2 twin), pair, and the place of the genuine clip that each should outrank."""
        rng, sound, label, pair, origin = self.rng, [], [], [], []
        genuine = rng.choice(self.genuine, GENUINE, p=self.p["genuine"])
        beside = [self.pick(g) for g in genuine]
        spoofs = list(rng.choice(self.spoofs, SPOOFED - SPOOFED // 2, p=self.p["spoof"]))
        same = [(k, s) for k, s in enumerate(self.of(self.repo[g]) for g in genuine) if s is not None][: SPOOFED // 2]
        spoofs += list(rng.choice(self.spoofs, SPOOFED - len(spoofs) - len(same), p=self.p["spoof"]))
        twins, place = 0, []
        for k, g in enumerate(genuine):
            version = int(rng.integers(len(self.clips))) if rng.random() < 0.8 else 0
            many = [self.clips[version][g]]
            if beside[k] is not None and twins < TWINS:
                held, row = beside[k]
                if len(held) > version:
                    many.append(held[version][row])
            cut = self.cut(many)
            place.append(len(sound))
            sound.append(cut[0]), label.append(0), pair.append(k), origin.append(-1)
            if len(cut) > 1:
                twins += 1
                sound.append(cut[1]), label.append(2), pair.append(k), origin.append(len(sound) - 2)
        for k, s in same + [(GENUINE + j, s) for j, s in enumerate(spoofs)]:
            version = int(rng.integers(len(self.clips))) if rng.random() < 0.8 else 0
            sound.append(self.cut([self.clips[version][s]])[0]), label.append(1), pair.append(k), origin.append(place[k] if k < GENUINE else -1)
        x = torch.from_numpy(np.stack(sound)).float().exp()
        return x, torch.tensor(label), torch.tensor(pair), torch.tensor(origin)

    def pick(self, g: int):
        held = self.twins.get(int(g))
        return held[self.rng.integers(len(held))] if held else None

    def of(self, repo: str):
        some = self.of_repo.get(repo)
        return None if some is None else int(self.rng.choice(some, p=self.weight[some] / self.weight[some].sum()))


def mask(x: torch.Tensor, g: torch.Generator) -> torch.Tensor:
    """SpecAugment (Park et al. 2019) with one or two stripes a way."""
    frames, bands = x.shape[1:]
    for i in range(len(x)):
        for _ in range(2):
            a, b, c, d = torch.rand(4, generator=g).tolist()
            if c < 0.5:
                w = int(b * bands * 0.2)
                x[i, :, int(a * (bands - w)) : int(a * (bands - w)) + w] = 0
            if d < 0.5:
                w = int(c * frames * 0.2)
                x[i, int(a * (frames - w)) : int(a * (frames - w)) + w] = 0
    return x


def fit(net: Net, source: Source, steps: int, rate: float, seed: int, every: int = 200) -> Net:
    """Trains with label smoothing, each genuine clip ranked under its twin and a spoof of its repository, and a moving
    average of the weights."""
    net = net.to(memory_format=torch.channels_last)
    fast = Fast(net.front, seed)
    average = {k: v.clone() for k, v in net.state_dict().items()}
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=2e-2)
    start, held = time.time(), 0.0
    net.train()
    for step in range(steps):
        at = step / steps
        for g in optimiser.param_groups:
            g["lr"] = rate * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * at)))
        with torch.no_grad():
            bands, label, pair, origin = source.batch()
            bands = fast(bands, pair)
            floor = 10 ** -(fast.draw(int(pair.max()) + 1, 2.5, 3.5))[pair][:, None, None]
            x = mask(net.front.features(bands, floor), fast.g)
        with torch.autocast("cpu", torch.bfloat16):
            logit = net.judge(x)
        logit = logit.float()
        target = (label > 0).float() * 0.9 + 0.05
        weight = torch.where(label == 2, 0.6, torch.where(label == 1, 0.9, 1.0))
        loss = (functional.binary_cross_entropy_with_logits(logit, target, reduction="none") * weight).sum() / weight.sum()
        mine = origin >= 0
        if mine.any():
            loss = loss + 0.3 * functional.softplus(1 - (logit[mine] - logit[origin[mine]])).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        keep = min(0.995, (1 + step) / (10 + step))
        for k, v in net.state_dict().items():
            average[k] = average[k].lerp(v, 1 - keep) if v.dtype.is_floating_point else v
        held = 0.98 * held + 0.02 * float(loss.detach()) if step else float(loss.detach())
        if (step + 1) % every == 0:
            print(f"step {step + 1} loss {held:.3f} {time.time() - start:.0f} s, of the processor {time.process_time():.0f} s", flush=True)
    net.load_state_dict(average)
    return net.eval()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--fold", type=int, required=True)
    p.add_argument("--recipe", default="linear", choices=RECIPES)
    p.add_argument("--steps", type=int, default=2000)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--seconds", type=float, default=2.4)
    p.add_argument("--twins", default="", help="names of twins, with commas")
    p.add_argument("--versions", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--resume", default="", help="tag of networks to go on from")
    p.add_argument("--tag", default="", help="appended to the recipe's name")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    twins = tuple(t for t in a.twins.split(",") if t)
    net = Net(**RECIPES[a.recipe])
    frames = (int(a.seconds * RATE) - net.front.size) // net.front.hop + 1
    source = Source(a.data, a.fold, a.recipe, net.front, frames, a.seed, twins, a.versions)
    name = lambda tag: a.out / f"{a.recipe}{tag and '-' + tag}-{a.fold}.pt"
    if a.resume:
        net.load_state_dict(torch.load(name(a.resume)))
    print(a.recipe, "parameters", sum(q.numel() for q in net.parameters()), flush=True)
    net = fit(net, source, a.steps, a.rate, a.seed)
    a.out.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), name(a.tag))


if __name__ == "__main__":
    main()
