"""The company: its systems, and what a seed decides about each of them.

Everything here depends on the seed of the scenario and on the definitions, never on the volume.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from dagster_project.simulate.definitions import Definitions, Pair
from dagster_project.simulate.items import (
    SMART_STEP,
    SMART_WALK_THRU,
    WALK_THRU,
    WALK_THRU_STEP,
    Compound,
    Flow,
    Item,
    Launcher,
    Page,
    Step,
    System,
    escaped,
)


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

    Violations of a cap without an invariant of its own are sent in the same way.
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
