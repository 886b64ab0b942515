"""How each system is used, and when it was last heard of."""

from __future__ import annotations

from dagster_project.release.metrics import SESSIONS
from dagster_project.release.page.section import Column, Rate, Section, Table
from dagster_project.release.page.source import Source, selected
from dagster_project.release.page.text import change

_ROWS = 30


def systems_section(source: Source) -> Section:
    """Systems by their sessions, with the change to the period before."""
    period = source.period
    if period is None:
        return Section("Systems")
    names = ["engagement_rate", "interactions_per_session"]
    before = {}
    if period.before:
        before = {
            row["system_id"]: row["sessions"]
            for row in source.rows(
                f"""
                select system_id, {selected(SESSIONS, ["sessions"])}
                from {SESSIONS.name}
                where {period.before.holds("report_date")}
                group by system_id
                """
            )
        }
    rows = source.rows(
        f"""
        with used as (
            select system_id, {selected(SESSIONS, names)}
            from {SESSIONS.name}
            where {period.now.holds("report_date")}
            group by system_id
        ), known as (
            select system_id, max(report_date) as last_day
            from {SESSIONS.name}
            group by system_id
        )
        select known.system_id, last_day, used.* exclude (system_id)
        from known
        left join used using (system_id)
        order by sessions desc nulls last, known.system_id
        """
    )
    table = Table(
        "Systems",
        [
            Column("System", "name"),
            source.column(SESSIONS, "sessions"),
            Column("Change", "text"),
            source.column(SESSIONS, "engagement_rate", is_main=True),
            source.column(SESSIONS, "interactions_per_session"),
            Column("Last session", "text"),
        ],
        [
            (
                (
                    source.system(row["system_id"]),
                    "" if source.system(row["system_id"]) == row["system_id"] else row["system_id"],
                ),
                row["sessions"] or 0,
                change("count", row["sessions"] or 0, before.get(row["system_id"], 0))
                if period.before
                else "-",
                Rate(row["engaged_sessions"], row["sessions"], "sessions"),
                row["interactions_per_session"],
                str(row["last_day"]),
            )
            for row in rows[:_ROWS]
        ],
        note=f"The {_ROWS} with the most sessions of {len(rows)}." if len(rows) > _ROWS else "",
        grows=True,
    )
    return Section("Systems", f"{period.now.text}.", tables=[table])
