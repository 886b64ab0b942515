"""`walkhouse run`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dagster_project.cli import show
from dagster_project.cli.printing import (
    console,
    errors,
    fail,
    log_to_console,
    settings_or_fail,
    writable_home_or_fail,
)
from dagster_project.settings import SettingsError

if TYPE_CHECKING:
    import dagster as dg


@click.command()
@click.option(
    "--waive",
    metavar="ID[,ID…]|all",
    help="Publish although these invariants fail. Needs --reason.",
)
@click.option("--reason", default="", help="Why they are waived; published with the release.")
@click.option(
    "--patient",
    "is_patient",
    is_flag=True,
    help="Leave dumps that are still being written, as the schedule and the sensor do.",
)
@click.option(
    "--withdraw",
    metavar="DATE[,DATE…]|all",
    help="Confirm that these dumps were withdrawn, where so many left the landing at once that "
    "nothing is done by itself.",
)
@click.option(
    "--ingest-only",
    "is_ingest_only",
    is_flag=True,
    help="Take in dumps, and leave the rest to another machine that shares the lake. Exit code 0 "
    "only if all of them are taken in.",
)
def run(
    waive: str | None,
    reason: str,
    is_patient: bool,
    withdraw: str | None,
    is_ingest_only: bool,
) -> None:
    """Take in every new, changed or withdrawn dump; build, audit, release, and send the copies.

    Exit code 0 only if the state of the landing is published, and every copy holds it.
    """
    from dagster_project.ingest.withdrawal import Confirmed, WithdrawalError
    from dagster_project.keyed_hash import KeyRefusedError
    from dagster_project.release.gate import Waiver, WaiverError

    settings = settings_or_fail()
    writable_home_or_fail(settings)
    waiver = Waiver(tuple(part.strip() for part in waive.split(",")), reason) if waive else None
    if reason and waiver is None:
        fail("--reason is for --waive: say which invariants, or all", code=2)
    if waiver is not None and is_ingest_only:
        fail("--waive is for a release, and --ingest-only makes none", code=2)
    log_to_console()
    from dagster_project.operations.run import bring_up_to_date

    try:
        is_published = bring_up_to_date(
            settings,
            waiver,
            load_definitions,
            is_patient=is_patient,
            is_ingest_only=is_ingest_only,
            confirmed=Confirmed.of([part.strip() for part in (withdraw or "").split(",") if part]),
        )
    except (SettingsError, WaiverError, WithdrawalError, KeyRefusedError) as error:
        fail(str(error), code=2)
    except (OSError, RuntimeError) as error:
        fail(str(error))
    if is_ingest_only:
        if not is_published:
            show.what_is_missing(errors, settings, "not every dump is taken in")
            sys.exit(1)
        return
    if (settings.published / "walkhouse.duckdb").exists():
        show.release(console, settings)
    if not is_published:
        show.what_is_missing(errors, settings)
    is_copied = show.copies_behind(errors, settings)
    if not (is_published and is_copied):
        sys.exit(1)


def load_definitions() -> dg.Definitions:
    """What exists in Dagster, which takes seconds to load."""
    from dagster_project.definitions import defs

    return defs
