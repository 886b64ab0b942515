"""Copies a DuckDB file with holes where tables lie that the copy does not need.

A DuckDB file begins with three headers. Behind them are blocks of one size, and DuckDB tells which
of them each table and its own catalog lie in. Only those that are needed are copied. The others are
holes: they take no room on a disk, and nothing of what lies there is in the copy. So a copy costs
what is in it. To write its tables anew, without holes, costs ten times as much.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable
from pathlib import Path

import duckdb

from dagster_project.crew import crew
from dagster_project.quoting import identifier, literal

_HEADERS = 3 * 4096  # bytes
_PIECE = 4 << 20  # bytes


def copy_with_holes(
    source: Path, target: Path, tables: Collection[tuple[str, str]], *, threads: int = 1
) -> None:
    """Copy a DuckDB file, of its tables the rows of some only.

    The copy still knows the other tables: whoever opens it has to drop them.

    Args:
        source: the file; nobody may be writing to it.
        target: where to write.
        tables: schema and name of the tables whose rows are copied.
        threads: how many look for where they lie.

    Raises:
        OSError: no space is left, for example.
        duckdb.Error: the file is no database.
    """
    with duckdb.connect(str(source), read_only=True) as connection:
        spans = _spans(connection, source.stat().st_size, tables, threads)
    with source.open("rb") as read, target.open("wb") as written:
        os.truncate(written.fileno(), source.stat().st_size)
        for start, end in spans:
            _copy(read.fileno(), written.fileno(), start, end)


def _spans(
    connection: duckdb.DuckDBPyConnection,
    size: int,
    tables: Collection[tuple[str, str]],
    threads: int,
) -> list[tuple[int, int]]:
    """Where in the file to copy from, and up to where; all of it if DuckDB does not tell enough."""
    block, total, used = connection.execute(
        "select block_size, total_blocks, used_blocks from pragma_database_size()"
    ).fetchall()[0]
    known = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database() and not temporary"
    ).fetchall()
    # To tell its blocks, DuckDB reads all of a table: gigabytes after a year.
    with crew(connection, threads, name="blocks") as workers:
        blocks = dict(zip(known, workers.map(_blocks, known), strict=True))
    catalog = _numbers(connection, "select block_id from pragma_metadata_info()")
    # It does not tell the blocks of an index, for example.
    if len(catalog.union(*blocks.values())) != used or size != _HEADERS + total * block:
        return [(0, size)]
    needed = catalog.union(*(blocks[table] for table in tables if table in blocks))
    return _joined([(0, _HEADERS), *((_HEADERS + each * block, block) for each in sorted(needed))])


def _blocks(connection: duckdb.DuckDBPyConnection, table: tuple[str, str]) -> set[int]:
    return _numbers(
        connection,
        "select distinct unnest(list_append(coalesce(additional_block_ids, []), block_id))"
        f" from pragma_storage_info({literal(identifier(*table))}) where persistent",
    )


def _numbers(connection: duckdb.DuckDBPyConnection, query: str) -> set[int]:
    """Numbers of blocks; what is the same in all rows of a column lies in none, which is -1."""
    return {number for (number,) in connection.execute(query).fetchall() if number >= 0}


def _joined(pieces: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Starts and ends of pieces, which are given by start and length, in order."""
    spans: list[tuple[int, int]] = []
    for start, length in pieces:
        begun = spans.pop()[0] if spans and spans[-1][1] == start else start
        spans.append((begun, start + length))
    return spans


def _copy(read: int, written: int, start: int, end: int) -> None:
    """Copy a span inside the kernel, which shares blocks where the disk can (XFS, Btrfs)."""
    if hasattr(os, "copy_file_range"):
        try:
            while start < end and (
                copied := os.copy_file_range(read, written, end - start, start, start)
            ):
                start += copied
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
                raise
    # What the kernel left; nothing, as a rule.
    while start < end and (piece := os.pread(read, min(_PIECE, end - start), start)):
        start += os.pwrite(written, piece, start)
