"""Recordings of people whom no training met, from packages of Debian: python -m voice.strangers --packages FOLDER --wav FOLDER

    apt-get download asterisk-core-sounds-{en,es,fr,it,ru}-g722 asterisk-prompt-{es-co,fr-armelle,it-menardi-wav} \
        fillets-ng-data-cs tuxpaint-stamps-default hedgewars-data klettres-data
    for f in *.deb; do dpkg -x $f FOLDER; done

Prompts of telephone exchanges, words and letters for children, actors in games: all meant to be human, none of it like an interview. Phrases of one
speaker (in `tuxpaint` and `klettres` of one language) are put together to recordings of 15 s. The check's false alarms on them are those of
`inperson batch WAV/manifest.csv --checks voice`.
"""

from __future__ import annotations

import argparse
import csv
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import numpy as np
import soundfile

from .store import RATE

# where in a package speech lies, what in a path names the speaker, and how many recordings of each at most
SOURCES = {
    "asterisk": (r"asterisk/sounds/([^/]+)/(?!.*(?:silence|letters|digits)).*\.(?:g722|gsm|wav)$", 8),
    "fillets": (r"fillets-ng/sound/[^/]+/(cs/[12])-.*\.ogg$", 10),
    "tuxpaint": (r"tuxpaint/stamps/.*_desc_([a-z]+)\.ogg$", 8),
    "hedgewars": (r"hedgewars/Data/Sounds/voices/(?!Robot|Singer)([^/]+)/.*\.ogg$", 3),
    "klettres": (r"klettres/([^/]+)/.*\.ogg$", 3),
}
# seconds of the shortest phrase, of pauses between phrases, and of a recording: as a rule, and at least
PHRASE, PAUSE, LONG, LEAST = 0.5, 0.25, 15, 6


def phrase(path: Path) -> np.ndarray:
    """A file, 16 kHz mono, as loud as the others."""
    form = ["-f", "g722"] if path.suffix == ".g722" else []
    run = subprocess.run(["ffmpeg", "-v", "error", *form, "-i", str(path), "-ac", "1", "-ar", str(RATE), "-f", "s16le", "-"], capture_output=True)
    x = np.frombuffer(run.stdout, np.int16).astype(float)
    return x / (np.abs(x).max(initial=0) + 1) * 0.6


def recordings(files: list[Path], most: int) -> list[np.ndarray]:
    out, parts, heard = [], [], 0.0
    for path in files:
        x = phrase(path)
        if len(x) < PHRASE * RATE:
            continue
        parts += [x, np.zeros(int(PAUSE * RATE))]
        heard += len(x) / RATE
        if heard >= LONG:
            out.append(np.concatenate(parts))
            parts, heard = [], 0.0
        if len(out) == most:
            return out
    return out + [np.concatenate(parts)] if heard >= LEAST else out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--packages", type=Path, required=True)
    p.add_argument("--wav", type=Path, required=True)
    a = p.parse_args()
    a.wav.mkdir(parents=True, exist_ok=True)
    rng, speakers = np.random.default_rng(0), defaultdict(list)
    for path in sorted((a.packages / "usr/share").rglob("*")):
        for source, (pattern, _) in SOURCES.items():
            if path.is_file() and (found := re.search(pattern, str(path))):
                speakers[source, found[1]].append(path)
    with open(a.wav / "manifest.csv", "w", newline="") as f:
        rows = csv.writer(f)
        rows.writerow(["path", "source", "speaker"])
        for (source, speaker), files in sorted(speakers.items()):
            for k, x in enumerate(recordings([files[i] for i in rng.permutation(len(files))], SOURCES[source][1])):
                name = f"{source}-{speaker.replace('/', '-')}-{k}.wav"
                soundfile.write(a.wav / name, x, RATE)
                rows.writerow([name, source, speaker])


if __name__ == "__main__":
    main()
