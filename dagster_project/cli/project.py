"""What concerns the dbt project: `walkhouse parse` and `dictionary`."""

from __future__ import annotations

import click

from dagster_project.cli.printing import console, fail, settings_or_fail


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if it is out of date.")
def dictionary(check: bool) -> None:
    """Write the data dictionary of this checkout, docs/data-dictionary.md.

    It describes every published table and column, the event definitions and the invariants, as
    the dbt project does.
    """
    from dagster_project.models.dbt import DbtError, dbt_project, load_manifest
    from dagster_project.models.dictionary import DICTIONARY, data_dictionary
    from dagster_project.registry import load_event_definitions, load_invariants, load_variables

    try:
        manifest = load_manifest(dbt_project(settings_or_fail()))
    except DbtError as error:
        fail(str(error))
    variables = load_variables()
    text = data_dictionary(
        manifest,
        variables["published"],
        load_event_definitions(),
        load_invariants(),
        variables["personal_data"],
    )
    if DICTIONARY.exists() and DICTIONARY.read_text(encoding="utf-8") == text:
        console.print(f"{DICTIONARY} is current", markup=False)
    elif check:
        fail(f"{DICTIONARY} is out of date: run `make dictionary`")
    else:
        DICTIONARY.write_text(text, encoding="utf-8")
        console.print(f"wrote {DICTIONARY}", markup=False)


@click.command()
def parse() -> None:
    """Parse the dbt project ahead of the first run of any installation; `make setup` does.

    It also finds out what columns the tables have and where they come from, for the UI.
    """
    from dagster_project.models.dbt import DbtError, dbt_project, ensure_columns

    try:
        ensure_columns(dbt_project(settings_or_fail()))
    except DbtError as error:
        fail(str(error))
