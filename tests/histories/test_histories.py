"""Always equal: after any history, every table has the rows of a full rebuild.

A history delivers, corrects, repeats and withdraws dumps in any order, changes the catalogue, the
definitions and the reporting time zone, and builds parts in between. The default takes one look at
a few fixed ones; `HYPOTHESIS_PROFILE=thorough` looks at long ones for an hour or so, at others each
time it is run.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.histories.events import DAYS, Event, Flow, day_of, events, flows
from tests.histories.workbench import Workbench
from tests.installation import DBT_PROJECT
from tests.whole.landings import ndjson

_COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), database=None)
PROFILES = {
    "quick": settings(
        _COMMON,
        max_examples=3,  # of these, the first two are next to nothing
        stateful_step_count=16,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
    ),
    "thorough": settings(_COMMON, max_examples=12, stateful_step_count=40, print_blob=True),
}
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "quick")

# What a change of the definitions replaces in a seed, and by what.
DEFINITIONS = {
    "engagement": ("event_definitions", "Task,Play,interaction,", "Task,Play,outcome,"),
    "cap": (
        "event_definitions",
        "Menu,Open,interaction,exposure,,",
        "Menu,Open,interaction,exposure,session,",
    ),
    "raw name": ("raw_names", "Launcher,Click,launcher,click,", "Launcher,Click,launcher,tapped,"),
    "anonymous ids": ("anonymous_ids", "Cache,", "Cache,u-4"),
    "initiator": ("initiators", "3,launcher,true", "3,launcher,false"),
}
ZONES = (
    ("UTC", "America/New_York") if PROFILE == "quick" else ("UTC", "America/New_York", "Asia/Tokyo")
)
PARTS = ("fct_tasks", "fct_item_events", "fct_flow_plays", "reports", "facts", "dim_items+")
MODELS = sorted(path.stem for path in DBT_PROJECT.glob("models/[!s]*/*.sql"))
CHANGES_BETWEEN_BUILDS = 4
MOST_BUILDS = 2 if PROFILE == "quick" else 1000

_dumps = st.integers(0, DAYS - 1)
_parts = st.sampled_from(PARTS)
if PROFILE != "quick":
    # Any few models, some of which are then ahead of what they read.
    _parts |= st.sets(st.sampled_from(MODELS), min_size=1, max_size=5).map(sorted).map(" ".join)
_dumped = _dumps.flatmap(lambda day: st.tuples(st.just(day), st.lists(events(day), max_size=12)))


class Histories(RuleBasedStateMachine):
    """A landing to which things happen, and a warehouse that follows."""

    bench: ClassVar[Workbench | None] = None
    folder: ClassVar[TemporaryDirectory[str] | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.changes = 0
        self.builds = 0
        self.is_compared = True
        self.has_failed = False

    @property
    def workbench(self) -> Workbench:
        """The one workbench of all histories: parsing a dbt project takes long."""
        if Histories.bench is None:
            Histories.folder = TemporaryDirectory(prefix="histories-")
            Histories.bench = Workbench(Path(Histories.folder.name))
        return Histories.bench

    @initialize()
    def begin_with_two_dumps(self) -> None:
        """Every history goes on from the same first dumps."""
        self.workbench.empty()
        _first_dumps(self.workbench)

    @rule()
    def nothing_happens(self) -> None:
        """Hypothesis looks at the simplest history first; with this it costs nothing."""

    @precondition(lambda self: self.builds < MOST_BUILDS)
    @precondition(lambda self: self.builds == 0 or not self.is_compared)
    @rule()
    def run(self) -> None:
        """A whole run: take in, build all, compare."""
        self._build_all()
        if PROFILE != "quick":
            self._compare_with_rebuild()

    @precondition(lambda self: self.changes < CHANGES_BETWEEN_BUILDS)
    @rule(dump=_dumped)
    def deliver(self, dump: tuple[int, list[Event]]) -> None:
        """A new dump of any day, with late events too, or a corrected or emptied one."""
        day, delivered = dump
        self._put(day, "a.ndjson", ndjson(event.record for event in delivered))

    @precondition(lambda self: self.changes < CHANGES_BETWEEN_BUILDS)
    @rule(dump=_dumped)
    def deliver_more(self, dump: tuple[int, list[Event]]) -> None:
        """One more file of a dump, with a line that is no event."""
        day, delivered = dump
        self._put(day, "b.ndjson", ndjson(event.record for event in delivered) + b"no event\n")

    @precondition(lambda self: self.changes < CHANGES_BETWEEN_BUILDS and self._landed())
    @rule(data=st.data(), day=_dumps)
    def deliver_again(self, data: st.DataObject, day: int) -> None:
        """The file of a dump again, in a dump of any day."""
        file = data.draw(st.sampled_from(self._landed()))
        self._put(day, "again.ndjson", file.read_bytes())

    @precondition(lambda self: self.changes < CHANGES_BETWEEN_BUILDS and self._landed())
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """A dump leaves the landing."""
        shutil.rmtree(data.draw(st.sampled_from(self._landed())).parent)
        self._changed()

    @precondition(lambda self: self.changes < CHANGES_BETWEEN_BUILDS)
    @rule(catalogue=st.one_of(flows(), flows(), st.none()))
    def change_catalogue(self, catalogue: list[Flow] | None) -> None:
        """Another content catalogue, or none any more."""
        path = self.workbench.landing / "content" / "items.ndjson"
        path.parent.mkdir(exist_ok=True)
        if catalogue is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(ndjson(flow.record for flow in catalogue))
        self._changed()

    @precondition(lambda self: self.changes < CHANGES_BETWEEN_BUILDS)
    @rule(what=st.one_of(st.none(), st.sampled_from(sorted(DEFINITIONS))))
    def change_definitions(self, what: str | None) -> None:
        """One definition is changed, or all are those of the checkout again."""
        self.workbench.restore_seeds()
        if what is not None:
            self.workbench.change_seed(*DEFINITIONS[what])
        self._changed()

    @precondition(lambda self: self.changes < CHANGES_BETWEEN_BUILDS)
    @rule(zone=st.sampled_from(ZONES))
    def change_time_zone(self, zone: str) -> None:
        """The days of the reports are those of another time zone."""
        self.workbench.timezone = zone
        self._changed()

    @precondition(lambda self: 0 < self.builds < MOST_BUILDS and self.changes > 0)
    @rule(selection=_parts)
    def build_a_part(self, selection: str) -> None:
        """Only a part is built; the rest stays behind."""
        self._build("--select", selection)

    @precondition(lambda self: 0 < self.builds < MOST_BUILDS and self.changes > 0)
    @rule(model=st.sampled_from(["fct_item_events", "fct_sessions", "rpt_items_daily"]))
    def refresh_one(self, model: str) -> None:
        """One model is built anew as a whole."""
        self._build("--select", model, "--full-refresh")

    def teardown(self) -> None:
        """However a history ends, the next run makes it equal."""
        if not self.has_failed and not self.is_compared:
            self._build_all()
            self._compare_with_rebuild()

    def _put(self, day: int, name: str, content: bytes) -> None:
        folder = self.workbench.landing / "events" / f"dt={day_of(day)}"
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        self._changed()

    def _landed(self) -> list[Path]:
        return sorted(self.workbench.landing.glob("events/dt=*/*.ndjson"))

    def _changed(self) -> None:
        self.changes += 1
        self.is_compared = False

    def _build(self, *selection: str) -> None:
        self.has_failed = True  # unless it comes to its end
        self.workbench.take_in()
        self.workbench.build(*selection)
        self.has_failed = False
        self.is_compared = False
        self.builds += 1

    def _build_all(self) -> None:
        self._build()
        self.changes = 0
        self._expect_none(self.workbench.differences_from_reference())
        self._expect_none(self.workbench.differences_from_parquet())

    def _compare_with_rebuild(self) -> None:
        self.workbench.rebuild()
        self._expect_none(self.workbench.differences_from_rebuild())
        self.is_compared = True

    def _expect_none(self, differences: list[str]) -> None:
        self.has_failed = bool(differences)
        assert not differences, "\n".join(differences)


def _first_dumps(bench: Workbench) -> None:
    """A session over midnight, and a play that two sessions share."""
    first = [
        Event(day=1, time=1430, pair="bizFlow/play", session=1, item=1, play=1),
        Event(day=1, time=1435, pair="bizFlowStep/play", session=1, item=1, play=1),
        Event(day=1, time=600, pair="launcher/play", session=2, item=2),
    ]
    second = [
        Event(day=2, time=3, pair="bizFlowStep/play", session=1, item=2, play=1),
        Event(day=2, time=700, pair="bizFlowStep/play", session=2, item=3, play=1),
    ]
    for day, delivered in ((1, first), (2, second)):
        folder = bench.landing / "events" / f"dt={day_of(day)}"
        folder.mkdir()
        (folder / "a.ndjson").write_bytes(ndjson(event.record for event in delivered))


@pytest.mark.long
def test_a_table_built_ahead_of_those_that_it_reads_is_made_good_by_the_next_run() -> None:
    """The visits know nothing of a session that the events alone take up."""
    state = Histories()
    state.begin_with_two_dumps()
    state.run()
    state.deliver(dump=(3, [Event(day=3, time=600, pair="launcher/play", session=9, item=1)]))
    state.build_a_part(selection="fct_item_events")
    state.refresh_one(model="fct_item_events")
    state.teardown()


@pytest.mark.long
def test_a_late_answer_changes_what_a_question_is_on_all_days() -> None:
    """The scores of two days are none any more once somebody gave an answer that is none."""

    def answer(day: int, value: str) -> Event:
        return Event(
            day=day, time=600, pair="question/submitted", session=9 + day, item=1, value=value
        )

    state = Histories()
    state.begin_with_two_dumps()
    for day in (0, 3):
        state.deliver(dump=(day, [answer(day, "9")]))
    state.run()
    state.deliver(dump=(4, [answer(4, "h")]))
    state.teardown()


TestHistories = Histories.TestCase
TestHistories.settings = PROFILES[PROFILE]
