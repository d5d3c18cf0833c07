"""What the check `capture` finds of attacks made from genuine talkers, and what it says of the talkers themselves.

    python tests/capture.py CORPUS INPERSON [--count 24]

One talker of a repository at a time, through the same encoder as the attacks made of it: as is; frozen for 4 s; one still under the
voice; a photograph moved about under the voice; the picture of the first half played twice under the whole sound; 5 s replayed after the
end. Needs ffmpeg and the built command.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

ENCODE = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "22", "-pix_fmt", "yuv420p", "-c:a", "aac"]
MOVED = "scale=640:640,rotate=0.05*sin(1.1*t)+0.03*sin(2.7*t),crop=440:440:100+50*sin(0.9*t)+9*sin(5*t):100+40*sin(1.3*t)+8*sin(4.1*t),scale=360:360"


def attacks(length: float) -> dict[str, list[str]]:
    """ffmpeg filters by name of what they make; input 0 is the talker, input 1 a still of it."""
    half = length / 2
    return {
        "as is": ["-vf", "scale=360:360"],
        "frozen 4 s": [
            "-filter_complex",
            "[0:v]scale=360:360,fps=25,split[a][b];[a]trim=0:2,tpad=stop_mode=clone:stop_duration=4[c];"
            f"[b]trim=6:{length},setpts=PTS-STARTPTS[d];[c][d]concat=n=2:v=1:a=0[v]",
            "-map", "[v]", "-map", "0:a"],
        "one still": ["-filter_complex", "[1:v]scale=360:360[v]", "-map", "[v]", "-map", "0:a", "-shortest"],
        "photograph moved": ["-filter_complex", f"[1:v]{MOVED}[v]", "-map", "[v]", "-map", "0:a", "-shortest"],
        "half played twice": [
            "-filter_complex", f"[0:v]scale=360:360,fps=25,trim=0:{half},split[a][b];[a][b]concat=n=2:v=1:a=0[v]", "-map", "[v]", "-map", "0:a"],
        "5 s replayed": [
            "-filter_complex",
            "[0:v]scale=360:360,fps=25,split[a][b];[b]trim=0:5,setpts=PTS-STARTPTS[c];[a][c]concat=n=2:v=1:a=0[v];"
            "[0:a]asplit[d][e];[e]atrim=0:5,asetpts=PTS-STARTPTS[f];[d][f]concat=n=2:v=0:a=1[s]",
            "-map", "[v]", "-map", "[s]"],
    }


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("corpus", type=Path)
    p.add_argument("inperson", type=Path)
    p.add_argument("--count", type=int, default=12)
    a = p.parse_args()
    folder = a.corpus / "talkers"
    with open(folder / "manifest.csv", newline="") as f:
        rows = [r for r in csv.DictReader(f) if float(r["duration_s"]) >= 8]
    repos: dict[str, dict] = {}
    for r in sorted(rows, key=lambda r: -float(r["duration_s"])):
        repos.setdefault(r["repo"] + r["identity_hint"], r)
    chosen = list(repos.values())[: a.count]
    with tempfile.TemporaryDirectory() as out:
        listed = Path(out) / "list.csv"
        with open(listed, "w", newline="") as f:
            table = csv.writer(f)
            table.writerow(["path", "kind"])
            for i, r in enumerate(chosen):
                source, still = folder / r["path"], Path(out) / f"{i}.png"
                run = lambda *args: subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, args)], check=True)
                run("-ss", "1", "-i", source, "-frames:v", "1", still)
                for name, filters in attacks(float(r["duration_s"])).items():
                    path = Path(out) / f"{i} {name}.mp4"
                    run("-i", source, "-loop", "1", "-framerate", "25", "-i", still, *filters, "-t", float(r["duration_s"]) + 5, *ENCODE, path)
                    table.writerow([path.name, name])
        results = Path(out) / "results.jsonl"
        subprocess.run([a.inperson, "batch", listed, "--out", results, "--checks", "capture", "--quiet"], check=True)
        lines = [json.loads(line) for line in open(results)]
    print(f"{len(chosen)} talkers of {len({r['repo'] for r in chosen})} repositories; share with a finding of each code, and with LLR of the question over 1")
    for name in attacks(1):
        reports = [x["report"] for x in lines if x["meta"]["kind"] == name]
        codes = Counter(c for r in reports for c in {e["code"] for e in r["evidence"] if e["finding"]["kind"] == "score"})
        over = sum((r["assessment"]["questions"]["capture"]["llr"] or 0) > 1 for r in reports)
        said = ", ".join(f"{c} {n / len(reports):.2f}" for c, n in codes.most_common())
        print(f"  {name:<18} over 1: {over / len(reports):.2f}   {said}")


if __name__ == "__main__":
    main()
