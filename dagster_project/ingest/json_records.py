"""The records of a JSON file: one a line, several in a line, over several lines, or in an array.

This is what JSON means here, and it is what the standard says: NaN, Infinity, comments and trailing
commas are malformed, and of equal keys the last counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from dagster_project.ingest.compression import Damage

_BLANK = " \t\r\n"
_MOST_LINES = 10_000
_MOST_CHARACTERS = 1 << 24
_LONGEST_TOKEN = 16  # characters, of those that are no strings or numbers
_TOO_DEEP = "JSON that is nested too deeply"

_blank = re.compile(r"[ \t\r\n]*")
_blank_in_line = re.compile(r"[ \t\r]*")
_bad_bytes = re.compile("[\udc80-\udcff]")
_half_characters = re.compile("[\ud800-\udfff]")
_array_start = re.compile(rb"[ \t\r\n]*\[[ \t\r\n]*(?:\{|\][ \t\r\n]*\Z)")
# Where the next record of an array may begin after one that cannot be read.
_next_in_array = re.compile(r"\}\s*,\s*(?=\{)|\n[ \t\r]*(?=\{)")


@dataclass(frozen=True)
class Found:
    r"""One record, or what stands where one should.

    Attributes:
        text: as it stands in the file; bytes that are no UTF-8 are written as ``\xNN``.
        value: the object; None where it is malformed.
        problem: what is wrong with a malformed record.
    """

    text: str
    value: dict[str, Any] | None
    problem: str | None = None


class Exponent(float):
    """A number that is written with an exponent; `written` is how."""

    written: str


class _ConstantError(ValueError):
    """NaN or Infinity, which Python reads and JSON does not have."""


class _IncompleteError(Exception):
    """The text ends before the record does."""


def begins_an_array(head: bytes) -> bool:
    """Whether a file that begins so is one array of objects."""
    return _array_start.match(head) is not None


def parsed(text: str) -> dict[str, Any]:
    """The one object in a text.

    Raises:
        ValueError: it is not JSON, or not one object.
        RecursionError: it is nested too deeply for Python.
    """
    start = _end_of(_blank, text, 0)
    value, end = _decoded(text, start)
    if _end_of(_blank, text, end) != len(text):
        raise ValueError("something follows the object")
    return _object(value)


def records_in_lines(
    lines: Sequence[bytes], start: int, *, is_last: bool
) -> tuple[list[Found], int] | None:
    """The records that begin in a line, and the number of the line after their last one.

    A record that does not end properly costs its first line only.

    Args:
        lines: the lines of a file that are at hand.
        start: index of the line to begin with.
        is_last: whether the file ends with these lines.

    Returns:
        None where the answer depends on lines that are not at hand.
    """
    text = _text(lines[start])
    found: list[Found] = []
    end, position = start + 1, _end_of(_blank, text, 0)
    while position < len(text):
        try:
            record, position = _record_in_line(text, position)
        except _IncompleteError as incomplete:
            taken = text.count("\n", position) + 1
            may_go_on = taken < _MOST_LINES and len(text) - position < _MOST_CHARACTERS
            if may_go_on and end == len(lines) and not is_last:
                return None
            more = lines[end : end + taken] if may_go_on else []
            if more:
                text = "\n".join((text, *map(_text, more)))
                end += len(more)
                continue
            record, position = _rest_of_line(text, position, str(incomplete))
        found.append(record)
        position = _end_of(_blank, text, position)
    return found, end


def records_in_array(chunks: Iterable[bytes], damage: Damage) -> Iterator[Found]:
    """The records of a file that is one array, or several; what stands between them is malformed.

    An array that does not end is told in `damage`.
    """
    source = _Text(chunks)
    due = "["
    while source.skip_blank():
        sign = source.text[source.position]
        if sign == "{" and due != "[":
            yield source.record()
            due = ",]"
        elif sign in due:
            source.position += 1
            due = {"[": "{]", ",": "{", "]": "["}[sign]
        elif sign == "]":
            source.position += 1
            yield Found(sign, None, "not JSON: nothing stands before this bracket")
            due = "["
        else:
            yield source.unexpected()
            due = "{,]"
    if due != "[" and damage.text is None:
        damage.text = "the array does not end"


class _Text:
    """The text of chunks, at hand from a position on; bad bytes are lone surrogates in it."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = b""
        self.text = ""
        self.position = 0

    def skip_blank(self) -> bool:
        """Go to what is not blank; false at the end."""
        while True:
            self.position = _end_of(_blank, self.text, self.position)
            if self.position < len(self.text):
                return True
            if not self._fetch():
                return False

    def record(self) -> Found:
        """Read the object at the position and go behind it."""
        while True:
            try:
                value, end = _decoded(self.text, self.position)
            except (ValueError, RecursionError) as error:
                length = len(self.text) - self.position
                may_go_on = length < _MOST_CHARACTERS and _may_go_on(error, len(self.text))
                if may_go_on and self._fetch(length):
                    continue
                return self._give_up(f"not JSON: {_said(error)}")
            text = self.text[self.position : end]
            self.position = end
            return _malformed(text) if _bad_bytes.search(text) else Found(text, _object(value))

    def unexpected(self) -> Found:
        """Read what is no record, up to the next thing that may be one."""
        return self._give_up("neither a record nor what stands between the records of an array")

    def _give_up(self, problem: str) -> Found:
        while True:
            match = _next_in_array.search(self.text, self.position + 1)
            if match is not None or not self._fetch(len(self.text) - self.position):
                break
        if match is None:
            end = resume = len(self.text)
        else:
            end, resume = match.start() + match.group().startswith("}"), match.end()
        text = self.text[self.position : end]
        self.position = resume
        return _malformed(text, problem)

    def _fetch(self, at_least: int = 1) -> bool:
        """Have more text at hand, and forget what lies before the position; false at the end."""
        more: list[bytes] = []
        size = 0
        while size < at_least and (chunk := next(self._chunks, None)) is not None:
            more.append(chunk)
            size += len(chunk)
        data = self._left + b"".join(more)
        if not data:
            return False
        cut = len(data) if not size else _end_of_characters(data)
        self._left = data[cut:]
        self.text = self.text[self.position :] + data[:cut].decode("utf-8", "surrogateescape")
        self.position = 0
        return True


def without_halves(value: Any) -> Any:
    """A value of JSON with U+FFFD in the place of each half of a surrogate pair."""
    if isinstance(value, str):
        return value if value.isascii() else _half_characters.sub("\ufffd", value)
    if isinstance(value, dict):
        return {without_halves(key): without_halves(each) for key, each in value.items()}
    if isinstance(value, list):
        return [without_halves(each) for each in value]
    return value


def utf8(line: bytes) -> str | None:
    """A line as text; None where it is not UTF-8."""
    try:
        return line.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return None


def readable(line: bytes) -> str:
    """A line as text, with the bytes written out that are no UTF-8."""
    return line.decode("utf-8", errors="backslashreplace")


def not_utf8(line: bytes) -> str:
    """Why a line is not UTF-8."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        found = line[error.start : error.start + 1].hex()
        return f"not UTF-8: {error.reason} (0x{found}, byte {error.start + 1} of the line)"
    return "not UTF-8"


def _record_in_line(text: str, start: int) -> tuple[Found, int]:
    """The record that begins at a position of lines, and the position behind it.

    Raises:
        _IncompleteError: the text ends before the record does.
    """
    if text[start] != "{":
        return _rest_of_line(text, start, "not a JSON object")
    try:
        value, end = _decoded(text, start)
    except RecursionError:
        return _rest_of_line(text, start, _TOO_DEEP)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip(_BLANK)):
            raise _IncompleteError(f"not JSON: {_said(error)}") from error
        return _rest_of_line(text, start, f"not JSON: {_said(error)}")
    except ValueError as error:
        return _rest_of_line(text, start, f"not JSON: {error}")
    behind = _end_of(_blank_in_line, text, end)
    if behind < len(text) and text[behind] not in "\n{":
        return _rest_of_line(text, start, "not JSON: something follows the object")
    if _bad_bytes.search(text, start, end):
        if "\n" in text[start:end]:
            return _rest_of_line(text, start, "not JSON: it goes on in bytes that are no UTF-8")
        return _malformed(text[start:end]), end
    return Found(text[start:end], _object(value)), end


def _may_go_on(error: Exception, length: int) -> bool:
    """Whether a text of that length is perhaps only cut off."""
    if not isinstance(error, json.JSONDecodeError):
        return False
    return error.msg.startswith("Unterminated") or error.pos > length - _LONGEST_TOKEN


def _rest_of_line(text: str, start: int, problem: str) -> tuple[Found, int]:
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    return _malformed(text[start:end], problem), end


def _malformed(text: str, problem: str = "not UTF-8") -> Found:
    """What is no record; bad bytes are what is wrong with it, if there are any."""
    text = text.strip(_BLANK)
    if _bad_bytes.search(text):
        data = text.encode("utf-8", "surrogateescape")
        return Found(readable(data), None, not_utf8(data))
    return Found(text, None, problem)


def _text(line: bytes) -> str:
    """A line as text; bad bytes are lone surrogates in it."""
    return line.decode("utf-8", "surrogateescape").removesuffix("\n").removeprefix("\ufeff")


def _decoded(text: str, start: int) -> tuple[Any, int]:
    """The JSON value at a position, and the position behind it.

    Raises:
        ValueError: there is none; a `JSONDecodeError` where the syntax is at fault.
        RecursionError: it is nested too deeply for Python.
    """
    try:
        return _decoder.raw_decode(text, start)
    except (json.JSONDecodeError, _ConstantError):
        raise
    except ValueError:  # a whole number of more digits than Python reads
        return _decoder_of_long_numbers.raw_decode(text, start)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("JSON, but not an object")
    return value


def _said(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[0].lower()}{error.msg[1:]}"
    return str(error)


def _number(written: str) -> float | str:
    if "e" not in written and "E" not in written:
        return float(written)
    number = Exponent(written)
    number.written = written
    return written if number in (float("inf"), float("-inf")) else number


def _no_constant(name: str) -> NoReturn:
    raise _ConstantError(f"{name} is no JSON")


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _end_of_characters(data: bytes) -> int:
    """Where to cut bytes so that no character of UTF-8 is cut."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if length > back else len(data)
    return len(data)


_decoder = json.JSONDecoder(parse_float=_number, parse_constant=_no_constant)
_decoder_of_long_numbers = json.JSONDecoder(
    parse_float=_number,
    parse_constant=_no_constant,
    parse_int=lambda written: int(written) if len(written) < 4_000 else written,
)
