"""`models/<id>/model.toml`: what a graph is, takes and gives, how its scores become likelihood ratios, and what was measured.

What the library reads from it is `ModelCard` in crates/inperson/src/model/card.rs. Needs tomlkit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import tomlkit

OPSET = 17
RESEARCH = "LicenseRef-inperson-research (see CARD.md: training material is research-only or unclear in part)"


class Tensor(NamedTuple):
    """Single-precision numbers that go in or come out; -1 in the shape is any number."""

    name: str
    shape: list[int]
    meaning: str


class Calibration(NamedTuple):
    """From a raw score to nats, and what the raw score is."""

    slope: float
    offset: float
    range: tuple[float, float]
    bounds: tuple[float, float]
    note: str = ""


class Contract(NamedTuple):
    """All that does not come from training."""

    id: str
    task: str
    summary: str
    inputs: Iterable[Tensor]
    outputs: Iterable[Tensor]
    licence: str = RESEARCH


def _calibration(c: Calibration):
    table = tomlkit.table()
    if c.note:
        table.add(tomlkit.comment(f"{c.note}; natural logarithm, positive is attack"))
    table |= {"slope": round(float(c.slope), 6), "offset": round(float(c.offset), 6)}
    table |= {k: [round(float(v), 4) for v in getattr(c, k)] for k in ("range", "bounds")}
    return table


def write(folder: Path, contract: Contract, version: str, calibration: Calibration | Mapping[str, Calibration] | None = None,
          metrics: Mapping[str, float] | None = None, measured: str = "") -> None:
    """Writes it beside `folder/model.onnx`; several calibrations where the graph has several scores. `measured` says how the metrics were."""
    graph = (folder / "model.onnx").read_bytes()
    doc = tomlkit.document()
    doc |= {k: getattr(contract, k) for k in ("id", "task", "summary", "licence")}
    doc |= {"version": version, "sha256": hashlib.sha256(graph).hexdigest(), "opset": OPSET}
    for side in ("inputs", "outputs"):
        tables = tomlkit.aot()
        for t in getattr(contract, side):
            tables.append(tomlkit.item({"name": t.name, "dtype": "float32", "shape": t.shape, "meaning": t.meaning}))
        doc[side] = tables
    if isinstance(calibration, Calibration):
        doc["calibration"] = _calibration(calibration)
    elif calibration:
        doc["calibrations"] = {k: _calibration(c) for k, c in calibration.items()}
    if metrics:
        table = tomlkit.table()
        if measured:
            table.add(tomlkit.comment(measured))
        doc["metrics"] = table | {k: round(v, 4) for k, v in metrics.items()}
    (folder / "model.toml").write_text(tomlkit.dumps(doc))
    print(f"{folder.name} {version}: {len(graph)} bytes")
