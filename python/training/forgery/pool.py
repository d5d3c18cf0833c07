"""The genuine crops that fakes are made of, with the swaps that other people made of some of them, split by person and source."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from . import blends
from .models import MAP
from .split import held_out

SHARES = {"dfdc_pairs": 0.36, "talkers": 0.30, "youtubefaces_udacity": 0.12, "stills": 0.12, "facemask_boxes": 0.10}


class Pool:
    """`unseen` turns it round: only people and sources that training does not see."""

    def __init__(self, data: Path, unseen: bool = False):
        self.crops = {k: np.load(data / f"{k}.crops.npy", mmap_mode="r") for k in ("stills", "talkers")}
        self.mesh = {k: np.load(data / f"{k}.npz")["mesh"] for k in ("stills", "talkers")}
        about = {k: json.loads((data / f"{k}.json").read_text()) for k in ("stills", "talkers")}
        who = json.loads((data / "who.json").read_text())
        self.genuine: dict[str, list[tuple[str, int]]] = {k: [] for k in SHARES}
        self.swaps: list[tuple[int, int, bool]] = []
        self.of: dict[tuple[str, int], list[tuple[int, bool]]] = {}
        original = {r["original"]: i for i, r in enumerate(about["stills"]) if r["set"] == "dfdc_pairs" and r["label"] == "bonafide"}
        for i, r in enumerate(about["stills"]):
            name = who.get(r["original"], r["who"]) if r["set"] == "dfdc_pairs" else r["who"]
            if r["set"] not in SHARES or held_out(r["set"], name) != unseen:
                continue
            if r["label"] == "bonafide":
                self.genuine[r["set"]].append(("stills", i))
            elif r["set"] == "dfdc_pairs" and r["original"] in original:
                self.swaps.append((i, original[r["original"]], r["aligned"]))
                self.of.setdefault(("stills", original[r["original"]]), []).append((i, r["aligned"]))
        last = {}
        for i, r in enumerate(about["talkers"]):
            if held_out("talkers", r["path"].split("/")[1]) != unseen or r["t"] < last.get(r["path"], -1) + 0.15:
                continue
            last[r["path"]] = r["t"]
            self.genuine["talkers"].append(("talkers", i))
        self.data, self.decoded, self.with_decoded = data, {}, []
        self.take_decoded()
        # coarse shape, to find faces turned alike
        self.shape = {k: (m[:, ::24] - m.mean(1, keepdims=True)).reshape(len(m), -1) for k, m in self.mesh.items()}

    def take_decoded(self) -> None:
        """Takes what `forgery.decode` has made, which may come while training runs."""
        if self.decoded or not (self.data / "decoded.npz").exists():
            return
        held = np.load(self.data / "decoded.npz")
        self.pictures = held["crops"]
        self.decoded = {("talkers" if c else "stills", int(i)): k for k, (c, i) in enumerate(held["rows"])}
        everyone = {key for rows in self.genuine.values() for key in rows}
        self.with_decoded = [key for key in self.decoded if key in everyone]

    def one(self, rng) -> tuple[str, int]:
        names = [k for k in SHARES if self.genuine[k]]
        p = np.array([SHARES[k] for k in names])
        rows = self.genuine[names[rng.choice(len(names), p=p / p.sum())]]
        return rows[rng.integers(len(rows))]

    def look(self, key) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self.crops[key[0]][key[1]]), self.mesh[key[0]][key[1]]

    def like(self, key, rng):
        """Somebody whose face is turned alike, of forty drawn."""
        drawn = [self.one(rng) for _ in range(40)]
        mine = self.shape[key[0]][key[1]]
        return self.look(min(drawn, key=lambda k: np.abs(self.shape[k[0]][k[1]] - mine).mean() + 99 * (k == key)))

    def pair(self, rng, recipe: str | None = None, strong: float = 1.0, easy: float = 0.0):
        """(genuine, fake, region and border of the change at a quarter of the side or None, recipe), both damaged alike."""
        recipe = "easy" if rng.random() < easy else recipe
        recipe = recipe or rng.choice(["dfdc", "self", "other", "decoded"], p=[0.24, 0.36, 0.26, 0.14])
        recipe = "self" if recipe == "decoded" and not self.with_decoded else recipe
        damage = blends.Damage(rng, strong)
        if recipe == "dfdc":
            i, j, aligned = self.swaps[rng.integers(len(self.swaps))]
            base, made = np.array(self.crops["stills"][j]), np.array(self.crops["stills"][i])
            change = changed(base, made) if aligned else None
        else:
            key = self.with_decoded[rng.integers(len(self.with_decoded))] if recipe == "decoded" else self.one(rng)
            base, mesh = self.look(key)
            if rng.random() < 0.12:
                base = blends.honest_filter(base, mesh, rng)
            other = self.like(key, rng) if recipe == "other" else None
            decoded = self.pictures[self.decoded[key]] if recipe == "decoded" else None
            made, change = blends.obvious(base, mesh, rng) if recipe == "easy" else blends.fake(base, mesh, other, decoded, rng)
        change = None if change is None else maps(damage.map(change))
        return damage(base), damage(made), change, recipe


def maps(change: np.ndarray) -> np.ndarray:
    """Region and border (Li et al. 2020: where a blurred mask is neither 0 nor 1), (2, MAP, MAP)."""
    region = cv2.resize(change, (MAP, MAP), interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(change, (0, 0), 4)
    return np.stack([region, cv2.resize(4 * wide * (1 - wide), (MAP, MAP), interpolation=cv2.INTER_AREA)])


def changed(base: np.ndarray, made: np.ndarray) -> np.ndarray:
    """Where two pictures of one frame differ by more than coding does."""
    apart = np.abs(base.astype(np.float32) - made).max(2)
    return np.clip((cv2.GaussianBlur(apart, (0, 0), 2.5) - 5) / 6, 0, 1)
