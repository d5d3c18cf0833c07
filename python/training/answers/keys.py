"""How often typing is heard: where nobody types (talkers, genuine speech), and where keystrokes were made.

    python -m answers.keys --data corpus --inperson ../../target/release/inperson --scratch DIR

Made keystrokes are bursts of noise at the pace of fingers, for 5 s before a talker's first word, in that recording's own room.
"""

import argparse
import csv
import json
import subprocess
from pathlib import Path

import numpy as np
import soundfile as sf

RATE = 16_000
LEVELS = (-6, -12, -18, -24, -30)  # decibel against the loud part of the speech; peaks are up to 9.5 dB higher
EACH = 20  # clips joined of one source
TALKERS = 60


def sound(path: Path) -> np.ndarray:
    run = ["ffmpeg", "-v", "error", "-i", path, "-ac", "1", "-ar", str(RATE), "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(run, capture_output=True, check=True).stdout, np.float32)


def heard(a, x: np.ndarray) -> list[float]:
    """When runs of keystrokes begin, seconds."""
    file = a.scratch / "keys.wav"
    sf.write(file, np.clip(x, -1, 1), RATE)
    run = [a.inperson, "analyze", file, "--json", "--checks", "answers"]
    report = json.loads(subprocess.run(run, capture_output=True, check=True).stdout)
    return [e["span"]["start"] for e in report["evidence"] if e["code"] == "answers.typing"]


def typed(x: np.ndarray, level: float, rng) -> np.ndarray:
    """Six seconds of the recording's quietest half second, back and forth, with keystrokes; then the recording."""
    half = RATE // 2
    starts = range(0, len(x) - half, half // 2)
    at = min(starts, key=lambda s: float((x[s : s + half] ** 2).mean()))
    quiet = x[at : at + half]
    room = np.tile(np.r_[quiet, quiet[::-1]], 6)
    loud = np.sqrt(np.mean(x[np.abs(x) > np.quantile(np.abs(x), 0.7)] ** 2))
    n, when = np.arange(960), 0.8
    while when < 5.5:
        # the key goes down, and hits the bottom or comes up
        click = rng.standard_normal(960) * np.exp(-n / rng.uniform(30, 90))
        click += 0.5 * rng.standard_normal(960) * np.exp(-np.abs(n - rng.integers(150, 500)) / 40)
        click = np.convolve(click, [1, -0.6], "same")
        first = int(when * RATE)
        room[first : first + 960] += click * 3 * loud * 10 ** (level / 20) * rng.uniform(0.5, 1.3) / np.abs(click).max()
        when += max(0.06, rng.lognormal(np.log(0.16), 0.35))
    return np.r_[room, x]


def arguments(description: str):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--inperson", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    return parser.parse_args()


def talkers_of(data: Path) -> list[tuple[str, np.ndarray]]:
    """Repository and sound of every talker."""
    return [(r["repo"], sound(data / "talkers" / r["path"])) for r in csv.DictReader(open(data / "talkers/manifest.csv"))]


def speech_of(data: Path, each: int) -> dict[str, list[np.ndarray]]:
    """Sound of at most `each` genuine clips of every source of the speech corpus."""
    sources: dict[str, list] = {}
    for r in csv.DictReader(open(data / "audio/manifest.csv")):
        if r["label"] == "bonafide":
            sources.setdefault(r["repo"], []).append(data / "audio" / r["path"])
    return {source: [sound(p) for p in paths[:each]] for source, paths in sources.items()}


def main():
    a = arguments(__doc__)
    talkers = [x for _, x in talkers_of(a.data) if len(x) >= RATE]
    alarms = sum(bool(heard(a, x)) for x in talkers)
    print(f"talkers: typing in {alarms} of {len(talkers)}, {sum(map(len, talkers)) / RATE / 60:.0f} minutes")
    joined = [np.concatenate(clips) for _, clips in sorted(speech_of(a.data, EACH).items())]
    alarms = sum(bool(heard(a, x)) for x in joined)
    print(f"speech: typing in {alarms} of {len(joined)} sources, {sum(map(len, joined)) / RATE / 60:.0f} minutes")
    rng, found = np.random.default_rng(0), {level: [] for level in LEVELS}
    for n, i in enumerate(rng.permutation(len(talkers))[:TALKERS]):
        level = LEVELS[n % len(LEVELS)]
        found[level].append(bool(heard(a, typed(talkers[i], level, rng))))
    for level, hits in found.items():
        print(f"made keystrokes at {level} dB: heard in {sum(hits)} of {len(hits)}")


if __name__ == "__main__":
    main()
