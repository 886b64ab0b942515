"""The company: its systems, their pages, and every WalkMe item that was built for them.

Everything here depends on the seed of the scenario and on the definitions, never on the volume.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random
from typing import Any

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
        parent: what it belongs to (the flow of a step), if anything.
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
    """What is fixed about an event: the pair, the item, and who started it.

    `head`, `tail` and `end` are its parts of a player line: before the play id, before the value,
    and after it, or instead of it.

    Attributes:
        guard: 0 for no restriction, else why the event may have to be left out: 1 once a session,
            2 once in some hours, 3 not a defined pair.
        cap_hours: how many hours, where the guard is 2; else 0.
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
        unscripted: items for them, and for what is planted against their caps.
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


@dataclass(frozen=True)
class _Theme:
    name: str
    host: str
    pages: tuple[tuple[str, str], ...]
    errands: tuple[str, ...]


_THEMES = (
    _Theme(
        "Travel",
        "travel.example.com",
        (
            ("/trips", "Trips"),
            ("/trips/new", "New trip"),
            ("/expenses", "Expenses"),
            ("/expenses/report", "Expense report"),
            ("/approvals", "Approvals"),
            ("/profile", "My profile"),
        ),
        (
            "Book a trip",
            "Change a booking",
            "Submit an expense report",
            "Add a receipt",
            "Request an advance",
            "Approve a trip",
            "Cancel a trip",
            "出張を申請する",
        ),
    ),
    _Theme(
        "Sales",
        "crm.example.com",
        (
            ("/leads", "Leads"),
            ("/accounts", "Accounts"),
            ("/opportunities", "Opportunities"),
            ("/opportunities/edit", "Edit opportunity"),
            ("/quotes", "Quotes"),
            ("/reports", "Reports"),
        ),
        (
            "Create a lead",
            "Convert a lead",
            'Set the stage to "Won"',
            "Send a quote",
            "Merge two accounts",
            "Log a call",
            "Forecast the quarter",
            "Angebot prüfen",
        ),
    ),
    _Theme(
        "People",
        "hr.example.com",
        (
            ("/home", "Home"),
            ("/time-off", "Time off"),
            ("/payslips", "Payslips"),
            ("/goals", "Goals"),
            ("/reviews", "Reviews"),
            ("/learning", "Learning"),
        ),
        (
            "Request time off",
            "Find a payslip",
            "Set a goal",
            "Give feedback",
            "Update the bank account",
            "Enrol in a course",
            "Report a sick day",
            "Déclarer une absence",
        ),
    ),
)


def _theme(index: int) -> _Theme:
    if index < len(_THEMES):
        return _THEMES[index]
    base = _THEMES[index % len(_THEMES)]
    return _Theme(
        f"{base.name} {index + 1}", f"app{index + 1}.example.com", base.pages, base.errands
    )


def build_company(seed: int, systems: int, definitions: Definitions) -> tuple[System, ...]:
    """The systems of the company that `seed` stands for."""
    return tuple(_build_system(seed, index, definitions) for index in range(systems))


def _build_system(seed: int, index: int, definitions: Definitions) -> System:
    random = Random(f"{seed}/system/{index}")
    theme = _theme(index)
    # Item ids are unique within a system only: different systems use the same ones.
    ids = _identifiers(random)

    def item(item_type: str, name: str, parent: Item | None = None) -> Item:
        return Item(next(ids), item_type, name, parent)

    def compound(item_type: str, name: str, part_type: str, parts: Sequence[str]) -> Compound:
        whole = item(item_type, name)
        return Compound(whole, tuple(item(part_type, part, whole) for part in parts))

    errands = theme.errands
    flows: list[Flow] = []
    for number, errand in enumerate(errands):
        whole = item(SMART_WALK_THRU, errand)
        connects_to = (flows[-1],) if number % 3 == 2 else ()
        steps = _visual_steps(random, ids, whole)
        flows.append(Flow(whole, steps, False, number % 4 == 0, connects_to))
    automations: list[Flow] = []
    for name in ("Fill in the form", "Close the survey", "Keep the draft"):
        whole = item(SMART_WALK_THRU, f"{name} ({theme.name})")
        earlier = tuple(automations[-1:])
        steps = _flow_steps(random, ids, whole)
        automations.append(Flow(whole, steps, True, True, earlier))
    walk_thrus = []
    for errand in errands[:3]:
        whole = item(WALK_THRU, f"{errand} (classic)")
        walk_thrus.append(Flow(whole, _classic_steps(random, ids, whole)))
    idle_flows = []
    for name, status in (
        ("Plan the year (new)", "published"),
        ("Print a label (new)", "published"),
        ("Archive a file", "draft"),
        ("Order a badge", "archived"),
    ):
        whole = item(SMART_WALK_THRU, name)
        idle_flows.append(Flow(whole, _visual_steps(random, ids, whole), publish_status=status))
    launchers = tuple(
        Launcher(item("Launcher", f"{name} button"), flow)
        for name, flow in (
            *((flow.item.name, flow) for flow in flows[:4]),
            ("Help", None),
            ("What is new", None),
            ("Feedback", None),
        )
    )
    bot = item("ActionBot", f"{theme.name} assistant")
    conversations = []
    for errand in errands[:4]:
        whole = item("ActionBot Conversation", errand, bot)
        nodes = (f"Greeting: {errand}", "Which one?", "When?", "Do it")
        conversations.append(
            Compound(whole, tuple(item("ActionBot Node", node, whole) for node in nodes))
        )
    course = Item(next(ids), "course", f"{theme.name} basics")
    return System(
        index=index,
        system_id=f"{random.getrandbits(128):032x}",
        host=theme.host,
        definitions=definitions,
        ids_are_numbers=index % 3 != 2,
        hashes_user_ids=index % 3 == 1,
        pages=tuple(
            _page(theme.host, path, title, is_iframe=number == 3)
            for number, (path, title) in enumerate(theme.pages)
        ),
        flows=tuple(flows),
        automations=tuple(automations),
        walk_thrus=tuple(walk_thrus),
        idle_flows=tuple(idle_flows),
        tasks=tuple(item("Task", errand) for errand in errands[:5]),
        shoutouts=tuple(
            compound("ShoutOut", name, "ShoutOut Action", ("Show me", "Remind me later"))
            for name in (f"Welcome to {theme.name}", "Planned maintenance", "New: dark mode")
        ),
        launchers=launchers,
        resources=tuple(item("Resource", f"Guide: {errand}") for errand in errands[:6]),
        shuttles=tuple(item("Shuttle", f"Go to {title}") for _, title in theme.pages[:4]),
        surveys=tuple(
            compound("Survey", name, "Survey Question", questions)
            for name, questions in (
                (
                    f"How do you like {theme.name}?",
                    ("How likely are you to recommend it?", "What would you change?"),
                ),
                (
                    "Quick check",
                    ("Was this helpful?", "How likely are you to use it again?", "Anything else?"),
                ),
            )
        ),
        guidance=tuple(item("SmartTip", f"Hint: {title}") for _, title in theme.pages),
        validation=tuple(item("SmartTip", f"Check: {title}") for _, title in theme.pages[:4]),
        menu=Item("", "Menu", "WalkMe Menu"),
        search=Item("", "WidgetSearch", "Search"),
        search_results={
            name: Item("", "WidgetSearch", name)
            for name in (*errands, *(f"Guide: {errand}" for errand in errands))
        },
        help_desk=item("Help Desk", "Open a ticket"),
        live_chat=item("Live Chat", "Chat with us"),
        bot=bot,
        conversations=tuple(conversations),
        teachme=item("TeachMe", "TeachMe"),
        lessons=tuple(item("TeachMe", f"Lesson: {errand}", course) for errand in errands[:5]),
        quizzes=tuple(
            compound(
                "TeachMe Quiz",
                name,
                "TeachMe Quiz Question",
                tuple(f"{name}: question {number}" for number in range(1, 5)),
            )
            for name in (f"{theme.name} quiz", "Safety quiz")
        ),
        unscripted_pairs=tuple(pair for pair in definitions.events if pair not in SCRIPTED_PAIRS),
        unscripted=tuple(
            item(item_type, f"{item_type} {number}")
            for item_type in _unscripted_types(definitions)
            for number in (1, 2)
        ),
    )


def _unscripted_types(definitions: Definitions) -> list[str]:
    """Item types of the pairs that no activity sends, and of the pairs that those need.

    What is planted against a cap without a name is sent in the same way.
    """
    types: dict[str, None] = {}
    capped = {event.pair for event in definitions.other_caps}
    for pair in definitions.events:
        needed: Pair | None = pair
        while (pair not in SCRIPTED_PAIRS or pair in capped) and needed in definitions.events:
            if needed is None or needed[0] in types:
                break
            types[needed[0]] = None
            needed = definitions.events[needed].paired_with
    return list(types)


def _identifiers(random: Random) -> Iterator[str]:
    number = 1000
    while True:
        number += 1 + random.randrange(3)
        yield str(number)


def _page(host: str, path: str, title: str, *, is_iframe: bool) -> Page:
    port = "3000" if host.startswith("crm") else ""
    return Page(
        path,
        title,
        is_iframe,
        f'"protocol":"https:","hostname":"{host}","port":"{port}","pathname":"{path}"}},'
        f'"isIframe":{"true" if is_iframe else "false"},"title":{escaped(title)},"referrer":"",'
        '"visitId":"',
    )


def _visual_steps(random: Random, ids: Iterator[str], flow: Item) -> tuple[Step, ...]:
    count = 6 + random.randrange(5)
    steps = []
    for number in range(count):
        is_last = number == count - 1
        kind, step_type = "ui", "balloon"
        if not is_last and number % 3 == 2:
            kind = "flow"
            step_type = random.choice(("Split", "WaitForCondition", "AutoStep", "PassOwnership"))
        name = f"{flow.name}: done" if is_last else f"{flow.name}: step {number + 1}"
        item = Item(next(ids), SMART_STEP, name, flow)
        steps.append(Step(item, kind, "popup" if is_last else step_type, is_last))
    return tuple(steps)


def _flow_steps(random: Random, ids: Iterator[str], flow: Item) -> tuple[Step, ...]:
    count = 3 + random.randrange(3)
    return tuple(
        Step(
            Item(next(ids), SMART_STEP, f"{flow.name}: automatic {number + 1}", flow),
            "flow",
            ("WaitForCondition", "AutoStep", "Split", "OnPageActionFillText")[number % 4],
            number == count - 1,
        )
        for number in range(count)
    )


def _classic_steps(random: Random, ids: Iterator[str], flow: Item) -> tuple[Step, ...]:
    count = 4 + random.randrange(3)
    return tuple(
        Step(
            Item(next(ids), WALK_THRU_STEP, f"{flow.name}: step {number + 1}", flow),
            "ui",
            "balloon",
            number == count - 1,
        )
        for number in range(count)
    )


# The pairs that the activities send by name; all others are simulated generically.
SCRIPTED_PAIRS: frozenset[Pair] = frozenset(
    (item_type, event)
    for item_type, events in {
        SMART_WALK_THRU: ("Play", "Play Failed"),
        SMART_STEP: ("Play",),
        WALK_THRU: ("Play", "Play Failed"),
        WALK_THRU_STEP: ("Play",),
        "Task": ("Play", "Complete"),
        "ShoutOut": ("Play", "Click", "Close"),
        "ShoutOut Action": ("Click", "Close"),
        "Launcher": ("Play", "Click"),
        "Resource": ("Play",),
        "Shuttle": ("Play",),
        "Survey": ("Play", "Submitted", "Close"),
        "Survey Question": ("Submitted",),
        "SmartTip": ("Play", "Visible", "Passed", "Failed", "Click"),
        "Menu": ("Open",),
        "WidgetSearch": ("Search", "Click"),
        "Help Desk": ("Play",),
        "Live Chat": ("Click",),
        "ActionBot": ("Chat Opened", "End User Engaged", "Chat Closed", "Conversation Search"),
        "ActionBot Conversation": ("Conversation Started", "Conversation Ended"),
        "ActionBot Node": (
            "Conversation Action Triggered",
            "Conversation Question Answered",
            "Conversation Node Served",
        ),
        "TeachMe": ("Visible", "Open", "TeachMe Step Started"),
        "TeachMe Quiz": ("Play", "Submitted", "Passed", "Failed"),
        "TeachMe Quiz Question": ("Submitted",),
    }.items()
    for event in events
)


def catalogue(systems: Sequence[System]) -> list[dict[str, Any]]:
    """The content catalogue: one record per item, as `landing.md` describes it."""
    return [record for system in systems for record in _catalogue_of(system)]


def _catalogue_of(system: System) -> Iterator[dict[str, Any]]:
    flows = (*system.flows, *system.automations, *system.walk_thrus, *system.idle_flows)
    for flow in flows:
        yield catalogue_record(system, flow.item) | flow_columns(flow)
    for quiz in system.quizzes:
        yield catalogue_record(system, quiz.item) | {"pass_mark": 75}
    for survey in system.surveys:
        yield catalogue_record(system, survey.item) | {"questions": _questions(survey)}
    compounds = (*system.shoutouts, *system.conversations)
    plain = (
        *(part for survey in system.surveys for part in survey.parts),
        *(item for compound in compounds for item in (compound.item, *compound.parts)),
        *(part for quiz in system.quizzes for part in quiz.parts),
        *(launcher.item for launcher in system.launchers),
        *system.tasks,
        *system.resources,
        *system.shuttles,
        *system.guidance,
        *system.validation,
        system.help_desk,
        system.live_chat,
        system.bot,
        system.teachme,
    )
    for item in plain:
        yield catalogue_record(system, item)


def catalogue_record(system: System, item: Item) -> dict[str, Any]:
    """The record of an item without steps and rules."""
    return {
        "system_id": system.system_id,
        "item_id": item.item_id,
        "item_type": item.item_type,
        "name": item.name,
        "parent_item_id": item.parent.item_id if item.parent else None,
        "publish_status": "published",
        "run_as_automation_process": False,
        "has_autoplay_rule": False,
        "connects_to": [],
        "steps": [],
        "pass_mark": None,
    }


def _questions(survey: Compound) -> list[dict[str, Any]]:
    """The questions of a survey, as its record lists them."""
    kinds = {"How likely": "nps", "Was this": "choice"}
    return [
        {
            "question_id": question.item_id,
            "name": question.name,
            "kind": kinds.get(" ".join(question.name.split()[:2]), "text"),
        }
        for question in survey.parts
    ]


def flow_columns(flow: Flow) -> dict[str, Any]:
    """What the record of a flow says beyond that of any item."""
    return {
        "publish_status": flow.publish_status,
        "run_as_automation_process": flow.is_automation,
        "has_autoplay_rule": flow.has_autoplay_rule,
        "connects_to": [other.item.item_id for other in flow.connects_to],
        "steps": [
            {
                "step_id": step.item.item_id,
                "position": position,
                "name": step.item.name,
                "kind": step.kind,
                "step_type": step.step_type,
                "is_terminal": step.is_terminal,
            }
            for position, step in enumerate(flow.steps, start=1)
        ],
    }
