"""The sound of the corpus's videos, where it is known whether a person speaks: python -m voice.videos --corpus CORPUS --data DIR [--seed 3] [--without-licence REGEX]

Run after `packaged` and before `versions`: rows with the part `video` are appended to `clips`, those of a repository that is there already in its fold.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from zlib import crc32

import numpy as np

from .engines import Appended
from .prepare import FOLDS, rows_of, sound
from .store import RATE, to_float

PART = "video"
# collections of speakers that several repositories draw from, by which the names of systems begin
SPEAKERS = ("lrs2", "lrs3", "hdtf", "voxceleb2", "mead")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--seed", type=int, default=3)
    p.add_argument("--without-licence", type=re.compile, help="leave out material whose licence note matches this")
    a = p.parse_args()
    out = Appended(a.data, PART, np.random.default_rng(a.seed))
    folds = dict(zip(out.table.repo, out.table.fold))
    for r in rows_of(a.corpus / "video/manifest.csv"):
        if r["audio_label"] not in ("bonafide", "spoof") or (a.without_licence and a.without_licence.search(r["license_note"])):
            continue
        genuine = r["audio_label"] == "bonafide"
        about = {k: r[k] for k in ("path", "repo", "license_note")} | {"label": r["audio_label"], "speaking_style": "unknown"}
        about |= {"system": f"gt-{r['system']}", "family": "human"} if genuine else {"system": r["system"], "family": "tts"}
        collection = r["system"].split("_")[0]
        about["speaker_or_corpus"] = r["identity_hint"] or (collection if collection in SPEAKERS else "")
        out.add(to_float(sound(a.corpus / "video" / r["path"])), RATE, fold=folds.get(r["repo"], crc32(r["repo"].encode()) % FOLDS), **about)
    print(out.close().groupby(["fold", "label", "repo"]).size().to_string())


if __name__ == "__main__":
    main()
