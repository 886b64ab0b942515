"""People who are forgotten: what was asked for, and how they are known again without their ids.

`<home>/forgotten.json` lists the requests in their order. A request has the keyed hash of an id and
never the id. It stays for ever: whenever a dump is read, whatever came again, lines of that person
are known by the hash. `treatment` says what is done to them, `ingest.classification` has the place.

The id of a forgotten person may also stand in the lines of others, in the path of a page for
example. So every text is cut at the characters that no id begins or ends with, and what is as long
as a forgotten id is hashed and compared.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, unquote_plus

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType
from duckdb.sqltypes import BIGINT, BOOLEAN, VARCHAR, DuckDBPyType

from dagster_project.keyed_hash import Key
from dagster_project.replacing import replace_text

FILE = "forgotten.json"
SHORTEST_MENTION = 4
"""A shorter id is not looked for in the lines of others: it is a part of too many texts."""

FORGOTTEN_COLUMNS = {
    "request": "bigint",
    "person": "varchar",
    "system_id": "varchar",
    "is_removal": "boolean",
    "asked_at": "timestamp",
    "dumps": "bigint",
    "events": "bigint",
}
"""Columns of what dbt reads of the requests (`raw.forgotten`), and their types."""

UNKNOWN_SYSTEM = "unknown"
_PURPOSE = "forgotten\x1f"
_READINGS = 3  # how often a text is read as if it were written in an escaped form
_REMEMBERED = 200_000  # texts and ids
_LONGEST_REMEMBERED = 500  # characters; longer ones seldom come twice


class RequestsError(RuntimeError):
    """The list of requests cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Request:
    """That a person is to be forgotten.

    Attributes:
        number: its place in the list, from 1 on.
        person: keyed hash of the id.
        length: characters of the id; 0 where it is too short to be looked for in other texts.
        system_id: of the system that it is about; None for all.
        is_removal: whether events of the person are left out, and not only made nobody's.
        asked_at: ISO 8601, UTC.
        key: fingerprint of the key of the hash.
        dumps: those that held the person then; each has to be read again.
        releases: those that showed the person then; they are removed.
        finished_at: when nothing was left to do; None before.
        is_noted_by_dumps: whether the dumps that did not hold the person say so themselves; others
            have to be read again. So it is where other machines take in dumps meanwhile.
    """

    number: int
    person: str
    length: int
    system_id: str | None
    is_removal: bool
    asked_at: str
    key: str = ""
    dumps: tuple[date, ...] = ()
    releases: tuple[str, ...] = ()
    finished_at: str | None = None
    is_noted_by_dumps: bool = False

    def is_about(self, system_id: str | None) -> bool:
        """Whether it is about a system; what is of no known system may be of any."""
        return self.system_id is None or system_id in (self.system_id, None, UNKNOWN_SYSTEM)


def load_requests(home: Path) -> tuple[Request, ...]:
    """All requests, in their order.

    Raises:
        RequestsError: their list cannot be read.
    """
    file = home / FILE
    try:
        return requests_from(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestsError(
            f"{file}: the list of who is forgotten cannot be read ({error}); restore it from a "
            "backup: without it they would come back"
        ) from error


def save_requests(home: Path, requests: Sequence[Request]) -> None:
    """Replace the list of requests in one step."""
    replace_text(home / FILE, text_of(requests))


def requests_from(text: str) -> tuple[Request, ...]:
    """The requests of a list that `text_of` wrote.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    return tuple(map(_request, json.loads(text)))


def text_of(requests: Sequence[Request]) -> str:
    """A list of requests as JSON."""
    return json.dumps([asdict(each) for each in requests], indent=1, default=str)


def digest_of(requests: Sequence[Request], patterns: Sequence[str] = ()) -> str:
    """Changes with what is asked for, not with what was done; empty where nothing is asked for."""
    if not requests:
        return ""
    asked = [[each.person, each.system_id, each.is_removal] for each in requests]
    return hashlib.sha256(json.dumps([asked, patterns]).encode()).hexdigest()[:16]


def is_open(requests: Sequence[Request]) -> bool:
    """Whether anything is left to do for one of them."""
    return any(each.finished_at is None for each in requests)


def refusal_of(key: Key, requests: Sequence[Request]) -> str | None:
    """Why people cannot be known by a key; None where they can."""
    others = {each.key for each in requests} - {key.fingerprint}
    if not others:
        return None
    return (
        f"WALKHOUSE_PERSONAL_KEY has the fingerprint {key.fingerprint}, and people were forgotten "
        f"with the key of fingerprint {min(others)}: set that one, or they would come back"
    )


def has_to_be_read_again(day: date, known: int, requests: Sequence[Request]) -> bool:
    """Whether a dump in the lake holds somebody who was to be forgotten after it was read.

    Args:
        day: of the dump.
        known: how many requests there were when it was read.
        requests: all that there are now.
    """
    return any(day in each.dumps or each.is_noted_by_dumps for each in requests[known:])


@dataclass(frozen=True)
class People:
    """Knows forgotten people by the hashes of their ids.

    Attributes:
        requests: who is forgotten.
        key: that of the installation.
    """

    requests: tuple[Request, ...]
    key: Key = field(repr=False)

    @classmethod
    def asked_for(cls, users: Collection[str], key: Key, *, system_id: str | None = None) -> People:
        """As if these had been asked for, in their order."""
        return cls(
            tuple(
                Request(number, person_of(user, key), length_of(user), system_id, False, "")
                for number, user in enumerate(users, start=1)
            ),
            key,
        )

    def request_of(self, end_user_id: str | None, system_id: str | None) -> int | None:
        """The number of the request that an end user of a system is forgotten by."""
        if not end_user_id:
            return None
        known = self._known_as(end_user_id)
        found = [each for each in known if each.is_about(system_id)]
        # Whoever is to be left out is, whatever else was asked for.
        return (
            min(found, key=lambda each: (not each.is_removal, each.number)).number
            if found
            else None
        )

    def is_mentioned(self, text: str | None, system_id: str | None = None) -> bool:
        """Whether the id of a forgotten person stands in a text."""
        return bool(self.mentioned_in(text, system_id))

    def mentioned_in(self, text: str | None, system_id: str | None = None) -> list[int]:
        """The numbers of the requests for people whose ids stand in a text."""
        if not text or not self._lengths:
            return []
        return [each.number for each in self._mentioned_in(text) if each.is_about(system_id)]

    def give_to(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let SQL ask, by `request_of(end_user_id, system_id)` and `is_mentioned(text, system_id)`.

        All connections to one database have the same functions.
        """
        _create(connection, "request_of", self.request_of, BIGINT, pa.int64())
        _create(connection, "is_mentioned", self.is_mentioned, BOOLEAN, pa.bool_())

    @cached_property
    def _by_person(self) -> Mapping[str, Sequence[Request]]:
        found: dict[str, list[Request]] = {}
        for each in self.requests:
            found.setdefault(each.person, []).append(each)
        return found

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(sorted({each.length for each in self.requests if each.length}))

    @cached_property
    def _known(self) -> dict[str, Sequence[Request]]:
        return {}

    @cached_property
    def _read(self) -> dict[str, Sequence[Request]]:
        return {}

    def _known_as(self, end_user_id: str) -> Sequence[Request]:
        return _remembered(
            self._known,
            end_user_id,
            lambda: self._by_person.get(person_of(end_user_id, self.key), ()),
        )

    def _mentioned_in(self, text: str) -> Sequence[Request]:
        if len(text) > _LONGEST_REMEMBERED:
            return self._search(text)
        return _remembered(self._read, text, lambda: self._search(text))

    def _search(self, text: str) -> Sequence[Request]:
        found: dict[int, Request] = {}
        for reading in _readings(text):
            for each in _parts(reading, self._lengths):
                for request in self._known_as(each):
                    if request.length:
                        found[request.number] = request
        return tuple(found.values())


def person_of(end_user_id: str, key: Key) -> str:
    """The keyed hash by which a person is known."""
    return key.hash(_PURPOSE + end_user_id)


def length_of(end_user_id: str) -> int:
    """How long what is compared has to be; 0 where the id is not looked for in other texts."""
    return len(end_user_id) if len(end_user_id) >= SHORTEST_MENTION else 0


def _request(said: Mapping[str, object]) -> Request:
    dumps, releases = said["dumps"], said["releases"]
    if not isinstance(dumps, list) or not isinstance(releases, list):
        raise TypeError("a request without its dumps and releases")
    return Request(
        **{
            **said,
            "dumps": tuple(map(date.fromisoformat, dumps)),
            "releases": tuple(releases),
        }  # type: ignore[arg-type]  # a wrong one raises TypeError, which the caller explains
    )


def _remembered(
    memory: dict[str, Sequence[Request]], text: str, answer: Callable[[], Sequence[Request]]
) -> Sequence[Request]:
    """The answer for a text; most come many times. Threads may find out the same at once."""
    found = memory.get(text)
    if found is None:
        if len(memory) >= _REMEMBERED:
            memory.clear()
        found = memory[text] = answer()
    return found


def _create(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    answer: Callable[[str | None, str | None], object],
    sql_type: DuckDBPyType,
    arrow_type: pa.DataType,
) -> None:
    """Let SQL call a function of two texts by a name."""
    with suppress(duckdb.InvalidInputException):  # it has none yet
        connection.remove_function(name)
    with suppress(duckdb.CatalogException):  # another connection to the database has it
        connection.create_function(
            name,
            _vectorised(answer, arrow_type),
            [VARCHAR, VARCHAR],
            sql_type,
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )


def _vectorised(
    answer: Callable[[str | None, str | None], object], data_type: pa.DataType
) -> Callable[[pa.Array, pa.Array], pa.Array]:
    """A function of two texts for columns of them."""

    def of_columns(texts: pa.Array, systems: pa.Array) -> pa.Array:
        pairs = zip(texts.to_pylist(), systems.to_pylist(), strict=True)
        return pa.array([answer(text, system) for text, system in pairs], data_type)

    return of_columns


# ---------- Texts, cut where an id can begin or end

# Letters and digits, signs within ids, emoji and what joins them.
_RUN = re.compile("[\\w.@+\\-\u200d\ufe0f\u2600-\u27bf\U0001f000-\U0001faff]+")
_SIGNS = ".@+-"  # they stand within ids; at the ends of a run they may be those of a sentence
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_IS_ESCAPED = re.compile(r"[%\\&+\x00\x80-\U0010ffff]")


def _parts(text: str, lengths: Sequence[int]) -> list[str]:
    """The parts of a text that are as long as an id can be and could be one."""
    starts: list[int] = []
    ends: set[int] = set()
    place = 0
    for run in [*(found.span() for found in _RUN.finditer(text)), (len(text), len(text))]:
        first, last = run
        starts += range(place, first)
        ends.update(range(place + 1, first + 1))
        word = text[first:last]
        starts += {first, last - len(word.lstrip(_SIGNS))}
        ends |= {last, first + len(word.rstrip(_SIGNS))}
        place = last
    return [
        text[start : start + length]
        for start in starts
        for length in lengths
        if start + length in ends
    ]


def _readings(text: str) -> set[str]:
    """A text as it stands, and as it is read where it is escaped: in a URL, JSON or HTML."""
    found = {text}
    if not _IS_ESCAPED.search(text):
        return found
    for _ in range(_READINGS):
        more = {read(each) for each in found for read in _READERS} - found
        if not more:
            break
        found |= more
    return found


def _unescaped(text: str) -> str:
    """A text without the backslashes of JSON."""
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


_READERS: Sequence[Callable[[str], str]] = (
    _unescaped,
    unquote,
    unquote_plus,
    html.unescape,
    lambda text: unicodedata.normalize("NFC", text),
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: text.replace("\0", ""),
)
