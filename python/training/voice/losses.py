"""Teaches `Concealment` what was made up for lost packets: python -m voice.losses --data DIR [--steps 9000]

Every second clip once through a call that loses packets: through Opus and its concealment, or with gaps that are silent or go on with the last period of the
pitch. Writes `concealment.pt`, taught outside fold 0 and tried there; it is not told which voices are genuine.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional

from .codecs import FRAME, bursts, carried, opus
from .concealment import LINE, Concealment
from .store import RATE, Clips, to_float
from .texture import Texture
from .transform import hann, level

# share of a frame's window over which it counts as made up
MUCH = 0.1
STEADY, BATCH, PEAK = 150, 32, 2e-3


def period(x: np.ndarray) -> int:
    """The lag of 50 to 400 Hz at which the last 20 ms are most like what was before them."""
    last = x[-FRAME:]
    like = lambda lag: last @ x[-FRAME - lag : -lag] / (np.linalg.norm(x[-FRAME - lag : -lag]) + 1)
    return max(range(40, FRAME), key=like)


def repeated(x: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Gaps filled with the last period of the pitch, which falls off after 20 ms, and joined over 4 ms (after ITU-T G.711 Appendix I)."""
    y, edges = x.astype(np.float32), np.flatnonzero(np.diff(np.r_[False, lost, False].astype(int)))
    for a, b in zip(edges[::2], edges[1::2]):
        lag = period(y[a - 2 * FRAME : a])
        again = np.resize(y[a - lag : a], b - a + 64)
        after = min(64, len(y) - b)
        join = np.arange(after) / 64
        y[a:b] = again[: b - a] * np.minimum(1, np.exp(1 - np.arange(b - a) / FRAME))
        y[b : b + after] = y[b : b + after] * join + again[b - a :][:after] * (1 - join) * math.exp(min(0, 1 - (b - a) / FRAME))
    return y.clip(-32768, 32767).astype(np.int16)


def lossy(pcm: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A clip after a call, and which of its samples were made up."""
    kind = rng.choice(["opus", "whole", "repeated", "silent"], p=[0.72, 0.12, 0.1, 0.06])
    bits, loss = int(rng.choice([8, 12, 16, 16, 20, 24, 32, 48])) * 1000, rng.uniform(0.02, 0.15)
    lost = bursts(len(pcm) // FRAME + 1, 0.0 if kind == "whole" else loss, rng)
    if kind in ("opus", "whole"):
        return carried(pcm, bits, lost, loss, fec=bool(rng.random() < 0.5))
    x = opus(pcm, bits) if rng.random() < 0.5 else pcm
    lost = np.repeat(lost, FRAME)[rng.integers(FRAME) :][: len(x)]
    lost = np.pad(lost, (0, len(x) - len(lost)))
    lost[: 2 * FRAME] = False
    return (repeated(x, lost) if kind == "repeated" else np.where(lost, 0, x)), lost


@torch.inference_mode()
def example(front: Texture, pcm: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What is seen of a clip after a call (frames, bands), and which frames were made up."""
    sound, lost = lossy(pcm, rng)
    x = level(torch.from_numpy(to_float(sound))[None])
    seen = Concealment.seen(*front.bands(front.short(x), front.fine(x)))[0].numpy()
    window = hann(512) / hann(512).sum()
    return seen.astype(np.float16), np.convolve(lost, window, "valid")[::160][: len(seen)]


def teach(net: Concealment, examples: list, steps: int) -> None:
    """Logistic regression on stretches of `STEADY` frames."""
    rng, losses = np.random.default_rng(0), []
    several = np.concatenate([seen[::50] for seen, _ in examples]).astype(np.float32)
    net.middle.copy_(torch.from_numpy(several.mean(0))), net.spread.copy_(torch.from_numpy(several.std(0)))
    nn.init.kaiming_uniform_(net.last.weight), nn.init.constant_(net.last.bias, -2.0)
    optimiser = torch.optim.AdamW(net.parameters(), PEAK, weight_decay=0.02)
    long = [e for e in examples if len(e[1]) >= STEADY]
    for step in range(steps):
        for g in optimiser.param_groups:
            g["lr"] = PEAK * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / steps))
        x, y = [], []
        for i in rng.integers(len(long), size=BATCH):
            seen, lost = long[i]
            a = rng.integers(len(lost) - STEADY + 1)
            # microphones differ in tone
            x.append(seen[a : a + STEADY] + rng.normal(0, 0.3, seen.shape[1]).astype(np.float32) * net.spread.numpy())
            y.append(lost[a : a + STEADY] > MUCH)
        loss = functional.binary_cross_entropy_with_logits(net.logit(torch.from_numpy(np.stack(x))), torch.from_numpy(np.stack(y)).float())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        if len(losses) % 500 == 0:
            print(f"{len(losses)} steps, loss {np.mean(losses[-500:]):.4f}", flush=True)


@torch.inference_mode()
def tried(net: Concealment, examples: list, spoof: np.ndarray) -> None:
    """Of frames that were made up by half and more how many are told, and of those that were said how many are left out."""
    for name, side in (("genuine", ~spoof), ("spoofs", spoof)):
        some = [e for e, yes in zip(examples, side) if yes]
        logit = np.concatenate([net.logit(torch.from_numpy(seen.astype(np.float32))[None])[0].numpy() for seen, _ in some])
        lost = np.concatenate([y for _, y in some])
        made, said = lost > 0.5, lost < 0.02
        area = roc_auc_score(made[made | said], logit[made | said])
        print(f"{name}: AUC {area:.4f}; " + ", ".join(f"over {t}: {(logit[made] > t).mean():.3f} of made up, {(logit[said] > t).mean():.4f} of said" for t in (LINE - 1, LINE, LINE + 1)), flush=True)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--steps", type=int, default=9000)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    clips, front = Clips(a.data, "clips"), Texture()
    table = clips.table[clips.samples >= RATE][::2]
    examples = [example(front, np.array(clips[i]), np.random.default_rng([88, int(i)])) for i in table.index]
    test, spoof = (table.fold == 0).to_numpy(), (table.label == "spoof").to_numpy()
    net = Concealment()
    teach(net, [e for e, out in zip(examples, test) if not out], a.steps)
    tried(net, [e for e, out in zip(examples, test) if out], spoof[test])
    torch.save(net.state_dict(), a.data / "concealment.pt")


if __name__ == "__main__":
    main()
