"""The activities of people in a session: one function each, which sends its events in order.

Every invariant holds here by construction. Legal curiosities happen too: tasks completed without a
play, flows that start at the fourth step, surveys opened by other items.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import accumulate

from dagster_project.simulate.definitions import EventDefinition, Pair
from dagster_project.simulate.items import Flow, Item, Launcher
from dagster_project.simulate.sessions import MINUTE, SECOND, Session

Activity = Callable[[Session], None]

_REMARKS = (
    "",
    "Works well.",
    "Too many steps, I would rather have one page.",
    'The button "Save" is hard to find',
    "Très utile, merci !",
    "速くなりました",
    "a, b; c\nand a second line",
)


def arrive(session: Session) -> None:
    """Open the first page: items are drawn, and some start by themselves."""
    session.wait(2 * SECOND)
    session.send(session.system.teachme, "Visible")
    draw_page(session)
    if session.chance(0.12):
        run_automation(session)
    if session.chance(0.08):
        shoutout(session)


def draw_page(session: Session) -> None:
    """Draw the launchers and SmartTips of the page; each is sent once a session."""
    system, drawn = session.system, session.drawn
    page = session.visits[-1][0].path
    first = len(page) % len(system.launchers)
    for offset in (0, 3):
        launcher = system.launchers[(first + offset) % len(system.launchers)]
        if launcher.item not in drawn:
            session.wait(SECOND)
            draw_launcher(session, launcher)
    for tips in (system.guidance, system.validation):
        tip = tips[len(page) % len(tips)]
        if tip not in drawn:
            session.wait(SECOND)
            draw_tip(session, tip)


def draw_launcher(session: Session, launcher: Launcher) -> None:
    """Draw a launcher that was not drawn yet."""
    session.drawn.add(launcher.item)
    session.drawn_launchers.append(launcher)
    session.send(launcher.item, "Play")


def draw_tip(session: Session, tip: Item) -> None:
    """Draw a SmartTip that was not drawn yet."""
    session.drawn.add(tip)
    session.send(tip, "Play")


def change_page(session: Session) -> None:
    """Go to another page of the system."""
    session.visit_page()
    session.wait(3 * SECOND)
    draw_page(session)


# --- flows ------------------------------------------------------------------------------------


def run_flow(session: Session, flow: Flow, initiator: str = "", by: Item | None = None) -> None:
    """Play a visual Smart Walk-Thru until it is completed, left, restarted or stopped."""
    if initiator == "launcher":
        session.stop_background()
    play_template, *steps = session.system.flow_templates(flow, initiator, by)
    play = session.new_play(flow.item)
    session.add(play_template, play)
    random, events, visit = session.random, session.events, session.visit
    first = 0
    if random() < 0.06:
        first = 3
    elif random() < 0.03:
        first = 1
    for number in range(first, len(steps)):
        # As `session.wait(11 * SECOND)` and `session.add`: half of all events are made here.
        session.now += 301 + int(random() * random() * 43_699)
        events.append((session.now, steps[number], play, None, visit))
        fate = random()
        if fate > 0.12:
            continue
        if fate < 0.055:
            return
        if fate < 0.065:
            session.wait(8 * SECOND)
            run_flow(session, flow, "restart", flow.item)
            return
        if fate < 0.075 and initiator != "launcher":
            session.wait(10 * SECOND)
            flow_from_launcher(session)
            return
        if fate < 0.085:
            session.wait(4 * SECOND)
            item = session.pick(session.system.resources)
            session.send(item, "Play", play, initiator="flow_step", by=flow.item)
        elif fate < 0.09:
            run_automation(session)
        elif fate < 0.1:
            # A refresh, or the browser's back button: the step is played once more.
            session.wait(9 * SECOND)
            session.add(steps[number], play)
    if flow.connects_to and random() < 0.6:
        session.wait(3 * SECOND)
        run_flow(session, flow.connects_to[0], "branching", flow.item)
    elif random() < 0.06:
        session.wait(5 * SECOND)
        answer_survey(session, initiator="flow_step", by=flow.item)


def run_automation(session: Session) -> None:
    """Start an automation process; it runs beside whatever the user does next."""
    if session.background and session.background[-1][0] >= session.now:
        return
    flow = session.pick(session.system.automations)
    # Older players do not say what started a play.
    initiator = "autostart" if session.chance(0.97) else ""
    templates = session.system.flow_templates(flow, initiator, None)
    play = session.new_play(flow.item)
    at = session.now
    if session.chance(0.03):
        failed = session.system.template(flow.item, "Play Failed", initiator)
        session.add_in_background(at, failed, play)
        return
    for template in templates:
        session.add_in_background(at, template, play)
        at += 400 + int(session.random() * 20 * SECOND)
        if session.chance(0.04):
            return


def flow_from_menu(session: Session) -> None:
    """Open the menu and start a flow from it."""
    open_menu(session)
    session.wait(6 * SECOND)
    run_flow(session, session.pick(session.system.flows), "menu")


def flow_from_launcher(session: Session) -> None:
    """Click a launcher that starts a flow; all flows that run stop."""
    launchers = [launcher for launcher in session.drawn_launchers if launcher.flow]
    if not launchers:
        launcher = session.pick(session.system.launchers[:4])
        session.wait(2 * SECOND)
        draw_launcher(session, launcher)
    else:
        launcher = session.pick(launchers)
    session.wait(3 * SECOND)
    session.send(launcher.item, "Click")
    session.now += 150 + int(session.random() * 300)
    if launcher.flow:
        run_flow(session, launcher.flow, "launcher", launcher.item)


def flow_by_itself(session: Session) -> None:
    """Start a flow by its auto-play rule, a permalink, the API or an unknown initiator."""
    initiator = session.pick(("autostart", "autostart", "permalink", "api", "none", ""))
    run_flow(session, session.pick(session.system.flows), initiator)


def flow_failed(session: Session) -> None:
    """Try to start a flow or Walk-Thru that fails; some try again."""
    flow = session.pick((session.system.flows, session.system.walk_thrus)[session.chance(0.3)])
    session.send(flow.item, "Play Failed", session.new_play(flow.item), initiator="menu")
    if flow in session.system.flows and session.chance(0.4):
        session.wait(15 * SECOND)
        run_flow(session, flow, "menu")


def walk_thru(session: Session) -> None:
    """Play a classic Walk-Thru; some players send no play id for it."""
    flow = session.pick(session.system.walk_thrus)
    templates = session.system.flow_templates(flow, "menu", None)
    play = session.new_play(flow.item) if session.chance(0.8) else None
    session.add(templates[0], play)
    first = 4 if session.chance(0.08) else 1
    for template in templates[first:]:
        session.wait(12 * SECOND)
        session.add(template, play)
        if session.chance(0.1):
            return


# --- the menu and what is in it ---------------------------------------------------------------


def open_menu(session: Session) -> None:
    """Open the menu, by a click or through the API."""
    initiator = "api" if session.chance(0.12) else session.pick(("menu", ""))
    session.send(session.system.menu, "Open", initiator=initiator)


def browse_menu(session: Session) -> None:
    """Open the menu and leave it, or take a resource or a shuttle."""
    open_menu(session)
    session.wait(5 * SECOND)
    choice = session.random()
    if choice < 0.45:
        session.send(session.pick(session.system.resources), "Play", initiator="menu")
    elif choice < 0.7:
        session.send(session.pick(session.system.shuttles), "Play", initiator="menu")
        change_page(session)


def open_elsewhere(session: Session) -> None:
    """Open a resource or shuttle from a ShoutOut, a launcher, a step or a task."""
    system = session.system
    items = system.resources if session.chance(0.6) else system.shuttles
    initiator, by = session.pick(
        (
            ("shoutout", system.shoutouts[0].item),
            ("launcher", system.launchers[-1].item),
            ("step", system.flows[0].steps[0].item),
            ("task", system.tasks[0]),
        )
    )
    session.send(session.pick(items), "Play", initiator=initiator, by=by)


def search(session: Session) -> None:
    """Type a question word by word, pausing now and then, and click a result or give up."""
    system = session.system
    open_menu(session)
    flow = session.pick(system.flows)
    words = ["how", "to", *flow.item.name.lower().split()]
    term = ""
    for number, word in enumerate(words):
        term = f"{term} {word}".strip()
        if number < len(words) - 1 and session.chance(0.35):
            continue
        half = term[: len(term) - len(word) // 2]
        if len(word) > 5 and session.chance(0.3):
            _pause_typing(session, half)
        _pause_typing(session, term)
        if session.chance(0.05):
            # Half a word deleted, and typed once more.
            _pause_typing(session, half)
            _pause_typing(session, term)
        if session.chance(0.15):
            break
    if session.chance(0.3):
        return
    session.wait(4 * SECOND)
    is_flow = session.chance(0.6)
    result = flow.item if is_flow else session.pick(system.resources)
    session.send(system.search_results[result.name], "Click", value=term)
    session.wait(2 * SECOND)
    if is_flow:
        run_flow(session, flow, "menu")
    else:
        session.send(result, "Play", initiator="menu")


def _pause_typing(session: Session, term: str) -> None:
    # The search is sent about three seconds after the last key.
    session.now += 3 * SECOND + int(session.random() * 5 * SECOND)
    session.send(session.system.search, "Search", value=term)


def support(session: Session) -> None:
    """Ask a person: help desk or live chat."""
    open_menu(session)
    session.wait(8 * SECOND)
    if session.chance(0.5):
        session.send(session.system.help_desk, "Play", initiator="menu")
    else:
        session.send(session.system.live_chat, "Click")


def task(session: Session) -> None:
    """Work on an onboarding task; tasks are also completed without ever being clicked."""
    system = session.system
    item = session.pick(system.tasks)
    if session.chance(0.35):
        session.send(item, "Complete")
        return
    open_menu(session)
    session.wait(6 * SECOND)
    session.send(item, "Play", initiator="menu")
    session.wait(2 * SECOND)
    if session.chance(0.6):
        run_flow(session, session.pick(system.flows), "task", item)
    if session.chance(0.7):
        session.wait(40 * SECOND)
        session.send(item, "Complete")


# --- what appears on the page ----------------------------------------------------------------


def click_launcher(session: Session) -> None:
    """Click a launcher that starts no flow, once or several times."""
    launchers = [launcher for launcher in session.drawn_launchers if not launcher.flow]
    if not launchers:
        launcher = session.system.launchers[-1]
        draw_launcher(session, launcher)
        session.wait(4 * SECOND)
    else:
        launcher = session.pick(launchers)
    for _ in range(1 + int(session.random() * 3)):
        session.send(launcher.item, "Click")
        session.wait(20 * SECOND)


def smart_tips(session: Session) -> None:
    """Hover over hints, click one away, and fill in a field that is validated."""
    system = session.system
    tip = session.pick(system.guidance)
    if tip not in session.drawn:
        draw_tip(session, tip)
        session.wait(4 * SECOND)
    for _ in range(1 + int(session.random() * 3)):
        session.send(tip, "Visible")
        if session.chance(0.3):
            session.now += int(session.random() * 2) * 200
            session.send(tip, "Click")
        session.wait(15 * SECOND)
    if session.chance(0.5):
        tip = session.pick(system.validation)
        if tip not in session.drawn:
            draw_tip(session, tip)
        for _ in range(4):
            session.wait(10 * SECOND)
            if session.chance(0.6):
                session.send(tip, "Passed")
                break
            session.send(tip, "Failed")


def shoutout(session: Session) -> None:
    """Show a ShoutOut, which is clicked, dismissed, put off, acted upon or overlooked."""
    compound = session.pick(session.system.shoutouts)
    item, (action, snooze) = compound.item, compound.parts
    play = session.new_play(item)
    session.send(item, "Play", play, initiator="autostart")
    session.wait(8 * SECOND)
    choice = session.random()
    if choice < 0.2:
        session.send(item, "Click", play)
    elif choice < 0.45:
        session.send(item, "Close", play)
    elif choice < 0.6:
        session.send(snooze, "Close", play)
    elif choice < 0.75:
        session.send(action, "Click", play)
        session.wait(2 * SECOND)
        if session.chance(0.5):
            run_flow(session, session.pick(session.system.flows), "shoutout", item)
        else:
            session.send(session.pick(session.system.resources), "Play", initiator="shoutout")


def survey(session: Session) -> None:
    """Open a survey: by itself, from the menu or from a ShoutOut."""
    initiator, by = session.pick(
        (("autostart", None), ("menu", None), ("shoutout", session.system.shoutouts[0].item))
    )
    answer_survey(session, initiator=initiator, by=by)


def answer_survey(session: Session, *, initiator: str, by: Item | None) -> None:
    """View a survey and answer, close or ignore it."""
    compound = session.pick(session.system.surveys)
    item = compound.item
    play = session.new_play(item) if session.chance(0.8) else None
    session.send(item, "Play", play, initiator=initiator, by=by)
    session.wait(10 * SECOND)
    choice = session.random()
    if choice < 0.25:
        session.send(item, "Close", play)
    elif choice < 0.8:
        for question in compound.parts:
            session.wait(10 * SECOND)
            session.send(question, "Submitted", play, _answer(session, question))
        session.wait(3 * SECOND)
        session.send(item, "Submitted", play)


def _answer(session: Session, question: Item) -> str:
    if question.name.startswith("How likely"):
        return str(min(10, 3 + int(session.random() * 5) + int(session.random() * 5)))
    if question.name.startswith("Was this"):
        return session.pick(("Yes", "No", "Partly"))
    return session.pick(_REMARKS)


# --- ActionBot --------------------------------------------------------------------------------


def chat(session: Session) -> None:
    """Talk to the ActionBot; some never close it."""
    system = session.system
    bot = system.bot
    session.send(bot, "Chat Opened")
    if session.chance(0.85):
        session.wait(7 * SECOND)
        session.send(bot, "End User Engaged")
        if session.chance(0.4):
            session.wait(4 * SECOND)
            term = session.pick(system.flows).item.name.lower()
            session.send(bot, "Conversation Search", value=term)
        for _ in range(1 + session.chance(0.2)):
            session.wait(5 * SECOND)
            _converse(session)
    if session.chance(0.85):
        session.wait(12 * SECOND)
        session.send(bot, "Chat Closed")


def _converse(session: Session) -> None:
    compound = session.pick(session.system.conversations)
    session.send(compound.item, "Conversation Started")
    for number, node in enumerate(compound.parts):
        session.wait(4 * SECOND)
        session.send(node, "Conversation Node Served")
        if node.name.endswith("?"):
            session.wait(8 * SECOND)
            answer = session.pick(("Yes", "Monday", "The second one"))
            session.send(node, "Conversation Question Answered", value=answer)
        elif number == len(compound.parts) - 1:
            session.wait(2 * SECOND)
            session.send(node, "Conversation Action Triggered")
        if session.chance(0.07):
            break
    if session.chance(0.85):
        session.wait(6 * SECOND)
        session.send(compound.item, "Conversation Ended")


# --- TeachMe ----------------------------------------------------------------------------------


def teachme(session: Session) -> None:
    """Open TeachMe, start items of a course, take a quiz."""
    system = session.system
    session.send(system.teachme, "Open")
    for _ in range(int(session.random() * 4)):
        session.wait(15 * SECOND)
        session.send(session.pick(system.lessons), "TeachMe Step Started")
        session.wait(MINUTE)
    if session.chance(0.5):
        session.wait(10 * SECOND)
        quiz(session)


def quiz(session: Session) -> None:
    """Take a quiz: passed or failed after each submission, and taken again by some."""
    compound = session.pick(session.system.quizzes)
    item = compound.item
    for _ in range(3):
        session.send(item, "Play")
        for question in compound.parts:
            session.wait(15 * SECOND)
            session.send(question, "Submitted", value=session.pick(("A", "B", "C, D")))
            if session.chance(0.02):
                return
        session.wait(4 * SECOND)
        session.send(item, "Submitted")
        if session.chance(0.03):
            # No outcome came: the result of the attempt stays unknown.
            return
        session.now += 200 + int(session.random() * 600)
        if session.chance(0.7):
            session.send(item, "Passed")
            return
        session.send(item, "Failed")
        if session.chance(0.4):
            return
        session.wait(30 * SECOND)


# --- pairs that no activity knows --------------------------------------------------------------


def unscripted(session: Session) -> None:
    """Send one of the defined pairs that no other activity sends."""
    system = session.system
    if system.unscripted_pairs:
        pair = session.pick(system.unscripted_pairs)
        send_pair(session, system.definitions.events[pair])


def send_pair(
    session: Session, definition: EventDefinition, *, sent: frozenset[Pair] = frozenset()
) -> Item | None:
    """Send any defined pair, after the pair that it needs; returns the item that it happened to.

    If the pair that it needs may not happen now, it sends nothing and returns None.
    """
    item_type, event = definition.pair
    needed = session.system.definitions.events.get(definition.paired_with or ("", ""))
    item: Item | None = None
    if needed is not None and needed.pair not in sent:
        if needed.cap_hours:
            earlier = [one for one in session.events if one[1].pair == needed.pair]
            if earlier and session.is_in_slot(earlier[0][0], needed.cap_hours):
                item = earlier[0][1].item
        else:
            item = send_pair(session, needed, sent=sent | {definition.pair})
        if item is None:
            return None
        session.now += 500
    if item is None or item.item_type != item_type:
        items = session.system.unscripted
        item = session.pick([one for one in items if one.item_type == item_type])
    session.send(item, event)
    return item


_WEIGHTS: Sequence[tuple[Activity, float]] = (
    (change_page, 18),
    (flow_from_menu, 9),
    (flow_from_launcher, 10),
    (flow_by_itself, 6),
    (flow_failed, 1.5),
    (walk_thru, 4),
    (run_automation, 6),
    (browse_menu, 8),
    (open_elsewhere, 3),
    (search, 8),
    (support, 2),
    (task, 4),
    (click_launcher, 6),
    (smart_tips, 12),
    (shoutout, 5),
    (survey, 3.5),
    (chat, 3.5),
    (teachme, 3.5),
    (unscripted, 2),
)
_ACTIVITIES = tuple(activity for activity, _ in _WEIGHTS)
_CUMULATIVE = tuple(accumulate(weight for _, weight in _WEIGHTS))


def play_session(session: Session) -> None:
    """Live through a whole session, until its planned end."""
    arrive(session)
    random, total = session.random, _CUMULATIVE[-1]
    while session.now < session.planned_end:
        session.wait(30 * SECOND)
        _ACTIVITIES[bisect(_CUMULATIVE, random() * total)](session)
        # Reading and working happens in between: up to 24 minutes, a session ends after 30.
        session.wait(6 * MINUTE if random() < 0.06 else 70 * SECOND)
