"""The invariants on flows and automations (data-dictionary.md): (checked, violations) each."""

from collections.abc import Callable

from tests.reference.catalogue import Flow, Flows, reached_from
from tests.reference.events import Row
from tests.reference.flows import is_flow_play, is_launcher_start
from tests.reference.rows import SESSION, grouped

Counts = tuple[int, int]


def catalogue_rules(flows: Flows) -> dict[str, Counts]:
    """The rules on what is published: automation processes, and Smart Walk-Thrus that are none."""
    published = [flow for flow in flows.values() if flow.is_published]
    automations = [flow for flow in published if flow.is_automation]
    visual = [
        flow for flow in published if flow.item_type == "Smart Walk-Thru" and not flow.is_automation
    ]

    def broken(among: list[Flow], is_broken: Callable[[Flow], bool]) -> Counts:
        return len(among), sum(is_broken(flow) for flow in among)

    return {
        "automation_has_only_flow_steps": broken(automations, lambda flow: flow.is_visual),
        "automation_has_autoplay_rule": broken(
            automations, lambda flow: not flow.has_autoplay_rule
        ),
        "automation_connects_to_no_visual_flow": broken(
            automations, lambda flow: any(other.is_visual for other in reached_from(flow, flows))
        ),
        "automation_passes_no_ownership": broken(
            automations,
            lambda flow: any(step.step_type == "PassOwnership" for step in flow.steps.values()),
        ),
        "visual_flow_has_a_ui_step": broken(visual, lambda flow: not flow.is_visual),
    }


def play_failed_did_not_play(plays: list[Row]) -> Counts:
    """Plays with a Play Failed; those in which steps were played."""
    failed = [play for play in plays if play["play_failed_events"]]
    return len(failed), sum(play["steps_played"] > 0 for play in failed)


def step_belongs_to_a_flow(flow_events: list[Row]) -> Counts:
    """Plays of steps; those without a Play of their flow in the play, at any time.

    A step that does not say whose it is, or a flow that says less than its step, is taken at the
    play's word: ids are compared with ids, and names where neither has an id.
    """
    checked = violations = 0
    for _, group in grouped(flow_events, "play"):
        flows = [event for event in group if is_flow_play(event)]
        for step in (event for event in group if event["is_step"]):
            checked += 1
            violations += not any(_could_be_of(step, flow) for flow in flows)
    return checked, violations


def _could_be_of(step: Row, flow: Row) -> bool:
    if step["flow_item_type"] != flow["flow_item_type"]:
        return False
    return all(
        of_step is None or of_flow is None or of_step == of_flow
        for of_step, of_flow in zip(step["flow"], flow["flow"], strict=True)
    )


def automation_started_by_autoplay(plays: list[Row]) -> Counts:
    """Automation plays whose initiator is known; those that were not started by auto-play."""
    known = [
        play
        for play in plays
        if play["flow_kind"] == "automation" and play["is_user_initiated"] is not None
    ]
    return len(known), sum(play["initiator"] != "autostart" for play in known)


def one_visual_flow_at_a_time(spans: list[Row]) -> Counts:
    """Visual Smart Walk-Thru plays by session; those that began while another still went on."""
    visual = [
        span
        for span in spans
        if span["item_type"] == "Smart Walk-Thru" and span["flow_kind"] == "visual"
    ]
    violations = 0
    for _, group in grouped(visual, *SESSION, by="started_at"):
        group.sort(key=lambda span: (span["started_at"], span["last_event_at"], span["happened"]))
        for number, span in enumerate(group):
            violations += any(
                earlier["last_event_at"] > span["started_at"] for earlier in group[:number]
            )
    return len(visual), violations


def launcher_stops_running_flows(flow_events: list[Row], spans: list[Row]) -> Counts:
    """Plays that ran in a session before a launcher started another there; those that went on."""
    starts = grouped((event for event in flow_events if is_launcher_start(event)), *SESSION)
    starts_of = {tuple(key.values()): group for key, group in starts}
    checked = violations = 0
    for span in spans:
        session = tuple(span[column] for column in SESSION)
        later = [
            start["occurred_at"]
            for start in starts_of.get(session, [])
            if start["occurred_at"] > span["started_at"] and start["play"] != span["play"]
        ]
        checked += bool(later)
        violations += bool(later) and span["last_event_at"] > min(later)
    return checked, violations
