"""Fake twins of genuine clips: the same speaker, words and channel through a vocoder or codec that needs no training.

    python -m voice.twins --data DIR --kind world|griffin-lim|lpc|lyra [--backbones DIR] [--share 1.0]

`neural` makes those of vocoders and codecs trained here. A twin keeps the number of its origin (`clip`), so that it is
trained on only where its origin is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from .codecs import opus
from .store import RATE, Clips, Writer, to_float, to_pcm


def world(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """WORLD (Morise et al. 2016): the pitch left, moved or smoothed, the envelope left or smoothed as a predicted one is."""
    import pyworld
    from scipy.ndimage import gaussian_filter1d, uniform_filter1d

    y = x.astype(np.float64)
    f0, t = pyworld.dio(y, RATE)
    f0 = pyworld.stonemask(y, f0, t, RATE)
    spectrum, aperiodic = pyworld.cheaptrick(y, f0, t, RATE), pyworld.d4c(y, f0, t, RATE)
    if rng.random() < 0.5:
        f0 = f0 * np.exp(rng.normal(0, 0.1))
    if rng.random() < 0.4:
        voiced = f0 > 0
        smooth = np.exp(gaussian_filter1d(np.log(np.maximum(f0, 50)), rng.uniform(2, 8)))
        f0 = np.where(voiced, smooth, 0)
    if rng.random() < 0.5:
        log = np.log(spectrum + 1e-12)
        log = uniform_filter1d(gaussian_filter1d(log, rng.uniform(0.5, 3), 0), int(rng.integers(1, 12)), 1)
        spectrum = np.exp(log)
    return pyworld.synthesize(f0, spectrum, aperiodic, RATE)


def mel_bank(bands: int, size: int, low: float, high: float) -> np.ndarray:
    mel, f = (lambda v: 2595 * np.log10(1 + v / 700)), np.linspace(0, RATE / 2, size // 2 + 1)
    edges = 700 * (10 ** (np.linspace(mel(low), mel(high), bands + 2) / 2595) - 1)
    up, down = (f - edges[:-2, None]) / np.diff(edges)[:-1, None], (edges[2:, None] - f) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(up, down))


def griffin_lim(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Mel bands turned back into sound (fast Griffin-Lim: Perraudin et al. 2013), smoothed or not."""
    import torch
    from scipy.ndimage import gaussian_filter

    size, hop = (512, 128) if rng.random() < 0.5 else (1024, 200)
    window = torch.hann_window(size)
    y = torch.from_numpy(x)
    magnitude = torch.stft(y, size, hop, window=window, return_complex=True).abs().numpy()
    bank = mel_bank(int(rng.integers(60, 101)), size, 0, rng.choice([7600, 8000]))
    mels = bank @ magnitude
    if rng.random() < 0.5:
        mels = np.exp(gaussian_filter(np.log(mels + 1e-4), (rng.uniform(0, 1.2), rng.uniform(0, 1.5))))
    smooth = torch.from_numpy(np.maximum(np.linalg.pinv(bank) @ mels, 1e-5).astype(np.float32))
    angle = torch.from_numpy(rng.random(smooth.shape).astype(np.float32)) * 2 * np.pi
    held = built = torch.polar(smooth, angle)
    for _ in range(int(rng.choice([16, 32]))):
        sound = torch.istft(built, size, hop, window=window, length=len(x))
        new = torch.stft(sound, size, hop, window=window, return_complex=True)
        step = new + 0.99 * (new - held)
        held, built = new, smooth * step / step.abs().clamp(min=1e-8)
    return torch.istft(built, size, hop, window=window, length=len(x)).numpy()


def lpc(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Linear prediction with the residual replaced by pulses or noise, or its phase lost."""
    from scipy.linalg import solve_toeplitz
    from scipy.signal import lfilter

    size, order = 480, int(rng.integers(14, 24))
    hop, window = size // 2, np.hanning(size)
    mode, out = rng.integers(3), np.zeros(len(x) + size)
    phase = 0.0
    for at in range(0, len(x) - size, hop):
        frame = x[at : at + size] * window
        r = np.correlate(frame, frame, "full")[size - 1 : size + order]
        if r[0] < 1e-6:
            continue
        r[0] *= 1.0001
        a = np.concatenate([[1.0], -solve_toeplitz(r[:order], r[1 : order + 1])])
        residual = lfilter(a, [1.0], frame)
        power = np.sqrt((residual**2).mean())
        if mode == 0:  # the residual's spectrum kept, its phase random
            s = np.fft.rfft(residual)
            residual = np.fft.irfft(np.abs(s) * np.exp(2j * np.pi * rng.random(len(s))), size)
        else:
            c = np.fft.irfft(np.abs(np.fft.rfft(residual, 2 * size)) ** 2)[: size]
            lag = 40 + int(np.argmax(c[40:240]))
            strength = c[lag] / (c[0] + 1e-12)
            noise = rng.normal(0, power, size)
            if strength > 0.25:
                pulses = np.zeros(size)
                while phase < size:
                    pulses[int(phase)] = power * np.sqrt(lag)
                    phase += lag
                phase -= hop
                phase = phase % lag
                noise = pulses * (0.9 if mode == 1 else 0.7) + noise * (0.2 if mode == 1 else 0.5)
            residual = noise * window
        out[at : at + size] += lfilter([1.0], a, residual)
    return out[: len(x)]


class Lyra:
    """Lyra v2, a neural codec of 16 kHz (SoundStream: Zeghidour et al. 2021), with 16 to 46 stages of 4 bits."""

    def __init__(self, folder: Path):
        from ai_edge_litert.interpreter import Interpreter

        def load(name: str):
            net = Interpreter(str(folder / name), num_threads=1)
            net.allocate_tensors()
            return net

        self.encoder, self.decoder = load("soundstream_encoder.tflite"), load("lyragan.tflite")
        quantizer = Interpreter(str(folder / "quantizer.tflite"), num_threads=1)
        self.encode, self.decode = quantizer.get_signature_runner("encode"), quantizer.get_signature_runner("decode")

    def __call__(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        stages = int(rng.choice([16, 30, 46]))
        run = lambda net, v: (net.set_tensor(net.get_input_details()[0]["index"], v), net.invoke(), net.get_tensor(net.get_output_details()[0]["index"]))[2]
        for net in (self.encoder, self.decoder):
            net.reset_all_variables()
        heard = []
        for frame in x[: len(x) // 320 * 320].reshape(-1, 320).astype(np.float32):
            features = run(self.encoder, frame.reshape(self.encoder.get_input_details()[0]["shape"]))
            bits = self.encode(num_quantizers=np.int32(stages), input_frames=features)["output_0"]
            coded = self.decode(encoding_indices=bits)["output_0"]
            heard.append(run(self.decoder, coded.reshape(self.decoder.get_input_details()[0]["shape"])).ravel())
        return np.concatenate(heard)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--kind", choices=("world", "griffin-lim", "lpc", "lyra"), required=True)
    p.add_argument("--backbones", type=Path)
    p.add_argument("--share", type=float, default=1.0, help="of the genuine clips")
    a = p.parse_args()
    make = {"world": world, "griffin-lim": griffin_lim, "lpc": lpc}.get(a.kind) or Lyra(a.backbones)
    clips = Clips(a.data, "clips")
    out = Writer(a.data, f"twins-{a.kind}")
    for i in np.flatnonzero(clips.table.label == "bonafide"):
        rng = np.random.default_rng([7, i, len(a.kind)])
        if rng.random() > a.share:
            continue
        x = to_float(clips[i])
        y = make(x, rng)
        y *= (x.std() + 1e-6) / (y.std() + 1e-6)
        # the corpus went through Opus at 32 kbit/s, and so does this
        out.add(opus(to_pcm(y), 32_000), clip=i, kind=a.kind)
    print(a.kind, len(out.close()))


if __name__ == "__main__":
    main()
