"""Takes the content catalogue from the landing into the lake (`landing.md`).

The catalogue is optional and holds the latest state of every item; it replaces the one before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.ingest.compression import Damage
from dagster_project.ingest.files import FileKind, read_records
from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import LandedFile, Landing
from dagster_project.registry import Definitions, name_key
from dagster_project.replacing import replace_text, replacing

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
        "pass_mark": pa.float64(),
    }
)


def content_columns() -> dict[str, str]:
    """Columns of the raw layer's `content_items` and their types."""
    with duckdb.connect() as connection:
        items = connection.from_arrow(_SCHEMA.empty_table())
        return dict(zip(items.columns, (str(kind).lower() for kind in items.types), strict=True))


class CatalogueError(Exception):
    """The catalogue cannot be read at all; the lake keeps the one that it had."""


@dataclass(frozen=True)
class LakeCatalogue:
    """What the lake says of the catalogue that it holds.

    Attributes:
        signature: of the landed file as listed; empty without a catalogue.
        fingerprint: md5 of the Parquet file that holds it, with or without items.
        items: items in it, one per system and item id (of several lines the last one counts).
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
    path = lake.root / "content" / "content.json"
    if not path.exists():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    return LakeCatalogue(**{**content, "problems": tuple(content["problems"])})


def catalogue_signature(landed: LandedFile | None, definitions: Definitions) -> str:
    """Changes when the landed catalogue, or what reads it, does."""
    if landed is None:
        return ""
    return f"{landed.bytes}|{landed.stamp}|{definitions.digest}"


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
        CatalogueError: the file cannot be read.
    """
    signature = catalogue_signature(landed, definitions)
    if landed is None:
        return _write(lake, [], signature, [])
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        with landing.local_copy(landed, scratch=scratch) as path:
            problems: list[str] = []
            rows = _rows(path, definitions, problems)
    except OSError as error:
        raise CatalogueError(f"content/{landed.name}: {error}") from error
    return _write(lake, list(rows.values()), signature, problems)


def _write(
    lake: Lake, rows: list[dict[str, Any]], signature: str, problems: list[str]
) -> LakeCatalogue:
    folder = lake.root / "content"
    rows = sorted(rows, key=lambda row: (row["system_id"], row["item_id"]))
    with replacing(folder / "items.parquet") as new:
        pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), new, compression="zstd")
        catalogue = LakeCatalogue(
            signature=signature,
            fingerprint=hashlib.md5(new.read_bytes()).hexdigest(),
            items=len(rows),
            problems=tuple(problems[:20]),
            lines_left_out=len(problems),
        )
    replace_text(folder / "content.json", json.dumps(asdict(catalogue), indent=1))
    return catalogue


def _rows(
    path: Path, definitions: Definitions, problems: list[str]
) -> dict[tuple[str, str], dict[str, Any]]:
    item_types = {name_key(written): documented for written, documented in definitions.item_types}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    kind = FileKind("ndjson", "none", "tabular")
    damage = Damage()
    for record in read_records(path, kind, damage):
        if record.json is None:
            problems.append(f"line {record.row}: {record.problem}")
            continue
        try:
            row = _row(json.loads(record.json), item_types)
        except (ValueError, TypeError, RecursionError) as error:
            problems.append(f"line {record.row}: {error}")
            continue
        rows[row["system_id"], row["item_id"]] = row
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
        "pass_mark": None if item.get("pass_mark") is None else float(item["pass_mark"]),
    }


def _steps(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for step in _list(item, "steps"):
        if not isinstance(step, Mapping):
            raise TypeError(f"a step is no object: {step!r:.60}")
        yield {
            "step_id": _text(step.get("step_id")),
            "position": None if step.get("position") is None else int(step["position"]),
            "name": _text(step.get("name")),
            "kind": _text(step.get("kind")),
            "step_type": _text(step.get("step_type")),
            "is_terminal": _flag(step, "is_terminal"),
        }


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise TypeError(f"text or a number is expected, not {value!r:.60}")


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
