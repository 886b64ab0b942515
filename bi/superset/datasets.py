"""The published tables as the dashboards see them: figures, and columns that charts need besides.

The figures are those of `dagster_project.release.metrics`, which the page of a release shows too.
Names, types and descriptions of the columns come from the release itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster_project.release import metrics
from dagster_project.release.item_rates import ITEM_RATES
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
        has_system: whether its rows are of a system, whose name charts show.
    """

    report: Report
    columns: tuple[Column, ...] = ()
    has_system: bool = False

    @property
    def table(self) -> str:
        """Name of the table."""
        return self.report.table

    @property
    def date(self) -> str | None:
        """The column that the dashboards' date filter applies to; None if there are no days."""
        return self.report.date

    @property
    def query(self) -> str:
        """What it is made of; empty where it is a published table as it stands."""
        if not self.has_system:
            return self.report.query
        return (
            "select report.*, systems.system "
            f"from {self.report.relation_as('report')} "
            f"left join ({_SYSTEMS}) as systems on report.system_id = systems.system_id"
        )

    def metric(self, name: str) -> Metric:
        """The figure of this name.

        Raises:
            KeyError: there is none.
        """
        return self.report.metric(name)


# Two systems may have one name.
_SYSTEMS = (
    "select system_id, system_name || case when count(*) over (partition by system_name) > 1 "
    "then ' (' || left(system_id, 8) || ')' else '' end as system from facts.dim_systems"
)


def named(name: str, label: str, item_name: str, item_id: str) -> Column:
    """Name, id and system of an item; several items may have the same name."""
    sql = f"coalesce({item_name}, 'no name') || ' (' || concat_ws(', ', {item_id}, system) || ')'"
    return Column(name, label, sql, "Name, id and system.")


ITEM = named("item", "Item", "item_name", "item_id")
FLOW = named("flow_name", "Flow", "item_name", "item_id")
STEP = Column(
    "step",
    "Step",
    # In the order of names, a blank comes before a digit.
    "lpad(cast(step_number as varchar), 3, ' ') || ' ' || coalesce(item_name, item_id, 'no name')",
    "Number and name of the step.",
)

RELEASE = Dataset(metrics.RELEASE)
PEOPLE = Dataset(metrics.PEOPLE, has_system=True)
ADOPTION = Dataset(metrics.ADOPTION, has_system=True)
SESSIONS = Dataset(metrics.SESSIONS, has_system=True)
ITEMS = Dataset(metrics.ITEMS, (ITEM,), has_system=True)
RATES = Dataset(
    ITEM_RATES,
    (
        ITEM,
        Column(
            "measure",
            "Rate of",
            "item_type || ', ' || did",
            "The type of item, and what the rate counts.",
        ),
    ),
    has_system=True,
)
NON_INTERACTORS = Dataset(metrics.NON_INTERACTORS, (ITEM,), has_system=True)
FLOWS = Dataset(metrics.FLOWS, (FLOW,), has_system=True)
FLOWS_DAILY = Dataset(metrics.FLOWS_DAILY, (FLOW,), has_system=True)
FUNNEL = Dataset(
    metrics.FUNNEL,
    (named("flow", "Flow", "flow_item_name", "flow_item_id"), STEP),
    has_system=True,
)
AUTOMATION = Dataset(metrics.AUTOMATION, (ITEM,), has_system=True)
SURVEYS = Dataset(metrics.SURVEYS, (ITEM,), has_system=True)
SMARTTIPS = Dataset(metrics.SMARTTIPS, (ITEM,), has_system=True)
SEARCHES = Dataset(metrics.SEARCHES, has_system=True)
LEDGER = Dataset(metrics.LEDGER)
QUARANTINE = Dataset(metrics.QUARANTINE)
LATE_EVENTS = Dataset(metrics.LATE_EVENTS)
LEFT_OUT = Dataset(metrics.LEFT_OUT)
INVARIANTS = Dataset(metrics.INVARIANTS)
COVERAGE = Dataset(metrics.COVERAGE)
