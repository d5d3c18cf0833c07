"""The rows of `corpus/text`, earnings calls' prepared remarks, manuals, speeches and our own answers, in one shape."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .text import tokens

HERE = Path(__file__).parent
FAMILIES = (
    ("gpt-3.5", "gpt-3.5"), ("chatgpt", "gpt-3.5"), ("gpt-4", "gpt-4"), ("llm-unspecified", "gpt-4"), ("llama", "llama"),
    ("vicuna", "vicuna"), ("mistral", "mistral"), ("mixtral", "mistral"), ("claude", "claude"), ("gemini", "google"),
    ("gemma", "google"), ("qwen", "qwen"), ("cohere", "cohere"), ("davinci", "davinci"),
)
# the most rows that one repository may bring to training; evaluation takes all
MOST = {
    "tatsu-lab/alpaca_eval": 1900, "NathanDuran/Switchboard-Corpus": 500, "Durgesh5863/AI-Driven-Recruitment-Pipeline": 500,
    "Hasetomo2142/ami-corpus-preprocessing 0": 300, "Hasetomo2142/ami-corpus-preprocessing 1": 300, "revdotcom/speech-datasets": 700,
}
PREPARED = "revdotcom/earnings22-prepared"
# trained on, never tested on: what was added later leaves the test as it was
ADDED = ("inperson/added", "debian/jargon-text", "stdlib/sotu")
# never trained on, and not in the matrix: counts false alarms and calibrates
CHECKED = "debian/appstream"


@dataclass
class Row:
    id: str
    ai: int
    register: str  # writing, prepared, speech, simulated
    repo: str
    generator: str
    family: str  # human, or the model's family
    domain: str
    group: str  # who speaks, for error rates by group
    rewrite: bool
    licence_class: str
    licence_note: str
    words: int  # as a recogniser counts them
    question: str
    answer: str
    tokens: list
    matches: str = ""  # source (or how its name begins) of people's writing on the same matters


def family(generator: str) -> str:
    low = generator.lower()
    return next((f for k, f in FAMILIES if k in low), low)


def group(r: dict) -> str:
    if r["label"] == "ai":
        return ""
    path = r.get("source_path") or ""
    return {
        "Hasetomo2142/ami-corpus-preprocessing": "AMI meetings (many non-native)",
        "NathanDuran/Switchboard-Corpus": "Switchboard (US telephone)",
        "PatVraj/interview-outcome-estimation": "job-interview practice (students)",
    }.get(r["repo"].split(" ")[0], ("CORAAL (African American English)" if "coraal" in path else "earnings22 answers (many non-native)")
          if r["repo"] == "revdotcom/speech-datasets" else "")


def row(r: dict) -> Row:
    register = {"written": "writing", "spoken": "speech", "spoken-simulated": "simulated", "prepared": "prepared"}[r["register"]]
    domain = "speech" if register != "writing" else {"code-qa": "code", "essay": "essay", "qa": "qa", "interview": "qa"}.get(r["domain"], "other")
    if register == "speech" and r.get("section") == "prepared":
        register = "prepared"
    text = r.get("answer_plain") or r["answer"]
    found = tokens(text)
    if r["repo"].startswith("Hasetomo2142"):
        # one corpus, many meetings: series of four share their speakers
        r = r | {"repo": f"{r['repo']} {sum(map(ord, Path(r['source_path']).name[:6])) % 2}"}
    return Row(
        r["id"], int(r["label"] == "ai"), register, r["repo"], r["generator"],
        "human" if r["label"] == "human" else family(r["generator"]), domain, group(r), r["mode"] == "rewrite",
        r["licence_class"], r.get("licence_note", ""), len(found), r.get("question") or "", text, found,
        r.get("matches", ""),
    )


def prepared(folder: Path):
    """Prepared remarks of earnings calls, by turns, cut to at most 300 words."""
    for line in gzip.open(folder / "transcripts/earnings22.jsonl.gz", "rt"):
        call = json.loads(line)
        if not call["qa_start_s"]:
            continue
        turns = []
        for speaker, word, start, _ in call["words"]:
            if not turns or turns[-1][0] != speaker:
                turns.append((speaker, start, []))
            turns[-1][2].append(word)
        for number, (speaker, start, words) in enumerate(turns):
            if start is None or start >= call["qa_start_s"]:
                continue
            for at in range(0, min(len(words), 1200), 300):
                piece = words[at : at + 300]
                if len(piece) >= 80:
                    yield dict(
                        id=f"p{call['id']}-{number}-{at}", label="human", generator="human", domain="other", register="prepared",
                        answer=" ".join(piece), repo=PREPARED, mode="human-transcript", licence_class="share-alike",
                        licence_note="CC BY-SA 4.0 (Rev)",
                    )


def load(folder: Path, manuals: Path | None = None) -> list[Row]:
    raw = [json.loads(line) for line in gzip.open(folder / "answers.jsonl.gz", "rt")]
    raw += list(prepared(folder))
    raw += [json.loads(line) for line in (HERE / "written.jsonl").read_text().splitlines()]
    if manuals:
        raw += [json.loads(line) for line in manuals.read_text().splitlines()]
    return [r for r in map(row, raw) if r.words >= 40]


def for_training(rows: list[Row], least_words: int = 60) -> np.ndarray:
    """Which rows to train on: long enough, not too many of one repository; the earnings calls' prepared remarks are left for testing."""
    order = np.random.default_rng(0).permutation(len(rows))
    seen: dict[str, int] = {}
    keep = np.zeros(len(rows), bool)
    for i in order:
        r = rows[i]
        if r.words < least_words or (r.register == "prepared" and r.repo not in ADDED) or r.repo == CHECKED:
            continue
        seen[r.repo] = seen.get(r.repo, 0) + 1
        keep[i] = seen[r.repo] <= MOST.get(r.repo, 1 << 30)
    return keep
