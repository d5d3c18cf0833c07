"""One live interview, and what may be pushed into it."""

from __future__ import annotations

import json
import math
import operator
from types import TracebackType
from typing import Any, SupportsFloat, SupportsIndex, final

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._report import Report

Sound = NDArray[np.float32] | NDArray[np.float64] | NDArray[np.int16]


@final
class Session:
    """One live interview: push pictures, sound and words, assess at any time, finish once. `Analyzer.session` makes it.

    Each push returns a list of what it raised or cleared: `{"kind": "raised", "code": "capture.loop", "span": ...}` and
    `{"kind": "cleared", "code": ..., "at": ...}`; times are in microseconds. `{"kind": "late", "at": ...}` says that a clock began
    again: times count from the start of the call and go on over a reconnect, and what lies before what was analysed is left out.
    A sample beyond a limit of the configuration raises `LimitError`, one of another kind than described raises ValueError or
    TypeError; it is not taken in, and the session goes on. Pictures and sound may come from threads of their own.

    As a context manager it lets go of the interview at the end of the block; call `finish` inside for the report.
    """

    def __init__(self, native: _native.Session) -> None:
        self._native = native

    def push_video(self, rgb: NDArray[np.uint8], at: SupportsFloat) -> list[dict[str, Any]]:
        """A picture of shape (height, width, 3), RGB bytes, shown at `at` seconds since the start of the call."""
        if not isinstance(rgb, np.ndarray):
            raise TypeError(f"push_video: rgb must be an array of uint8 of shape (height, width, 3), not {type(rgb).__name__}")
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
            raise ValueError(f"push_video: rgb must be uint8 of shape (height, width, 3), not {rgb.dtype} of shape {rgb.shape}")
        return _events(self._native.push_video(rgb, _seconds(at, "at")))

    def push_audio(self, samples: Sound, at: SupportsFloat, rate: SupportsIndex = 16_000) -> list[dict[str, Any]]:
        """Mono sound at `rate` hertz (4,000 to 384,000), first heard at `at` seconds since the start of the call.

        An array of shape (n,): float32 or float64 in -1..1, or int16 in its whole range. Sound that lasts much longer or shorter than
        its times say, as of another rate than told or of several channels, raises `InputError`.
        """
        try:
            hertz = operator.index(rate)
        except TypeError:
            hertz = 0
        if not 4_000 <= hertz <= 384_000:
            raise ValueError(f"push_audio: rate must be a whole number of hertz from 4000 to 384000, not {rate!r}")
        return _events(self._native.push_audio(_sound(samples), _seconds(at, "at"), hertz))

    def push_text(self, text: str, start: SupportsFloat, end: SupportsFloat, speaker: str | None = None) -> list[dict[str, Any]]:
        """Words said from `start` to `end` seconds since the start of the call, and by whom: single words or whole sentences, in order."""
        since, until = _seconds(start, "start"), _seconds(end, "end")
        if until < since:
            raise ValueError(f"end must not lie before start, which is {since}, but is {until}")
        return _events(self._native.push_text(text, since, until, speaker))

    def assess(self) -> dict[str, Any]:
        """What the interview so far amounts to."""
        assessment: dict[str, Any] = json.loads(self._native.assess())
        return assessment

    def finish(self) -> Report:
        """Ends the interview. Raises `InputError` where no picture and no sound came, and the session goes on."""
        return Report(self._native.finish())

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._native.close()

    def __repr__(self) -> str:
        return repr(self._native)


def _events(text: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads(text)
    return events


def _seconds(value: SupportsFloat, name: str) -> float:
    try:
        if isinstance(value, str | bytes):
            raise TypeError
        seconds = float(value)
    except TypeError:
        raise TypeError(f"{name} must be a number of seconds since the start of the call, not {type(value).__name__}") from None
    if not math.isfinite(seconds):
        raise ValueError(f"{name} must be a finite number of seconds since the start of the call, not {seconds}")
    if seconds < 0:
        raise ValueError(f"{name} must be 0 or more seconds since the start of the call, not {seconds}")
    return seconds


def _sound(samples: Sound) -> NDArray[np.float32]:
    wanted = "float32, float64 or int16 of shape (n,)"
    if not isinstance(samples, np.ndarray):
        raise TypeError(f"push_audio: samples must be an array of {wanted}, not {type(samples).__name__}")
    kind = samples.dtype.newbyteorder("=")
    if kind not in (np.float32, np.float64, np.int16) or samples.ndim != 1:
        raise ValueError(f"push_audio: samples must be {wanted}, not {samples.dtype} of shape {samples.shape}")
    # beyond the range of float32 is infinite, and told below
    with np.errstate(over="ignore"):
        # a slice of a packet may begin at any byte
        sound = np.require(samples.astype(np.float32, copy=False), requirements=["ALIGNED"])
    if kind == np.int16:
        return sound / np.float32(32768)
    if not np.isfinite(sound).all():
        at = int(np.flatnonzero(~np.isfinite(sound))[0])
        raise ValueError(f"push_audio: samples must be finite numbers, but the one at {at} is {samples[at]}")
    return sound
