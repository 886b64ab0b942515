"""Asset checks: each invariant of the registry, as the audit in the warehouse found it.

The checks only show. What decides is the gate of the release, which reads the same results
itself; so they do not block, and a release that is refused can say why.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import duckdb

from dagster_project.defs.assets.release import AUDIT, RELEASE, how_to_waive
from dagster_project.defs.pools import WAREHOUSE
from dagster_project.defs.resources import Installation, Waivers
from dagster_project.locks import warehouse_writer
from dagster_project.models.prepared import PREPARED
from dagster_project.models.violations import compiled_invariant, query_for_all
from dagster_project.registry import Invariant, load_invariants
from dagster_project.release.gate import AuditResult, audit_results
from dagster_project.settings import Settings

# Without the key of an event: whoever guesses the id of a person who is forgotten could hash it.
_EXAMPLE = "event_date, system_id, session_id, item_id, detail"
_EXAMPLES_SHOWN = 20
_RELEASES_SHOWN = 10
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
                description=f"{invariant.description} {_consequence(invariant)}",
                additional_deps=[_RESULTS, _VIOLATIONS],
                metadata={
                    "blocks the release": invariant.severity == "error",
                    "tolerance": f"{invariant.tolerance:.1%}",
                },
            )
            for invariant in invariants
        ],
        can_subset=True,
        pool=WAREHOUSE,
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
            examples = _examples(warehouse)
        history = _releases(context.instance)
        for key in context.selected_asset_check_keys:
            result = results.get(key.name)
            if result is None:
                yield _not_checked(key)
            else:
                yield _check_result(
                    key,
                    result,
                    {
                        **_examples_table(examples.get(key.name, ())),
                        **_where_to_look(settings, key.name),
                        **_trend(history, result),
                        **how_to_waive(registry, [key.name] if blocks(result) else []),
                    },
                    is_waived=key.name in waived,
                )

    return check_invariants


def _consequence(invariant: Invariant) -> str:
    """What follows from a failure, as people read it beside the check."""
    if invariant.severity == "warn":
        return "A failure warns; it does not block the release."
    allowed = f", above {invariant.tolerance:.1%} of the rows" if invariant.tolerance else ""
    waiving = "" if invariant.waivable else " It cannot be waived."
    return f"Blocks the release{allowed}: the release reads the audit itself.{waiving}"


def _not_checked(key: dg.AssetCheckKey) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=False,
        description="was not checked: run the whole build",
    )


def _check_result(
    key: dg.AssetCheckKey, result: AuditResult, metadata: Mapping[str, Any], *, is_waived: bool
) -> dg.AssetCheckResult:
    is_warning = is_waived or result.severity == "warn"
    share = result.violations / result.checked if result.checked else 0.0
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=result.passed,
        severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
        description=result.sentence + ("; waived" if is_waived and not result.passed else ""),
        metadata={
            "checked": result.checked,
            "violations": result.violations,
            "share": f"{share:.3%}",
            "tolerance": f"{result.tolerance:.1%}",
            **metadata,
        },
    )


def blocks(result: AuditResult) -> bool:
    """Whether an invariant keeps the release back, unless it is waived."""
    return result.severity == "error" and not result.passed


def _where_to_look(settings: Settings, invariant: str) -> dict[str, Any]:
    """The model of an invariant, and the query that finds all rows that violate it."""
    compiled = compiled_invariant(settings.dbt_project / PREPARED, invariant)
    query = query_for_all(compiled) if compiled else None
    found: dict[str, Any] = {
        "model": dg.MetadataValue.path(settings.dbt_project / f"models/audit/{invariant}.sql")
    }
    if query:
        found["all of them"] = dg.MetadataValue.md(
            f"In `{settings.warehouse}`, while nothing is being built:\n\n```sql\n{query}\n```"
        )
    return found


def _releases(instance: dg.DagsterInstance) -> list[dg.AssetMaterialization]:
    """The last releases, the newest first."""
    found = instance.fetch_materializations(RELEASE, limit=_RELEASES_SHOWN).records
    return [record.asset_materialization for record in found if record.asset_materialization]


def _trend(releases: Sequence[dg.AssetMaterialization], result: AuditResult) -> dict[str, Any]:
    """Violations in the last releases and now, the newest first."""
    rows = [("this build", result.checked, result.violations)]
    for release in releases:
        audit = release.metadata.get(AUDIT)
        numbers = audit.value if isinstance(audit, dg.JsonMetadataValue) else None
        if isinstance(numbers, dict) and result.invariant in numbers:
            release_id = release.metadata["release_id"].value
            rows.append((str(release_id), *numbers[result.invariant]))
    return {
        "trend": dg.MetadataValue.table(
            [
                dg.TableRecord(
                    {
                        "release": release,
                        "checked": checked,
                        "violations": violations,
                        "share": f"{violations / checked:.3%}" if checked else "",
                    }
                )
                for release, checked, violations in rows
            ]
        )
    }


def _examples_table(examples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The UI shows the cells of a table as text, whatever the events brought along."""
    if not examples:
        return {}
    return {
        "examples": dg.MetadataValue.table(
            [dg.TableRecord({name: _cell(cell) for name, cell in row.items()}) for row in examples]
        )
    }


def _examples(warehouse: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    """The first rows that violate each invariant; nothing of those that hold."""
    cursor = warehouse.execute(
        f"select invariant, {_EXAMPLE} from meta.invariant_violations"
        f" qualify row_number() over (partition by invariant order by {_EXAMPLE}) <= ?"
        " order by all",
        [_EXAMPLES_SHOWN],
    )
    columns = [column[0] for column in cursor.description or ()]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in cursor.fetchall():
        example = dict(zip(columns, row, strict=True))
        found.setdefault(example.pop("invariant"), []).append(example)
    return found


def _cell(value: object) -> str:
    return "" if value is None else str(value)
