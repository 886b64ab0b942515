"""What there is of releases: `walkhouse releases`, `rollback` and `diff`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dagster_project.cli import show
from dagster_project.cli.printing import (
    console,
    errors,
    fail,
    settings_or_fail,
    writable_home_or_fail,
)

if TYPE_CHECKING:
    from dagster_project.release.publish import Release
    from dagster_project.settings import Settings


@click.command()
def releases() -> None:
    """List the releases on disk, the newest first; `*` marks the one that readers see."""
    show.releases(console, settings_or_fail())


@click.command()
@click.argument("release_id", required=False)
def rollback(release_id: str | None) -> None:
    """Let readers see an earlier release: RELEASE_ID, or the one before the current.

    The copies go back as well, and so do readers of Iceberg's tables. Schedule and sensors publish
    nothing until the landing changes: correct or withdraw the dumps. `walkhouse run` publishes the
    state of the landing again.
    """
    from dagster_project.forgotten import RequestsError, is_open, load_requests
    from dagster_project.locks import copies_writer, warehouse_writer
    from dagster_project.models.deployed import account
    from dagster_project.operations.pending import digests
    from dagster_project.operations.run import note_rollback
    from dagster_project.release.copies.owner import installation_id
    from dagster_project.release.copies.send import releases_to_keep, send_copies
    from dagster_project.release.publish import ReleaseError, held, roll_back

    settings = settings_or_fail()
    writable_home_or_fail(settings)
    try:
        with warehouse_writer(settings.home):
            if is_open(load_requests(settings.home)):
                fail(
                    "somebody is to be forgotten, whom earlier releases may show: `walkhouse run` "
                    "finishes that first"
                )
            landing, lake = digests(settings)
            release = roll_back(
                settings.published, release_id, by=account(), landing=landing, lake=lake
            )
            hold = held(settings.published)
    except (ReleaseError, RequestsError) as error:
        fail(str(error))
    console.print(f"readers now see release {release.release_id}")
    sentence = hold.sentence if hold else "it is the newest: nothing is held"
    console.print(sentence, markup=False)
    try:
        note_rollback(settings, release, sentence)
    except (OSError, RuntimeError) as error:
        errors.print(f"walkhouse: the UI does not show it: {error}", markup=False)
    if not _tables_went_back(settings, release):
        sys.exit(1)
    with copies_writer(settings.home):
        send_copies(
            settings.copies,
            settings.published,
            keep=releases_to_keep(settings),
            installation=installation_id(settings.home),
        )
    if not show.copies_behind(errors, settings):
        sys.exit(1)


def _tables_went_back(settings: Settings, release: Release) -> bool:
    """Let readers of Iceberg's tables go back as well, where Spark builds; whether they did."""
    from dagster_project.release.publish import releases, snapshots_of

    snapshots = snapshots_of(settings.published) if settings.engine == "spark" else {}
    if not snapshots:
        return True
    from dagster_project.locks import warehouse_writer
    from dagster_project.models.dbt import DbtError
    from dagster_project.models.deployed import in_production
    from dagster_project.models.pointer import point_to

    keep = [each.release_id for each in releases(settings.published)]
    try:
        with warehouse_writer(settings.home):
            point_to(in_production(settings), release, snapshots, keep=keep)
    except DbtError as error:
        errors.print(
            f"walkhouse: readers of Iceberg's tables see the release of before: {error}; then "
            f"`walkhouse rollback {release.release_id}` again",
            markup=False,
        )
        return False
    return True


@click.command()
@click.argument("a", default="current")
@click.argument("b", default="dev")
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME",
    help="Compare this table only, such as rpt_flows; may be given more than once.",
)
@click.option("--limit", default=3, show_default=True, help="Examples of each kind and table.")
def diff(a: str, b: str, tables: tuple[str, ...], limit: int) -> None:
    """Say in which rows and columns two warehouses differ, table by table.

    A and B are release ids, paths of DuckDB files, or `current`, `previous` (releases), `dev`
    (what plain `dbt build` writes) and `warehouse` (what runs build). Exit code 0 if every table
    is equal, 1 if one differs, 2 if they cannot be compared.
    """
    from dagster_project.cli import show_diff
    from dagster_project.release.diff import DiffError, difference

    try:
        found = difference(settings_or_fail(), a, b, tables=tables, examples=limit)
    except DiffError as error:
        fail(str(error), code=2)
    show_diff.differences(console, found)
    if not found.is_none:
        sys.exit(1)
