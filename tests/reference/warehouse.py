"""The reference: a whole landing folder to every table that it tells, in one go."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.reference import (
    actionbot,
    by_session,
    event_rules,
    family_reports,
    flow_reports,
    flow_rules,
    flows,
    impact,
    invariants,
    paths,
    people,
    quizzes,
    searches,
    surveys,
    tables,
    user_reports,
)
from tests.reference.catalogue import flows as catalogued_flows
from tests.reference.definitions import Definitions, read_definitions
from tests.reference.events import Judged, Row, judge
from tests.reference.reading import Dump, read_dumps
from tests.reference.rows import item_names


@dataclass(frozen=True)
class Warehouse:
    """What the landed files come to.

    `tables` holds plain rows by `<schema>.<table>`; `invariants` (checked, violations) by id;
    `refused` the dumps that do not match their manifest, with what differs. They have no rows.
    """

    tables: dict[str, list[Row]]
    invariants: dict[str, invariants.Counts]
    refused: dict[dt.date, tuple[str, ...]]


def reference(
    landing: Path, seeds: Path, *, reporting_timezone: str = "UTC", max_late_days: int = 400
) -> Warehouse:
    """Every table of the contract that the reference tells, for one landing folder.

    `seeds` is the folder of the definitions' CSV files; `reporting_timezone` an IANA name;
    `max_late_days` how many days before its dump an event may lie.
    """
    definitions = read_definitions(seeds)
    zone = ZoneInfo(reporting_timezone)
    landed = read_dumps(landing)
    dumps = [dump for dump in landed if not dump.refusals]
    judged = judged_lines(dumps, seeds, max_late_days=max_late_days)
    events, duplicates = tables.split_duplicates(judged)
    catalogue = _catalogue(landing / "content" / "items.ndjson")
    listed = catalogued_flows(catalogue, definitions)
    flow_events = flows.flow_events(events)
    plays = flows.flow_plays(flow_events, listed)
    running = flows.running(flow_events, plays)
    persons = people.person_of(events, seeds)
    facts = _facts(events) | {
        "fct_survey_answers": surveys.survey_answers(events, catalogue, definitions),
        "fct_flow_plays": plays,
        "fct_flow_steps": flows.flow_steps(flow_events, plays, listed),
        "dim_items": tables.items(events, catalogue, definitions),
        "dim_event_definitions": tables.event_definitions(definitions),
        "dim_end_users": people.end_users(events, persons, seeds),
    }
    facts["dim_people"] = people.people(events, facts["fct_sessions"], persons, seeds)
    facts["dim_systems"] = people.systems(
        events, facts["fct_sessions"], facts["dim_items"], persons, seeds
    )
    of_people = _with_people(facts, persons)
    reports = _reports(of_people, running, definitions, zone)
    reports["rpt_flow_impact"] = impact.flow_impact(
        impact.goals(facts["dim_items"], seeds),
        of_people["fct_flow_plays"],
        of_people["fct_tasks"],
        of_people["fct_item_events"],
        facts["dim_items"],
    )
    ledger = tables.dump_ledger(dumps, judged, duplicates)
    return Warehouse(
        tables={
            **{f"facts.{name}": rows for name, rows in facts.items()},
            **{f"reports.{name}": rows for name, rows in reports.items()},
            "meta.dump_ledger": ledger,
            "meta.quarantine": tables.quarantine(judged),
            "meta.late_events": tables.late_events(events),
            "meta.left_out": tables.left_out(events, definitions),
        },
        invariants=invariants.structural(
            events=events,
            sessions=facts["fct_sessions"],
            ledger=ledger,
            items_daily=reports["rpt_items_daily"],
            events_daily=reports["rpt_events_daily"],
            pairs={(each.item_type, each.event) for each in definitions.documented},
            environments=set(definitions.environments.values()),
        )
        | _event_rules(facts, flow_events, running)
        | flow_rules.catalogue_rules(listed),
        refused={dump.dump_date: dump.refusals for dump in landed if dump.refusals},
    )


def judged_lines(dumps: list[Dump], seeds: Path, *, max_late_days: int = 400) -> list[Judged]:
    """Every line of the dumps with its place, before duplicates are told."""
    definitions = read_definitions(seeds)
    return [
        judge(file, line, definitions=definitions, max_late_days=max_late_days)
        for dump in dumps
        for file in dump.files
        for line in file.lines
    ]


def _facts(events: list[Row]) -> dict[str, list[Row]]:
    """Every fact and dimension that the events alone make, by name."""
    sessions = tables.sessions(events)
    return {
        "fct_item_events": events,
        "fct_sessions": sessions,
        "fct_tasks": by_session.tasks(events),
        "fct_shoutouts": by_session.shoutouts(events),
        "fct_launchers": by_session.launchers(events),
        "fct_smarttips": by_session.smarttips(events),
        "fct_resources": by_session.resources(events),
        "fct_surveys": surveys.surveys(events),
        "fct_menu_opens": by_session.menu_opens(events),
        "fct_searches": searches.searches(events),
        "fct_support_contacts": by_session.support_contacts(events),
        "fct_actionbot_chats": actionbot.chats(events, sessions),
        "fct_actionbot_conversations": actionbot.conversations(events),
        "fct_teachme": by_session.teachme(events),
        "fct_quiz_attempts": quizzes.quiz_attempts(events),
    }


def _reports(
    facts: dict[str, list[Row]], running: list[Row], definitions: Definitions, zone: ZoneInfo
) -> dict[str, list[Row]]:
    """Every report by name."""
    events, plays, steps = (
        facts["fct_item_events"],
        facts["fct_flow_plays"],
        facts["fct_flow_steps"],
    )
    names = item_names(facts["dim_items"])
    chats, conversations = facts["fct_actionbot_chats"], facts["fct_actionbot_conversations"]
    return {
        "rpt_sessions_daily": tables.sessions_daily(facts["fct_sessions"], zone),
        "rpt_items_daily": tables.items_daily(events, names, zone),
        "rpt_events_daily": tables.events_daily(events, zone),
        "rpt_event_coverage": tables.event_coverage(events, definitions, zone),
        "rpt_flows": flow_reports.flows_report(plays, names),
        "rpt_flows_daily": flow_reports.flows_daily(plays, names, zone),
        "rpt_flow_funnel": flow_reports.flow_funnel(plays, steps, names),
        "rpt_flow_tracker": flow_reports.flow_tracker(steps, running, zone),
        "rpt_automation_processes": flow_reports.automation_processes(plays, running, names, zone),
        "rpt_paths": paths.paths_report(events, names),
        "rpt_shoutouts": family_reports.shoutouts_report(facts["fct_shoutouts"], names, zone),
        "rpt_launchers": family_reports.launchers_report(facts["fct_launchers"], names, zone),
        "rpt_smarttips": family_reports.smarttips_report(facts["fct_smarttips"], names, zone),
        "rpt_surveys": family_reports.surveys_report(
            facts["fct_surveys"], facts["fct_survey_answers"], names, zone
        ),
        "rpt_tasks": family_reports.tasks_report(facts["fct_tasks"], names, zone),
        "rpt_searches": family_reports.searches_report(facts["fct_searches"], zone),
        "rpt_resources": family_reports.resources_report(facts["fct_resources"], names, zone),
        "rpt_actionbot": family_reports.actionbot_report(chats, conversations, names, zone),
        "rpt_quizzes": family_reports.quizzes_report(facts["fct_quiz_attempts"], names, zone),
        "rpt_retention_weekly": user_reports.retention_weekly(facts["fct_sessions"], zone),
        "rpt_active_people": user_reports.active_people(
            events, facts["fct_sessions"], facts["dim_systems"], zone
        ),
        "rpt_adoption_by_attribute": user_reports.adoption_by_attribute(
            events, facts["fct_sessions"], facts["dim_people"], zone
        ),
        "rpt_non_interactors": user_reports.non_interactors(events, names, definitions),
    }


def _with_people(facts: dict[str, list[Row]], persons: dict[str, str]) -> dict[str, list[Row]]:
    """The facts with the person of each row that has an end user."""
    return {
        name: [
            row | {"person_id": persons[row["end_user_id"]]} if "end_user_id" in row else row
            for row in rows
        ]
        for name, rows in facts.items()
    }


def _event_rules(
    facts: dict[str, list[Row]], flow_events: list[Row], running: list[Row]
) -> dict[str, invariants.Counts]:
    """The invariants on events, by id."""
    events, plays = facts["fct_item_events"], facts["fct_flow_plays"]
    of_actionbot = actionbot.actionbot_events(events)
    shoutout_events = by_session.shoutout_events(events)
    return {
        "launcher_play_once_per_session": event_rules.once_per_session(events, "Launcher"),
        "smarttip_play_once_per_session": event_rules.once_per_session(events, "SmartTip"),
        "smarttip_click_comes_with_visible": event_rules.smarttip_click_comes_with_visible(events),
        "teachme_visible_once_per_24h": event_rules.teachme_visible_once_per_24h(events),
        "quiz_outcome_follows_submission": event_rules.quiz_outcome_follows_submission(events),
        "quiz_outcome_is_unambiguous": event_rules.quiz_outcome_is_unambiguous(events),
        "play_failed_did_not_play": flow_rules.play_failed_did_not_play(plays),
        "step_belongs_to_a_flow": flow_rules.step_belongs_to_a_flow(flow_events),
        "survey_submitted_was_viewed": event_rules.survey_submitted_was_viewed(events),
        "shoutout_action_was_shown": event_rules.shoutout_action_was_shown(shoutout_events),
        "launcher_click_was_drawn": event_rules.launcher_click_was_drawn(events),
        "search_is_debounced": event_rules.search_is_debounced(events),
        "actionbot_chat_is_open": event_rules.actionbot_chat_is_open(of_actionbot),
        "conversation_ended_was_started": event_rules.conversation_ended_was_started(of_actionbot),
        "session_within_limits": event_rules.session_within_limits(facts["fct_sessions"]),
        "play_id_is_not_from_the_future": event_rules.play_id_is_not_from_the_future(events),
        "automation_started_by_autoplay": flow_rules.automation_started_by_autoplay(plays),
        "one_visual_flow_at_a_time": flow_rules.one_visual_flow_at_a_time(running),
        "launcher_stops_running_flows": flow_rules.launcher_stops_running_flows(
            flow_events, running
        ),
    }


def _catalogue(path: Path) -> list[Row]:
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]
