"""Reads files without a landing and a lake, in one way or the other."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from dagster_project.ingest import csv_records, lines
from dagster_project.ingest.classification import LINE_COLUMNS, lines_of_parts, look_at_lines
from dagster_project.ingest.envelopes import Form
from dagster_project.ingest.lines import DumpReader, FileLines
from dagster_project.registry import load_definitions
from dagster_project.treatment import UNTREATED, Treatment

DAY = date(2026, 3, 1)
DEFINITIONS = load_definitions()
Rows = list[dict[str, Any]]


def read(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    files: dict[str, bytes],
    treatment: Treatment = UNTREATED,
) -> tuple[dict[str, Rows], dict[str, FileLines]]:
    """The rows of files that are read as one dump, by file and in order."""
    parts, counts = parts_of(connection, folder, files, treatment)
    found: dict[str, Rows] = {name: [] for name in files}
    if parts:
        query = (
            f"select {', '.join(LINE_COLUMNS)} from ({lines_of_parts('?')})"
            " order by source_file, source_row"
        )
        for row in connection.execute(query, [[str(part) for part in parts]]).fetchall():
            named = dict(zip(LINE_COLUMNS, row, strict=True))
            del named["keys"]  # are left out where all are documented; the counts show the others
            found[named.pop("source_file")].append(named)
    return found, counts


def parts_of(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    files: dict[str, bytes],
    treatment: Treatment = UNTREATED,
) -> tuple[list[Path], dict[str, FileLines]]:
    """The Parquet parts of files that are read as one dump, and the lines of each file."""
    # A folder of its own, since DuckDB remembers files by their names.
    folder = Path(tempfile.mkdtemp(dir=folder))
    treatment.give_to(connection)
    reader = DumpReader(
        connection,
        dump_date=DAY,
        max_late_days=DEFINITIONS.max_late_days,
        target=folder,
        treatment=treatment,
    )
    for name, content in files.items():
        path = folder / "landed"
        path.write_bytes(content)
        assert reader.read(path, name) is not None
    return reader.finish()


def read_everything_in_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no line be read but by Python, one by one."""

    def all_odd(connection: duckdb.DuckDBPyConnection, form: Form) -> Mapping[str, Any]:
        looked_at = look_at_lines(connection, form)
        return {**looked_at, "shape": np.zeros_like(looked_at["shape"])}

    def none_plain(_self: object, lines: Any) -> csv_records.Mask:
        return np.zeros(len(lines), dtype=bool)

    monkeypatch.setattr(lines, "look_at_lines", all_odd)
    monkeypatch.setattr(csv_records._Rows, "_plainness", none_plain)
