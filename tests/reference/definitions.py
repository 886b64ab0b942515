"""The definitions that the reference works from: the seeds' CSV files, read as they lie.

Only facts that are data belong here (names, codes, classes). What is done with them stands in
`events.py`, `tables.py` and `invariants.py`.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Definition:
    """One documented (item type, event) pair."""

    position: int
    item_type: str
    event: str
    engagement: str
    engagement_when_system_initiated: str | None
    capped_per: str | None
    pairing: str | None
    paired_with: str | None
    definition: str
    order_in_ms: int


@dataclass(frozen=True)
class Definitions:
    """All seeds: `pairs` finds a documented pair by the two normalised names of a record."""

    documented: tuple[Definition, ...]
    pairs: dict[tuple[str, str], Definition]
    item_types: dict[str, str]
    ignored: frozenset[str]
    environments: dict[str, str]
    initiators: dict[str, str]
    user_initiated: dict[str, bool]
    survey_questions: tuple[dict[str, str], ...]


@cache
def normalised(name: str) -> str:
    """The name without regard to case, space or punctuation (getting-data-in.md)."""
    return "".join(character for character in name.lower() if character.isalnum())


def read_definitions(seeds: Path) -> Definitions:
    """Read the six seeds in the folder `seeds`."""
    documented = tuple(
        Definition(
            position=int(row["position"]),
            item_type=row["item_type"],
            event=row["event"],
            engagement=row["engagement"],
            engagement_when_system_initiated=row["engagement_when_system_initiated"] or None,
            capped_per=row["capped_per"] or None,
            pairing=row["pairing"] or None,
            paired_with=row["paired_with"] or None,
            definition=row["definition"],
            order_in_ms=int(row["order_in_ms"] or 1),
        )
        for row in _rows(seeds / "event_definitions.csv")
    )
    by_name = {(each.item_type, each.event): each for each in documented}
    pairs = {
        (normalised(item_type), normalised(event)): definition
        for (item_type, event), definition in by_name.items()
    }
    item_types = {normalised(each.item_type): each.item_type for each in documented}
    for row in _rows(seeds / "raw_names.csv"):
        definition = by_name[row["item_type"], row["event"]]
        item_types[normalised(row["raw_item_type"])] = row["item_type"]
        for item_type in (row["raw_item_type"], row["item_type"]):
            for event in (row["raw_event"], row["event"]):
                pairs[normalised(item_type), normalised(event)] = definition
    initiators = list(_rows(seeds / "initiators.csv"))
    return Definitions(
        documented=documented,
        pairs=pairs,
        item_types=item_types,
        ignored=frozenset(
            normalised(row["raw_event"]) for row in _rows(seeds / "ignored_events.csv")
        ),
        environments={
            row["environment_code"]: row["environment"] for row in _rows(seeds / "environments.csv")
        },
        initiators={row["initiator_code"]: row["initiator"] for row in initiators},
        user_initiated={
            row["initiator"]: row["is_user_initiated"] == "true"
            for row in initiators
            if row["is_user_initiated"]
        },
        survey_questions=tuple(_rows(seeds / "survey_questions.csv")),
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
