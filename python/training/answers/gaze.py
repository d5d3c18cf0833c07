"""How far the landmark net's irises follow: beside its teacher's on talkers, and on the drawn candidate of the demo.

    python -m answers.gaze --data corpus --teachers MODELS --models ../../models [--clips 40]
    python -m answers.gaze --data corpus --inperson ../../target/release/inperson --scratch DIR

Gaze is where the iris' centre lies between the corners of the eye, both eyes, 0 to 1. Looks are 0.2 s apart and the face is followed as
`track` does it. `noise` is the middle difference of two looks; reading lines of a screen moves the gaze by 0.1 to 0.2.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import av
import numpy as np
import cv2

from face.teachers import Mesh, YuNet, inverse, roll_of, square, transform
from graphs import session

EYES = ((33, 133, 468), (362, 263, 473))
LIDS = ((159, 145, 33, 133), (386, 374, 362, 263))


def gaze(mesh: np.ndarray) -> float:
    """Share of the way from the left to the right corner at which the iris stands, mean of both eyes."""
    share = [(mesh[i] - mesh[a]) @ (mesh[b] - mesh[a]) / ((mesh[b] - mesh[a]) ** 2).sum() for a, b, i in EYES]
    return float(np.mean(share))


def lids(mesh: np.ndarray) -> float:
    return float(min(np.linalg.norm(mesh[t] - mesh[u]) / np.linalg.norm(mesh[a] - mesh[b]) for t, u, a, b in LIDS))


def dark(image: np.ndarray, mesh: np.ndarray) -> float:
    """The same from pixels: the middle of what is dark between the corners, in the 128 px crop that `track` cuts."""
    at = np.array([[0.34, 0.40], [0.66, 0.40], [0.50, 0.58], [0.38, 0.75], [0.62, 0.75]]) * 128
    five = np.stack([mesh[[33, 133]].mean(0), mesh[[362, 263]].mean(0), mesh[1], mesh[61], mesh[291]])
    m = cv2.estimateAffinePartial2D(five, at, method=cv2.LMEDS)[0]
    k = max(1, round(1 / np.hypot(m[0, 0], m[0, 1])))
    big = cv2.warpAffine(image, m * k, (128 * k, 128 * k), borderMode=cv2.BORDER_REPLICATE)
    crop = cv2.resize(big, (128, 128), interpolation=cv2.INTER_AREA) if k > 1 else big
    luma = crop.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    s = np.linspace(0.08, 0.92, 43)
    shares = []
    for a, b, _ in EYES:
        lid = LIDS[0] if a == 33 else LIDS[1]
        a, b, up, down = (transform(m, mesh[[i]])[0] for i in (a, b, lid[0], lid[1]))
        middle = (up + down) / 2 - (a + b) / 2
        lines = []
        for off in (-0.04, 0.0, 0.04):
            along = b - a
            across = np.array([-along[1], along[0]]) * off
            p = a + s[:, None] * along + across + (4 * s * (1 - s))[:, None] * middle
            lines.append(cv2.remap(luma, p[None, :, 0].astype(np.float32), p[None, :, 1].astype(np.float32), cv2.INTER_LINEAR)[0])
        profile = np.mean(lines, 0)
        # the stretch as wide as an iris that is darkest against the rest
        wide = np.convolve(profile, np.ones(19) / 19, "valid")
        weight = np.exp(-(wide - wide.min()) / 4.0)
        shares.append(float((weight * s[9:-9]).sum() / weight.sum()))
    return float(np.mean(shares))


def eyes_px(mesh: np.ndarray) -> float:
    return float(np.linalg.norm(mesh[[33, 133]].mean(0) - mesh[[362, 263]].mean(0)))


class Follow:
    """Our landmarks, each look's crop about the mesh of the one before."""

    def __init__(self, net, finder):
        self.net, self.finder, self.face = net, finder, None

    def look(self, image: np.ndarray):
        if self.face is None:
            found = self.finder.find(image)
            if not found:
                return None
            self.face = found[0][0], roll_of(found[0][1])
        box, angle = self.face
        m = square((box[:2] + box[2:]) / 2, 1.3 * max(box[2:] - box[:2]), angle, 112)
        crop = cv2.warpAffine(image, m, (112, 112), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
        if m[0, 0] < 0.5:
            # as the command does: shrunk without aliasing
            k = max(1, round(1 / np.hypot(m[0, 0], m[0, 1])))
            big = square((box[:2] + box[2:]) / 2, 1.3 * max(box[2:] - box[:2]), angle, 112 * k)
            crop = cv2.resize(cv2.warpAffine(image, big, (112 * k, 112 * k), borderMode=cv2.BORDER_REPLICATE), (112, 112), interpolation=cv2.INTER_AREA)
        mesh, _, presence = self.net.run(None, {self.net.get_inputs()[0].name: crop.transpose(2, 0, 1)[None].astype(np.float32)})
        mesh = transform(inverse(m), mesh[0].astype(np.float64) * 112)
        if float(np.ravel(presence)[0]) < 0.5:
            self.face = None
            return None
        eyes = np.stack([mesh[[33, 133]].mean(0), mesh[[362, 263]].mean(0)])
        self.face = np.concatenate([mesh.min(0), mesh.max(0)]), roll_of(eyes)
        return mesh


def looks(path: Path):
    last = -1.0
    with av.open(str(path)) as media:
        stream = media.streams.video[0]
        for frame in media.decode(stream):
            t = float(frame.pts * stream.time_base)
            if t - last >= 0.195:
                last = t
                yield t, frame.to_ndarray(format="rgb24")


def corr(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 4 and a.std() > 0 and b.std() > 0 else float("nan")


def talkers(a, ours, finder) -> None:
    rows = [r for r in csv.DictReader((a.data / "talkers/manifest.csv").open()) if r["split"] == "dev"]
    seen, chosen = set(), []
    for r in rows:
        if r["identity_hint"] not in seen and float(r["duration_s"]) >= 5:
            seen.add(r["identity_hint"])
            chosen.append(r)
    out = []
    for r in chosen[: a.clips]:
        follow, teacher = Follow(ours, finder), Mesh(a.teachers)
        got = []
        for t, image in looks(a.data / "talkers" / r["path"]):
            mesh = follow.look(image)
            if mesh is None:
                continue
            box = np.concatenate([mesh.min(0), mesh.max(0)])
            other, logit = teacher.look(image, box, np.stack([mesh[[33, 133]].mean(0), mesh[[362, 263]].mean(0)]))
            if logit > 0 and lids(other) > 0.16:
                got.append((gaze(mesh), gaze(other), eyes_px(mesh), dark(image, mesh)))
        if len(got) < 15:
            continue
        g = np.array(got)
        step = lambda v: float(np.median(np.abs(np.diff(v))))
        slope = float(np.polyfit(g[:, 1], g[:, 0], 1)[0])
        out.append((g[:, 2].mean(), corr(g[:, 0], g[:, 1]), slope, g[:, 0].std(), g[:, 1].std(), step(g[:, 0]), step(g[:, 1]), corr(g[:, 3], g[:, 1]), float(np.polyfit(g[:, 1], g[:, 3], 1)[0]), g[:, 3].std(), step(g[:, 3])))
        print(r["path"].split("/")[1], len(g), " ".join(f"{v:.3f}" for v in out[-1]), file=sys.stderr, flush=True)
    o = np.array(out)
    print("| talkers | clips | correlation, median (quartiles) | ours over the teacher's movement (slope) | spread ours / teacher | noise ours / teacher | dark pixels: correlation, slope, spread, noise |\n|---|---|---|---|---|---|---|")
    for name, part in (("all", o), ("eyes 60 px apart and more", o[o[:, 0] >= 60]), ("the teacher's gaze moves (spread 0.04 and more)", o[o[:, 4] >= 0.04])):
        if len(part):
            q = np.nanquantile(part[:, 1], [0.25, 0.5, 0.75])
            m = np.nanmedian(part, 0)
            print(f"| {name} | {len(part)} | {q[1]:.2f} ({q[0]:.2f} to {q[2]:.2f}) | {m[2]:.2f} | {m[3]:.3f} / {m[4]:.3f} | {m[5]:.3f} / {m[6]:.3f} | {m[7]:.2f}, {m[8]:.2f}, {m[9]:.3f}, {m[10]:.3f} |")


def drawn(a, ours, finder) -> None:
    from candidate import Canvas, head

    rng = np.random.default_rng(1)
    print("\n| drawn face, lines of 2 s | eyes apart, px | movement drawn | correlation ours / teacher / dark pixels | slope | noise when still |\n|---|---|---|---|---|---|")
    for width, height in ((640, 360), (1280, 720)):
        canvas, size = Canvas(width, height), height * 0.6
        for wide in (0.0, 0.1, 0.2, 0.4):
            follow, teacher, got = Follow(ours, finder), Mesh(a.teachers), []
            for k in range(75):
                t = k / 5
                # eye 0.146 wide in heights of the head
                share = wide * ((t / 2) % 1 - 0.5)
                canvas.background()
                x = width / 2 + 0.02 * width * np.sin(t * 0.7)
                mouth = float(np.clip(0.4 + 0.4 * np.sin(t * 9), 0, 1))
                head(canvas, x, height * 0.47, size, 0.03 * np.sin(t * 0.9), 0.01 * np.sin(t * 0.7), mouth, 1.0, 0.146 * share)
                image = np.clip(canvas.rgb + rng.normal(0, 3, canvas.rgb.shape), 0, 255).astype(np.uint8)
                mesh = follow.look(image)
                if mesh is None:
                    continue
                box = np.concatenate([mesh.min(0), mesh.max(0)])
                other, _ = teacher.look(image, box, np.stack([mesh[[33, 133]].mean(0), mesh[[362, 263]].mean(0)]))
                got.append((share, gaze(mesh), gaze(other), eyes_px(mesh), dark(image, mesh)))
            if len(got) < 20:
                print(f"| {width}x{height} | no face found | | | | |")
                continue
            g = np.array(got)
            if wide == 0:
                still = f"{g[:, 1].std():.3f} / {g[:, 2].std():.3f} / {g[:, 4].std():.3f}"
                continue
            slope = [float(np.polyfit(g[:, 0], g[:, k], 1)[0]) for k in (1, 2, 4)]
            print(f"| {width}x{height} | {g[:, 3].mean():.0f} | {wide} | {corr(g[:, 0], g[:, 1]):.2f} / {corr(g[:, 0], g[:, 2]):.2f} / {corr(g[:, 0], g[:, 4]):.2f} | {slope[0]:.2f} / {slope[1]:.2f} / {slope[2]:.2f} | {still} |", flush=True)


def judge(a, file: Path) -> tuple[int, list[float], list[float]]:
    """Notes, seconds (speaking, listening) and lines in a row per minute in them, as the command has them."""
    env = os.environ | {"INPERSON_LOG": "inperson=debug", "NO_COLOR": "1"}
    done = subprocess.run([a.inperson, "analyze", file, "--json", "--checks", "answers"], capture_output=True, check=True, text=True, env=env)
    notes = [e for e in json.loads(done.stdout)["evidence"] if e["code"] == "answers.gaze"]
    said = re.findall(r"lines of gaze.*?seconds.*?\[(.*?)\].*?rate.*?\[(.*?)\]", re.sub(r"\x1b\[[0-9;]*m", "", done.stderr))
    seconds, rate = ([float(v) for v in x.split(",")] for x in (said[-1] if said else ("0,0", "0,0")))
    return len(notes), seconds, rate


def joined(a) -> None:
    """Talkers' clips, one file a person."""
    people = defaultdict(list)
    for r in csv.DictReader((a.data / "talkers/manifest.csv").open()):
        people[r["repo"], r["identity_hint"]].append((r["path"], float(r["duration_s"])))
    got = []
    longest = sorted(people.values(), key=lambda clips: -sum(s for _, s in clips))[: a.clips]
    for n, clips in enumerate(longest):
        paths = [path for path, _ in clips]
        file = a.scratch / f"person{n}.mp4"
        if not file.exists():
            inputs = [x for path in paths for x in ("-i", str(a.data / "talkers" / path))]
            each = "".join(f"[{k}:v]fps=25,scale=160:160,setsar=1[v{k}];[{k}:a]aresample=16000[a{k}];" for k in range(len(paths)))
            chain = each + "".join(f"[v{k}][a{k}]" for k in range(len(paths))) + f"concat=n={len(paths)}:v=1:a=1[v][a]"
            run = ["ffmpeg", "-v", "error", "-y", *inputs, "-filter_complex", chain, "-map", "[v]", "-map", "[a]", "-threads", "1", "-crf", "16", str(file)]
            subprocess.run(run, check=True)
        got.append(judge(a, file))
        print(n, len(paths), *got[-1], file=sys.stderr, flush=True)
    spoke = [(n, s, r) for n, s, r in got if s[0] >= 10]
    rates = np.array([r[0] for _, _, r in spoke])
    print(f"talkers joined: {len(got)} people, {sum(s[0] for _, s, _ in got) / 60:.1f} minutes of speaking seen, {sum(n > 0 for n, _, _ in got)} with a note; of {len(spoke)} "
          f"with 10 s and more {(rates > 0).sum()} have lines in a row, {(rates >= 8).sum()} 8 a minute; most {rates.max():.1f}", flush=True)


def recordings(a) -> None:
    """The demo's drawn candidate reads, or does not, for 45 s of speech and looks ahead in 25 s of silence."""
    from candidate import Canvas, head, speak

    rng = np.random.default_rng(3)
    glances = [(float(t), float(g)) for t, g in zip(np.cumsum(rng.uniform(0.5, 2.0, 100)), rng.uniform(-0.12, 0.12, 100))]
    kinds = {}
    for wide, line in ((0.2, 2.5), (0.15, 2.5), (0.3, 2.5), (0.1, 2.5), (0.2, 1.5), (0.2, 4.0)):
        # fixations of 0.25 s
        kinds[f"lines of {line} s, {wide}"] = lambda t, w=wide, s=line: w * (np.floor((t % s) / 0.25) * 0.25 / (s - 0.25) - 0.5)
    kinds["ahead"] = lambda t: 0.0
    kinds["glances, 0.24"] = lambda t: next(g for end, g in glances if t < end)
    kinds["slow sine of the demo, 0.2"] = lambda t: 0.1 * np.sin(0.9 * t)
    speak_s, rest_s = 45, 25
    voice, loud = speak(a.scratch)
    for name, gaze in kinds.items():
        file = a.scratch / "reads.mp4"
        run = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "640x360", "-r", "10", "-i", "-", "-stream_loop", "5", "-i", str(voice),
               "-af", f"atrim=0:{speak_s},apad=pad_dur={rest_s + 5}", "-t", str(speak_s + rest_s), "-threads", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "23", "-c:a", "aac", str(file)]
        sink = subprocess.Popen(run, stdin=subprocess.PIPE)
        canvas = Canvas(640, 360)
        for k in range((speak_s + rest_s) * 10):
            t = k / 10
            speaking = t < speak_s
            mouth = float(loud[int(t * 25) % len(loud)]) if speaking else 0.0
            lids = float(np.clip(abs((t % 3.7) - 1.8) / 0.1 - 0.4, 0, 1))
            canvas.background()
            x = 320 + 12 * np.sin(t * 0.7)
            head(canvas, x, 169, 216, 0.03 * np.sin(t * 0.9), 0.01 * np.sin(t * 0.7), mouth, lids, 0.146 * (gaze(t) if speaking else 0.0))
            sink.stdin.write(np.clip(canvas.rgb + rng.normal(0, 3, canvas.rgb.shape), 0, 255).astype(np.uint8).tobytes())
        sink.stdin.close()
        sink.wait()
        notes, seconds, rate = judge(a, file)
        print(f"| {name} | {notes} | {seconds[0]:.0f} / {seconds[1]:.0f} | {rate[0]:.1f} / {rate[1]:.1f} |", flush=True)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--teachers", type=Path)
    p.add_argument("--models", type=Path)
    p.add_argument("--clips", type=int, default=40)
    p.add_argument("--inperson", type=Path, help="the command: what it notes, instead of the net's irises")
    p.add_argument("--scratch", type=Path)
    a = p.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples/demo"))
    cv2.setNumThreads(1)
    if a.inperson:
        recordings(a)
        joined(a)
        return
    ours, finder = session(a.models / "face-landmarks/model.onnx"), YuNet(a.teachers)
    drawn(a, ours, finder)
    talkers(a, ours, finder)


if __name__ == "__main__":
    main()
