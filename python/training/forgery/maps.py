"""How well the maps cover what was changed, on people and sources that training did not see.

    python -m forgery.maps --data DIR --net RUN/net.pt [--count 300]

Per recipe: mean area under the ROC of the region's map over the pixels of a fake against those that changed, of the border's map
against the border, and the share of fakes that rank above their own original; damage of every strength on both. In brackets what the maps of the
originals, in which nothing was changed, score against the same pixels: that much is where faces usually lie.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from .pool import Pool
from .score import load


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--net", type=Path, required=True)
    p.add_argument("--count", type=int, default=300)
    a = p.parse_args()
    torch.set_num_threads(1)
    net, pool = load(a.net), Pool(a.data, unseen=True)
    for recipe in ("dfdc", "self", "other", "decoded"):
        for strong in (0.0, 1.0):
            rng, area, border, order = np.random.default_rng(4), [], [], []
            idle: dict[int, list[float]] = {0: [], 1: []}
            for _ in range(a.count):
                base, made, change, _ = pool.pair(rng, recipe, strong)
                x = torch.from_numpy(np.stack([base, made])).permute(0, 3, 1, 2).float()
                with torch.no_grad():
                    logit, where = net(x)
                order.append(float(logit[1] > logit[0]))
                for k, found in ((0, area), (1, border)):
                    if change is not None and 4 < (truth := change[k] > 0.5).sum() < truth.size - 4:
                        found.append(roc_auc_score(truth.ravel(), where[1, k].numpy().ravel()))
                        idle[k].append(roc_auc_score(truth.ravel(), where[0, k].numpy().ravel()))
            mean = lambda v: f"{np.mean(v):.3f}" if v else "none"
            print(f"{recipe}, damage {strong:g}: {len(area)} maps, region {mean(area)} ({mean(idle[0])}), border {mean(border)} ({mean(idle[1])}), above its original {mean(order)}", flush=True)


if __name__ == "__main__":
    main()
