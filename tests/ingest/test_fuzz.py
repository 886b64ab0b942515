"""Files with bytes flipped, cut and spliced: each costs its own dump at most, and is named.

A hundred of them in every run, a thousand with `HYPOTHESIS_PROFILE=thorough`.
"""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import zstandard

from dagster_project.ingest import lines
from dagster_project.ingest.classification import lines_of_parts
from dagster_project.ingest.lake import Lake
from tests.ingest import readers
from tests.ingest.test_ingest import take_in
from tests.whole import landings

CASES = 1_000 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 100
EVENTS = 40
EVERY = 10  # damaged files come for each good one
CASES_OF_A_LANDING = 50
START = date(2026, 3, 1)
NOON = landings.at("2026-03-01T12:00:00Z")


def valid_files() -> dict[str, bytes]:
    """One valid file of each form and compression, by its name."""
    times = [NOON + number for number in range(EVENTS)]
    rows = [landings.tabular(time, "Launcher/Click", session=f"s-{time}") for time in times]
    plain = {
        "player.ndjson": landings.ndjson(
            landings.player(time, "launcher/click", session=f"s-{time}") for time in times
        ),
        "flat.json": landings.ndjson(
            landings.flat(time, session=f"s-{time}", type="click", data__type="launcher")
            for time in times
        ),
        "tabular.jsonl": landings.ndjson(rows),
        "table.csv": landings.csv_table(rows),
    }
    table = {name: [row[name] for row in rows] for name in rows[0]}
    unused = [datetime(2026, 3, 1, tzinfo=UTC)] * EVENTS
    return {
        **plain,
        **{f"{name}.gz": gzip.compress(content, mtime=0) for name, content in plain.items()},
        **{f"{name}.zst": zstandard.compress(content) for name, content in plain.items()},
        "ints.parquet": landings.parquet_table({**table, "unused": unused}),
        "times.parquet": landings.parquet_table(
            {**table, "occurred_at": [datetime.fromtimestamp(at / 1000, UTC) for at in times]}
        ),
    }


def flipped(content: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 3, 20))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def cut(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content))
    length = chance.choice((1, 7, len(content)))
    del content[start : start + length]


def overwritten(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content))
    piece = chance.choice((b"\x00", b"\xff", b"\n", b'"', b"{", b"9")) * chance.choice((1, 8, 64))
    content[start : start + len(piece)] = piece


def repeated(content: bytearray, chance: random.Random) -> None:
    start = chance.randrange(len(content))
    piece = content[start : start + chance.randrange(1, 400)]
    at = chance.randrange(len(content))
    content[at:at] = piece


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flipped,
    cut,
    overwritten,
    repeated,
)


def damaged(files: dict[str, bytes], chance: random.Random) -> tuple[str, bytes]:
    """A file with some bytes that are not its own."""
    name = chance.choice(sorted(files))
    content = bytearray(files[name])
    if chance.random() < 0.2:
        other = files[chance.choice(sorted(files))]
        at = chance.randrange(len(content))
        content[at:] = other[chance.randrange(len(other)) :]
    else:
        for _ in range(chance.choice((1, 1, 2))):
            chance.choice(CHANGES)(content, chance)
            content = content or bytearray(b"\x00")
    return name, bytes(content)


@pytest.mark.parametrize("read_by", ["Python", "DuckDB"])
@pytest.mark.parametrize("seed", range(CASES // CASES_OF_A_LANDING // 2))
def test_whatever_a_file_holds_the_dumps_beside_it_are_taken_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_by: str, seed: int
) -> None:
    if read_by == "Python":
        readers.read_everything_in_python(monkeypatch)
    chance = random.Random(f"{read_by} {seed}")
    files = valid_files()
    landing = tmp_path / "landing"
    names: dict[date, str] = {}
    good: set[date] = set()
    for number in range(CASES_OF_A_LANDING + CASES_OF_A_LANDING // EVERY):
        day = START + timedelta(days=number)
        if number % (EVERY + 1) == 0:
            good.add(day)
            name = sorted(files)[number // EVERY % len(files)]
            content = files[name]
        else:
            name, content = damaged(files, chance)
            landings.put(landing, day.isoformat(), "beside.ndjson", files["player.ndjson"])
        names[day] = name
        landings.put(landing, day.isoformat(), name, content)
    lake, failed = take_in(tmp_path, landing)
    assert set(lake.dumps()) | failed.keys() == names.keys()
    assert not lake.dumps().keys() & failed.keys()
    for day in good:
        assert lake.dumps()[day].outcomes["events"] == EVENTS, (day, names[day])
    for day, said in failed.items():
        assert said.startswith(f"dump {day}, {names[day]}: "), said
        assert "Traceback" not in said
        assert len(said) < 1_000, said
    for day in lake.dumps():
        assert wrong_counts(lake, day) == [], (day, names[day])


def wrong_counts(lake: Lake, day: date) -> list[tuple[object, ...]]:
    """The files of a dump whose ledger does not add up, or is not what its lines are."""
    dump, folder = lake.dumps()[day], lake.dump_folder(day)
    parts = [str(folder / part) for part in dump.lines]
    of_parts = lines_of_parts("$parts") if parts else "select null as source_file where false"
    return duckdb.execute(
        f"""
        select source_file, lines, control, ignored, quarantined, events, counted
        from read_parquet($ledger) as files
        left join (
            select source_file, count(*) as counted from ({of_parts}) group by source_file
        ) as found using (source_file)
        where
            lines <> control + ignored + quarantined + events
            or lines <> coalesce(counted, 0)
            or quarantined_bytes > content_bytes
        """,
        {"ledger": str(folder / dump.files), **({"parts": parts} if parts else {})},
    ).fetchall()


@pytest.mark.parametrize(
    "error",
    [
        *(MemoryError(), RecursionError("too deep"), OverflowError("too large"), ValueError("x")),
        *(OSError(5, "Input/output error"), duckdb.OutOfMemoryException("out of memory")),
        *(duckdb.ConversionException("Could not convert 'a secret'"), pa.ArrowInvalid("bad")),
        *(zstandard.ZstdError("bad"), duckdb.FatalException("database was invalidated")),
    ],
)
def test_whatever_happens_in_a_file_is_the_failure_of_its_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    days = [START + timedelta(days=number) for number in range(4)]
    event = landings.player(NOON, "launcher/click", session="s")
    for day in days:
        for name in ("a.ndjson", "b.ndjson", "c.ndjson"):
            landings.put(tmp_path / "landing", day.isoformat(), name, [event])
    landings.put(tmp_path / "landing", days[1].isoformat(), "b.ndjson", [{"the": "bad one"}])
    read = lines.DumpReader.read

    def failing(self: lines.DumpReader, path: Path, name: str) -> lines.FileRead | None:
        if b"bad one" in path.read_bytes():
            if isinstance(error, duckdb.FatalException):
                self._connection.close()
            raise error
        return read(self, path, name)

    monkeypatch.setattr(lines.DumpReader, "read", failing)
    lake, failed = take_in(tmp_path, tmp_path / "landing")
    assert list(failed) == [days[1]]
    assert failed[days[1]].startswith(f"dump {days[1]}, b.ndjson: ")
    assert "secret" not in failed[days[1]]
    assert [dump.outcomes["events"] for dump in lake.dumps().values()] == [3, 3, 3]
    assert lake.failures() == failed
