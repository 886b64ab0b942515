"""Families of items: flows, surveys, searches, chats, quizzes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.whole.landings.records import OTHER_SYSTEM, RAW_PAIRS, Record, at, player, put

# These themes share a dump, because a run takes its time over each.
FAMILIES_DUMP = "2026-04-12"


def timeline(
    start: str, session: str, moments: Iterable[tuple[float, str, Record]], *, user: str = "u-1"
) -> list[Record]:
    """Player events of one session: (seconds after `start`, pair, further paths) each.

    The paths `id`, `name`, `owner` and `owner_name` stand for those of the item and its parent.
    """
    short = {"id": "oId", "name": "oName", "owner": "owId", "owner_name": "owName"}
    return [
        player(
            at(start) + round(1000 * after),
            pair,
            session=session,
            user=user,
            **{f"data__{short[k]}" if k in short else k: value for k, value in paths.items()},
        )
        for after, pair, paths in moments
    ]


def _flow(
    play: str | None, flow: str | None, *, starts: int | None = None, after: float = 0, **steps: Any
) -> list[tuple[float, str, Record]]:
    """A play of a Smart Walk-Thru: its Play, and `step=seconds` for each step, `step__2` again."""
    of_play: Record = {"data__pId": play} if play else {}
    begun = {"id": flow, "name": flow and f"Flow {flow}", "data__pInit": {"type": starts}}
    owned = {"owner": flow, "owner_name": flow and f"Flow {flow}", "data__owType": "bizFlow"}
    return [(after, "bizFlow/play", begun | of_play)] + [
        (
            seconds,
            "bizFlowStep/play",
            owned | of_play | {"id": f"{flow}-{step.split('_')[1]}", "name": step.split("__")[0]},
        )
        for step, seconds in steps.items()
    ]


def flows(landing: Path) -> Path:
    """Plays of flows that are hard to tell apart or to judge; see the comments."""
    day, night = "2026-04-05", "2026-04-05T23:50:00"
    visual, other, automation = "f-visual", "f-other", "f-auto"
    auto = 6
    records = [
        # Begins at its fourth step, and completes with the fifth.
        *timeline(
            f"{day}T08:00:00", "flows-start", _flow("p1", visual, starts=1, step_4=1, step_5=9)
        ),
        # Restarted after its second step: another play, which repeats a step.
        *timeline(
            f"{day}T08:10:00",
            "flows-restart",
            _flow("p2", visual, starts=1, step_1=1, step_2=5)
            + _flow("p3", visual, starts=17, after=8, step_1=9, step_2=12, step_1__2=20, step_3=31),
        ),
        # An automation process and a visual flow take turns; another one fails beside them.
        *timeline(
            f"{day}T08:20:00",
            "flows-beside",
            _flow("p4", visual, starts=1, step_1=1, step_2=6, step_3=12)
            + _flow("p5", automation, starts=auto, after=4, step_1=5, step_2=9)
            + _flow("p6", automation, starts=auto, after=20, step_1=21)
            + [(7, "bizFlow/playFailed", {"id": automation, "data__pId": "p7"})],
        ),
        # A launcher stops both flows that run, but not what goes on in another session.
        *timeline(
            f"{day}T08:30:00",
            "flows-launcher",
            _flow("p8", visual, starts=1, step_1=1, step_2=8)
            + _flow("p9", automation, starts=auto, after=2, step_1=3)
            + _flow("p10", other, starts=3, after=10, step_1=11)
            + _flow("p11", other, starts=3, after=30, step_2=31),
        ),
        *timeline(f"{day}T08:30:00", "flows-apart", _flow("p12", visual, step_1=5, step_2=20)),
        # One goes on in spite of the launcher; two visual flows overlap; one by a menu.
        *timeline(
            f"{day}T08:40:00",
            "flows-goes-on",
            _flow("p13", visual, starts=1, step_1=1, step_2=15)
            + _flow("p14", other, starts=3, after=10, step_1=11)
            + _flow("p15", automation, starts=1, after=40, step_1=41),
        ),
        # Left before midnight, resumed after it in the same session, and in the next.
        *timeline(night, "flows-night", _flow("p16", visual, starts=1, step_1=60, step_2=1500)),
        *timeline(
            "2026-04-06T08:00:00",
            "flows-morning",
            _flow("p16", visual, step_5=2)[1:] + _flow("p17", other, starts=3, after=9, step_1=10),
            user="u-morning",
        ),
        # Failed with nothing played, failed with a step, in the future by its id.
        *timeline(
            f"{day}T09:00:00",
            "flows-failed",
            [
                (0, "bizFlow/play", {"id": visual, "data__pId": "p18"}),
                (1, "bizFlow/playFailed", {"id": visual, "data__pId": "p18"}),
                (9, "wt/playFailed", {"id": "w-1", "data__pId": "p19"}),
                (10, "step/play", {"id": "w-1-1", "owner": "w-1", "data__pId": "p19"}),
                (20, "wt/play", {"id": "w-1", "data__pId": f"{at('2026-04-05T09:00:20')}-w-1"}),
                (21, "step/play", {"id": "w-1-2", "data__pId": f"{at('2026-04-05T09:00:20')}-w-1"}),
                (30, "wt/play", {"id": "w-1", "data__pId": f"{at('2026-04-05T09:01:00')}-w-1"}),
                # A step of another flow than the one that was played.
                (31, "step/play", {"id": "w-9", "owner": "w-2", "data__pId": "p20"}),
            ],
        ),
        # Without play ids: a step before any Play, a refused start within a run, one just after
        # its Play, steps and flows that have names only.
        *timeline(
            f"{day}T09:10:00",
            "flows-runs",
            _flow(None, visual, step_2=1)[1:]
            + _flow(None, visual, starts=1, after=2, step_1=3, step_3=7)
            + [(5, "bizFlow/playFailed", {"id": visual})]
            + _flow(None, visual, starts=1, after=10)
            + [
                (11, "bizFlow/playFailed", {"id": visual}),
                (12, "bizFlow/playFailed", {"id": visual}),
            ]
            + _flow(None, None, after=20)
            + [
                (21, "bizFlowStep/play", {"name": "First"}),
                (22, "bizFlowStep/play", {"name": "Second"}),
                (23, "bizFlowStep/play", {"name": "First"}),
                (24, "bizFlowStep/play", {"name": "First", "owner_name": "Named flow"}),
            ],
        ),
    ]
    put(landing, FAMILIES_DUMP, "flows.ndjson", records)
    return landing


def items_of_sessions(landing: Path) -> Path:
    """Tasks, ShoutOuts, launchers, SmartTips and TeachMe, with and without ids and names."""
    day = "2026-04-07"
    moments: dict[str, list[tuple[float, str, Record]]] = {
        "tasks": [
            (0, "task/complete", {"id": "t-1", "name": "Never clicked"}),
            (1, "task/play", {"id": "t-2"}),
            (2, "task/complete", {"id": "t-2"}),
            (3, "task/complete", {"id": "t-3"}),
            (4, "task/play", {"id": "t-3"}),
            (5, "task/play", {"id": "t-4"}),
            (6, "task/complete", {}),
        ],
        "shoutouts": [
            (0, "shoutout/play", {"id": "so-1", "name": "News"}),
            (9, "action/close", {"id": "a-1", "owner": "so-1", "owner_name": "News"}),
            (10, "shoutout/play", {"id": "so-2"}),
            (11, "action/click", {"id": "a-2", "owner": "so-2"}),
            (12, "shoutout/close", {"id": "so-2"}),
            (13, "shoutout/play", {"id": "so-3"}),
            (14, "shoutout/close", {"id": "so-3"}),
            (15, "shoutout/play", {"id": "so-4"}),
            (16, "uiAction/click", {"id": "a-5"}),
            (17, "shoutout/click", {"id": "so-5"}),
            (18, "shoutout/play", {"id": "so-5"}),
            (19, "shoutout/close", {"name": "By name"}),
            (20, "shoutout/play", {"name": "By name"}),
            (21, "action/close", {"owner_name": "By name"}),
        ],
        "launchers": [
            (0, "launcher/play", {"id": "l-1"}),
            (1, "launcher/click", {"id": "l-1"}),
            (2, "launcher/click", {"id": "l-1"}),
            (3, "launcher/click", {"id": "l-2"}),
            (4, "launcher/play", {"name": "One by name"}),
            (5, "launcher/play", {"name": "Another by name"}),
            (6, "launcher/play", {"name": "One by name"}),
            (7, "launcher/click", {"name": "Another by name"}),
            (8, "launcher/click", {"name": "A third by name"}),
            (9, "launcher/play", {}),
            (10, "launcher/play", {}),
        ],
        "smarttips": [
            (0, "smartTip/play", {"id": "st-1"}),
            (1, "smartTip/failed", {"id": "st-1"}),
            (2, "smartTip/failed", {"id": "st-1"}),
            (3, "smartTip/passed", {"id": "st-1"}),
            (4, "smartTip/passed", {"id": "st-2"}),
            (4, "smartTip/failed", {"id": "st-2"}),
            (5, "smartTip/click", {"id": "st-2"}),
            (6, "smartTip/visible", {"id": "st-2"}),
            (7, "smartTip/click", {"name": "By name"}),
        ],
        "teachme": [
            (0, "teachMe/visible", {}),
            (1, "teachMe/open", {}),
            (2, "teachMe/teachMeStepStarted", {"id": "lesson-1"}),
            (3, "teachMe/teachMeStepStarted", {"id": "lesson-1"}),
            (4, "teachMe/teachMeStepStarted", {"name": "lesson without id"}),
        ],
        "clicks": [
            (0, "openTicket/play", {"id": "desk"}),
            (1, "liveChat/click", {}),
            (2, "resource/play", {"id": "r-1", "data__pInit": {"type": 1, "objectId": 7}}),
            (3, "resource/play", {"id": "r-1", "data__pInit": {"type": 11}}),
            (4, "shuttle/play", {"id": "r-2", "data__pId": "p"}),
            (5, "player/open", {"data__pInit": {"type": 2}}),
        ],
    }
    records = [
        record
        for family, own in moments.items()
        for record in timeline(f"{day}T08:00:00", f"items-{family}", own, user=f"u-{family}")
    ]
    put(landing, FAMILIES_DUMP, "items.ndjson", records)
    return landing


def surveys(landing: Path) -> Path:
    """Surveys submitted twice, closed, ignored, over midnight; answers that are scores or not."""
    day = "2026-04-08"

    def answer(value: Any, question: str = "q-nps", **paths: Any) -> Record:
        return {"id": question, "name": "How likely?", "data__value": value, **paths}

    play = {"id": "sv", "name": "Survey", "data__pId": "sp1", "data__pInit": {"type": 6}}
    owned = {"owner": "sv", "owner_name": "Survey", "data__pId": "sp1"}
    texts = ['"7"', " 8 ", "11", "very likely", "7.0", "-1", "07", "", "0"]
    records = [
        *timeline(
            f"{day}T08:00:00",
            "surveys-twice",
            [
                (0, "survey/play", play),
                (5, "question/submitted", answer(10, **owned)),
                (6, "question/submitted", answer("fine", "q-text", **owned)),
                (7, "survey/submitted", play),
                (8, "survey/close", play),
                # Whose question it is follows from its play only.
                (20, "question/submitted", answer(3, data__pId="sp1")),
                (21, "survey/submitted", play),
            ],
        ),
        *timeline(
            f"{day}T09:00:00",
            "surveys-answers",
            [
                (i, "question/submitted", answer(value, f"q-{i}", owner="sv-answers"))
                for i, value in enumerate(texts)
            ],
        ),
        *timeline(
            f"{day}T10:00:00",
            "surveys-others",
            [
                (0, "survey/play", {"id": "sv-closed"}),
                (1, "survey/close", {"id": "sv-closed"}),
                (2, "survey/play", {"id": "sv-ignored"}),
                (3, "survey/submitted", {"id": "sv-early"}),
                (4, "survey/play", {"id": "sv-early"}),
                (5, "survey/submitted", {"name": "By name"}),
                (6, "question/submitted", answer(5)),
                (7, "question/submitted", {"data__value": 9, "name": "No id", "owner": "sv-early"}),
            ],
        ),
        *timeline(
            f"{day}T23:59:00",
            "surveys-midnight",
            [
                (0, "survey/play", {"id": "sv-late", "name": "Late"}),
                (90, "question/submitted", answer(9, owner="sv-late", owner_name="Late")),
                (99, "survey/submitted", {"id": "sv-late", "name": "Late"}),
            ],
        ),
    ]
    put(landing, FAMILIES_DUMP, "surveys.ndjson", records)
    return landing


def nps_questions(landing: Path) -> Path:
    """Questions that are NPS questions by their answers, and those that look like it and are not.

    With `catalogue` beside them, some by its word.
    """
    day = "2026-04-14"

    def answer(question: str, value: Any, **paths: Any) -> tuple[float, str, Record]:
        own = {"id": question, "name": f"Question {question}", "data__value": value}
        return 0, "question/submitted", own | {"owner": "sv-nps", "owner_name": "Mixed"} | paths

    answers = {
        # A size beside a recommendation, and recommendations that nobody gave more than 5.
        "nps-a": [
            answer("nps-recommend", 10),
            answer("nps-team", 5),
            answer("nps-low", 4),
            answer("nps-words", 9),
            answer("nps-eleven", 10),
            answer("nps-listed", "no idea"),
            answer("nps-listed", 9),
            answer("nps-choice", 9),
            # The same id in another system, and as the name of a question without an id.
            answer("nps-words", 9, wm__uId=OTHER_SYSTEM),
            (0, "question/submitted", {"name": "nps-words", "data__value": 8}),
            (0, "question/submitted", {"data__value": 7}),
        ],
        "nps-b": [
            answer("nps-recommend", 0),
            answer("nps-recommend", None),
            answer("nps-team", 4),
        ],
    }
    records = [
        record
        for session, own in answers.items()
        for record in timeline(f"{day}T08:00:00", session, own, user=f"u-{session}")
    ]
    put(landing, day, "nps.ndjson", records)
    # Later answers of another environment, session and dump say what the question is on all days.
    later = [
        answer("nps-words", "very likely", wm__env=1),
        answer("nps-eleven", 11),
        answer("nps-recommend", 3),
    ]
    put(
        landing,
        "2026-04-15",
        "nps.ndjson",
        [*timeline("2026-04-15T09:00:00", "nps-c", later, user="u-nps-c")],
    )
    return landing


def types_and_ids(landing: Path) -> Path:
    """One id under several types, in several systems and as a name; no id, and neither."""
    day = "2026-04-16"
    same = {"id": "77", "name": "Of 77"}
    moments: list[tuple[float, str, Record]] = [
        (0, "launcher/play", same),
        (1, "smartTip/play", same),
        (2, "task/complete", same),
        (3, "launcher/play", same | {"wm__uId": OTHER_SYSTEM}),
        (4, "launcher/play", {"name": "77"}),
        (5, "launcher/click", {"name": "77"}),
        (6, "launcher/play", {}),
        (7, "player/open", {}),
        (8, "player/open", {}),
        # A ShoutOut and a survey of one id, each with a part; a part whose parent is known by name.
        (10, "shoutout/play", {"id": "78", "name": "News"}),
        (11, "survey/play", {"id": "78", "name": "Poll"}),
        (12, "action/click", {"id": "79", "owner": "78", "owner_name": "News"}),
        (13, "shoutout/play", {"name": "By name"}),
        (14, "action/click", {"id": "80", "owner_name": "By name"}),
        (15, "shoutout/play", {}),
        (16, "question/submitted", {"id": "79", "owner": "78", "data__value": "text"}),
        # A survey without an id: its question names it, and another survey has no id either.
        (20, "survey/play", {"name": "Poll"}),
        (21, "question/submitted", {"id": "81", "owner_name": "Poll", "data__value": "text"}),
        (22, "survey/submitted", {"name": "Poll"}),
        (23, "survey/close", {"name": "Another poll"}),
        # A flow and a classic one of one id, with steps of one id, and two without.
        (30, "bizFlow/play", {"id": "82", "name": "Smart", "data__pId": "types-1"}),
        (
            31,
            "bizFlowStep/play",
            {"id": "83", "owner": "82", "data__owType": "bizFlow", "data__pId": "types-1"},
        ),
        (32, "wt/play", {"id": "82", "name": "Classic", "data__pId": "types-2"}),
        (
            33,
            "step/play",
            {"id": "83", "owner": "82", "data__owType": "wt", "data__pId": "types-2"},
        ),
        (34, "wt/play", {"name": "One", "data__pId": "types-3"}),
        (35, "step/play", {"name": "83", "owner_name": "One", "data__pId": "types-3"}),
        (36, "wt/play", {"name": "Two", "data__pId": "types-4"}),
        (37, "step/play", {"name": "83", "owner_name": "One", "data__pId": "types-4"}),
        (40, "quiz/submitted", {"id": "84", "name": "Quiz"}),
        (41, "quiz/passed", {"name": "84"}),
        (50, "actionBotConversation/conversationStarted", {"id": "85"}),
        (51, "actionBotConversation/conversationEnded", {"name": "85"}),
    ]
    records = timeline(f"{day}T08:00:00", "types", moments, user="u-types")
    put(landing, day, "types.ndjson", list(records))
    return landing


def whole_seconds(landing: Path) -> Path:
    """Events of one second, delivered backwards: by event, by row, by file and by dump."""
    day = "2026-04-17"

    def second(session: str, *pairs: tuple[str, Record]) -> list[Record]:
        own = [(0.0, pair, paths) for pair, paths in pairs]
        return list(timeline(f"{day}T08:00:00", f"seconds-{session}", own, user=f"u-{session}"))

    flow = {"data__pId": "seconds-1"}
    step = flow | {"owner": "90", "data__owType": "bizFlow"}
    other = {"data__pId": "seconds-2", "owner": "91", "data__owType": "bizFlow"}
    put(
        landing,
        day,
        "B.ndjson",
        [
            *second(
                "flow",
                ("bizFlowStep/play", step | {"id": "90-2", "name": "Zwei"}),
                ("bizFlowStep/play", other | {"id": "91-1"}),
                ("bizFlowStep/play", step | {"id": "90-1"}),
                ("bizFlow/play", flow | {"id": "90", "name": "First name"}),
            ),
            *second(
                "quiz",
                ("quiz/passed", {"id": "92"}),
                ("quizQuestion/submitted", {"id": "93", "owner": "92"}),
                ("quiz/submitted", {"id": "92"}),
                ("quiz/play", {"id": "92"}),
            ),
            *second(
                "chat",
                ("actionBot/chatClosed", {"id": "94"}),
                ("actionBotNode/conversationNodeServed", {"owner": "95"}),
                ("actionBotConversation/conversationEnded", {"id": "95"}),
                ("actionBotConversation/conversationStarted", {"id": "95"}),
                ("actionBot/chatOpened", {"id": "94"}),
            ),
            *second(
                "search",
                ("widgetSearch/click", {"name": "Result"}),
                ("widgetSearch/search", {"data__value": "exp"}),
                ("widgetSearch/search", {"data__value": "expense"}),
                ("widgetSearch/search", {"data__value": "trip"}),
            ),
            *second(
                "tip",
                ("smartTip/passed", {"id": "96"}),
                ("smartTip/failed", {"id": "96"}),
            ),
        ],
    )
    # Paths are in byte order, B before a; positions are numbers, 10 after 9.
    users = [
        player(at(f"{day}T08:00:00"), "player/open", session="seconds-users", user=f"u-{number}")
        for number in range(12)
    ]
    put(landing, day, "a.ndjson", users[1:])
    put(landing, day, "é.ndjson", users[:1])
    late = second(
        "flow",
        ("bizFlowStep/play", step | {"id": "90-1", "name": "Late", "data__value": "late"}),
        ("bizFlowStep/play", step | {"id": "90-3"}),
    )
    scores = [
        ("question/submitted", {"id": "97", "owner": "98", "data__value": value})
        for value in (9, 2)
    ]
    put(landing, "2026-04-18", "A.ndjson", [*late, *second("scores", *scores)])
    return landing


def searches(landing: Path) -> Path:
    """Searches typed in steps, paused, repeated, clicked or not; terms by value or by name."""

    def search(after: float, term: Any, **paths: Any) -> tuple[float, str, Record]:
        return after, "widgetSearch/search", {"data__value": term, **paths}

    def click(after: float, item: str | None) -> tuple[float, str, Record]:
        return after, "widgetSearch/click", {"id": item, "name": item and f"Result {item}"}

    sessions = {
        "typed": [search(0, "ho"), search(3, "how"), search(7, "how to"), search(12, "invoice")],
        "clicked": [
            click(0, "before any search"),
            search(1, "Trip"),
            search(5, "trip b"),
            click(8, "r-1"),
            search(11, "TRIP"),
            click(14, "r-2"),
            search(30, "else"),
            click(40, None),
        ],
        # At most 30 s apart is the same intent; less than 2 s is not debounced.
        "paused": [
            search(0, "a"),
            search(30, "ab"),
            search(60.001, "abc"),
            search(62, "abc"),
            search(62.5, "abcd"),
        ],
        # Terms that only begin longer ones, and those that do not.
        "typed-on": [
            search(0, "How"),
            search(60, "how to"),
            search(120, "HOW TO BOOK"),
            click(125, "r-1"),
            search(200, "how to book a trip"),
            search(300, "how"),
            search(400, None),
            search(500, "how"),
            search(600, "how"),
            search(57_600, "however"),
        ],
        "odd": [
            search(0, None, name="by name"),
            search(4, " by name "),
            search(8, None),
            search(12, "  "),
            search(16, 2026),
            click(16, "at the same time"),
        ],
    }
    records = [
        record
        for name, moments in sessions.items()
        for record in timeline("2026-04-10T08:00:00", f"searches-{name}", moments, user=f"u-{name}")
    ]
    put(landing, FAMILIES_DUMP, "searches.ndjson", records)
    return landing


def actionbot(landing: Path) -> Path:
    """Chats closed, never closed, reopened, not opened; conversations begun, ended, neither."""

    def bot(after: float, verb: str) -> tuple[float, str, Record]:
        return after, f"actionBot/{verb}", {"id": "bot", "name": "Bot"}

    def talk(after: float, verb: str, item: str | None = "talk") -> tuple[float, str, Record]:
        owned = {"owner": "bot", "owner_name": "Bot"}
        return after, f"actionBotConversation/{verb}", {"id": item, "name": "Talk", **owned}

    def node(after: float, verb: str, parent: str | None = "talk") -> tuple[float, str, Record]:
        return after, f"actionBotNode/{verb}", {"id": f"node-{parent}-{after}", "owner": parent}

    served, answered, triggered = (
        "conversationNodeServed",
        "conversationQuestionAnswered",
        "conversationActionTriggered",
    )
    sessions = {
        "closed": [
            node(0, served),
            bot(1, "chatOpened"),
            bot(2, "endUserEngaged"),
            bot(3, "conversationSearch"),
            talk(4, "conversationStarted"),
            node(5, served),
            node(6, answered),
            node(7, triggered),
            talk(8, "conversationEnded"),
            node(9, served),
            bot(10, "chatClosed"),
            node(11, served),
            bot(12, "chatClosed"),
            bot(13, "endUserEngaged"),
        ],
        "open": [
            bot(0, "chatOpened"),
            talk(1, "conversationStarted"),
            talk(5, "conversationStarted"),
            talk(6, "conversationStarted", "other"),
            node(7, served, "other"),
            bot(9, "chatOpened"),
            node(10, served),
            node(11, served, None),
            talk(12, "conversationEnded", "never started"),
            talk(13, "conversationEnded"),
            talk(14, "conversationEnded"),
            talk(15, "conversationStarted", None),
            (40, "player/open", {}),
        ],
        "outside": [node(0, served), node(5, triggered), talk(6, "conversationEnded")],
        "at-once": [talk(0, "conversationStarted"), bot(0, "chatOpened"), bot(0, "chatClosed")],
    }
    records = [
        record
        for name, moments in sessions.items()
        for record in timeline("2026-04-11T08:00:00", f"bot-{name}", moments, user=f"u-{name}")
    ]
    put(landing, FAMILIES_DUMP, "actionbot.ndjson", records)
    return landing


def quizzes(landing: Path) -> Path:
    """Quizzes submitted twice with one outcome each, with both, with none; not started; unnamed."""

    def quiz(after: float, verb: str, item: str = "quiz-1") -> tuple[float, str, Record]:
        return after, f"quiz/{verb}", {"id": item, "name": f"Quiz {item}"}

    def question(after: float, parent: str | None = "quiz-1") -> tuple[float, str, Record]:
        return after, "quizQuestion/submitted", {"id": f"question-{after}", "owner": parent}

    sessions = {
        "twice": [
            question(0),
            quiz(1, "play"),
            question(2),
            question(3),
            quiz(4, "submitted"),
            quiz(5, "failed"),
            quiz(6, "submitted"),
            quiz(6, "passed"),
            quiz(7, "play", "quiz-2"),
        ],
        "both": [
            quiz(0, "play"),
            quiz(1, "submitted"),
            quiz(2, "passed"),
            quiz(3, "failed"),
            quiz(4, "play"),
            quiz(5, "play"),
            quiz(6, "submitted"),
        ],
        "odd": [
            quiz(0, "passed"),
            quiz(1, "submitted"),
            quiz(2, "play"),
            quiz(3, "passed"),
            question(4, None),
            (5, "quiz/submitted", {"name": "By name"}),
            (6, "quiz/failed", {"name": "By name"}),
            (7, "quizQuestion/submitted", {"owner_name": "By name"}),
        ],
    }
    records = [
        record
        for name, moments in sessions.items()
        for record in timeline("2026-04-12T08:00:00", f"quiz-{name}", moments, user=f"u-{name}")
    ]
    put(landing, FAMILIES_DUMP, "quizzes.ndjson", records)
    return landing


def clock_changes(landing: Path) -> Path:
    """Sessions before, over and after each midnight in Berlin of the days that clocks change.

    On 2026-03-29 the day has 23 hours, on 2026-10-25 it has 25.
    """
    pairs = [f"{item}/{verb}" for item, verbs in RAW_PAIRS.items() for verb in verbs]
    owners = {
        "bizFlowStep": "bizFlow",
        "step": "wt",
        "action": "shoutout",
        "uiAction": "shoutout",
        "question": "survey",
        "actionBotConversation": "actionBot",
        "actionBotNode": "actionBotConversation",
        "quizQuestion": "quiz",
    }
    items = {"bizFlow": "f-auto", "bizFlowStep": "f-auto-1"}
    for midnight in (
        "2026-03-28T23:00:00",
        "2026-03-29T22:00:00",
        "2026-10-24T22:00:00",
        "2026-10-25T23:00:00",
    ):
        records = []
        for name, first in (("before", -len(pairs)), ("over", -len(pairs) / 2), ("after", 0)):
            moments = [
                (
                    first + number,
                    pair,
                    {
                        "id": items.get(item, f"clock-{item}"),
                        "name": f"The {item}",
                        "owner": (owner := owners.get(item)) and items.get(owner, f"clock-{owner}"),
                        "data__value": 9 if item == "question" else None,
                    },
                )
                for number, pair in enumerate(pairs)
                for item in (pair.split("/")[0],)
            ]
            records += timeline(midnight, f"clock-{midnight}-{name}", moments, user=f"u-{name}")
        dump = FAMILIES_DUMP if midnight < FAMILIES_DUMP else "2026-10-25"
        put(landing, dump, f"clock-{midnight[:10]}.ndjson", records)
    return landing
