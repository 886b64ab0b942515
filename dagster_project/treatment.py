"""What is done to the values of events before the lake has them, by the policies of personal data.

The policies stand in the seed `personal_data_policies`, one row for each kind of personal data:

    keep                   the value as it came
    pseudonym              a keyed hash in its place, equal for equal values
    pseudonym per system   the same, and another one in each WalkMe system
    numbers                of typed texts: a short whole number as it came, `(text)` for any other
    host only              of pages: the host, and no path
    drop                   nothing; of the id of an end user, one that is good for one session

As soon as one says anything but `keep`, lines that are no events keep their place, their reason and
the names of their columns. Keys of events are keyed hashes then: from a plain hash, one of a few
users could be guessed. Text of SQL and pure functions only; `ingest.classification` has the place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb

from dagster_project.forgotten import (
    SHORTEST_MENTION,
    People,
    Request,
    digest_of,
    has_to_be_read_again,
    refusal_of,
)
from dagster_project.keyed_hash import (
    Key,
    KeyRefusedError,
    check_key,
    hash_sql,
    key_refusal,
    note_key,
)
from dagster_project.quoting import literal

KEEP = "keep"
SEED = "personal_data_policies"
_PURPOSE = f"a policy of the seed {SEED}"
_PSEUDONYMS = ("pseudonym", "pseudonym per system")
_ANY = (KEEP, *_PSEUDONYMS, "drop")
_TEXT = (KEEP, *_PSEUDONYMS, "numbers", "drop")
_SEPARATOR = "\x1f"
_DIGITS = 32  # of a hash; twice as many are of no use, and every event has several
_MARK_DIGITS = 8
PSEUDONYM_LENGTH = len("p-") + _DIGITS

_TREATMENT_VERSION = 1
"""Raise it with every change to what a policy does: under one, all dumps are then read again."""

NOT_A_NUMBER = "(text)"
"""What stands for an answer that is no number: it says that there was one."""


class PolicyError(ValueError):
    """A policy that cannot be followed; the message names the file, the line and what would do."""


_SEARCHES = (("WidgetSearch", "Search"), ("ActionBot", "Conversation Search"))

TYPED_TEXTS: Mapping[str, Mapping[str, tuple[tuple[str, str], ...]]] = {
    "survey_answers": {"value": (("Survey Question", "Submitted"), ("Survey", "Submitted"))},
    "quiz_answers": {
        "value": (("TeachMe Quiz Question", "Submitted"), ("TeachMe Quiz", "Submitted"))
    },
    "search_terms": {
        "value": (*_SEARCHES, ("WidgetSearch", "Click")),
        "item_name": _SEARCHES,  # where `fct_searches` looks for a term that is no value
    },
    "chat_texts": {
        "value": (
            ("ActionBot", "End User Engaged"),
            ("ActionBot Node", "Conversation Question Answered"),
        )
    },
}
"""Typed texts that have a policy of their own, by the column of the events that they stand in, and
the item types and events that have them. The kind `value` is about the value of all others."""

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "occurred_at": (KEEP,),  # sessions, dates and the order of events hang on it
    "session_id": (KEEP, *_PSEUDONYMS),
    "end_user_id": _ANY,
    "play_id": _ANY,
    "interaction_guid": _ANY,
    "visit_id": _ANY,
    "page_path": (KEEP, "host only", "drop"),
    "page_title": _ANY,
    "browser": _ANY,
    "os": _ANY,
    "is_mobile": (KEEP, "drop"),
    "utc_offset_minutes": (KEEP, "drop"),
    "language": _ANY,
    "user_name": _ANY,
    "user_role": _ANY,
    "user_type": _ANY,
    "user_status": _ANY,
    "user_info": _ANY,
    "value": _TEXT,
    **dict.fromkeys(TYPED_TEXTS, _TEXT),
}
"""Every kind of personal data in the events, and the policies that it can have."""


@dataclass(frozen=True)
class Treatment:
    """What is done to the values of events.

    Attributes:
        policies: kind of personal data and policy, where that is not `keep`.
        patterns: how ids of people look who are not logged in, from the seed `anonymous_ids`.
        key: that of the installation; None where it is not known.
        fingerprint: of the key that the home knows; pseudonyms are other ones with another key.
        requests: who is forgotten; events of theirs are treated by `FORGOTTEN` as well.
    """

    policies: tuple[tuple[str, str], ...] = ()
    patterns: tuple[str, ...] = ()
    key: Key | None = field(default=None, repr=False, compare=False)
    fingerprint: str = ""
    requests: tuple[Request, ...] = ()

    @property
    def forgets(self) -> bool:
        """Whether anybody is forgotten."""
        return bool(self.requests)

    @cached_property
    def people(self) -> People:
        """Who knows the forgotten ones.

        Raises:
            ValueError: there is no key.
        """
        if self.key is None:
            raise ValueError("people who are forgotten, and no key to know them by")
        return People(self.requests, self.key)

    def forgotten_by(self, known: int) -> str:
        """Changes with the rows of a dump in which somebody was forgotten.

        Args:
            known: how many requests there were when it was read.
        """
        return digest_of(self.requests[:known], self.patterns)

    def is_pending(self, day: date, *, known: int, forgotten_by: str) -> bool:
        """Whether a dump in the lake has to be read again for what is to be forgotten.

        Args:
            day: of the dump.
            known: how many requests there were when it was read.
            forgotten_by: `forgotten_by` then, where it held somebody; otherwise empty.
        """
        return has_to_be_read_again(day, known, self.requests) or (
            forgotten_by not in ("", self.forgotten_by(known))
        )

    @property
    def is_needed(self) -> bool:
        """Whether anything is done to the lines of everybody."""
        return bool(self.policies)

    @property
    def needs_key(self) -> bool:
        """Whether anything is done at all."""
        return self.is_needed or self.forgets

    @property
    def digest(self) -> str:
        """Changes whenever a value could be treated differently; empty where nothing is done."""
        if not self.is_needed:
            return ""
        content = [_TREATMENT_VERSION, self.policies, self.patterns, self.fingerprint]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    def of(self, kind: str) -> str:
        """The policy of a kind of personal data."""
        return dict(self.policies).get(kind, KEEP)

    def check(self, home: Path) -> None:
        """Refuse another key than that of the home: with two, one person would be two.

        Raises:
            KeyRefusedError: it is another one, or there is none.
            OSError: the fingerprint cannot be read or written.
        """
        if self.needs_key:
            if refusal := self._refusal_of_forgotten():
                raise KeyRefusedError(refusal)
            check_key(home, self.key, purpose=self._purpose)
        elif self.key is not None:  # nothing needs it yet, and later another one is a mistake
            note_key(home, self.key)

    def refusal(self, home: Path) -> str | None:
        """Why `check` would refuse the key; nothing is written.

        Raises:
            OSError: the fingerprint cannot be read.
        """
        if not self.needs_key:
            return None
        return self._refusal_of_forgotten() or key_refusal(home, self.key, purpose=self._purpose)

    def _refusal_of_forgotten(self) -> str | None:
        return refusal_of(self.key, self.requests) if self.key is not None else None

    @property
    def _purpose(self) -> str:
        return _PURPOSE if self.is_needed else PURPOSE_OF_FORGETTING

    def give_to(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let the SQL of the treatment run on a connection."""
        if self.needs_key and self.key is not None:
            self.key.give_to(connection)
            if self.forgets:
                self.people.give_to(connection)

    def hashed(self, purpose: str, *columns: str) -> str:
        """SQL for a keyed hash of columns, which may be null."""
        texts = ", ".join(f"{column}::varchar" for column in columns)
        return _hashed(f"{literal(purpose + _SEPARATOR)} || json_array({texts})::varchar")

    def key_of(self, identity: str) -> str:
        """SQL for the key of an event, given the text of its identity."""
        return _hashed(f"{literal('event_key' + _SEPARATOR)} || {identity}")

    def pseudonyms_of(self, end_user_id: str, systems: Sequence[str]) -> list[str]:
        """How the ids that stand for an end user begin, `PSEUDONYM_LENGTH` characters.

        Args:
            end_user_id: as it came.
            systems: each may have its own.
        """
        policy = self.of("end_user_id")
        if policy not in _PSEUDONYMS or self.key is None:
            return []
        return [
            _pseudonym(self.key, "end_user_id", end_user_id, system=system)
            for system in (systems if policy == "pseudonym per system" else [""])
        ]

    def expressions(self) -> dict[str, str]:
        """SQL for each column of an event that is not written as it came."""
        policies = dict(self.policies)
        changed = {
            column: _by_policy(column, policy)
            for column, policy in self.policies
            if column not in ("end_user_id", "page_path", "value", *TYPED_TEXTS)
        }
        if "end_user_id" in policies:
            changed["end_user_id"] = self._end_user_id(policies["end_user_id"])
        if "page_path" in policies:
            changed["page_path"] = _NOTHING
            changed["page_host"] = _HOST if policies["page_path"] == "host only" else _NOTHING
        for column in ("value", "item_name"):
            if expression := _typed_text(column, policies):
                changed[column] = expression
        return changed

    def expressions_of_forgotten(self) -> dict[str, str]:
        """SQL for each column of a forgotten person's event that is not written as it came."""
        own = Treatment(tuple(FORGOTTEN.items())).expressions()
        # What could be found in two sessions gets another name in each.
        own |= {column: of_session(column) for column in _ACROSS_SESSIONS}
        hidden = of_session("session_id")
        own["session_id"] = f"case when {_HAS_OWN_ID} then {hidden} else session_id end"
        own["end_user_id"] = self._with_marks(
            _pseudonym_sql("forgotten", "end_user_id", "system_id", "environment", "session_id")
        )
        return own

    def _end_user_id(self, policy: str) -> str:
        """SQL for the id of an end user; it ends with marks of patterns that it was like."""
        if policy == "drop":
            hashed = _pseudonym_sql("session", "system_id", "environment", "session_id")
        else:
            hashed = _by_policy("end_user_id", policy)
        return self._with_marks(hashed)

    def _with_marks(self, hashed: str) -> str:
        marks = (
            f" || case when end_user_id like {literal(pattern)} then {literal(mark_of(pattern))}"
            " else '' end"
            for pattern in self.patterns
        )
        return hashed + "".join(marks)


UNTREATED = Treatment()
PURPOSE_OF_FORGETTING = "knowing who is forgotten"
FORGOTTEN: Mapping[str, str] = {
    "page_path": "host only",
    "page_title": "drop",
    **dict.fromkeys(("user_name", "user_role", "user_type", "user_status", "user_info"), "drop"),
    **dict.fromkeys(("value", *TYPED_TEXTS), "numbers"),
}
"""What is kept of the events of a forgotten person, beside an id that is good for one session."""

_ACROSS_SESSIONS = ("play_id", "interaction_guid", "visit_id")
_HAS_OWN_ID = f"length(end_user_id) >= {SHORTEST_MENTION} and contains(session_id, end_user_id)"
_NOTHING = "null::varchar"
# A page without a host of its own may have anything in its place.
_HOST = "case when regexp_full_match(page_host, '[^\\s/?#@]+') then page_host end"


def policies_from(rows: Sequence[Mapping[str, str]]) -> tuple[tuple[str, str], ...]:
    """The policies of a seed that are not `keep`, in the order of the kinds.

    Raises:
        PolicyError: one of them cannot be followed.
    """
    found: dict[str, str] = {}
    for line, row in enumerate(rows, start=2):
        kind, policy = (row.get("personal_data") or "").strip(), (row.get("policy") or "").strip()
        where = f"seeds/{SEED}.csv, line {line}"
        if kind not in ALLOWED:
            raise PolicyError(
                f"{where}: {kind!r} is no personal data of the events; there are: "
                f"{', '.join(ALLOWED)}"
            )
        if policy not in ALLOWED[kind]:
            raise PolicyError(
                f"{where}: {kind} cannot be {policy!r}; it can be: {', '.join(ALLOWED[kind])}"
            )
        if kind in found:
            raise PolicyError(f"{where}: {kind} has a policy already; remove one of the two lines")
        found[kind] = policy
    return tuple((kind, found[kind]) for kind in ALLOWED if found.get(kind, KEEP) != KEEP)


def patterns_from(rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """The patterns of the seed `anonymous_ids`, each once and in order."""
    return tuple(sorted({row["end_user_id_pattern"] for row in rows} - {""}))


def mark_of(pattern: str) -> str:
    """What a pseudonym ends with if its id was like a pattern; macro `is_like_id` looks for it."""
    return "." + hashlib.md5(pattern.encode(), usedforsecurity=False).hexdigest()[:_MARK_DIGITS]


def _by_policy(column: str, policy: str) -> str:
    """SQL for a column under a policy that any text may have."""
    if policy == "drop":
        return _NOTHING
    if policy == "numbers":
        number = f"regexp_full_match({column}, '\\s*\"?\\s*\\d{{1,3}}\\s*\"?\\s*')"
        return (
            f"case when {column} is not null and not {number} then {literal(NOT_A_NUMBER)}"
            f" else {column} end"
        )
    if policy in _PSEUDONYMS:
        system = "system_id" if policy == "pseudonym per system" else "''"
        return _pseudonym_sql(column, system, column)
    return column


def _typed_text(column: str, policies: Mapping[str, str]) -> str:
    """SQL for a column that holds what somebody typed in some events; empty if all is kept."""
    rest = policies.get(column, KEEP)
    cases = [
        (places[column], policies.get(name, KEEP))
        for name, places in TYPED_TEXTS.items()
        if column in places
    ]
    if all(policy == rest == KEEP for _, policy in cases):
        return ""
    branches = " ".join(
        f"when {_is_one_of(pairs)} then {_by_policy(column, policy)}" for pairs, policy in cases
    )
    return f"case {branches} else {_by_policy(column, rest)} end"


def _is_one_of(pairs: Sequence[tuple[str, str]]) -> str:
    """SQL for the condition that an event is one of some."""
    return " or ".join(
        f"(item_type = {literal(item_type)} and event = {literal(event)})"
        for item_type, event in pairs
    )


def of_session(column: str) -> str:
    """SQL for a pseudonym of a text that nothing outside of the session has."""
    session = ("system_id", "environment", "session_id")
    return _pseudonym_sql(f"forgotten {column}", column, *session)


def _hashed(text: str) -> str:
    return f"left({hash_sql(text)}, {_DIGITS})"


def _pseudonym_sql(purpose: str, *parts: str) -> str:
    """SQL for a pseudonym of parts; null where one of them is.

    It begins with a letter, or its digits could be taken for a number.
    """
    between = f" || {literal(_SEPARATOR)} || "
    return f"'p-' || {_hashed(between.join([literal(purpose), *parts]))}"


def _pseudonym(key: Key, column: str, text: str, *, system: str) -> str:
    """The pseudonym of a text, as the SQL of `_by_policy` makes it."""
    return "p-" + key.hash(_SEPARATOR.join((column, system, text)))[:_DIGITS]
