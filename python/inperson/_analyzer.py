"""Configuration and models, and what is done with them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsFloat, SupportsIndex

from . import _native
from ._options import Candidate, Options, use, values, with_library
from ._report import Report
from ._session import Session

Progress = Callable[[float, float | None], object]
Transcriber = Callable[[Path], str] | str


class Analyzer:
    """Configuration and models: make it once, use it for many interviews and from many threads.

    It can be pickled: what travels is the configuration, and models are loaded again at first use. A process that was forked after
    inperson was used raises `Error`: start workers with `multiprocessing.get_context("spawn")`.

    - `prior`: probability of an attack before anything was seen, between 0 and 1. Default: 0.01.
    - `checks`: names of the checks to run, or one name; `inperson.checks()` has them all. Default: all that tell something.
    - `models`: folder of models that replace the built-in ones of the same id. Default: none.
    - `library`: ONNX Runtime's library, or the folder it is in; a process loads one. Default: the one that
      `INPERSON_ORT_DYLIB` or `ORT_DYLIB_PATH` names, else that of the wheel `onnxruntime`.
    - `device`: what models run on: `cpu`, `cuda` or `cuda:N`; one that is absent is an error. Default: `cpu`.
    - `candidate`: whose face is the candidate's: `"largest"`, `{"region": (left, top, right, bottom)}` in shares of the upright
      frame, or `{"reference": picture}`. Default: the largest.
    - `speaker`: the candidate's name in the transcript. Default: who says most among those who do not ask most.
    - `audio_track`: sound track to analyse, counted from 0 among the sound tracks. Default: the container's default.
    - `audio_channel`: the one channel of it to hear, counted from 0. Default: all of them mixed.
    - `config`: all of these and more (`fusion`, `limits`, `runtime`), as a report's `config` has them; the other options go before
      it, and None leaves a field at its default.

    Raises `ConfigError`, naming the field, for a configuration that cannot be; `ModelError` when ONNX Runtime, a device or a model
    cannot be loaded; `InputError` when the reference picture cannot be read or shows no face.
    """

    def __init__(
        self,
        *,
        prior: SupportsFloat | None = None,
        checks: str | Sequence[str] | None = None,
        models: str | os.PathLike[str] | None = None,
        library: str | os.PathLike[str] | None = None,
        device: str | None = None,
        candidate: Candidate | None = None,
        speaker: str | None = None,
        audio_track: SupportsIndex | None = None,
        audio_channel: SupportsIndex | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        options: Options = {
            "prior": prior, "checks": checks, "models": models, "library": library, "device": device, "candidate": candidate,
            "speaker": speaker, "audio_track": audio_track, "audio_channel": audio_channel, "config": config,
        }
        self._values = values(options)
        self._made: _native.Analyzer | None = _made(self._values)

    @property
    def _native(self) -> _native.Analyzer:
        if self._made is None:
            self._made = _made(self._values)
        return self._made

    @property
    def config(self) -> dict[str, Any]:
        """The configuration in force with all defaults, as reports have it: a copy."""
        config: dict[str, Any] = json.loads(self._native.config())
        return config

    def analyze(
        self,
        path: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
        transcript: str | os.PathLike[str] | None = None,
        transcriber: Transcriber | None = None,
    ) -> Report:
        """Analyses a file. `progress(done_s, total_s)` is called about once a second of media; returning anything false but None
        cancels, which raises `Cancelled`.

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
        `mouth` (64 x 64 luma, aligned by eyes and nose). `audio` is mono at 16 kHz from the start, `speech` the spans (seconds) in which
        somebody speaks, `candidate` the number of the candidate's face or None.
        """
        return self._native.observe(os.fspath(path))

    def session(self, name: str = "live", *, video: bool = True, audio: bool = True) -> Session:
        """A session for pictures and sound that the caller pushes."""
        return Session(self._native.session(name, video, audio))

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self._values)

    def __copy__(self) -> Analyzer:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Analyzer:
        # nothing of it changes
        return self

    def __repr__(self) -> str:
        return f"{type(self).__name__}(config={self._values!r})"


def _made(values: dict[str, Any]) -> _native.Analyzer:
    found = with_library(values)
    native = _native.Analyzer(json.dumps(found))
    use(found["runtime"]["library"])
    return native


def _unpickled(kind: type[Analyzer], values: dict[str, Any]) -> Analyzer:
    # models wait for the first use: a worker of multiprocessing that fails while it unpickles dies, and its pool waits for ever
    analyzer = kind.__new__(kind)
    analyzer._values, analyzer._made = values, None
    return analyzer


class Wording:
    """Judges the wording of answers: English, 80 words and more. Make it once. Options are as of `Analyzer`."""

    def __init__(
        self,
        *,
        models: str | os.PathLike[str] | None = None,
        library: str | os.PathLike[str] | None = None,
    ) -> None:
        found = with_library(values({"models": models, "library": library}))
        self._native = _native.Wording(json.dumps(found))
        use(found["runtime"]["library"])

    def judge(self, answer: str, question: str | None = None) -> dict[str, Any]:
        """`finding` (a score with its bounded LLR, or an abstention with its reason), `words`, `spoken`, `signs`."""
        judged: dict[str, Any] = json.loads(self._native.judge(answer, question))
        return judged
