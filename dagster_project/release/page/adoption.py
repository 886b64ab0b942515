"""Which departments, roles and languages use the guidance, and which do not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from dagster_project.release.metrics import ADOPTION
from dagster_project.release.page.section import ROWS, Column, Rate, Section, Table
from dagster_project.release.page.source import Source, selected
from dagster_project.release.page.text import change

_UNFOLDED = 2


def adoption_section(source: Source) -> Section:
    """Adoption in the latest whole week, by what is said of people."""
    title = "Adoption"
    week = _week(source)
    if week is None:
        return Section(title, "Nothing is said of people, or there is no week yet.")
    attributes = source.rows(
        f"""
        select attribute
        from {ADOPTION.name}
        where {ADOPTION.whole} and week = ?
        group by attribute
        having count(distinct attribute_value) filter (attribute_value <> 'unknown') > 0
        order by attribute <> 'department', attribute <> 'role', attribute
        """,
        [week],
    )
    tables = [
        _table(source, row["attribute"], week, folded=place >= _UNFOLDED)
        for place, row in enumerate(attributes)
    ]
    lead = (
        f"People who acted on an item, of those with a session in the week from {week}. Who uses "
        "several systems counts in each."
    )
    return Section(title, lead, tables=tables)


def _week(source: Source) -> date | None:
    """The Monday of the latest week that is over, or of the latest one."""
    if source.period is None:
        return None
    last = source.period.all.last
    ((week, latest),) = source.connection.execute(
        f"select max(week) filter (week <= ?::date - 6), max(week) from {ADOPTION.name}", [last]
    ).fetchall()
    found: date | None = week or latest
    return found


def _table(source: Source, attribute: str, week: date, *, folded: bool) -> Table:
    now = _values(source, attribute, week)
    before = _values(source, attribute, week - timedelta(days=7))
    rows = sorted(now.values(), key=lambda row: (-(row["people"] or 0), row["attribute_value"]))
    return Table(
        f"People by {attribute}",
        [
            Column(attribute.capitalize(), "name"),
            source.column(ADOPTION, "adoption_rate", is_main=True),
            Column("Change", "text", "Of the rate, against the week before."),
            source.column(ADOPTION, "interactions"),
        ],
        [
            (
                (row["attribute_value"], ""),
                Rate(row["engaged_people"], row["people"], "people"),
                change(
                    "share",
                    row["adoption_rate"],
                    before.get(row["attribute_value"], {}).get("adoption_rate"),
                )
                or "-",
                row["interactions"],
            )
            for row in rows[:ROWS]
        ],
        folded=folded,
        note=f"The {ROWS} with the most people of {len(rows)}." if len(rows) > ROWS else "",
    )


def _values(source: Source, attribute: str, week: date) -> dict[str, dict[str, Any]]:
    rows = source.rows(
        f"""
        select attribute_value, {selected(ADOPTION, ["adoption_rate", "interactions"])}
        from {ADOPTION.name}
        where {ADOPTION.whole} and attribute = ? and week = ?
        group by attribute_value
        """,
        [attribute, week],
    )
    return {row["attribute_value"]: row for row in rows}
