"""What people reach after a flow: the goals of flows, and the intervals of differences of shares.

Intervals are those of Newcombe, "Interval estimation for the difference between independent
proportions", Statistics in Medicine 17 (1998), method 10: from Wilson's score intervals.
"""

import csv
import datetime as dt
from collections import defaultdict
from pathlib import Path
from statistics import NormalDist

from tests.reference.events import Row
from tests.reference.rows import grouped, rate

GOAL_DAYS = dt.timedelta(days=7)
FATES = {
    "completed": "completed",
    "left": "left",
    "stopped_by_launcher": "stopped",
    None: "never_shown",
}
CAVEAT = "Who completes a flow may differ from others: a difference is no proof of cause."
Z = NormalDist().inv_cdf(0.975)

Flow = tuple[str, str, str]


def goals(dim_items: list[Row], seeds: Path) -> list[tuple[Flow, str]]:
    """The pairs of flow and task id: those of the seed, else those of the catalogue."""
    with (seeds / "goals.csv").open(encoding="utf-8", newline="") as file:
        pairs = [
            ((row["system_id"], row["flow_item_type"], row["flow_item_id"]), row["task_item_id"])
            for row in csv.DictReader(file)
        ]
    listed = {flow for flow, _ in pairs}
    catalogued = [item for item in dim_items if item["is_in_catalogue"]]
    tasks = [item for item in catalogued if item["item_type"] == "Task"]
    for item in catalogued:
        flow = item["system_id"], item["item_type"], item["item_id"]
        if item["item_type"] in ("Smart Walk-Thru", "Walk-Thru") and flow not in listed:
            pairs += [(flow, task["item_id"]) for task in tasks if _connects(item, task)]
    return pairs


def flow_impact(
    pairs: list[tuple[Flow, str]],
    plays: list[Row],
    tasks: list[Row],
    events: list[Row],
    dim_items: list[Row],
) -> list[Row]:
    """One row per flow and goal, in production; plays, tasks and events say whose they are."""
    names = {(i["system_id"], i["item_type"], i["item_id"]): i["item_name"] for i in dim_items}
    ends: dict[str, dt.datetime] = {}
    for event in _production(events):
        end = ends.setdefault(event["system_id"], event["occurred_at"])
        ends[event["system_id"]] = max(end, event["occurred_at"])
    rows = []
    for (system, item_type, item_id), task in pairs:
        reached: dict[str, dt.datetime] = {}
        for row in sorted(
            (t for t in _production(tasks) if t["first_completed_at"] is not None),
            key=lambda t: t["first_completed_at"],
        ):
            if (row["system_id"], row["item_id"]) == (system, task):
                reached.setdefault(row["person_id"], row["first_completed_at"])
        flow = (system, item_type, item_id)
        counts = {fate: [0, 0] for fate in FATES.values()}
        for person, (fate, since) in _fates(flow, plays, events).items():
            at = reached.get(person)
            if since + GOAL_DAYS <= ends[system] and (at is None or at >= since):
                counts[fate][1] += 1
                counts[fate][0] += at is not None and at < since + GOAL_DAYS
        row = {
            "system_id": system,
            "flow_item_type": item_type,
            "flow_item_id": item_id,
            "flow_item_name": names.get(flow),
            "goal_item_id": task,
            "goal_item_name": names.get((system, "Task", task)),
        }
        for fate, (successes, people) in counts.items():
            row |= {
                f"people_{fate}": people,
                f"people_{fate}_reached": successes,
                f"{fate}_rate": rate(successes, people),
            }
        for fate in ("left", "stopped", "never_shown"):
            name = f"difference_to_{fate}"
            row |= dict.fromkeys((name, f"{name}_low", f"{name}_high"))
            if counts["completed"][1] and counts[fate][1]:
                low, high = newcombe(*counts["completed"], *counts[fate])
                row[name] = row["completed_rate"] - row[f"{fate}_rate"]
                row |= {f"{name}_low": round(low, 6), f"{name}_high": round(high, 6)}
        rows.append(row | {"caveat": CAVEAT})
    return rows


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's score interval for a share, at 95 %."""
    share = successes / trials
    middle = (share + Z**2 / (2 * trials)) / (1 + Z**2 / trials)
    spread = Z * (share * (1 - share) / trials + Z**2 / (4 * trials**2)) ** 0.5
    spread /= 1 + Z**2 / trials
    return middle - spread, middle + spread


def newcombe(successes: int, trials: int, others: int, other_trials: int) -> tuple[float, float]:
    """The hybrid score interval for the first share less the other, at 95 %."""
    one, other = successes / trials, others / other_trials
    (low, high), (other_low, other_high) = wilson(successes, trials), wilson(others, other_trials)
    return (
        one - other - ((one - low) ** 2 + (other_high - other) ** 2) ** 0.5,
        one - other + ((high - one) ** 2 + (other - other_low) ** 2) ** 0.5,
    )


def _connects(flow: Row, task: Row) -> bool:
    """Whether a task of the catalogue is part of the flow or has its name."""
    if flow["system_id"] != task["system_id"]:
        return False
    names = [item["item_name"] and item["item_name"].strip(" ").lower() for item in (flow, task)]
    is_part = task["parent_item_id"] == flow["item_id"]
    return is_part or (names[0] is not None and names[0] == names[1])


def _fates(flow: Flow, plays: list[Row], events: list[Row]) -> dict[str, tuple[str, dt.datetime]]:
    """What became of a flow with each person of its system, and since when they count."""
    own: dict[str, list[Row]] = defaultdict(list)
    for play in _production(plays):
        if (play["system_id"], play["item_type"], play["item_id"]) == flow:
            own[play["person_id"]].append(play)
    fates = {}
    for person, of_person in own.items():
        went = [play for play in of_person if play["result"] != "failed"]
        if went:
            first = min(went, key=lambda play: play["started_at"])
            fates[person] = FATES[first["result"]], first["started_at"]
    if not fates:
        return {}
    first_day = min(since for _, since in fates.values()).date()
    of_system = [event for event in _production(events) if event["system_id"] == flow[0]]
    sightings = [group[0] for _, group in grouped(of_system, "session_id", "end_user_id")]
    for event in sorted(sightings, key=lambda event: event["occurred_at"]):
        person = event["person_id"]
        if event["occurred_at"].date() >= first_day and person not in own:
            fates.setdefault(person, (FATES[None], event["occurred_at"]))
    return fates


def _production(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["environment"] == "production"]
