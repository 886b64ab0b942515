"""The lake against the reference, line by line: for tests of the ingest alone, without dbt."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.ingest.classification import lines_of_parts
from tests.reference import judged_lines
from tests.reference.events import Judged, identity, unknown_keys
from tests.reference.reading import Dump, LandedFile, read_dumps

Row = dict[str, Any]


def lake_differences(raw: Path, landing: Path, seeds: Path) -> list[str]:
    """Every difference between the lake under `raw` and the reference's reading of `landing`.

    Dumps that their manifest refuses must not be in the lake. Event keys are only held against
    the identities that they stand for: equal keys for equal identities and for no others.
    """
    dumps = [dump for dump in read_dumps(landing) if not dump.refusals]
    found = []
    lines = {_place(row): row for row in _rows(raw, "lines")}
    wanted = {
        (each.file.dump_date, each.file.path, each.line.number): each
        for each in judged_lines(dumps, seeds)
    }
    for place in sorted(wanted.keys() | lines.keys()):
        name = "{} {} line {}".format(*place)
        if place not in lines or place not in wanted:
            found.append(f"{name}: only in the {'lake' if place in lines else 'landing'}")
        else:
            found += [f"{name}: {said}" for said in _line_differences(lines[place], wanted[place])]
    found += _file_differences(
        {(f["dump_date"], f["source_file"]): f for f in _rows(raw, "files")}, dumps
    )
    pairs = {
        (row["event_key"], identity(each.event))
        for place, each in wanted.items()
        if each.event is not None and (row := lines.get(place)) is not None
    }
    keys, identities = {key for key, _ in pairs}, {identity for _, identity in pairs}
    if not len(pairs) == len(keys) == len(identities):
        found.append(f"{len(keys)} event keys stand for {len(identities)} identities")
    return found


def _place(row: Row) -> tuple[Any, ...]:
    return row["dump_date"], row["source_file"], row["source_row"]


def _rows(raw: Path, name: str) -> Iterator[Row]:
    """The rows of the Parquet files that the dumps of the lake name as their `lines` or `files`."""
    for dump in sorted((raw / "dumps").glob("dt=*/dump.json")):
        named = json.loads(dump.read_text(encoding="utf-8"))[name]
        for path in [named] if isinstance(named, str) else named:
            file = str(dump.parent / path)
            relation = (
                duckdb.sql(lines_of_parts("?"), params=[[file]])
                if name == "lines"
                else duckdb.read_parquet(file)
            )
            for row in relation.fetchall():
                yield dict(zip(relation.columns, row, strict=True))


def _line_differences(row: Row, wanted: Judged) -> Iterator[str]:
    place, due = (row["outcome"], row["reason"]), (wanted.outcome, wanted.reason)
    if place != due:
        yield f"is {place}, expected {due}"
    elif wanted.event is not None:
        for column in row.keys() & wanted.event.keys():
            if row[column] != wanted.event[column]:
                yield f"{column} is {row[column]!r}, expected {wanted.event[column]!r}"
    elif wanted.outcome == "quarantined" and wanted.line.text is not None:
        yield from _text_differences(row["line"] or "", wanted.line.text)


def _text_differences(text: str, wanted: str) -> Iterator[str]:
    # White space around a quarantined line may be trimmed.
    if text.strip() != wanted.strip():
        yield f"text is {text!r:.200}, expected {wanted!r:.200}"


def _file_differences(ledger: dict[tuple[Any, ...], Row], dumps: list[Dump]) -> Iterator[str]:
    files = {(file.dump_date, file.path): file for dump in dumps for file in dump.files}
    for place in sorted(ledger.keys() | files.keys()):
        name = "{} {}".format(*place)
        if place not in ledger or place not in files:
            yield f"{name}: only in the {'lake' if place in ledger else 'landing'}"
            continue
        row, told = ledger[place], _told(files[place])
        row["unknown_keys"] = json.loads(row["unknown_keys"])
        for column, value in told.items():
            if row[column] != value:
                yield f"{name}: {column} is {row[column]!r}, expected {value!r}"


def _told(file: LandedFile) -> Row:
    told = {
        "format": file.format,
        "compression": file.compression,
        "bytes": file.size,
        "sha256": file.sha256,
        "lines": len(file.lines),
        "unknown_keys": dict(unknown_keys(file)),
    }
    return told if file.form is None else told | {"form": file.form}
