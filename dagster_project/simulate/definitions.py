"""The definitions that the simulation derives from: the seeds of the dbt project, as read.

A pair that is added to `event_definitions.csv` is simulated without any code (see
`activities.unscripted`), under its raw names if `raw_names.csv` gives some, else under the
documented ones, which the contract accepts in every form.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Pair = tuple[str, str]

# Caps that have an invariant, and something planted against it, of their own: `cap_of` in the
# registry, which the simulator, as a stranger, does not read.
CAPS_BY_NAME: frozenset[Pair] = frozenset(
    {("Launcher", "Play"), ("SmartTip", "Play"), ("TeachMe", "Visible")}
)

DEFAULT_SEEDS = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds"


@dataclass(frozen=True)
class EventDefinition:
    """One pair of item type and event.

    Attributes:
        pair: documented item type and event.
        capped_per: `session` (once for an item), `<n>h` (once for a user in so many hours) or
            empty.
        paired_with: the pair that it needs in the same session, if any.
        raw_names: raw object and verb of the player, in all their spellings.
    """

    pair: Pair
    capped_per: str
    paired_with: Pair | None
    raw_names: tuple[Pair, ...]

    @property
    def cap_hours(self) -> int | None:
        """The hours of a cap per hours."""
        hours = self.capped_per.removesuffix("h")
        return int(hours) if hours != self.capped_per and hours.isdigit() else None


@dataclass(frozen=True)
class Definitions:
    """All definitions.

    Attributes:
        events: by pair, in the order of the seed.
        ignored: raw verbs that are no item events.
        initiators: code by name.
        environments: code by name.
        raw_item_types: raw object name by documented item type.
    """

    events: Mapping[Pair, EventDefinition]
    ignored: tuple[str, ...]
    initiators: Mapping[str, int]
    environments: Mapping[str, int]
    raw_item_types: Mapping[str, str]

    @property
    def other_caps(self) -> tuple[EventDefinition, ...]:
        """The capped pairs without an invariant of their own (`other_caps_hold`)."""
        return tuple(
            event
            for event in self.events.values()
            if event.capped_per and event.pair not in CAPS_BY_NAME
        )

    def environment_name(self, code: int) -> str:
        """The name of an environment; codes without one have a name all the same."""
        names = {number: name for name, number in self.environments.items()}
        return names.get(code, f"environment_{code}")


def read_definitions(seeds: Path) -> Definitions:
    """Read the five seed files in `seeds`."""
    raw_names: dict[Pair, list[Pair]] = {}
    raw_item_types: dict[str, str] = {}
    for row in _rows(seeds / "raw_names.csv"):
        pair = (row["item_type"], row["event"])
        raw_names.setdefault(pair, []).append((row["raw_item_type"], row["raw_event"]))
        raw_item_types.setdefault(row["item_type"], row["raw_item_type"])
    events = {}
    for row in _rows(seeds / "event_definitions.csv"):
        pair = (row["item_type"], row["event"])
        item_type, _, event = row["paired_with"].partition(":")
        events[pair] = EventDefinition(
            pair=pair,
            capped_per=row["capped_per"],
            paired_with=(item_type.strip(), event.strip()) if event else None,
            raw_names=tuple(raw_names.get(pair, [pair])),
        )
    return Definitions(
        events=events,
        ignored=tuple(row["raw_event"] for row in _rows(seeds / "ignored_events.csv")),
        initiators={
            row["initiator"]: int(row["initiator_code"]) for row in _rows(seeds / "initiators.csv")
        },
        environments={
            row["environment"]: int(row["environment_code"])
            for row in _rows(seeds / "environments.csv")
        },
        raw_item_types=raw_item_types,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
