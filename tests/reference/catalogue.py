"""The content catalogue for the reference: its flows and their steps (getting-data-in.md)."""

from dataclasses import dataclass

from tests.reference.definitions import Definitions, normalised
from tests.reference.events import Row, text


@dataclass(frozen=True)
class Step:
    """One step of a flow, as the catalogue lists it."""

    position: int | None
    kind: str | None
    step_type: str | None
    is_terminal: bool | None


@dataclass(frozen=True)
class Flow:
    """One Smart Walk-Thru or Walk-Thru of the catalogue; `steps` by step id."""

    system_id: str
    item_id: str
    item_type: str
    is_published: bool
    is_automation: bool
    has_autoplay_rule: bool
    connects_to: tuple[str, ...]
    steps: dict[str, Step]

    @property
    def is_visual(self) -> bool:
        """Whether it has a visual step, whatever it is run as."""
        return any(step.kind == "ui" for step in self.steps.values())

    @property
    def has_known_end(self) -> bool:
        """Whether one of its steps is terminal."""
        return any(step.is_terminal for step in self.steps.values())


# By system, item type and id.
Flows = dict[tuple[str, str, str], Flow]

OTHER_TYPE = {"Smart Walk-Thru": "Walk-Thru", "Walk-Thru": "Smart Walk-Thru"}


def flows(catalogue: list[Row], definitions: Definitions) -> Flows:
    """The flows of the catalogue by system, item type and id.

    A flow whose publish status nobody gave may be live, so it counts as published.
    """
    found = {}
    for entry in catalogue:
        item_type = definitions.item_types.get(normalised(text(entry.get("item_type")) or ""))
        if item_type in ("Smart Walk-Thru", "Walk-Thru"):
            flow = Flow(
                system_id=text(entry.get("system_id")) or "unknown",
                item_id=text(entry["item_id"]) or "",
                item_type=item_type,
                is_published=entry.get("publish_status") in (None, "published"),
                is_automation=entry.get("run_as_automation_process") is True,
                has_autoplay_rule=entry.get("has_autoplay_rule") is True,
                connects_to=tuple(text(each) or "" for each in entry.get("connects_to") or []),
                steps={
                    text(step["step_id"]) or "": Step(
                        position=step.get("position"),
                        kind=text(step.get("kind")),
                        step_type=text(step.get("step_type")),
                        is_terminal=step.get("is_terminal"),
                    )
                    for step in entry.get("steps") or []
                },
            )
            found[flow.system_id, flow.item_type, flow.item_id] = flow
    return found


def reached_from(flow: Flow, flows: Flows) -> list[Flow]:
    """The flows of the catalogue that one connects to, at any distance.

    An id is that of a flow of the same type, if there is one, else of the other type.
    """
    reached: dict[tuple[str, str], Flow] = {}
    to_do = [flow]
    while to_do:
        one = to_do.pop()
        for item_id in one.connects_to:
            for item_type in (one.item_type, OTHER_TYPE[one.item_type]):
                other = flows.get((one.system_id, item_type, item_id))
                if other is not None:
                    if (item_type, item_id) not in reached:
                        reached[item_type, item_id] = other
                        to_do.append(other)
                    break
    return list(reached.values())
