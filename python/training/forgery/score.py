"""Scores of every look at the clips by a trained network, and what they tell as they are.

    python -m forgery.score --data DIR --corpus CORPUS --net RUN/net.pt --out RUN
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from sides import apcer, auc

from .clips import Clips, genuine, scored, species
from .models import Net
from .split import held_out


def load(path: Path) -> Net:
    held = torch.load(path)
    net = Net(held["width"])
    net.load_state_dict(held["net"])
    return net.eval().to(memory_format=torch.channels_last)


def order(items, raw) -> tuple[float, int]:
    """Share of (fake, genuine) of one pair in the right order, every pair weighing one."""
    shares = []
    for pair in sorted({i["pair_id"] for i in items if i["part"] == "pairs" and i["pair_id"]}):
        rows = [k for k, i in enumerate(items) if i["part"] == "pairs" and i["pair_id"] == pair]
        g, f = [raw[k] for k in rows if genuine(items[k])], [raw[k] for k in rows if not genuine(items[k])]
        if g and f:
            shares.append(auc(g, f))
    return float(np.mean(shares)), len(shares)


def table(items, raw) -> None:
    kind = np.array([species(i) for i in items])
    part = np.array([i["part"] for i in items])
    fresh = np.array([p != "talkers" or held_out("talkers", i["path"].split("/")[1]) for p, i in zip(part, items)])
    raw = np.asarray(raw)
    for name, g, f in (("video", (part == "video"), part == "video"), ("pairs", part == "pairs", part == "pairs"),
                       ("all, with talkers", fresh, fresh)):
        gen = raw[g & (kind == "bona fide")]
        line = [f"{name}: genuine {len(gen)}"]
        for s in ("face_swap", "reenactment", "lip_sync", "full_generation"):
            fake = raw[f & (kind == s)]
            if len(fake):
                line.append(f"{s} {len(fake)} auc {auc(gen, fake):.3f}")
        fake = raw[f & (kind != "bona fide")]
        line.append(f"| all auc {auc(gen, fake):.3f} apcer5 {apcer(gen, fake, 0.05):.2f} apcer1 {apcer(gen, fake, 0.01):.2f}")
        print(" ".join(line), flush=True)
    share, n = order(items, raw)
    print(f"pairs in order {share:.3f} of {n}", flush=True)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--net", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    clips, net = Clips(a.data, a.corpus), load(a.net)
    logits, maps = zip(*[scored(net, clips.looks(i)) for i in clips.items])
    np.savez(a.out / "looks.npz", count=[len(l) for l in logits], logits=np.concatenate(logits), maps=np.concatenate(maps))
    for name, how in (("mean", np.mean), ("median", np.median), ("quarter", lambda x: np.quantile(x, 0.75))):
        print("--", name)
        table(clips.items, [float(how(l)) for l in logits])


if __name__ == "__main__":
    main()
