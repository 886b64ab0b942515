"""Searches all that an installation writes for a text, byte by byte and value by value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import duckdb
import psycopg

from tests.object_store import ObjectStore


def writings(text: str) -> set[str]:
    """A text as it stands, in JSON, and in a URL."""
    plain = {text, quote(text), quote(text, safe="")}
    return plain | {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}


def byte_strings(text: str) -> set[bytes]:
    """The same in bytes, and in UTF-16 in both orders."""
    return {
        written.encode(encoding)
        for written in writings(text)
        for encoding in ("utf-8", "utf-16-le", "utf-16-be")
    }


def traces_in_files(folder: Path, text: str) -> list[str]:
    """The files below a folder that hold a text; what is compressed in them is read as well."""
    sought = byte_strings(text)
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if any(each in content for each in sought) or _holds(path, text):
            found.append(path.relative_to(folder).as_posix())
    return found


def traces_in_store(store: ObjectStore, folder: Path, text: str) -> list[str]:
    """The objects of a store that hold a text; they are copied to an empty folder."""
    for number, key in enumerate(store.keys()):
        target = folder / f"{number}-{Path(key).name}"
        target.write_bytes(store.get(key))
    return traces_in_files(folder, text)


def traces_in_postgres(url: str, text: str) -> list[str]:
    """The tables of a database that hold a text, those of Walkhouse's bookkeeping included."""
    sought = writings(text)
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema') order by 1"
        ).fetchall()
        found = []
        for (table,) in tables:
            with connection.cursor().copy(f"copy {table} to stdout".encode()) as copy:
                content = b"".join(copy).decode()
            if any(each in content.replace("\\\\", "\\") for each in sought):
                found.append(table)
    return found


def _holds(path: Path, text: str) -> bool:
    sought = writings(text)
    return any(each in value for value in _values(path) for each in sought)


def _values(path: Path) -> Iterator[str]:
    """Every value of a file of Parquet or DuckDB as text."""
    if path.suffix == ".parquet":
        with duckdb.connect() as connection:
            pattern = str(path).replace("[", "[[]")
            yield from _cells(connection, f"from read_parquet('{pattern}')")
    elif path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as connection:
            for schema, table in connection.execute(
                "select schema_name, table_name from duckdb_tables()"
            ).fetchall():
                yield from _cells(connection, f'from "{schema}"."{table}"')


def _cells(connection: duckdb.DuckDBPyConnection, query: str) -> Iterator[str]:
    for row in connection.execute(query).fetchall():
        yield from (str(value) for value in row if value is not None)
