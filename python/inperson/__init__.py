"""How likely is it that the candidate in a video interview is really there?

>>> import inperson
>>> report = inperson.analyze("interview.mp4")  # doctest: +SKIP
>>> report.assessment["overall"]["llr"]  # doctest: +SKIP

Numbers are natural logarithms of p(x | attack) / p(x | bona fide): positive speaks for an attack. A person decides.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._native import Cancelled, ConfigError, Error, InputError, LimitError, ModelError, TranscriberError, __version__

__all__ = [
    "Analyzer", "Cancelled", "ConfigError", "Error", "InputError", "LimitError", "ModelError", "Report", "Session", "TranscriberError", "Wording",
    "analyze", "__version__",
]

Progress = Callable[[float, float | None], object]
Transcriber = Callable[[Path], str] | str


# the library that this process has loaded: there can only be one
_loaded: str | None = None


def _library() -> str | None:
    """The library in use, or ONNX Runtime's in the `onnxruntime` wheel, unless the environment names another."""
    if _loaded:
        return _loaded
    if os.environ.get("INPERSON_ORT_DYLIB") or os.environ.get("ORT_DYLIB_PATH"):
        return None
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("onnxruntime")
    for root in spec.submodule_search_locations or [] if spec else []:
        found = sorted(p for p in (Path(root) / "capi").glob("*onnxruntime.*") if p.suffix != ".py" and "providers" not in p.name)
        if found:
            return str(found[0])
    return None


def _use(library: str | None) -> None:
    global _loaded
    _loaded = _loaded or library


class Report:
    """Everything about one analysis, read from its JSON."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._values: dict[str, Any] = json.loads(text)

    @property
    def assessment(self) -> dict[str, Any]:
        """The conclusion: `questions`, `overall`, `prior`, `action`, `moved_by`, `speaks_against`."""
        return self._values["assessment"]

    @property
    def evidence(self) -> list[dict[str, Any]]:
        """All evidence in order of time; spans are in microseconds."""
        return self._values["evidence"]

    @property
    def action(self) -> str:
        """`no_concern_found`, `not_enough_to_judge`, `review_these_moments` or `ask_for_a_live_check`."""
        return self.assessment["action"]

    @property
    def tracks(self) -> dict[str, Any]:
        """Faces, turns of speech, and which face is the candidate's."""
        return self._values["tracks"]

    def to_dict(self) -> dict[str, Any]:
        """A copy of the whole report."""
        return json.loads(self._text)

    def to_json(self) -> str:
        """The report as one line of JSON."""
        return self._text

    def to_html(self) -> str:
        """The report as one page that needs no other file."""
        return _native.to_html(self._text)

    def _repr_html_(self) -> str:
        import html

        return f'<iframe srcdoc="{html.escape(self.to_html())}" style="width:100%;height:40em;border:0"></iframe>'

    def __repr__(self) -> str:
        return f"Report({self._values['media']['input']!r}, {self.action}, llr={self.assessment['overall']['llr']})"


class Session:
    """One live interview: push pictures, sound and words, assess at any time, finish once.

    Each push returns a list of what it raised or cleared: `{"kind": "raised", "code": "capture.loop", "span": ...}` and
    `{"kind": "cleared", "code": ..., "at": ...}`; times are in microseconds. A sample beyond a limit of the configuration
    raises `LimitError` and is not taken in; the session goes on.
    """

    def __init__(self, native: _native.Session) -> None:
        self._native = native

    def push_video(self, rgb: NDArray[np.uint8], at: float) -> list[dict[str, Any]]:
        """A picture of shape (height, width, 3), RGB bytes, shown at `at` seconds."""
        return json.loads(self._native.push_video(rgb, at))

    def push_audio(self, samples: NDArray[np.float32], at: float) -> list[dict[str, Any]]:
        """Mono sound at 16 kHz in -1..1, first heard at `at` seconds."""
        return json.loads(self._native.push_audio(samples, at))

    def push_text(self, text: str, start: float, end: float, speaker: str | None = None) -> list[dict[str, Any]]:
        """Words said from `start` to `end` seconds, and by whom: single words or whole sentences, in order."""
        return json.loads(self._native.push_text(text, start, end, speaker))

    def assess(self) -> dict[str, Any]:
        """What the interview so far amounts to."""
        return json.loads(self._native.assess())

    def finish(self) -> Report:
        """Ends the interview."""
        return Report(self._native.finish())


class Analyzer:
    """Configuration and models: make it once, use it for many interviews and from many threads."""

    def __init__(
        self,
        *,
        prior: float | None = None,
        checks: Sequence[str] = (),
        models: str | os.PathLike[str] | None = None,
        library: str | os.PathLike[str] | None = None,
        config: dict[str, Any] | None = None,
    ) -> None:
        values: dict[str, Any] = json.loads(json.dumps(config or {}))
        if prior is not None:
            values.setdefault("fusion", {})["prior"] = prior
        if checks:
            values["checks"] = list(checks)
        if models is not None:
            values["models"] = os.fspath(models)
        runtime = values.setdefault("runtime", {})
        if library is not None:
            runtime["library"] = os.fspath(library)
        elif not runtime.get("library"):
            runtime["library"] = _library()
        self._native = _native.Analyzer(json.dumps(values))
        _use(runtime["library"])

    def analyze(
        self,
        path: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
        transcript: str | os.PathLike[str] | None = None,
        transcriber: Transcriber | None = None,
    ) -> Report:
        """Analyses a file. `progress(done_s, total_s)` is called about once a second of media; returning False cancels.

        `transcript` is a file in any format that `inperson analyze --transcript` takes. `transcriber` makes one instead: a callable
        that is given the path of a WAV file (16 kHz, mono) and returns the text of such a file, or a command that prints it. What a
        callable raises is raised here.
        """
        if transcript is not None and transcriber is not None:
            raise ValueError("give a transcript or a transcriber, not both")
        words = os.fspath(transcript) if transcript is not None else None
        return Report(self._native.analyze(os.fspath(path), progress, words, transcriber))

    def observe(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """What the checks are given of a file, for training and study; all of it is held in memory.

        Of the largest faces in every frame (30 a second at most), one row a face and frame: `at` (seconds), `track` (number of the
        face), `mesh` (478 points in pixels), `crop` (128 x 128 RGB, aligned by five points), `context` (160 x 160 RGB, the same wider) and
        `mouth` (64 x 64 luma, aligned by eyes and nose). `audio` is mono at 16 kHz from the start, `speech` the spans (seconds) in which somebody speaks,
        `candidate` the number of the candidate's face or None.
        """
        return self._native.observe(os.fspath(path))

    def session(self, name: str = "live", *, video: bool = True, audio: bool = True) -> Session:
        """A session for pictures and sound that the caller pushes."""
        return Session(self._native.session(name, video, audio))


class Wording:
    """Judges the wording of answers: English, 80 words and more. Make it once."""

    def __init__(
        self,
        *,
        models: str | os.PathLike[str] | None = None,
        library: str | os.PathLike[str] | None = None,
    ) -> None:
        found = os.fspath(library) if library is not None else _library()
        values = {"models": os.fspath(models) if models is not None else None, "runtime": {"library": found}}
        self._native = _native.Wording(json.dumps(values))
        _use(found)

    def judge(self, answer: str, question: str | None = None) -> dict[str, Any]:
        """`finding` (a score with its bounded LLR, or an abstention with its reason), `words`, `spoken`, `signs`."""
        return json.loads(self._native.judge(answer, question))


def analyze(
    path: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    transcript: str | os.PathLike[str] | None = None,
    transcriber: Transcriber | None = None,
    **options: Any,
) -> Report:
    """Analyses one file; `options` are those of `Analyzer`."""
    return Analyzer(**options).analyze(path, progress=progress, transcript=transcript, transcriber=transcriber)
