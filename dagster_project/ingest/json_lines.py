"""The lines of JSON files that are at hand, and which of them are one plain record each."""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, overload

import numpy as np
import pyarrow as pa

from dagster_project.ingest.blocks import Places, is_utf8, line_ends
from dagster_project.ingest.classification import (
    folder_names,
    shape_is_documented,
    shape_is_plain,
)
from dagster_project.ingest.envelopes import Form
from dagster_project.ingest.json_records import Found, records_in_lines, utf8

Shapes = np.ndarray[Any, np.dtype[np.uint64]]

NO_ROW = 0
BLOCK_BYTES = 8 * 1024 * 1024  # some thousands of lines, which DuckDB takes 2,048 at a time
_CHUNK_ROWS = 8_192  # so many does one thread of DuckDB take at a time
_LINES_AT_ONCE = 100  # of which one is no UTF-8
_LARGEST_OFFSET = 2**31 - 1  # of a text in one of Arrow's usual arrays


@dataclass(frozen=True)
class Shape:
    """The sets of keys of a line.

    Attributes:
        keys: them, where not all are documented.
        is_plain: whether every reader understands them alike.
    """

    keys: str | None
    is_plain: bool

    @classmethod
    def of(cls, form: Form, keys: str) -> Shape:
        """The shape of a line with these keys, as `keys_of` tells them."""
        return cls(
            keys=None if shape_is_documented(form, keys) else keys,
            is_plain=shape_is_plain(form, keys),
        )


@dataclass(frozen=True)
class Block:
    """Some lines of a file.

    Attributes:
        data: them as UTF-8, each with its end.
        ends: by line, the place behind it.
        undecodable: by number from 0, lines that are no UTF-8; a sign stands in their place.
    """

    data: bytes
    ends: Places
    undecodable: Mapping[int, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, data: bytes) -> Block:
        """The block with these lines; the last one may be without its end."""
        if not data.endswith(b"\n"):
            data += b"\n"
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        ends = line_ends(data)
        return cls(data, ends) if is_utf8(data) else cls._replacing_bytes(data, ends)

    @classmethod
    def _replacing_bytes(cls, data: bytes, ends: Places) -> Block:
        undecodable: dict[int, bytes] = {}
        pieces = []
        start = 0
        for first in range(0, len(ends), _LINES_AT_ONCE):
            end = int(ends[first : first + _LINES_AT_ONCE][-1])
            piece = data[start:end]
            start = end
            if not is_utf8(piece):
                lines = piece.split(b"\n")
                for number, line in enumerate(lines):
                    if not line.isascii() and utf8(line) is None:
                        undecodable[first + number] = line
                        lines[number] = b"?"
                piece = b"\n".join(lines)
            pieces.append(piece)
        data = b"".join(pieces)
        return cls(data, line_ends(data), undecodable)

    @classmethod
    def joined(cls, blocks: Sequence[Block]) -> Block:
        """One block with the lines of some."""
        if len(blocks) == 1:
            return blocks[0]
        ends: list[Places] = []
        undecodable: dict[int, bytes] = {}
        size = lines = 0
        for block in blocks:
            ends.append(block.ends + size)
            undecodable |= {lines + number: line for number, line in block.undecodable.items()}
            size += len(block.data)
            lines += len(block)
        return cls(b"".join(block.data for block in blocks), np.concatenate(ends), undecodable)

    def __len__(self) -> int:
        return len(self.ends)

    def line(self, number: int) -> bytes:
        """A line without its end, as it stands in the file."""
        if number in self.undecodable:
            return self.undecodable[number]
        start = self.ends[number - 1] if number else 0
        return self.data[start : self.ends[number] - 1]

    def array(self, kind: pa.DataType, is_valid: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.Array:
        """The lines with their ends; null where they are not valid."""
        offsets = np.zeros(len(self) + 1, dtype=np.int32 if kind == pa.string() else np.int64)
        offsets[1:] = self.ends
        validity = np.packbits(is_valid, bitorder="little").tobytes()
        buffers = [pa.py_buffer(each) for each in (validity, offsets, self.data)]
        return pa.Array.from_buffers(kind, len(self), buffers)


class Segment:
    """Lines of one file, and from which row on its records are counted."""

    def __init__(self, name: str, first_row: int = 1) -> None:
        self.name = name
        self.first_row = first_row
        self.is_last = True
        self.size = 0
        self.lines = 0
        self.blocks: list[Block] = []

    def add(self, block: Block) -> None:
        """Add lines."""
        self.blocks.append(block)
        self.size += len(block.data)
        self.lines += len(block)


class _ByPlace(Sequence[bytes]):
    """Lines that are found by their place, one or a slice of them."""

    @overload
    def __getitem__(self, place: int) -> bytes: ...

    @overload
    def __getitem__(self, place: slice) -> list[bytes]: ...

    def __getitem__(self, place: int | slice) -> bytes | list[bytes]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        return self._at(place)

    @abstractmethod
    def _at(self, place: int) -> bytes:
        """One line."""


class Lines(_ByPlace):
    """The lines of segments, and the records in them."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments
        self._blocks = list(_large(block for segment in segments for block in segment.blocks))
        *self._starts_of_blocks, count = _sums(len(block) for block in self._blocks)
        *self._starts, _ = _sums(segment.lines for segment in segments)
        is_large = any(len(block.data) > _LARGEST_OFFSET for block in self._blocks)
        self._type = pa.large_string() if is_large else pa.string()
        self._records_in = np.ones(count, dtype=np.int64)
        self._is_single = np.ones(count, dtype=bool)
        self._rows = np.zeros(count, dtype=np.int64)
        self._shapes: Shapes = np.zeros(count, dtype=np.uint64)
        self._is_plain = self._is_single
        self._aside: list[int] = []
        self.found: list[tuple[str, int, Found]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def _at(self, place: int) -> bytes:
        number = bisect_right(self._starts_of_blocks, place) - 1
        return self._blocks[number].line(place - self._starts_of_blocks[number])

    def table(self) -> pa.Table:
        """All lines, with their ends, by place."""
        lines = self._array(np.ones(len(self), dtype=bool))
        return in_chunks(pa.table({"place": np.arange(len(self)), "line": lines}))

    def _array(self, is_valid: np.ndarray[Any, np.dtype[np.bool_]]) -> pa.ChunkedArray:
        arrays = [
            block.array(self._type, is_valid[start : start + len(block)])
            for block, start in zip(self._blocks, self._starts_of_blocks, strict=True)
        ]
        return pa.chunked_array(arrays, self._type)

    def find_records(self, shapes: Shapes) -> Segment:
        """Find what records there are in the lines that are not surely one each.

        Args:
            shapes: by line, as `look_at_lines` tells them.

        Returns:
            what is left of the last segment until more of its file is at hand.
        """
        self._shapes = shapes
        odd = np.flatnonzero(shapes == 0).tolist()
        position = 0
        left = Segment(self._segments[-1].name)
        for segment, start in zip(self._segments, self._starts, strict=True):
            end = start + segment.lines
            lines = _Window(self, start, end)
            read_until = start
            of_lines: list[tuple[int, list[Found]]] = []
            while position < len(odd) and odd[position] < end:
                place = odd[position]
                position += 1
                if place < read_until:
                    continue
                known = records_in_lines(lines, place - start, is_last=segment.is_last)
                if known is None:
                    end = place
                    break
                found, stop = known
                read_until = start + stop
                self._is_single[place:read_until] = False
                self._records_in[place:read_until] = 0
                self._records_in[place] = len(found)
                of_lines.append((place, found))
            self._is_single[end : start + segment.lines] = False
            self._records_in[end : start + segment.lines] = 0
            counts = self._records_in[start : start + segment.lines]
            before = segment.first_row + np.cumsum(counts) - counts
            self._rows[start : start + segment.lines] = before
            for place, found in of_lines:
                row = int(before[place - start])
                self.found += [(segment.name, row + n, each) for n, each in enumerate(found)]
            if not segment.is_last:
                left = Segment(segment.name, segment.first_row + int(counts.sum()))
                if end < start + segment.lines:
                    rest = b"\n".join((*self[end : start + segment.lines], b""))
                    left.add(Block.of(rest))
        self._is_plain = self._is_single
        return left

    def keep_plain(self, known: Mapping[int, Shape]) -> bool:
        """Set those single records aside whose keys are not plain; whether any others are left."""
        odd = [shape for shape, each in known.items() if not each.is_plain]
        if odd:
            is_odd = self._is_single & np.isin(self._shapes, np.array(odd, dtype=np.uint64))
            self._aside += np.flatnonzero(is_odd).tolist()
            self._is_plain = self._is_single & ~is_odd
        return bool(self._is_plain.any())

    def single_records(self, known: Mapping[int, Shape]) -> pa.Table:
        """The lines that are one plain record each; in the place of any other there is null."""
        sizes = [segment.lines for segment in self._segments]
        which = pa.array(np.repeat(np.arange(len(sizes), dtype=np.int32), sizes))
        folders = [folder_names(segment.name) for segment in self._segments]
        of_segment = {
            "source_file": [segment.name for segment in self._segments],
            "folder_item_type": [each.get("item_type") for each in folders],
            "folder_event": [each.get("event") for each in folders],
        }
        shapes = np.array([*known], dtype=np.uint64)
        order = np.argsort(shapes)
        keys = pa.array([each.keys for each in known.values()], pa.string()).take(pa.array(order))
        of_line = np.searchsorted(shapes[order], self._shapes).clip(max=len(shapes) - 1)
        return in_chunks(
            pa.table(
                {
                    **{
                        column: pa.DictionaryArray.from_arrays(which, pa.array(values, pa.string()))
                        for column, values in of_segment.items()
                    },
                    "source_row": np.where(self._is_plain, self._rows, NO_ROW),
                    "line": self._array(self._is_plain),
                    "keys": pa.DictionaryArray.from_arrays(of_line.astype(np.int32), keys),
                }
            )
        )

    def set_aside(self, rows: Iterable[tuple[str, int]]) -> None:
        """Note records, by file and row, that have to be read in Python."""
        by_file: dict[str, list[int]] = {}
        for name, row in rows:
            by_file.setdefault(name, []).append(row)
        for segment, start in zip(self._segments, self._starts, strict=True):
            if segment.name in by_file:
                places = start + np.flatnonzero(self._is_single[start : start + segment.lines])
                which = np.searchsorted(self._rows[places], by_file[segment.name])
                self._aside += places[which].tolist()

    def aside(self) -> Iterator[tuple[str, int, str]]:
        """File, row and text of the records that were set aside."""
        for place in self._aside:
            segment = self._segments[bisect_right(self._starts, place) - 1]
            yield segment.name, int(self._rows[place]), self[place].decode("utf-8")


class _Window(_ByPlace):
    """Some of many lines."""

    def __init__(self, lines: Lines, start: int, end: int) -> None:
        self._lines, self._start, self._end = lines, start, end

    def __len__(self) -> int:
        return self._end - self._start

    def _at(self, place: int) -> bytes:
        return self._lines[self._start + place]


def in_chunks(table: pa.Table) -> pa.Table:
    """The same table in chunks that the threads of DuckDB can share."""
    batches = table.unify_dictionaries().to_batches(max_chunksize=_CHUNK_ROWS)
    return pa.Table.from_batches(batches, table.schema)


def _large(blocks: Iterable[Block]) -> Iterator[Block]:
    """Small blocks put together, since every block is taken by itself."""
    waiting: list[Block] = []
    size = 0
    for block in blocks:
        waiting.append(block)
        size += len(block.data)
        if size >= BLOCK_BYTES:
            yield Block.joined(waiting)
            waiting, size = [], 0
    if waiting:
        yield Block.joined(waiting)


def _sums(counts: Iterable[int]) -> Iterator[int]:
    """How many there are before each of them, and in all."""
    return accumulate(counts, initial=0)
