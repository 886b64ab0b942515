"""`simulate`: a scenario becomes a landing."""

from __future__ import annotations

import gc
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import date, timedelta
from filecmp import cmp
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from dagster_project.simulate.catalogue import catalogue
from dagster_project.simulate.chunks import Chunk, Counts, FileSpec
from dagster_project.simulate.definitions import DEFAULT_SEEDS, Definitions, read_definitions
from dagster_project.simulate.planting import plant_items, plantable
from dagster_project.simulate.scenario import FileSummary, Scenario, SimulationSummary
from dagster_project.simulate.shards import Unit, units_of_day, work
from dagster_project.simulate.world import World
from dagster_project.simulate.writer import MARKER, OverwriteError, Workshop, deliver, manifest
from dagster_project.words import counted

_CATALOGUE = "content/items.ndjson"
# Below this, starting processes takes longer than it saves.
_EVENTS_WORTH_A_PROCESS = 150_000
# Units that may be finished and not yet written, per process: bounds the memory.
_UNITS_AHEAD = 4


def _no_progress(message: str) -> None:
    del message


def simulate(
    scenario: Scenario,
    landing: Path,
    *,
    progress: Callable[[str], None] = _no_progress,
    seeds: Path = DEFAULT_SEEDS,
    processes: int | None = None,
    replace: bool = False,
) -> SimulationSummary:
    """Write the dumps of a scenario, and its content catalogue, into a landing.

    Equal arguments give equal bytes, whatever the number of processes; files that already stand
    there with these bytes are not touched. A file that stands there with other bytes is replaced
    only if the simulator wrote it for the same scenario; `redelivered` dumps and further days are
    no other scenario.

    Args:
        scenario: what to simulate.
        landing: local folder; made if it is missing.
        progress: called with a line of text after each dump.
        seeds: folder of the definitions.
        processes: how many processes to use; by default one a core, or only this one where the
            scenario is small. A caller that wants several must be importable as a main module.
        replace: replace what the simulator wrote for any other scenario, too.

    Returns:
        Exact counts of what the landing then holds for this scenario.

    Raises:
        ValueError: `scenario.plant` names an invariant that cannot be planted.
        OverwriteError: there are other files where this one writes; nothing was written.
    """
    definitions = read_definitions(seeds)
    known_plants = plantable(definitions)
    if unknown := sorted(set(scenario.plant) - known_plants):
        raise ValueError(f"no way to violate {', '.join(unknown)}; known: {sorted(known_plants)}")
    fingerprint = _fingerprint(scenario, seeds)
    landing.mkdir(parents=True, exist_ok=True)
    memory = _Memory(landing)
    if (known := memory.recall(fingerprint)) is not None:
        progress(f"{known.dumps} dumps are already there")
        return known
    world = World.of(scenario, definitions)
    foreign = memory.doubtful(scenario, replace=True)
    if doubtful := foreign if replace else memory.doubtful(scenario, replace=False):
        with Workshop(landing) as workshop:
            _compare(world, workshop, doubtful, foreign)
    files: list[FileSummary] = []
    written = 0
    pending: dict[int, list[Chunk]] = {}
    units = [units_of_day(scenario, day) for day in range(scenario.days)]
    if processes is None:
        is_small = scenario.days * scenario.events_per_day < _EVENTS_WORTH_A_PROCESS
        processes = 1 if is_small else os.cpu_count() or 1
    results = _results(world, [unit for of_day in units for unit in of_day], processes)
    with Workshop(landing) as workshop:
        for day, of_day in enumerate(units):
            for _ in of_day:
                for chunk in next(results):
                    pending.setdefault(chunk.day, []).append(chunk)
            dump_date = scenario.start + timedelta(days=day)
            summaries, new = _write_dump(
                workshop, memory, scenario, dump_date, pending.pop(day, [])
            )
            files += summaries
            written += new
            events = sum(summary.accepted for summary in summaries)
            size = f"{counted(events, 'event')} in {counted(len(summaries), 'file')}"
            progress(f"dt={dump_date}: {size}")
        items = 0
        if scenario.catalogue:
            content = _catalogue(world)
            items = content.count(b"\n")
            path = workshop.write_bytes("items.ndjson", content)
            memory.announce(workshop, scenario, [_CATALOGUE])
            written += deliver(path, landing / _CATALOGUE)
        summary = SimulationSummary(files=tuple(files), items=items, written=written)
        memory.remember(workshop, fingerprint, summary)
    return summary


def _catalogue(world: World) -> bytes:
    records = [*catalogue(world.systems), *plant_items(world.scenario, world.systems)]
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records).encode()


def _compare(
    world: World, workshop: Workshop, doubtful: Sequence[str], foreign: Sequence[str]
) -> None:
    """Write what the scenario would write beside what is doubtful, and compare.

    Args:
        world: of the scenario.
        workshop: where to write.
        doubtful: paths of files in the landing.
        foreign: those of them that no simulator wrote as they are.

    Raises:
        OverwriteError: a doubtful file is not what the scenario would write.
    """
    scenario = world.scenario
    if _CATALOGUE in doubtful:
        path = workshop.write_bytes("items.ndjson", _catalogue(world))
        if path.read_bytes() != (workshop.landing / _CATALOGUE).read_bytes():
            is_foreign = _CATALOGUE in foreign
            raise OverwriteError(workshop.landing / "content", is_foreign=is_foreign)
    by_dump: dict[str, set[str]] = {}
    for name in doubtful:
        if name != _CATALOGUE:
            _, dump, file = name.split("/", 2)
            by_dump.setdefault(dump, set()).add(file)
    pending: dict[int, list[Chunk]] = {}
    for day in range(scenario.days):
        if not by_dump:
            return
        for unit in units_of_day(scenario, day):
            for chunk in work(world, unit):
                pending.setdefault(chunk.day, []).append(chunk)
        dump = f"dt={scenario.start + timedelta(days=day)}"
        files = by_dump.pop(dump, set())
        chunks = pending.pop(day, [])
        if not files:
            continue
        folder = workshop.landing / "events" / dump
        staged, _ = _stage(workshop, scenario, folder, chunks)
        other = [
            f"events/{dump}/{file}"
            for file in files
            if file not in staged or not cmp(workshop.path / file, folder / file, shallow=False)
        ]
        if other:
            raise OverwriteError(folder, is_foreign=not set(other).isdisjoint(foreign))


def _write_dump(
    workshop: Workshop,
    memory: _Memory,
    scenario: Scenario,
    dump_date: date,
    chunks: Sequence[Chunk],
) -> tuple[list[FileSummary], int]:
    folder = workshop.landing / "events" / f"dt={dump_date}"
    names, summaries = _stage(workshop, scenario, folder, chunks)
    memory.announce(workshop, scenario, [f"events/{folder.name}/{name}" for name in names])
    new = workshop.deliver_folder(names, folder)
    memory.forget_others(folder, names)
    return summaries, new


def _stage(
    workshop: Workshop, scenario: Scenario, folder: Path, chunks: Sequence[Chunk]
) -> tuple[list[str], list[FileSummary]]:
    """Write the files of a dump into the workshop; their names, and what is in the event files."""
    dump_date = date.fromisoformat(folder.name.removeprefix("dt="))
    by_file: dict[FileSpec, list[Chunk]] = {}
    for chunk in chunks:
        by_file.setdefault(chunk.file, []).append(chunk)
    summaries = []
    staged: dict[str, tuple[Path, int]] = {}
    for file in sorted(by_file, key=lambda spec: spec.name.encode()):
        counts = Counts()
        for chunk in by_file[file]:
            counts.add(chunk.counts)
        summary = FileSummary(
            dump_date=dump_date,
            name=file.name,
            control=counts.control,
            ignored=counts.ignored,
            quarantined=dict(sorted(counts.quarantined.items())),
            duplicate=counts.duplicate,
            accepted=counts.accepted,
        )
        summaries.append(summary)
        staged[file.name] = (workshop.write(file.name, by_file[file], file), summary.lines)
    names = list(staged)
    if scenario.manifest:
        workshop.write_bytes("_manifest.json", manifest(staged))
        names.append("_manifest.json")
    return names, summaries


# --- processes ----------------------------------------------------------------------------------

_world: World | None = None


def _start_process(scenario: Scenario, definitions: Definitions) -> None:
    global _world
    _world = World.of(scenario, definitions)
    # Units make many small objects and no cycles.
    gc.disable()


def _work_in_process(unit: Unit) -> list[Chunk]:
    if _world is None:
        raise RuntimeError("the process was not started by _start_process")
    return work(_world, unit)


def _results(world: World, units: Sequence[Unit], processes: int) -> Iterator[list[Chunk]]:
    """The chunks of each unit, in the order of the units."""
    if processes <= 1:
        for unit in units:
            yield work(world, unit)
        return
    with ProcessPoolExecutor(
        processes,
        mp_context=get_context("spawn"),
        initializer=_start_process,
        initargs=(world.scenario, world.definitions),
    ) as pool:
        ahead: deque[Future[list[Chunk]]] = deque()
        for unit in units:
            ahead.append(pool.submit(_work_in_process, unit))
            if len(ahead) >= processes * _UNITS_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


# --- what was written before --------------------------------------------------------------------


class _Memory:
    """What `.simulation.json` says: which files were written, and for which scenario each."""

    def __init__(self, landing: Path) -> None:
        self.landing = landing
        try:
            self.known: dict[str, Any] = json.loads((landing / MARKER).read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            self.known = {"fingerprint": "", "files": {}, "summary": {}}
        self.known.setdefault("scenarios", {})

    def recall(self, fingerprint: str) -> SimulationSummary | None:
        """The summary of an earlier simulation of the same, if all its files still stand."""
        if self.known["fingerprint"] != fingerprint:
            return None
        for name in self.known["summary"]["names"]:
            path = self.landing / name
            if not path.is_file() or _state(path) != self.known["files"].get(name):
                return None
        summary = self.known["summary"]
        return SimulationSummary(
            files=tuple(
                FileSummary(**(values | {"dump_date": date.fromisoformat(values["dump_date"])}))
                for values in summary["files"]
            ),
            items=summary["items"],
            written=0,
        )

    def doubtful(self, scenario: Scenario, *, replace: bool) -> list[str]:
        """The files where the scenario writes that may be replaced only by the same bytes.

        They are those that were not written by a simulator, those that were changed since, and,
        unless `replace`, those that were written for another scenario.
        """
        found = [self.landing / _CATALOGUE] if scenario.catalogue else []
        for day in scenario.dates:
            found += (self.landing / "events" / f"dt={day}").rglob("*")
        same = _same_arguments(scenario)
        return [
            name
            for path in sorted(found)
            if path.is_file()
            for name in [path.relative_to(self.landing).as_posix()]
            if name not in self.known["files"]
            or self.known["files"][name] not in (None, _state(path))
            or not (replace or self.known["scenarios"].get(name) == same)
        ]

    def announce(self, workshop: Workshop, scenario: Scenario, names: Iterable[str]) -> None:
        """Note files before they are there, in case the run is killed."""
        same = _same_arguments(scenario)
        new = [
            name
            for name in names
            if self.known["scenarios"].get(name) != same or self.known["files"].get(name)
        ]
        if new:
            self.known["fingerprint"] = ""
            self.known["files"] |= dict.fromkeys(new)
            self.known["scenarios"] |= dict.fromkeys(new, same)
            self._write(workshop)

    def forget_others(self, folder: Path, names: Iterable[str]) -> None:
        """Remove the files of a dump that an earlier simulation wrote and this one did not."""
        kept = {folder / name for name in names}
        prefix = folder.relative_to(self.landing).as_posix() + "/"
        for name in [name for name in self.known["files"] if name.startswith(prefix)]:
            path = self.landing / name
            if path not in kept:
                path.unlink(missing_ok=True)
                del self.known["files"][name]
                self.known["scenarios"].pop(name, None)

    def remember(self, workshop: Workshop, fingerprint: str, summary: SimulationSummary) -> None:
        """Write the marker."""
        names = [f"events/dt={file.dump_date}/{file.name}" for file in summary.files]
        manifests = {f"events/dt={file.dump_date}/_manifest.json" for file in summary.files}
        names += sorted(name for name in manifests if (self.landing / name).is_file())
        if summary.items:
            names.append(_CATALOGUE)
        files = self.known["files"] | {name: _state(self.landing / name) for name in names}
        values = {
            "names": names,
            "items": summary.items,
            "files": [
                vars(file) | {"dump_date": file.dump_date.isoformat()} for file in summary.files
            ],
        }
        self.known |= {"fingerprint": fingerprint, "files": files, "summary": values}
        self._write(workshop)

    def _write(self, workshop: Workshop) -> None:
        path = workshop.write_bytes(MARKER, json.dumps(self.known, indent=1).encode())
        path.replace(self.landing / MARKER)


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _same_arguments(scenario: Scenario) -> str:
    """Equal where one scenario may write into the dumps of the other.

    Corrected dumps are asked for by their dates, and further days change nothing of those before.
    """
    values = scenario.as_json()
    del values["redelivered"]
    if not scenario.plant:
        del values["days"]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _fingerprint(scenario: Scenario, seeds: Path) -> str:
    """Changes with the scenario, the definitions and the code of the simulator."""
    digest = hashlib.sha256(json.dumps(scenario.as_json()).encode())
    for path in (*sorted(seeds.glob("*.csv")), *sorted(Path(__file__).parent.glob("*.py"))):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
