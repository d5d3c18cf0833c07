"""Two people in one picture who speak by turns: python -m lips.two --corpus CORPUS [--pairs 40]

Pairs of talkers of different repositories side by side, 320 px each. The left one, the candidate, speaks, then the right one. Who listens is
their first picture, moved about as a head is, with fresh noise. `own`: as recorded. `dubbed`: the candidate speaks with a third talker's sound.
`at once`: both speak all the time. `other only`: the candidate listens, the right one speaks."""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import inperson
import numpy as np
import pandas as pd

LEAST, MOST, HEIGHT = 4.0, 8.0, 320
LISTENS = (f"select=eq(n\\,0),loop=-1:1:0,setpts=N/25/TB,scale={HEIGHT + 16}:{HEIGHT + 16},"
           f"crop={HEIGHT}:{HEIGHT}:'8+5*sin(t*0.9)':'8+4*sin(t*1.3)',noise=alls=5:allf=t")
TALKS = f"fps=25,scale={HEIGHT}:{HEIGHT}"


def made(path: Path, left: Path, right: Path, sound: Path, seconds: tuple[float, float], kind: str) -> None:
    """Writes one recording; `seconds` are those of the left and right talker's clips, `sound` is what the left one is heard with."""
    a, b = seconds
    cut = lambda name, t: f"trim=0:{t},setpts=PTS-STARTPTS[{name}]"
    if kind == "at once":
        t = min(a, b)
        graph = (f"[0:v]{TALKS},{cut('l', t)};[1:v]{TALKS},{cut('r', t)};[l][r]hstack[v];"
                 f"[2:a]atrim=0:{t}[x];[1:a]atrim=0:{t}[y];[x][y]amix=2:normalize=0[s]")
    else:
        first = 0.0 if kind == "other only" else a
        graph = (f"[0:v]split[l0][l1];[1:v]split[r0][r1];[l1]{LISTENS},{cut('ll', b)};[r0]{TALKS},{cut('rt', b)};[ll][rt]hstack[two];[1:a]atrim=0:{b}[y];")
        if first:
            graph += f"[l0]{TALKS},{cut('lt', a)};[r1]{LISTENS},{cut('rl', a)};[lt][rl]hstack[one];[2:a]atrim=0:{a},apad=whole_dur={a}[x];[one][two]concat[v];[x][y]concat=v=0:a=1[s]"
        else:
            graph += "[l0]nullsink;[r1]nullsink;[two]null[v];[y]anull[s]"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", left, "-i", right, "-i", sound, "-filter_complex", graph, "-map", "[v]", "-map", "[s]", "-c:v", "libx264",
                    "-crf", "20", "-preset", "veryfast", "-c:a", "libopus", "-b:a", "48k", "-ac", "1", path], check=True)


def told(report, until: float) -> dict:
    """Who was said to speak, in seconds of speech, and what the check says."""
    mine, out = report.tracks["candidate"], dict(right=0.0, wrong=0.0, nobody=0.0)
    for turn in report.tracks["turns"]:
        start, end = turn["span"]["start"] / 1e6, turn["span"]["end"] / 1e6
        for a, b, own in ((start, min(end, until), True), (max(start, until), end, False)):
            if b > a:
                key = "nobody" if turn["face"] is None else "right" if (turn["face"] == mine) == own else "wrong"
                out[key] += b - a
    found = next(e for e in report.evidence if e["code"] == "lipsync.mismatch")
    score = found["finding"].get("score") or found["finding"]
    return out | {"llr": score.get("llr"), "reason": score.get("reason") or (found["finding"].get("abstain") or {}).get("reason"), "speech_s": found["facts"].get("speech_s", 0.0),
                  "still": sum(e["code"] == "lipsync.still_mouth" for e in report.evidence)}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--corpus", type=Path, required=True)
    p.add_argument("--pairs", type=int, default=40)
    a = p.parse_args()
    t = pd.read_csv(a.corpus / "talkers/manifest.csv", dtype=str, keep_default_na=False)
    t["seconds"] = t.duration_s.astype(float)
    t = t[(t.in_sync == "yes") & (t.seconds >= LEAST)].reset_index(drop=True)
    rng = np.random.default_rng(7)
    analyzer = inperson.Analyzer(checks=["lipsync"], config={"candidate": {"region": [0, 0, 0.5, 1]}})
    rows = []
    for n in range(a.pairs):
        i = int(rng.integers(len(t)))
        j, k = (int(x) for x in rng.choice(np.flatnonzero(t.repo != t.repo[i]), 2, replace=False))
        clip = lambda m: a.corpus / "talkers" / t.path[m]
        seconds = min(t.seconds[i], MOST) - 0.1, min(t.seconds[j], MOST) - 0.1
        for kind in ("own", "dubbed", "at once", "other only"):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "two.mkv"
                made(path, clip(i), clip(j), clip(k) if kind == "dubbed" else clip(i), seconds, kind)
                rows.append({"pair": n, "kind": kind, "own_s": seconds[0], **told(analyzer.analyze(path), 0.0 if kind == "other only" else seconds[0])})
        if n % 10 == 9 or n == a.pairs - 1:
            summary(pd.DataFrame(rows))


def summary(r: pd.DataFrame) -> None:
    for kind, g in r.groupby("kind", sort=False):
        heard = g.right + g.wrong + g.nobody
        judged = g[g.llr.notna()]
        print(f"{kind}: {len(g)} recordings, speech to the right face {g.right.sum() / heard.sum():.1%}, to the wrong one {g.wrong.sum() / heard.sum():.1%}, to nobody {g.nobody.sum() / heard.sum():.1%}; "
              f"judged {len(judged)}, mean LLR {judged.llr.mean():.2f}, over 0.5 {int((judged.llr > 0.5).sum())}, over 1 {int((judged.llr > 1).sum())}; "
              f"speech counted {g.speech_s.sum():.0f} s of {g.own_s.sum():.0f} s of the candidate's clips; still mouth told {int((g.still > 0).sum())}; {dict(g.reason.dropna().value_counts())}", flush=True)


if __name__ == "__main__":
    main()
