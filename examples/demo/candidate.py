"""Makes a recording of an openly artificial candidate: a drawn head that speaks with espeak-ng's voice.

    python candidate.py OUT.mp4 [--seconds 20] [--size 640x360] [--seed 1]

The mouth follows the loudness of the voice, the eyes blink, the head sways, a camera adds its noise. Encoded as H.264
and AAC. Nobody's likeness: every shape is drawn here.
"""

from __future__ import annotations

import argparse
import subprocess
import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

RATE = 25
WORDS = (
    "Hello, and thank you for inviting me. I am not a person, I am a drawing with a synthetic voice. "
    "In my last project I moved a small team from one database to another, and it took us three months. "
    "What I learned is that the plan is less important than telling everybody when it changes. "
    "If I could do it again, I would start with the reports that people use every day."
)


def speak(folder: Path) -> tuple[Path, np.ndarray]:
    """espeak-ng's sound, and its loudness for every frame of the picture, 0 to 1."""
    path = folder / "voice.wav"
    subprocess.run(["espeak-ng", "-v", "en-gb", "-s", "150", "-w", path, WORDS], check=True)
    with wave.open(str(path)) as f:
        rate, sound = f.getframerate(), np.frombuffer(f.readframes(f.getnframes()), np.int16).astype(np.float64)
    step = rate / RATE
    count = int(len(sound) / step)
    loud = np.array([np.sqrt(np.mean(sound[int(i * step) : int((i + 1) * step) + 1] ** 2)) for i in range(count)])
    return path, np.clip(loud / (np.quantile(loud, 0.9) + 1), 0, 1)


class Mask:
    """Cover of a part of the canvas, 0 to 1; zero outside the part."""

    def __init__(self, part: tuple[slice, slice], cover: np.ndarray):
        self.part, self.cover = part, cover

    def __mul__(self, other: float | Mask) -> Mask:
        if not isinstance(other, Mask):
            return Mask(self.part, self.cover * other)
        (a, b), (c, d) = self.part, other.part
        rows, columns = slice(max(a.start, c.start), min(a.stop, c.stop)), slice(max(b.start, d.start), min(b.stop, d.stop))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return Mask((slice(0, 0), slice(0, 0)), np.zeros((0, 0), np.float32))
        cut = lambda m: m.cover[
            rows.start - m.part[0].start : rows.stop - m.part[0].start, columns.start - m.part[1].start : columns.stop - m.part[1].start
        ]
        return Mask((rows, columns), cut(self) * cut(other))


class Canvas:
    """A picture with soft-edged ellipses, drawn at the frame's own size."""

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        wall = 150 + 30 * np.sin(x / 90 + 1) + 20 * y / height
        shelf = (np.mod(x, 130) < 14) | (np.mod(y, 110) < 8)
        self.room = np.where(shelf[..., None], [96, 78, 66], wall[..., None] * np.array([0.86, 0.92, 1.0])).astype(np.float32)
        self.rgb = self.room.copy()

    def background(self) -> None:
        self.rgb[:] = self.room

    def inside(self, cx: float, cy: float, rx: float, ry: float, angle: float = 0.0) -> Mask:
        reach = max(rx, ry) + 1
        cut = lambda c, limit: slice(int(np.clip(c - reach, 0, limit)), int(np.clip(c + reach + 1, 0, limit)))
        rows, columns = cut(cy, self.height), cut(cx, self.width)
        y, x = np.mgrid[rows, columns].astype(np.float32)
        c, s = np.cos(angle), np.sin(angle)
        u, v = (x - cx) * c + (y - cy) * s, (y - cy) * c - (x - cx) * s
        r = np.sqrt((u / rx) ** 2 + (v / ry) ** 2)
        return Mask((rows, columns), np.clip((1 - r) * min(rx, ry) + 0.5, 0, 1))

    def paint(self, mask: Mask, colour) -> None:
        block = self.rgb[mask.part]
        block += mask.cover[..., None] * (np.asarray(colour, np.float32) - block)


def head(canvas: Canvas, cx: float, cy: float, size: float, roll: float, yaw: float, mouth: float, lids: float, gaze: float) -> None:
    """A face of height `size` about (cx, cy); `mouth` and `lids` open from 0 to 1; `yaw` shifts the inner face."""
    c, s = np.cos(roll), np.sin(roll)
    at = lambda u, v: (cx + size * (u * c - v * s), cy + size * (u * s + v * c))
    skin, shade, hair = np.array([222, 172, 140]), np.array([196, 142, 112]), np.array([58, 40, 30])
    oval = lambda u, v, rx, ry, turn=0.0: canvas.inside(*at(u, v), size * rx, size * ry, roll + turn)
    canvas.paint(canvas.inside(cx, cy + 1.15 * size, 0.95 * size, 0.5 * size), [52, 66, 98])
    canvas.paint(oval(0, 0.5, 0.17, 0.3), shade)
    canvas.paint(oval(0, -0.13, 0.43, 0.53), hair)
    canvas.paint(oval(-0.37, 0.03, 0.05, 0.1), shade)
    canvas.paint(oval(0.37, 0.03, 0.05, 0.1), shade)
    face = oval(0, 0.03, 0.37, 0.5)
    canvas.paint(face, skin)
    # light from one side
    across = (np.arange(face.part[1].start, face.part[1].stop, dtype=np.float32) - cx) / (0.37 * size)
    canvas.paint(face * Mask(face.part, np.broadcast_to(np.clip((across + 1) / 2, 0, 1) * 0.35, face.cover.shape)), shade)
    canvas.paint(oval(-0.2 + yaw, 0.2, 0.09, 0.07) * 0.35, [232, 150, 130])
    canvas.paint(oval(0.2 + yaw, 0.2, 0.09, 0.07) * 0.35, [232, 150, 130])
    canvas.paint(face * oval(0, -0.46, 0.42, 0.18), hair)
    for sign in (-1, 1):
        u = 0.155 * sign + yaw
        canvas.paint(oval(u, -0.05, 0.085, 0.055), shade)
        eye = oval(u, -0.05, 0.073, 0.006 + 0.034 * lids)
        canvas.paint(eye, [246, 244, 240])
        canvas.paint(eye * oval(u + gaze, -0.05, 0.033, 0.033), [74, 96, 88])
        canvas.paint(eye * oval(u + gaze, -0.05, 0.015, 0.015), [12, 12, 14])
        canvas.paint(eye * oval(u + gaze + 0.01, -0.063, 0.006, 0.006), [255, 255, 255])
        canvas.paint(oval(u, -0.087 + 0.02 * (1 - lids), 0.08, 0.009, 0.05 * sign), shade * 0.6)
        canvas.paint(oval(u, -0.145, 0.09, 0.016, 0.08 * sign), hair)
    canvas.paint(oval(yaw * 1.5 + 0.012, 0.06, 0.022, 0.1) * 0.5, shade)
    canvas.paint(oval(yaw * 1.6, 0.14, 0.05, 0.035) * 0.8, shade)
    canvas.paint(oval(yaw * 1.6 - 0.025, 0.155, 0.012, 0.009), shade * 0.5)
    canvas.paint(oval(yaw * 1.6 + 0.025, 0.155, 0.012, 0.009), shade * 0.5)
    drop = 0.05 * mouth
    canvas.paint(oval(yaw, 0.285 + drop / 2, 0.125, 0.032 + drop * 0.8), [178, 92, 88])
    canvas.paint(oval(yaw, 0.285 + drop / 2, 0.1, 0.004 + drop), [70, 26, 28])
    if mouth > 0.25:
        canvas.paint(oval(yaw, 0.277, 0.07, 0.012 * mouth), [240, 238, 230])


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=Path)
    p.add_argument("--seconds", type=float, default=20)
    p.add_argument("--size", default="640x360")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    width, height = (int(v) for v in a.size.split("x"))
    rng = np.random.default_rng(a.seed)
    with TemporaryDirectory() as folder:
        voice, loud = speak(Path(folder))
        frames = min(len(loud), int(a.seconds * RATE))
        encode = [
            "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", a.size, "-r", str(RATE), "-i", "-",
            "-i", str(voice), "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "23", "-c:a", "aac", "-ar", "48000", "-shortest", str(a.out),
        ]
        sink = subprocess.Popen(encode, stdin=subprocess.PIPE)
        canvas = Canvas(width, height)
        blink = np.cumsum(rng.uniform(2, 5, 200))
        sway = np.cumsum(np.cumsum(rng.normal(0, 1, (frames + 200, 3)), 0) * 0.002, 0)
        kernel = np.hanning(75)[:, None] / np.hanning(75).sum()
        sway = np.stack([np.convolve(v, kernel[:, 0], "same") for v in sway.T], 1)[100 : 100 + frames]
        sway = (sway - sway.mean(0)) / (np.abs(sway - sway.mean(0)).max(0) + 1e-9)
        mouth = np.convolve(loud, [0.25, 0.5, 0.25], "same")
        for i in range(frames):
            t = i / RATE
            near = np.abs(blink - t).min()
            lids = float(np.clip(near / 0.1 - 0.4, 0, 1))
            canvas.background()
            head(
                canvas, width / 2 + 0.05 * width * sway[i, 0], height * 0.47 + 0.02 * height * sway[i, 1], height * 0.6,
                0.12 * sway[i, 2] + 0.02 * np.sin(t * 1.7), 0.05 * sway[i, 0], float(mouth[i]), lids, 0.015 * np.sin(t * 0.9),
            )
            noisy = canvas.rgb + rng.normal(0, 3, canvas.rgb.shape)
            sink.stdin.write(np.clip(noisy, 0, 255).astype(np.uint8).tobytes())
        sink.stdin.close()
        if sink.wait() != 0:
            raise SystemExit("ffmpeg could not encode the recording")
    print(f"{a.out}: {frames / RATE:.1f} s, {a.size}, H.264 and AAC")


if __name__ == "__main__":
    main()
