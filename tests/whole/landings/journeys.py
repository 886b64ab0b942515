"""Journeys: what people use one after the other, over sessions and days."""

from pathlib import Path
from typing import Any

from tests.whole.landings.families import FAMILIES_DUMP, timeline
from tests.whole.landings.records import OTHER_SYSTEM, Record, put


def paths(landing: Path) -> Path:
    """Interactions of sessions in a row: repeated, coming back, many, at once, over midnight."""

    def click(after: float, item: str | None, **more: Any) -> tuple[float, str, Record]:
        return after, "launcher/click", {"id": item, **more}

    started = {"id": "path-flow", "name": "Flow", "data__pId": "path-1"}
    sessions = {
        # Repeats are one step, with what was shown or came out in between.
        "repeats": [
            click(0, "path-a"),
            click(1, "path-a"),
            (2, "launcher/play", {"id": "path-b"}),
            (3, "task/complete", {"id": "path-task"}),
            (4, "bizFlow/play", started | {"data__pInit": {"type": 6}}),
            click(5, "path-a"),
            click(6, "path-b"),
            click(7, "path-a"),
            (8, "bizFlow/play", started | {"data__pInit": {"type": 1}, "data__pId": "path-2"}),
        ],
        # More than five steps before and after the middle one.
        "many": [click(number, f"path-{number}") for number in range(13)],
        # One time, in the order of the definitions and then of the lines; another environment.
        "at-once": [
            click(0, "path-b"),
            click(0, "path-a"),
            (0, "shoutout/click", {"name": "By name"}),
            (0, "player/open", {}),
            click(0, "path-c", wm__env=1),
        ],
        # The session of one id in another system is another path.
        "systems": [
            click(0, "path-a"),
            click(1, "path-b", wm__uId=OTHER_SYSTEM),
            click(2, "path-c"),
            click(3, "path-a", wm__uId=OTHER_SYSTEM),
        ],
        "night": [click(0, "path-a"), click(57_600, "path-b"), click(57_601, "path-c")],
    }
    records = [
        record
        for name, moments in sessions.items()
        for record in timeline("2026-04-10T09:00:00", f"paths-{name}", moments, user=f"u-{name}")
    ]
    put(landing, FAMILIES_DUMP, "paths.ndjson", records)
    return landing
