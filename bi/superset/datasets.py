"""The published tables as the dashboards see them: figures, and columns that charts need besides.

The figures are those of `dagster_project.release.metrics`, which the page of a release shows too.
Names, types and descriptions of the columns come from the release itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.release import metrics
from dagster_project.release.metrics import Metric, Report, Tone, Unit

DISPLAY: dict[Unit, str] = {
    "count": ",d",
    "decimal": ",.1f",
    "share": ".1%",
    "small_share": ".2%",
    "signed": "+,.1f",
}
"""How figures are written, in the d3 language."""

COLOUR: dict[Tone, str] = {"good": "#5ac189", "neutral": "#c3c9d1", "bad": "#e04355"}
"""Of bars and lines; the others have Superset's choice."""


@dataclass(frozen=True)
class Column:
    """A column that is computed from those of the table."""

    name: str
    label: str
    sql: str
    description: str


@dataclass(frozen=True)
class Dataset:
    """A published table as charts see it.

    Attributes:
        report: the table and its figures.
        columns: columns computed on top of the table's own.
    """

    report: Report
    columns: tuple[Column, ...] = ()

    @property
    def table(self) -> str:
        """Name of the table."""
        return self.report.table

    @property
    def date(self) -> str | None:
        """The column that the dashboards' date filter applies to; None if there are no days."""
        return self.report.date

    def metric(self, name: str) -> Metric:
        """The figure of this name.

        Raises:
            KeyError: there is none.
        """
        return self.report.metric(name)


def named(name: str, label: str, item_name: str, item_id: str) -> Column:
    """Name and id of an item; several items may have the same name."""
    sql = f"coalesce({item_name}, 'unknown') || coalesce(' (' || {item_id} || ')', '')"
    return Column(name, label, sql, "Name and id.")


# Ids of systems are long; a name that somebody gave one is not.
SYSTEM = Column(
    "system",
    "System",
    "case when length(system_id) > 20 then left(system_id, 8) || '…' else system_id end",
    "The system's id, shortened for charts.",
)
ITEM = named("item", "Item", "item_name", "item_id")

RELEASE = Dataset(metrics.RELEASE)
SESSIONS = Dataset(metrics.SESSIONS, (SYSTEM,))
ITEMS = Dataset(metrics.ITEMS, (SYSTEM, ITEM))
NON_INTERACTORS = Dataset(metrics.NON_INTERACTORS, (SYSTEM, ITEM))
FLOWS = Dataset(metrics.FLOWS, (SYSTEM, named("flow_name", "Flow", "item_name", "item_id")))
FUNNEL = Dataset(
    metrics.FUNNEL,
    (
        SYSTEM,
        named("flow", "Flow", "flow_item_name", "flow_item_id"),
        Column(
            "step",
            "Step",
            "lpad(cast(step_number as varchar), 2, '0') || ' ' || "
            "coalesce(item_name, item_id, 'unknown')",
            "Number and name of the step.",
        ),
    ),
)
AUTOMATION = Dataset(metrics.AUTOMATION, (SYSTEM, ITEM))
SURVEYS = Dataset(metrics.SURVEYS, (SYSTEM, ITEM))
SMARTTIPS = Dataset(metrics.SMARTTIPS, (SYSTEM, ITEM))
SEARCHES = Dataset(metrics.SEARCHES, (SYSTEM,))
LEDGER = Dataset(metrics.LEDGER)
QUARANTINE = Dataset(metrics.QUARANTINE)
LATE_EVENTS = Dataset(metrics.LATE_EVENTS)
LEFT_OUT = Dataset(metrics.LEFT_OUT)
INVARIANTS = Dataset(metrics.INVARIANTS)
COVERAGE = Dataset(metrics.COVERAGE)
