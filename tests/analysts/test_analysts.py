"""An analyst at work: dbt alone, a sample, the metrics, the questions, and one change.

The tests follow in order on one installation and one copy of the dbt project, as the walk through
the page for analysts does.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.analysts import landing
from tests.docs.pages import commands
from tests.installation import CHECKOUT, DBT_PROJECT, Installation, said

pytestmark = pytest.mark.long

SYSTEM, OTHER_SYSTEM = landing.SYSTEM, landing.OTHER_SYSTEM
NO_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
# What the metrics and the questions are asked of, and what they are compared with.
ASKED_FOR = ("time_spine", "fct_searches", "rpt_sessions_daily", "rpt_items_daily", "rpt_flows")
ALSO_ASKED_FOR = (
    "int_flow_play_sessions",
    "dim_items",
    "dim_end_users",
    "dim_people",
    "dim_systems",
    "rpt_flows_daily",
    "rpt_flow_impact",
    "rpt_paths",
    "rpt_surveys",
    "nps_scores",
    "rpt_active_people",
    "rpt_adoption_by_attribute",
    "session_people",
    "people_of_items",
    "days_of_people",
    "dim_event_definitions",
)


PAGE = CHECKOUT / "docs" / "analysts.md"
COMMANDS = commands(PAGE)
CHANGES: list[tuple[str, str, str]] = re.findall(
    r"in\s+`([^`]+)`,\s+`([^`]+)`\s+becomes\s+`([^`]+)`", PAGE.read_text(encoding="utf-8")
)


def command(part: str) -> str:
    """The one command of the page that has this part."""
    (found,) = [each for each in COMMANDS if part in each]
    return str(found)


@pytest.fixture(scope="module")
def analyst(
    installation_of_module: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    """An installation with a release, and a copy of the dbt project to change."""
    production = installation_of_module
    landing.write(production.landing)
    run = production.walkhouse("run")
    assert run.returncode == 0, said(run)
    checkout = tmp_path_factory.mktemp("checkout")
    left_out = shutil.ignore_patterns("target", "logs")
    shutil.copytree(DBT_PROJECT, checkout / "dbt_project", ignore=left_out)
    shutil.copy(CHECKOUT / ".sqlfluff", checkout)
    return replace(production, dbt_project=checkout / "dbt_project")


def follow(analyst: Installation, line: str) -> tuple[int, str]:
    """Run a command of the page where it says, and give its exit code and what it said."""
    words = shlex.split(line)
    (first, *_) = (number for number, word in enumerate(words) if "=" not in word)
    variables = dict(word.split("=", 1) for word in words[:first])
    where, _, program = words[first].rpartition(".venv/bin/")
    cwd = {"../": analyst.dbt_project, "": analyst.dbt_project.parent}[where]
    done = analyst.program(program, *words[first + 1 :], cwd=cwd, **variables)
    return done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", said(done))  # without colours


def dev(analyst: Installation, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(analyst.home / "dev.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def warehouse_files(analyst: Installation) -> dict[Path, int]:
    kept = [analyst.home / "warehouse.duckdb", analyst.home / "lake", analyst.home / "published"]
    files = [path for root in kept for path in (root, *root.rglob("*")) if path.is_file()]
    return {path: path.stat().st_mtime_ns for path in files}


# ---------- a sample


def dbt_of_sample(
    analyst: Installation, sample: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run dbt with the environment asking for a sample."""
    variables = {f"WALKHOUSE_SAMPLE_{name.upper()}": value for name, value in sample.items()}
    return analyst.dbt(*arguments, **variables)


@pytest.mark.parametrize("asked", ["show", "test"])
def test_before_a_build_the_error_says_what_to_do(analyst: Installation, asked: str) -> None:
    (analyst.home / "dev.duckdb").unlink(missing_ok=True)
    run = analyst.dbt(asked, "--select", "rpt_flows")
    assert run.returncode != 0
    assert "run `dbt build` first" in said(run)


def test_a_sample_holds_whole_sessions_of_some_days(analyst: Installation) -> None:
    before = warehouse_files(analyst)
    line = command("WALKHOUSE_SAMPLE")
    (since, until, share) = re.findall(r"WALKHOUSE_SAMPLE_\w+=([0-9.-]+)", line)
    exit_code, text = follow(analyst, line)
    assert exit_code == 0, text
    assert dev(analyst, "select distinct sample from audit.inputs") == [
        (f"from {since}, until before {until}, {share} of the sessions",)
    ]
    assert warehouse_files(analyst) == before
    sessions = "select system_id, session_id, count(*) from facts.fct_item_events group by all"
    sampled = dev(analyst, sessions)
    assert {session for _, session, _ in sampled} == {"s1", "s2"}  # s7 is not among the half
    assert set(sampled) <= set(analyst.ask(sessions))


def test_the_days_are_half_open_and_another_sample_takes_the_place_of_the_first(
    analyst: Installation,
) -> None:
    days = {"from": "2026-03-03", "until": "2026-03-09"}
    built = dbt_of_sample(analyst, days, "run", "--select", "+fct_sessions")
    assert built.returncode == 0, said(built)
    assert "it is built anew with from 2026-03-03, until before 2026-03-09" in said(built)
    sessions = dev(analyst, "select session_id from facts.fct_sessions order by 1")
    # Of the other system there is a session of the same id as one that is not in the sample.
    assert [session for (session,) in sessions] == ["s1", "s2", "s7", "test"]
    assert dev(analyst, "select system_id from facts.fct_sessions where session_id = 's1'") == [
        (OTHER_SYSTEM,)
    ]
    # What was built of the first sample is gone and not read by anybody.
    assert dev(analyst, "select * from duckdb_tables() where table_name = 'rpt_items_daily'") == []


def test_compared_with_production_a_sample_lacks_rows_and_changes_none(
    analyst: Installation,
) -> None:
    compared = analyst.walkhouse("diff", "current", "dev", "--table", "fct_sessions")
    assert compared.returncode == 1
    assert "dev.duckdb, which holds a sample only (from 2026-03-03" in compared.stdout
    assert "facts.fct_sessions: only in A: " in compared.stdout
    assert "only in B: " not in compared.stdout
    assert "changed: " not in compared.stdout


def test_production_refuses_a_sample(analyst: Installation, tmp_path: Path) -> None:
    before = warehouse_files(analyst)
    built = dbt_of_sample(
        analyst,
        {"sessions": "0.5"},
        *("run", "--select", "stg_lines", "--target", "prod", "--target-path", str(tmp_path)),
    )
    assert built.returncode != 0
    assert "production is built from everything" in said(built)
    assert analyst.walkhouse("diff", "current", "warehouse").returncode == 0
    assert before.keys() == warehouse_files(analyst).keys()


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ({"sessions": "0"}, "sample_sessions 0.0 must be a share above 0 and at most 1"),
        ({"sessions": "half"}, "sample_sessions half must be a share above 0 and at most 1"),
        ({"from": "soon"}, "sample_from soon must be a day such as 2026-03-01"),
        (
            {"from": "2026-03-02", "until": "2026-03-02"},
            "sample_until 2026-03-02 must be after sample_from 2026-03-02",
        ),
    ],
)
def test_a_sample_that_makes_no_sense_is_refused(
    analyst: Installation, sample: dict[str, str], says: str
) -> None:
    asked = dbt_of_sample(analyst, sample, "run-operation", "sample_asked_for")
    assert asked.returncode != 0
    assert says in " ".join(said(asked).split())


def test_a_sample_as_a_variable_is_refused_and_nothing_is_built(
    analyst: Installation, tmp_path: Path
) -> None:
    asked = analyst.dbt(
        *("run-operation", "sample_asked_for", "--vars", "{sample_sessions: 0.5}"),
        # So that what is parsed without it is not lost.
        *("--target-path", str(tmp_path)),
    )
    assert asked.returncode != 0
    assert "set WALKHOUSE_SAMPLE_SESSIONS in the environment" in " ".join(said(asked).split())


def test_another_sample_is_no_reason_to_parse_the_project_anew(analyst: Installation) -> None:
    parsed = analyst.dbt("--debug", "parse")
    assert parsed.returncode == 0, said(parsed)
    again = dbt_of_sample(analyst, {"from": "2026-03-04"}, "--debug", "parse")
    assert again.returncode == 0, said(again)
    assert "Partial parsing enabled, no changes found, skipping parsing" in said(again)


def test_without_a_sample_the_development_copy_equals_production(analyst: Installation) -> None:
    selected = [f"+{name}" for name in (*ASKED_FOR, *ALSO_ASKED_FOR)]
    built = analyst.dbt("build", *NO_TESTS, "--select", *selected)
    assert built.returncode == 0, said(built)
    tables = ("fct_item_events", "fct_sessions", "rpt_flows", "rpt_items_daily")
    named = [part for table in tables for part in ("--table", table)]
    compared = analyst.walkhouse("diff", "current", "dev", *named)
    assert compared.returncode == 0, said(compared)


# ---------- metrics


def asked(
    analyst: Installation, tmp_path: Path, metrics: list[str], group_by: list[str]
) -> dict[tuple[str, ...], dict[str, float | None]]:
    """What `mf query` says: the metrics by the values of the dimensions, empty for null."""
    answer = tmp_path / "answer.csv"
    run = analyst.program(
        *("mf", "query", "--metrics", ",".join(metrics)),
        *("--group-by", ",".join(group_by), "--csv", str(answer)),
        cwd=analyst.dbt_project,
    )
    assert run.returncode == 0, said(run)
    with answer.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        tuple(row[column].removesuffix(" 00:00:00") for column in group_by): {
            metric: float(row[metric]) if row[metric] else None for metric in metrics
        }
        for row in rows
    }


def reported(
    analyst: Installation, table: str, columns: dict[str, str], key: list[str]
) -> dict[tuple[str, ...], dict[str, float | None]]:
    """The same from a report: its columns under the names of the metrics."""
    rows = analyst.ask(
        f"select {', '.join([*key, *columns.values()])} from reports.{table} order by all"
    )
    return {
        tuple("" if value is None else str(value) for value in row[: len(key)]): dict(
            zip(columns, row[len(key) :], strict=True)
        )
        for row in rows
    }


def assert_same(
    answer: dict[tuple[str, ...], dict[str, float | None]],
    report: dict[tuple[str, ...], dict[str, float | None]],
) -> None:
    assert answer.keys() == report.keys()
    for key, metrics in report.items():
        for metric, value in metrics.items():
            got = answer[key][metric]
            if value is None or got is None:
                assert got is value, (key, metric)
            else:  # reports round percentiles to the thousandth of a millisecond
                assert math.isclose(got, value, rel_tol=1e-9, abs_tol=1e-6), (key, metric)


SESSION_METRICS = {
    "sessions": "sessions",
    "engaged_sessions": "engaged_sessions",
    "engagement_rate": "engagement_rate",
    "session_end_users": "end_users",
    "sessions_per_user": "sessions_per_user",
    "session_events": "events",
    "events_per_session": "events_per_session",
    "session_interactions": "interactions",
    "interactions_per_session": "interactions_per_session",
    "session_seconds": "duration_seconds",
    "avg_session_seconds": "avg_duration_seconds",
    "median_session_seconds": "median_duration_seconds",
    "p90_session_seconds": "p90_duration_seconds",
}
ITEM_METRICS = (
    "exposures",
    "interactions",
    "outcomes",
    "end_users_exposed",
    "end_users_interacted",
    "sessions_exposed",
    "sessions_interacted",
    "sessions_exposed_or_interacted",
    "interaction_rate",
)
FLOW_METRICS = {
    "flow_plays": "plays",
    "failed_plays": "failed",
    "flow_failure_rate": "failure_rate",
    "completable_plays": "completable_plays",
    "completed_plays": "completed",
    "completion_rate": "completion_rate",
}
PEOPLE_METRICS = {
    "active_people": "people",
    "active_people_28_days": "people_28_days",
    "stickiness": "stickiness",
    "engaged_people": "engaged_people",
}
SCORE_METRICS = {
    "nps_answers": "nps_answers",
    "promoters": "promoters",
    "detractors": "detractors",
    "nps": "nps",
}


def test_the_metrics_of_sessions_are_those_of_the_report(
    analyst: Installation, tmp_path: Path
) -> None:
    answer = asked(
        analyst,
        tmp_path,
        list(SESSION_METRICS),
        ["metric_time__day", "session__system_id"],
    )
    report = reported(analyst, "rpt_sessions_daily", SESSION_METRICS, ["report_date", "system_id"])
    assert_same(answer, report)
    assert answer["2026-03-09", SYSTEM]["engaged_sessions"] == 1


def test_the_metrics_of_items_are_those_of_the_report(
    analyst: Installation, tmp_path: Path
) -> None:
    key = ["system_id", "item_type", "item_id", "item_key"]
    answer = asked(
        analyst,
        tmp_path,
        list(ITEM_METRICS),
        ["metric_time__day", *(f"item_event__{column}" for column in key)],
    )
    report = reported(
        analyst,
        "rpt_items_daily",
        {metric: metric for metric in ITEM_METRICS},
        ["report_date", *key],
    )
    assert_same(answer, report)
    # Completed on a day on which it was neither shown nor acted on: there is no rate.
    (task,) = (key for key in report if key[:4] == ("2026-03-03", SYSTEM, "Task", "k1"))
    assert report[task]["interaction_rate"] is None


def test_the_metrics_of_flows_are_those_of_the_report(
    analyst: Installation, tmp_path: Path
) -> None:
    key = ["system_id", "item_type", "item_id", "item_key"]
    answer = asked(
        analyst,
        tmp_path,
        list(FLOW_METRICS),
        ["metric_time__day", *(f"flow_play__{column}" for column in key)],
    )
    assert_same(answer, reported(analyst, "rpt_flows_daily", FLOW_METRICS, ["report_date", *key]))
    f2 = [row for key, row in answer.items() if key[:1] + key[3:4] == ("2026-03-05", "f2")]
    assert [row["completion_rate"] for row in f2] == [0.5]


def test_the_metrics_of_people_are_those_of_the_report(
    analyst: Installation, tmp_path: Path
) -> None:
    answer = asked(analyst, tmp_path, list(PEOPLE_METRICS), ["metric_time__day", "system"])
    report = reported(analyst, "rpt_active_people", PEOPLE_METRICS, ["report_date", "system_id"])
    # Metrics have no days without anybody, and nothing for all systems beside those for each.
    assert_same(
        {day: row for day, row in answer.items() if row["active_people"]},
        {day: row for day, row in report.items() if row["active_people"] and day[1]},
    )
    by_department = asked(
        analyst,
        tmp_path,
        ["active_people", "adoption_rate"],
        ["metric_time__week", "person__department"],
    )
    assert by_department["2026-03-09", "unknown"] == {"active_people": 2, "adoption_rate": 0.5}
    assert by_department["2026-03-09", "HR"] == {"active_people": 1, "adoption_rate": 1}


PEOPLE, USE = ("active_people", "adoption_rate"), ("completion_rate", "nps")
NAMED = ("system__system_name", "item__item_name")


def test_what_people_ask_of_metrics_can_be_grouped_by_all_that_they_ask(
    analyst: Installation, tmp_path: Path
) -> None:
    by_all = asked(
        analyst,
        tmp_path,
        [*PEOPLE, *USE],
        [*NAMED, "metric_time__week", "session__person__department"],
    )
    assert by_all[SYSTEM, "Tour", "2026-03-02", "unknown"] == {
        **{"active_people": 1, "adoption_rate": 1.0},
        **{"completion_rate": None, "nps": None},
    }
    flow = by_all[SYSTEM, "The flow f1", "2026-03-02", "HR"]
    assert (flow["active_people"], flow["completion_rate"]) == (1, 1.0)
    by_day = asked(
        analyst,
        tmp_path,
        ["stickiness", "active_people_28_days"],
        [*NAMED, "metric_time__day", "person__department"],
    )
    # Used once, and since then in the last 28 days.
    days = [by_day[SYSTEM, "Tour", f"2026-03-{day:02}", "unknown"] for day in range(5, 16)]
    assert [day["stickiness"] for day in days] == [1, *[0] * 10]
    assert {day["active_people_28_days"] for day in days} == {1}


def test_stickiness_of_a_week_is_made_of_its_days(analyst: Installation, tmp_path: Path) -> None:
    by_week = asked(
        analyst, tmp_path, ["stickiness", "active_people_28_days"], ["metric_time__week"]
    )
    expected = analyst.ask(
        """
        select
            cast(date_trunc('week', report_date) as date), sum(people) / sum(people_28_days),
            arg_max(people_28_days, report_date)
        from reports.rpt_active_people
        where system_id is null
        group by all
        """
    )
    assert by_week == {
        (str(week),): {"stickiness": pytest.approx(share), "active_people_28_days": people}
        for week, share, people in expected
    }


def test_the_net_promoter_score_is_that_of_the_report(
    analyst: Installation, tmp_path: Path
) -> None:
    key = ["system_id", "item_key"]
    answer = asked(
        analyst,
        tmp_path,
        list(SCORE_METRICS),
        ["metric_time__day", *(f"score__{column}" for column in key)],
    )
    report = reported(analyst, "rpt_surveys", SCORE_METRICS, ["report_date", *key])
    assert_same(answer, {day: row for day, row in report.items() if row["nps_answers"]})
    by_week = asked(
        analyst,
        tmp_path,
        ["nps"],
        ["metric_time__week", "system__system_name", "session__person__department"],
    )
    assert by_week == {
        ("2026-03-02", SYSTEM, "Sales"): {"nps": 100.0},
        ("2026-03-02", SYSTEM, "unknown"): {"nps": -100.0},
        ("2026-03-09", SYSTEM, "HR"): {"nps": 100.0},
    }


def test_metrics_are_asked_by_the_dimensions_of_other_tables(analyst: Installation) -> None:
    exit_code, text = follow(analyst, command("mf query"))
    assert exit_code == 0, text
    assert "News" in text


def test_production_has_no_nodes_for_metrics(analyst: Installation) -> None:
    manifest = json.loads((analyst.prepared / "manifest.json").read_text("utf-8"))
    assert not manifest["semantic_models"]
    assert not manifest["metrics"]
    assert "model.walkhouse.time_spine" not in manifest["nodes"]


# ---------- questions


@pytest.fixture(scope="module")
def compiled(analyst: Installation) -> Path:
    """The folder of the compiled queries."""
    run = analyst.dbt("compile", "--select", "path:analyses")
    assert run.returncode == 0, said(run)
    return analyst.dbt_project / "target" / "compiled" / "walkhouse" / "analyses"


@pytest.fixture
def answers(analyst: Installation, compiled: Path) -> Any:
    def answer(question: str) -> list[dict[str, Any]]:
        query = (compiled / f"{question}.sql").read_text(encoding="utf-8")
        with duckdb.connect(str(analyst.home / "dev.duckdb"), read_only=True) as connection:
            cursor = connection.execute(query)
            columns = [column[0] for column in cursor.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]

    return answer


def values(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[column] for column in columns) for row in rows]


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_who_never_used_an_item(answers: Any) -> None:
    told = answers("who_never_used_an_item")
    rows = [row for row in told if row["item_id"] in ("l1", "l2", "k1")]
    # Eve used the second launcher under another id.
    assert values(rows, "item_type", "item_id", "person_id", "was_exposed", "exposures") == [
        ("Launcher", "l1", "ann", True, 1),
        ("Launcher", "l1", "cem", True, 1),
        ("Launcher", "l1", "eve", False, 0),
        ("Launcher", "l2", "ann", False, 0),
        ("Launcher", "l2", "ben", False, 0),
        ("Launcher", "l2", "cem", False, 0),
        ("Task", "k1", "ben", False, 0),
        ("Task", "k1", "cem", False, 0),
        ("Task", "k1", "eve", False, 0),
    ]
    assert {row["system_id"] for row in told} == {SYSTEM}
    # Nobody can act on a step.
    assert not [row for row in told if row["item_type"].endswith("Step")]


def test_which_searches_led_nowhere(answers: Any) -> None:
    assert [tuple(row.values()) for row in answers("searches_that_led_nowhere")] == [
        ("HR", "travel", 1, 1, 1, 1.0),
        ("Sales", "travel", 2, 1, 1, 0.5),
    ]


def test_flow_completion_before_and_after_a_republished_version(answers: Any) -> None:
    rows = [tuple(row.values()) for row in answers("flow_completion_before_and_after")]
    flow = (SYSTEM, "Smart Walk-Thru")
    assert rows == [
        (*flow, "a1", "The flow a1", 1, 1, 1.0, 1, 1, 1.0, 0.0),
        (*flow, "f1", "The flow f1", 2, 1, 0.5, 1, 0, 0.0, -0.5),
        (*flow, "f2", "The flow f2", 2, 1, 0.5, 0, 0, None, None),
    ]


def test_how_completion_changes_from_week_to_week(answers: Any) -> None:
    rows = answers("flow_completion_by_week")
    columns = ("item_id", "week", "plays", "completed", "completion_rate", "difference")
    weeks = [dt.date(2026, 2, 23), dt.date(2026, 3, 2), dt.date(2026, 3, 9)]
    assert values(rows, *columns) == [
        ("a1", weeks[1], 1, 1, 1.0, None),
        ("a1", weeks[2], 1, 1, 1.0, 0.0),
        ("f1", weeks[0], 2, 0, 0.0, None),
        ("f1", weeks[1], 1, 1, 1.0, 1.0),
        ("f1", weeks[2], 2, 0, 0.0, -1.0),
        ("f2", weeks[1], 2, 1, 0.5, None),
    ]


def test_what_completing_a_flow_goes_with(answers: Any) -> None:
    """Of who never saw a1, one was seen before it only, and the days of another are not over."""
    rows = answers("what_completing_a_flow_goes_with")
    columns = ("people_completed", "people_completed_reached", "completed_rate")
    others = ("people_never_shown", "people_never_shown_reached", "never_shown_rate")
    assert values(rows, "flow_item_id", "goal_item_id", *columns, *others) == [
        ("a1", "k2", 1, 0, 0.0, 1, 0, 0.0)
    ]
    assert values(rows, "difference_to_never_shown", "is_more_than_chance") == [(0.0, False)]
    assert values(rows, "difference_to_never_shown_low", "difference_to_never_shown_high") == [
        (-0.793451, 0.793451)
    ]


def test_what_leads_to_a_flow(answers: Any) -> None:
    """Five sessions started f1, four of them with it; f2 followed what was used before a log-in."""
    flow = (SYSTEM, "Smart Walk-Thru")
    assert [tuple(row.values()) for row in answers("what_leads_to_a_flow")] == [
        (*flow, "f1", "The flow f1", "WidgetSearch", None, None, 5, 1, 0.2),
        (*flow, "f2", "The flow f2", "Launcher", "l2", "Tour", 1, 1, 1.0),
    ]


def test_who_completed_a_task_after_three_items(answers: Any) -> None:
    assert [tuple(row.values()) for row in answers("tasks_completed_after_three_items")] == [
        (SYSTEM, "ann", 3, at("2026-03-02T10:00:20"), at("2026-03-02T10:00:40"), 1, True),
        (SYSTEM, "ben", 8, at("2026-03-03T10:00:40"), None, 0, False),
        # One of the three under another id.
        (SYSTEM, "eve", 3, at("2026-03-05T10:00:22"), None, 0, False),
    ]


def test_how_long_cohorts_take_to_interact(answers: Any) -> None:
    assert [tuple(row.values()) for row in answers("time_to_first_interaction")] == [
        (SYSTEM, dt.date(2026, 2, 23), 1, 1, 1.0, 0.0, 0.0),
        (SYSTEM, dt.date(2026, 3, 2), 2, 2, 1.0, 25.0, 29.0),
        (SYSTEM, dt.date(2026, 3, 9), 1, 0, 0.0, None, None),
        (OTHER_SYSTEM, dt.date(2026, 3, 2), 1, 1, 1.0, 0.0, 0.0),
    ]


def test_which_automations_ran_beside_which_flows(answers: Any) -> None:
    flow = ("a1", "The flow a1", "Smart Walk-Thru", "f1", "The flow f1")
    assert [tuple(row.values()) for row in answers("automations_beside_flows")] == [
        (SYSTEM, *flow, 1, 1, 1)
    ]


def test_how_often_departments_come_back(answers: Any) -> None:
    assert [tuple(row.values()) for row in answers("departments_that_come_back")] == [
        ("HR", 1, 1, 1.0, 2, 6.042),
        ("unknown", 3, 1, 1 / 3, 6, 4.416),
        ("Sales", 1, 0, 0.0, 1, None),
    ]


def test_which_systems_are_in_use(answers: Any) -> None:
    """Without a host, a system is called by its id."""
    assert [tuple(row.values()) for row in answers("systems_in_use")] == [
        (SYSTEM, 5, 9, 1.8, dt.date(2026, 3, 15), 0),
        (OTHER_SYSTEM, 1, 1, 1.0, dt.date(2026, 3, 4), 11),
    ]


def test_which_systems_became_a_habit(answers: Any) -> None:
    assert [tuple(row.values()) for row in answers("systems_that_became_a_habit")] == [
        (SYSTEM, SYSTEM, 16, 8 / 50, 7 / 43, 4, 0),
        (None, "All systems", 16, 9 / 62, 8 / 55, 5, 0),
        (OTHER_SYSTEM, OTHER_SYSTEM, 12, 1 / 12, 1 / 12, 1, 0),
    ]


def test_which_departments_are_left_behind(answers: Any) -> None:
    assert [tuple(row.values()) for row in answers("departments_left_behind")] == [
        (dt.date(2026, 3, 9), SYSTEM, "unknown", 2, 1, 0.5, 2 / 3),
    ]


def test_every_question_is_described_and_tested(compiled: Path) -> None:
    described = re.findall(
        r"^  - name: (\w+)$",
        (DBT_PROJECT / "analyses" / "_analyses.yml").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert sorted(described) == sorted(path.stem for path in compiled.glob("*.sql"))
    tests = Path(__file__).read_text(encoding="utf-8")
    assert all(f'answers("{question}")' in tests for question in described)


# ---------- the file


def test_gaps_that_replaced_rows_left_are_closed_when_there_are_many(analyst: Installation) -> None:
    """What is closed is seen from a table of several row groups, which DuckDB puts together."""
    built = analyst.dbt("build", "--select", "+fct_item_events", *NO_TESTS)
    assert built.returncode == 0, said(built)
    rows = dev(analyst, "select count(*) from facts.fct_item_events")[0][0]

    def gaps_after(change: str) -> int:
        file = str(analyst.home / "dev.duckdb")
        with duckdb.connect(file, config={"max_vacuum_tasks": 0}) as connection:
            connection.execute(change)
        built = analyst.dbt("run", "--select", "fct_item_events")
        assert built.returncode == 0, said(built)
        stored = dev(
            analyst,
            "select estimated_size from duckdb_tables() where table_name = 'fct_item_events'",
        )
        return int(stored[0][0] - dev(analyst, "select count(*) from facts.fct_item_events")[0][0])

    gaps = gaps_after(
        """
        insert into facts.fct_item_events
        select events.* replace ('of 1999' as event_key, date '1999-01-01' as event_date)
        from (select * from facts.fct_item_events limit 1) as events, range(500000);
        delete from facts.fct_item_events
        where event_key = 'of 1999' and rowid % 10 = 0
        """
    )
    assert 49_000 < gaps < 51_000
    assert gaps_after("delete from facts.fct_item_events where event_key = 'of 1999'") == 0
    assert dev(analyst, "select count(*) from facts.fct_item_events") == [(rows,)]


@pytest.mark.parametrize("build", ["whole", "one date of it"])
def test_rows_lie_in_the_order_that_their_model_asks_for(analyst: Installation, build: str) -> None:
    table = "intermediate.int_item_users_by_home"
    built_dates = "true"
    if build == "whole":
        selected = ("--select", "+int_item_users_by_home")
        built = analyst.dbt("build", "--full-refresh", *selected, *NO_TESTS)
    else:
        ((busiest,),) = dev(analyst, f"select mode(home_date) from {table}")
        built_dates = f"home_date = date '{busiest}'"
        with duckdb.connect(str(analyst.home / "dev.duckdb")) as connection:
            connection.execute(
                f"""
                update audit.versions set version = 'another'
                where table_name = '{table}' and date = date '{busiest}'
                """
            )
        built = analyst.dbt("run", "--select", "int_item_users_by_home")
    assert built.returncode == 0, said(built)
    users = f"select home_date, end_user_id, item_id from {table} where {built_dates}"
    rows = dev(analyst, f"{users} order by rowid")
    assert len(rows) > 10
    assert rows == dev(analyst, f"{users} order by home_date, end_user_id, item_id")


# ---------- one change, as the page walks through it


def change(analyst: Installation, number: int) -> None:
    name, old, new = CHANGES[number]
    path = analyst.dbt_project.parent / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_changed_model_fails_its_unit_test(analyst: Installation) -> None:
    change(analyst, 0)
    exit_code, text = follow(analyst, command("dbt test"))
    assert exit_code == 1
    assert "actual differs from expected" in text
    assert "0.5→0.6666666666666666" in text


def test_with_its_unit_test_corrected_it_is_built_and_shown(analyst: Installation) -> None:
    change(analyst, 1)
    exit_code, text = follow(analyst, command("build --select +rpt_flows"))
    assert exit_code == 0, text
    assert "ERROR=0" in text
    exit_code, text = follow(analyst, command("dbt show"))
    assert exit_code == 0, text
    assert "completion_rate" in text


def test_what_it_changes_in_production_is_told(analyst: Installation) -> None:
    exit_code, text = follow(analyst, command("walkhouse diff"))
    assert exit_code == 1
    assert "reports.rpt_flows: column completion_rate: 1 value differs" in text
    assert "completion_rate 0.5 → 1.0" in text
    assert "1 table compared: 0 equal, 1 differ" in text


def test_it_is_linted(analyst: Installation) -> None:
    exit_code, text = follow(analyst, command("sqlfluff"))
    assert exit_code == 0, text


def test_its_documentation_is_written(analyst: Installation) -> None:
    exit_code, text = follow(analyst, command("docs generate"))
    assert exit_code == 0, text
    assert (analyst.dbt_project / "target" / "index.html").exists()


@pytest.mark.slow
def test_it_is_published_once_it_is_deployed_and_not_before(analyst: Installation) -> None:
    rate = "select completion_rate from reports.rpt_flows where item_id = 'f2'"
    exit_code, text = follow(analyst, command("walkhouse run"))
    assert exit_code == 0, text
    assert "is not the deployed one" in text
    assert analyst.ask(rate) == [(0.5,)]
    exit_code, text = follow(analyst, command("walkhouse deploy"))
    assert exit_code == 0, text
    for name in {name for name, _, _ in CHANGES}:
        assert f"changed  {name.removeprefix('dbt_project/')}" in text
    assert "reports.rpt_flows: column completion_rate: 1 value differs" in text
    assert ": completion_rate 0.5 → 1.0" in text
    exit_code, text = follow(analyst, command("walkhouse run"))
    assert exit_code == 0, text
    assert analyst.ask(rate) == [(1.0,)]
    ((project,),) = analyst.ask("select project from meta.release")
    assert project == analyst.prepared.parents[1].name


def test_the_page_works_in_its_order() -> None:
    """The first command builds the copy that others read; what replaces it comes after them."""
    reading = ("dbt test", "+rpt_flows", "dbt show", "docs generate", "walkhouse diff", "mf query")
    positions = [
        number for number, line in enumerate(COMMANDS) if any(part in line for part in reading)
    ]
    assert COMMANDS[0] == "../.venv/bin/dbt build"
    assert len(positions) == len(reading)
    (sample,) = [line for line in COMMANDS if "sample_from" in line.lower()]
    assert max(positions) < COMMANDS.index(sample)


def test_every_other_command_of_the_page_is_run_by_a_test() -> None:
    run_here = [
        "WALKHOUSE_SAMPLE",
        "dbt test",
        "build --select +rpt_flows",
        "dbt show",
        "diff",
        "sqlfluff",
    ]
    run_here += ["docs generate", "mf query", "walkhouse deploy", "walkhouse run"]
    run_elsewhere = {
        "../.venv/bin/dbt build",  # tests/whole/test_operation.py
        ".venv/bin/walkhouse dictionary",  # tests/contract/test_contract.py
        "make lint",
        "make test",
    }
    left = [line for line in COMMANDS if not any(part in line for part in run_here)]
    assert set(left) == run_elsewhere
