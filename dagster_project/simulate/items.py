"""What was built with WalkMe for a system: its items, their parts, and the pages they are on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from dagster_project.simulate.definitions import Definitions, Pair

SMART_WALK_THRU = "Smart Walk-Thru"
SMART_STEP = "Smart Walk-Thru Step"
WALK_THRU = "Walk-Thru"
WALK_THRU_STEP = "Walk-Thru Step"


@dataclass(frozen=True, eq=False, slots=True)
class Item:
    """A WalkMe item of one system; compared by identity.

    Attributes:
        item_id: text; empty for the items that the player sends no id for.
        item_type: documented name.
        parent: the item that it belongs to (the flow of a step), if any.
    """

    item_id: str
    item_type: str
    name: str
    parent: Item | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """A step of a flow, as the content catalogue describes it."""

    item: Item
    kind: str
    step_type: str
    is_terminal: bool


@dataclass(frozen=True, eq=False, slots=True)
class Flow:
    """A Smart Walk-Thru or Walk-Thru with its steps.

    Attributes:
        connects_to: flows that may follow it.
    """

    item: Item
    steps: tuple[Step, ...]
    is_automation: bool = False
    has_autoplay_rule: bool = False
    connects_to: tuple[Flow, ...] = ()
    publish_status: str = "published"


@dataclass(frozen=True, eq=False, slots=True)
class Compound:
    """An item with its parts: a ShoutOut and its actions, a survey or quiz and its questions."""

    item: Item
    parts: tuple[Item, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Launcher:
    """A launcher and the flow that it starts, if it starts one."""

    item: Item
    flow: Flow | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a system; `json` is its part of the player's `ctx`, up to the visit id."""

    path: str
    title: str
    is_iframe: bool
    json: str


class Template:
    """The fixed parts of an event: the pair, the item, and who started it.

    `head`, `tail` and `end` are its parts of a player line: before the play id, before the value,
    and after it, or instead of it.

    Attributes:
        guard: the reason why the event may be left out: 0 none, 1 once a session, 2 once in some
            hours, 3 not a defined pair.
        cap_hours: the hours of guard 2; else 0.
    """

    __slots__ = (
        "cap_hours",
        "end",
        "guard",
        "head",
        "initiator",
        "initiator_item",
        "item",
        "pair",
        "raw",
        "tail",
    )

    def __init__(
        self,
        definitions: Definitions,
        item: Item,
        event: str,
        initiator: str,
        initiator_item: Item | None,
        *,
        ids_are_numbers: bool,
    ) -> None:
        self.pair: Pair = (item.item_type, event)
        self.item = item
        self.initiator = initiator
        self.initiator_item = initiator_item
        definition = definitions.events.get(self.pair)
        self.cap_hours = (definition.cap_hours or 0) if definition else 0
        if definition is None:
            self.guard = 3
        elif self.cap_hours:
            self.guard = 2
        else:
            self.guard = int(definition.capped_per == "session")
        spellings = definition.raw_names if definition else (self.pair,)
        self.raw = spellings[sum(item.item_id.encode()) % len(spellings)]

        def identifier(item_id: str) -> str:
            return item_id if ids_are_numbers and item_id.isdigit() else json.dumps(item_id)

        parts = [f'"type":{escaped(self.raw[1])},"data":{{"type":{escaped(self.raw[0])}']
        if item.item_id:
            parts.append(f'"oId":{identifier(item.item_id)}')
        parts.append(f'"oName":{escaped(item.name)}')
        if parent := item.parent:
            raw_parent = definitions.raw_item_types.get(parent.item_type, parent.item_type)
            parts.append(
                f'"owId":{identifier(parent.item_id)},"owName":{escaped(parent.name)},'
                f'"owType":{escaped(raw_parent)}'
            )
        self.head = ",".join(parts)
        self.tail = ""
        if initiator:
            self.tail = f',"pInit":{{"type":{definitions.initiators[initiator]}'
            if initiator_item and initiator_item.item_id:
                self.tail += f',"objectId":{identifier(initiator_item.item_id)}'
            self.tail += "}"
        # A key may be absent or null: both happen.
        self.end = ',"value":null},' if ids_are_numbers else "},"


@dataclass(frozen=True, eq=False)
class System:
    """One application with everything built for it, by item type.

    Attributes:
        system_id: 32 hexadecimal digits.
        ids_are_numbers: whether its player writes identifiers as numbers or as strings.
        unscripted_pairs: the defined pairs that no scripted activity sends.
        unscripted: items for them, and for violations that are planted against their caps.
    """

    index: int
    system_id: str
    host: str
    definitions: Definitions
    ids_are_numbers: bool
    hashes_user_ids: bool
    pages: tuple[Page, ...]
    flows: tuple[Flow, ...]
    automations: tuple[Flow, ...]
    walk_thrus: tuple[Flow, ...]
    idle_flows: tuple[Flow, ...]
    tasks: tuple[Item, ...]
    shoutouts: tuple[Compound, ...]
    launchers: tuple[Launcher, ...]
    resources: tuple[Item, ...]
    shuttles: tuple[Item, ...]
    surveys: tuple[Compound, ...]
    guidance: tuple[Item, ...]
    validation: tuple[Item, ...]
    menu: Item
    search: Item
    search_results: Mapping[str, Item]
    help_desk: Item
    live_chat: Item
    bot: Item
    conversations: tuple[Compound, ...]
    teachme: Item
    lessons: tuple[Item, ...]
    quizzes: tuple[Compound, ...]
    unscripted_pairs: tuple[Pair, ...]
    unscripted: tuple[Item, ...]
    _templates: dict[tuple[Item, str, str, Item | None], Template] = field(default_factory=dict)
    _flow_templates: dict[tuple[Flow, str, Item | None], tuple[Template, ...]] = field(
        default_factory=dict
    )

    def template(
        self, item: Item, event: str, initiator: str = "", initiator_item: Item | None = None
    ) -> Template:
        """The template of an event, made once."""
        key = (item, event, initiator, initiator_item)
        template = self._templates.get(key)
        if template is None:
            template = self._templates[key] = Template(
                self.definitions,
                item,
                event,
                initiator,
                initiator_item,
                ids_are_numbers=self.ids_are_numbers,
            )
        return template

    def flow_templates(
        self, flow: Flow, initiator: str, initiator_item: Item | None
    ) -> tuple[Template, ...]:
        """The templates of a flow's Play and of the Play of each of its steps."""
        key = (flow, initiator, initiator_item)
        templates = self._flow_templates.get(key)
        if templates is None:
            items = (flow.item, *(step.item for step in flow.steps))
            templates = self._flow_templates[key] = tuple(
                self.template(item, "Play", initiator, initiator_item) for item in items
            )
        return templates


@lru_cache(maxsize=65_536)
def escaped(text: str) -> str:
    """A text as JSON."""
    return json.dumps(text, ensure_ascii=False)
