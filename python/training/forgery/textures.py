"""Numbers of `texture`, `patches`, `student`, `changes` and `scattering` of all clips, as they are and after a smaller, darker or lighter, noisier copy through H.264: OUT/texture.npz.

    python -m forgery.textures --corpus CORPUS --models ../../models --teachers MODELS --net ../../models/face/model.onnx --student ../../models/face/model.onnx --out OUT [--without-licence REGEX]

Of the clip's first seconds as many bursts as fit, their degraded copies of the first and the last. About an hour on one core; `kernel` goes on
from there. `--net` is the network of `train` (RUN/net.pt) and `--student` what `student` wrote, or both a model that carries them; a network of face recognition in
`--teachers` tells whose clips are one person's.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
from pathlib import Path

import av
import cv2
import numpy as np
import torch

from graphs import session

from .changes import Changes, far
from .clips import PARTS, genuine, permitted, species
from .crops import Faces, cut, five, to_crop
from .patches import Patches
from .folds import persons
from .kernel import COUNTS
from .people import vector
from .scattering import Scattering
from .sources import source
from .student import Seen
from .texture import NUMBERS, Texture

BURST, LEAST, MOST, SECONDS, MOST_RATE = 14, 10, 6, 3.0, 31
LOOKS = 3  # frames of which tone and person are taken


class Nets(torch.nn.Module):
    """All numbers of a burst (frames, 3, 160, 160) and of what its first looks are also held against (4, 3, 160, 160), flat, in the order of `kernel.COUNTS`."""

    def __init__(self, net: Path, student: Path):
        super().__init__()
        self.texture, self.patches, self.seen, self.changes, self.scattering = Texture(), Patches.load(net), Seen.load(student), Changes(), Scattering()
        self.eval()

    def forward(self, x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.texture(x), self.patches(x), self.seen(x, other), self.changes(x, other), self.scattering(x, other)])

    @property
    def names(self) -> list[str]:
        return [n for net in self.children() for n in net.names]


def frames(path: Path):
    """Frames of the beginning at no more than 31 a second, with their times."""
    last = -9.0
    with av.open(str(path)) as media:
        for frame in media.decode(video=0):
            now = float(frame.time or 0)
            if now > SECONDS:
                break
            if now - last >= 0.85 / MOST_RATE:
                last = now
                yield now, frame.to_ndarray(format="rgb24")


def steady(times: np.ndarray) -> list[slice]:
    """Bursts spread over the longest run without a gap; the first and the last may share it unevenly."""
    if len(times) < LEAST:
        return []
    ends = np.r_[0, np.flatnonzero(np.diff(times) > 1.6 * np.median(np.diff(times))) + 1, len(times)]
    a, b = max(zip(ends, ends[1:]), key=lambda r: r[1] - r[0])
    count = min(MOST, (b - a) // BURST)
    if count >= 2:
        return [slice(start, start + BURST) for start in np.linspace(a, b - BURST, count).round().astype(int)]
    cuts = [slice(a, min(b, a + BURST))] if b - a >= LEAST else []
    return cuts + ([slice(a + BURST, b)] if b - a >= BURST + LEAST else [])


def degraded(images: list, meshes: np.ndarray, rate: float, rng: np.random.Generator):
    """The frames smaller, of other light, noisy and coded once more; and the meshes in them."""
    eyes = np.median([np.linalg.norm(np.subtract(*five(m)[:2])) for m in meshes])
    scale = min(eyes, rng.uniform(27, 42)) / eyes
    crf, gamma, noise = int(rng.integers(24, 37)), rng.uniform(0.8, 1.25), rng.choice([0, 0, 2, 4])
    h, w = images[0].shape[:2]
    width, height = (int(round(v * scale)) // 2 * 2 for v in (w, h))
    light = ((np.arange(256) / 255) ** gamma * 255).astype(np.uint8)
    held = io.BytesIO()
    with av.open(held, "w", format="matroska") as out:
        stream = out.add_stream("libx264", rate=round(rate), options={"crf": str(crf), "preset": "veryfast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for image in images:
            image = light[cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)]
            if noise:
                image = np.clip(image + rng.normal(0, noise, (height, width, 1)), 0, 255).astype(np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode(None))
    held.seek(0)
    with av.open(held) as media:
        return [f.to_ndarray(format="rgb24") for f in media.decode(video=0)], meshes * [width / w, height / h]


def around(images: list, meshes: np.ndarray) -> tuple[list, np.ndarray]:
    """The part of the frames that crops can reach."""
    eyes = np.median([np.linalg.norm(np.subtract(*five(m)[:2])) for m in meshes])
    middle, (h, w) = meshes.mean(1), images[0].shape[:2]
    x0, y0 = np.maximum(0, np.floor(middle.min(0) - 3.6 * eyes)).astype(int)
    x1, y1 = np.minimum([w, h], np.ceil(middle.max(0) + 3.6 * eyes)).astype(int)
    return [i[y0:y1, x0:x1] for i in images], meshes - [x0, y0]


def statistics(nets: Nets, burst: list[np.ndarray], other: list[np.ndarray]) -> np.ndarray:
    """Of crops of a burst, and of those that its first ones are also held against."""
    with torch.inference_mode():
        return nets(*(torch.from_numpy(np.array(c)).permute(0, 3, 1, 2).float().contiguous() for c in (burst, other))).numpy()


def skin_tone(crop: np.ndarray) -> float:
    """Individual typology angle of cheeks and forehead, degrees: under 10 dark, over 41 light (Chardon et al. 1991). As the picture shows it: light and
    white balance are in it."""
    lab = cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    places = [lab[81:97, 49:66], lab[81:97, 94:111], lab[38:48, 66:94]]
    light, _, yellow = np.median(np.concatenate([p.reshape(-1, 3) for p in places]), 0)
    return float(np.degrees(np.arctan2(light - 50, yellow)))


def read(path: Path, faces: Faces, nets: Nets, seed: int):
    """Statistics (as it is or degraded, burst, numbers), NaN where there is none, degraded ones of the first burst and the last; log face size, log
    frame size, time between frames; and a few crops."""
    images, meshes, times = [], [], []
    faces.forget()
    for now, image in frames(path):
        mesh = faces.look(image)
        if mesh is not None:
            images.append(image), meshes.append(mesh.astype(float)), times.append(now)
    times, meshes = np.array(times), np.array(meshes)
    bursts = [(list(range(c.start, c.stop)), others) for c in steady(times) if (others := far(times, c.start))]
    if not bursts:
        return None
    of = lambda images, meshes, rows: [cut(images[k], to_crop(meshes[k])) for k in rows]
    copied, step = {0, len(bursts) - 1}, float(np.median(np.diff(times)))
    used = np.unique([k for q in copied for rows in bursts[q] for k in rows])
    small, moved = degraded(*around([images[k] for k in used], meshes[used]), 1 / step, np.random.default_rng(seed))
    out = None
    for q, rows in enumerate(bursts):
        v = statistics(nets, *(of(images, meshes, r) for r in rows))
        out = np.full((2, MOST, len(v)), np.nan, np.float32) if out is None else out
        out[0, q] = v
        here = [np.searchsorted(used, r) for r in rows]
        if q in copied and max(map(max, here)) < len(small):
            out[1, q] = statistics(nets, *(of(small, moved, r) for r in here))
    eyes = np.median([np.linalg.norm(np.subtract(*five(m)[:2])) for m in meshes])
    looks = of(images, meshes, np.linspace(0, len(images) - 1, LOOKS).astype(int))
    return out, (np.log(eyes), np.log(images[0].shape[0] * images[0].shape[1]), step), looks


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--models", type=Path, required=True)
    p.add_argument("--teachers", type=Path, required=True, help="others' models, with face_recognition/mobilefacenet_foamliu")
    p.add_argument("--net", type=Path, required=True, help="the network of `train`, or a model with its layers")
    p.add_argument("--student", type=Path, required=True, help="what `student` wrote, or a model with it")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--without-licence", type=re.compile, help="leave out material whose licence note matches this")
    a = p.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    nets, faces, rows = Nets(a.net, a.student), Faces(a.models), []
    knows = session(a.teachers / "face_recognition/mobilefacenet_foamliu/MobileFaceNet.onnx")
    for part in PARTS:
        with open(a.corpus / part / "manifest.csv", newline="") as f:
            for seed, r in enumerate(csv.DictReader(f)):
                if not permitted(r, a.without_licence):
                    continue
                found = read(a.corpus / part / r["path"], faces, nets, seed)
                if found:
                    x, about, looks = found
                    known = np.mean([vector(look, knows) for look in looks], 0)
                    rows.append((x, about, skin_tone(looks[LOOKS // 2]), known, not genuine(r), source(r["repo"]), species(r), part, r["system"], r.get("pair_id", ""), r["path"]))
        print(part, len(rows), flush=True)
    assert len(nets.texture.names) == NUMBERS and len(nets.names) == sum(COUNTS.values()), "kernel takes kinds of numbers by their places"
    table = dict(zip(("x", "about", "skin", "who", "y", "source", "kind", "part", "system", "pair", "path"), map(np.array, zip(*rows))))
    a.out.mkdir(parents=True, exist_ok=True)
    np.savez(a.out / "texture.npz", **table | {"who": persons(table["who"])}, names=nets.names)


if __name__ == "__main__":
    main()
