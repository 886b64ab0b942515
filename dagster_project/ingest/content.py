"""Takes the content catalogue from the landing into the lake (`getting-data-in.md`).

The catalogue is optional and holds the latest state of every item; it replaces the one before.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.ingest.compression import Damage
from dagster_project.ingest.files import FileKind, read_records
from dagster_project.ingest.lake import Lake, LakeChangedError
from dagster_project.ingest.landing import LandedFile, Landing
from dagster_project.object_store import ObjectStoreError
from dagster_project.registry import Definitions, name_key
from dagster_project.replacing import replace_text
from dagster_project.words import counted

_STEP = pa.struct(
    {
        "step_id": pa.string(),
        "position": pa.int32(),
        "name": pa.string(),
        "kind": pa.string(),
        "step_type": pa.string(),
        "is_terminal": pa.bool_(),
    }
)
_QUESTION = pa.struct({"question_id": pa.string(), "name": pa.string(), "kind": pa.string()})
_SCHEMA = pa.schema(
    {
        "system_id": pa.string(),
        "item_id": pa.string(),
        "item_type": pa.string(),
        "name": pa.string(),
        "parent_item_id": pa.string(),
        "publish_status": pa.string(),
        "run_as_automation_process": pa.bool_(),
        "has_autoplay_rule": pa.bool_(),
        "connects_to": pa.list_(pa.string()),
        "steps": pa.list_(_STEP),
        "questions": pa.list_(_QUESTION),
        "pass_mark": pa.float64(),
    }
)


_FAILURE = "failure.json"
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")
_LARGEST_POSITION = 2**31 - 1
_LINE = "line"  # of a row that is no column: where it stands in the file
_UNFIT = (ValueError, TypeError, OverflowError, pa.ArrowException)

# Says how the catalogue is read: what was read in another way is read again.
_READER_VERSION = 2


def content_columns() -> dict[str, str]:
    """Columns of the raw layer's `content_items` and their types."""
    with duckdb.connect() as connection:
        items = connection.from_arrow(_SCHEMA.empty_table())
        return dict(zip(items.columns, (str(kind).lower() for kind in items.types), strict=True))


class CatalogueError(Exception):
    """The catalogue cannot be read at all; the lake keeps the one that it had.

    Attributes:
        can_pass: whether the same file may be readable soon: the landing failed, not the file.
    """

    def __init__(self, message: str, *, can_pass: bool = False) -> None:
        super().__init__(message)
        self.can_pass = can_pass


@dataclass(frozen=True)
class LakeCatalogue:
    """What the lake says of the catalogue that it holds.

    Attributes:
        signature: of the landed file as listed, or of its absence, and of what read it.
        fingerprint: md5 of the Parquet file that holds it, with or without items.
        items: items in it, one per system, type and id (of several lines the last one counts).
        problems: lines that were left out, with the reason; the first twenty.
        lines_left_out: how many there are.
    """

    signature: str
    fingerprint: str
    items: int
    problems: tuple[str, ...]
    lines_left_out: int


def loaded_catalogue(lake: Lake) -> LakeCatalogue | None:
    """What is in the lake; None before the first run."""
    content = lake.catalogue()
    if content is None:
        return None
    return LakeCatalogue(**{**content, "problems": tuple(content["problems"])})


def catalogue_signature(landed: LandedFile | None, definitions: Definitions) -> str:
    """Changes when the landed catalogue, or what reads it, does."""
    if landed is None:
        return f"{_READER_VERSION}"
    return f"{_READER_VERSION}|{landed.bytes}|{landed.stamp}|{definitions.digest}"


def catalogue_failure(lake: Lake, signature: str) -> str | None:
    """Why the catalogue of this signature could not be read, if it was tried."""
    path = lake.root / "content" / _FAILURE
    if not path.exists():
        return None
    failure = json.loads(path.read_text(encoding="utf-8"))
    return str(failure["message"]) if failure["signature"] == signature else None


def forget_catalogue_failure(lake: Lake) -> None:
    """Let the catalogue be tried again."""
    (lake.root / "content" / _FAILURE).unlink(missing_ok=True)


def keep_catalogue(lake: Lake) -> None:
    """Let the lake hold the catalogue that it had; an empty one, if it had none."""
    if loaded_catalogue(lake) is None:
        with suppress(LakeChangedError):  # by now it has one
            _write(lake, [], "", [])


def ingest_catalogue(
    landing: Landing,
    lake: Lake,
    landed: LandedFile | None,
    definitions: Definitions,
    *,
    scratch: Path,
) -> LakeCatalogue:
    """Make the landed catalogue, or its absence, what the lake holds.

    Raises:
        CatalogueError: the file cannot be read, or no line of it can be used; the lake keeps the
            catalogue that it had, and remembers why.
    """
    signature = catalogue_signature(landed, definitions)
    problems: list[str] = []
    rows: list[dict[str, Any]] = []
    if landed is not None:
        try:
            scratch.mkdir(parents=True, exist_ok=True)
            with landing.local_copy(landed, scratch=scratch) as path:
                rows = list(_rows(path, definitions, problems).values())
        except Exception as error:
            can_pass = isinstance(error, ObjectStoreError) and error.can_pass
            reason = str(error) if isinstance(error, OSError) else type(error).__name__
            raise _noted(lake, signature, f"it cannot be read: {reason}", can_pass) from error
        if problems and not rows:
            reason = f"none of its {counted(len(problems), 'line')} can be used ({problems[0]})"
            raise _noted(lake, signature, reason, can_pass=False)
    try:
        catalogue = _write(lake, rows, signature, problems)
    except LakeChangedError as error:
        raise CatalogueError(f"{error}; the next run looks again", can_pass=True) from error
    forget_catalogue_failure(lake)
    return catalogue


def _noted(lake: Lake, signature: str, message: str, can_pass: bool) -> CatalogueError:
    message = f"{message}; mend it, and run `walkhouse run`"
    text = json.dumps({"signature": signature, "message": message})
    replace_text(lake.root / "content" / _FAILURE, text)
    return CatalogueError(message, can_pass=can_pass)


def _write(
    lake: Lake, rows: list[dict[str, Any]], signature: str, problems: list[str]
) -> LakeCatalogue:
    rows = sorted(rows, key=lambda row: (row["system_id"], row["item_type"] or "", row["item_id"]))
    new = lake.root / "content" / f".items.parquet.{uuid.uuid4().hex}"
    new.parent.mkdir(parents=True, exist_ok=True)
    try:
        pq.write_table(_table(rows, problems), new, compression="zstd")
        catalogue = LakeCatalogue(
            signature=signature,
            fingerprint=hashlib.md5(new.read_bytes()).hexdigest(),
            items=pq.read_metadata(new).num_rows,
            problems=tuple(problems[:20]),
            lines_left_out=len(problems),
        )
        lake.replace_catalogue(asdict(catalogue), new)
    finally:
        new.unlink(missing_ok=True)
    return catalogue


def _table(rows: list[dict[str, Any]], problems: list[str]) -> pa.Table:
    """The rows in their types; one that does not fit them is left out, by its line."""
    try:
        return pa.Table.from_pylist(rows, schema=_SCHEMA)
    except _UNFIT:
        tables = [_SCHEMA.empty_table()]
        for row in rows:
            try:
                tables.append(pa.Table.from_pylist([row], schema=_SCHEMA))
            except _UNFIT as error:
                problems.append(f"line {row[_LINE]}: {error}")
        return pa.concat_tables(tables).combine_chunks()


def _rows(
    path: Path, definitions: Definitions, problems: list[str]
) -> dict[tuple[str, str | None, str], dict[str, Any]]:
    item_types = {name_key(written): documented for written, documented in definitions.item_types}
    rows: dict[tuple[str, str | None, str], dict[str, Any]] = {}
    kind = FileKind("ndjson", "none", "tabular")
    damage = Damage()
    for record in read_records(path, kind, damage):
        if record.json is None:
            problems.append(f"line {record.row}: {record.problem}")
            continue
        try:
            row = _row(json.loads(record.json, parse_constant=_no_number), item_types)
        except (*_UNFIT, RecursionError, MemoryError) as error:
            problems.append(f"line {record.row}: {str(error) or type(error).__name__}")
            continue
        rows[row["system_id"], row["item_type"], row["item_id"]] = {**row, _LINE: record.row}
    return rows


def _row(item: Mapping[str, Any], item_types: Mapping[str, str]) -> dict[str, Any]:
    """One item in the types of the lake.

    Raises:
        ValueError, TypeError: a required value is absent, or one has no fitting type.
    """
    system_id, item_id = _text(item.get("system_id")), _text(item.get("item_id"))
    if item_id is None:
        raise ValueError("item_id is missing")
    written_type = _text(item.get("item_type"))
    return {
        "system_id": system_id or "unknown",
        "item_id": item_id,
        "item_type": item_types.get(name_key(written_type or ""), written_type),
        "name": _text(item.get("name")),
        "parent_item_id": _text(item.get("parent_item_id")),
        "publish_status": _text(item.get("publish_status")),
        "run_as_automation_process": _flag(item, "run_as_automation_process"),
        "has_autoplay_rule": _flag(item, "has_autoplay_rule"),
        "connects_to": [text for text in map(_text, _list(item, "connects_to")) if text],
        "steps": list(_steps(item)),
        "questions": list(_questions(item)),
        "pass_mark": _number(item, "pass_mark"),
    }


def _steps(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for step in _list(item, "steps"):
        if not isinstance(step, Mapping):
            raise TypeError(f"a step is no object: {step!r:.60}")
        yield {
            "step_id": _text(step.get("step_id")),
            "position": _position(step),
            "name": _text(step.get("name")),
            "kind": _text(step.get("kind")),
            "step_type": _text(step.get("step_type")),
            "is_terminal": _flag(step, "is_terminal"),
        }


def _questions(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for question in _list(item, "questions"):
        if not isinstance(question, Mapping):
            raise TypeError(f"a question is no object: {question!r:.60}")
        yield {name: _text(question.get(name)) for name in ("question_id", "name", "kind")}


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _HALF_A_CHARACTER.sub("\ufffd", value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise TypeError(f"text or a number is expected, not {value!r:.60}")


def _number(values: Mapping[str, Any], key: str) -> float | None:
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not math.isfinite(number := float(value)):
        raise ValueError(f"{key}: a number is expected, not {value!r:.60}")
    return number


def _position(step: Mapping[str, Any]) -> int | None:
    number = _number(step, "position")
    if number is None:
        return None
    if not number.is_integer() or abs(number) > _LARGEST_POSITION:
        raise ValueError(f"position: a whole number is expected, not {step['position']!r:.60}")
    return int(number)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _flag(values: Mapping[str, Any], key: str) -> bool | None:
    value = values.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise TypeError(f"{key}: true or false is expected, not {value!r:.60}")


def _list(values: Mapping[str, Any], key: str) -> list[Any]:
    value = values.get(key)
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise TypeError(f"{key}: a list is expected, not {value!r:.60}")
