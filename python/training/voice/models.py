"""The network: statistics inside, so that the graph takes sound as it is."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from .student import NUMBERS as LEARNT
from .texture import RECKONED, Texture

# statistics that say what a voice is like rather than whether it is one: means and spreads of cepstra, the pitch and its strength
COVARIATES = (*range(46), *range(446, 475))
# genuine listenings from which is told what statistics such a voice should have, and width of the kernel on covariates
KNOWN, NEAR = 600, 0.7
# the statistics that `Likeness` compares, those of the student among them and those of the voice's cycles not, and how many principal parts of them, with how many listenings
COMPARED, PRINCIPAL, LANDMARKS = RECKONED + LEARNT, 192, 4500
# kinds of sound: as it was recorded, after a call, out of a recorder's file, with noise suppressed, and what suffered more; and what is said of each, by judges and likenesses of the first and of what came after
KINDS, JUDGES = ("recorded", "called", "filed", "suppressed", "suffered"), ("good", "like_good", "poor", "like_poor")
# what `Verdict.parts` holds: each by how much the sound is of each kind, and how much it is of all but the first
PARTS = (*(f"{kind}_{judge}" for kind in KINDS for judge in JUDGES), *KINDS[1:])
# why a listening is not judged
UNJUDGED = ("several", "silent")
# share of a verdict that goes where sound surely suffered: with all of it three times as many genuine voices that suffered are flagged; with the power of the
# share of suffering that it goes, so that clips of which nobody can tell keep their order; and the logit that remains, which after calibration (`voice.export`)
# has to say next to nothing and lean to genuine: about -0.2 nats where 6 s were heard
CAUTION, SURE, NOTHING = 0.65, 3, -0.9


def verdict(parts, worth):
    """The logit: `parts` (parts, clips), and what they are worth (parts, clips or 1)."""
    whole, caution = (parts * worth).sum(0), CAUTION * parts[PARTS.index("suffered")] ** SURE
    return whole * (1 - caution) + NOTHING * caution


class Known(nn.Module):
    """How near scaled covariates lie to those of genuine listenings. What the statistics of a genuine voice like this one should be is a linear
    function of it, and so are the statistics less that; both are part of the weights that come after."""

    def __init__(self):
        super().__init__()
        self.register_buffer("at", torch.tensor(COVARIATES), persistent=False)
        self.centres = nn.Linear(len(COVARIATES), KNOWN, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        c = x[:, self.at]
        apart = c.square().sum(1, keepdim=True) - 2 * self.centres(c) + self.centres.weight.square().sum(1)
        return torch.exp(apart * (-NEAR / len(COVARIATES)))


class Layer(nn.Module):
    """Linear in statistics and in what is known of voices like this one."""

    def __init__(self, numbers: int, out: int):
        super().__init__()
        self.own, self.beside = nn.Linear(numbers, out), nn.Linear(KNOWN, out, bias=False)

    def forward(self, x: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return self.own(x) + self.beside(known)


class Judge(nn.Module):
    """One logit: a line and one hidden layer beside it."""

    def __init__(self, numbers: int, hidden: int = 64):
        super().__init__()
        self.wide, self.first, self.last = Layer(numbers, 1), Layer(numbers, hidden), nn.Linear(hidden, 1)

    def forward(self, x: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return (self.wide(x, known) + self.last(torch.relu(self.first(x, known))))[:, 0]


class Pupil(nn.Module):
    """A judge as it is taught, on statistics and on the same less what they should be; or a judge of the statistics alone, of one thing or among several."""

    def __init__(self, numbers: int, hidden: int = 64, drop: float = 0.5, answers: int = 1):
        super().__init__()
        self.answers = answers
        self.wide = nn.Linear(numbers, answers)
        nn.init.zeros_(self.wide.weight)
        self.deep = nn.Sequential(nn.Dropout(0.2), nn.Linear(numbers, hidden), nn.ReLU(), nn.Dropout(drop), nn.Linear(hidden, answers))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        said = self.wide(x) + self.deep(x)
        return said if self.answers > 1 else said[:, 0]


class Likeness(nn.Module):
    """How like spoofs rather than genuine voices statistics are: a kernel (Matern, smoothness 3/2; Rasmussen & Williams 2006, 4.2.1) on listenings that
    were trained on, twice weighed, for sound as it was recorded and for sound that suffered."""

    def __init__(self, landmarks: int):
        super().__init__()
        # principal parts, scaled so that the kernel is (1 + d) exp(-d)
        self.parts = Layer(COMPARED, PRINCIPAL)
        self.landmarks = nn.Linear(PRINCIPAL, landmarks, bias=False)
        self.weights = nn.Linear(landmarks, 2, bias=False)

    def kernel(self, parts: torch.Tensor) -> torch.Tensor:
        apart = parts.square().sum(1, keepdim=True) - 2 * self.landmarks(parts) + self.landmarks.weight.square().sum(1)
        apart = apart.clamp(min=1e-6).sqrt()
        return (1 + apart) * torch.exp(-apart)

    def forward(self, x: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return self.weights(self.kernel(self.parts(x[:, :COMPARED], known)))


class Head(nn.Module):
    """Judges of sound as it was recorded and of sound that suffered, of which kind it is, of whether several voices speak, and of whether none does."""

    def __init__(self, numbers: int):
        super().__init__()
        self.good, self.poor = Judge(numbers), Judge(numbers)
        self.kind, self.several, self.silent = Pupil(numbers, 32, 0.3, len(KINDS)), Pupil(numbers, 32), Pupil(numbers, 16)


class Verdict(nn.Module):
    """Logits of the statistics, each brought to its training median and spread and bounded: the mean of some heads, and a likeness.

    What they say is mixed by how much the sound is of each kind (Jacobs et al. 1991); `worth` is what each part counts, and what being of a kind
    counts itself, fitted on scores out of the folds.
    """

    def __init__(self, numbers: int, heads: int, landmarks: int = LANDMARKS):
        super().__init__()
        self.front = Texture()
        self.register_buffer("middle", torch.zeros(numbers))
        self.register_buffer("spread", torch.ones(numbers))
        self.register_buffer("worth", torch.zeros(len(PARTS)))
        self.known, self.likeness = Known(), Likeness(landmarks)
        self.heads = nn.ModuleList(Head(numbers) for _ in range(heads))

    def scaled(self, statistics: torch.Tensor) -> torch.Tensor:
        return torch.tanh((statistics - self.middle) / self.spread / 3) * 3

    def parts(self, x: torch.Tensor) -> torch.Tensor:
        """Of scaled statistics what judges and likenesses say, by the share of each kind of sound, and the shares of all but the first (parts, clips)."""
        known, found = self.known(x), []
        like = self.likeness(x, known)
        for h in self.heads:
            share = torch.softmax(h.kind(x), 1).T
            said = torch.stack([h.good(x, known), like[:, 0], h.poor(x, known), like[:, 1]])
            found.append(torch.cat([(share[:, None] * said).flatten(0, 1), share[1:]]))
        return torch.stack(found).mean(0)

    def unjudged(self, x: torch.Tensor) -> torch.Tensor:
        """Logits that several voices speak at once, and that nobody speaks, of scaled statistics (2, clips)."""
        return torch.stack([torch.stack([getattr(h, why)(x) for why in UNJUDGED]) for h in self.heads]).mean(0)

    def forward(self, audio: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x = self.scaled(self.front(audio))
        several, silent = self.unjudged(x)
        return verdict(self.parts(x), self.worth[:, None]), several, silent


def load(nets: Path, fold: int) -> Verdict:
    """The network of a fold."""
    held = torch.load(nets / f"texture-{fold}.pt")
    net = Verdict(len(held["middle"]), len({name.split(".")[1] for name in held if name.startswith("heads.")}), len(held["likeness.landmarks.weight"]))
    net.load_state_dict(held)
    return net.eval()
