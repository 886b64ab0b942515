"""Everything that is held of one person: an answer to who asks for access to their data.

It is read from the current release, table by table, and from the lake, where lines also are that
no table has: ignored events, later deliveries of an event, quarantined lines with the id in their
text. The id is written to the files of the answer and to nothing else, no log included.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.forgotten import RequestsError
from dagster_project.ingest.classification import lines_of_parts
from dagster_project.ingest.lake import Lake, LakeVersionError
from dagster_project.ingest.shared_lake import lake_of
from dagster_project.locks import warehouse_writer
from dagster_project.models.deployed import in_production
from dagster_project.quoting import literal
from dagster_project.registry import definitions_of
from dagster_project.release.publish import current_release
from dagster_project.settings import Settings
from dagster_project.treatment import PSEUDONYM_LENGTH, Treatment

_USER, _PERSON = "end_user_id", "person_id"
# By the id as it came, or by what stands for it.
_IS_USER = (
    f"({_USER} = $user or left({_USER}, {PSEUDONYM_LENGTH}) in"
    " (select unnest($pseudonyms::varchar[])))"
)
_LAKE = "lake.lines"
_BETWEEN = r"[^\w.@+-]"  # what no id has at its ends, as an expression


class ExportError(Exception):
    """There is nothing to export; the message says why."""


@dataclass(frozen=True)
class Held:
    """What is held of one person.

    Attributes:
        release_id: of the release that was read.
        rows: by schema and table, each with its columns; tables without any are left out.
        landed: dump and file of the landing that its lines came from; they still hold them.
        other_ids: ids of the same person that were not asked for.
    """

    release_id: str
    rows: Mapping[str, Sequence[Mapping[str, Any]]]
    landed: tuple[str, ...]
    other_ids: tuple[str, ...]


def held_of(settings: Settings, user: str) -> Held:
    """What the current release and the lake hold of an end user.

    Args:
        settings: of the installation.
        user: id of the end user, as it came in the events.

    Raises:
        ExportError: nothing is published, the id is nobody's, or its pseudonym cannot be told.
        OSError: the release or the lake cannot be read.
    """
    release = current_release(settings.published)
    if release is None:
        raise ExportError("nothing is published yet: run `walkhouse run` first")
    if not user.strip():
        raise ExportError("the id is empty, and nobody's")
    # By default, what does not fit into memory would be written where the command is called.
    with duckdb.connect(config={"temp_directory": str(settings.scratch)}) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        file = str((settings.published / "current" / "walkhouse.duckdb").resolve())
        connection.execute(f"attach {literal(file)} as release (read_only)")
        connection.execute("use release")
        lake = _lake_here(settings)
        treatment = definitions_of(in_production(settings)).treatment
        if refusal := treatment.refusal(settings.home):
            raise ExportError(refusal)
        pseudonyms = treatment.pseudonyms_of(
            user, systems_with_pseudonyms(connection, lake, treatment)
        )
        asked = {"user": user, "pseudonyms": pseudonyms}
        found = {
            table: rows
            for table, where in _conditions(connection)
            if (rows := _rows(connection, f"from {table} where {where}", asked))
        }
        others: list[dict[str, Any]] = []
        if "facts.dim_end_users" in found and _PERSON in found["facts.dim_end_users"][0]:
            others = _rows(
                connection,
                f"select {_USER} from facts.dim_end_users where not {_IS_USER} and {_PERSON} in"
                f" (select {_PERSON} from facts.dim_end_users where {_IS_USER}) order by 1",
                asked,
            )
        lines = _lines(connection, lake, user, pseudonyms)
    if lines:
        found[_LAKE] = lines
    if not found and treatment.of(_USER) == "drop":
        raise ExportError("ids of end users are dropped: nothing that is held leads to one")
    if not found:
        raise ExportError("nothing is held of an end user with this id")
    landed = {f"events/dt={line['dump_date']}/{line['source_file']}" for line in lines}
    return Held(
        release.release_id,
        found,
        landed=tuple(sorted(landed)),
        other_ids=tuple(row[_USER] for row in others),
    )


def write_held(held: Held, folder: Path) -> None:
    """Write `everything.json`, and a CSV file for each table.

    Args:
        held: what to write.
        folder: it is created; nobody but its owner may read it.

    Raises:
        OSError: it exists already, or cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True)
    content = {
        "release_id": held.release_id,
        "tables": held.rows,
        "landing": held.landed,
        "other_ids_of_the_person": held.other_ids,
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, default=str)
    (folder / "everything.json").write_text(text + "\n", encoding="utf-8")
    for table, rows in held.rows.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def _lake_here(settings: Settings) -> Lake:
    """The lake, with its data on this machine; where it is shared, a build is waited for."""
    lake = Lake(settings.lake)
    if settings.shared_lake:
        try:
            with warehouse_writer(settings.home):
                lake_of(in_production(settings)).bring_here()
        except (LakeVersionError, RequestsError) as error:
            raise ExportError(str(error)) from None
    return lake


def _conditions(release: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    """Each table that may hold the person, and which of its rows do."""
    columns: dict[str, set[str]] = {}
    for schema, table, column in release.execute(
        "select schema_name, table_name, column_name from duckdb_columns()"
        " where database_name = 'release' order by all"
    ).fetchall():
        columns.setdefault(f"{schema}.{table}", set()).add(column)
    persons = f"select {_PERSON} from facts.dim_end_users where {_IS_USER}"
    events = f"select event_key from facts.fct_item_events where {_IS_USER}"
    for table, names in columns.items():
        if _USER in names:
            yield table, _IS_USER
        elif _PERSON in names:
            yield table, f"{_PERSON} in ({persons})"
        elif "event_key" in names:
            yield table, f"event_key in ({events})"


def systems_with_pseudonyms(
    connection: duckdb.DuckDBPyConnection, lake: Lake, treatment: Treatment
) -> Sequence[str]:
    """The systems in the lake, where one person has another pseudonym in each."""
    files = _files(lake)
    if not files or treatment.of(_USER) != "pseudonym per system":
        return []
    found = connection.execute(
        f"select distinct system_id from ({lines_of_parts('?')}) where outcome = 'event'", [files]
    )
    return [system for (system,) in found.fetchall()]


def _files(lake: Lake) -> list[str]:
    return [part for day, dump in lake.dumps().items() for part in lake.parts(day, dump)]


def _lines(
    connection: duckdb.DuckDBPyConnection, lake: Lake, user: str, pseudonyms: Sequence[str]
) -> list[dict[str, Any]]:
    """Lines of the lake that are of the person, or have the id somewhere in their text."""
    files = _files(lake)
    if not files:
        return []
    written = {user, json.dumps(user)[1:-1], json.dumps(user, ensure_ascii=False)[1:-1]}
    # Not within a longer word: a short id is a part of many.
    has_it = " or ".join(
        f"regexp_matches(line, '(^|{_BETWEEN})' || regexp_escape($text_{place}) ||"
        f" '({_BETWEEN}|$)')"
        for place in range(len(written))
    )
    return _rows(
        connection,
        f"from ({lines_of_parts('$files')}) where {_IS_USER} or {has_it}"
        " order by dump_date, source_file, source_row",
        {
            "user": user,
            "pseudonyms": pseudonyms,
            "files": files,
            **{f"text_{place}": text for place, text in enumerate(sorted(written))},
        },
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: Mapping[str, object]
) -> list[dict[str, Any]]:
    used = {name: value for name, value in values.items() if f"${name}" in query}
    cursor = connection.execute(query, used)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
