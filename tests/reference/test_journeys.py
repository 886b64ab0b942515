"""What the reference says of searches and goals, told otherwise or as others published it."""

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.reference.events import Row
from tests.reference.impact import Z, newcombe, wilson
from tests.reference.searches import searches, term

START = dt.datetime.fromisoformat("2026-03-01T00:00:00")
TERMS = ("h", "ho", "how", "HOW to", "how to book", "trip", " trip ", "trips", None)


# The examples of Newcombe's papers that the tests of the R package propint quote from them.
@pytest.mark.parametrize(
    ("counts", "published"), [((81, 263), (0.2553, 0.3662)), ((15, 148), (0.0624, 0.1605))]
)
def test_intervals_of_shares_are_those_of_the_published_examples(
    counts: tuple[int, int], published: tuple[float, float]
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, method 3."""
    assert wilson(*counts) == pytest.approx(published, abs=0.00005)


@pytest.mark.parametrize(
    ("counts", "published"),
    [((56, 70, 48, 80), (0.0524, 0.3339)), ((9, 10, 3, 10), (0.1705, 0.8090))],
)
def test_intervals_of_differences_are_those_of_the_published_examples(
    counts: tuple[int, int, int, int], published: tuple[float, float]
) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 873-890, method 10."""
    assert newcombe(*counts) == pytest.approx(published, abs=0.00005)


SHARES = st.integers(1, 5000).flatmap(
    lambda trials: st.tuples(st.integers(0, trials), st.just(trials))
)


@given(SHARES)
@example((0, 20))
@example((1, 29))
@example((20, 20))
def test_ends_of_an_interval_are_the_shares_that_the_score_test_just_accepts(
    counts: tuple[int, int],
) -> None:
    """What the interval is, without its formula: at its ends, the score test gives 5 %."""
    successes, trials = counts
    for end in wilson(*counts):
        variance = end * (1 - end) / trials
        assert (successes / trials - end) ** 2 == pytest.approx(Z**2 * variance, abs=1e-12)


@given(SHARES, SHARES)
@example((5, 56), (0, 29))
@example((10, 10), (0, 20))
def test_the_interval_of_a_difference_has_the_spread_at_the_ends_of_both_shares(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    """The other form of method 10: variances at the ends of Wilson's intervals, not distances."""
    difference = one[0] / one[1] - other[0] / other[1]
    low, high = newcombe(*one, *other)
    (one_low, one_high), (other_low, other_high) = wilson(*one), wilson(*other)

    def variance(end: float, other_end: float) -> float:
        return end * (1 - end) / one[1] + other_end * (1 - other_end) / other[1]

    for end, ends in ((low, (one_low, other_high)), (high, (one_high, other_low))):
        assert (difference - end) ** 2 == pytest.approx(Z**2 * variance(*ends), abs=1e-12)


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
