"""The settings of an installation: where things are, and how much of the machine may be used.

The fields of `Settings` are the list of all settings. The setting `keep_releases` comes from the
environment variable `WALKHOUSE_KEEP_RELEASES`, else from the key `keep_releases` of the settings
file, else from its default. Nothing else in the package reads settings.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from dagster_project import __version__

CHECKOUT = Path(__file__).resolve().parent.parent
DBT_PROJECT = CHECKOUT / "dbt_project"
CODE_VERSION = __version__
ENGINES = ("duckdb", "spark")
"""What can build the models."""
COPY_SCHEMES = ("s3", "postgres", "postgresql")
"""Where a copy of a release can be sent; `release.copies` knows how."""
SETTINGS_FILE = "walkhouse.toml"
FILE_VARIABLE = "WALKHOUSE_SETTINGS"
_SHORTEST_SECRET = 32

# Variables for dbt that are no settings: Walkhouse sets the first two, analysts the sample.
_FOR_DBT = (
    "WALKHOUSE_DBT_THREADS",
    "WALKHOUSE_PROJECT_DIGEST",
    "WALKHOUSE_SAMPLE_FROM",
    "WALKHOUSE_SAMPLE_UNTIL",
    "WALKHOUSE_SAMPLE_SESSIONS",
)


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message names it and says what would do."""


@dataclass(frozen=True)
class _Rule:
    """How a setting is read and shown.

    Attributes:
        parse: turns a text into the value; a relative path in it begins in the given folder.
            Raises ValueError with a message that says what would do.
        meaning: what the setting does, for people.
        shown: turns the value into a text without secrets.
        shown_default: the default in words, if the value depends on the machine.
        is_secret: whether only the environment may hold it, and no file.
    """

    parse: Callable[[str, Path], Any]
    meaning: str
    shown: Callable[[Any], str]
    shown_default: str | None
    is_secret: bool


def _text_of(value: Any) -> str:
    """A value as it stands in the environment; spaces separate the parts of a list."""
    if isinstance(value, tuple):
        return " ".join(value)
    return str(value)


def _rule(
    parse: Callable[[str, Path], Any],
    meaning: str,
    *,
    shown: Callable[[Any], str] = _text_of,
    shown_default: str | None = None,
    is_secret: bool = False,
) -> dict[str, _Rule]:
    """The metadata of a field of `Settings`."""
    return {"rule": _Rule(parse, meaning, shown, shown_default, is_secret)}


def _secret(text: str, base: Path) -> str:
    del base
    if len(text) < _SHORTEST_SECRET or text != text.strip():
        raise ValueError(
            f"must be at least {_SHORTEST_SECRET} characters, without blanks at its ends, such as "
            "`openssl rand -hex 32` writes"
        )
    return text


def _shown_secret(text: str) -> str:
    return "(set)" if text else ""


def _folder(text: str, base: Path) -> Path:
    return (base / Path(text).expanduser()).absolute()


def _home(text: str, base: Path) -> Path:
    folder = _folder(text, base)
    if found := re.search(r"[*?\[#\\]|%[0-9a-fA-F]{2}", str(folder)):
        raise ValueError(
            f"must be a folder without {found[0]} in its path, which DuckDB, dbt or Dagster would "
            "take for a part of a pattern or a URL"
        )
    return folder


def _engine(text: str, base: Path) -> str:
    del base
    if text not in ENGINES:
        raise ValueError(f"must be one of {', '.join(ENGINES)}")
    return text


def _master(text: str, base: Path) -> str:
    del base
    if not re.fullmatch(r"local(\[[^\]]+\])?|yarn|(spark|k8s)://\S+", text):
        raise ValueError(
            "must be the master of a Spark: local[*], spark://host:7077, k8s://… or yarn"
        )
    return text


def _catalog(text: str, base: Path) -> str:
    del base
    if text and not re.match(r"https?://|jdbc:", text):
        raise ValueError("must be the address of a REST catalog, or a jdbc: URL")
    return text


def _folder_or_url(text: str, base: Path) -> str:
    if "://" not in text:
        text = str(_folder(text, base))
    elif urlsplit(text).scheme == "s3" and not urlsplit(text).netloc:
        raise ValueError("must name a bucket, such as s3://bucket/prefix")
    return text.rstrip("/") or "/"


def _store(text: str, base: Path) -> str:
    del base
    if not re.fullmatch(r"s3://[^/\s]+(/.*)?", text):
        raise ValueError("must be a place in an object store, such as s3://bucket/prefix")
    return text.rstrip("/")


def _any_text(text: str, base: Path) -> str:
    del base
    return text


def _whole_number(text: str, base: Path, *, least: int) -> int:
    del base
    number = int(text) if re.fullmatch(r"[+-]?\d+", text.strip()) else least - 1
    if number < least:
        raise ValueError(f"must be a whole number of at least {least}")
    return number


def _percent(text: str, base: Path) -> int:
    number = text.strip().removesuffix("%").rstrip()
    try:
        percent = _whole_number(number, base, least=0)
    except ValueError:
        percent = 101
    if percent > 100:
        raise ValueError("must be a whole number of percent from 0 to 100")
    return percent


def _umask(text: str, base: Path) -> str:
    del base
    if not re.fullmatch(r"0?0[0-7][0-7]", text):
        raise ValueError("must be a umask that keeps no right from the owner, such as 027 or 077")
    return text


def _memory(text: str, base: Path) -> str:
    del base
    if not re.fullmatch(r"\d+(\.\d+)?\s*([KMGT]i?)?B", text, re.IGNORECASE):
        raise ValueError("must be an amount of memory such as 4GB or 512MiB")
    return text


def _time_zone(text: str, base: Path) -> str:
    del base
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("must be a time zone such as Europe/Paris") from error
    return text


def _web_address(text: str, base: Path) -> str:
    del base
    try:
        address = urlsplit(text)
        is_usable = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValueError("must be an address such as https://alerts.example.com/hook")
    return text


def _copies(text: str, base: Path) -> tuple[str, ...]:
    del base
    # A comma within a URL, between the hosts of a PostgreSQL for example, does not end it, nor does
    # a blank within a key of an object store.
    urls = re.split(r"[\s,]\s*(?=[\w+.-]+://|$)", text.strip())
    copies = tuple(url.strip().rstrip("/") for url in urls if url.strip())
    for number, url in enumerate(copies, start=1):
        scheme, _, place = url.partition("://")
        named = place.partition("/")[0] if scheme == "s3" else place
        if scheme not in COPY_SCHEMES or not named or re.search(r"\s", named):
            raise ValueError(
                f"URL {number} of {len(copies)} must begin with one of "
                f"{', '.join(scheme + '://' for scheme in COPY_SCHEMES)} and name a place"
            )
    return copies


def _host_only(url: str) -> str:
    """An address without its path, which is a secret in the address of a web hook."""
    if not url:
        return ""
    address = urlsplit(url)
    port = f":{address.port}" if address.port else ""
    return f"{address.scheme}://{address.hostname}{port}/…"


def without_password(url: str) -> str:
    """A URL without its password, and without the part after `?`.

    Paths and keys of object stores have no such thing: all of them is shown.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    if scheme == "s3":
        if not set("@:") & set(rest.partition("/")[0]):
            return url
        # No bucket has these in its name: there are credentials before it.
        _, at, bucket = rest.rpartition("@")
        return f"s3://…@{bucket}" if at else "s3://…"
    parts = urlsplit(url)
    account, at, host = parts.netloc.rpartition("@")
    return urlunsplit((parts.scheme, account.partition(":")[0] + at + host, parts.path, "", ""))


def _without_passwords(urls: tuple[str, ...]) -> str:
    return " ".join(map(without_password, urls))


@dataclass(frozen=True)
class Settings:
    """The settings of one installation.

    Each field is a setting and carries its rule and its meaning.
    """

    landing: str = field(
        default=str(CHECKOUT / "data" / "landing"),
        metadata=_rule(
            _folder_or_url,
            "where dumps arrive: a folder or `s3://bucket/prefix`; Walkhouse only reads it",
            shown=without_password,
            shown_default="data/landing",
        ),
    )
    home: Path = field(
        default=CHECKOUT / "data",
        metadata=_rule(_home, "the folder that Walkhouse writes to", shown_default="data"),
    )
    shared_lake: str = field(
        default="",
        metadata=_rule(
            _store,
            "where machines that take in dumps together keep the lake: `s3://bucket/prefix`;"
            " without it the lake is in the home",
            shown=without_password,
        ),
    )
    umask: str = field(
        default="027",
        metadata=_rule(
            _umask,
            "the rights that files of the home do not give, as a umask: with `027`, its owner and"
            " group read them and nobody else",
        ),
    )
    smallest_group: int = field(
        default=1,
        metadata=_rule(
            partial(_whole_number, least=1),
            "numbers about fewer people than this are empty in `walkhouse-reports.duckdb`; 5 is"
            " usual",
        ),
    )
    personal_key: str = field(
        default="",
        repr=False,
        metadata=_rule(
            _secret,
            "the key of pseudonyms and of forgotten people, such as `openssl rand -hex 32` writes;"
            " it may stand in the environment only",
            shown=_shown_secret,
            is_secret=True,
        ),
    )
    keep_days: int = field(
        default=0,
        metadata=_rule(
            partial(_whole_number, least=0),
            "how many days of dumps are kept, until the newest one; older ones leave every layer;"
            " 0 keeps all",
        ),
    )
    keep_report_days: int = field(
        default=0,
        metadata=_rule(
            partial(_whole_number, least=0),
            "how many days the daily reports are kept, which name nobody; what is older than the"
            " dumps stays as it was published; less than `keep_days` changes nothing",
        ),
    )
    # With 2 or more, a reader that is opening a release never finds it gone.
    keep_releases: int = field(
        default=3,
        metadata=_rule(
            partial(_whole_number, least=2),
            "how many releases stay on disk, with the current one; 2 or more",
        ),
    )
    threads: int = field(
        default_factory=lambda: os.cpu_count() or 2,
        metadata=_rule(
            partial(_whole_number, least=1),
            "threads for DuckDB and dbt",
            shown_default="the machine's",
        ),
    )
    memory_limit: str = field(default="4GB", metadata=_rule(_memory, "memory for DuckDB"))
    engine: str = field(
        default="duckdb",
        metadata=_rule(_engine, "what builds the models: `duckdb`, or `spark` for many machines"),
    )
    spark_remote: str = field(
        default="local[*]",
        metadata=_rule(
            _master, "the Spark that builds them, such as `spark://host:7077`, `k8s://…` or `yarn`"
        ),
    )
    spark_catalog: str = field(
        default="",
        metadata=_rule(
            _catalog,
            "the catalog of its Iceberg tables: a REST catalog, or a `jdbc:` URL; without it they"
            " are found by their folders",
            shown=without_password,
        ),
    )
    spark_warehouse: str = field(
        default="",
        metadata=_rule(
            _folder_or_url,
            "where its tables lie: a folder or a URL that all its machines see",
            shown=without_password,
            shown_default="data/iceberg",
        ),
    )
    spark_iceberg: str = field(
        default="org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.9.2",
        metadata=_rule(_any_text, "Iceberg for Spark: what Maven calls it, or the path of a jar"),
    )
    schedule: str = field(
        default="0 6 * * *",
        metadata=_rule(_any_text, "when the schedule `daily` runs, as a cron expression"),
    )
    schedule_timezone: str = field(
        default="UTC", metadata=_rule(_time_zone, "the time zone of that expression")
    )
    dbt_project: Path = field(
        default=DBT_PROJECT,
        metadata=_rule(
            _folder,
            "the dbt project that `walkhouse deploy` takes: models, definitions and invariants",
            shown_default="dbt_project",
        ),
    )
    days_per_run: int = field(
        default=0,
        metadata=_rule(
            partial(_whole_number, least=0),
            "how many days one run of a backfill loads; 0 loads all days in one run",
        ),
    )
    quiet_seconds: int = field(
        default=60,
        metadata=_rule(
            partial(_whole_number, least=0),
            "how long nobody may have written to a dump without a manifest before the schedule or"
            " the sensor loads it",
        ),
    )
    withdrawal_limit: int = field(
        default=5,
        metadata=_rule(
            _percent,
            "percent of all dumps or events that may leave with several dumps at once; more has to"
            " be confirmed (`walkhouse run --withdraw`)",
        ),
    )
    copies: tuple[str, ...] = field(
        default=(),
        metadata=_rule(
            _copies,
            "`s3://…` and `postgres://…` URLs that get a copy of each release, separated by spaces",
            shown=_without_passwords,
        ),
    )
    name: str = field(
        default="walkhouse",
        metadata=_rule(_any_text, "the name of this installation in its alerts"),
    )
    alert_url: str = field(
        default="",
        metadata=_rule(
            _web_address,
            "where alerts are posted; without it they are only logged",
            shown=_host_only,
        ),
    )
    stale_after_hours: int = field(
        default=0,
        metadata=_rule(
            partial(_whole_number, least=0),
            "alert if the day of the newest dump ended longer ago than this; 0 never alerts",
        ),
    )

    keep_run_days: int = field(
        default=90,
        metadata=_rule(
            partial(_whole_number, least=1),
            "how many days Dagster keeps the records of a run; the last of each dump and asset"
            " stay",
        ),
    )
    keep_runs: int = field(
        default=300,
        metadata=_rule(
            partial(_whole_number, least=1),
            "how many runs of each job Dagster keeps records of; those of a build take some 3 MB",
        ),
    )

    @property
    def lake(self) -> Path:
        """The typed Parquet copy of the dumps; a copy of that, where the lake is shared."""
        return self.home / "lake" / "raw"

    @property
    def warehouse(self) -> Path:
        """The DuckDB file in which dbt builds; nobody else opens it."""
        return self.home / "warehouse.duckdb"

    @property
    def development(self) -> Path:
        """The DuckDB file of an analyst, in which plain `dbt build` works."""
        return self.home / "dev.duckdb"

    @property
    def iceberg(self) -> str:
        """Where the tables of a Spark build lie: a folder or a URL."""
        return self.spark_warehouse or str(self.home / "iceberg")

    @property
    def published(self) -> Path:
        """The folder that BI tools and analysts read."""
        return self.home / "published"

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance of this installation, unless DAGSTER_HOME names another."""
        return self.home / "dagster"

    @property
    def deployed(self) -> Path:
        """The dbt projects that were deployed; production builds from the current one."""
        return self.home / "deployed"

    @property
    def scratch(self) -> Path:
        """Temporary files; anything here may be deleted while no run is active."""
        return self.home / "scratch"

    @property
    def refusal(self) -> Path:
        """Why the last build was not published; a published build removes it."""
        return self.home / "refusal.json"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from environment variables and the settings file.

        Raises:
            SettingsError: a value cannot be used, or a key of the file is no setting.
        """
        said = _said(os.environ if environment is None else environment)
        return cls(**{name: value.parsed for name, value in said.items()})

    def environment(self) -> dict[str, str]:
        """The variables that make another process see the same installation."""
        return {
            **{each.variable: _text_of(getattr(self, each.name)) for each in known_settings()},
            "WALKHOUSE_DBT_THREADS": str(self.threads),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
        }


@dataclass(frozen=True)
class KnownSetting:
    """A setting as a person knows it.

    Attributes:
        name: key in the settings file.
        variable: environment variable.
        default: in words.
        meaning: a sentence, in Markdown.
    """

    name: str
    variable: str
    default: str
    meaning: str


@dataclass(frozen=True)
class SettingInForce:
    """The current value of a setting, without secrets, and where it comes from."""

    name: str
    value: str
    source: str


def known_settings() -> list[KnownSetting]:
    """All settings, in the order in which they are documented."""
    return [
        KnownSetting(
            name=each.name,
            variable=f"WALKHOUSE_{each.name.upper()}",
            default=rule.shown_default or _text_of(each.default),
            meaning=rule.meaning,
        )
        for each in fields(Settings)
        for rule in [_rule_of(each.name)]
    ]


def settings_in_force(environment: Mapping[str, str] | None = None) -> list[SettingInForce]:
    """The current value of every setting, and the variable or file that it comes from.

    Raises:
        SettingsError: as `Settings.from_environment`.
    """
    said = _said(os.environ if environment is None else environment)
    settings = Settings(**{name: value.parsed for name, value in said.items()})
    return [
        SettingInForce(
            name=each.name,
            value=_rule_of(each.name).shown(getattr(settings, each.name)),
            source=said[each.name].source if each.name in said else "default",
        )
        for each in fields(Settings)
    ]


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """A sentence on each variable that looks like a setting and is none, such as a typing error."""
    env = os.environ if environment is None else environment
    known = {each.variable: each.name for each in known_settings()}
    return [
        f"{name} is no setting{_perhaps(name.removeprefix('WALKHOUSE_'), list(known.values()))}"
        for name in sorted(env)
        if name.startswith("WALKHOUSE_") and name not in (*known, FILE_VARIABLE, *_FOR_DBT)
    ]


@dataclass(frozen=True)
class _Said:
    parsed: Any
    source: str


def _said(env: Mapping[str, str]) -> dict[str, _Said]:
    """The settings that the environment or the file has, by name."""
    said: dict[str, _Said] = {}
    for each in known_settings():
        if text := env.get(each.variable):
            said[each.name] = _Said(_parsed(each.name, text, Path.cwd(), each.variable), "variable")
    file = env.get(FILE_VARIABLE)
    home = said["home"].parsed if "home" in said else Settings().home
    path = _folder(file, Path.cwd()) if file else home / SETTINGS_FILE
    for name, text in _file_content(path, is_named=bool(file)).items():
        value = _Said(_parsed(name, text, path.parent, f"{path}: {name}"), str(path))
        if name == "home" and not file:
            raise SettingsError(
                f"{path}: home={text!r}: the file is found by the home, so it cannot say where "
                f"that is; set WALKHOUSE_HOME, or name the file in {FILE_VARIABLE}"
            )
        said.setdefault(name, value)
    return said


def _file_content(path: Path, *, is_named: bool) -> dict[str, str]:
    """The settings in a file, as text."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if is_named:
            raise SettingsError(
                f"{FILE_VARIABLE}={str(path)!r}: there is no such file; write it, or unset the "
                "variable"
            ) from error
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as TOML: {error}") from error
    known = [each.name for each in known_settings()]
    for name in content:
        if name not in known:
            raise SettingsError(f"{path}: {name} is no setting{_perhaps(name, known)}")
        if _rule_of(name).is_secret:
            raise SettingsError(
                f"{path}: {name} is a secret, which no file may hold: remove it there, and set "
                f"WALKHOUSE_{name.upper()} in the environment"
            )
    return {name: _file_text(path, name, value) for name, value in content.items()}


def _file_text(path: Path, name: str, value: object) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    if isinstance(value, bool) or not isinstance(value, str | int | date):
        raise SettingsError(f"{path}: {name}: must be a text, a whole number, a date or a list")
    return str(value)


def _parsed(name: str, text: str, base: Path, where: str) -> Any:
    rule = _rule_of(name)
    try:
        return rule.parse(text, base)
    except ValueError as error:
        # A value that may hold a secret is not repeated.
        value = f"={text!r}" if rule.shown is _text_of else ""
        raise SettingsError(f"{where}{value}: {error}") from error


def _rule_of(name: str) -> _Rule:
    rule: _Rule = Settings.__dataclass_fields__[name].metadata["rule"]
    return rule


def _perhaps(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.4)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known are: {', '.join(known)}"
