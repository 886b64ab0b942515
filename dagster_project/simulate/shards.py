"""The units of work: which sessions happen, and in which dump their events arrive.

A dump is made of units that know nothing of each other, each with a random stream of its own
(seed, kind, day, shard): any number of processes gives the same bytes, and no day has to be
simulated to know the next one. Sessions that outlast their UTC day, or whose last events arrive
late, come from units of their own kind; those give lines to more than one dump.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from math import gcd
from random import Random
from typing import Literal

from dagster_project.simulate.activities import play_session
from dagster_project.simulate.chunks import Chunk, Counts, FileSpec, Part, compressed
from dagster_project.simulate.definitions import Pair
from dagster_project.simulate.envelopes import ENVELOPES, HOOKED_PAIRS, Row, hooked
from dagster_project.simulate.people import User, comes_to_work, user
from dagster_project.simulate.planting import plant_sessions
from dagster_project.simulate.scenario import Compression, Scenario
from dagster_project.simulate.sessions import DAY, HOUR, MINUTE, Session, daily_slot
from dagster_project.simulate.world import World

Kind = Literal["day", "evening", "delayed", "planted"]

_EVENTS_PER_SHARD = 25_000
# Sessions that start after this hour (UTC) come from the evening units.
_EVENING = 22 * HOUR + 30 * MINUTE
_EVENING_SHARE = 0.04
# Events that a session adds on average beyond its unit's quota, since it is not cut.
_OVERSHOOT = 15


@dataclass(frozen=True, order=True)
class Unit:
    """One unit of work: a shard of a kind of sessions of one day of the scenario."""

    day: int
    kind: Kind
    shard: int


# --- which units and files there are ------------------------------------------------------------


def units_of_day(scenario: Scenario, day: int) -> list[Unit]:
    """The units whose sessions start on a day, in the order of their lines."""
    target = scenario.target(scenario.start + timedelta(days=day))
    files = scenario.files_per_dump if scenario.form != "mixed" else max(2, scenario.files_per_dump)
    shards = -(-max(files, -(-target // _EVENTS_PER_SHARD)) // files) * files
    units = [Unit(day, "day", shard) for shard in range(shards)]
    units += [Unit(day, "evening", shard) for shard in range(-(-shards // 25))]
    if scenario.late:
        units += [Unit(day, "delayed", shard) for shard in range(-(-shards // 25))]
    if scenario.plant:
        units.append(Unit(day, "planted", 0))
    return units


# The second file of a mixed dump, from day to day.
_SECOND_FILES: Sequence[tuple[str, Compression]] = (
    ("flat", "gz"),
    ("player", "zst"),
    ("csv", "none"),
    ("player", "none"),
    ("parquet", "none"),
    ("keyed", "zst"),
    ("csv", "gz"),
    ("flat", "none"),
)


def files_of_day(scenario: Scenario, day: int) -> list[FileSpec]:
    """The files of a dump, hooked ones aside."""
    if scenario.form != "mixed":
        return [
            _file_spec(scenario.form, scenario.compression, number)
            for number in range(scenario.files_per_dump)
        ]
    others = max(1, scenario.files_per_dump - 1)
    form, compression = _SECOND_FILES[day % len(_SECOND_FILES)]
    return [
        *(_file_spec("player", "gz", number) for number in range(others)),
        _file_spec(form, compression, others),
    ]


def _file_spec(form: str, compression: Compression, number: int) -> FileSpec:
    envelope = ENVELOPES[form]
    name = f"{envelope.stem}-{number:03d}.{envelope.extension}"
    if form == "parquet":
        return FileSpec(name, form, "none")
    suffix = "" if compression == "none" else f".{compression}"
    return FileSpec(name + suffix, form, compression)


# --- sessions -----------------------------------------------------------------------------------


def _session(
    world: World, rng: Random, who: User, start: int, *, last_moment: int, daily: int = 2
) -> Session:
    """Live through one session of a person; nothing in it happens at or after `last_moment`."""
    scenario, random = world.scenario, rng.random
    system = world.systems[who.main_system]
    if random() < 0.2:
        system = world.systems[int(random() * len(world.systems))]
    # Mostly a quarter of an hour, now and then a whole afternoon.
    length = int((2 + 50 * random() * random()) * MINUTE)
    if random() < 0.02:
        length = int((1 + 5 * random()) * HOUR)
    environment: int | None = 0
    if random() < scenario.test_environment:
        environment = (1, 1, 1, 3, 2, 2)[int(random() * 6)]
    elif who.index % 50 == 0:
        environment = None
    session = Session(
        rng,
        who,
        system,
        start,
        min(start + length, last_moment),
        daily_slot=daily,
        environment=environment,
    )
    if random() < 0.1:
        session.login_at = start + int((5 + 60 * random()) * 1000)
    session.novel_key = random() < scenario.novel_keys
    play_session(session)
    session.finish()
    while session.events and session.events[-1][0] >= last_moment:
        session.events.pop()
    return session


def _working_hour(random_number: float, another: float, utc_offset_minutes: int) -> int:
    """A time of the UTC day (ms) within office hours of an offset, most likely around noon."""
    local = 8 * HOUR + int((random_number + another) * 5 * HOUR)
    return (local - utc_offset_minutes * MINUTE) % DAY


def _sessions(world: World, unit: Unit) -> list[Session]:
    """The sessions of a unit, by start."""
    scenario = world.scenario
    day = scenario.start + timedelta(days=unit.day)
    shards = sum(other.kind == unit.kind for other in units_of_day(scenario, unit.day))
    target = scenario.target(day) / shards
    late = 2 * scenario.late  # on average, half of a session whose end is late
    if unit.kind == "planted":
        return plant_sessions(scenario, world.systems, unit.day, world.day_number(unit.day))
    if unit.kind == "evening":
        sessions = _other_sessions(world, unit, int(target * _EVENING_SHARE))
    elif unit.kind == "delayed":
        sessions = _other_sessions(world, unit, int(target * late))
    else:
        quota = int(target * max(0.0, 1 - _EVENING_SHARE - late))
        sessions = _day_sessions(world, unit, shards, quota)
        if _is_corrected(world, unit) and unit.shard == 0:
            sessions = [session for number, session in enumerate(sessions) if number % 20]
            sessions += _day_sessions(world, unit, shards, quota // 20, name="corrected")
    return sorted(sessions, key=lambda session: session.started_at)


def _is_corrected(world: World, unit: Unit) -> bool:
    day = world.scenario.start + timedelta(days=unit.day)
    return unit.kind == "day" and day in world.scenario.redelivered


def _day_sessions(
    world: World, unit: Unit, shards: int, quota: int, *, name: str = "day"
) -> list[Session]:
    """Sessions of the shard's own people that begin and end within the day."""
    scenario = world.scenario
    rng = Random(f"{scenario.seed}/{name}/{_label(world, unit)}")
    random = rng.random
    first = scenario.population * unit.shard // shards
    own = scenario.population * (unit.shard + 1) // shards - first
    # A shard of a tiny company borrows a person from the next one.
    people = max(1, own)
    number = world.day_number(unit.day)
    midnight = number * DAY
    sessions: list[Session] = []
    events = 0
    offset = int(random() * people)
    stride = _coprime(people, 1 + int(random() * people))
    for turn in range(50 * people):
        if events >= quota - _OVERSHOOT:
            break
        person = first + (offset + turn * stride) % people
        if not comes_to_work(scenario.seed, person, random()):
            continue
        who = user(scenario.seed, person, len(world.systems))
        # Only the first session of a person's day may hold what is capped per 24 hours.
        slot = daily_slot(number, who) if turn < own and name == "day" else 2
        start = _working_hour(random(), random(), who.device.utc_offset_minutes) % _EVENING
        for _ in range(1 + (random() < 0.5) + (random() < 0.2)):
            if start >= _EVENING:
                break
            session = _session(
                world,
                rng,
                who,
                midnight + start,
                last_moment=midnight + DAY,
                daily=slot,
            )
            slot = 2
            sessions.append(session)
            events += len(session.events)
            start = session.now - midnight + int((40 + 120 * random()) * MINUTE)
    return sessions


def _coprime(modulus: int, start: int) -> int:
    while gcd(start, modulus) != 1:
        start += 1
    return start


def _other_sessions(world: World, unit: Unit, quota: int) -> list[Session]:
    """Evening sessions, which may outlast the day, or sessions whose last events come late."""
    scenario = world.scenario
    rng = Random(f"{scenario.seed}/{unit.kind}/{_label(world, unit)}")
    midnight = world.day_number(unit.day) * DAY
    sessions: list[Session] = []
    events = 0
    while events < quota - _OVERSHOOT:
        person = int(rng.random() * scenario.population)
        who = user(scenario.seed, person, len(world.systems))
        if unit.kind == "evening":
            start = _EVENING + int(rng.random() * (DAY - _EVENING))
        else:
            start = _working_hour(rng.random(), rng.random(), 60)
        sessions.append(_session(world, rng, who, midnight + start, last_moment=midnight + 2 * DAY))
        events += len(sessions[-1].events)
    return sessions


def _label(world: World, unit: Unit) -> str:
    return f"{world.day_number(unit.day)}/{unit.shard}"


# --- from sessions to chunks --------------------------------------------------------------------


def work(world: World, unit: Unit) -> list[Chunk]:
    """Everything that a unit adds to the dumps, in order of dump and file."""
    scenario = world.scenario
    sessions = _sessions(world, unit)
    noise = Random(f"{scenario.seed}/noise/{unit.kind}/{_label(world, unit)}")
    if unit.kind == "planted":
        world = replace(world, scenario=replace(scenario, duplicate=0.0, control=0.0, ignored=0.0))
    parts: dict[tuple[int, str], Part] = {}
    for session in sessions:
        for day, low, high in _deliveries(world, unit, session, noise):
            files = files_of_day(scenario, day)
            file = files[unit.shard % len(files)]
            rows = ENVELOPES[file.envelope].render(session, low, high)
            for target_file, some in _by_file(file, session, low, rows):
                key = (day, target_file.name)
                if key not in parts:
                    faulty = unit.kind == "day" and not _is_corrected(world, unit)
                    parts[key] = Part(
                        world,
                        day,
                        target_file,
                        noise,
                        faulty=faulty,
                        may_resend=unit.kind != "day",
                    )
                parts[key].add(some)
    chunks = []
    for _, part in sorted(parts.items()):
        chunks.append(part.chunk())
        chunks += _resent(scenario, unit, part)
    return chunks


def _resent(scenario: Scenario, unit: Unit, part: Part) -> list[Chunk]:
    """The rows of a part that arrive again in the next dump, if it has a file of the same form."""
    day = part.day + 1
    if not part.resent or day >= scenario.days:
        return []
    files = files_of_day(scenario, day)
    file = files[unit.shard % len(files)]
    if file.envelope != part.file.envelope:
        return []
    payload = part.envelope.encode(part.resent)
    # Parquet is compressed by the writer.
    counts = Counts(duplicate=len(part.resent))
    return [Chunk(day, file, compressed(payload, file.compression), counts)]


def _deliveries(
    world: World, unit: Unit, session: Session, rng: Random
) -> Iterator[tuple[int, int, int]]:
    """Ranges of a session's events with the day of the scenario on which they arrive.

    The end of a session is late: the device went to sleep before it had sent everything. So each
    dump that holds the end of something also holds its beginning, or an earlier dump does.
    """
    scenario, events = world.scenario, session.events
    if not events:
        return
    first_day = world.day_number(0)
    if unit.kind == "day":
        yield unit.day, 0, len(events)
        return
    cut, lag = len(events), 0
    if unit.kind == "delayed":
        cut = int(rng.random() * len(events))
        lag = 1 + int(rng.random() ** 3 * scenario.max_days_late)

    def arrival(ordinal: int) -> int:
        return events[ordinal][0] // DAY - first_day + (lag if ordinal >= cut else 0)

    for day, ordinals in groupby(range(len(events)), key=arrival):
        numbers = list(ordinals)
        if day < scenario.days:
            yield day, numbers[0], numbers[-1] + 1


def _by_file(
    file: FileSpec, session: Session, low: int, rows: list[Row]
) -> Iterator[tuple[FileSpec, list[Row]]]:
    """Rows by the file that they go to: some webhooks have a folder of their own."""
    if file.envelope != "flat":
        yield file, rows
        return
    rest: list[Row] = []
    separate: dict[Pair, list[Row]] = {}
    for ordinal, row in enumerate(rows, start=low):
        pair = session.events[ordinal][1].pair
        if pair in HOOKED_PAIRS:
            separate.setdefault(pair, []).append(hooked(row))
        else:
            rest.append(row)
    yield file, rest
    for pair, some in separate.items():
        folder = f"item_type={pair[0]}/event={pair[1]}"
        yield replace(file, name=f"{folder}/{file.name}"), some
