"""Policies of personal data on a home that has published without any: nothing of before is left."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest.lake import Lake
from dagster_project.models.deployed import Deployments
from dagster_project.release.copies.owner import installation_id
from dagster_project.release.copies.send import copy_states, send_copies
from dagster_project.release.publish import releases
from tests.installation import Installation, said
from tests.object_store import ObjectStore, object_store
from tests.postgres_server import Server, running_server
from tests.treated import A_KEY, ANOTHER_KEY, project_with

pytestmark = pytest.mark.long

PSEUDONYMS = ("end_user_id", "session_id", "play_id", "interaction_guid", "visit_id")
DROPPED = ("page_title", "user_name", "user_info", "search_terms", "value")
POLICIES = {
    **dict.fromkeys(PSEUDONYMS, "pseudonym"),
    **dict.fromkeys(DROPPED, "drop"),
    "page_path": "host only",
    "survey_answers": "numbers",
}
# Titles and paths of pages are no examples: in the simulation they are called as other things are.
GONE = (*PSEUDONYMS, "user_name", "user_info")
SHORTEST = 8  # what is shorter stands in many a file by chance
EXAMPLES = 8  # of each column
TABLES = """
    select schema_name, table_name from duckdb_tables()
    where database_name = current_database() and not internal
"""


@dataclass(frozen=True)
class Before:
    """What a release without policies said."""

    secrets: frozenset[str]
    counts: dict[str, int]
    people: list[object]

    @classmethod
    def of(cls, installation: Installation) -> Before:
        secrets = [
            text
            for column in GONE
            for (text,) in installation.ask(
                f"select distinct {column} from facts.fct_item_events"
                f" where length({column}) >= {SHORTEST} order by md5({column}) limit {EXAMPLES}"
            )
        ]
        return cls(frozenset(secrets), counts(installation), people(installation))


def counts(installation: Installation) -> dict[str, int]:
    """Rows of each published fact and dimension."""
    tables = installation.ask(f"{TABLES} and schema_name = 'facts'")
    return {
        table: installation.ask(f"select count(*) from facts.{table}")[0][0] for _, table in tables
    }


def people(installation: Installation) -> list[object]:
    """The scores that they gave, and how many of them nobody knows."""
    return [
        *installation.ask(
            "select item_id, started_at, nps_score, nps_basis from facts.fct_survey_answers"
            " where nps_score is not null order by all"
        ),
        *installation.ask(
            "select is_anonymous, count(*) from facts.dim_people group by all order by all"
        ),
    ]


def texts_of(path: Path) -> str:
    """All that a file holds: its bytes and, where it packs its values, these."""
    content = path.read_bytes()
    texts = [content.decode("utf-8", "replace"), content.decode("utf-16-le", "replace")]
    with duckdb.connect() as connection:
        if path.suffix == ".parquet":
            texts += map(str, connection.execute("from read_parquet(?)", [str(path)]).fetchall())
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for schema, table in connection.execute(TABLES).fetchall():
                texts += map(str, connection.execute(f'from "{schema}"."{table}"').fetchall())
    return "\n".join(texts)


@dataclass(frozen=True)
class Copies:
    """Where copies are, of which each held a release without policies."""

    store: ObjectStore
    server: Server

    @property
    def urls(self) -> list[str]:
        return [f"s3://{self.store.bucket}/copy", self.server.url("postgres")]


@pytest.fixture(scope="module")
def copies() -> Iterator[Copies]:
    with (
        object_store() as store,
        running_server() as server,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in store.environment.items():
            environment.setenv(name, value)
        yield Copies(store, server)


@pytest.fixture(scope="module")
def treated(
    installation_of_releases: Installation, copies: Copies, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Installation, Before]]:
    """A copy of a home with two releases, and copies of one, after a run under policies."""
    folder = tmp_path_factory.mktemp("treated")
    before = installation_of_releases
    project = project_with(POLICIES, folder / "project")
    installation = Installation(before.landing, folder / "home", project)
    leave = shutil.ignore_patterns("dagster", "locks", "deployed")
    shutil.copytree(before.home, installation.home, symlinks=True, ignore=leave)
    for file in (installation.home / "published" / ".releases").rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)
    deployments = Deployments(installation.home / "deployed")
    with deployments.deploying(), deployments.copy(project) as copy:
        deployments.deploy(copy, commit=None)
    owner = installation_id(installation.home)
    states = send_copies(copies.urls, installation.published.parent, keep=3, installation=owner)
    assert [state.problem for state in states] == [None, None]
    variables = {**copies.store.environment, "WALKHOUSE_COPIES": " ".join(copies.urls)}
    run = installation.walkhouse("run", WALKHOUSE_PERSONAL_KEY=A_KEY, **variables)
    assert run.returncode == 0, said(run)
    yield installation, Before.of(before)
    shutil.rmtree(folder)


def test_it_counts_what_it_counted(treated: tuple[Installation, Before]) -> None:
    installation, before = treated

    assert counts(installation) == before.counts
    assert people(installation) == before.people
    assert len(before.people) > 2
    ids = installation.ask("select distinct end_user_id, session_id from facts.fct_item_events")
    assert all(text.startswith("p-") for row in ids for text in row)


def test_no_file_of_the_home_holds_what_is_not_kept_nor_the_key(
    treated: tuple[Installation, Before],
) -> None:
    installation, before = treated
    assert len(before.secrets) > 4 * EXAMPLES

    for path in installation.home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            texts = texts_of(path)
            assert A_KEY not in texts, path
            assert not sorted(text for text in before.secrets if text in texts)[:5], path


def test_no_copy_holds_what_is_not_kept_nor_the_key(
    treated: tuple[Installation, Before], copies: Copies, tmp_path: Path
) -> None:
    installation, before = treated
    secrets = before.secrets | {A_KEY}
    assert [state.release_id for state in copy_states(copies.urls)] == [
        release.release_id for release in releases(installation.published.parent)
    ] * 2

    keys = copies.store.keys()
    assert len(keys) > 40
    for number, key in enumerate(keys):
        file = tmp_path / f"{number}-{Path(key).name}"
        file.write_bytes(copies.store.get(key))
        texts = texts_of(file)
        assert not sorted(text for text in secrets if text in texts)[:5], key
    sought = [text.encode() for text in secrets]
    for file in copies.server.files("postgres"):
        content = file.read_bytes()
        assert not sorted(text for text in sought if text in content)[:5], file


def test_releases_of_before_are_gone(treated: tuple[Installation, Before]) -> None:
    installation, _ = treated
    (release,) = releases(installation.published.parent)
    dumps = Lake(installation.home / "lake" / "raw").dumps().values()

    assert {dump.treatment for dump in dumps} == {release.treatment} != {""}


def test_another_key_changes_nothing(treated: tuple[Installation, Before]) -> None:
    installation, _ = treated
    before = {path: path.stat().st_mtime_ns for path in installation.home.rglob("*")}

    for key in ("", ANOTHER_KEY):
        run = installation.walkhouse("run", WALKHOUSE_PERSONAL_KEY=key)
        assert run.returncode == 2, said(run)
        assert len(said(run).strip().splitlines()) == 1
    assert {path: path.stat().st_mtime_ns for path in installation.home.rglob("*")} == before


def test_everything_of_a_person_is_found_by_the_id_as_it_came(
    treated: tuple[Installation, Before], installation_of_releases: Installation, tmp_path: Path
) -> None:
    installation, _ = treated
    ((user, events),) = installation_of_releases.ask(
        "select end_user_id, count(*) from facts.fct_item_events group by all"
        " order by count(*) desc, end_user_id limit 1"
    )
    arguments = ("export", "--user", user, "--to", str(tmp_path / "answer"))

    assert "needs a key" in said(installation.walkhouse(*arguments))
    exported = installation.walkhouse(*arguments, WALKHOUSE_PERSONAL_KEY=A_KEY)
    assert exported.returncode == 0, said(exported)
    held = json.loads((tmp_path / "answer" / "everything.json").read_text(encoding="utf-8"))
    assert len(held["tables"]["facts.fct_item_events"]) == events
