"""Many dumps that leave the landing at once wait for a person."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from dagster_project.ingest.lake import LakeDump
from dagster_project.ingest.withdrawal import Confirmed, WithdrawalError, held_withdrawal

START = date(2026, 3, 1)


def days(count: int, *, first: int = 0) -> list[date]:
    return [START + timedelta(days=number) for number in range(first, first + count)]


def lake(*events: int) -> dict[date, LakeDump]:
    return {
        day: LakeDump(f"{day}", "f", "s", "r", (), "f", {"events": count}, 1, {}, ())
        for day, count in zip(days(len(events)), events, strict=True)
    }


def held(gone: int, loaded: dict[date, LakeDump], limit: float = 5, said: str = "") -> bool:
    confirmed = Confirmed.of(said.split(",") if said else [])
    landed = days(len(loaded) - gone, first=gone)
    return bool(held_withdrawal(landed, loaded, (), limit_percent=limit, confirmed=confirmed))


@pytest.mark.parametrize(
    ("gone", "events", "limit", "expected"),
    [
        (0, [10] * 3, 5, False),
        (1, [10] * 3, 5, False),  # one leaves by itself, whatever it holds
        (1, [1_000, 1, 1], 0, False),
        (1, [10], 100, True),  # but for the last one
        (2, [10] * 3, 5, True),
        (2, [10] * 40, 5, False),  # exactly at the limit
        (2, [10] * 39, 5, True),
        (2, [30, 30, *[10] * 98], 5, True),  # few dumps, many events
        (2, [0, 0, *[10] * 98], 5, False),
        (3, [0] * 100, 5, False),
        (6, [0] * 100, 5, True),
        (2, [10] * 3, 100, False),
        (3, [10] * 3, 100, True),
        (2, [10] * 40, 0, True),
    ],
)
def test_several_that_hold_much_are_held_and_the_last_one(
    gone: int, events: list[int], limit: float, expected: bool
) -> None:
    assert held(gone, lake(*events), limit) is expected


def test_a_person_confirms_each_of_them_or_all() -> None:
    loaded = lake(10, 10, 10)
    assert held(2, loaded, said="2026-03-01")
    assert not held(2, loaded, said="2026-03-02,2026-03-01")
    assert not held(3, loaded, said="all")
    assert held(3, loaded, said="2026-03-01,2026-03-02")


def test_the_message_says_which_and_what_to_do() -> None:
    found = held_withdrawal([], lake(10, 20), (), limit_percent=5)
    assert found == (
        "2 of 2 dumps in the lake, with 30 of 30 events, are no longer in the landing (2026-03-01, "
        "2026-03-02): none would be left, so nothing is changed or published. See whether the "
        "landing is all there; if they were withdrawn, confirm it: `walkhouse run --withdraw all`"
    )


@pytest.mark.parametrize(
    ("expired", "missing", "is_held"),
    [
        (1, 0, False),
        (8, 0, False),  # however many: it is what the settings say
        (9, 0, False),
        (10, 0, True),  # but for all that there are
        (3, 1, False),
        (0, 2, True),
        (3, 2, True),  # a mount may be missing all the same
    ],
)
def test_what_is_too_old_to_be_kept_leaves_unless_nothing_would_be_left(
    expired: int, missing: int, is_held: bool
) -> None:
    loaded, newest = lake(*[10] * 10), days(1, first=400)
    landed = [*days(10 - expired - missing, first=expired + missing), *newest]
    said = held_withdrawal(landed, loaded, (), limit_percent=5, expired=days(expired))
    assert bool(said) is is_held
    if expired == 10:
        assert f"beside the newest one in the landing, {newest[0]} (WALKHOUSE_KEEP_DAYS)" in str(
            said
        )
        confirmed = Confirmed.of(["all"])
        assert not held_withdrawal(
            landed, loaded, (), limit_percent=5, expired=days(expired), confirmed=confirmed
        )


def test_dumps_of_an_older_lake_count_until_they_are_read_again() -> None:
    assert held_withdrawal([], {}, days(1), limit_percent=5)
    assert not held_withdrawal(days(1), {}, days(1), limit_percent=5)
    assert not held_withdrawal([], {}, (), limit_percent=5)


@pytest.mark.parametrize("said", [["2026-02-30"], ["all", "2026-03-01"], ["yes"], [""]])
def test_what_is_no_date_confirms_nothing(said: list[str]) -> None:
    with pytest.raises(WithdrawalError, match="must be dates such as 2026-03-01"):
        Confirmed.of(said)


def test_a_dump_that_is_there_cannot_be_confirmed() -> None:
    with pytest.raises(WithdrawalError, match="dump 2026-03-02 is not waiting to be withdrawn"):
        Confirmed.of(["2026-03-01", "2026-03-02"]).check(days(1))
    Confirmed.of(["all"]).check([])
