"""Whole runs from the command line: what is published is what the reference says.

One run takes some ten seconds, so the themes share landings and the tests share runs.
"""

import json

from dagster_project.simulate import PLANTABLE, Scenario, simulate
from tests.installation import SEEDS, Installation, said
from tests.reference import reference
from tests.whole import landings
from tests.whole.compare import differences

# Its clocks change on two of the days that `landings.clock_changes` is about.
ZONE = "Europe/Berlin"


def differences_of(installation: Installation) -> str:
    """How the published release differs from the reference, a sentence a line."""
    found = differences(installation.published, reference(installation.landing, SEEDS))
    return "\n".join(found[:50])


def differences_in_a_zone(installation: Installation) -> str:
    """How the warehouse differs from the reference, with the days of `ZONE` in its reports."""
    built = installation.dbt(
        "run",
        *("--target", "prod"),
        *("--target-path", str(installation.home / "dbt-zone")),
        *("--vars", f"reporting_timezone: {ZONE}"),
        *("--select", "reports", "int_events_by_report_date"),
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
    installation: Installation,
) -> None:
    landings.many_themes(installation.landing)
    landings.catalogue(installation.landing)
    run = installation.walkhouse(
        "run", "--waive", "all", "--reason", "lines that are wrong on purpose"
    )
    assert run.returncode == 0, said(run)
    assert differences_of(installation) == ""
    assert_left_out_is_said(installation)
    assert differences_in_a_zone(installation) == ""


def test_a_simulated_landing_that_breaks_every_rule_is_published_as_the_reference_has_it(
    installation: Installation,
) -> None:
    scenario = Scenario(
        days=4,
        events_per_day=500,
        form="mixed",
        files_per_dump=2,
        manifest=True,
        late=0.05,
        duplicate=0.02,
        malformed=0.001,
        undefined=0.001,
        too_old=0.001,
        novel_keys=0.1,
        plant=dict.fromkeys(PLANTABLE, 2),
    )
    simulate(scenario, installation.landing, seeds=SEEDS, processes=1)
    run = installation.walkhouse("run", "--waive", "all", "--reason", "planted on purpose")
    assert run.returncode == 0, said(run)
    assert differences_of(installation) == ""
