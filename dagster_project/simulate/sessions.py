"""A session in the making: its clock, its page, and its events so far.

Activities (`activities.py`) write into a `Session`; `Session.finish` gives its events in order,
with the caps of the event definitions applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from random import Random
from typing import TypeVar

from dagster_project.simulate.definitions import Pair
from dagster_project.simulate.items import Item, Launcher, Page, System, Template
from dagster_project.simulate.people import User, hashed

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Time (epoch ms), template, play id, value, and the visit of a page (index in Session.visits).
Event = tuple[int, Template, str | None, str | None, int]
T = TypeVar("T")

_time = itemgetter(0)


class Session:
    """One session of one user in one system.

    Attributes:
        now: the clock, epoch ms; only ever moves forward.
        planned_end: when the user means to leave.
        daily_slot: which half of the UTC day the once-in-24-hours events may fall in: 0 the first,
            1 the second, 2 none. Slots of a user follow each other as 0, 1, 2 from day to day, so
            two such events are always 24 hours apart, and nothing needs to be remembered.
        login_at: the user is anonymous before it.
        background: events of automation processes, which run beside everything else.
        visits: the page and visit id of every page visit.
        visit: index in `visits` of the current one.
    """

    __slots__ = (
        "_guid_base",
        "_guid_prefix",
        "_plays",
        "background",
        "chat_is_open",
        "daily_slot",
        "drawn",
        "drawn_launchers",
        "environment",
        "events",
        "login_at",
        "novel_key",
        "now",
        "planned_end",
        "random",
        "rng",
        "session_id",
        "started_at",
        "system",
        "user",
        "visit",
        "visits",
    )

    def __init__(
        self,
        rng: Random,
        user: User,
        system: System,
        start: int,
        planned_end: int,
        *,
        daily_slot: int = 2,
        environment: int | None = 0,
    ) -> None:
        self.rng = rng
        self.random = rng.random
        self.user = user
        self.system = system
        self.now = self.started_at = start
        self.planned_end = planned_end
        self.daily_slot = daily_slot
        self.environment = environment
        self.login_at = 0
        self.novel_key = False
        self.session_id = guid(rng)
        self._guid_prefix = guid(rng)[:24]
        self._guid_base = (1 << 46) + rng.getrandbits(46)
        self._plays = 0
        self.events: list[Event] = []
        self.background: list[Event] = []
        self.drawn: set[Item] = set()
        self.drawn_launchers: list[Launcher] = []
        self.chat_is_open = False
        self.visits: list[tuple[Page, str]] = []
        self.visit = 0
        self.visit_page()

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, all equally likely."""
        return choices[int(self.random() * len(choices))]

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self.random() < probability

    def wait(self, mean_ms: int) -> None:
        """Let time pass: `mean_ms` on average, more than 300 ms, less than four times the mean.

        Products of uniform numbers are the same on every machine; logarithms need not be.
        """
        self.now += 301 + int(self.random() * self.random() * (4 * mean_ms - 301))

    def visit_page(self) -> None:
        """Move to some page of the system."""
        self.visits.append((self.pick(self.system.pages), f"{self.rng.getrandbits(128):032x}"))
        self.visit = len(self.visits) - 1

    @property
    def page(self) -> Page:
        """The page that the user looks at."""
        return self.visits[self.visit][0]

    def new_play(self, item: Item) -> str:
        """A play id of an item that starts now: `<ms>-<item>-<guid>`, the time a little before."""
        # Counted down from where the interaction guids count up: made fast, and never the same.
        self._plays += 1
        number = self._guid_base - self._plays
        started = self.now - int(self.random() * 250)
        return f"{started}-{item.item_id}-{self._guid_prefix}{number:012x}"

    def add(self, template: Template, play: str | None = None, value: str | None = None) -> None:
        """Let an event happen now."""
        self.events.append((self.now, template, play, value, self.visit))

    def send(
        self,
        item: Item,
        event: str,
        play: str | None = None,
        value: str | None = None,
        *,
        initiator: str = "",
        by: Item | None = None,
    ) -> None:
        """Let an event of an item happen now."""
        template = self.system.template(item, event, initiator, by)
        self.events.append((self.now, template, play, value, self.visit))

    def add_in_background(self, at: int, template: Template, play: str) -> None:
        """Let an event of an automation process happen at a time to come."""
        self.background.append((at, template, play, None, self.visit))

    def stop_background(self) -> None:
        """Stop all automation processes now, as a launcher does that starts a flow."""
        self.background = [event for event in self.background if event[0] < self.now]

    def finish(self) -> list[Event]:
        """The events in order of time, without those that a cap or the definitions rule out."""
        events = self.events
        if self.background:
            events += self.background
            self.background = []
        events.sort(key=_time)
        seen: set[tuple[Pair, Item | None]] = set()
        self.events = [event for event in events if not event[1].guard or self._allows(event, seen)]
        return self.events

    def _allows(self, event: Event, seen: set[tuple[Pair, Item | None]]) -> bool:
        template = event[1]
        # A cap per 24 hours is one of the user, for all items together.
        key = (template.pair, None if template.guard == 2 else template.item)
        if template.guard == 3 or key in seen:
            return False
        if template.guard == 2 and not self.is_in_slot(event[0], template.cap_hours):
            return False
        seen.add(key)
        return True

    def is_in_slot(self, at: int, cap_hours: int) -> bool:
        """Whether an event with a cap of so many hours may happen at that time.

        Above 24 hours it happens in some of the slots 0 only, which are three days apart.
        """
        half = 0 if at % DAY < DAY // 2 else 1
        if at // DAY != self.started_at // DAY or half != self.daily_slot:
            return False
        if cap_hours <= 24:
            return True
        rounds = (self.started_at // DAY + self.user.index) // 3
        return half == 0 and rounds % (cap_hours // 72 + 1) == 0

    def interaction_guid(self, ordinal: int) -> str:
        """The interaction guid of event number `ordinal`."""
        return f"{self._guid_prefix}{self._guid_base + ordinal:012x}"

    @property
    def guid_parts(self) -> tuple[str, int]:
        """The parts of `interaction_guid`, for loops that cannot afford a call for each event."""
        return self._guid_prefix, self._guid_base

    def user_id_at(self, at: int) -> tuple[str, str]:
        """The user's identifier and its source at a time."""
        if at < self.login_at:
            return self.user.anonymous_id, "Cache"
        if self.system.hashes_user_ids:
            return hashed(self.user.user_id), "Identifier"
        return self.user.user_id, "Identifier"


def guid(rng: Random) -> str:
    """A random guid, version 4."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-9{text[17:20]}-{text[20:]}"


def daily_slot(day_number: int, user: User) -> int:
    """The slot of a user on a day (see `Session.daily_slot`)."""
    return (day_number + user.index) % 3
