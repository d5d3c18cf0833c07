"""Trains the voice model: python -m voice.train --data DIR --out DIR [--minutes 30]"""

from __future__ import annotations

import argparse
import pickle
import time
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from .augment import RATE, augment, crop
from .models import Voice

LENGTH = int(2.4 * RATE)


def ema(held, new, count):
    """Moving average of weights that soon forgets the random start."""
    keep = min(0.997, (1 + float(count)) / (10 + float(count)))
    return keep * held + (1 - keep) * new


class Clips(IterableDataset):
    def __init__(self, clips: list[dict], seed: int):
        self.clips, self.seed = clips, seed
        label = np.array([c["label"] == "spoof" for c in clips])
        groups: dict[tuple, int] = {}
        for c in clips:
            key = (c["repo"], c["system"])
            groups[key] = groups.get(key, 0) + 1
        p = np.array([groups[(c["repo"], c["system"])] ** -0.5 for c in clips])
        # what can be bought and cloned today counts more; twins teach the trace, not the system
        family = {"tts-llm": 2.0, "tts": 1.3, "twin": 0.35}
        p *= np.array([family.get(c["family"], 1.0) for c in clips])
        p *= np.array([2.0 if c["speaking_style"] in ("spontaneous", "conversational") and c["label"] == "bonafide" else 1.0 for c in clips])
        for side in (False, True):
            p[label == side] *= 0.5 / p[label == side].sum()
        self.p = p

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, info.id if info else 0, int(time.time())])
        while True:
            for i in rng.choice(len(self.clips), 512, p=self.p):
                c = self.clips[i]
                x = c["coded"] if rng.random() < 0.45 and len(c["coded"]) > RATE // 2 else c["pcm"]
                x = crop(x, LENGTH, rng).astype(np.float32) / 32768
                yield torch.from_numpy(augment(x, rng)), np.float32(c["label"] == "spoof")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--batch", type=int, default=48)
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--resume", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    with open(a.data / "clips.pickle", "rb") as f:
        clips = [c for c in pickle.load(f) if c["part"] == "train"]
    loader = iter(DataLoader(Clips(clips, a.seed), a.batch, num_workers=1, prefetch_factor=4))
    net = Voice()
    if a.resume:
        net.load_state_dict(torch.load(a.out / "voice.pt"))
    print("parameters", sum(q.numel() for q in net.parameters()), "clips", len(clips), flush=True)
    average = torch.optim.swa_utils.AveragedModel(net, avg_fn=ema, use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), a.rate, weight_decay=1e-2)
    start, step, held = time.time(), 0, 0.0
    net.train()
    while (passed := (time.time() - start) / 60 / a.minutes) < 1:
        for g in optimiser.param_groups:
            g["lr"] = a.rate * min(1, (step + 1) / 150) * (0.5 + 0.5 * np.cos(np.pi * passed)) + 1e-5
        audio, label = next(loader)
        x = net.front(audio)
        # masks over time and frequency (Park et al. 2019), and mixtures (Zhang et al. 2018)
        f, t = np.random.randint(0, 60), np.random.randint(0, x.shape[2] - 30)
        x[:, f : f + np.random.randint(1, 13)] = 0
        x[:, :, t : t + np.random.randint(1, 30)] = 0
        mix = np.random.beta(0.4, 0.4) if np.random.random() < 0.5 else 1.0
        other = torch.randperm(len(x))
        x, target = mix * x + (1 - mix) * x[other], mix * label + (1 - mix) * label[other]
        logit = net.last(net.embed(net.features(x)))[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logit, target * 0.95 + 0.025)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.update_parameters(net)
        held += float(loss.detach())
        step += 1
        if step % 50 == 0:
            print(f"{step} {passed:.2f} loss {held / 50:.4f}", flush=True)
            held = 0.0
            torch.save(average.module.state_dict(), a.out / "voice.pt")
    torch.save(average.module.state_dict(), a.out / "voice.pt")


if __name__ == "__main__":
    main()
