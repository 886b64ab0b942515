"""What columns hold: pairs, environments, initiators, the catalogue, rules that are broken."""

from pathlib import Path
from typing import Any

from tests.whole.landings.records import (
    OTHER_SYSTEM,
    RAW_PAIRS,
    SYSTEM,
    Record,
    at,
    csv_table,
    flat,
    ndjson,
    player,
    put,
    tabular,
)


def every_pair(landing: Path) -> Path:
    """Each pair by its raw names, in a production and in a test session, plus odd spellings."""
    start = at("2026-03-30T08:00:00")
    pairs = [f"{item}/{verb}" for item, verbs in RAW_PAIRS.items() for verb in verbs]
    put(
        landing,
        "2026-03-30",
        "raw.ndjson",
        [
            player(
                start + 10_000 * number,
                pair,
                session=f"pairs-{environment}",
                user=f"u-pairs-{environment}",
                data__oId=f"item-{pair.split('/')[0]}",
                data__oName=f"The {pair.split('/')[0]}",
                wm__env=environment,
            )
            for environment in (0, 1)
            for number, pair in enumerate(pairs)
        ],
    )
    spellings = (
        "smart walk-thru/play",
        "SMART_WALK_THRU/Play Failed",
        "TeachMe Quiz/submitted",
        "teach me quiz question/Submitted",
        "Help-Desk/PLAY",
        "ActionBot Node/conversation node served",
    )
    put(
        landing,
        "2026-03-30",
        "documented.ndjson",
        [
            tabular(start + number, pair, session="spelt", item_id=number)
            for number, pair in enumerate(spellings)
        ],
    )
    return landing


def environments(landing: Path) -> Path:
    """The same event in every environment, known and unknown, by code, by text and absent."""
    noon = at("2026-03-27T12:00:00")
    codes: tuple[Any, ...] = (0, 1, 2, 3, 4, 17, "0", "3", None, "")
    events = [
        player(noon + n, "launcher/click", session="environments", data__oId=5, wm__env=code)
        for n, code in enumerate(codes)
    ]
    absent = player(noon + 50, "launcher/click", session="environments", data__oId=5)
    del absent["wm"]["env"]
    put(landing, "2026-03-27", "player.ndjson", [*events, absent])
    names = ("production", "test", "sandbox", "", "2", "9")
    put(
        landing,
        "2026-03-27",
        "rows.csv",
        csv_table(
            [
                tabular(noon + 100 + n, "Launcher/Click", session="environments", environment=name)
                for n, name in enumerate(names)
            ]
        ),
    )
    return landing


def initiators(landing: Path) -> Path:
    """Each of the events that anyone can start, with every initiator, unknown ones and none."""
    noon = at("2026-03-28T12:00:00")
    pairs = ("bizFlow/play", "wt/play", "resource/play", "shuttle/play", "player/open")
    records: list[Record] = []
    for pair in (*pairs, "survey/play", "bizFlow/playFailed", "task/play"):
        for code in (*range(19), "3", None, ""):
            time = noon + 1000 * len(records)
            started = {"type": code, "objectId": 40 + len(records)}
            records.append(
                player(time, pair, session="initiators", data__oId=5, data__pInit=started)
            )
        absent = player(noon + 1000 * len(records), pair, session="initiators", data__oId=5)
        records += [absent, player(absent["time"] + 1, pair, session="i", data__pInit=None)]
    put(landing, "2026-03-28", "player.ndjson", records)
    names = ("menu", "api", "autostart", "none", "initiator_99", "17", "")
    put(
        landing,
        "2026-03-28",
        "rows.csv",
        csv_table(
            [
                tabular(noon + n, "Resource/Play", session="names", initiator=name)
                for n, name in enumerate(names)
            ]
        ),
    )
    return landing


def catalogued(item_id: str, kinds: str, **columns: Any) -> Record:
    """A flow of the catalogue; `kinds` has a letter a step.

    U is a visual step, F an invisible one, O one that passes ownership; `!` makes the one before it
    a terminal step.
    """
    steps: list[Record] = []
    for letter in kinds:
        if letter == "!":
            steps[-1]["is_terminal"] = True
            continue
        number = len(steps) + 1
        steps.append(
            {
                "step_id": f"{item_id}-{number}",
                "position": number,
                "name": f"Step {number} of {item_id}",
                "kind": "ui" if letter == "U" else "flow",
                "step_type": {"U": "balloon", "F": "AutoStep", "O": "PassOwnership"}[letter],
                "is_terminal": False,
            }
        )
    return {
        "system_id": SYSTEM,
        "item_id": item_id,
        "item_type": "Smart Walk-Thru",
        "name": f"The flow {item_id}",
        "parent_item_id": None,
        "publish_status": "published",
        "run_as_automation_process": False,
        "has_autoplay_rule": False,
        "connects_to": [],
        "steps": steps,
        "pass_mark": None,
    } | columns


def catalogue(landing: Path) -> Path:
    """A catalogue with played, unplayed and renamed items, and events of items that it lacks."""
    noon = at("2026-04-02T12:00:00")
    items: list[Record] = [
        {
            "system_id": SYSTEM,
            "item_id": "c-4711",
            "item_type": "Smart Walk-Thru",
            "name": "Book a trip (latest)",
            "parent_item_id": None,
            "publish_status": "published",
            "run_as_automation_process": False,
            "has_autoplay_rule": True,
            "connects_to": [],
            "steps": [
                {
                    "step_id": "c-1",
                    "position": 1,
                    "name": "Amount",
                    "kind": "ui",
                    "step_type": "balloon",
                    "is_terminal": False,
                },
                {
                    "step_id": "c-2",
                    "position": 2,
                    "name": "Done",
                    "kind": "flow",
                    "step_type": "Split",
                    "is_terminal": True,
                },
            ],
            "pass_mark": None,
        },
        {
            "system_id": SYSTEM,
            "item_id": "c-quiz",
            "item_type": "quiz",
            "name": "Unplayed quiz",
            "parent_item_id": "c-course",
            "publish_status": "draft",
            "run_as_automation_process": None,
            "has_autoplay_rule": None,
            "connects_to": [],
            "steps": [],
            "pass_mark": 80,
        },
    ]
    auto: Record = {"run_as_automation_process": True, "has_autoplay_rule": True}
    items += [
        catalogued("f-visual", "UFUUU!"),
        catalogued("f-other", "UU"),
        catalogued("f-auto", "FF", **auto, connects_to=["f-auto-too"]),
        # One for each rule on what is published; drafts and classic Walk-Thrus do not count.
        catalogued("f-auto-too", "F", **auto, connects_to=["f-auto", "f-elsewhere"]),
        catalogued("f-no-step", ""),
        catalogued("f-no-ui", "FF!"),
        catalogued("f-draft", "F", publish_status="draft"),
        catalogued("w-1", "F", item_type="Walk-Thru"),
        catalogued("f-auto-draft", "U", run_as_automation_process=True, publish_status="draft"),
        catalogued("f-auto-ui", "FU", **auto, publish_status=None),
        catalogued("f-auto-no-rule", "F", run_as_automation_process=True),
        catalogued("f-auto-owner", "FO", **auto),
        catalogued("f-auto-leads", "F", **auto, connects_to=["f-auto-leads-too"]),
        catalogued("f-auto-leads-too", "F", **auto, connects_to=["f-auto-leads", "f-other"]),
    ]
    # A flow with a task of its name and one that is its part, and one that nobody played.
    with_goals: Record = {"system_id": "system-with-goals"}
    task: Record = {**with_goals, "item_type": "Task"}
    items += [
        catalogued("goal-flow", "UU!", **with_goals, name="Plan a leave"),
        catalogued("goal-other", "UU!", **with_goals),
        catalogued("goal-idle", "UU!", **with_goals, name="Set a goal"),
        {**task, "item_id": "goal-task", "name": " plan a LEAVE "},
        {**task, "item_id": "goal-part", "name": "Ask for it", "parent_item_id": "goal-flow"},
        {**task, "item_id": "goal-none", "name": "Set a goal"},
        {**task, "item_id": "goal-apart", "name": "Nothing of the kind"},
        {**task, "item_id": "goal-elsewhere", "name": "Plan a leave", "system_id": SYSTEM},
    ]
    items += [
        catalogued("f-two-types", "F", **auto, connects_to=["f-both"]),
        catalogued("f-both", "F", **auto),
        catalogued("f-both", "U", item_type="Walk-Thru"),
        catalogued("f-auto-classic", "F", **auto, connects_to=["w-2"]),
        catalogued("w-2", "U", item_type="Walk-Thru"),
        {
            "system_id": SYSTEM,
            "item_id": "sv-nps",
            "item_type": "Survey",
            "name": "Mixed, as listed",
            "questions": [
                {"question_id": "nps-listed", "name": "As listed", "kind": "nps"},
                {"question_id": "nps-choice", "name": "A choice", "kind": "choice"},
                {"question_id": "nps-team", "name": "Not said", "kind": None},
                {"question_id": None, "name": "No id", "kind": "text"},
            ],
        },
        {
            "system_id": SYSTEM,
            "item_id": "sv-nps",
            "item_type": "launcher",
            "name": "A launcher of the same id",
        },
    ]
    path = landing / "content" / "items.ndjson"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ndjson(items))
    play = {"data__pId": f"{noon}-c-4711-x", "data__oId": "c-4711", "data__pInit": {"type": 1}}
    put(
        landing,
        "2026-04-02",
        "player.ndjson",
        [
            player(noon, "bizFlow/play", session="catalogue", data__oName="Old", **play),
            player(
                noon + 1000,
                "bizFlowStep/play",
                session="catalogue",
                data__pId=play["data__pId"],
                data__oId="c-2",
                data__oName="Step as played",
                data__owId="c-4711",
                data__owType="bizFlow",
            ),
            player(
                noon + 2000,
                "bizFlow/play",
                session="catalogue",
                data__oId="c-4711",
                data__oName="The same id in another system",
                wm__uId=OTHER_SYSTEM,
            ),
            player(noon + 3000, "launcher/click", session="catalogue", data__oId="c-l"),
        ],
    )
    return landing


def renamed_items(landing: Path) -> Path:
    """Items whose name and parent change: the latest counts, by time and not by arrival."""

    def event(day: str, name: str | None) -> Record:
        return player(
            at(f"{day}T12:00:00"),
            "launcher/click",
            session=f"renamed-{day}",
            data__oId="renamed",
            data__oName=name,
            data__owId=f"parent-{day}",
            data__owName="Parent",
            data__owType="engagedElement",
        )

    put(landing, "2026-04-03", "a.ndjson", [event("2026-04-03", "new"), event("2026-04-01", "old")])
    put(landing, "2026-04-04", "a.ndjson", [event("2026-04-02", "older"), event("2026-04-04", "")])
    return landing


def unknown_keys(landing: Path) -> Path:
    """Keys never seen before in every form, known ones that lead nowhere, and null ones."""
    day = "2026-03-29"
    noon = at("2026-03-29T12:00:00")
    known = player(
        noon,
        "player/open",
        session="keys",
        data__aoId=1,
        data__oType=0,
        data__total=51,
        data__status=6,
        data__pInit={"type": 1, "appType": 2, "objectId": 3},
        data__value={"free": {"form": 1}},
        wm__cseuId="c",
        wm__permId=-1,
        wm__platform=1,
        visions__sId="keys",
        version__lib="l",
        version__pe="p",
        ctx__location={"protocol": "https:", "port": "1"},
        ctx__referrer="r",
        env__screen={"height": 1, "width": 2},
    )
    new = player(
        noon + 1,
        "player/open",
        session="keys",
        data__novel=1,
        wm__userVars={"tier": "gold", "name": "n"},
        env__device={"model": {"maker": "x"}, "year": 2026},
        shiny=[1, 2],
        nothing=None,
    )
    ignored = player(noon + 2, "launcher/draw", session="keys", shiny=1)
    quarantined = player("soon", "player/open", session="keys", shiny=1)
    put(
        landing,
        day,
        "player.ndjson",
        [known, new, new, ignored, quarantined, {"_static": True, "shiny": 0}],
    )
    put(
        landing,
        day,
        "flat.ndjson",
        [flat(noon + 3, session="keys", type="open", data__type="player", wm__tier=1, extra="x")],
    )
    row = tabular(noon + 4, "Menu/Open", session="keys", event_id="1", extra="x", other="")
    put(landing, day, "rows.csv", csv_table([row, row]))
    return landing


def broken_rules(landing: Path) -> Path:
    """Events that break the rules of the event definitions, beside near-misses that do not."""
    ten = at("2026-03-31T10:00:00")
    hour = 60 * 60 * 1000

    def event(pair: str, minutes: float, session: str, item: str | None = None) -> Record:
        time = ten + int(minutes * 60_000)
        user = f"u-{session.split('-')[0]}"
        return player(time, pair, session=f"rules-{session}", user=user, data__oId=item)

    put(
        landing,
        "2026-03-31",
        "player.ndjson",
        [
            event("launcher/play", 0, "good", "l1"),
            event("launcher/play", 1, "good", "l2"),
            event("launcher/play", 0, "bad", "l1"),
            event("launcher/play", 1, "bad", "l1"),
            event("launcher/play", 2, "bad", "l1"),
            event("smartTip/play", 0, "good", "s1"),
            event("smartTip/play", 0, "bad", "s1"),
            event("smartTip/play", 1, "bad", "s1"),
            event("smartTip/click", 2, "good", "s1"),
            event("smartTip/visible", 3, "good", "s1"),
            event("smartTip/visible", 2, "bad", "s2"),
            event("smartTip/click", 3, "bad", "s1"),
            event("teachMe/visible", 0, "good-a"),
            event("teachMe/visible", 24 * 60, "good-b"),
            event("teachMe/visible", 0, "bad-a"),
            event("teachMe/visible", 24 * 60 - 0.001, "bad-b"),
            event("quiz/submitted", 5, "good", "q1"),
            event("quiz/passed", 5, "good", "q1"),
            event("quiz/submitted", 6, "good", "q1"),
            event("quiz/failed", 7, "good", "q1"),
            event("quiz/passed", 5, "bad", "q1"),
            event("quiz/submitted", 6, "bad", "q1"),
            event("quiz/passed", 7, "bad", "q1"),
            event("quiz/failed", 8, "bad", "q1"),
        ],
    )
    late = player(ten + 48 * hour, "teachMe/visible", session="rules-good-c", user="u-good")
    put(landing, "2026-04-02", "rules.ndjson", [late])
    return landing
