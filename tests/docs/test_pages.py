"""What the pages say: the output that they show, and the commands that they have people run."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.cli import cli
from dagster_project.ingest.lake import Lake
from dagster_project.registry import load_invariants
from tests.docs.pages import blocks, commands, pages
from tests.docs.samples import fortnight, output, output_blocks
from tests.ingest.test_ingest import take_in
from tests.installation import CHECKOUT, Installation, said

pytestmark = pytest.mark.long

README = CHECKOUT / "README.md"
EVERY_COMMAND = [(path, command) for path in pages() for command in commands(path)]


def program_of(command: str) -> str:
    """The program that a command runs, behind the variables that it sets."""
    return next(word for word in command.split() if not re.match(r"\w+=", word))


def of_program(program: str) -> list[str]:
    """The commands of all pages that run this program, without comments."""
    return [
        re.sub(r"\s+# .*", "", command)
        for _, command in EVERY_COMMAND
        if program_of(command) == program
    ]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """What `make run` leaves."""
    return fortnight(tmp_path_factory.mktemp("fortnight"))


# ---------- what is shown


def test_the_pages_show_what_the_programs_print(installation: Installation) -> None:
    for path in pages():
        for block, before in output_blocks(path):
            assert block.text == output(installation, block, before), (
                f"{path}: the output of {block.comment} differs: run `make docs-samples`"
            )


def test_the_readme_shows_what_a_run_prints() -> None:
    shown = [block.comment for block, _ in output_blocks(README)]
    assert any("walkhouse run" in comment for comment in shown)


def test_the_readme_counts_the_invariants() -> None:
    assert f"against {len(load_invariants())} invariants" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["status", "releases", "settings", "alerts", "run"])
def test_commands_that_only_look_work_as_written(installation: Installation, command: str) -> None:
    assert f".venv/bin/walkhouse {command}" in of_program(".venv/bin/walkhouse")
    looked = installation.walkhouse(command)
    assert looked.returncode == 0, said(looked)


# ---------- what is to be run


def test_every_command_of_walkhouse_is_named_with_options_that_it_has() -> None:
    lines = of_program(".venv/bin/walkhouse")
    for line in lines:
        _, name, *arguments = shlex.split(line)
        cli.commands[name].make_context(name, arguments)
    assert {line.split()[1] for line in lines} == set(cli.commands)


@pytest.mark.parametrize("line", sorted(set(of_program("make"))))
def test_every_target_of_make_exists(line: str) -> None:
    subprocess.run(
        ["make", "--dry-run", *shlex.split(line)[1:]], cwd=CHECKOUT, check=True, capture_output=True
    )


def test_commands_of_the_readme_are_those_of_the_pages() -> None:
    """The pages explain, and other tests run, what the README only names."""
    of_pages = [command for path, command in EVERY_COMMAND if path != README]
    for line in commands(README):
        if "../.venv/bin/dbt" in line:
            assert line in of_pages


def test_no_command_is_left_untested() -> None:
    """Each program is one whose commands some test runs or checks.

    `../.venv/bin/…` and `sqlfluff` are followed by the analyst's test, `docker` by the one of the
    server's files, `curl` by the one of webhooks, `chgrp`, `chmod` and `find` by the one of rights.
    """
    known = {".venv/bin/walkhouse", ".venv/bin/python", ".venv/bin/sqlfluff", "make", "cd"}
    known |= {"../.venv/bin/dbt", "../.venv/bin/mf", "docker", "curl", "apt-get"}
    known |= {"chgrp", "chmod", "find"}
    assert {program_of(command) for _, command in EVERY_COMMAND} <= known


# ---------- what is to be delivered


def test_the_examples_of_files_are_read_as_they_stand(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    for block in blocks(CHECKOUT / "docs" / "getting-data-in.md"):
        if block.comment.startswith("example: "):
            file = landing / block.comment.removeprefix("example: ")
            file.parent.mkdir(parents=True, exist_ok=True)
            # Records are wrapped on the page only.
            text = (
                block.text if block.language == "csv" else " ".join(block.text.split("\n")) + "\n"
            )
            file.write_text(text, encoding="utf-8")
    lake, failed = take_in(tmp_path, landing)
    assert failed == {}
    assert outcomes(lake) == {
        (date(2026, 3, 1), "player.ndjson", "player"): 1,
        (
            date(2026, 3, 1),
            "item_type=survey-question/event=submitted/part-1.ndjson",
            "flat",
        ): 1,
        (date(2026, 3, 2), "tasks.csv", "tabular"): 1,
    }
    (catalogue,) = (landing / "content" / "items.ndjson").read_text(encoding="utf-8").splitlines()
    assert json.loads(catalogue)["item_id"] == "4711"


def outcomes(lake: Lake) -> dict[tuple[date, str, str], int]:
    """Events by dump, file and form."""
    return {
        (day, file, form): events
        for day, dump in lake.dumps().items()
        for file, form, events in duckdb.read_parquet(str(lake.dump_folder(day) / dump.files))
        .select("source_file, form, events")
        .fetchall()
    }


def test_every_reason_for_quarantine_is_explained() -> None:
    source = (CHECKOUT / "dagster_project" / "ingest" / "classification.py").read_text("utf-8")
    reasons = set(re.findall(r"then '((?:missing|bad|future|too|undefined|malformed)\w*)'", source))
    assert len(reasons) == 10
    page = (CHECKOUT / "docs" / "getting-data-in.md").read_text(encoding="utf-8")
    assert {reason for reason in reasons if f"| `{reason}` |" not in page} == set()
