"""Both engines build the same tables, row by row and type by type, from one text of the models.

The hand-written landing, and a simulated one with late, repeated and malformed events and all
violations that can be planted. A model that is not portable fails here by its name.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dagster_project.forgotten import Request, save_requests
from dagster_project.simulate import Scenario, simulate
from tests.spark.lakehouse import Lakehouse, land
from tests.whole import landings
from tests.whole.test_planted import PLANTED, legal_curiosities

pytestmark = pytest.mark.spark

SIMULATED_FROM, LEGAL_ON = "2026-06-01", "2026-03-05"
"""Dumps that the hand-written landing has not."""

REQUESTS = (
    Request(1, "a hash", 4, None, False, "2026-03-05T12:00:00"),
    Request(
        2,
        "another",
        0,
        "a system",
        True,
        "2026-03-06T00:00:00",
        dumps=(date.fromisoformat(LEGAL_ON),),
    ),
)


def hand_written_and_simulated(landing: Path) -> None:
    """Side by side, in dumps of their own: what a table costs does not grow with its rows."""
    scenario = Scenario.everyday(
        days=3,
        events_per_day=300,
        start=date.fromisoformat(SIMULATED_FROM),
        form="mixed",
        late=0.05,
        duplicate=0.02,
        novel_keys=0.1,
        plant=PLANTED,
    )
    simulate(scenario, landing, processes=1)
    items = landing / "content" / "items.ndjson"
    of_the_company = items.read_bytes()
    landings.many_themes(landing)
    landings.catalogue(landing)
    items.write_bytes(items.read_bytes() + of_the_company)
    landings.put(landing, LEGAL_ON, "legal.ndjson", legal_curiosities())


def test_both_engines_build_the_same_tables(lakehouse: Lakehouse) -> None:
    land(lakehouse, hand_written_and_simulated)
    save_requests(lakehouse.kept, REQUESTS)
    lakehouse.rebuild()
    lakehouse.build()
    assert lakehouse.differences_between_engines() == []
    lakehouse.collect()
    assert lakehouse.differences_of_descriptions() == []
