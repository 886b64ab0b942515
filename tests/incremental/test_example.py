"""The example of `docs/incremental.md` is what builds do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.incremental.example import tables_of_builds
from tests.installation import CHECKOUT

PAGE = CHECKOUT / "docs" / "incremental.md"


@pytest.mark.long
def test_the_tables_of_the_page_are_those_of_builds(tmp_path: Path) -> None:
    shown = re.findall(r"^(?:\|.*\|\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    built = [f"{table}\n" for table in tables_of_builds(tmp_path)]
    assert [table for table in shown if table.startswith(("| table |", "| table_name |"))] == built
