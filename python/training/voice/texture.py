"""Statistics of a voice's texture, and a small network on them.

What a person's voice has and synthesis loses is spread thinly: how far the harmonics reach up, how strictly each band repeats with the pitch
and together with the others, how the spectrum and its changes are distributed, how near it comes back to what it was. Each is a mean, spread, skewness or
kurtosis over the stretch (McDermott & Simoncelli 2011 describe sounds so), in operations that ONNX knows, and the network sees nothing else.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

from .concealment import Concealment, finer, longer
from .cycles import Cycles
from .moments import Over, halves
from .recurrence import NUMBERS as AGAIN
from .recurrence import recurrences
from .store import RATE
from .student import Early, told
from .transform import Tensor, Transform, hann, level, loud, logs

# statistics that stand before what the student hears
RECKONED = 971 + AGAIN
# lags among which the pitch is sought, samples: 62 to 444 Hz
LAGS = (36, 257)
# up to which lag two periods are followed, and the longest period of which they are
FAR, HALF = 341, 170
# edges of the bands whose envelopes are followed, hertz
EDGES = (80, 600, 1200, 2000, 3000, 4200, 5500, 7000, 7900)


def bank(count: int, bins: int, low: float = 30) -> np.ndarray:
    """Triangles (bins, count), evenly up to 7.9 kHz."""
    f, edges = np.linspace(0, RATE / 2, bins), np.linspace(low, 7900, count + 2)
    width = np.maximum(np.diff(edges)[1:], RATE / 2 / (bins - 1))
    b = np.maximum(0, 1 - np.abs(f - edges[1:-1, None]) / width[:, None])
    return (b / b.sum(1, keepdims=True)).T


def cosines(count: int, keep: int) -> np.ndarray:
    i = np.arange(count)
    return np.stack([np.cos(np.pi * (i + 0.5) * j / count) * np.sqrt(2 / count) for j in range(keep)], 1)


def waves(periods: np.ndarray, size: int) -> np.ndarray:
    """Windowed cosines, then sines (2 periods, 1, size)."""
    turn = 2 * np.pi * periods[:, None] * np.arange(size) / size
    return (np.concatenate([np.cos(turn), np.sin(turn)]) * hann(size))[:, None]


class Texture(nn.Module):
    """Sound (clips, samples) at 16 kHz to its statistics (clips, numbers)."""

    def __init__(self):
        super().__init__()
        # harmonics, single periods; then for periodicity three windows: long, every 20 ms only, as the pitch is followed, and short
        self.short, self.fine = Transform(512, 160), Transform(256, 40, 160)
        self.long, self.middle, self.brief = Transform(1024, 320), Transform(1024, 160, 640), Transform(1024, 160, 400)
        put = lambda name, value: self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(value, np.float32)), persistent=False)
        put("cepstral_bank", bank(40, 257)), put("cepstral", cosines(40, 24)), put("usual", 7.2 * np.arange(1, 17) ** -0.7)
        put("fine_bank", bank(20, 129, 60)), put("fine_cepstral", cosines(20, 12)), put("narrow_bank", bank(128, 513))
        put("slow", waves(np.arange(1, 25), 64)), put("quick", waves(np.arange(1, 17), 64))
        put("eight", np.stack([(np.arange(257) >= 2 + 31 * j) & (np.arange(257) < 33 + 31 * j - (j == 7)) for j in range(8)], 1))
        # autocorrelation from powers: two-sided sums of cosines, over what the window itself leaves of each lag
        k, lags, f = np.arange(513), np.arange(LAGS[0], FAR), np.linspace(0, RATE / 2, 513)
        twice = np.where((k == 0) | (k == 512), 1, 2)
        put("twice", twice), put("lag", lags[: LAGS[1] - LAGS[0]]), put("far", lags)
        for part in ("long", "middle", "brief"):
            w = getattr(self, part).window.numpy().astype(float)
            left = np.correlate(w, w, "full")[len(w) - 1 :]
            put(f"{part}_left", np.maximum(left / left[0], 0.05)[lags])
        between = lambda edges: np.stack([(f >= a) & (f < b) for a, b in zip(edges, edges[1:])], 1)
        put("sixteen", between(np.linspace(80, 7900, 17))), put("octet", between(np.linspace(80, 7900, 9)))
        put("thirty", between(np.linspace(80, 7900, 33)))
        n = np.arange(-48, 49)
        low = lambda edge: np.sinc(2 * edge / RATE * n) * 2 * edge / RATE * np.hamming(97)
        filters = np.stack([low(b) - low(a) for a, b in zip(EDGES, EDGES[1:])])
        # bands of a block of eight samples from this block and those around it, and of their sizes those smoothed at every fourth sample, from three blocks
        bands, smooth = len(filters), hann(16) / hann(16).sum()
        several, even = np.zeros((104, 8, bands)), np.zeros((8, bands, 3, 2, bands))
        for p in range(8):
            several[p : p + 97, p] = filters.T
        for q, i in np.ndindex(2, 16):
            block, p = divmod(4 * q + i, 8)
            even[p, :, block, q] += np.eye(bands) * smooth[i]
        put("filters", several.reshape(104, -1)), put("smooth", even.reshape(8 * bands, -1))
        put("envelope", waves(np.arange(2, 61), 160)), put("turns", np.arange(2, 61))
        self.cycles = Cycles(lags[: LAGS[1] - LAGS[0]], len(EDGES) - 1)
        self.concealment, self.student = Concealment(), Early()

    def bands(self, power: Tensor, fine: Tensor) -> tuple[Tensor, Tensor]:
        """Levels of bands every 10 and every 2.5 ms, from which cepstra are taken and concealment is told."""
        return logs(power, self.cepstral_bank), logs(fine, self.fine_bank)

    def forward(self, audio: Tensor) -> Tensor:
        return torch.cat(self.parts(audio), 1)

    def parts(self, audio: Tensor, reckon: bool = True, learn: bool = True) -> list[Tensor]:
        """With `reckon` the statistics and last those of the voice's cycles, with `learn` between them those of what the student hears."""
        x, over, late = level(audio), Over([]), Over([])
        power, fine = self.short(x), self.fine(x)
        bands, fine_bands = self.bands(power, fine)
        said = self.concealment(Concealment.seen(bands, fine_bands))
        heard = loud(power, 28)[1] * said
        if reckon:
            self.spectrum(over, power, fine, bands, fine_bands, said, heard)
            self.periods(over, late, x, said)
            # lower cepstra differ more, by so much in speech
            recurrences(over, (bands[:, ::2] @ self.cepstral)[:, :, 1:17] / self.usual, heard[:, ::2])
        learnt = [told(self.student(power), heard)] if learn else []
        return [torch.cat(over.out, 1), *learnt, torch.cat(late.out, 1)] if reckon else learnt

    def spectrum(self, over: Over, power: Tensor, fine: Tensor, bands: Tensor, fine_bands: Tensor, said: Tensor, heard: Tensor) -> None:
        """How cepstra and bands are distributed and move, at 10 and at 2.5 ms, and what lies between harmonics; `said` is how much of each frame was said
        rather than made up for lost packets, and `heard` how much of it is heard."""
        c = bands @ self.cepstral
        over.moments(c[:, :, 1:], heard)
        change, both = c[:, 2:] - c[:, :-2], heard[:, 2:] * heard[:, :-2]
        bend, far = c[:, 2:] - 2 * c[:, 1:-1] + c[:, :-2], c[:, 6:] - c[:, :-6]
        square = change.square()
        size = over.mean(square, both) + 1e-4
        bend = over.mean(bend.square(), both) + 1e-4
        far = over.mean(far.square(), heard[:, 6:] * heard[:, :-6])
        over.add(size.log() / 2, (bend / size).log() / 2, (over.mean(square.square(), both) / size.square() + 0.1).log(), (far / size + 1e-3).log())
        self.modulation(over, halves(bands, 4), self.slow, 16, [0, 2, 4, 7, 11, 17, 24])
        kept = power + power.mean(1, keepdim=True) * 1e-3 + power.mean((1, 2), keepdim=True) * 3e-6
        count = self.eight.sum(0)
        over.moments((kept.log() @ self.eight) / count - (kept @ self.eight / count).log(), heard)

        soon = loud(fine, 30)[1] * finer(said, fine.shape[1])
        self.modulation(over, halves(fine_bands), self.quick, 32, [0, 2, 4, 7, 11, 16])
        c = fine_bands @ self.fine_cepstral
        change = c[:, 1:] - c[:, :-1]
        over.moments((change.abs() + 1e-3).log(), soon[:, 1:])
        size = over.mean(change.square(), soon[:, 1:]) + 1e-4
        far = (c[:, 8:] - c[:, :-8]).square()
        over.add((over.mean((change[:, 1:] - change[:, :-1]).square(), soon[:, 2:]) / size + 1e-3).log(), (over.mean(far, soon[:, 8:]) / size + 1e-3).log())

    def modulation(self, over: Over, bands: Tensor, basis: Tensor, hop: int, edges: list[int]) -> None:
        """Steps between the levels of neighbouring modulation frequencies of each band."""
        n, (clips, frames, count) = len(basis) // 2, bands.shape
        steady = (bands - bands.mean(1, keepdim=True)).transpose(1, 2).reshape(clips * count, 1, frames)
        y = nn.functional.conv1d(steady, basis, stride=hop)
        power = (y[:, :n].square() + y[:, n:].square()).mean(2).reshape(clips, count, n)
        level = torch.stack([power[:, :, a:b].mean(2) for a, b in zip(edges, edges[1:])], 2).add(1e-4).log()
        over.add((level[:, :, 1:] - level[:, :, :-1]).flatten(1))

    def lines(self, over: Over, power: Tensor, heard: Tensor) -> None:
        """How the mean spectrum stands out from its surroundings: steady lines that a voice has not."""
        level = (power + 1e-4 * power.mean((1, 2), keepdim=True)).log()
        mean = over.mean(level, heard)[:, None]
        apart = (mean - nn.functional.avg_pool1d(mean, 15, 1, 7, count_include_pad=False))[:, 0, 8:504]
        apart = apart.reshape(apart.shape[0], 8, 62)
        spread = (apart - apart.mean(2, keepdim=True)).square().mean(2).add(1e-6).sqrt()
        over.add(spread, apart.amax(2), apart.amin(2), (apart / (spread[:, :, None] + 1e-3)).square().square().mean(2).add(1e-3).log())

    def pitch(self, over: Over, alike: Tensor, strength: Tensor, at: Tensor, level: Tensor, voiced: Tensor) -> None:
        """The pitch, finer than a sample, and how it and its strength tremble from frame to frame."""
        i = at.clamp(1, len(self.lag) - 2)
        before, here, after = alike.gather(2, i - 1), alike.gather(2, i), alike.gather(2, i + 1)
        off = ((before - after) / (2 * (before - 2 * here + after) - 1e-6)).clamp(-0.5, 0.5)
        pitch = (i + LAGS[0] + off).log()
        change = pitch[:, 1:] - pitch[:, :-1]
        steady = voiced[:, 1:] * voiced[:, :-1] * (change.abs() < 0.08)
        both = steady[:, 1:] * steady[:, :-1]
        bend = change[:, 1:] - change[:, :-1]
        for x, weight in ((change, steady), (bend, both), (bend[:, 1:] - bend[:, :-1], both[:, 1:] * both[:, :-1])):
            over.moments((x.abs() + 1e-4).log(), weight)
        over.moments(pitch, voiced)
        over.moments(strength, voiced)
        over.moments(strength[:, 1:] - strength[:, :-1], steady)
        over.moments(level[:, 2:] - 2 * level[:, 1:-1] + level[:, :-2], both)

    def periods(self, over: Over, late: Over, x: Tensor, said: Tensor) -> None:
        """How each band repeats after a period of the pitch, in three windows and in its envelope, and which do so together."""
        # every second frame is what the long window and `late` look at
        half = lambda v: v[:, 1::2]
        long, power, brief = self.long(x[:, 160:]), self.middle(x), self.brief(x)
        heard = loud(long, 25)[1] * longer(said, long.shape[1], 1, 4, 2)
        self.lines(over, long, heard)
        narrow = logs(long, self.narrow_bank)
        rough = (narrow[:, :, 1:121] - narrow[:, :, :120]).abs()
        over.moments((halves(rough, 15) + 1e-2).log(), heard)

        # the pitch is sought under 4 kHz
        lags, low = len(self.lag), power.shape[2] // 2
        # reckoned when the graph is loaded, and not stored
        cosine = torch.cos(self.far[:, None] * self.middle.bin * (2 * math.pi / self.middle.size)) * self.twice
        audible = power[:, :, :low].sqrt()
        near = (audible @ cosine[:lags, :low].T) / self.middle_left[:lags] / ((audible * self.twice[:low]).sum(2, keepdim=True) + 1e-3)
        strength, at = near.max(2, keepdim=True)
        level, heard = loud(power, 25)
        heard = heard * longer(said, power.shape[1], 1, 2, 1)
        voiced = torch.sigmoid((strength - 0.3) / 0.04) * heard
        self.pitch(over, near, strength, at, level, voiced)
        at = at[:, :, 0]
        over.add(voiced.sum(1) / (heard.sum(1) + 1e-3))
        wave = cosine[at]
        again = lambda p, wave, left, bands, at: (p * wave) @ bands / left[at][:, :, None] / ((p * self.twice) @ bands + 1e-3)
        p = again(power, wave, self.middle_left, self.sixteen, at)
        over.moments(p, voiced)
        over.alike(p, voiced)
        there, sung = half(at), half(voiced)
        for bands in (self.sixteen, self.thirty):
            over.moments(again(long, half(wave), self.long_left, bands, there), sung, False)
        # after two periods, and after one and a half, where they still lie in the window
        lag = there + LAGS[0]
        twice = sung * (lag[:, :, None] < HALF)
        for far in (2 * lag, 3 * lag // 2):
            far = far.clamp(max=FAR - 1) - LAGS[0]
            over.moments(again(long, cosine[far], self.long_left, self.sixteen, far), twice, False)
        q, high = again(brief, wave, self.brief_left, self.octet, at), voiced * (at[:, :, None] < 124)
        over.moments(q, high, False)
        over.alike(q, high)
        energy = (power * self.twice) @ self.sixteen
        energy = (energy + energy.mean(1, keepdim=True) * 1e-3 + 1e-6).log()
        over.moments(((energy[:, 2:] - energy[:, :-2]).abs() + 0.05).log(), voiced[:, 2:] * voiced[:, :-2], False)
        a, b = p - over.mean(p, voiced)[:, None], energy - over.mean(energy, voiced)[:, None]
        whole = lambda v: (voiced.transpose(1, 2) @ v)[:, 0]
        over.add(whole(a * b) / ((whole(a * a) + 1e-5) * (whole(b * b) + 1e-5)).sqrt())

        # envelopes at 4 kHz, 40 ms every 20 ms, at the lag of the frame of the pitch beside them
        bands = len(EDGES) - 1
        blocks = nn.functional.pad(x, (48, 64))
        count = x.shape[1] // 8
        blocks = blocks[:, : 8 * (count + 12)].reshape(x.shape[0], -1, 8)
        y = (torch.cat([blocks[:, k : k + count] for k in range(13)], 2) @ self.filters).abs() @ self.smooth
        y = y[:, :-2, : 2 * bands] + y[:, 1:-1, 2 * bands : 4 * bands] + y[:, 2:, 4 * bands :]
        slow = y.reshape(x.shape[0], -1, bands).transpose(1, 2)
        clips, bands, samples = slow.shape
        y = nn.functional.conv1d(slow.reshape(clips * bands, 1, samples), self.envelope, stride=80)[:, :, 1:]
        n = len(self.turns)
        power = (y[:, :n].square() + y[:, n:].square()).reshape(clips, bands, n, -1).permute(0, 3, 1, 2)
        self.cycles(late, x, slow, near, at[:, :, None], sung)
        lag = self.lag[there]
        frames = lag.shape[1]
        wave = torch.cos(2 * math.pi / 160 / 4 * lag[:, :, None] * self.turns)
        p = (power[:, :frames] * wave[:, :, None]).sum(3) / (power[:, :frames].sum(3) + 1e-4)
        over.moments(p, sung)
        over.alike(p, sung)
