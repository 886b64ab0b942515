"""The options of a simulation (`Scenario`) and its result (`SimulationSummary`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from typing import Any, Literal

Form = Literal["player", "flat", "csv", "parquet", "mixed"]
Compression = Literal["gz", "zst", "none"]

# Rates of this fault become lines that the contract quarantines, by the field that holds the rate.
QUARANTINED_FAULTS = ("malformed", "missing", "bad_timestamp", "future", "too_old", "undefined")


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One invented company and a stretch of its days; equal scenarios give equal bytes.

    All rates are shares of the accepted events of a dump. Faulty lines stand *beside* good ones
    (a torn line whose event was sent again), so no fault rate makes an event go missing.

    Attributes:
        seed: any number; another seed is another company.
        start: first dump date.
        days: how many dumps. More days leave the earlier dumps as they were (without `plant`).
        events_per_day: item events to aim for on a working day, UTC.
        weekend: share of `events_per_day` on a Saturday or Sunday.
        users: people in the company; 0 derives them from the volume.
        systems: systems (applications) that they use.
        form: the form of the dumps; `mixed` is mostly the player envelope, with a second file
            that changes its form from day to day.
        compression: of NDJSON and CSV files (`mixed` chooses for itself where it varies).
        files_per_dump: event files in a dump.
        manifest: write a `_manifest.json` into every dump.
        catalogue: write `content/items.ndjson`.
        control: control lines of the player.
        ignored: events that the player sends and that are no item events.
        test_environment: share of sessions outside production.
        late: events that arrive in a later dump, up to `max_days_late` days after they happened.
        max_days_late: see `late`.
        duplicate: events that arrive twice, in the same dump or the next.
        malformed: lines that are no record at all (not in Parquet).
        missing: lines without one of the required columns.
        bad_timestamp: lines whose time cannot be read (not in Parquet).
        future: lines from more than a day after the dump.
        too_old: lines from more than 400 days before the dump.
        undefined: lines with a pair of item type and event that is not defined.
        novel_keys: share of sessions whose lines carry a key never seen before (JSON forms).
        redelivered: dumps to write in their corrected version: faults repaired, some sessions
            withdrawn and others added.
        plant: how many violations to plant, by invariant (see `planting.plantable`).
    """

    seed: int = 1
    start: date = date(2026, 3, 1)
    days: int = 14
    events_per_day: int = 20_000
    weekend: float = 0.3
    users: int = 0
    systems: int = 3
    form: Form = "player"
    compression: Compression = "gz"
    files_per_dump: int = 1
    manifest: bool = False
    catalogue: bool = True
    control: float = 0.02
    ignored: float = 0.05
    test_environment: float = 0.03
    late: float = 0.0
    max_days_late: int = 7
    duplicate: float = 0.0
    malformed: float = 0.0
    missing: float = 0.0
    bad_timestamp: float = 0.0
    future: float = 0.0
    too_old: float = 0.0
    undefined: float = 0.0
    novel_keys: float = 0.0
    redelivered: tuple[date, ...] = ()
    plant: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise `ValueError` for a value that makes no sense."""
        rates = ("weekend", "control", "ignored", "test_environment", "late", "duplicate")
        for name in (*rates, *QUARANTINED_FAULTS, "novel_keys"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, not {getattr(self, name)}")
        for name in ("days", "events_per_day", "systems", "files_per_dump", "max_days_late"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.form not in ("player", "flat", "csv", "parquet", "mixed"):
            raise ValueError(f"unknown form {self.form!r}")
        if self.compression not in ("gz", "zst", "none"):
            raise ValueError(f"unknown compression {self.compression!r}")
        if unknown := [day for day in self.redelivered if day not in self.dates]:
            raise ValueError(f"redelivered dumps outside the scenario: {unknown}")

    @classmethod
    def everyday(cls, **knobs: Any) -> Scenario:
        """A scenario as real dumps are: a little of everything that goes wrong.

        The quarantined lines stay well below 1 % of a dump.
        """
        usual = cls(
            late=0.01,
            duplicate=0.005,
            malformed=0.001,
            missing=0.0005,
            bad_timestamp=0.0002,
            future=0.0003,
            too_old=0.0001,
            undefined=0.001,
            novel_keys=0.01,
        )
        return replace(usual, **knobs)

    @property
    def dates(self) -> tuple[date, ...]:
        """The dump dates, in order."""
        return tuple(self.start + timedelta(days=index) for index in range(self.days))

    @property
    def population(self) -> int:
        """People in the company."""
        return self.users or max(60, self.events_per_day // 25)

    def target(self, day: date) -> int:
        """Item events to aim for on one day."""
        return int(self.events_per_day * (self.weekend if day.weekday() >= 5 else 1.0))

    def as_json(self) -> dict[str, Any]:
        """All values, such that `json.dumps` takes them."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values["start"] = self.start.isoformat()
        values["redelivered"] = sorted(day.isoformat() for day in self.redelivered)
        values["plant"] = dict(sorted(self.plant.items()))
        return values


@dataclass(frozen=True, kw_only=True)
class FileSummary:
    """The lines of one landed file, counted as `meta.dump_ledger` must count them.

    Attributes:
        name: path within the dump's folder.
        quarantined: lines by quarantine reason.
    """

    dump_date: date
    name: str
    control: int
    ignored: int
    quarantined: Mapping[str, int]
    duplicate: int
    accepted: int

    @property
    def lines(self) -> int:
        """All lines of the file."""
        return (
            self.control
            + self.ignored
            + sum(self.quarantined.values())
            + self.duplicate
            + self.accepted
        )


@dataclass(frozen=True, kw_only=True)
class SimulationSummary:
    """The exact content of the landing after a simulation, with files that were there before.

    Attributes:
        files: every event file of the scenario's dumps.
        items: items in the content catalogue.
        written: files that were written now (the others already stood there).
    """

    files: tuple[FileSummary, ...]
    items: int
    written: int

    @property
    def dumps(self) -> int:
        """Dumps, that is dates with a folder."""
        return len({file.dump_date for file in self.files})

    @property
    def lines(self) -> int:
        """Lines of all files."""
        return sum(file.lines for file in self.files)

    @property
    def accepted(self) -> int:
        """Events that the warehouse must hold."""
        return sum(file.accepted for file in self.files)

    @property
    def duplicate(self) -> int:
        """Lines that repeat an accepted event."""
        return sum(file.duplicate for file in self.files)

    @property
    def control(self) -> int:
        """Control lines."""
        return sum(file.control for file in self.files)

    @property
    def ignored(self) -> int:
        """Lines of events that are no item events."""
        return sum(file.ignored for file in self.files)

    @property
    def quarantined(self) -> Mapping[str, int]:
        """Quarantined lines by reason."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(file.quarantined)
        return dict(sorted(total.items()))
