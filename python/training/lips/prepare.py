"""Collects what the check is given of talking faces: python -m lips.prepare --corpus CORPUS --data DIR [--without-licence REGEX]

Writes DIR/clips.csv and DIR/clips/N.npz: mouths (n, 64, 64) and points (n, 49, 2) on a grid of 25 a second, sound at 16 kHz of the same
stretch. Clips of `talkers` that are in sync and clips of `video` and `pairs` with sound; a clip is cut where the face is lost."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import inperson
import numpy as np
import pandas as pd

from .shape import normalised

RATE, SOUND = 25, 16_000
LEAST = 1.5  # seconds


def stretches(seen: dict) -> list[dict]:
    """Runs of the candidate's face without a hole of more than 0.2 s, on the grid."""
    mine = seen["track"] == (seen["candidate"] if seen["candidate"] is not None else -1)
    at, mouth, mesh = seen["at"][mine], seen["mouth"][mine], seen["mesh"][mine]
    if len(at) < 10:
        return []
    cuts = np.flatnonzero(np.diff(at) > 0.2) + 1
    out = []
    for rows in np.split(np.arange(len(at)), cuts):
        start, end = at[rows[0]], at[rows[-1]] + 1 / RATE
        if end - start < LEAST:
            continue
        grid = start + np.arange(int((end - start) * RATE)) / RATE
        nearest = rows[np.abs(at[rows][None] - grid[:, None]).argmin(1)]
        first = round(start * SOUND)
        sound = seen["audio"][first : first + len(grid) * SOUND // RATE]
        if len(sound) < 0.9 * len(grid) * SOUND // RATE:
            grid = grid[: len(sound) * RATE // SOUND]
            nearest = nearest[: len(grid)]
        if len(grid) < LEAST * RATE:
            continue
        spans = [(a - start, b - start) for a, b in seen["speech"] if b > start and a < end]
        out.append({"start": start, "mouth": mouth[nearest], "points": normalised(mesh[nearest]), "sound": sound, "speech": np.array(spans).reshape(-1, 2)})
    return out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--without-licence", help="leave out clips whose licence note matches this")
    a = p.parse_args()
    analyzer = inperson.Analyzer(checks=["capture"])
    (a.data / "clips").mkdir(parents=True, exist_ok=True)
    rows = []
    for part in ("talkers", "video", "pairs"):
        table = pd.read_csv(a.corpus / part / "manifest.csv", dtype=str, keep_default_na=False)
        for r in table.to_dict("records"):
            if r.get("has_audio", "1") != "1":
                continue
            if a.without_licence and re.search(a.without_licence, r["license_note"], re.I):
                continue
            try:
                seen = analyzer.observe(a.corpus / part / r["path"])
            except inperson.Error as e:
                print("left out:", r["path"], e)
                continue
            for s in stretches(seen):
                quiet = float(np.sqrt(np.mean(s["sound"] ** 2))) if len(s["sound"]) else 0.0
                np.savez(a.data / "clips" / f"{len(rows)}.npz", **{k: v for k, v in s.items() if k != "start"})
                rows.append({
                    "part": part, "path": r["path"], "repo": r["repo"], "label": r["label"], "manipulation": r["manipulation"], "system": r["system"],
                    "identity": r.get("identity_hint", ""), "in_sync": r.get("in_sync", "yes"), "audio_label": r.get("audio_label", "bonafide"),
                    "pair": r.get("pair_id", ""), "licence": r["license_note"], "language": r.get("language", ""), "start": s["start"],
                    "seconds": len(s["mouth"]) / RATE, "speech_s": float(np.diff(s["speech"], axis=1).sum()), "rms": quiet})
    table = pd.DataFrame(rows)
    table.to_csv(a.data / "clips.csv", index=False)
    print(table.groupby(["part", "label", "manipulation"]).seconds.agg(["count", "sum"]).round(0).to_string())


if __name__ == "__main__":
    main()
