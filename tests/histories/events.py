"""What may be in a dump: few sessions, users, items and plays, so that events meet each other."""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass, fields

from hypothesis import strategies as st

from tests.whole.landings import RAW_PAIRS, SYSTEM, Record, at, player

FIRST_DAY = dt.date(2026, 3, 1)
DAYS = 6
DAY_MS = 24 * 60 * 60 * 1000
FIRST_ANONYMOUS = 4
MIDNIGHTS = {"first ms": 0, "last ms": DAY_MS - 1}

_MINUTE_MS = 60 * 1000
_PARTS = (
    *("bizFlowStep", "step", "action", "uiAction", "question", "quizQuestion"),
    *("actionBotConversation", "actionBotNode"),
)
_FLOW_PAIRS = ("bizFlow/play", "bizFlow/playFailed", "bizFlowStep/play", "wt/play", "step/play")
_ALL_PAIRS = tuple(f"{kind}/{verb}" for kind, verbs in RAW_PAIRS.items() for verb in verbs)


def day_of(number: int) -> str:
    """The date of the nth day, as folders of dumps have it."""
    return (FIRST_DAY + dt.timedelta(days=number)).isoformat()


@dataclass(frozen=True, repr=False)
class Event:
    """An event, short enough to be read in a failing example.

    `time` is a minute of the day, or one of `MIDNIGHTS`, where several events may meet. Users from
    number `FIRST_ANONYMOUS` on are not logged in, unless an event says that they are `known`.
    """

    day: int
    time: int | str
    pair: str
    session: int
    item: int
    user: int = 1
    play: int | None = None
    initiator: int | None = None
    value: str | None = None
    name: str = "A"
    env: int = 0
    known: bool = False

    def __repr__(self) -> str:
        values = ((each, getattr(self, each.name)) for each in fields(self))
        said = [f"{each.name}={value!r}" for each, value in values if value != each.default]
        return f"Event({', '.join(said)})"

    @property
    def record(self) -> Record:
        """It in the player's envelope."""
        kind = self.pair.split("/")[0]
        paths: Record = {"data__oId": self.item, "data__oName": self.name, "wm__env": self.env}
        if kind in _PARTS:
            paths |= {"data__oId": 10 + self.item, "data__owId": self.item % 2 + 1}
        if self.play is not None:
            paths["data__pId"] = f"{at(day_of(0)) + self.play}-play"
        if self.initiator is not None:
            paths["data__pInit"] = {"type": self.initiator, "objectId": 1}
        if self.value is not None:
            paths["data__value"] = self.value
        if self.known:
            paths["wm__euIdSource"] = "Identifier"
        elif self.user >= FIRST_ANONYMOUS:
            paths["wm__euIdSource"] = "Cache"
        return player(
            at(day_of(0)) + self.day * DAY_MS + self._ms,
            self.pair,
            session=f"s-{self.session}",
            user=f"u-{self.user}",
            **paths,
        )

    @property
    def _ms(self) -> int:
        if isinstance(self.time, str):
            return MIDNIGHTS[self.time]
        # Another moment of that minute for every event: ties are made on purpose only.
        return self.time * _MINUTE_MS + zlib.crc32(repr(self).encode()) % _MINUTE_MS


_TIMES = st.one_of(
    st.integers(0, 24 * 60 - 1),
    st.sampled_from([0, 1, 24 * 60 - 2, 24 * 60 - 1]),
    st.integers(0, 24 * 60 - 1),
    st.integers(0, 19).map(lambda number: list(MIDNIGHTS)[number % 2] if number < 4 else number),
)


def events(dump: int) -> st.SearchStrategy[Event]:
    """Events of a dump: most of its own day, some late, few early."""
    return st.builds(
        Event,
        day=st.sampled_from([dump, dump, dump, dump, dump - 1, dump - 2, dump - 4, dump + 1]),
        time=_TIMES,
        pair=st.one_of(st.sampled_from(_FLOW_PAIRS), st.sampled_from(_ALL_PAIRS)),
        session=st.integers(1, 5),
        user=st.integers(1, 5),
        known=st.sampled_from([False, False, False, True]),
        item=st.integers(1, 3),
        play=st.one_of(st.none(), st.integers(1, 3)),
        initiator=st.sampled_from([None, None, 1, 3, 6]),
        value=st.sampled_from([None, "9", "h", "how"]),
        name=st.sampled_from(["A", "B"]),
        env=st.sampled_from([0, 0, 0, 1]),
    )


@dataclass(frozen=True)
class Flow:
    """A flow of the content catalogue; its steps are ui (u) or flow (f) steps."""

    item: int
    kinds: str
    automation: bool
    name: str
    leads_to: int | None

    @property
    def record(self) -> Record:
        """It as a line of the catalogue."""
        return {
            "system_id": SYSTEM,
            "item_id": str(self.item),
            "item_type": "Smart Walk-Thru",
            "name": self.name,
            "publish_status": "published",
            "run_as_automation_process": self.automation,
            "has_autoplay_rule": True,
            "connects_to": [] if self.leads_to is None else [str(self.leads_to)],
            "steps": [
                {
                    "step_id": str(10 * (position + 1) + self.item),  # a step has one flow
                    "position": position + 1,
                    "name": f"step {position + 1}",
                    "kind": "ui" if kind == "u" else "flow",
                    "is_terminal": position + 1 == len(self.kinds),
                }
                for position, kind in enumerate(self.kinds)
            ],
        }


def flows() -> st.SearchStrategy[list[Flow]]:
    """A content catalogue."""
    flow = st.builds(
        Flow,
        item=st.integers(1, 3),
        kinds=st.sampled_from(["", "u", "f", "uu", "uf", "fff"]),
        automation=st.booleans(),
        name=st.sampled_from(["A", "C"]),
        leads_to=st.one_of(st.none(), st.integers(1, 3)),
    )
    return st.lists(flow, max_size=3, unique_by=lambda flow: flow.item)
