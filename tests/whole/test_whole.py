"""A whole run from the command line: what is published is what the reference says.

A run takes some ten seconds, so all themes share one landing.
"""

import json
from pathlib import Path

import pytest

from tests.installation import SEEDS, Installation, said
from tests.object_store import object_store_of_environment
from tests.reference import reference
from tests.whole import landings
from tests.whole.compare import differences
from tests.whole.landings import names

pytestmark = pytest.mark.long

# The tables behind the reports that know the reporting time zone.
IN_REPORTED_DAYS = (
    "int_events_by_report_date",
    "int_events_of_several_ids",
    "int_items_by_report_date",
    "int_people_of_days",
    "int_first_times_of_items",
    "int_item_types_by_home",
)
# Its clocks change on two of the days that `landings.clock_changes` is about.
ZONE = "Europe/Berlin"


def differences_in_a_zone(installation: Installation) -> str:
    """How the warehouse differs from the reference, with the days of `ZONE` in its reports."""
    built = installation.dbt(
        "run",
        *("--target", "prod"),
        *("--target-path", str(installation.home / "dbt-zone")),
        *("--vars", f"reporting_timezone: {ZONE}"),
        *("--select", "reports", *IN_REPORTED_DAYS),
    )
    assert built.returncode == 0, said(built)
    expected = reference(installation.landing, SEEDS, reporting_timezone=ZONE)
    return "\n".join(differences(installation.home / "warehouse.duckdb", expected)[:50])


def assert_left_out_is_said(installation: Installation) -> None:
    """The status names every environment that no report counts, for people and for programs."""
    left_out = installation.ask(
        "select environment, events, sessions, end_users, reason"
        " from meta.left_out order by events desc, environment"
    )
    assert {environment for environment, *_ in left_out} > {"test", "environment_17"}
    told = json.loads(installation.walkhouse("status", "--json").stdout)["left_out"]
    assert [tuple(each.values()) for each in told] == left_out
    lines = said(installation.walkhouse("status")).splitlines()
    assert [line.split()[3] for line in lines if line.startswith("in no report:")] == [
        f"{environment}:" for environment, *_ in left_out
    ]


def test_many_themes_and_a_catalogue_are_published_as_the_reference_has_them_in_any_time_zone(
    tmp_path: Path,
) -> None:
    """Under names that mean something to shells, URLs, globs or SQL, from landing to copy."""
    installation = Installation(tmp_path / names.LANDING, tmp_path / names.HOME)
    landings.many_themes(installation.landing)
    landings.catalogue(installation.landing)
    names.put_files(installation.landing)
    with object_store_of_environment() as store:
        copy = f"s3://{store.bucket}/{names.LANDING}"

        def run() -> str:
            waived = ("--waive", "all", "--reason", "lines that are wrong on purpose")
            ran = installation.walkhouse("run", *waived, WALKHOUSE_COPIES=copy)
            assert ran.returncode == 0, said(ran)
            return said(ran)

        run()
        current = json.loads(store.get(f"{names.LANDING}/current.json"))
        copied = store.get(f"{names.LANDING}/{current['duckdb']}")
        assert copied == installation.published.read_bytes()
        assert "nothing is pending" in run()
    found = differences(installation.published, reference(installation.landing, SEEDS))
    assert "\n".join(found[:50]) == ""
    assert_left_out_is_said(installation)
    assert differences_in_a_zone(installation) == ""
