"""A release as one page to look at: the state of the data, and the main numbers of the reports.

The page needs no network, no script and no other file: `page_parts` says what is on it, `charts`
draws, `page.html` and `page.css` give it its form, and its own policy forbids whatever could act.
The only time on it is that of the release.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.release.headlines import headlines
from dagster_project.release.page.parts import PARTS
from dagster_project.release.page.section import Section, dicts, ratio
from dagster_project.release.page.text import count, decimal, share, shown

logger = logging.getLogger("walkhouse")

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Fact:
    """A number worth a glance, in words."""

    label: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Page:
    """What the template shows."""

    release: dict[str, Any]
    verdict: str
    is_good: bool
    facts: Sequence[Fact] = ()
    waivers: dict[str, str] = field(default_factory=dict)
    sections: Sequence[Section] = ()


def write_page(release: Path, path: Path) -> None:
    """Write the page of a release.

    Args:
        release: the DuckDB file of the release.
        path: where to write.

    Raises:
        duckdb.Error: the file is no release.
        OSError: the page could not be written.
    """
    with duckdb.connect(str(release), read_only=True) as connection:
        path.write_text(rendered(connection), encoding="utf-8")


def rendered(release: duckdb.DuckDBPyConnection) -> str:
    """The HTML of an open release's page.

    Raises:
        duckdb.Error: it has no `meta.release`.
    """
    import jinja2

    style = (_FOLDER / "page.css").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"count": count, "decimal": decimal, "share": share, "shown": shown}
    template = environment.get_template("page.html")
    return template.render(page=page_of(release), style=style, style_digest=digest)


def page_of(release: duckdb.DuckDBPyConnection) -> Page:
    """What the page says of an open release.

    A part that cannot be read (a report that a changed project no longer has, for example) says so
    in its place: the data is not held back for the sake of its picture.

    Raises:
        duckdb.Error: it has no `meta.release`.
    """
    header = dicts(release, "from meta.release")[0]
    facts, verdict, is_good = _summary(release, header)
    return Page(
        release=header,
        verdict=verdict,
        is_good=is_good,
        facts=facts,
        waivers=json.loads(header["waivers"]),
        sections=[_section(release, title, part) for title, part in PARTS],
    )


def _section(
    release: duckdb.DuckDBPyConnection,
    title: str,
    part: Callable[[duckdb.DuckDBPyConnection], Section],
) -> Section:
    try:
        return part(release)
    except duckdb.Error as error:
        logger.warning("the release's page is without %r: %s", title, error)
        return Section(title, problem=f"This part could not be read: {error}")


def _summary(
    release: duckdb.DuckDBPyConnection, header: dict[str, Any]
) -> tuple[list[Fact], str, bool]:
    try:
        numbers = headlines(release)
        last_event = release.execute("select max(occurred_at) from facts.fct_item_events")
        latest: datetime | None = last_event.fetchall()[0][0]
    except duckdb.Error as error:
        logger.warning("the release's page is without its headlines: %s", error)
        return [], "the headlines could not be read", False
    failed = numbers["invariants"] - numbers["invariants_passed"]
    waived = len(json.loads(header["waivers"]))
    verdict = f"{numbers['invariants_passed']} of {numbers['invariants']} invariants hold"
    if waived:
        verdict += f", {waived} waived"
    sessions, lines = numbers["sessions"], numbers["lines"]
    facts = [
        Fact("Last dump", str(header["last_dump_date"] or "-"), f"{header['dumps']:,} dumps"),
        Fact(
            "Last event",
            f"{latest:%Y-%m-%d}" if latest else "-",
            f"{latest:%H:%M} UTC" if latest else "",
        ),
        Fact("Events", count(numbers["events"]), "in production"),
        Fact(
            "Left out",
            count(numbers["left_out"]),
            "events of other environments" if numbers["left_out"] else "no events",
        ),
        Fact("Sessions", count(sessions)),
        Fact(
            "Engaged",
            share(ratio(numbers["engaged_sessions"], sessions)),
            f"{numbers['engaged_sessions']:,} sessions",
        ),
        Fact("End users", count(numbers["end_users"])),
        Fact("Items", count(numbers["items"])),
        Fact(
            "Quarantined",
            share(ratio(numbers["quarantined"], lines)),
            f"{numbers['quarantined']:,} of {lines:,} lines",
        ),
    ]
    return facts, verdict, failed == 0
