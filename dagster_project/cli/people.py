"""What concerns one person: `walkhouse export`."""

from __future__ import annotations

from pathlib import Path

import click

from dagster_project.cli.printing import console, fail, settings_or_fail


@click.command()
@click.option("--user", required=True, help="Id of the end user, as in `end_user_id`.")
@click.option(
    "--to",
    "folder",
    default="export",
    show_default=True,
    type=click.Path(path_type=Path),
    help="A folder that does not exist yet; only you may read it.",
)
def export(user: str, folder: Path) -> None:
    """Write everything that is held of one person, as JSON and as CSV, a file a table.

    It reads the current release and the lake. It also says which files of the landing hold the
    person, and which other ids are theirs: export these too if they are meant.
    """
    from dagster_project.operations.export import ExportError, held_of, write_held

    settings = settings_or_fail()
    if folder.exists():
        fail(f"{folder} is there already: name another folder with --to")
    try:
        held = held_of(settings, user)
        write_held(held, folder)
    except (ExportError, OSError) as error:
        fail(str(error))
    for table, rows in held.rows.items():
        console.print(f"{len(rows):>9,}  {table}", markup=False)
    console.print(f"written to {folder}, from release {held.release_id}", markup=False)
    if held.landed:
        console.print(f"{len(held.landed):,} files of the landing hold the person:")
        for name in held.landed:
            console.print(f"  {name}", markup=False)
    if held.other_ids:
        console.print(f"the same person has {len(held.other_ids):,} more ids:")
        for other in held.other_ids:
            console.print(f"  {other}", markup=False)
