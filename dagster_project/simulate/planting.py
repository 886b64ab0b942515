"""Violations on purpose, one kind for every invariant that data can break.

A planted violation of an event rule is a session of a person who appears nowhere else. It breaks
one rule once, and no other. A planted violation of a catalogue rule is an item of its own. `shards`
plants `quarantine_rate`, as dumps with too many malformed lines.

The other structural invariants are about the warehouse itself. Data cannot break them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from dagster_project.simulate.activities import send_pair
from dagster_project.simulate.catalogue import catalogue_record, flow_columns
from dagster_project.simulate.definitions import Definitions
from dagster_project.simulate.items import SMART_STEP, SMART_WALK_THRU, Flow, Item, Step, System
from dagster_project.simulate.people import user
from dagster_project.simulate.scenario import Scenario
from dagster_project.simulate.sessions import DAY, HOUR, MINUTE, SECOND, Session

Planter = Callable[[Session], None]


def _unnamed_environment(session: Session) -> None:
    session.environment = 7
    session.send(session.system.menu, "Open", initiator="menu")


def _launcher_twice(session: Session) -> None:
    launcher = session.system.launchers[-1].item
    session.send(launcher, "Play")
    session.now += MINUTE
    session.send(launcher, "Play")


def _tip_twice(session: Session) -> None:
    tip = session.system.guidance[0]
    session.send(tip, "Play")
    session.now += MINUTE
    session.send(tip, "Play")


def _click_without_hover(session: Session) -> None:
    tip = session.system.guidance[0]
    session.send(tip, "Play")
    session.now += MINUTE
    session.send(tip, "Click")


def _teachme_again(session: Session) -> None:
    # A visit just before midnight and one after it: in two dumps, five minutes apart.
    session.now = (session.now // DAY + 1) * DAY - 3 * MINUTE
    session.send(session.system.teachme, "Visible")
    session.now += 5 * MINUTE
    session.send(session.system.teachme, "Visible")


def _beyond_another_cap(session: Session) -> None:
    definition = session.pick(session.system.definitions.other_caps)
    item = send_pair(session, definition)
    if item is not None:
        session.now += MINUTE
        session.send(item, definition.pair[1])


def _outcome_without_submission(session: Session) -> None:
    quiz = session.system.quizzes[0].item
    session.send(quiz, "Play")
    session.now += MINUTE
    session.send(quiz, "Passed")


def _both_outcomes(session: Session) -> None:
    quiz = session.system.quizzes[0].item
    for event in ("Play", "Submitted", "Passed", "Failed"):
        session.send(quiz, event)
        session.now += SECOND


def _failed_and_played(session: Session) -> None:
    flow = session.system.flows[0]
    play = session.new_play(flow.item)
    session.send(flow.item, "Play", play, initiator="menu")
    session.now += SECOND
    session.send(flow.item, "Play Failed", play, initiator="menu")
    session.now += SECOND
    session.send(flow.steps[0].item, "Play", play, initiator="menu")


def _step_without_flow(session: Session) -> None:
    flow = session.system.flows[0]
    play = session.new_play(flow.item)
    session.send(flow.steps[0].item, "Play", play, initiator="menu")


def _survey_unseen(session: Session) -> None:
    survey = session.system.surveys[0].item
    session.send(survey, "Submitted", session.new_play(survey))


def _shoutout_unseen(session: Session) -> None:
    shoutout = session.system.shoutouts[0]
    session.send(shoutout.parts[0], "Click", session.new_play(shoutout.item))


def _launcher_unseen(session: Session) -> None:
    session.send(session.system.launchers[-1].item, "Click")


def _hasty_search(session: Session) -> None:
    session.send(session.system.search, "Search", value="exp")
    session.now += 700
    session.send(session.system.search, "Search", value="expense")


def _message_without_chat(session: Session) -> None:
    session.send(session.system.bot, "End User Engaged")


def _conversation_only_ended(session: Session) -> None:
    session.send(session.system.bot, "Chat Opened")
    session.now += MINUTE
    session.send(session.system.conversations[0].item, "Conversation Ended")
    session.now += MINUTE
    session.send(session.system.bot, "Chat Closed")


def _long_pause(session: Session) -> None:
    session.send(session.system.menu, "Open", initiator="menu")
    session.now += 45 * MINUTE
    session.send(session.system.menu, "Open", initiator="menu")


def _play_from_the_future(session: Session) -> None:
    resource = session.system.resources[0]
    session.now += HOUR
    play = session.new_play(resource)
    session.now -= HOUR
    session.send(resource, "Play", play, initiator="menu")


def _automation_from_the_menu(session: Session) -> None:
    _play_all(session, session.system.automations[0], "menu")


def _two_visual_flows(session: Session) -> None:
    first, second = session.system.flows[:2]
    play = session.new_play(first.item)
    session.send(first.item, "Play", play, initiator="menu")
    session.now += MINUTE
    _play_all(session, second, "autostart")
    session.now += MINUTE
    session.send(first.steps[0].item, "Play", play, initiator="menu")


def _automation_survives_a_launcher(session: Session) -> None:
    automation = session.system.automations[0]
    launcher = session.system.launchers[0]
    play = session.new_play(automation.item)
    session.send(automation.item, "Play", play, initiator="autostart")
    session.now += SECOND
    session.send(launcher.item, "Play")
    session.now += SECOND
    session.send(launcher.item, "Click")
    session.now += 300
    flow = launcher.flow or session.system.flows[0]
    _play_all(session, flow, "launcher", launcher.item)
    session.now += SECOND
    session.send(automation.steps[0].item, "Play", play, initiator="autostart")


def _play_all(session: Session, flow: Flow, initiator: str, by: Item | None = None) -> None:
    play = session.new_play(flow.item)
    for template in session.system.flow_templates(flow, initiator, by):
        session.add(template, play)
        session.now += 5 * SECOND


EVENT_PLANTERS: Mapping[str, Planter] = {
    "environment_is_known": _unnamed_environment,
    "launcher_play_once_per_session": _launcher_twice,
    "smarttip_play_once_per_session": _tip_twice,
    "smarttip_click_comes_with_visible": _click_without_hover,
    "teachme_visible_once_per_24h": _teachme_again,
    "other_caps_hold": _beyond_another_cap,
    "quiz_outcome_follows_submission": _outcome_without_submission,
    "quiz_outcome_is_unambiguous": _both_outcomes,
    "play_failed_did_not_play": _failed_and_played,
    "step_belongs_to_a_flow": _step_without_flow,
    "survey_submitted_was_viewed": _survey_unseen,
    "shoutout_action_was_shown": _shoutout_unseen,
    "launcher_click_was_drawn": _launcher_unseen,
    "search_is_debounced": _hasty_search,
    "actionbot_chat_is_open": _message_without_chat,
    "conversation_ended_was_started": _conversation_only_ended,
    "session_within_limits": _long_pause,
    "play_id_is_not_from_the_future": _play_from_the_future,
    "automation_started_by_autoplay": _automation_from_the_menu,
    "one_visual_flow_at_a_time": _two_visual_flows,
    "launcher_stops_running_flows": _automation_survives_a_launcher,
}


def plant_sessions(
    scenario: Scenario, systems: Sequence[System], day: int, day_number: int
) -> list[Session]:
    """The sessions of a day that break event rules; the days take turns."""
    sessions = []
    stranger = scenario.population
    for invariant, planter in EVENT_PLANTERS.items():
        count = scenario.plant.get(invariant, 0)
        for number in range(count):
            stranger += 1
            if number % scenario.days != day:
                continue
            rng = Random(f"{scenario.seed}/planted/{invariant}/{number}")
            who = user(scenario.seed, stranger, len(systems))
            start = day_number * DAY + int((8 + 8 * rng.random()) * HOUR)
            system = systems[number % len(systems)]
            session = Session(rng, who, system, start, start)
            planter(session)
            # Not `Session.finish`, which would take the violations out.
            session.events.sort(key=lambda event: event[0])
            sessions.append(session)
    return sessions


# --- the content catalogue ------------------------------------------------------------------------


def _automation(system: System, number: int, *steps: tuple[str, str]) -> dict[str, Any]:
    flow = _flow(number, *steps)
    automation = replace(flow, is_automation=True, has_autoplay_rule=True)
    return catalogue_record(system, flow.item) | flow_columns(automation)


def _flow(number: int, *steps: tuple[str, str]) -> Flow:
    item = Item(f"9{number:06d}", SMART_WALK_THRU, f"Planted {number}")
    return Flow(
        item,
        tuple(
            Step(
                Item(f"8{number:05d}{position}", SMART_STEP, f"Planted {number}.{position}", item),
                kind,
                step_type,
                position == len(steps),
            )
            for position, (kind, step_type) in enumerate(steps, start=1)
        ),
    )


def _automation_with_a_balloon(system: System, number: int) -> dict[str, Any]:
    return _automation(system, number, ("flow", "AutoStep"), ("ui", "balloon"))


def _automation_without_a_rule(system: System, number: int) -> dict[str, Any]:
    return _automation(system, number, ("flow", "AutoStep")) | {"has_autoplay_rule": False}


def _automation_to_visual(system: System, number: int) -> dict[str, Any]:
    connects_to = [system.flows[0].item.item_id]
    return _automation(system, number, ("flow", "AutoStep")) | {"connects_to": connects_to}


def _automation_passing_ownership(system: System, number: int) -> dict[str, Any]:
    return _automation(system, number, ("flow", "AutoStep"), ("flow", "PassOwnership"))


def _visual_without_a_balloon(system: System, number: int) -> dict[str, Any]:
    flow = _flow(number, ("flow", "AutoStep"), ("flow", "Split"))
    return catalogue_record(system, flow.item) | flow_columns(flow)


CATALOGUE_PLANTERS: Mapping[str, Callable[[System, int], dict[str, Any]]] = {
    "automation_has_only_flow_steps": _automation_with_a_balloon,
    "automation_has_autoplay_rule": _automation_without_a_rule,
    "automation_connects_to_no_visual_flow": _automation_to_visual,
    "automation_passes_no_ownership": _automation_passing_ownership,
    "visual_flow_has_a_ui_step": _visual_without_a_balloon,
}

_OTHER_CAPS = frozenset({"other_caps_hold"})
# These can be planted under any definitions.
PLANTABLE: frozenset[str] = (
    frozenset({"quarantine_rate", *EVENT_PLANTERS, *CATALOGUE_PLANTERS}) - _OTHER_CAPS
)


def plantable(definitions: Definitions) -> frozenset[str]:
    """The invariants that can be broken; `other_caps_hold` needs a definition with such a cap."""
    return PLANTABLE | _OTHER_CAPS if definitions.other_caps else PLANTABLE


def plant_items(scenario: Scenario, systems: Sequence[System]) -> list[dict[str, Any]]:
    """The catalogue records that break catalogue rules."""
    records: list[dict[str, Any]] = []
    for invariant, planter in CATALOGUE_PLANTERS.items():
        for number in range(scenario.plant.get(invariant, 0)):
            system = systems[number % len(systems)]
            records.append(planter(system, len(records) + 1))
    return records
