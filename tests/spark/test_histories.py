"""Always equal, on Spark as well: any history ends in the tables of a full build in DuckDB.

A fixed history is in every run; `HYPOTHESIS_PROFILE=thorough` makes up others. Builds are killed on
the way.
"""

from __future__ import annotations

import contextlib
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.histories.events import Event
from tests.histories.test_histories import PROFILE, PROFILES, Histories
from tests.histories.workbench import BuildError
from tests.spark.lakehouse import Lakehouse, killed_at

pytestmark = pytest.mark.spark


class HistoriesOnSpark(Histories):
    """The same history; Spark builds what is kept, and DuckDB what it is compared with."""

    lakehouse: ClassVar[Lakehouse | None] = None

    @property
    def workbench(self) -> Lakehouse:
        assert HistoriesOnSpark.lakehouse is not None
        return HistoriesOnSpark.lakehouse

    @precondition(lambda self: self.builds > 0 and self.changes > 0)
    @rule(
        statement=st.sampled_from(
            [
                *("create or replace table", "insert into", "alter table"),
                *("insert into intermediate.int_visits", "insert into facts.fct_sessions"),
                *("insert into facts.fct_item_events", "insert into reports.rpt_flows"),
                *("alter table intermediate.int_visits", "create or replace table audit."),
            ]
        ),
        is_after=st.booleans(),
    )
    def kill_a_build(self, statement: str, is_after: bool) -> None:
        """A build ends at a statement, or after it; the next one goes on from what is there."""
        self.workbench.take_in()
        with (
            contextlib.suppress(BuildError),
            killed_at(statement, is_after=is_after, may_be_missed=True),
        ):
            self.workbench.build()
        self.is_compared = False

    def _build_all(self) -> None:
        self._build()
        self.changes = 0

    def _compare_with_rebuild(self) -> None:
        self.workbench.rebuild()
        self._expect_none(self.workbench.differences_between_engines())
        self.is_compared = True


@pytest.fixture(autouse=True)
def on_spark(lakehouse: Lakehouse) -> None:
    HistoriesOnSpark.lakehouse = lakehouse


def test_late_dumps_kills_and_parts_end_in_the_tables_of_a_full_build() -> None:
    def events(day: int, *sessions: int) -> list[Event]:
        return [
            Event(day=day, time=600 + session, pair=pair, session=session, item=1, play=1)
            for session in sessions
            for pair in ("bizFlow/play", "bizFlowStep/play", "launcher/click")
        ]

    state = HistoriesOnSpark()
    state.begin_with_two_dumps()
    state.run()
    # Late events that tie sessions to earlier ones, a part that is built ahead, another definition.
    state.deliver(dump=(3, [*events(3, 2, 3), *events(0, 3), *events(1, 4)]))
    state.change_definitions(what="engagement")
    state.kill_a_build(statement="insert into intermediate.int_visits", is_after=True)
    state.build_a_part(selection="fct_item_events")
    # A dump that becomes empty, and what is left of its dates.
    state._put(1, "a.ndjson", b"")
    state.teardown()


if PROFILE == "thorough":
    TestHistories = HistoriesOnSpark.TestCase
    TestHistories.settings = settings(PROFILES[PROFILE], max_examples=4, stateful_step_count=20)
