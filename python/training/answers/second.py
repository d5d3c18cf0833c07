"""How often a second voice is heard: where one person speaks (talkers, genuine speech), and where another talker was mixed into a pause.

    python -m answers.second --data corpus --inperson ../../target/release/inperson --scratch DIR

A transcript says that all is the candidate's answer. The pause of 3.5 s is made of the recording's own quietest half second,
back and forth, in the middle of the recording; the other talker speaks in 3 s of it.
"""

import json
import subprocess

import numpy as np
import soundfile as sf

from .keys import RATE, arguments, speech_of, talkers_of

LEVELS = (None, -12, -18, -24, -30)  # decibel of the other voice against the talker's
PAUSE = 3.5
EACH = 6  # clips of one source
MADE = 200
QUIET_ROOM_DB = 40  # of the quietest half second under the voice


def heard(a, x: np.ndarray) -> list[tuple[float, float]]:
    """Pauses in which a second voice is noted, seconds."""
    file, words = a.scratch / "second.wav", a.scratch / "second.vtt"
    sf.write(file, np.clip(x, -1, 1), RATE)
    end = f"00:{int(len(x) / RATE // 60):02}:{len(x) / RATE % 60:06.3f}"
    words.write_text(f"WEBVTT\n\n00:00:00.000 --> {end}\n<v Candidate>so that is what I did\n")
    run = [a.inperson, "analyze", file, "--json", "--checks", "answers", "--transcript", words, "--speaker", "Candidate"]
    report = json.loads(subprocess.run(run, capture_output=True, check=True).stdout)
    return [(e["span"]["start"] / 1e6, e["span"]["end"] / 1e6) for e in report["evidence"] if e["code"] == "answers.second_voice"]


def loudness(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x[np.abs(x) > np.quantile(np.abs(x), 0.7)] ** 2)))


def made(x: np.ndarray, y: np.ndarray, level: float | None, rng):
    """The recording with a pause in its middle; where the pause is, and how quiet the room."""
    half = RATE // 2
    at = min(range(0, len(x) - half, half // 2), key=lambda s: float((x[s : s + half] ** 2).mean()))
    quiet = x[at : at + half]
    pause = np.tile(np.r_[quiet, quiet[::-1]], 4)[: int(PAUSE * RATE)].copy()
    if level is not None:
        first = rng.integers(0, len(y) - 3 * RATE + 1)
        part = y[first : first + 3 * RATE]
        pause[RATE // 4 : RATE // 4 + 3 * RATE] += part * loudness(x) / loudness(part) * 10 ** (level / 20)
    middle = len(x) // 2
    room = 20 * np.log10(loudness(x) / (np.sqrt(np.mean(quiet**2)) + 1e-9))
    return np.r_[x[:middle], pause, x[middle:]], (middle / RATE, middle / RATE + PAUSE), room


def main():
    a = arguments(__doc__)
    talkers = [(repo, x) for repo, x in talkers_of(a.data) if len(x) >= 3.2 * RATE]
    alarms = sum(bool(heard(a, x)) for _, x in talkers)
    print(f"talkers: a second voice in {alarms} of {len(talkers)}, {sum(len(x) for _, x in talkers) / RATE / 60:.0f} minutes", flush=True)
    # clips of one source are of several people, so that each is looked at alone
    clips = [x for paths in speech_of(a.data, EACH).values() for x in paths if len(x) >= 3.2 * RATE]
    alarms = sum(bool(heard(a, x)) for x in clips)
    print(f"speech: a second voice in {alarms} of {len(clips)} clips, {sum(map(len, clips)) / RATE / 60:.0f} minutes", flush=True)
    rng, found = np.random.default_rng(0), {}
    for number in range(MADE):
        level = LEVELS[number % len(LEVELS)]
        (repo, x), (other, y) = (talkers[i] for i in rng.choice(len(talkers), 2, replace=False))
        if repo == other:
            continue
        z, (start, end), room = made(x, y, level, rng)
        hit = any(s < end and e > start for s, e in heard(a, z))
        found.setdefault(level, []).append((hit, room >= QUIET_ROOM_DB))
    for level, hits in found.items():
        quiet = [h for h, q in hits if q]
        name = "nobody" if level is None else f"another talker at {level} dB"
        print(f"{name}: heard in {sum(h for h, _ in hits)} of {len(hits)}, in quiet rooms {sum(quiet)} of {len(quiet)}")


if __name__ == "__main__":
    main()
