"""Journeys: what people use one after the other, over sessions and days."""

from pathlib import Path
from typing import Any

from tests.whole.landings.families import FAMILIES_DUMP, timeline
from tests.whole.landings.records import OTHER_SYSTEM, Record, put

# Its own system, in which the data end when `goals` says.
GOALS_SYSTEM = "system-with-goals"

Moments = list[tuple[float, str, Record]]


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


def goals(landing: Path) -> Path:
    """People who complete, leave, are stopped in or never see a flow, and reach its goals or not.

    `catalogue` connects the flow `goal-flow` with its tasks. Days are those of April.
    """

    def play(
        name: str, *, completes: bool = False, flow: str = "goal-flow", starts: int = 1
    ) -> Moments:
        of_play = {"data__pId": f"goal-{name}"}
        owned = of_play | {"owner": flow, "data__owType": "bizFlow"}
        steps = [f"{flow}-1", *([f"{flow}-2"] if completes else [])]
        return [
            (0, "bizFlow/play", of_play | {"id": flow, "data__pInit": {"type": starts}}),
            *((i, "bizFlowStep/play", owned | {"id": step}) for i, step in enumerate(steps, 1)),
        ]

    def failed(name: str) -> Moments:
        return [(0, "bizFlow/playFailed", {"id": "goal-flow", "data__pId": f"goal-{name}"})]

    def after(seconds: float, moments: Moments) -> Moments:
        return [(seconds + moment, pair, paths) for moment, pair, paths in moments]

    def done(task: str = "goal-task", **paths: Any) -> Moments:
        return [(0, "task/complete", {"id": task, **paths})]

    def seen() -> Moments:
        return [(0, "player/open", {})]

    # By user: a day, and what they did from ten in the morning on.
    days: dict[str, list[tuple[int, Moments]]] = {
        "reaches": [(10, play("a", completes=True)), (13, done())],
        "reaches-at-once": [(10, play("b", completes=True) + done())],
        "reaches-too-late": [(10, play("c", completes=True)), (17, done())],
        "reaches-the-part": [(10, play("d", completes=True)), (11, done("goal-part"))],
        "reached-before": [(9, done()), (10, play("e", completes=True)), (11, done())],
        "leaves": [(11, play("f") + after(60, play("f2", completes=True))), (12, done())],
        "leaves-only": [(11, play("g"))],
        "is-stopped": [(11, play("h") + after(9, play("h2", flow="goal-other", starts=3)))],
        "fails-only": [(11, failed("i")), (12, done())],
        "fails-at-first": [(11, failed("j")), (12, play("j2", completes=True)), (13, done())],
        "never-shown": [(8, seen()), (12, seen()), (18, done())],
        "never-shown-too-late": [(12, seen()), (19, done())],
        "seen-before": [(8, seen())],
        "not-over": [(18, play("k", completes=True) + done())],
        "in-a-test": [(12, done(wm__env=1))],
    }
    records = [
        record
        for user, of_user in days.items()
        for day, moments in of_user
        for record in timeline(
            f"2026-04-{day:02}T10:00:00", f"goals-{user}-{day}", moments, user=user
        )
    ]
    # Plays under a generated id, logs in, and reaches the goal under the own one.
    anonymous = {"wm__euIdSource": "Cache"}
    own = {"wm__euIdSource": "Identifier"}
    told = [(t, pair, paths | anonymous) for t, pair, paths in play("l", completes=True)]
    records += timeline("2026-04-10T11:00:00", "goals-log-in", told, user="goals-browser")
    records += timeline(
        "2026-04-10T11:01:00", "goals-log-in", [(0, "player/open", own)], user="goals-own"
    )
    records += timeline(
        "2026-04-14T11:01:00",
        "goals-later",
        [(0, "task/complete", {"id": "goal-task", **own})],
        user="goals-own",
    )
    # The data end a week and an hour after the days of most began, but not those of one.
    records += timeline("2026-04-19T11:00:00", "goals-end", seen(), user="reaches")
    for record in records:
        record["wm"]["uId"] = GOALS_SYSTEM
    put(landing, "2026-04-20", "goals.ndjson", records)
    return landing
