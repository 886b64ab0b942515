"""The rows of a Parquet file as text, column by column, whatever types the columns have.

A whole number is the same text in every type, NaN and NaT are null. A value that is no text in
UTF-8 spoils its row and no other.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from dagster_project.ingest.envelopes import TABULAR_COLUMNS

_ROWS_AT_ONCE = 150_000
_MS = {"s": (1_000, 1), "ms": (1, 1), "us": (1, 1_000), "ns": (1, 1_000_000)}
_DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Between these, a number is understood as milliseconds (`getting-data-in.md`, "bad_timestamp").
_LEAST_MS, _MOST_MS = 10**11, 10**14
_LARGEST_WHOLE = 2.0**63
_ZEROS = r"\.0*$"


@dataclass(frozen=True)
class ParquetRows:
    """Some rows of a file.

    Attributes:
        first_row: number of the first of them, counted from 1.
        texts: by column of the tabular form that the file has.
        problems: by place among these rows, what is wrong with a malformed one.
        batch: the same rows as they are in the file.
    """

    first_row: int
    texts: dict[str, pa.Array]
    problems: dict[int, str]
    batch: pa.RecordBatch


def columns_of(path: Path) -> tuple[str, ...]:
    """Names of the columns of a Parquet file, in order.

    Raises:
        pa.ArrowException, OSError: it cannot be read.
    """
    return tuple(pq.read_schema(path).names)


def rows_of(path: Path) -> Iterator[ParquetRows]:
    """The rows of a Parquet file, some at a time; none where it has no columns.

    No column is read that is not one of the tabular form.

    Raises:
        pa.ArrowException, OSError, ValueError: it cannot be read, or not any further.
    """
    with pq.ParquetFile(path, coerce_int96_timestamp_unit="us") as file:
        if not file.schema_arrow.names:
            return
        names = [name for name in file.schema_arrow.names if column_of(name) is not None]
        first_row = 1
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=names, use_threads=False):
            texts: dict[str, pa.Array] = {}
            problems: dict[int, str] = {}
            for name, values in zip(batch.schema.names, batch.columns, strict=True):
                if (column := column_of(name)) is None:
                    continue
                texts[column], bad = _as_text(values)
                for place, problem in bad.items():
                    problems.setdefault(place, f"{column}: {problem}")
            yield ParquetRows(first_row, texts, problems, batch)
            first_row += batch.num_rows


def whole_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The same rows with all columns, also unknown ones, as far as these can be read."""
    if all(column_of(name) is not None for name in columns):
        return
    with (
        suppress(pa.ArrowException, OSError, ValueError),
        pq.ParquetFile(path, coerce_int96_timestamp_unit="us") as file,
    ):
        yield from file.iter_batches(_ROWS_AT_ONCE)


def column_of(name: str) -> str | None:
    """The column of the tabular form that is called so."""
    column = name.strip().lower()
    return column if column in _COLUMNS else None


def row_as_json(batch: pa.RecordBatch, place: int) -> str:
    """One row as JSON, as far as its values can be shown."""
    shown = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            value = _shown(column[place].as_py())
            json.dumps(value, allow_nan=False).encode()
        except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
            value = f"({error})"
        if value is not None:
            shown[name] = value
    return json.dumps(shown, ensure_ascii=False).encode("utf-8", "replace").decode()


def _as_text(values: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """The values of a column as text, and by place what is wrong with those that cannot be."""
    try:
        text = _quickly(values)
        text.validate(full=True)
    except (pa.ArrowException, ValueError, OverflowError, TypeError):
        return _one_by_one(values)
    return text, {}


def _quickly(values: pa.Array) -> pa.Array:
    """Raises `pa.ArrowException` or `ValueError` where a value, or the type, does not allow it."""
    kind = values.type
    if isinstance(values, pa.ExtensionArray):
        raise TypeError("of a type that is taken one by one")
    if pa.types.is_dictionary(kind):
        return _quickly(values.dictionary_decode())
    if pa.types.is_string(kind):
        return values
    if pa.types.is_null(kind):
        return pa.nulls(len(values), pa.string())
    if pa.types.is_floating(kind):
        return _floats(values.cast(pa.float64()))
    if pa.types.is_decimal(kind):
        return pc.replace_substring_regex(values.cast(pa.string()), _ZEROS, "")
    if pa.types.is_timestamp(kind):
        return _milliseconds(values.view(pa.int64()), *_MS[kind.unit])
    if pa.types.is_date32(kind):
        return _milliseconds(values.view(pa.int32()).cast(pa.int64()), _DAY_MS, 1)
    if pa.types.is_date64(kind):
        return _milliseconds(values.view(pa.int64()), 1, 1)
    if pa.types.is_nested(kind):
        raise TypeError("of a type that is taken one by one")
    return values.cast(pa.string())


def _floats(values: pa.Array) -> pa.Array:
    numbers = values.to_numpy(zero_copy_only=False)
    whole = np.isfinite(numbers) & (np.abs(numbers) < _LARGEST_WHOLE)
    whole &= np.trunc(np.where(whole, numbers, 0.5)) == numbers
    is_null = np.isnan(numbers)
    as_whole = pa.array(np.where(whole, numbers, 0).astype(np.int64)).cast(pa.string())
    text = pc.if_else(pa.array(whole), as_whole, values.cast(pa.string()))
    return pc.if_else(pa.array(is_null), pa.scalar(None, pa.string()), text)


def _milliseconds(values: pa.Array, times: int, divided_by: int) -> pa.Array:
    """Times as milliseconds since 1970; those that would be taken for another unit as ISO 8601."""
    is_null = values.is_null().to_numpy(zero_copy_only=False)
    numbers = values.fill_null(0).to_numpy(zero_copy_only=False)
    most = _MOST_MS * divided_by // times
    is_usual = np.abs(numbers // 2) < most // 2
    ms = np.where(is_usual, numbers, 0) * times // divided_by
    is_usual &= (np.abs(ms) >= _LEAST_MS) | is_null
    text = pa.array(ms).cast(pa.string())
    if not is_usual.all():
        written = [
            None if usual else _iso(int(number) * times // divided_by)
            for usual, number in zip(is_usual, numbers, strict=True)
        ]
        text = pc.if_else(pa.array(is_usual), text, pa.array(written, pa.string()))
    return pc.if_else(pa.array(is_null), pa.scalar(None, pa.string()), text)


def _iso(ms: int) -> str:
    try:
        return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")
    except OverflowError:
        return f"{ms} ms since 1970, which no calendar has"


def _one_by_one(values: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    texts: list[str | None] = []
    problems: dict[int, str] = {}
    for place in range(len(values)):
        try:
            text = _text_of(values[place])
            if text is not None:
                text.encode("utf-8")
            texts.append(text)
        except UnicodeError:
            texts.append(None)
            problems[place] = "not UTF-8"
        except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
            texts.append(None)
            problems[place] = f"cannot be read ({error})"
    return pa.array(texts, pa.string()), problems


def _text_of(scalar: pa.Scalar) -> str | None:
    if not scalar.is_valid:
        return None
    kind = scalar.type
    if pa.types.is_timestamp(kind):
        times, divided_by = _MS[kind.unit]
        ms = scalar.value * times // divided_by
        return str(ms) if _LEAST_MS <= abs(ms) < _MOST_MS else _iso(ms)
    value = scalar.as_py()
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        if math.isnan(value):
            return None
        is_whole = math.isfinite(value) and value.is_integer() and abs(value) < _LARGEST_WHOLE
        return str(int(value)) if is_whole else repr(value)
    if isinstance(value, date):
        return _iso(((value - _EPOCH.date()).days) * _DAY_MS)
    if isinstance(value, list | dict | tuple):
        return json.dumps(_shown(value), ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _shown(value: Any) -> Any:
    """A value as JSON can show it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): _shown(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(each) for each in value]
    return value if value is None or isinstance(value, str | bool | int) else str(value)


_COLUMNS = frozenset(TABULAR_COLUMNS)
