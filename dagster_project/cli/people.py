"""What concerns one person: `walkhouse export` and `forget`."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import duckdb

from dagster_project.cli import show
from dagster_project.cli.printing import (
    console,
    errors,
    fail,
    log_to_console,
    settings_or_fail,
    writable_home_or_fail,
)
from dagster_project.cli.run import load_definitions
from dagster_project.settings import SettingsError


@click.command()
@click.option("--user", required=True, help="Id of the end user, as it came in the events.")
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

    _refuse_bytes([user])
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
    _list(held.landed, "files of the landing hold the person:")
    _list(held.other_ids, "more ids:", before="the same person has ")


@click.command()
@click.option("--user", "users", multiple=True, metavar="ID", help="Id of an end user, as it came.")
@click.option(
    "--users",
    "file",
    type=click.Path(path_type=Path),
    help="A file with one id a line; - reads what another program writes.",
)
@click.option("--system", "system_id", metavar="ID", help="In one WalkMe system only.")
@click.option("--remove", "is_removal", is_flag=True, help="Leave their events out altogether.")
def forget(
    users: tuple[str, ...], file: Path | None, system_id: str | None, is_removal: bool
) -> None:
    """Forget people: nothing that is held leads to them any more, nor what arrives later.

    Their events stay counted, each under an id that is good for one session; user variables, texts
    and quarantined lines of theirs are emptied. The dumps that hold them are read again, and a
    release without them is published. What shows them is removed: older releases, copies, records.

    It needs WALKHOUSE_PERSONAL_KEY. What cannot be finished now is taken up by the next
    `walkhouse run`. Exit code 0 only if nothing is left to do.
    """
    from dagster_project.forgotten import RequestsError
    from dagster_project.keyed_hash import KeyRefusedError
    from dagster_project.operations.forgetting import ask
    from dagster_project.operations.run import bring_up_to_date

    asked_for = [*users, *(_lines_of(file) if file else ())]
    asked_for = list(dict.fromkeys(user for user in asked_for if user.strip()))
    if not asked_for:
        fail("nobody is named: give --user ID, or --users FILE", code=2)
    _refuse_bytes(asked_for)
    settings = settings_or_fail()
    writable_home_or_fail(settings)
    log_to_console()
    try:
        asked = ask(settings, asked_for, system_id=system_id, is_removal=is_removal)
    except KeyRefusedError as error:
        fail(str(error), code=2)
    except (OSError, RequestsError, duckdb.Error) as error:
        fail(str(error))
    for place in asked.nobody:
        # Not by the id: what is printed may be kept.
        errors.print(f"walkhouse: nothing is held of id {place} of {len(asked_for)}")
    for place in asked.known:
        console.print(f"id {place} of {len(asked_for)} is forgotten already")
    is_done = True
    if asked.requests or (asked.known and not asked.nobody):
        _list(asked.landed, "files of the landing hold them; Walkhouse only reads there:")
        _list(asked.other_ids, "more ids, which stay:", before="the same people have ")
        try:
            is_done = bring_up_to_date(settings, None, load_definitions)
        except (SettingsError, KeyRefusedError) as error:
            fail(str(error), code=2)
        except (OSError, RuntimeError) as error:
            fail(f"{error}; the request is noted, and `walkhouse run` goes on with it")
        if is_done:
            show.release(console, settings)
        else:
            show.what_is_missing(errors, settings)
    if asked.nobody or not is_done:
        sys.exit(1)


def _lines_of(file: Path) -> list[str]:
    """The lines of a file, in UTF-8 or, with its mark, UTF-16; of standard input if called -."""
    try:
        content = (
            click.get_binary_stream("stdin").read() if file == Path("-") else file.read_bytes()
        )
        is_utf_16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = content.decode("utf-16" if is_utf_16 else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file} cannot be read: {error}", code=2)
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _refuse_bytes(users: Sequence[str]) -> None:
    """What the command line hands on that is no text is nobody's id."""
    for place, user in enumerate(users, start=1):
        try:
            user.encode()
        except UnicodeEncodeError:
            fail(f"id {place} of {len(users)} is not written in UTF-8", code=2)


def _list(names: Sequence[str], what: str, *, before: str = "") -> None:
    """Print how many there are, and each in a line of its own; nothing where there are none."""
    if names:
        console.print(f"{before}{len(names):,} {what}")
        for name in names:
            console.print(f"  {name}", markup=False)
