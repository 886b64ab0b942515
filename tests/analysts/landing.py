"""A landing that is small enough to answer every question about it by counting."""

from __future__ import annotations

import json
from pathlib import Path

from tests.whole import landings
from tests.whole.landings import OTHER_SYSTEM, SYSTEM, Record, at, player, timeline

DUMP = "2026-03-15"

Moments = list[tuple[float, str, Record]]


def write(landing: Path) -> None:
    """One dump, and the catalogue of its flows: `f1` and `f2` are visual, `a1` is an automation.

    Of their two steps the second is the last. All is in system `SYSTEM` and in production, unless
    it says otherwise.
    """
    in_sales = {"wm__userVars__info": "Sales; Oslo"}
    in_hr = {"wm__userVars__info": "HR; Oslo"}
    records = [
        # A Sunday, the first day that is not compared, and the next one, which is.
        *timeline("2026-02-28T23:59:59", "s-1", _flow("f1", "p-early", menu=True), user="eve"),
        *timeline("2026-03-01T00:00:00", "s0", _flow("f1", "p0", menu=True), user="eve"),
        *timeline(
            "2026-03-02T10:00:00",
            "s1",
            _told(
                in_sales,
                [
                    (0, "launcher/play", {"id": "l1", "name": "Help"}),
                    (10, "smartTip/play", {"id": "t1", "name": "Cost centre"}),
                    (20, "shoutout/play", {"id": "so1", "name": "News"}),
                    (30, "task/play", {"id": "k1", "name": "Read the news"}),
                    (40, "task/complete", {"id": "k1", "name": "Read the news"}),
                    *_search(50, "Travel"),
                    *_search(120, "invoice", clicked_after=5),
                    *_search(200, "TRAVEL", clicked_after=5),
                    _score(300, 9),
                ],
            ),
            user="ann",
        ),
        # A task that is completed before anything was shown, and a flow beside an automation.
        *timeline(
            "2026-03-03T10:00:00",
            "s2",
            _told(
                in_hr,
                [
                    (0, "task/complete", {"id": "k1", "name": "Read the news"}),
                    (10, "launcher/play", {"id": "l1", "name": "Help"}),
                    (20, "launcher/click", {"id": "l1", "name": "Help"}),
                    (30, "smartTip/play", {"id": "t1", "name": "Cost centre"}),
                    (40, "shoutout/play", {"id": "so1", "name": "News"}),
                    *_search(50, "travel"),
                    *_flow("f1", "p1", steps=(101, 110), after=100, menu=True),
                    *_flow("a1", "pa", steps=(106, 107), after=105),
                ],
            ),
            user="ben",
        ),
        # The same person before the log-in, and after it.
        *timeline(
            "2026-03-05T09:59:00",
            "s7",
            _told(
                {"wm__euIdSource": "Cache"},
                [
                    (0, "launcher/play", {"id": "l2", "name": "Tour"}),
                    (6, "launcher/click", {"id": "l2", "name": "Tour"}),
                ],
            ),
            user="before-eve",
        ),
        # A launcher stops a play, and the play that it starts completes.
        *timeline(
            "2026-03-05T10:00:00",
            "s7",
            [
                *_flow("f2", "q1", steps=(1,), menu=True),
                (20, "bizFlow/play", _begun("f2", "q2", 3)),
                *_steps("f2", "q2", (21, 22)),
                *_search(100, "travel", clicked_after=5),
                # The last score of the day counts.
                _score(200, 9),
                _score(210, 3),
            ],
            user="eve",
        ),
        *timeline(
            "2026-03-09T10:00:00",
            "s3",
            [(0, "launcher/play", {"id": "l1", "name": "Help"})],
            user="cem",
        ),
        # The automation begins long after the flow ended.
        *timeline(
            "2026-03-09T11:00:00",
            "s4",
            [
                *_flow("f1", "p2", steps=(5,), menu=True),
                *_flow("a1", "pb", steps=(301, 302), after=300),
                _score(400, 10),
            ],
            user="ben",
        ),
        # The first day that is no longer compared.
        *timeline("2026-03-15T00:00:00", "s5", _flow("f1", "p3", menu=True), user="eve"),
        # Neither production nor the same system.
        player(
            at("2026-03-04T10:00:00"),
            "launcher/click",
            session="test",
            user="tester",
            data__oId="l1",
            wm__env=1,
        ),
        player(
            at("2026-03-04T10:00:00"),
            "player/open",
            session="s1",
            user="zed",
            wm__uId=OTHER_SYSTEM,
        ),
    ]
    landings.put(landing, DUMP, "events.ndjson", records)
    flows = [
        landings.catalogued("f1", "UU!"),
        landings.catalogued("f2", "UU!"),
        landings.catalogued("a1", "FF!", run_as_automation_process=True, has_autoplay_rule=True),
        # The goal of `a1`, which nobody reaches.
        landings.catalogued("k2", "", item_type="Task", parent_item_id="a1"),
    ]
    items = landing / "content" / "items.ndjson"
    items.parent.mkdir(parents=True)
    items.write_text("".join(json.dumps(flow) + "\n" for flow in flows), encoding="utf-8")


def _told(paths: Record, moments: Moments) -> Moments:
    return [(after, pair, paths | own) for after, pair, own in moments]


def _begun(flow: str, play: str, initiator: int) -> Record:
    return {
        "id": flow,
        "name": f"The flow {flow}",
        "data__pId": play,
        "data__pInit": {"type": initiator},
    }


def _steps(flow: str, play: str, seconds: tuple[float, ...]) -> Moments:
    owned = {"owner": flow, "data__owType": "bizFlow", "data__pId": play}
    return [
        (after, "bizFlowStep/play", owned | {"id": f"{flow}-{number}", "name": f"Step {number}"})
        for number, after in enumerate(seconds, start=1)
    ]


def _flow(
    flow: str,
    play: str,
    *,
    steps: tuple[float, ...] = (),
    after: float = 0,
    menu: bool = False,
) -> Moments:
    """A play that the user began in the menu, or else that began by itself."""
    return [
        (after, "bizFlow/play", _begun(flow, play, 1 if menu else 6)),
        *_steps(flow, play, steps),
    ]


def _search(after: float, term: str, *, clicked_after: float | None = None) -> Moments:
    searched = (after, "widgetSearch/search", {"data__value": term})
    if clicked_after is None:
        return [searched]
    return [searched, (after + clicked_after, "widgetSearch/click", {"name": "A result"})]


def _score(after: float, score: int) -> tuple[float, str, Record]:
    question = {"id": "q1", "name": "How likely?", "owner": "sv1", "owner_name": "Poll"}
    return after, "question/submitted", question | {"data__value": score}


__all__ = ["DUMP", "OTHER_SYSTEM", "SYSTEM", "write"]
