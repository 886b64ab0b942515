"""Whether dumps that are no longer in the landing may leave the lake.

A dump that was withdrawn leaves it by itself. Many at once are rather a mount that is missing or a
setting that is wrong, so a person has to confirm them. Those that are too old to be kept may leave,
unless they are all that there is: then the day of the newest dump is rather a mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dagster_project.ingest.lake import LakeDump

_DAYS_NAMED = 10


class WithdrawalError(ValueError):
    """A confirmation that cannot be meant; the message says why."""


@dataclass(frozen=True)
class Confirmed:
    """The withdrawals that a person confirmed: some days, or all that there are."""

    days: frozenset[date] = frozenset()
    is_all: bool = False

    @classmethod
    def of(cls, texts: Sequence[str]) -> Confirmed:
        """From what a person wrote: dates, or `all`.

        Raises:
            WithdrawalError: something else.
        """
        if list(texts) == ["all"]:
            return cls(is_all=True)
        try:
            return cls(frozenset(date.fromisoformat(text) for text in texts))
        except ValueError as error:
            raise WithdrawalError(
                f"{','.join(texts)!r} must be dates such as 2026-03-01, separated by commas, or all"
            ) from error

    @property
    def texts(self) -> list[str]:
        """As a person would write it."""
        return ["all"] if self.is_all else sorted(map(str, self.days))

    def check(self, withdrawn: Collection[date]) -> None:
        """See whether what is confirmed can be withdrawn.

        Raises:
            WithdrawalError: a day is still in the landing, or never was in the lake.
        """
        if others := sorted(self.days - set(withdrawn)):
            raise WithdrawalError(
                f"dump {others[0]} is not waiting to be withdrawn: it lies in the landing, or the "
                "lake does not hold it"
            )


NOTHING_CONFIRMED = Confirmed()


def held_withdrawal(
    landed: Collection[date],
    loaded: Mapping[date, LakeDump],
    awaited: Collection[date],
    *,
    limit_percent: float,
    confirmed: Confirmed = NOTHING_CONFIRMED,
    expired: Collection[date] = (),
) -> str | None:
    """Why the dumps that left the landing are kept for now; None where they may leave the lake.

    Args:
        landed: the dumps in the landing.
        loaded: the dumps in the lake.
        awaited: dumps of an older lake that are still to be read.
        limit_percent: the share of all dumps, or of all events, above which several dumps are held.
        confirmed: what a person confirmed.
        expired: the dumps in the landing that are too old to be kept.
    """
    known = loaded.keys() | set(awaited)
    gone = known - set(landed)
    if gone != known or not gone <= set(expired):
        gone -= set(expired)
    if not gone or confirmed.is_all or gone <= confirmed.days:
        return None
    events, all_events = _events(loaded, gone), _events(loaded, known)
    shares = (len(gone) / len(known), events / all_events if all_events else 0.0)
    is_many = len(gone) > 1 and max(shares) * 100 > limit_percent
    if gone != known and not is_many:
        return None
    days = ", ".join(map(str, sorted(gone)[:_DAYS_NAMED]))
    more = f" and {len(gone) - _DAYS_NAMED} more" if len(gone) > _DAYS_NAMED else ""
    rule = (
        "none would be left"
        if gone == known
        else f"more than {limit_percent:g} % at once (WALKHOUSE_WITHDRAWAL_LIMIT)"
    )
    named = str(min(gone)) if len(gone) == 1 else "all"
    if gone <= set(expired):
        return (
            f"all {len(known):,} dumps in the lake are too old to be kept beside the newest one in "
            f"the landing, {max(landed)} (WALKHOUSE_KEEP_DAYS), so nothing is changed or "
            "published. See whether that day is right; if it is, confirm it: "
            f"`walkhouse run --withdraw {named}`"
        )
    return (
        f"{len(gone):,} of {len(known):,} dumps in the lake, with {events:,} of {all_events:,} "
        f"events, are no longer in the landing ({days}{more}): {rule}, so nothing is changed or "
        "published. See whether the landing is all there; if they were withdrawn, confirm it: "
        f"`walkhouse run --withdraw {named}`"
    )


def _events(loaded: Mapping[date, LakeDump], days: Collection[date]) -> int:
    return sum(loaded[day].outcomes.get("events", 0) for day in days if day in loaded)
