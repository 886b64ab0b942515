"""Asset checks: each invariant of the registry, as the audit in the warehouse found it.

The checks only show. What decides is the gate of the release, which reads the same results
itself; so they do not block, and a release that is refused can say why.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from dagster_project.locks import warehouse_writer
from dagster_project.registry import Invariant, load_invariants
from dagster_project.release.gate import AuditResult, audit_results
from dagster_project.resources import Installation, Waivers

_EXAMPLES_SHOWN = 20
_RESULTS = dg.AssetKey(["meta", "invariants"])
_VIOLATIONS = dg.AssetKey(["meta", "invariant_violations"])


def invariant_checks(
    invariants: Sequence[Invariant], tables: Mapping[str, dg.AssetKey]
) -> dg.AssetChecksDefinition:
    """One asset check for each invariant, on the table that it is about.

    Args:
        invariants: the registry.
        tables: asset key of every published table by its name.
    """
    keys = {invariant.id: tables[invariant.table] for invariant in invariants}

    @dg.multi_asset_check(
        name="invariants",
        specs=[
            dg.AssetCheckSpec(
                invariant.id,
                asset=keys[invariant.id],
                description=invariant.description,
                additional_deps=[_RESULTS, _VIOLATIONS],
                metadata={"severity": invariant.severity, "tolerance": invariant.tolerance},
            )
            for invariant in invariants
        ],
        can_subset=True,
    )
    def check_invariants(
        context: dg.AssetCheckExecutionContext, installation: Installation, waivers: Waivers
    ) -> Iterator[dg.AssetCheckResult]:
        settings = installation.settings
        registry = load_invariants(settings.dbt_project)
        waiver = waivers.waiver
        waived = waiver.ids(registry) if waiver else frozenset()
        with (
            warehouse_writer(settings.home),
            duckdb.connect(str(settings.warehouse), read_only=True) as warehouse,
        ):
            results = {result.invariant: result for result in audit_results(warehouse)}
            examples = {name: _examples(warehouse, name) for name in results}
        for key in context.selected_asset_check_keys:
            result = results.get(key.name)
            yield _check_result(
                key, result, examples.get(key.name, []), is_waived=key.name in waived
            )

    return check_invariants


def _check_result(
    key: dg.AssetCheckKey,
    result: AuditResult | None,
    examples: Sequence[Mapping[str, Any]],
    *,
    is_waived: bool,
) -> dg.AssetCheckResult:
    if result is None:
        return dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=False,
            description="was not checked: run the whole build",
        )
    metadata: dict[str, Any] = {
        "checked": result.checked,
        "violations": result.violations,
        "tolerance": result.tolerance,
        "all of them": dg.MetadataValue.md(
            f"```sql\nselect * from meta.invariant_violations\nwhere invariant = '{key.name}'\n```"
        ),
    }
    if examples:
        metadata["examples"] = dg.MetadataValue.table(
            [dg.TableRecord({name: _cell(cell) for name, cell in row.items()}) for row in examples]
        )
    is_warning = is_waived or result.severity == "warn"
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.passed,
        severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
        description=result.sentence + ("; waived" if is_waived and not result.passed else ""),
        metadata=metadata,
    )


def _examples(warehouse: duckdb.DuckDBPyConnection, invariant: str) -> list[dict[str, Any]]:
    cursor = warehouse.execute(
        "select event_date, system_id, session_id, item_id, event_key, detail"
        " from meta.invariant_violations where invariant = ? order by all limit ?",
        [invariant, _EXAMPLES_SHOWN],
    )
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _cell(value: object) -> str:
    return (
        "" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    )
