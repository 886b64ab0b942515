"""Events over time: late ones, long sessions, log-ins."""

from pathlib import Path

from tests.whole.landings.records import Record, at, player, put


def late_events(landing: Path) -> Path:
    """A dump with events of earlier days, one of them more than a year ago, and of the next day."""
    moments = ("2026-03-23", "2026-03-22", "2026-03-20", "2025-03-01", "2026-03-24")
    put(
        landing,
        "2026-03-23",
        "late.ndjson",
        [
            player(at(f"{day}T12:00:00") + number, "player/open", session=f"late-{day}")
            for day in moments
            for number in range(2)
        ],
    )
    return landing


def long_sessions(landing: Path) -> Path:
    """Sessions over midnight, over days and dumps; idle and long, at the limits and over them."""

    def event(moment: str, session: str, millisecond: int = 0) -> Record:
        time = at(moment) + millisecond
        return player(time, "launcher/click", session=session, user=f"u-{session}", data__oId=5)

    put(
        landing,
        "2026-03-24",
        "a.ndjson",
        [
            event("2026-03-24T23:50:00", "midnight"),
            event("2026-03-25T00:10:00", "midnight"),
            event("2026-03-24T10:00:00", "days"),
            event("2026-03-24T10:00:00", "idle-at-limit"),
            event("2026-03-24T10:30:00", "idle-at-limit"),
            event("2026-03-24T10:00:00", "idle-over-limit"),
            event("2026-03-24T10:30:00", "idle-over-limit", 1),
            event("2026-03-24T10:00:00", "long-at-limit"),
            event("2026-03-24T22:00:00", "long-at-limit"),
            event("2026-03-24T10:00:00", "long-over-limit"),
            event("2026-03-24T22:00:00", "long-over-limit", 1),
        ],
    )
    put(
        landing,
        "2026-03-26",
        "a.ndjson",
        [event("2026-03-26T01:00:00", "days"), event("2026-03-25T12:00:00", "days")],
    )
    return landing


def log_in_within_a_session(landing: Path) -> Path:
    """A session that begins under a generated id and goes on under the user's own."""
    ten = at("2026-03-25T10:00:00")
    put(
        landing,
        "2026-03-25",
        "a.ndjson",
        [
            player(ten + 9000, "launcher/click", session="log-in", user="anna", data__oId=5),
            player(
                ten,
                "launcher/play",
                session="log-in",
                user="anonymous-1",
                data__oId=5,
                wm__euIdSource="Cache",
            ),
            player(
                ten + 5000,
                "player/open",
                session="log-in",
                user="anna",
                wm__euIdSource="Identifier",
            ),
        ],
    )
    return landing
