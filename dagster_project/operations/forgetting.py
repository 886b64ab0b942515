"""Forgetting people: what `walkhouse forget` asks for, and what every run then brings about.

    ask       looks people up in the lake and in the releases, and notes the request
    (run)     reads the dumps that hold them again, builds, and publishes a release without them
    finish    removes what shows them elsewhere, or says what it could not remove

The request is the first thing that is written, so whoever is killed leaves one that the next run
takes up. Until each dump that holds them is read again, nothing is published. It is finished when
nothing is left that shows them.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from dagster_project.forgotten import (
    People,
    Request,
    RequestsError,
    is_open,
    length_of,
    load_requests,
    person_of,
    refusal_of,
    save_requests,
)
from dagster_project.ingest.classification import MAY_MENTION, lines_of_parts
from dagster_project.ingest.dumps import shows_the_forgotten
from dagster_project.ingest.lake import Lake, LakeChangedError
from dagster_project.ingest.shared_lake import SharedLake, lake_of
from dagster_project.keyed_hash import Key, KeyRefusedError, key_refusal, note_key
from dagster_project.locks import copies_writer, warehouse_writer
from dagster_project.models.deployed import in_production
from dagster_project.operations.export import systems_with_pseudonyms
from dagster_project.operations.leftovers import remove_leftovers
from dagster_project.quoting import literal
from dagster_project.registry import definitions_of
from dagster_project.release.copies.owner import installation_id
from dagster_project.release.copies.send import remove_traces
from dagster_project.release.publish import (
    current_release,
    release_folder,
    releases,
    remove_releases,
)
from dagster_project.settings import Settings
from dagster_project.treatment import PSEUDONYM_LENGTH, PURPOSE_OF_FORGETTING, Treatment

logger = logging.getLogger("walkhouse")

_WHOLE_NUMBER = re.compile(r"(-?\d+)\.0+")


class ForgetError(Exception):
    """Nothing was changed; the message says why."""


@dataclass(frozen=True)
class Asked:
    """What came of asking.

    Attributes:
        requests: those that are new.
        known: places in the list of ids of those who are forgotten already.
        nobody: places of those of whom nothing is held.
        landed: dump and file of the landing that hold one of them; Walkhouse only reads there.
        other_ids: ids of the same people that were not asked for.
    """

    requests: tuple[Request, ...]
    known: tuple[int, ...]
    nobody: tuple[int, ...]
    landed: tuple[str, ...]
    other_ids: tuple[str, ...]


def ask(
    settings: Settings,
    users: Sequence[str],
    *,
    system_id: str | None = None,
    is_removal: bool = False,
    now: datetime | None = None,
) -> Asked:
    """Note that people are to be forgotten, as far as anything is held of them.

    Dumps that are being taken in are waited for, and so is a build.

    Args:
        settings: of the installation.
        users: their ids, as they came in the events.
        system_id: of the system that it is about; None for all.
        is_removal: whether their events are left out.
        now: the time; the clock's by default.

    Raises:
        KeyRefusedError: there is no key, or it is not the one of this home.
        RequestsError: the list of requests cannot be read, or another machine replaced it.
        LakeVersionError: a shared lake is of another version.
        OSError: lake or releases cannot be read, or the request cannot be written.
    """
    users = tuple(dict.fromkeys(_WHOLE_NUMBER.sub(r"\1", user) for user in users))
    key = Key.of(settings.personal_key) if settings.personal_key else None
    refusal = key_refusal(settings.home, key, purpose=PURPOSE_OF_FORGETTING)
    if key is None or refusal is not None:
        raise KeyRefusedError(refusal)
    with warehouse_writer(settings.home):
        lake = lake_of(in_production(settings))
        lake.bring_here()
        requests = load_requests(settings.home)
        if refusal := refusal_of(key, requests):
            raise KeyRefusedError(refusal)
        held = _look_up(settings, users, key, system_id)
        at = (now or datetime.now(UTC)).isoformat(timespec="seconds").removesuffix("+00:00")
        new: list[Request] = []
        known: list[int] = []
        nobody: list[int] = []
        for place, user in enumerate(users, start=1):
            person = person_of(user, key)
            before = [
                each
                for each in requests
                if each.person == person
                and (system_id is None or each.system_id in (None, system_id))
            ]
            dumps = held.dumps.get(place, set())
            if is_removal:
                dumps = dumps | _dumps_of(settings, [e for e in before if not e.is_removal])
            noted = {release for each in before for release in each.releases}
            in_releases = place in held.in_releases and not held.releases <= noted
            if not dumps and not in_releases:
                (known if before else nobody).append(place)
                continue
            new.append(
                Request(
                    number=len(requests) + len(new) + 1,
                    person=person,
                    length=length_of(user),
                    system_id=system_id,
                    is_removal=is_removal,
                    asked_at=at,
                    key=key.fingerprint,
                    dumps=tuple(sorted(dumps)),
                    releases=tuple(sorted(held.releases)),
                    is_noted_by_dumps=isinstance(lake, SharedLake),
                )
            )
        if new:
            note_key(settings.home, key)  # it is the home's now
            treatment = definitions_of(in_production(settings)).treatment
            _save(settings, lake, [*requests, *new])
            if isinstance(lake, SharedLake):
                _note_looked_through(settings, lake, treatment, new)
        landed = {file for place in held.dumps for file in held.landed[place]}
    return Asked(tuple(new), tuple(known), tuple(nobody), tuple(sorted(landed)), held.other_ids)


def still_shown(settings: Settings, lake: Lake | None = None) -> list[str]:
    """Why nothing may be published: the dumps in the lake that hold somebody who is forgotten.

    Args:
        settings: of the installation.
        lake: to look into; by default the folder of the home, from which is built.
    """
    treatment = definitions_of(in_production(settings)).treatment
    return [
        f"dump {day} holds somebody who is to be forgotten, and was not read again; run "
        "`walkhouse run`, and withdraw the dump if it cannot be read"
        for day, dump in sorted((lake or Lake(settings.lake)).dumps().items())
        if shows_the_forgotten(dump, treatment)
    ]


def releases_to_remove(settings: Settings) -> list[str]:
    """The releases that show somebody who is to be forgotten."""
    open_ones = [each for each in load_requests(settings.home) if each.finished_at is None]
    return sorted({release for each in open_ones for release in each.releases})


def finish(
    settings: Settings,
    copies: Sequence[str],
    clean_records: Callable[[Callable[[str], bool]], list[str]],
) -> list[str]:
    """Remove what shows people who are to be forgotten, now that a release without them is there.

    Args:
        settings: of the installation.
        copies: their URLs; in Dagster, settings have none.
        clean_records: removes Dagster's records that a condition holds of, and says what it could
            not remove.

    Returns:
        what is left to do, in sentences; nothing where all requests are finished.

    Raises:
        RequestsError: the list of requests cannot be read.
        OSError: something could not be removed.
    """
    lake = lake_of(settings)
    lake.read()  # with it, what other machines were asked
    requests = load_requests(settings.home)
    if not is_open(requests):
        return []
    left = sorted({*still_shown(settings), *still_shown(settings, lake)})
    release = current_release(settings.published)
    if not left and (release is None or release.requests_known < len(requests)):
        left = ["no release without those who are to be forgotten is published yet"]
    if left:
        return left
    treatment = definitions_of(in_production(settings)).treatment
    if refusal := treatment.refusal(settings.home):
        return [refusal]
    with warehouse_writer(settings.home):
        remove_leftovers(settings)
        left += [
            f"release {release_id} shows somebody who is forgotten"
            for release_id in remove_releases(settings.published, releases_to_remove(settings))
        ]
        left += _remove_development(settings.development)
        left += _remove_tables(settings)
        left += _remove_texts(settings, treatment.people)
    left += clean_records(treatment.people.is_mentioned)
    left += [
        f"s3://{path} is no part of the lake, and may show somebody who is forgotten: an upload "
        "that goes on, or was broken off; a day after it began it is removed"
        for path in lake.leftovers()
    ]
    with copies_writer(settings.home):
        left += remove_traces(copies, settings.published, installation_id(settings.home))
    if left:
        return left
    with warehouse_writer(settings.home):
        at = datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
        done = [
            replace(each, finished_at=at)
            if each.finished_at is None and each.number <= len(requests)
            else each
            for each in load_requests(settings.home)
        ]
        _save(settings, lake, done)
    logger.info("nothing is left of those who were to be forgotten")
    return []


def _note_looked_through(
    settings: Settings, lake: SharedLake, before: Treatment, new: Sequence[Request]
) -> None:
    """Have the dumps note that they hold nobody of some new requests; the others are read again.

    Args:
        settings: of the installation.
        lake: as it was when people were looked up.
        before: the treatment without these requests.
        new: the requests.
    """
    holding = {day for each in new for day in each.dumps}
    now = definitions_of(in_production(settings)).treatment
    known = len(now.requests)
    lake.note_looked_through(
        [
            day
            for day, dump in lake.dumps().items()
            if day not in holding and not shows_the_forgotten(dump, before)
        ],
        known,
        now.forgotten_by(known),
    )
    lake.bring_here()  # with these notes


def _save(settings: Settings, lake: Lake, requests: Sequence[Request]) -> None:
    """Replace the list of requests: first where other machines see it.

    Raises:
        RequestsError: another machine did at the same time.
    """
    if isinstance(lake, SharedLake):
        try:
            lake.send_requests(requests)
        except LakeChangedError as error:
            raise RequestsError(f"{error}; run again") from None
    save_requests(settings.home, requests)


# ---------- Who is held, and where


@dataclass(frozen=True)
class _Held:
    """What is held of people, by their places in the list of ids."""

    dumps: dict[int, set[date]]
    in_releases: set[int]
    releases: set[str]
    landed: dict[int, set[str]]
    other_ids: tuple[str, ...]


def _look_up(settings: Settings, users: Sequence[str], key: Key, system_id: str | None) -> _Held:
    treatment = definitions_of(in_production(settings)).treatment
    people = People.asked_for(users, key, system_id=system_id)
    dumps: dict[int, set[date]] = {}
    landed: dict[int, set[str]] = {}
    in_releases: set[int] = set()
    shown: set[str] = set()
    sure: set[int] = set()
    with duckdb.connect(config={"temp_directory": str(settings.scratch)}) as connection:
        connection.execute("set enable_progress_bar = false")
        people.give_to(connection)
        lake = Lake(settings.lake)
        loaded = lake.dumps()
        systems = (
            [system_id]
            if system_id is not None
            else systems_with_pseudonyms(connection, lake, treatment)
        )
        pseudonyms = {
            pseudonym: place
            for place, user in enumerate(users, start=1)
            for pseudonym in replace(treatment, key=key).pseudonyms_of(user, systems)
        }
        for day, dump in loaded.items():
            parts = ", ".join(literal(part) for part in lake.parts(day, dump))
            if not parts:
                continue
            lines = lines_of_parts(f"[{parts}]")
            columns = [*MAY_MENTION, "line"]
            found = _found(connection, lines, columns, people, pseudonyms, "source_file")
            for place, file, system in found:
                dumps.setdefault(place, set()).add(day)
                landed.setdefault(place, set()).add(f"events/dt={day}/{file}")
                if system_id in (None, system):
                    sure.add(place)
        for release in releases(settings.published):
            folder = release_folder(settings.published, release.release_id)
            places = _places_in_release(connection, folder / "walkhouse.duckdb", people, pseudonyms)
            in_releases |= places
            shown |= {release.release_id} if places else set()
        other_ids = _other_ids(connection, settings, pseudonyms)
    if system_id is not None:
        # A line that says nothing of its system may be of this one, or of any other.
        for place in (dumps.keys() | in_releases) - sure:
            dumps.pop(place, None)
            in_releases.discard(place)
    return _Held(dumps, in_releases, shown, landed, other_ids)


def _found(
    connection: duckdb.DuckDBPyConnection,
    rows: str,
    columns: Sequence[str],
    people: People,
    pseudonyms: Mapping[str, int],
    where: str,
) -> Iterator[tuple[int, str, str | None]]:
    """Who is in which rows: the place of an id, what a column says of the row, and its system."""
    mentions = " or ".join(f"is_mentioned({column}, system_id)" for column in columns)
    query = (
        f"select distinct {where}, end_user_id, system_id, case when {mentions} then"
        f" [{', '.join(columns)}] else [] end from ({rows})"
        f" where request_of(end_user_id, system_id) is not null or {mentions}"
        f" or left(end_user_id, {PSEUDONYM_LENGTH}) in (select unnest($pseudonyms::varchar[]))"
    )
    for said, user, system, texts in connection.execute(
        query, {"pseudonyms": [*pseudonyms]}
    ).fetchall():
        own = people.request_of(user, system) or pseudonyms.get((user or "")[:PSEUDONYM_LENGTH])
        if own is not None:
            yield own, said, system
        for text in filter(None, texts):
            for place in people.mentioned_in(text, system):
                yield place, said, system


def _places_in_release(
    connection: duckdb.DuckDBPyConnection, file: Path, people: People, pseudonyms: Mapping[str, int]
) -> set[int]:
    """Who is in a release; all its tables follow from its events and its quarantine."""
    found: set[int] = set()
    connection.execute(f"attach {literal(str(file))} as release (read_only)")
    try:
        known = connection.execute(
            "select table_name, list(column_name) from duckdb_columns()"
            " where database_name = 'release' and data_type = 'VARCHAR'"
            " and table_name in ('fct_item_events', 'quarantine') group by all"
        ).fetchall()
        for table, columns in known:
            schema = "facts" if table == "fct_item_events" else "meta"
            rows = f"from release.{schema}.{table}"
            if table == "quarantine":
                rows = f"select *, null as end_user_id, null as system_id {rows}"
            texts = [column for column in (*MAY_MENTION, "line", "detail") if column in columns]
            places = _found(connection, rows, texts, people, pseudonyms, "''")
            found |= {place for place, *_ in places}
    finally:
        connection.execute("detach release")
    return found


def _other_ids(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    pseudonyms: Mapping[str, int],
) -> tuple[str, ...]:
    """Ids of the same people, as the current release tells them."""
    file = settings.published / "current" / "walkhouse.duckdb"
    if not file.exists():
        return ()
    connection.execute(f"attach {literal(str(file.resolve()))} as release (read_only)")
    try:
        rows = connection.execute(
            f"""
            with users as (
                select
                    *,
                    request_of(end_user_id, null) is not null
                    or left(end_user_id, {PSEUDONYM_LENGTH}) in (select unnest(?::varchar[]))
                        as is_asked
                from release.facts.dim_end_users
            )
            select end_user_id
            from users
            where
                not is_asked
                and person_id in (select person_id from users where is_asked)
            order by end_user_id
            """,
            [[*pseudonyms]],
        ).fetchall()
    except duckdb.Error:  # an earlier version published no such table
        rows = []
    finally:
        connection.execute("detach release")
    return tuple(user for (user,) in rows)


def _dumps_of(settings: Settings, requests: Collection[Request]) -> set[date]:
    """The dumps in which people were forgotten."""
    numbers = {str(each.number) for each in requests}
    return {
        day
        for day, dump in Lake(settings.lake).dumps().items()
        if numbers & dump.forgotten_events.keys()
    }


# ---------- What shows them elsewhere


def _remove_development(file: Path) -> list[str]:
    """An analyst's file is built anew by their next `dbt build`."""
    if not file.exists():
        return []
    try:
        duckdb.connect(str(file)).close()
    except duckdb.Error as error:
        if "lock" not in str(error):
            raise
        return [f"{file} may show somebody who is forgotten, and is in use; end that, run again"]
    for path in (file, file.with_name(f"{file.name}.wal")):
        path.unlink(missing_ok=True)
    logger.info("%s is removed, which may show them: `dbt build` builds it anew", file)
    return []


def _remove_tables(settings: Settings) -> list[str]:
    """Tables of Iceberg that no release clears: an analyst's, and those of another engine."""
    of_analysts = Path(f"{settings.iceberg}-dev")
    if "://" in settings.iceberg:
        logger.warning("%s-dev may show them, where analysts build with Spark", settings.iceberg)
    elif of_analysts.exists():
        shutil.rmtree(of_analysts)
        logger.info("%s is removed, which may show them: `dbt build` builds it anew", of_analysts)
    if settings.engine != "spark" and Path(settings.iceberg).exists():
        return [
            f"{settings.iceberg} has tables that Spark built before, which may show somebody who is"
            " forgotten: remove it, or build with Spark"
        ]
    return []


_TEXTS_OF_OTHERS = ("deployed", "dagster", "scratch", "export")
_NO_TEXTS = ("lake", "published", "locks")
_BINARY = (".duckdb", ".wal", ".parquet", ".db", ".db-wal", ".db-shm")


def _remove_texts(settings: Settings, people: People) -> list[str]:
    """Remove logs and answers in the home that name them, and say which other files do."""
    left = []
    for folder, folders, names in os.walk(settings.home):
        inside = Path(folder).relative_to(settings.home)
        if inside == Path():
            folders[:] = [name for name in folders if name not in _NO_TEXTS]
        for name in names:
            path = Path(folder) / name
            if not _may_name(path, inside) or not _names(path, people):
                continue
            if name == "everything.json" or path.with_name("everything.json").exists():
                shutil.rmtree(path.parent)  # an answer of `walkhouse export`
                logger.info("%s is removed, which names them", path.parent)
                break
            if inside.parts[:1] and inside.parts[0] in _TEXTS_OF_OTHERS:
                path.unlink()
                logger.info("%s is removed, which names them", path)
            else:
                left.append(f"{path} names somebody who is forgotten: remove it")
    return left


def _may_name(path: Path, inside: Path) -> bool:
    """Whether a file is one of text, and no part of a dbt project: that has no data but in logs."""
    if path.suffix in _BINARY or not path.is_file():
        return False
    return inside.parts[:1] != ("deployed",) or ".log" in path.name


def _names(path: Path, people: People) -> bool:
    """Whether a file of text names somebody."""
    if path.name == "everything.json":
        return any(
            people.request_of(text, None) is not None or people.is_mentioned(text)
            for text in _strings(json.loads(path.read_text(encoding="utf-8")))
        )
    with path.open(encoding="utf-8", errors="replace") as lines:
        return any(people.is_mentioned(line) for line in lines)


def _strings(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for key, value in content.items():
            yield str(key)
            yield from _strings(value)
    elif isinstance(content, list):
        for value in content:
            yield from _strings(value)
