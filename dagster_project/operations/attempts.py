"""When a run that came to nothing is asked for again.

A request has a key: what it would be made from. A run that failed for what the data say is
conclusive; the same data would end the same, so the same key is not asked for again. A run that
failed for another reason, or whose process was killed, is: soon at first, then ever more rarely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True)
class Attempt:
    """A run of a key that ended and did not bring about what was asked for.

    Attributes:
        ended_at: when, with its time zone.
        is_conclusive: whether it failed for what the data say.
    """

    ended_at: datetime
    is_conclusive: bool


def next_attempt(attempts: Sequence[Attempt]) -> datetime | None:
    """The time of the next attempt after those that there were; None if there is to be none.

    Args:
        attempts: one or more.
    """
    if any(attempt.is_conclusive for attempt in attempts):
        return None
    doublings = min(len(attempts) - 1, 10)
    wait: timedelta = min(_FIRST_WAIT * float(2**doublings), _LONGEST_WAIT)
    return max(attempt.ended_at for attempt in attempts) + wait
