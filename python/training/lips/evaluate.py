"""How well lips and sound are told apart and laid over each other, on talkers not trained on."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from .data import SIDE, Clips
from .models import Towers, logs, mel_bank, profile

RATE = 25
REACH = 15  # steps


def embed(net: Towers, clips: Clips, i: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Embeddings of a whole clip's lips and sound."""
    low = (64 - SIDE) // 2
    m = torch.from_numpy(clips.mouths[i][None, :, low : low + SIDE, low : low + SIDE]).float() / 255
    q = torch.from_numpy(clips.points[i][None])
    b = logs(torch.from_numpy(clips.power[i] @ mel_bank())[None])
    with torch.no_grad():
        return net.lips(m, q)[0], net.sound(b)[0]


def testing(clips: Clips, fold: int) -> list[int]:
    t = clips.table
    use = (t.part == "talkers") & (t.label == "bonafide") & (t.in_sync == "yes") & (clips.fold == fold)
    use &= (t.speech_s > 0.5 * t.seconds) & (t.rms > 1e-3)
    return list(np.flatnonzero(use))


def quick(net: Towers, clips: Clips, fold: int, seconds=(2, 3, 6)) -> str:
    """AUC of own against foreign sound, best of all lags each, and how often the lag is right."""
    rows = testing(clips, fold)
    held = {i: embed(net, clips, i) for i in rows}
    rng, out = np.random.default_rng(5), []
    ident = clips.table.identity.to_numpy()
    for s in seconds:
        n = s * RATE
        own, foreign, same, right = [], [], [], []
        for i in rows:
            v, a = held[i]
            for k in range(0, v.shape[1] - n + 1, n):
                p = profile(v[None, :, k : k + n], a[None, :, k : k + n], REACH)[0].numpy()
                own.append(p.max())
                right.append(abs(p.argmax() - REACH))
                j = int(rng.choice([r for r in rows if ident[r] != ident[i] and held[r][1].shape[1] >= n]))
                b = held[j][1]
                m = int(rng.integers(b.shape[1] - n + 1))
                foreign.append(profile(v[None, :, k : k + n], b[None, :, m : m + n], REACH)[0].max().item())
                mine = [(r, m) for r in rows if ident[r] == ident[i] for m in range(0, held[r][1].shape[1] - n + 1, n) if (r, m) != (i, k)]
                if mine:
                    r, m = mine[int(rng.integers(len(mine)))]
                    same.append(profile(v[None, :, k : k + n], held[r][1][None, :, m : m + n], REACH)[0].max().item())
        if len(own) < 5:
            continue
        auc = lambda f: roc_auc_score([1] * len(own) + [0] * len(f), own + f)
        right = np.array(right)
        out.append(f"{s}s n {len(own)} auc {auc(foreign):.3f} same {auc(same) if same else float('nan'):.3f} lag1 {np.mean(right <= 1):.2f} lag2 {np.mean(right <= 2):.2f}")
    return " | ".join(out)
