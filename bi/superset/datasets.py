"""The published tables as the dashboards see them: figures, and columns that charts need besides.

The figures are those of `dagster_project.release.metrics`, which the page of a release shows too.
Names, types and descriptions of the columns come from the release itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bi.superset.departments import CHOSEN, item_rates_of_departments, of_departments
from dagster_project.release import metrics
from dagster_project.release.item_rates import ITEM_RATES, item_rates
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
        of_departments: the same of the departments that readers chose; empty where that has no
            meaning.
        item_type: the type of all its items, where the table does not say it.
    """

    report: Report
    columns: tuple[Column, ...] = ()
    has_system: bool = False
    of_departments: str = ""
    item_type: str = ""

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
        relation, choice = self.report.relation_as("report"), ""
        added = [f"'{self.item_type}' as item_type"] if self.item_type else []
        if self.of_departments:
            # Superset asks for a column of the filter's name, also where the filter is gone.
            added.append("cast(null as varchar) as department")
            choice = f"{{% set {CHOSEN} = filter_values('department', remove_filter=True) %}}"
            relation = (
                f"{{% if {CHOSEN} %}} ({self.of_departments}) as report"
                f" {{% else %}} {relation} {{% endif %}}"
            )
        return (
            f"{choice}select {', '.join(['report.*', *added, 'systems.system'])} from {relation} "
            f"left join ({_SYSTEMS}) as systems on report.system_id = systems.system_id"
        )

    def reading(self, relations: Mapping[str, str]) -> Dataset:
        """The same, of queries in place of tables; by no departments, which only facts tell.

        Args:
            relations: a query by the name of each table.

        Raises:
            KeyError: a table is not among them.
        """
        if self.report is ITEM_RATES:
            query = item_rates(lambda report: f"({relations[report.name]}) as {report.table}")
        else:
            query = relations[self.report.name]
        return replace(self, report=replace(self.report, query=query), of_departments="")

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


def _by_people(report: Report, *columns: Column, item_type: str = "") -> Dataset:
    """A report that can be narrowed to departments."""
    return Dataset(
        report,
        columns,
        has_system=True,
        of_departments=of_departments(report),
        item_type=item_type,
    )


RELEASE = Dataset(metrics.RELEASE)
PEOPLE = _by_people(metrics.PEOPLE)
ADOPTION = Dataset(
    metrics.ADOPTION,
    (
        Column(
            "department",
            "Department",
            "case when attribute = 'department' then attribute_value end",
            "What is said of people's departments.",
        ),
    ),
    has_system=True,
)
SESSIONS = _by_people(metrics.SESSIONS)
EVENTS = _by_people(metrics.EVENTS)
ITEMS = _by_people(metrics.ITEMS, ITEM)
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
    of_departments=item_rates_of_departments(),
)
NON_INTERACTORS = _by_people(metrics.NON_INTERACTORS, ITEM)
FLOWS = _by_people(metrics.FLOWS, FLOW)
FLOWS_DAILY = _by_people(metrics.FLOWS_DAILY, FLOW)
FUNNEL = _by_people(
    metrics.FUNNEL,
    named("flow", "Flow", "flow_item_name", "flow_item_id"),
    STEP,
    Column("item_type", "Item type", "flow_item_type", "Type of the flow."),
)
AUTOMATION = Dataset(metrics.AUTOMATION, (ITEM,), has_system=True, item_type="Smart Walk-Thru")
SURVEYS = _by_people(metrics.SURVEYS, ITEM, item_type="Survey")
SMARTTIPS = _by_people(metrics.SMARTTIPS, ITEM, item_type="SmartTip")
SEARCHES = _by_people(metrics.SEARCHES, item_type="WidgetSearch")
LEDGER = Dataset(metrics.LEDGER)
QUARANTINE = Dataset(metrics.QUARANTINE)
LATE_EVENTS = Dataset(metrics.LATE_EVENTS)
LEFT_OUT = Dataset(metrics.LEFT_OUT)
INVARIANTS = Dataset(metrics.INVARIANTS)
COVERAGE = Dataset(metrics.COVERAGE)
