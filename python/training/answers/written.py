"""Answers that Claude, the language model that built this, wrote for the project: `written.jsonl` from plain text."""

import json
import sys
from pathlib import Path


def rows(text: str):
    for block in text.split("\nQ ") if text.startswith("Q ") else []:
        head, _, answer = block.removeprefix("Q ").partition("\n")
        domain, _, question = head.partition("|")
        yield domain, question, " ".join(answer.split())


if __name__ == "__main__":
    out = []
    for name in sys.argv[2:]:
        for domain, question, answer in rows(Path(name).read_text()):
            out.append(
                dict(id=f"w{len(out) + 1:03}", label="ai", generator="claude (2026, written for this project)", domain=domain,
                     register="written", question=question, answer=answer, repo="inperson/written", source_path="written.jsonl",
                     mode="generated", licence_note="MIT OR Apache-2.0", licence_class="permissive", n_words=len(answer.split()))
            )
    Path(sys.argv[1]).write_text("".join(json.dumps(r) + "\n" for r in out))
