"""States that come back: what was withdrawn is delivered again, what was changed is changed back.

The sensors are asked as Dagster's daemon asks them, and an instance of Dagster records the runs.
Dumps, catalogue and copies are real; a build is no more than the release that it leaves.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from dagster_project.ingest.content import ingest_catalogue
from dagster_project.ingest.dumps import ingest_connection, take_in_dump
from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import Landing
from dagster_project.operations.pending import look
from dagster_project.operations.requests import build_due, copies_due, ingest_due
from dagster_project.operations.runs import BUILD, CONCLUSIVE, COPY, INGEST, days_of
from dagster_project.registry import load_definitions
from dagster_project.release.copies.send import copies_behind, send_copies
from dagster_project.release.publish import Release
from dagster_project.settings import Settings
from tests.installation import DBT_PROJECT
from tests.object_store import ObjectStore, object_store_of_environment
from tests.whole import landings

COPY_URL = "s3://walkhouse/bi"
RUN_KEY = "dagster/run_key"
_TICKS = 8  # of each sensor, until an installation is at rest

Due = list[dg.RunRequest] | dg.RunRequest | dg.SkipReason


@dataclass
class Daemon:
    """An installation, and what Dagster's daemon does with what its sensors return."""

    settings: Settings
    instance: dg.DagsterInstance
    store: ObjectStore
    executed: list[str] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def come_to_rest(self) -> None:
        """Tick until no sensor asks for anything."""
        for _ in range(_TICKS):
            asked = [
                self._tick(INGEST, ingest_due(self.settings, self.instance), self._ingest),
                self._tick(BUILD, build_due(self.settings, self.instance), self._build),
                self._tick(COPY, copies_due(self.settings, [COPY_URL], self.instance), self._copy),
            ]
            if not any(asked):
                return
        raise AssertionError(f"asked for over and over: {self.executed}")

    def _tick(self, job: str, due: Due, execute: Callable[[dg.RunRequest], bool]) -> bool:
        if isinstance(due, dg.SkipReason):
            self.reasons[job] = due.skip_message or ""
            return False
        for request in due if isinstance(due, list) else [due]:
            assert request.run_key
            used = self.instance.get_runs(dg.RunsFilter(tags={RUN_KEY: request.run_key}))
            assert not used, f"Dagster drops this request for {job}: its key was used"
            is_success = execute(request)
            status = dg.DagsterRunStatus.SUCCESS if is_success else dg.DagsterRunStatus.FAILURE
            tags = {**request.tags, RUN_KEY: request.run_key}
            if not is_success:
                tags[CONCLUSIVE] = "true"
            self.instance.add_run(dg.DagsterRun(job_name=job, status=status, tags=tags))
            self.executed.append(job)
        return True

    def _ingest(self, request: dg.RunRequest) -> bool:
        settings, lake, landing = self._rooms()
        landed = landing.look().dumps
        definitions = load_definitions(settings.dbt_project)
        with ingest_connection(
            definitions, threads=1, memory_limit="1GB", scratch=settings.scratch
        ) as connection:
            for day in days_of(request.tags):
                take_in_dump(
                    *(landing, lake, landed.get(day), day, connection, definitions),
                    scratch=settings.scratch,
                )
        return True

    def _build(self, request: dg.RunRequest) -> bool:
        """Refused where the project says so, as a release is whose invariants do not hold."""
        del request
        settings, lake, landing = self._rooms()
        ingest_catalogue(
            *(landing, lake, landing.look().catalogue, load_definitions(settings.dbt_project)),
            scratch=settings.scratch,
        )
        if "refused" in self.model.read_text(encoding="utf-8"):
            return False
        name = uuid.uuid4().hex
        folder = settings.published / ".releases" / name
        folder.mkdir(parents=True)
        state = look(settings).state
        release = Release(name, "2026-03-01T12:00:00+00:00", "1", state, None, None, 0, 0, {})
        (folder / "release.json").write_text(json.dumps(asdict(release)), encoding="utf-8")
        (folder / "walkhouse.duckdb").write_text(name, encoding="utf-8")
        (settings.published / "current").unlink(missing_ok=True)
        (settings.published / "current").symlink_to(folder)
        return True

    def _copy(self, request: dg.RunRequest) -> bool:
        del request
        (state,) = send_copies([COPY_URL], self.settings.published, keep=2, installation="tests")
        return state.problem is None

    def _rooms(self) -> tuple[Settings, Lake, Landing]:
        lake = Lake(self.settings.lake)
        lake.prepare()
        return self.settings, lake, Landing(self.settings.landing)

    @property
    def model(self) -> Path:
        """A model of the project, which is there only to be changed."""
        return self.settings.dbt_project / "models" / "changing.sql"

    def deliver(self, day: int, content: str) -> None:
        """Have a dump lie in the landing, or none; the same content keeps the same stamps."""
        folder = Path(self.settings.landing) / "events" / f"dt=2026-03-{day:02}"
        kept = self.settings.home / "kept" / f"{day}-{content}"
        if folder.exists():
            folder.rename((folder / "_kept").read_text(encoding="utf-8"))
        if not content:
            return
        if not kept.exists():
            kept.mkdir(parents=True)
            event = landings.player(
                landings.at(f"2026-03-{day:02}T09:00:00Z"), "player/open", session=content
            )
            (kept / "a.ndjson").write_text(json.dumps(event) + "\n", encoding="utf-8")
            (kept / "_kept").write_text(str(kept), encoding="utf-8")
        kept.rename(folder)

    def catalogue(self, content: str) -> None:
        """Let the content catalogue be this; an older file comes back as it was."""
        target = Path(self.settings.landing) / "content" / "items.ndjson"
        target.parent.mkdir(exist_ok=True)
        kept = target.with_name(f".{content}")
        if not kept.exists():
            kept.write_text(json.dumps({"item_id": content}) + "\n", encoding="utf-8")
        target.unlink(missing_ok=True)
        target.hardlink_to(kept)

    def change_project(self, content: str) -> None:
        """Let a model of the project be this."""
        self.model.write_text(f"select '{content}' as content", encoding="utf-8")

    def lose_copy(self) -> None:
        """The copy is emptied by somebody else."""
        for key in self.store.keys("bi/"):
            self.store.client().delete_object(Bucket=self.store.bucket, Key=key)

    def do(self, action: tuple[str, str]) -> None:
        """One of `ACTIONS`."""
        what, content = action
        match what:
            case "catalogue":
                self.catalogue(content)
            case "project":
                self.change_project(content)
            case "copy":
                self.lose_copy()
            case day:
                self.deliver(int(day), content)


ACTIONS = [
    *((day, content) for day in ("1", "2", "4") for content in ("", "a", "b")),
    *(("catalogue", content) for content in ("1", "2")),
    *(("project", content) for content in ("one", "other", "refused")),
    ("copy", ""),
]


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store_of_environment() as running:
        yield running


@contextlib.contextmanager
def daemon(folder: Path, store: ObjectStore) -> Iterator[Daemon]:
    shutil.rmtree(folder, ignore_errors=True)
    project = folder / "dbt_project"
    (folder / "landing" / "events").mkdir(parents=True)
    (project / "models").mkdir(parents=True)
    shutil.copy(DBT_PROJECT / "dbt_project.yml", project)
    shutil.copytree(DBT_PROJECT / "seeds", project / "seeds")
    settings = Settings(
        landing=str(folder / "landing"),
        home=folder / "home",
        dbt_project=project,
        quiet_seconds=0,
        copies=(COPY_URL,),
        withdrawal_limit=100,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        made = Daemon(settings, instance, store)
        made.lose_copy()
        made.change_project("one")
        made.deliver(1, "a")
        made.deliver(6, "stays")  # for the last dump is not withdrawn by itself
        made.come_to_rest()
        made.executed.clear()
        yield made


@pytest.mark.parametrize(
    ("back_and_forth", "jobs"),
    [
        ([("1", ""), ("1", "a")], [INGEST, BUILD, COPY]),
        ([("1", "b"), ("1", "a")], [INGEST, BUILD, COPY]),
        ([("project", "other"), ("project", "one")], [BUILD, COPY]),
        ([("catalogue", "1"), ("catalogue", "2"), ("catalogue", "1")], [BUILD, COPY]),
        ([("copy", ""), ("copy", "")], [COPY]),
    ],
)
def test_a_state_that_comes_back_is_asked_for_each_time(
    tmp_path: Path, store: ObjectStore, back_and_forth: list[tuple[str, str]], jobs: list[str]
) -> None:
    with daemon(tmp_path / "installation", store) as running:
        for action in back_and_forth * 2:
            running.do(action)
            running.come_to_rest()
        assert running.executed == jobs * 2 * len(back_and_forth)


def test_a_refused_state_that_comes_back_is_tried_again(tmp_path: Path, store: ObjectStore) -> None:
    with daemon(tmp_path / "installation", store) as running:
        for content in ("refused", "other", "refused"):
            running.change_project(content)
            running.come_to_rest()
            assert ("did not change" in running.reasons[BUILD]) == (content == "refused")
        assert running.executed == [BUILD, BUILD, COPY, BUILD]


@pytest.mark.long
@given(history=st.lists(st.lists(st.sampled_from(ACTIONS), max_size=2), min_size=3, max_size=7))
@hypothesis(
    max_examples=5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_comes_and_goes_is_published_and_copied_or_says_why_not(
    tmp_path: Path, store: ObjectStore, history: list[list[tuple[str, str]]]
) -> None:
    with daemon(tmp_path / "installation", store) as running:
        for actions in history:
            for action in actions:
                running.do(action)
            running.come_to_rest()
            situation = look(running.settings)
            assert not situation.pending.dates
            assert running.reasons[INGEST] == "no dump is new, changed or withdrawn"
            assert not copies_behind([COPY_URL], running.settings.published)
            assert running.reasons[COPY] == "all copies hold the release"
            if situation.is_published:
                assert running.reasons[BUILD] == "what is in the lake is published"
            else:
                assert "did not change" in running.reasons[BUILD]
                assert "refused" in running.model.read_text(encoding="utf-8")
