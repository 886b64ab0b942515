"""The world of a simulation: scenario, definitions and company, made once in each process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dagster_project.simulate.company import build_company
from dagster_project.simulate.definitions import Definitions, Pair
from dagster_project.simulate.items import System
from dagster_project.simulate.scenario import Scenario

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class World:
    """Everything that a unit depends on."""

    scenario: Scenario
    definitions: Definitions
    systems: tuple[System, ...]
    undefined: tuple[Pair, ...]

    @classmethod
    def of(cls, scenario: Scenario, definitions: Definitions) -> World:
        """The world of a scenario."""
        candidates = (
            ("trackedElement", "click"),
            ("engagedElement", "click"),
            ("launcher", "complete"),
            ("hologram", "play"),
        )
        raw = {name for event in definitions.events.values() for name in event.raw_names}
        return cls(
            scenario,
            definitions,
            build_company(scenario.seed, scenario.systems, definitions),
            tuple(pair for pair in candidates if pair not in raw),
        )

    def day_number(self, day: int) -> int:
        """Days since 1970-01-01 of a day of the scenario."""
        return (self.scenario.start - _EPOCH).days + day
