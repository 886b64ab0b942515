"""The daily reports on the other families (data-dictionary.md), production only.

A row of a fact counts on the day of its first event, in the reporting time zone.
"""

from collections import Counter
from zoneinfo import ZoneInfo

from tests.reference.events import Row
from tests.reference.rows import (
    SESSION,
    Names,
    grouped,
    known_as,
    name_at,
    people_of,
    quantile_of,
    rate,
    reported,
    sessions_of,
    users_of,
    with_items,
)

DAILY = ("report_date", "system_id", "item")


def tasks_report(tasks: list[Row], names: Names, zone: ZoneInfo) -> list[Row]:
    """One row per day, system and task."""
    rows = []
    for key, group in _daily(tasks, zone):
        completed = [task for task in group if task["completions"]]
        unplayed = sum(task["completed_without_play"] for task in group)
        rows.append(
            _base(key, group, names, "Task")
            | _sums(group, "plays", "completions")
            | {
                "sessions_played": sum(task["plays"] > 0 for task in group),
                "sessions_completed": len(completed),
                "sessions_completed_without_play": unplayed,
                "completion_rate": rate(len(completed), len(group)),
                "completed_without_play_rate": rate(unplayed, len(completed)),
            }
        )
    return rows


def shoutouts_report(shoutouts: list[Row], names: Names, zone: ZoneInfo) -> list[Row]:
    """One row per day, system and ShoutOut."""
    rows = []
    for key, group in _daily(shoutouts, zone):
        results = Counter(row["result"] for row in group)
        rows.append(
            _base(key, group, names, "ShoutOut")
            | _sums(group, "shown", "clicks", "closes", "action_clicks", "action_closes")
            | {
                f"sessions_{result}": results[result]
                for result in ("clicked", "snoozed", "dismissed", "ignored")
            }
            | {
                "click_rate": rate(results["clicked"], len(group)),
                "snooze_rate": rate(results["snoozed"], len(group)),
                "dismissal_rate": rate(results["dismissed"], len(group)),
            }
        )
    return rows


def launchers_report(launchers: list[Row], names: Names, zone: ZoneInfo) -> list[Row]:
    """One row per day, system and launcher."""
    rows = []
    for key, group in _daily(launchers, zone):
        clicked = [row for row in group if row["clicks"]]
        rows.append(
            _base(key, group, names, "Launcher")
            | _sums(group, "shown", "clicks")
            | {
                "end_users_clicked": len(users_of(clicked)),
                "people_clicked": len(people_of(clicked)),
                "sessions_shown": sum(row["shown"] > 0 for row in group),
                "sessions_clicked": len(clicked),
                "click_rate": rate(len(clicked), len(group)),
            }
        )
    return rows


def smarttips_report(smarttips: list[Row], names: Names, zone: ZoneInfo) -> list[Row]:
    """One row per day, system and SmartTip."""
    rows = []
    for key, group in _daily(smarttips, zone):
        sums = _sums(group, "shown", "hovers", "clicks", "passed", "failed")
        hovered = sum(row["hovers"] > 0 for row in group)
        validations = sums["passed"] + sums["failed"]
        validated = sum(row["first_validation_result"] is not None for row in group)
        at_first = sum(row["first_validation_result"] == "passed" for row in group)
        at_last = sum(row["last_validation_result"] == "passed" for row in group)
        rows.append(
            _base(key, group, names, "SmartTip")
            | sums
            | {
                "sessions_shown": sum(row["shown"] > 0 for row in group),
                "sessions_hovered": hovered,
                "hover_rate": rate(hovered, len(group)),
                "validations": validations,
                "failure_rate": rate(sums["failed"], validations),
                "sessions_validated": validated,
                "sessions_passed_at_first": at_first,
                "passed_at_first_rate": rate(at_first, validated),
                "sessions_passed_at_last": at_last,
                "passed_at_last_rate": rate(at_last, validated),
            }
        )
    return rows


def resources_report(resources: list[Row], names: Names, zone: ZoneInfo) -> list[Row]:
    """One row per day, system and resource or shuttle."""
    rows = []
    keys = ("report_date", "system_id", "item_type", "item")
    plays = with_items(reported(resources, zone, at="started_at"))
    for key, group in grouped(plays, *keys, by="started_at"):
        starts = Counter(row["is_user_initiated"] for row in group)
        rows.append(
            _named(key, names, key["item_type"], name_at(group, "item_name", "started_at"))
            | {
                "plays": len(group),
                "sessions": len(sessions_of(group)),
                "end_users": len(users_of(group)),
                "people": len(people_of(group)),
                "user_initiated_plays": starts[True],
                "system_initiated_plays": starts[False],
                "plays_of_unknown_initiator": starts[None],
                "plays_of_known_initiator": starts[True] + starts[False],
                "user_initiated_rate": rate(starts[True], starts[True] + starts[False]),
            }
        )
    return rows


def surveys_report(
    surveys: list[Row], answers: list[Row], names: Names, zone: ZoneInfo
) -> list[Row]:
    """One row per day, system and survey: the plays that began on it, the scores given on it.

    Of each user, survey question and day the last score counts.
    """
    plays_of = {tuple(key.values()): group for key, group in _daily(surveys, zone)}
    scores = [
        answer
        | {
            "question": known_as(answer["item_id"], answer["item_name"]),
            "item": known_as(answer["survey_id"], answer["survey_name"]),
        }
        for answer in reported(answers, zone, at="started_at")
        if answer["nps_score"] is not None
    ]
    last = [
        group[-1] for _, group in grouped(scores, *DAILY, "end_user_id", "question", by="happened")
    ]
    scores_of = {tuple(key.values()): group for key, group in grouped(last, *DAILY, by="happened")}
    rows = []
    for place in plays_of.keys() | scores_of.keys():
        key = dict(zip(DAILY, place, strict=True))
        plays, given = plays_of.get(place, []), scores_of.get(place, [])
        results = Counter(play["result"] for play in plays)
        submitted = [play for play in plays if play["result"] == "submitted"]
        promoters = sum(answer["nps_score"] >= 9 for answer in given)
        detractors = sum(answer["nps_score"] <= 6 for answer in given)
        rows.append(
            _named(
                key,
                names,
                "Survey",
                name_at(plays, "item_name", "last_event_at")
                or name_at(given, "survey_name", "started_at"),
            )
            | {
                "plays": len(plays),
                "plays_viewed": sum(play["views"] > 0 for play in plays),
                "plays_submitted": results["submitted"],
                "plays_closed": results["closed"],
                "plays_ignored": results["ignored"],
                "end_users": len(users_of(plays)),
                "people": len(people_of(plays)),
                "end_users_submitted": len(users_of(submitted)),
                "people_submitted": len(people_of(submitted)),
                "response_rate": rate(results["submitted"], len(plays)),
                "median_seconds_to_submit": quantile_of(plays, "seconds_to_submit", 0.5),
                "nps_answers": len(given),
                "promoters": promoters,
                "passives": len(given) - promoters - detractors,
                "detractors": detractors,
                "nps": rate(100 * (promoters - detractors), len(given)),
            }
        )
    return rows


def searches_report(searches: list[Row], zone: ZoneInfo) -> list[Row]:
    """One row per day, system and term, under which what was typed on to it counts too."""
    intents = reported(searches, zone, at="first_event_at")
    rows = []
    keys = ("report_date", "system_id", "search_term")
    for key, group in grouped(intents, *keys, by="first_event_at"):
        searched = [row for row in group if row["keystroke_events"]]
        clicked = sum(row["led_to_click"] for row in searched)
        rows.append(
            key
            | _sums(group, "keystroke_events", "clicks")
            | {
                "searches": len(searched),
                "sessions": len(sessions_of(group)),
                "end_users": len(users_of(group)),
                "people": len(people_of(group)),
                "searches_clicked": clicked,
                "searches_not_clicked": len(searched) - clicked,
                "click_rate": rate(clicked, len(searched)),
                "median_seconds_to_click": quantile_of(group, "seconds_to_click", 0.5),
            }
        )
    return rows


def actionbot_report(
    chats: list[Row], conversations: list[Row], names: Names, zone: ZoneInfo
) -> list[Row]:
    """One row per day, system and ActionBot. What lies outside of chats is events, no chat."""
    chat = (*SESSION, "chat_number")
    begun = Counter(_values(row, chat) for row in conversations if row["is_started"])
    ended = Counter(
        _values(row, chat) for row in conversations if row["is_started"] and row["is_ended"]
    )
    rows = []
    for key, group in _daily(chats, zone):
        opened = [row for row in group if row["is_opened"]]
        engaged = sum(row["is_engaged"] for row in opened)
        closed = sum(row["is_closed"] for row in opened)
        seconds = sum(row["duration_seconds"] for row in opened)
        started = sum(begun[_values(row, chat)] for row in group)
        finished = sum(ended[_values(row, chat)] for row in group)
        rows.append(
            _named(key, names, "ActionBot", _one_name(group))
            | _sums(group, "messages", "searches", "nodes_served", "questions_answered")
            | _sums(group, "actions_triggered", "events")
            | {
                "chats": len(opened),
                "end_users": len(users_of(opened)),
                "people": len(people_of(opened)),
                "chats_engaged": engaged,
                "engagement_rate": rate(engaged, len(opened)),
                "chats_closed": closed,
                "close_rate": rate(closed, len(opened)),
                "duration_seconds": seconds,
                "avg_duration_seconds": rate(seconds, len(opened)),
                "median_duration_seconds": quantile_of(opened, "duration_seconds", 0.5),
                "p90_duration_seconds": quantile_of(opened, "duration_seconds", 0.9),
                "conversations": started,
                "conversations_ended": finished,
                "completion_rate": rate(finished, started),
            }
        )
    return rows


def quizzes_report(attempts: list[Row], names: Names, zone: ZoneInfo) -> list[Row]:
    """One row per day, system and quiz. What came before the first attempt is none."""
    rows = []
    for key, group in _daily(attempts, zone):
        real = [row for row in group if row["is_attempt"]]
        results = Counter(row["result"] for row in real)
        submitted = sum(row["is_submitted"] for row in real)
        decided = results["passed"] + results["failed"]
        passed = [row for row in real if row["result"] == "passed"]
        rows.append(
            _named(key, names, "TeachMe Quiz", _one_name(group))
            | _sums(group, "questions_submitted", "events")
            | {
                f"attempts_{result}": results[result]
                for result in ("passed", "failed", "ambiguous", "unknown", "unfinished")
            }
            | {
                "attempts": len(real),
                "end_users": len(users_of(real)),
                "people": len(people_of(real)),
                "attempts_submitted": submitted,
                "submission_rate": rate(submitted, len(real)),
                "median_seconds_to_submit": quantile_of(group, "seconds_to_submit", 0.5),
                "p90_seconds_to_submit": quantile_of(group, "seconds_to_submit", 0.9),
                "attempts_decided": decided,
                "pass_rate": rate(results["passed"], decided),
                "end_users_passed": len(users_of(passed)),
                "people_passed": len(people_of(passed)),
            }
        )
    return rows


def _daily(rows: list[Row], zone: ZoneInfo) -> list[tuple[Row, list[Row]]]:
    """The rows of a fact by day, system and item, in order of their last event."""
    days = reported(rows, zone, at="first_event_at")
    return grouped(with_items(days), *DAILY, by="last_event_at")


def _base(key: Row, group: list[Row], names: Names, item_type: str) -> Row:
    """What every report on a fact by session and item has."""
    name = name_at(group, "item_name", "last_event_at")
    return _named(key, names, item_type, name) | {
        "sessions": len(group),
        "end_users": len(users_of(group)),
        "people": len(people_of(group)),
    }


def _named(key: Row, names: Names, item_type: str, name_in_events: str | None) -> Row:
    """The key with the item's id and its name in `dim_items`, or that of what is not there."""
    name = names.get((key["system_id"], item_type, key["item"])) or name_in_events
    place = {column: value for column, value in key.items() if column != "item"}
    return place | {"item_id": key["item"][0], "item_name": name}


def _one_name(group: list[Row]) -> str | None:
    return max((row["item_name"] for row in group if row["item_name"]), default=None)


def _sums(group: list[Row], *columns: str) -> Row:
    return {column: sum(row[column] for row in group) for column in columns}


def _values(row: Row, columns: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(row[column] for column in columns)
