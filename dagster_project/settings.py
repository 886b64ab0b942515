"""Where things are and how much of the machine may be used: what the environment decides.

Nothing else in the package reads environment variables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

CHECKOUT = Path(__file__).resolve().parent.parent
DBT_PROJECT = CHECKOUT / "dbt_project"
CODE_VERSION = "0.1.0"
COPY_SCHEMES = ("s3",)
"""Where a copy of a release can be sent; `release.copies` knows how."""


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True)
class Settings:
    """The settings of one installation.

    Attributes:
        landing: local folder or ``s3://`` URL where the dumps arrive; only ever read.
        home: local folder under which everything that Walkhouse writes lives.
        keep_releases: how many releases stay on disk, the current one included (2 or more, so that
            a reader that is just opening one never finds it gone).
        threads: threads that DuckDB may use in ingest and release.
        memory_limit: DuckDB's memory limit in ingest and release, such as ``4GB``.
        first_dump_date: first daily partition in Dagster, unless a dump is older.
        schedule: cron expression of the daily ingest.
        schedule_timezone: the zone in which the schedule is meant.
        dbt_project: the models, with the definitions and invariants in their seeds and variables.
        copies: URLs that get a copy of every release; a password in one is never shown.
    """

    landing: str
    home: Path
    keep_releases: int = 3
    threads: int = 2
    memory_limit: str = "4GB"
    first_dump_date: date = date(2024, 1, 1)
    schedule: str = "0 6 * * *"
    schedule_timezone: str = "UTC"
    dbt_project: Path = DBT_PROJECT
    copies: tuple[str, ...] = ()

    @property
    def lake(self) -> Path:
        """The typed Parquet copy of the dumps."""
        return self.home / "lake" / "raw"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file in which dbt builds; nobody else opens it."""
        return self.home / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The folder that BI tools and analysts read."""
        return self.home / "published"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance of this installation, unless DAGSTER_HOME names another."""
        return self.home / "dagster"

    @property
    def dbt_target(self) -> Path:
        """What dbt remembers of the parsed project, apart from what analysts do in theirs."""
        return self.home / "dbt"

    @property
    def scratch(self) -> Path:
        """Temporary files; whatever is found here when no run is active may be deleted."""
        return self.home / "scratch"

    @property
    def refusal(self) -> Path:
        """Why the last build was not published; absent once one is."""
        return self.home / "refusal.json"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from environment variables (``WALKHOUSE_*``).

        Raises:
            SettingsError: a variable's value cannot be used.
        """
        env = os.environ if environment is None else environment
        home = _folder(env.get("WALKHOUSE_HOME") or str(CHECKOUT / "data"))
        landing = env.get("WALKHOUSE_LANDING") or str(CHECKOUT / "data" / "landing")
        if "://" not in landing:
            landing = str(_folder(landing))
        return cls(
            landing=landing.rstrip("/") or "/",
            home=home,
            keep_releases=_whole_number(env, "WALKHOUSE_KEEP_RELEASES", default=3, least=2),
            threads=_whole_number(env, "WALKHOUSE_THREADS", default=os.cpu_count() or 2, least=1),
            memory_limit=env.get("WALKHOUSE_MEMORY_LIMIT") or "4GB",
            first_dump_date=_day(env, "WALKHOUSE_FIRST_DUMP_DATE", default=date(2024, 1, 1)),
            schedule=env.get("WALKHOUSE_SCHEDULE") or "0 6 * * *",
            schedule_timezone=env.get("WALKHOUSE_SCHEDULE_TIMEZONE") or "UTC",
            dbt_project=_folder(env.get("WALKHOUSE_DBT_PROJECT") or str(DBT_PROJECT)),
            copies=_copies(env, "WALKHOUSE_COPIES"),
        )

    def environment(self) -> dict[str, str]:
        """The variables that make another process see the same installation."""
        return {
            "WALKHOUSE_LANDING": self.landing,
            "WALKHOUSE_HOME": str(self.home),
            "WALKHOUSE_KEEP_RELEASES": str(self.keep_releases),
            "WALKHOUSE_THREADS": str(self.threads),
            "WALKHOUSE_MEMORY_LIMIT": self.memory_limit,
            "WALKHOUSE_FIRST_DUMP_DATE": self.first_dump_date.isoformat(),
            "WALKHOUSE_DBT_PROJECT": str(self.dbt_project),
            "WALKHOUSE_COPIES": " ".join(self.copies),
            "WALKHOUSE_DBT_THREADS": str(self.threads),
            "WALKHOUSE_SCHEDULE": self.schedule,
            "WALKHOUSE_SCHEDULE_TIMEZONE": self.schedule_timezone,
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        }


def _folder(path: str) -> Path:
    return Path(path).expanduser().absolute()


def _whole_number(env: Mapping[str, str], name: str, *, default: int, least: int) -> int:
    text = env.get(name)
    if not text:
        return default
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise SettingsError(f"{name}={text!r}: must be a whole number of at least {least}")
    return number


def _day(env: Mapping[str, str], name: str, *, default: date) -> date:
    text = env.get(name)
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"{name}={text!r}: must be a date such as 2024-01-01") from error


def without_password(url: str) -> str:
    """A URL as it may be shown: without its password, and without what follows a `?`."""
    parts = urlsplit(url)
    account, at, host = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, account.partition(":")[0] + at + host, parts.path, "", ""))


def _copies(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    # A comma within a URL, between the hosts of a PostgreSQL for example, does not end it.
    urls = re.split(r"\s+|,\s*(?=[\w+.-]+://|$)", env.get(name, "").strip())
    copies = tuple(url.rstrip("/") for url in urls if url)
    for number, url in enumerate(copies, start=1):
        if urlsplit(url).scheme not in COPY_SCHEMES or not urlsplit(url).netloc:
            raise SettingsError(
                f"{name}: URL {number} of {len(copies)} must begin with one of "
                f"{', '.join(scheme + '://' for scheme in COPY_SCHEMES)} and name a place"
            )
    return copies
