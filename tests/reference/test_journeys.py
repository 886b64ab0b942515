"""What the reference says of searches and goals, told otherwise or as others published it."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.events import Row
from tests.reference.impact import newcombe, wilson
from tests.reference.searches import searches, term

START = dt.datetime.fromisoformat("2026-03-01T00:00:00")
TERMS = ("h", "ho", "how", "HOW to", "how to book", "trip", " trip ", "trips", None)


@pytest.mark.parametrize(
    ("counts", "published"),
    [
        ((81, 263), (0.2553, 0.3662)),
        ((15, 148), (0.0624, 0.1605)),
        ((0, 20), (0.0000, 0.1611)),
        ((1, 29), (0.0061, 0.1718)),
    ],
)
def test_intervals_of_shares_are_those_of_the_published_examples(
    counts: tuple[int, int], published: tuple[float, float]
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, method 3."""
    assert wilson(*counts) == pytest.approx(published, abs=0.00005)


@pytest.mark.parametrize(
    ("counts", "published"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0000)),
        ((10, 10, 0, 10), (0.6075, 1.0000)),
    ],
)
def test_intervals_of_differences_are_those_of_the_published_examples(
    counts: tuple[int, int, int, int], published: tuple[float, float]
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10."""
    assert newcombe(*counts) == pytest.approx(published, abs=0.00005)


@given(st.lists(st.tuples(st.sampled_from(TERMS), st.integers(1, 60), st.booleans()), max_size=12))
def test_intents_of_a_session_of_which_a_term_extends_another_are_one(
    typed: list[tuple[str | None, int, bool]],
) -> None:
    """No two successive searches within the pause, of which one extends the other, are apart."""
    events: list[Row] = []
    moment = START
    for number, (value, seconds, is_click) in enumerate(typed):
        moment += dt.timedelta(seconds=seconds)
        events.append(_event(number, moment, value, "Click" if is_click else "Search"))
    rows = sorted(searches(events), key=lambda row: row["first_event_at"])
    typed_terms = [event for event in events if event["event"] == "Search"]
    starts = {row["searched_at"] for row in rows}
    for before, after in pairwise(typed_terms):
        old, new = ((text := term(event)) and text.lower() for event in (before, after))
        is_one = old is new is None or (
            old is not None and new is not None and (new.startswith(old) or old.startswith(new))
        )
        is_close = (after["occurred_at"] - before["occurred_at"]).total_seconds() <= 30
        assert (after["occurred_at"] not in starts) is (is_one and is_close)
    assert sum(row["keystroke_events"] for row in rows) == len(typed_terms)
    assert all(row["search_term"] is None or row["final_term"] is not None for row in rows)
    for row in rows:
        assert not row["is_typed_on"] or row["search_term"].startswith(row["final_term"].lower())
        assert row["led_to_click"] or not row["was_clicked"]


def _event(number: int, moment: dt.datetime, value: str | None, event: str) -> Row:
    return {
        **dict.fromkeys(("system_id", "environment", "session_id", "end_user_id"), "s"),
        "item_type": "WidgetSearch",
        "event": event,
        "item_id": None,
        "item_name": None,
        "value": value,
        "occurred_at": moment,
        "order_in_ms": 1,
        "dump_date": START.date(),
        "source_file": "a.ndjson",
        "source_row": number,
    }
