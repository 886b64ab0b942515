"""`walkhouse simulate`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from dagster_project.cli.printing import console, fail, say, settings_or_fail
from dagster_project.words import counted


@click.command()
@click.option("--seed", default=1, show_default=True, help="Another seed is another company.")
@click.option(
    "--start",
    default="2026-03-01",
    show_default=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the first dump.",
)
@click.option("--days", default=14, show_default=True, help="How many dumps, one a day.")
@click.option("--events-per-day", default=20_000, show_default=True, help="On a working day.")
@click.option(
    "--form",
    default="mixed",
    show_default=True,
    type=click.Choice(["player", "flat", "csv", "parquet", "mixed"]),
    help="Form of the records.",
)
@click.option(
    "--compression", default="gz", show_default=True, type=click.Choice(["gz", "zst", "none"])
)
@click.option("--files-per-dump", default=1, show_default=True)
@click.option("--manifest/--no-manifest", default=False, help="Write a manifest into each dump.")
@click.option("--catalogue/--no-catalogue", default=True, help="Write the content catalogue.")
@click.option("--late", type=float, help="Share of events in a later dump.")
@click.option("--duplicate", type=float, help="Share of events that arrive twice.")
@click.option("--malformed", type=float, help="Share of lines that are no record.")
@click.option("--missing", type=float, help="Share of lines without a required column.")
@click.option("--bad-timestamp", type=float, help="Share of lines whose time cannot be read.")
@click.option("--future", type=float, help="Share of lines from after the dump.")
@click.option("--too-old", type=float, help="Share of lines from long before the dump.")
@click.option("--undefined", type=float, help="Share of lines with a pair that is not defined.")
@click.option("--novel-keys", type=float, help="Share of sessions with keys never seen before.")
@click.option(
    "--redeliver",
    multiple=True,
    metavar="DAY",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Write this dump in its corrected version; may be given more than once.",
)
@click.option(
    "--plant",
    multiple=True,
    metavar="INVARIANT=N",
    help="Plant N violations of an invariant; may be given more than once.",
)
@click.option(
    "--replace", is_flag=True, help="Replace dumps that were simulated with other arguments."
)
def simulate(
    start: datetime,
    redeliver: tuple[datetime, ...],
    plant: tuple[str, ...],
    replace: bool,
    **knobs: Any,
) -> None:
    """Write the dumps of an invented company into the landing.

    A little of everything goes wrong, as it does; the shares set how much. The same arguments
    give the same bytes, and what is there already is left untouched. Where another dump is in the
    way, nothing is written.
    """
    from dagster_project.simulate import OverwriteError, Scenario, simulate

    settings = settings_or_fail()
    if "://" in settings.landing:
        fail("the simulator writes to a local landing only: set WALKHOUSE_LANDING to a folder")
    try:
        scenario = Scenario.everyday(
            start=start.date(),
            redelivered=tuple(day.date() for day in redeliver),
            plant=dict(_planted(text) for text in plant),
            **{name: value for name, value in knobs.items() if value is not None},
        )
        summary = simulate(
            scenario,
            Path(settings.landing),
            progress=say,
            seeds=settings.dbt_project / "seeds",
            replace=replace,
        )
    except ValueError as error:
        fail(str(error), code=2)
    except OverwriteError as error:
        fail(str(error))
    console.print(
        f"{counted(summary.dumps, 'dump')} with {counted(summary.accepted, 'event')} "
        f"in {settings.landing}",
        markup=False,
    )


def _planted(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not number.isdigit():
        raise ValueError(
            f"--plant {text}: say INVARIANT=N, such as launcher_play_once_per_session=5"
        )
    return name, int(number)
