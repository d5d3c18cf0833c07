"""The result of an analysis."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypedDict, final

from . import _native


class _Values(TypedDict):
    assessment: dict[str, Any]
    evidence: list[dict[str, Any]]
    not_judged: list[dict[str, Any]]
    tracks: dict[str, Any]
    media: dict[str, Any]
    span: dict[str, int]
    models: list[dict[str, Any]]
    config: dict[str, Any]


@final
class Report:
    """Everything about one analysis. What its properties give are copies: changing them does not change the report.

    Reports are equal when their content is. `inperson.schema()` describes all of it.
    """

    def __init__(self, text: str) -> None:
        """From the library's JSON, which is taken as it is; `from_json` looks at it first."""
        self._text = text
        self._values: _Values = json.loads(text)

    @classmethod
    def from_json(cls, report: str | bytes | Mapping[str, Any]) -> Report:
        """A report that was kept: the text of `to_json`, of the command's report.json, or what either reads as.

        Raises ValueError, naming what is missing or wrong, for what is no report of this version's `schema_version`.
        """
        if not isinstance(report, str | bytes | Mapping):
            raise TypeError(f"a report is text or a mapping, not {type(report).__name__}")
        try:
            text = _one_line(report)
        except ValueError as e:
            raise ValueError(f"this is no report: {e}") from None
        _native.check_report(text)
        return cls(text)

    @property
    def assessment(self) -> dict[str, Any]:
        """The conclusion: `questions`, `overall`, `prior`, `action`, `moved_by`, `speaks_against`."""
        return deepcopy(self._values["assessment"])

    @property
    def evidence(self) -> list[dict[str, Any]]:
        """All evidence in order of time; spans are in microseconds."""
        return deepcopy(self._values["evidence"])

    @property
    def not_judged(self) -> list[dict[str, Any]]:
        """What could not be judged: `question`, `code`, `reason`, `span` and `message`, one sentence."""
        return deepcopy(self._values["not_judged"])

    @property
    def action(self) -> str:
        """`no_concern_found`, `not_enough_to_judge`, `review_these_moments` or `ask_for_a_live_check`."""
        return str(self._values["assessment"]["action"])

    @property
    def tracks(self) -> dict[str, Any]:
        """Faces, turns of speech, and which face is the candidate's."""
        return deepcopy(self._values["tracks"])

    @property
    def media(self) -> dict[str, Any]:
        """What was analysed: `input`, its streams, durations in seconds, and `notes` on what was met while decoding."""
        return deepcopy(self._values["media"])

    @property
    def span(self) -> dict[str, int]:
        """What was analysed of the media: from `start` to `end`, microseconds."""
        return deepcopy(self._values["span"])

    @property
    def models(self) -> list[dict[str, Any]]:
        """Models that were run: `id`, `version`, `sha256`, and `replaced` for one that is not the built-in one."""
        return deepcopy(self._values["models"])

    @property
    def config(self) -> dict[str, Any]:
        """The configuration in force; `Analyzer(config=report.config)` has it again."""
        return deepcopy(self._values["config"])

    def to_dict(self) -> dict[str, Any]:
        """A copy of the whole report."""
        values: dict[str, Any] = json.loads(self._text)
        return values

    def to_json(self) -> str:
        """The report as one line of JSON."""
        return self._text

    def to_html(self) -> str:
        """The report as one page that needs no other file."""
        return _native.to_html(self._text)

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{html.escape(self.to_html())}" style="width:100%;height:40em;border:0"></iframe>'

    def __eq__(self, other: object) -> bool:
        return self._values == other._values if isinstance(other, Report) else NotImplemented

    # its content is a dict
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        overall = self._values["assessment"]["overall"]
        return f"Report({self._values['media']['input']!r}, {self.action}, llr={overall['llr']})"


def _one_line(report: str | bytes | Mapping[str, Any]) -> str:
    text = report.decode() if isinstance(report, bytes) else report
    if isinstance(text, str):
        if "\n" not in text.strip():
            # what the library wrote stays as it wrote it
            return text.strip()
        text = json.loads(text)
    values = dict(text) if isinstance(text, Mapping) else text
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
