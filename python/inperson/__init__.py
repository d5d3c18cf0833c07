"""How likely is it that the candidate in a video interview is really there?

>>> import inperson
>>> report = inperson.analyze("interview.mp4")  # doctest: +SKIP
>>> report.assessment["overall"]["llr"]  # doctest: +SKIP

Numbers are natural logarithms of p(x | attack) / p(x | bona fide): positive speaks for an attack. A person decides.
"""

from __future__ import annotations

import atexit
import json
import os
from typing import Any, Unpack

from . import _native
from ._analyzer import Analyzer, Progress, Transcriber, Wording
from ._native import (
    Cancelled, ConfigError, Error, InputError, LimitError, ModelError, NearIndex, TranscriberError, __version__,
)
from ._options import Candidate, Options, Reference, Region
from ._report import Report
from ._session import Session

__all__ = [
    "Analyzer", "Cancelled", "Candidate", "ConfigError", "Error", "InputError", "LimitError", "ModelError", "NearIndex", "Options",
    "Progress", "Reference", "Region", "Report", "Session", "Transcriber", "TranscriberError", "Wording", "analyze", "checks", "schema",
    "__version__",
]


# daemon threads that are at work when the interpreter is gone would crash it
atexit.register(_native.end)


def analyze(
    path: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    transcript: str | os.PathLike[str] | None = None,
    transcriber: Transcriber | None = None,
    **options: Unpack[Options],
) -> Report:
    """Analyses one file: `Analyzer(**options).analyze(path, ...)`, where both are described."""
    return Analyzer(**options).analyze(path, progress=progress, transcript=transcript, transcriber=transcriber)


def checks() -> list[str]:
    """Names of all checks. `warp` does not tell yet and runs only where it is named."""
    return _native.checks()


def schema() -> dict[str, Any]:
    """JSON Schema of a report."""
    described: dict[str, Any] = json.loads(_native.schema())
    return described
