"""How items of each type are judged: by a rate that items of the type can have.

A launcher is there to be clicked, a validating SmartTip to be right. The rates are those of the
reports of each family; here they stand in one relation, by day and item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dagster_project.release.metrics import (
    ACTIONBOT,
    FLOWS_DAILY,
    LAUNCHERS,
    QUIZZES,
    SHOUTOUTS,
    SMARTTIPS,
    SURVEYS,
    TASKS,
    Metric,
    Report,
    rate,
)


@dataclass(frozen=True)
class Measure:
    """The rate by which items of a type are judged.

    Attributes:
        item_type: the type.
        report: where the rate is.
        name: of the rate.
        did: what its numerator did.
        having: which items it is for, as a condition on all their rows.
    """

    item_type: str
    report: Report
    name: str
    did: str
    having: str = ""

    @property
    def of(self) -> str:
        """What its denominator counts."""
        return self.metric.of

    @property
    def metric(self) -> Metric:
        """The rate."""
        return self.report.metric(self.name)


# A SmartTip that validates is not there to be looked at, and one that only guides has no result.
MEASURES: Sequence[Measure] = (
    Measure("Smart Walk-Thru", FLOWS_DAILY, "completion_rate", "completed"),
    Measure("Walk-Thru", FLOWS_DAILY, "completion_rate", "completed"),
    Measure("Launcher", LAUNCHERS, "click_rate", "clicked"),
    Measure("SmartTip", SMARTTIPS, "hover_rate", "looked at", "sum(validations) = 0"),
    Measure(
        "SmartTip",
        SMARTTIPS,
        "passed_at_first_rate",
        "right at first",
        "sum(validations) > 0",
    ),
    Measure("ShoutOut", SHOUTOUTS, "click_rate", "clicked"),
    Measure("Task", TASKS, "completion_rate", "completed"),
    Measure("Survey", SURVEYS, "response_rate", "submitted"),
    Measure("TeachMe Quiz", QUIZZES, "pass_rate", "passed"),
    Measure("ActionBot", ACTIONBOT, "engagement_rate", "engaged in"),
)


def _of(position: int, measure: Measure, source: str) -> str:
    part, whole = measure.metric.parts or ("", "")
    report = measure.report
    conditions = []
    if report is FLOWS_DAILY:
        conditions.append(f"item_type = '{measure.item_type}'")
    if measure.having:
        conditions.append(
            # All its rows, whichever of them are read.
            f"item_key in (select item_key from {report.name} group by item_key"
            f" having {measure.having})"
        )
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return (
        f"select {report.date} as report_date, system_id, item_key,"
        f" {position} as position, '{measure.item_type}' as item_type, '{measure.did}' as did,"
        f" '{measure.of}' as of_what, item_id, item_name, {part} as did_it, {whole} as met_it"
        f" from {source}{where}"
    )


def item_rates(source: Callable[[Report], str]) -> str:
    """The relation of all rates.

    Args:
        source: what stands for a report of a family, with its columns: its name, or a query.
    """
    return " union all ".join(
        _of(position, measure, source(measure.report)) for position, measure in enumerate(MEASURES)
    )


_ALL = "; ".join(f"{each.item_type}: {each.did}, of {each.of}" for each in MEASURES) + "."

ITEM_RATES = Report(
    "reports",
    "item_rates",
    date="report_date",
    query=item_rates(lambda report: report.name),
    metrics=(
        Metric("did_it", "Did", "sum(did_it)", meaning=f"The numerators of the rates. {_ALL}"),
        Metric("met_it", "Of", "sum(met_it)", meaning=f"The denominators of the rates. {_ALL}"),
        rate(
            "item_rate",
            "Rate",
            "did_it",
            "met_it",
            meaning=f"The rate that items of the type can have. {_ALL}",
            tone="good",
        ),
        Metric(
            "items",
            "Items",
            "count(distinct item_key) filter (where met_it > 0)",
            meaning="Items that were met.",
        ),
    ),
)
"""One row per day, item and rate, of all types in `MEASURES`."""
