"""Decides whether the warehouse may be published, from the audit results that stand in it.

The gate belongs to publishing itself: it trusts no run, only what the warehouse says. A check
that did not run, or that ran on other tables than those to be published, has not passed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from dagster_project.registry import Invariant

_AUDIT_TABLE = ("meta", "invariants")
_BUILDS = ("audit", "builds")
_INPUTS = ("audit", "inputs")


class WaiverError(ValueError):
    """A waiver that cannot be given; the message says which and why."""


@dataclass(frozen=True)
class Waiver:
    """Invariants that a person has looked at and lets pass for one run.

    Attributes:
        invariants: their ids, or ``("all",)``.
        reason: what the person has to say; it is published with the release.
    """

    invariants: tuple[str, ...]
    reason: str

    def ids(self, registry: Sequence[Invariant]) -> frozenset[str]:
        """The invariants that it covers.

        Raises:
            WaiverError: an id is unknown or cannot be waived, or no reason is given.
        """
        waivable = {invariant.id for invariant in registry if invariant.waivable}
        if not self.reason.strip():
            raise WaiverError("a waiver needs a reason: it is published with the release")
        if self.invariants == ("all",):
            return frozenset(waivable)
        known = {invariant.id for invariant in registry}
        for name in self.invariants:
            if name not in known:
                raise WaiverError(
                    f"there is no invariant {name!r}; known are: {', '.join(sorted(known))}"
                )
            if name not in waivable:
                raise WaiverError(
                    f"{name} is structural and cannot be waived: the tables would be wrong"
                )
        return frozenset(self.invariants)


@dataclass(frozen=True)
class AuditResult:
    """What `meta.invariants` says of one invariant."""

    invariant: str
    severity: str
    checked: int
    violations: int
    tolerance: float
    passed: bool

    @property
    def sentence(self) -> str:
        """The result in words."""
        share = f" ({self.violations / self.checked:.2%})" if self.checked else ""
        return (
            f"{self.invariant}: {self.violations:,} violations in {self.checked:,} checked{share}, "
            f"tolerance {self.tolerance:.2%}"
        )


@dataclass(frozen=True)
class Verdict:
    """The decision of the gate.

    Attributes:
        refusals: why the warehouse is not published; empty if it is.
        warnings: what is published all the same, and shown.
        waived: the ids of the invariants that failed and were waived.
        results: all audit results.
    """

    refusals: tuple[str, ...]
    warnings: tuple[str, ...]
    waived: tuple[str, ...]
    results: tuple[AuditResult, ...]

    @property
    def may_publish(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.refusals


def audit_results(warehouse: duckdb.DuckDBPyConnection) -> tuple[AuditResult, ...]:
    """Read `meta.invariants`; empty where the audit never ran."""
    if _AUDIT_TABLE not in _tables(warehouse):
        return ()
    rows = warehouse.execute(
        "select invariant, severity, checked, violations, tolerance, passed"
        " from meta.invariants order by invariant"
    ).fetchall()
    return tuple(
        AuditResult(name, severity, checked, violations, float(tolerance), bool(passed))
        for name, severity, checked, violations, tolerance, passed in rows
    )


def verdict(
    warehouse: duckdb.DuckDBPyConnection,
    registry: Sequence[Invariant],
    tables: Sequence[tuple[str, str]],
    *,
    lake_dumps: Mapping[date, str],
    catalogue: str,
    project: str | None = None,
    waiver: Waiver | None = None,
) -> Verdict:
    """Decide whether the warehouse may be published.

    Args:
        warehouse: an open connection to the warehouse.
        registry: the invariants that must have been checked.
        tables: schema and name of every table that is to be published.
        lake_dumps: fingerprint by dump date of the dumps in the lake now.
        catalogue: fingerprint of the content catalogue in the lake now, empty without one.
        project: digest of the dbt project that may build it; None for any.
        waiver: what a person lets pass.

    Raises:
        WaiverError: the waiver cannot be given.
    """
    waived_ids = waiver.ids(registry) if waiver else frozenset()
    results = {result.invariant: result for result in audit_results(warehouse)}
    refusals = [
        *_other_build(warehouse, tables, registry),
        *_other_inputs(warehouse, lake_dumps, catalogue),
        *_other_project(warehouse, project),
        *_sampled(warehouse),
    ]
    warnings: list[str] = []
    waived: list[str] = []
    for invariant in registry:
        result = results.get(invariant.id)
        if result is None:
            refusals.append(f"{invariant.id}: was not checked; run `walkhouse run`")
        elif result.passed:
            continue
        elif invariant.id in waived_ids:
            waived.append(invariant.id)
            warnings.append(f"{result.sentence}; waived")
        elif invariant.severity == "error":
            refusals.append(result.sentence)
        else:
            warnings.append(result.sentence)
    return Verdict(tuple(refusals), tuple(warnings), tuple(waived), tuple(results.values()))


def _other_build(
    warehouse: duckdb.DuckDBPyConnection,
    tables: Sequence[tuple[str, str]],
    registry: Sequence[Invariant],
) -> list[str]:
    """All published tables, the audit and the inputs must come from one invocation of dbt."""
    existing = _tables(warehouse)
    if not {_BUILDS, _INPUTS} <= existing:
        return ["the warehouse was never built; run `walkhouse run`"]
    built = {
        (schema, table): invocation
        for schema, table, invocation in warehouse.execute(
            "select schema_name, table_name, invocation_id from audit.builds"
        ).fetchall()
    }
    audited = built.get(_AUDIT_TABLE)
    read = {
        invocation
        for (invocation,) in warehouse.execute(
            "select distinct invocation_id from audit.inputs"
        ).fetchall()
    }
    needed = [*tables, *sorted({invariant.results for invariant in registry})]
    refusals = [
        f"{schema}.{table} does not come from the build that was audited; "
        "run the whole build, not a part of it"
        for schema, table in needed
        if audited is None
        or (schema, table) not in existing
        or built.get((schema, table)) != audited
    ]
    if read != {audited}:
        refusals.append("the lake was read again after the build that was audited; run it whole")
    return refusals


def _other_inputs(
    warehouse: duckdb.DuckDBPyConnection, lake_dumps: Mapping[date, str], catalogue: str
) -> list[str]:
    """The build must have read the lake as it is now."""
    if _INPUTS not in _tables(warehouse):
        return []  # never built, which is refused already
    rows = warehouse.execute("select dump_date, fingerprint from audit.inputs").fetchall()
    read = {day: fingerprint for day, fingerprint in rows if day is not None}
    refusals = [
        f"dump {day} changed after the build; run `walkhouse run`"
        for day in sorted(read.keys() | lake_dumps.keys())
        if read.get(day) != lake_dumps.get(day)
    ]
    if [fingerprint for day, fingerprint in rows if day is None] != [catalogue]:
        refusals.append("the content catalogue changed after the build; run `walkhouse run`")
    return refusals


def _other_project(warehouse: duckdb.DuckDBPyConnection, project: str | None) -> list[str]:
    """The build must be that of the deployed project, and not of one that somebody tries."""
    if project is None or _INPUTS not in _tables(warehouse):
        return []
    built = warehouse.execute("select distinct project_digest from audit.inputs").fetchall()
    if built == [(project,)]:
        return []
    return ["the warehouse was built from a dbt project that is not deployed; run `walkhouse run`"]


def _sampled(warehouse: duckdb.DuckDBPyConnection) -> list[str]:
    """The build must have read everything, and not a sample for who changes models."""
    if _INPUTS not in _tables(warehouse):
        return []  # never built, which is refused already
    rows = warehouse.execute("select distinct sample from audit.inputs where sample <> ''")
    return [
        f"the warehouse holds a sample only ({sample}); run `walkhouse run`"
        for (sample,) in rows.fetchall()
    ]


def _tables(warehouse: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    rows = warehouse.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database() and not temporary"
    ).fetchall()
    return {(schema, table) for schema, table in rows}
