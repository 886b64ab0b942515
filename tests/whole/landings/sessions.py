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


def people(landing: Path) -> Path:
    """Ids of one person and of several: log-ins over weeks and systems, and a shared browser.

    The browser of bea holds `browser-bea`: she meets launcher 5 before she logs in and clicks it
    after that, stays away for five weeks, and changes her role. `browser-hall` stands in a hall,
    where two people log in. Nobody ever logs in behind `browser-lone`. What
    comes late makes an anonymous id known, and another one a second person's.
    """

    def event(moment: str, pair: str, session: str, user: str, **paths: object) -> Record:
        source = "Cache" if user.startswith("browser") else "Identifier"
        told = {"data__oId": 5, "wm__euIdSource": source} | paths
        return player(at(moment), pair, session=f"people-{session}", user=user, **told)

    shown, clicked = "launcher/play", "launcher/click"
    sales = {"wm__userVars": {"role": "Sales", "info": "North"}}
    finance = {"wm__userVars": {"role": "Finance", "info": ""}, "wm__language": "French"}
    away = {"ctx__location": {"hostname": "away.example", "pathname": "/"}}
    home = {"ctx__location": {"hostname": "home.example", "pathname": "/"}}
    elsewhere = {"wm__uId": "ffffffffffffffffffffffffffffffff"}
    put(
        landing,
        "2026-04-06",
        "people.ndjson",
        [
            event("2026-04-06T08:00:00", shown, "1", "browser-bea"),
            event("2026-04-06T10:00:00", shown, "2", "browser-bea"),
            event("2026-04-06T10:00:05", "player/open", "2", "bea", **sales),
            event("2026-04-06T10:00:06", clicked, "2", "bea", **sales),
            event("2026-04-06T23:59:58", shown, "3", "browser-bea"),
            event("2026-04-07T00:00:02", shown, "3", "bea", data__oId=6),
            event("2026-04-06T11:00:00", shown, "4", "browser-hall"),
            event("2026-04-06T11:00:00", shown, "4", "carl"),
            event("2026-04-06T12:00:00", shown, "5", "browser-hall"),
            event("2026-04-06T12:00:09", clicked, "5", "dora", **elsewhere),
            event("2026-04-06T13:00:00", shown, "6", "browser-lone"),
            event("2026-04-06T14:00:00", shown, "7", "browser-late"),
            event("2026-04-06T15:00:00", clicked, "8", "erik", **away),
            event("2026-04-06T15:00:01", shown, "8", "browser-erik", **home),
        ],
    )
    put(
        landing,
        "2026-05-12",
        "people.ndjson",
        [
            event("2026-05-11T08:00:00", clicked, "9", "bea", **finance, **elsewhere),
            event("2026-05-12T08:00:00", shown, "10", "browser-bea"),
            event("2026-05-12T08:10:00", "task/complete", "10", "bea", **finance),
            event("2026-05-04T08:00:00", shown, "11", "erik", **home),
            event("2026-05-04T08:00:00", shown, "12", "browser-erik", wm__env=1, **home),
            event("2026-05-04T08:00:01", shown, "12", "erik", wm__env=1, **home),
            event("2026-04-06T12:00:10", clicked, "5", "dora"),
            event("2026-04-06T14:00:30", clicked, "7", "fred"),
            event("2026-04-07T14:00:30", shown, "13", "browser-fake", wm__euIdSource="Identifier"),
        ],
    )
    return landing
