"""Both engines build the same tables, row by row and type by type, from one text of the models.

The landings follow each other in one installation, as if every dump were withdrawn and others
delivered. So Spark builds the first from nothing, and replaces dates for the others; DuckDB builds
each from nothing. A model that is not portable fails here by its name.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.simulate import Scenario, simulate
from tests.spark.lakehouse import Lakehouse, killed_at, land, simulated
from tests.whole import landings
from tests.whole.test_planted import DAY, PLANTED, legal_curiosities

pytestmark = pytest.mark.spark


def hand_written(landing: Path) -> None:
    landings.many_themes(landing)
    landings.catalogue(landing)


def planted(landing: Path) -> None:
    scenario = Scenario.everyday(days=3, events_per_day=300, plant=PLANTED)
    simulate(scenario, landing, processes=1)
    landings.put(landing, DAY, "legal.ndjson", legal_curiosities())


@pytest.mark.parametrize("write", [hand_written, planted, simulated])
def test_both_engines_build_the_same_tables(
    lakehouse: Lakehouse, write: Callable[[Path], None]
) -> None:
    land(lakehouse, write)
    lakehouse.rebuild()
    lakehouse.build()
    assert lakehouse.differences_between_engines() == []


@pytest.mark.parametrize(
    "statement",
    [
        "insert into facts.fct_sessions replace where",
        "insert into intermediate.int_visits replace where",
    ],
)
@pytest.mark.parametrize("is_after_the_rows", [False, True])
def test_a_build_that_is_killed_between_the_rows_and_their_note_is_made_good(
    lakehouse: Lakehouse, statement: str, *, is_after_the_rows: bool
) -> None:
    """The dump of one day leaves and comes back: the rows of its dates are replaced twice."""
    land(lakehouse, simulated)
    lakehouse.build()
    shutil.rmtree(sorted((lakehouse.landing / "events").iterdir())[1])
    lakehouse.take_in()
    reached = {"rows": False}

    def is_killed(sql: str) -> bool:
        said = " ".join(sql.split())
        if is_after_the_rows:
            is_now = reached["rows"]
            reached["rows"] = reached["rows"] or statement in said
            return is_now
        return statement in said

    with killed_at(is_killed), pytest.raises(AssertionError):
        lakehouse.build("--select", "int_visits+1", "fct_sessions")
    lakehouse.build()
    lakehouse.rebuild()
    assert lakehouse.differences_between_engines() == []
