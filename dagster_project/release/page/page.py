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
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.release.page.parts import PARTS
from dagster_project.release.page.period import period_in
from dagster_project.release.page.section import Named, Rate, Section
from dagster_project.release.page.small_groups import hidden_sentence, without_small_groups
from dagster_project.release.page.source import Source
from dagster_project.release.page.text import (
    count,
    decimal,
    share,
    shown,
    signed,
    small_share,
)
from dagster_project.words import counted

logger = logging.getLogger("walkhouse")

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Page:
    """What the template shows."""

    release: dict[str, Any]
    verdict: str
    is_good: bool
    lead: str = ""
    waivers: dict[str, str] = field(default_factory=dict)
    sections: Sequence[Section] = ()


def write_page(release: Path, path: Path, *, reports: Path | None = None) -> None:
    """Write the page of a release.

    Args:
        release: the DuckDB file of the release.
        path: where to write.
        reports: its second file, where the page shows nothing of small groups.

    Raises:
        duckdb.Error: the file is no release.
        OSError: the page could not be written.
    """
    opened = (
        without_small_groups(release, reports)
        if reports
        else duckdb.connect(str(release), read_only=True)
    )
    with opened as connection:
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
    written = (count, decimal, share, shown, signed, small_share)
    environment.filters |= {each.__name__: each for each in written}
    environment.tests["named"] = lambda value: isinstance(value, Named)
    environment.tests["rate"] = lambda value: isinstance(value, Rate)
    template = environment.get_template("page.html")
    return template.render(page=page_of(release), style=style, style_digest=digest)


def page_of(release: duckdb.DuckDBPyConnection) -> Page:
    """What the page says of an open release.

    A part that cannot be read (a report that a changed project no longer has, for example) says so
    in its place: the data is not held back for the sake of its picture.

    Raises:
        duckdb.Error: it has no `meta.release`.
    """
    ((waivers, *_),) = release.execute("select waivers from meta.release").fetchall()
    verdict, is_good = _verdict(release, waived=len(json.loads(waivers)))
    try:
        source = Source(release, period_in(release))
    except duckdb.CatalogException as error:
        logger.warning("the release's page does not know which days it has: %s", error)
        source = Source(release, None)
    said = source.rows("from meta.release")[0]
    return Page(
        release=said,
        verdict=verdict,
        is_good=is_good,
        waivers=json.loads(waivers),
        lead=" ".join(
            sentence
            for sentence in (_lead(source), hidden_sentence(said.get("smallest_group") or 1))
            if sentence
        ),
        sections=[_section(source, title, part) for title, part in PARTS],
    )


def _lead(source: Source) -> str:
    """Whose use this is, of which days, and how old the data is."""
    if source.period is None:
        return ""
    try:
        ((systems, latest),) = source.connection.execute(
            "select (select count(distinct system_id) from reports.rpt_sessions_daily),"
            " (select max(last_seen_at) from reports.rpt_event_coverage)"
        ).fetchall()
    except duckdb.Error:
        return ""
    newest = f" The newest event is of {latest:%Y-%m-%d %H:%M} UTC." if latest else ""
    return f"WalkMe in {counted(systems, 'system')}, {source.period.all.text}.{newest}"


def _section(source: Source, title: str, part: Callable[[Source], Section]) -> Section:
    try:
        return part(source)
    except duckdb.Error as error:
        logger.warning("the release's page is without %r: %s", title, error)
        return Section(title, problem=f"This part could not be read: {error}")


def _verdict(release: duckdb.DuckDBPyConnection, *, waived: int) -> tuple[str, bool]:
    try:
        ((invariants, broken),) = release.execute(
            "select count(*), count(*) filter (not passed) from meta.invariants"
        ).fetchall()
    except duckdb.Error as error:
        logger.warning("the release's page is without its invariants: %s", error)
        return "the invariants could not be read", False
    verdict = f"{invariants - broken} of {counted(invariants, 'invariant')} hold"
    return (f"{verdict}, {waived} waived" if waived else verdict), broken == 0
