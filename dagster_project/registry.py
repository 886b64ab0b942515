"""The definitions of events, raw names and invariants, as read from where they stand.

They stand in `dbt_project/seeds/*.csv` and, for thresholds and invariants, under `vars` in
`dbt_project/dbt_project.yml`. This module only reads; no definition is repeated here.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import yaml

from dagster_project.forgotten import load_requests
from dagster_project.keyed_hash import Key, noted_fingerprint
from dagster_project.settings import DBT_PROJECT, Settings
from dagster_project.treatment import (
    SEED,
    UNTREATED,
    PolicyError,
    Treatment,
    patterns_from,
    policies_from,
)


def name_key(name: str) -> str:
    """A name as it is compared: without case, space and punctuation (`getting-data-in.md`)."""
    return "".join(character for character in name.lower() if character.isalnum())


@dataclass(frozen=True)
class Pair:
    """A way to write an item type and an event, and the documented pair that it means."""

    written_item_type: str
    written_event: str
    item_type: str
    event: str


@dataclass(frozen=True)
class Invariant:
    """One row of the registry of invariants (`vars: invariants:` in `dbt_project.yml`).

    Attributes:
        rebuilt_by: the date column that its result is rebuilt by; None where it is looked at whole.
    """

    id: str
    family: Literal["structural", "event_definition", "automation"]
    severity: Literal["error", "warn"]
    tolerance: float
    waivable: bool
    table: str
    description: str
    rebuilt_by: str | None = None

    @property
    def results(self) -> tuple[str, str]:
        """Schema and name of the table that holds its result, as in macro `results_tables`."""
        return "audit", f"results_by_{self.rebuilt_by}" if self.rebuilt_by else "results_as_a_whole"


@dataclass(frozen=True)
class Definitions:
    """What ingest needs to know about events.

    Attributes:
        pairs: every known spelling, documented and raw, of every defined pair.
        item_types: raw object name and documented item type, for parents of items.
        ignored_events: raw verbs that the player sends and that are no item events.
        environments: environment code and name.
        initiators: initiator code and name.
        max_late_days: an event older than this before its dump's day is quarantined.
        treatment: what is done to the values of events; `definitions_of` gives it the key.
    """

    pairs: tuple[Pair, ...]
    item_types: tuple[tuple[str, str], ...]
    ignored_events: tuple[str, ...]
    environments: tuple[tuple[str, str], ...]
    initiators: tuple[tuple[str, str], ...]
    max_late_days: int
    treatment: Treatment = UNTREATED

    @cached_property
    def digest(self) -> str:
        """A hash that changes whenever a line could be read differently."""
        content = [
            [[p.written_item_type, p.written_event, p.item_type, p.event] for p in self.pairs],
            self.item_types,
            self.ignored_events,
            self.environments,
            self.initiators,
            self.max_late_days,
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def load_definitions(dbt_project: Path = DBT_PROJECT) -> Definitions:
    """Read the definitions of events from the seeds and variables of the dbt project.

    Raises:
        PolicyError: a policy of personal data cannot be followed.
    """
    documented = _seed(dbt_project, "event_definitions")
    raw = _seed(dbt_project, "raw_names")
    item_type_names = {(row["item_type"], row["item_type"]) for row in documented}
    item_type_names |= {(row["raw_item_type"], row["item_type"]) for row in raw}
    pairs = {
        Pair(item_type, event, row["item_type"], row["event"])
        for row in documented
        for item_type in _spellings(raw, "item_type", row["item_type"])
        for event in _spellings(
            [name for name in raw if name["item_type"] == row["item_type"]], "event", row["event"]
        )
    }
    return Definitions(
        pairs=tuple(sorted(pairs, key=lambda pair: (pair.written_item_type, pair.written_event))),
        item_types=tuple(sorted(item_type_names)),
        ignored_events=tuple(sorted(r["raw_event"] for r in _seed(dbt_project, "ignored_events"))),
        environments=tuple(
            sorted(
                (r["environment_code"], r["environment"])
                for r in _seed(dbt_project, "environments")
            )
        ),
        initiators=tuple(
            sorted((r["initiator_code"], r["initiator"]) for r in _seed(dbt_project, "initiators"))
        ),
        max_late_days=int(load_variables(dbt_project)["max_late_days"]),
        treatment=_treatment(dbt_project),
    )


def definitions_of(settings: Settings) -> Definitions:
    """The definitions by which an installation reads, with its key.

    Raises:
        PolicyError: a policy of personal data cannot be followed.
        RequestsError: the list of who is forgotten cannot be read.
        OSError: the fingerprint of the key cannot be read.
    """
    definitions = load_definitions(settings.dbt_project)
    requests = load_requests(settings.home)
    treatment = replace(
        definitions.treatment, key=Key.of(settings.personal_key) if settings.personal_key else None
    )
    if treatment.is_needed or requests:
        treatment = replace(
            treatment,
            patterns=patterns_from(_seed(settings.dbt_project, "anonymous_ids")),
            requests=requests,
            fingerprint=noted_fingerprint(settings.home),
        )
    return replace(definitions, treatment=treatment)


def _treatment(dbt_project: Path) -> Treatment:
    """What the seeds say of personal data; without the key, which no file has."""
    try:
        policies = policies_from(_seed(dbt_project, SEED))
    except FileNotFoundError as error:
        raise PolicyError(
            f"seeds/{SEED}.csv is not there: it says what is kept of people; put it back"
        ) from error
    if not policies:
        return UNTREATED
    return Treatment(policies, patterns_from(_seed(dbt_project, "anonymous_ids")))


def load_variables(dbt_project: Path = DBT_PROJECT) -> dict[str, Any]:
    """The variables of the dbt project: thresholds, the reporting time zone, the invariants."""
    text = (dbt_project / "dbt_project.yml").read_text(encoding="utf-8")
    # The loader of `safe_load` written in C: the other takes a second, in every process.
    variables: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)["vars"]
    return variables


def load_settings_of_models(dbt_project: Path = DBT_PROJECT) -> dict[str, str | int | float]:
    """Those variables that are one word or number: the reporting time zone, the thresholds."""
    return {
        name: value
        for name, value in load_variables(dbt_project).items()
        if isinstance(value, str | int | float)
    }


def load_invariants(dbt_project: Path = DBT_PROJECT) -> tuple[Invariant, ...]:
    """The registry of invariants, in its own order."""
    return tuple(
        Invariant(
            id=name,
            family=row["family"],
            severity=row["severity"],
            tolerance=float(row["tolerance"]),
            waivable=bool(row["waivable"]),
            table=row["table"],
            description=row["description"],
            rebuilt_by=row.get("rebuilt_by"),
        )
        for name, row in load_variables(dbt_project)["invariants"].items()
    )


def quarantine_tolerance(invariants: Sequence[Invariant]) -> float:
    """The share of a dump's lines that may be quarantined."""
    (tolerance,) = (each.tolerance for each in invariants if each.id == "quarantine_rate")
    return tolerance


def load_published_tables(dbt_project: Path = DBT_PROJECT) -> tuple[tuple[str, str], ...]:
    """Schema and name of every table that a release holds, `meta.release` aside."""
    published = load_variables(dbt_project)["published"]
    return tuple((schema, table) for schema, tables in published.items() for table in tables)


def load_event_definitions(dbt_project: Path = DBT_PROJECT) -> tuple[dict[str, str], ...]:
    """The seed of event definitions, a row a pair, as text and in its own order."""
    return tuple(_seed(dbt_project, "event_definitions"))


def _seed(dbt_project: Path, name: str) -> list[dict[str, str]]:
    with (dbt_project / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _spellings(raw: Sequence[dict[str, str]], column: str, documented: str) -> set[str]:
    return {documented} | {row[f"raw_{column}"] for row in raw if row[column] == documented}
