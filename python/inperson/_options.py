"""What an analyzer is made from, brought into the JSON that the library reads."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, SupportsFloat, SupportsIndex, TypedDict

import numpy as np

from . import _native
from ._native import ConfigError


class Region(TypedDict):
    """The face that is most often inside a part of the picture."""

    region: Sequence[SupportsFloat]
    """Left, top, right, bottom, as shares (0 to 1) of the upright frame."""


class Reference(TypedDict):
    """The face that looks most like the one in a picture."""

    reference: str | os.PathLike[str]
    """The picture's file."""


Candidate = Literal["largest"] | Region | Reference


class Options(TypedDict, total=False):
    """The options of `Analyzer`, where they are described."""

    prior: SupportsFloat | None
    checks: str | Sequence[str] | None
    models: str | os.PathLike[str] | None
    library: str | os.PathLike[str] | None
    device: str | None
    candidate: Candidate | None
    speaker: str | None
    audio_track: SupportsIndex | None
    audio_channel: SupportsIndex | None
    config: Mapping[str, Any] | None


def refused(message: str) -> ConfigError:
    return ConfigError(f"configuration: {message}")


# the library that this process has loaded: there can only be one
_loaded: str | None = None


def library() -> str | None:
    """The library in use, or ONNX Runtime's in the `onnxruntime` wheel, unless the environment names another."""
    if _loaded:
        return _loaded
    if os.environ.get("INPERSON_ORT_DYLIB") or os.environ.get("ORT_DYLIB_PATH"):
        return None
    spec = find_spec("onnxruntime")
    for root in spec.submodule_search_locations or [] if spec else []:
        found = sorted(p for p in (Path(root) / "capi").glob("*onnxruntime.*") if p.suffix != ".py" and "providers" not in p.name)
        if found:
            return str(found[0])
    return None


def use(library: str | None) -> None:
    global _loaded
    _loaded = _loaded or library


def values(options: Options) -> dict[str, Any]:
    """The configuration, ready for JSON: `config` with the other options over it; what is None is left at its default.

    Raises `ConfigError`, naming the field, for what JSON cannot hold.
    """
    config = options.get("config")
    if config is not None and not isinstance(config, Mapping):
        raise refused(f"config must be a mapping, not {type(config).__name__}")
    found: dict[str, Any] = {} if config is None else _plain(config, "")
    prior, checks = options.get("prior"), options.get("checks")
    if prior is not None:
        _section(found, "fusion")["prior"] = _plain(_number(prior, "prior"), "prior")
    if checks is not None:
        found["checks"] = [checks] if isinstance(checks, str) else _plain(list(checks), "checks")
        if not found["checks"]:
            raise refused("checks names no check: name one or more, or leave it out for all")
    for name in ("models", "candidate", "speaker", "audio_track", "audio_channel"):
        value: Any = options.get(name)
        if value is not None:
            found[name] = _plain(value, name)
    for name in ("library", "device"):
        value = options.get(name)
        if value is not None:
            _section(found, "runtime")[name] = _plain(value, name)
    runtime = found.get("runtime")
    # the library writes a device as an enum, people as on the command line
    if isinstance(runtime, dict) and isinstance(runtime.get("device"), str):
        runtime["device"] = json.loads(_native.device(runtime["device"]))
    return found


def with_library(values: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the library that this process uses, where it names none."""
    found = dict(values)
    runtime = found.get("runtime", {})
    if isinstance(runtime, dict) and not runtime.get("library"):
        found["runtime"] = {**runtime, "library": library()}
    return found


def _section(values: dict[str, Any], name: str) -> dict[str, Any]:
    section = values.setdefault(name, {})
    if not isinstance(section, dict):
        raise refused(f"{name} must be a mapping, not {type(section).__name__}")
    return section


def _number(value: SupportsFloat, name: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise refused(f"{name} must be a number, not {value!r}") from None


def _plain(value: Any, name: str) -> Any:
    """`value` as JSON knows it."""
    if isinstance(value, Mapping):
        inner = {str(k): _plain(v, f"{name}.{k}" if name else str(k)) for k, v in value.items()}
        return {k: v for k, v in inner.items() if v is not None}
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(v, f"{name}[{i}]") for i, v in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise refused(f"{name} must be a finite number, not {value}")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise refused(f"{name} cannot be a {type(value).__name__}")
