"""A small neural vocoder and vector-quantised codec, trained here on genuine speech, and the twins that it makes.

    python -m voice.neural --data DIR [--minutes 5] [--share 0.6]

Mel bands every 12.5 ms, for half of the clips through a residual vector quantiser (van den Oord et al. 2017; Zeghidour et
al. 2021) at 40 frames a second, then ConvNeXt blocks, one transposed convolution and an inverse Fourier transform
(iSTFTNet: Kaneko et al. 2022; Vocos: Siuzdak 2023), trained on spectra of three resolutions and against two
discriminators of complex spectra. It hears all folds' genuine clips; a twin is trained on only where its origin is.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from .codecs import opus
from .store import RATE, Clips, Writer, to_float, to_pcm
from .twins import mel_bank

HOP, SIZE, BANDS = 200, 800, 80


def spectrum(x: torch.Tensor, size: int) -> torch.Tensor:
    return torch.stft(x, size, size // 4, window=torch.hann_window(size), return_complex=True)


class Mel(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("bank", torch.from_numpy(mel_bank(BANDS, SIZE, 20, 7800).astype(np.float32)), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        s = torch.stft(x, SIZE, HOP, window=torch.hann_window(SIZE), return_complex=True).abs()
        return torch.log(self.bank @ s + 1e-4)


class Next(nn.Module):
    def __init__(self, c: int):
        super().__init__()
        self.near, self.norm = nn.Conv1d(c, c, 7, padding=3, groups=c), nn.LayerNorm(c)
        self.wide, self.back = nn.Linear(c, 3 * c), nn.Linear(3 * c, c)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.near(x).transpose(1, 2))
        return x + 0.5 * self.back(functional.gelu(self.wide(y))).transpose(1, 2)


class Quantiser(nn.Module):
    """Residual vector quantisation with the straight-through gradient."""

    def __init__(self, c: int, stages: int = 6, words: int = 256):
        super().__init__()
        self.words = nn.Parameter(torch.randn(stages, words, c) * 0.3)

    def forward(self, x: torch.Tensor, stages: int) -> tuple[torch.Tensor, torch.Tensor]:
        y, total, loss = x.transpose(1, 2), torch.zeros_like(x.transpose(1, 2)), 0.0
        for words in self.words[:stages]:
            rest = (y - total).detach()
            near = (rest.square().sum(-1, keepdim=True) - 2 * rest @ words.detach().T + words.detach().square().sum(-1)).argmin(-1)
            chosen = words[near]
            loss = loss + (chosen - rest).square().mean() + 0.25 * (y - total.detach() - chosen.detach()).square().mean()
            total = total + chosen
        return (y + (total - y).detach()).transpose(1, 2), loss


class Vocoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.mel, self.first = Mel(), nn.Conv1d(BANDS, 192, 7, padding=3)
        self.down, self.quantiser, self.up = nn.Conv1d(192, 48, 4, 2, 1), Quantiser(48), nn.ConvTranspose1d(48, 192, 4, 2, 1)
        self.body = nn.Sequential(*[Next(192) for _ in range(4)])
        self.finer = nn.Sequential(nn.ConvTranspose1d(192, 128, 4, 2, 1), Next(128), Next(128))
        self.head = nn.Conv1d(128, 402, 3, padding=1)

    def forward(self, mel: torch.Tensor, stages: int, samples: int) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            x, loss = self.first(mel), torch.zeros(())
            if stages:
                q, loss = self.quantiser(self.down(x).float(), stages)
                x = self.up(q)[:, :, : x.shape[2]]
                x = functional.pad(x, (0, mel.shape[2] - x.shape[2]))
            y = self.head(self.finer(self.body(x)))
        size, angle = y.float().split(201, 1)
        s = torch.polar(torch.exp(size.clamp(-9, 5)), angle)
        return torch.istft(s, 400, 100, window=torch.hann_window(400), length=samples), loss


class Judge(nn.Module):
    """Of complex spectra at one resolution."""

    def __init__(self, size: int):
        super().__init__()
        self.size = size
        conv = lambda i, o, s: nn.utils.parametrizations.weight_norm(nn.Conv2d(i, o, (5, 3), s, (2, 1)))
        self.steps = nn.ModuleList([conv(2, 16, (2, 1)), conv(16, 24, (2, 2)), conv(24, 32, (2, 1)), conv(32, 1, 1)])

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        s = torch.view_as_real(spectrum(x, self.size)).permute(0, 3, 1, 2)
        y, held = s / (s.square().mean((1, 2, 3), keepdim=True).sqrt() + 1e-5), []
        with torch.autocast("cpu", torch.bfloat16):
            for i, step in enumerate(self.steps):
                y = step(y)
                if i < 3:
                    y = functional.leaky_relu(y, 0.1)
                    held.append(y)
        return y.float(), held


def near(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """How far apart sounds are in spectra of three resolutions."""
    loss = torch.zeros(())
    for size in (256, 512, 1024):
        a, b = spectrum(x, size).abs(), spectrum(y, size).abs()
        loss = loss + (torch.log(a + 1e-3) - torch.log(b + 1e-3)).abs().mean() + (a - b).norm() / (b.norm() + 1e-3)
    return loss / 3


def fit(net: Vocoder, clips: Clips, genuine: np.ndarray, minutes: float, rng: np.random.Generator) -> None:
    judges, length = nn.ModuleList([Judge(320), Judge(800)]), RATE // 2
    mine = torch.optim.AdamW(net.parameters(), 1e-3, (0.8, 0.95))
    theirs = torch.optim.AdamW(judges.parameters(), 5e-4, (0.8, 0.95))
    start, step = time.process_time(), 0
    while (passed := (time.process_time() - start) / 60 / minutes) < 1:
        pick = [to_float(clips[i]) for i in rng.choice(genuine, 12)]
        cut = [x[(at := rng.integers(0, max(1, len(x) - length))) : at + length] for x in pick]
        x = torch.from_numpy(np.stack([np.resize(c, length) / (np.abs(c).max() + 1e-3) * 0.5 for c in cut]))
        for g in mine.param_groups:
            g["lr"] = 1e-3 * min(1, (step + 1) / 50) * (1 - 0.9 * passed)
        y, loss = net(net.mel(x), int(rng.choice([0, 0, 2, 4, 6])), length)
        loss = near(y, x) * 2 + loss + (net.mel(y) - net.mel(x)).abs().mean() * 2
        if passed > 0.3:
            bad = torch.zeros(())
            for j in judges:
                real, fake = j(x)[0], j(y.detach())[0]
                bad = bad + functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()
            theirs.zero_grad()
            bad.backward()
            theirs.step()
            for j in judges:
                (score, held), (_, wanted) = j(y), j(x)
                loss = loss - score.mean() * 0.5 + sum((a - b.detach()).abs().mean() for a, b in zip(held, wanted)) * 0.5
        mine.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        mine.step()
        step += 1
        if step % 100 == 0:
            print(step, f"{time.process_time() - start:.0f} s", f"{float(near(y.detach(), x)):.3f}", flush=True)


@torch.inference_mode()
def make(net: Vocoder, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A twin: quantised or not, the mel bands now and then smoothed as an acoustic model would."""
    mel = net.mel(torch.from_numpy(x)[None])
    if rng.random() < 0.4:
        w = int(rng.choice([3, 5]))
        mel = functional.avg_pool1d(mel, w, 1, w // 2, count_include_pad=False)
    if rng.random() < 0.3:
        mel = functional.avg_pool1d(mel.transpose(1, 2), 3, 1, 1, count_include_pad=False).transpose(1, 2)
    return net(mel, int(rng.choice([0, 0, 0, 2, 4, 6])), len(x))[0][0].numpy()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--minutes", type=float, default=5, help="of processor time")
    p.add_argument("--share", type=float, default=0.6, help="of the genuine clips that get a twin")
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    clips, rng = Clips(a.data, "clips"), np.random.default_rng(3)
    genuine, net = np.flatnonzero(clips.table.label == "bonafide"), Vocoder()
    fit(net, clips, genuine, a.minutes, rng)
    net.eval()
    out = Writer(a.data, "twins-neural")
    for i in genuine:
        if rng.random() < a.share:
            x = to_float(clips[i])
            scale = 0.5 / (np.abs(x).max() + 1e-3)
            out.add(opus(to_pcm(make(net, x * scale, rng) / scale), 32_000), clip=i, kind="neural")
    print("neural", len(out.close()))


if __name__ == "__main__":
    main()
