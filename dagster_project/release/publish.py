"""Writes releases and switches between them; readers see the one before or the one after.

    <published>/walkhouse.duckdb  ->  current/walkhouse.duckdb
    <published>/walkhouse-reports.duckdb  ->  current/walkhouse-reports.duckdb
    <published>/parquet           ->  current/parquet
    <published>/index.html        ->  current/index.html
    <published>/current           ->  .releases/<release id>
    <published>/releases          ->  .releases
    <published>/.releases/<release id>/walkhouse.duckdb, walkhouse-reports.duckdb,
                                  parquet/<schema>/<table>/, index.html, release.json,
                                  iceberg.json (where Spark built it)

`current` is a symbolic link that is replaced in one step, so the DuckDB files, the Parquet
files and the page change together, and going back is the same step. `releases/<release id>` stays
the same release for as long as that is kept. The links are relative: the folder can be mounted
elsewhere.

The files of a release are read-only, for their owner as well: DuckDB, which writes by default,
gets an error instead of changing what was audited. The folders are not, so that old releases can be
removed.

A rollback leaves `.held.json` beside the link. It holds for the release that it names, and only as
long as readers see that one, so the switch of the link begins it and ends it.
"""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.personal_data import Column, Table
from dagster_project.quoting import identifier, literal
from dagster_project.release.holes import copy_with_holes
from dagster_project.release.kept_reports import take_over_reports
from dagster_project.release.page.page import write_page
from dagster_project.release.parquet import VERSIONS, table_versions, write_parquet
from dagster_project.release.report_file import REPORTS, write_report_file
from dagster_project.replacing import flush_to_disk, replace_text
from dagster_project.rights import umask

_FILE = "walkhouse.duckdb"
_PAGE = "index.html"
_HEADER = "release.json"
_READ_ONLY = 0o444
_HELD = ".held.json"
_SNAPSHOTS = "iceberg.json"

STORAGE_VERSION = "v1.3.0"
"""The oldest DuckDB that reads a release; `profiles.yml` says the same of the warehouse."""


@dataclass(frozen=True)
class Kept:
    """What is kept where dumps are not kept for ever.

    Attributes:
        first_dump: the day of the first dump that is kept.
        first_report: the first day whose daily reports are kept.
    """

    first_dump: date
    first_report: date


class ReleaseError(Exception):
    """A release could not be written or found; what was published before stays."""


@dataclass(frozen=True)
class Release:
    """One published, immutable state of the warehouse.

    Attributes:
        release_id: sorts by time of publication.
        published_at: ISO 8601, UTC.
        code_version: the version of Walkhouse that built it.
        state: digest of everything that it was built from.
        first_dump_date: ISO date, None without dumps.
        last_dump_date: ISO date, None without dumps.
        dumps: how many dumps it holds.
        events: rows of `fct_item_events`.
        waivers: invariant and reason for each that was waived.
        project: digest of the deployed dbt project that built it; empty before there were any.
        project_commit: the commit that the project was deployed from, None where there is none.
        is_project_modified: whether the project differed from that commit.
        smallest_group: numbers about fewer people are empty in its second file.
        variables: what the dbt project's variables say: the reporting time zone, thresholds.
        treatment: digest of what was done to personal data; empty where nothing was.
        requests_known: how many people, in all, were to be forgotten then.
    """

    release_id: str
    published_at: str
    code_version: str
    state: str
    first_dump_date: str | None
    last_dump_date: str | None
    dumps: int
    events: int
    waivers: Mapping[str, str]
    project: str = ""
    project_commit: str | None = None
    is_project_modified: bool | None = None
    smallest_group: int = 1
    variables: Mapping[str, str | int | float] = field(default_factory=dict)
    treatment: str = ""
    requests_known: int = 0


@dataclass(frozen=True)
class Hold:
    """That a person rolled back, and what from: nothing publishes that again by itself.

    Attributes:
        release_id: what readers were sent back to.
        rolled_back_from: what they saw before.
        by: name of the account.
        at: ISO 8601, UTC.
        landing: digest of what lay in the landing; empty where it could not be told, which holds
            until somebody runs.
        lake: digest of what was in the lake.
    """

    release_id: str
    rolled_back_from: str
    by: str
    at: str
    landing: str
    lake: str

    @property
    def sentence(self) -> str:
        """It in words."""
        return (
            f"{self.rolled_back_from} was rolled back by {self.by} at {self.at}, held: readers see "
            f"{self.release_id} until the landing changes or somebody runs `walkhouse run`"
        )


@dataclass(frozen=True)
class ReleaseColumn:
    """A column of `meta.release`, the one table that publishing writes and not dbt."""

    name: str
    data_type: str
    description: str
    is_nullable: bool = False
    personal_data: str = "none"

    @property
    def comment(self) -> str:
        """It in the database, as the comments of dbt's models are written."""
        return f"{self.description} Personal data: {self.personal_data}."


RELEASE_DESCRIPTION = "One row: the release that this database is."
RELEASE_COLUMNS = (
    ReleaseColumn("release_id", "string", "Name of the release; sorts by time of publication."),
    ReleaseColumn("published_at", "timestamp", "When it was published, UTC."),
    ReleaseColumn("code_version", "string", "Version of Walkhouse that built it."),
    ReleaseColumn("first_dump_date", "date", "Day of the earliest dump in it.", is_nullable=True),
    ReleaseColumn("last_dump_date", "date", "Day of the latest dump in it.", is_nullable=True),
    ReleaseColumn("dumps", "bigint", "How many dumps it holds."),
    ReleaseColumn("events", "bigint", "Rows of facts.fct_item_events."),
    ReleaseColumn(
        "waivers",
        "string",
        "JSON object: invariants that failed and were waived, with the reason given.",
        personal_data="direct",
    ),
    ReleaseColumn("project", "string", "Digest of the deployed dbt project that built it."),
    ReleaseColumn(
        "project_commit",
        "string",
        "Commit that the project was deployed from, where there was one.",
        is_nullable=True,
    ),
    ReleaseColumn(
        "is_project_modified",
        "boolean",
        "Whether the project differed from that commit.",
        is_nullable=True,
    ),
    ReleaseColumn(
        "smallest_group",
        "bigint",
        "Numbers about fewer people are empty in `walkhouse-reports.duckdb`.",
    ),
    ReleaseColumn(
        "variables",
        "string",
        "JSON object: what the dbt project's variables say, such as the reporting time zone and the"
        " thresholds.",
    ),
)

OF_RELEASE = Table(
    "meta",
    "release",
    (),
    tuple(Column(column.name, column.personal_data, people="none") for column in RELEASE_COLUMNS),
)


def release_id(published_at: datetime, state: str) -> str:
    """The id of a release published at a time (UTC) from a state."""
    return f"{published_at:%Y%m%dT%H%M%S}-{state[:8]}"


def publish(
    warehouse: Path,
    published: Path,
    release: Release,
    tables: Sequence[tuple[str, str]],
    *,
    keep: int,
    threads: int,
    memory_limit: str,
    of_people: Sequence[Table] = (),
    kept: Kept | None = None,
    before_switch: Callable[[Mapping[str, int], Sequence[str]], None] | None = None,
) -> Path:
    """Write a release beside those that there are, and make it the current one.

    Args:
        warehouse: the DuckDB file to publish from; nobody may be writing to it.
        published: the folder that readers know.
        release: what the release says of itself.
        tables: schema and name of the tables to publish.
        keep: how many releases stay on disk.
        threads: for DuckDB.
        memory_limit: for DuckDB.
        of_people: what the tables say of people; those that do not say are in no second file.
        kept: where dumps are not kept for ever, how long what is.
        before_switch: lets other readers see it, once it is written. It is given the snapshots of
            the tables of Iceberg (see `snapshots_of`) and the ids of the releases that are kept.
            What it raises keeps the release back.

    Returns:
        the folder of the release.

    Raises:
        ReleaseError: what was written is not what the warehouse holds.
        OSError: it could not be written, for lack of space for example.
    """
    releases = published / ".releases"
    releases.mkdir(parents=True, exist_ok=True)
    for left_behind in releases.glob(".building-*"):
        shutil.rmtree(left_behind)
    building = releases / f".building-{release.release_id}"
    building.mkdir()
    try:
        _write_tables(
            warehouse,
            building,
            release,
            tables,
            previous=_folder_of_current(published),
            threads=threads,
            memory_limit=memory_limit,
            of_people=of_people,
            kept=kept,
        )
        hides = release.smallest_group > 1
        write_page(
            building / _FILE, building / _PAGE, reports=building / REPORTS if hides else None
        )
        _write_snapshots(warehouse, building / _SNAPSHOTS, tables)
        (building / _HEADER).write_text(json.dumps(asdict(release), indent=1), encoding="utf-8")
        _make_read_only(building)
        # Before the switch, or a power cut could publish half a file.
        flush_to_disk(building)
        if before_switch is not None:
            before_switch(_snapshots_in(building), _kept_ids(published, keep - 1))
        target = releases / release.release_id
        building.rename(target)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    switch_to(published, release.release_id)
    end_hold(published)
    _remove_old(published, keep=keep, first_dump=kept.first_dump if kept else None)
    return target


def switch_to(published: Path, release_id: str) -> None:
    """Make a release the current one.

    Raises:
        ReleaseError: there is no such release.
    """
    if not (release_folder(published, release_id) / _FILE).exists():
        known = ", ".join(release.release_id for release in releases(published)) or "none"
        raise ReleaseError(f"there is no release {release_id!r}; known are: {known}")
    _link(published / "releases", ".releases")
    for name in (_FILE, REPORTS, "parquet", _PAGE):
        _link(published / name, f"current/{name}")
    _link(published / "current", f".releases/{release_id}")


def release_folder(published: Path, release_id: str) -> Path:
    """Where the files of a release are, for as long as it is kept."""
    return published / ".releases" / release_id


def current_release(published: Path) -> Release | None:
    """The release that readers see now."""
    header = published / "current" / _HEADER
    return _release(header) if header.exists() else None


def _folder_of_current(published: Path) -> Path | None:
    folder = published / "current"
    return folder.resolve() if (folder / _HEADER).exists() else None


def releases(published: Path) -> list[Release]:
    """Every release on disk, the newest first."""
    headers = (published / ".releases").glob(f"[!.]*/{_HEADER}")
    return sorted(map(_release, headers), key=lambda release: release.release_id, reverse=True)


def roll_back(
    published: Path,
    release_id: str | None = None,
    *,
    by: str = "",
    landing: str = "",
    lake: str = "",
) -> Release:
    """Make an earlier release the current one: the named one, or the one before the current.

    Args:
        published: the folder that readers know.
        release_id: a release; the newest one ends what an earlier call holds.
        by: who goes back; for this and the others see `Hold`.
        landing: digest of the landing.
        lake: digest of the lake.

    Raises:
        ReleaseError: there is none.
    """
    current = current_release(published)
    if release_id is None:
        earlier = [
            release.release_id
            for release in releases(published)
            if current is not None and release.release_id < current.release_id
        ]
        if not earlier:
            raise ReleaseError("there is no earlier release to go back to")
        release_id = earlier[0]
    newest = releases(published)[:1]
    if current is not None and newest and newest[0].release_id != release_id:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        hold = Hold(release_id, current.release_id, by, now, landing, lake)
        replace_text(published / _HELD, json.dumps(asdict(hold), indent=1))
        switch_to(published, release_id)
    else:
        switch_to(published, release_id)
        end_hold(published)
    return _release(release_folder(published, release_id) / _HEADER)


def held(published: Path) -> Hold | None:
    """The rollback that readers' release is held by, if there is one."""
    current = current_release(published)
    try:
        said = json.loads((published / _HELD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    hold = Hold(**{each.name: said[each.name] for each in fields(Hold)})
    return hold if current is not None and current.release_id == hold.release_id else None


def end_hold(published: Path) -> None:
    """Let what was rolled back from be published again."""
    (published / _HELD).unlink(missing_ok=True)


def snapshots_of(published: Path) -> dict[str, int]:
    """The snapshots of the tables of Iceberg that readers see now, by `<schema>.<table>`.

    Whoever reads those tables reads these: together they are the current release. There are none
    where Spark did not build it.
    """
    return _snapshots_in(published / "current")


def _snapshots_in(folder: Path) -> dict[str, int]:
    file = folder / _SNAPSHOTS
    if not file.exists():
        return {}
    snapshots: dict[str, int] = json.loads(file.read_text(encoding="utf-8"))
    return snapshots


def _write_snapshots(warehouse: Path, file: Path, tables: Sequence[tuple[str, str]]) -> None:
    """Note which snapshots of the tables of Iceberg the release was copied from, if from any."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        noted = connection.execute(
            "select table_name from duckdb_columns() where schema_name = 'audit'"
            " and table_name = 'builds' and column_name = 'snapshot_id'"
        ).fetchall()
        if not noted:
            return
        built = connection.execute(
            "select schema_name || '.' || table_name, snapshot_id from audit.builds order by all"
        ).fetchall()
    published = {f"{schema}.{table}" for schema, table in tables}
    snapshots = {table: snapshot for table, snapshot in built if table in published}
    file.write_text(json.dumps(snapshots, indent=1), encoding="utf-8")


def _write_tables(
    warehouse: Path,
    building: Path,
    release: Release,
    tables: Sequence[tuple[str, str]],
    *,
    previous: Path | None,
    threads: int,
    memory_limit: str,
    of_people: Sequence[Table],
    kept: Kept | None,
) -> None:
    # Writing every table anew would take most of a run; a copy is as fast as the disk.
    copy_with_holes(warehouse, building / _FILE, [*tables, VERSIONS], threads=threads)
    config: dict[str, Any] = {"threads": threads, "memory_limit": memory_limit}
    config["temp_directory"] = str(building / ".temp")
    config["storage_compatibility_version"] = STORAGE_VERSION
    config["max_vacuum_tasks"] = 0  # a build puts rows together when that pays, a copy need not
    with duckdb.connect(str(building / _FILE), config=config) as target:
        versions = table_versions(target)
        _drop_what_is_not_published(target, tables)
        taken_over: Sequence[tuple[str, str]] = ()
        if kept and kept.first_report < kept.first_dump and previous:
            taken_over = take_over_reports(
                target,
                previous / _FILE,
                of_people,
                first_dump=kept.first_dump,
                first_report=kept.first_report,
            )
        _write_release_table(target, release)
        target.execute("checkpoint")
        target.execute("set timezone = 'UTC'")
        target.execute("set enable_progress_bar = false")
        write_parquet(
            target,
            building / "parquet",
            [*tables, ("meta", "release")],
            versions,
            previous=previous / "parquet" if previous else None,
            threads=threads,
        )
    write_report_file(
        building / _FILE,
        building / REPORTS,
        [*of_people, OF_RELEASE],
        smallest_group=release.smallest_group,
        config=config,
    )
    shutil.rmtree(building / ".temp", ignore_errors=True)
    _check_written(warehouse, building / _FILE, [t for t in tables if t not in taken_over])
    shared = [(table.schema, table.name) for table in of_people if not table.is_about_persons]
    _check_written(building / _FILE, building / REPORTS, shared)


def write_anew(file: Path, config: dict[str, Any]) -> None:
    """Replace a file of DuckDB by one with the same tables, and without what was deleted from it.

    Nobody else may have it open.

    Args:
        file: of DuckDB.
        config: what DuckDB is opened with.

    Raises:
        OSError: no space is left, for example.
        duckdb.Error: it cannot be read.
    """
    compact = file.with_name(f".{file.name}")
    compact.unlink(missing_ok=True)
    with duckdb.connect(str(file)):  # what a log beside it holds becomes a part of it
        pass
    # Threads would mostly wait for each other.
    config = {**config, "threads": 1, "storage_compatibility_version": STORAGE_VERSION}
    with duckdb.connect(config=config) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"attach {literal(file)} as gaps (read_only)")
        connection.execute(f"attach {literal(compact)} as compact")
        connection.execute("copy from database gaps to compact")
        connection.execute("checkpoint compact")
        connection.execute("detach compact")
    compact.replace(file)


def remove_releases(published: Path, release_ids: Collection[str]) -> list[str]:
    """Remove releases, but for the one that readers see.

    Returns:
        the ids of those that are still there.
    """
    current = current_release(published)
    left = []
    for release_id in release_ids:
        folder = release_folder(published, release_id)
        if current is not None and current.release_id == release_id:
            left.append(release_id)
        elif folder.exists():
            shutil.rmtree(folder)
    return left


def _drop_what_is_not_published(
    target: duckdb.DuckDBPyConnection, tables: Sequence[tuple[str, str]]
) -> None:
    """Keep the published tables and nothing else."""
    schemas = {schema for schema, _ in tables}
    existing = target.execute(
        "select distinct schema_name from duckdb_schemas()"
        " where database_name = current_database() and not internal and schema_name <> 'main'"
    ).fetchall()
    for (schema,) in existing:
        if schema not in schemas:
            target.execute(f"drop schema {identifier(schema)} cascade")
    for kind in ("view", "table"):
        for schema, name in target.execute(
            f"select schema_name, {kind}_name from duckdb_{kind}s()"
            " where database_name = current_database() and not internal"
        ).fetchall():
            if (schema, name) not in tables:
                target.execute(f"drop {kind} {identifier(schema, name)}")


def release_values(release: Release) -> dict[str, Any]:
    """What `meta.release` says of a release, by column."""
    published_at = datetime.fromisoformat(release.published_at)
    return {
        **asdict(release),
        "published_at": published_at.astimezone(UTC).replace(tzinfo=None),
        "waivers": json.dumps(dict(release.waivers)),
        "variables": json.dumps(dict(release.variables)),
    }


def _write_release_table(target: duckdb.DuckDBPyConnection, release: Release) -> None:
    values = release_values(release)
    columns = ", ".join(f"?::{column.data_type} as {column.name}" for column in RELEASE_COLUMNS)
    target.execute("create schema if not exists meta")
    target.execute(
        f"create table meta.release as select {columns}",
        [values[column.name] for column in RELEASE_COLUMNS],
    )
    target.execute(f"comment on table meta.release is {literal(RELEASE_DESCRIPTION)}")
    for column in RELEASE_COLUMNS:
        target.execute(f"comment on column meta.release.{column.name} is {literal(column.comment)}")


def _check_written(warehouse: Path, written: Path, tables: Sequence[tuple[str, str]]) -> None:
    """Read the release back as a reader would, and count."""
    with (
        duckdb.connect(str(written), read_only=True) as release,
        duckdb.connect(str(warehouse), read_only=True) as source,
    ):
        for schema, table in tables:
            count = f"select count(*) from {identifier(schema, table)}"
            found, expected = (c.execute(count).fetchall()[0][0] for c in (release, source))
            if found != expected:
                raise ReleaseError(
                    f"{schema}.{table}: {found} rows were written of {expected}; not published"
                )


def _make_read_only(folder: Path) -> None:
    read_only = _READ_ONLY & ~umask()
    for path in folder.rglob("*"):
        # What is linked from the release before is read-only already, or of an earlier version.
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) != read_only:
            path.chmod(read_only)


def _link(path: Path, target: str) -> None:
    if path.is_symlink() and path.readlink() == Path(target):
        return
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(path)


def _kept_ids(published: Path, keep: int) -> list[str]:
    """The releases that stay, and the one that readers see."""
    current = current_release(published)
    ids = [release.release_id for release in releases(published)[:keep]]
    return ids if current is None or current.release_id in ids else [*ids, current.release_id]


def _remove_old(published: Path, *, keep: int, first_dump: date | None = None) -> None:
    """Remove releases that are not kept, and those that hold what is not kept any more."""
    current = current_release(published)
    for place, release in enumerate(releases(published)):
        is_too_old = first_dump is not None and (
            release.first_dump_date is not None
            and date.fromisoformat(release.first_dump_date) < first_dump
        )
        is_treated_otherwise = current is not None and release.treatment != current.treatment
        is_current = current is not None and release.release_id == current.release_id
        if (place >= keep or is_too_old or is_treated_otherwise) and not is_current:
            shutil.rmtree(release_folder(published, release.release_id))


def _release(header: Path) -> Release:
    """What a release says of itself; other versions may have written more, or not yet as much."""
    said = json.loads(header.read_text(encoding="utf-8"))
    return Release(**{each.name: said[each.name] for each in fields(Release) if each.name in said})
