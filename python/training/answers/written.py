"""Answers that Claude, the language model that built this, wrote for the project: `written.jsonl` from plain text.

    python -m answers.written written.jsonl FILE... FILE=SOURCE...

Those of a file with a SOURCE are about what people write about there: they are trained on, never tested on, and left
out together with it. Where they stand against no people's source (`FILE=`), they are only trained on.
"""

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
        file, added, source = name.partition("=")
        for domain, question, answer in rows(Path(file).read_text()):
            row = dict(id=f"w{len(out) + 1:03}", label="ai", generator="claude (2026, written for this project)", domain=domain,
                       register="written", question=question, answer=answer, repo="inperson/added" if added else "inperson/written",
                       source_path="written.jsonl", mode="generated", licence_note="MIT OR Apache-2.0",
                       licence_class="permissive", n_words=len(answer.split()))
            out.append(row | {"matches": source} if source else row)
    Path(sys.argv[1]).write_text("".join(json.dumps(r) + "\n" for r in out))
