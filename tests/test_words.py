"""One is one, and everything else is many."""

from __future__ import annotations

import pytest

from dagster_project.words import counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 dumps"), (1, "1 dump"), (2, "2 dumps"), (1400, "1,400 dumps")]
)
def test_a_number_stands_with_its_noun(number: int, said: str) -> None:
    assert counted(number, "dump") == said


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert [counted(n, "person", "people") for n in (1, 2)] == ["1 person", "2 people"]
