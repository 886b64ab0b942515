"""Columns: what their types are, and what they are computed from."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from dagster_project.defs.assets.column_metadata import origin_sentence
from dagster_project.models.columns import Column, Columns, Origin, Relation, columns_of
from dagster_project.models.prepared import keep_columns, load_columns
from dagster_project.registry import load_published_tables

EVENTS = Relation(
    "raw.events", {"id": "varchar", "seen": "timestamp", "kind": "varchar", "before": "varchar[]"}
)
NAMES = Relation("raw.names", {"id": "varchar", "name": "varchar"})


def found(*sql: str) -> tuple[Column, ...]:
    """The columns of the last of some queries, which read each other as `m.q0`, `m.q1`, …."""
    queries = [Relation(f"m.q{number}", {}, each) for number, each in enumerate(sql)]
    return columns_of([EVENTS, NAMES, *queries], database="house")[queries[-1].name]


def origins(*sql: str) -> dict[str, Origin | None]:
    return {column.name: column.origin for column in found(*sql)}


def of(*columns: str, rows: tuple[str, ...] = ()) -> Origin:
    pairs = [column.rpartition(".") for column in columns]
    return Origin(tuple((table, column) for table, _, column in pairs), rows)


def test_through_steps_that_rename_and_compute() -> None:
    sql = """
        with first as (select *, kind || id as full_id from raw.events),
        second as (select seen as happened, upper(full_id) as label, 'x' as mark from first)
        select label, cast(happened as date) as day, mark from second
        where mark is not null
    """
    assert origins(sql) == {
        "label": of("raw.events.id", "raw.events.kind"),
        "day": of("raw.events.seen"),
        "mark": of(),
    }


def test_a_join_gives_each_column_its_side_and_does_not_count_as_an_origin() -> None:
    sql = """
        select events.id, coalesce(names.name, events.kind) as name
        from "house"."raw"."events" as events
        left join "house"."raw"."names" as names on events.id = names.id and events.seen is not null
    """
    assert origins(sql) == {
        "id": of("raw.events.id"),
        "name": of("raw.events.kind", "raw.names.name"),
    }


def test_a_union_takes_from_all_parts_by_position() -> None:
    sql = "select id as key, kind as text from raw.events union all select name, id from raw.names"
    assert origins(sql) == {
        "key": of("raw.events.id", "raw.names.name"),
        "text": of("raw.events.kind", "raw.names.id"),
    }


def test_an_aggregate_takes_from_its_arguments_and_filters_and_counts_rows() -> None:
    sql = """
        with totals as (
            select
                kind,
                max(seen) as last,
                count(*) as events,
                count(*) filter (where id <> '') as known,
                arg_max(id, (seen, kind)) as newest
            from raw.events group by kind
        )
        select *, known / events as share from totals
    """
    rows = ("raw.events",)
    assert origins(sql) == {
        "kind": of("raw.events.kind"),
        "last": of("raw.events.seen"),
        "events": of(rows=rows),
        "known": of("raw.events.id", rows=rows),
        "newest": of("raw.events.id", "raw.events.kind", "raw.events.seen"),
        "share": of("raw.events.id", rows=rows),
    }


def test_a_count_of_what_was_made_distinct_takes_from_what_made_it_so() -> None:
    sql = """
        with days as (
            select id, cast(seen as date) as day, max(kind) as kind
            from raw.events group by id, cast(seen as date)
        ),
        kinds as (select distinct kind from raw.events),
        moved as (select id, lag(seen) over (partition by id order by seen) as last from raw.events)
        select
            (select count(*) from days) as days,
            (select count(*) from kinds) as kinds,
            (select count(*) from moved) as events
    """
    assert origins(sql) == {
        "days": of("raw.events.id", "raw.events.seen"),
        "kinds": of("raw.events.kind"),
        "events": of(rows=("raw.events",)),
    }


def test_a_list_that_is_unfolded_and_a_window() -> None:
    sql = """
        select
            earlier as id,
            row_number() over (partition by kind order by seen) as position
        from raw.events
        cross join unnest(before) as unfolded (earlier)
    """
    assert origins(sql) == {
        "id": of("raw.events.before"),
        "position": of("raw.events.kind", "raw.events.seen"),
    }


def test_what_a_recursive_part_takes_from_itself_comes_from_where_that_comes_from() -> None:
    sql = """
        with recursive reached as (
            select id, kind as via, 1 as steps from raw.events
            union
            select names.name, reached.id, reached.steps + 1
            from reached inner join raw.names as names on reached.id = names.id
        )
        select id, via, steps from reached
    """
    assert origins(sql) == {
        "id": of("raw.events.id", "raw.names.name"),
        "via": of("raw.events.id", "raw.events.kind", "raw.names.name"),
        "steps": of(),
    }


def test_the_next_table_reads_the_columns_of_the_one_before() -> None:
    assert origins("select id as key, seen from raw.events", "select * from m.q0") == {
        "key": of("m.q0.key"),
        "seen": of("m.q0.seen"),
    }


def test_types_are_those_of_the_database_in_portable_names() -> None:
    sql = "select seen, before, count(*) as n, any_value(kind) as kind from raw.events group by all"
    assert [column.data_type for column in found(sql)] == [
        "timestamp",
        "string[]",
        "bigint",
        "string",
    ]


def test_of_a_table_that_nobody_knows_nothing_is_said_but_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    unbound = Relation("m.lost", {}, "select * from elsewhere.orders")
    declared = Relation("m.noted", {"id": "varchar"}, "select id from elsewhere.orders")
    with caplog.at_level(logging.WARNING, "walkhouse"):
        columns = columns_of([EVENTS, unbound, declared], database="house")
    assert "the columns of m.lost are not known: " in caplog.text
    assert columns.keys() == {"raw.events", "m.noted"}
    assert columns["m.noted"] == (Column("id", "string", None),)


@pytest.mark.parametrize(
    "sql",
    [
        "select id from raw.events union all by name select name, id from raw.names",
        "select id, events as whole from raw.events",
        "select exists (select 1 from raw.names where names.id = events.id) as it from raw.events",
        "select unnest(struct_pack(one := id, two := kind)) from raw.events",
        "pivot raw.events on kind in ('a', 'b') using max(seen) group by id",
        "select range as number from range(10)",
    ],
)
def test_of_what_cannot_be_traced_nothing_is_said(sql: str) -> None:
    columns = found(sql)
    assert columns[-1].origin is None
    assert columns[-1].data_type


def test_columns_are_kept_for_the_project_that_they_are_of_and_for_no_other(
    columns: Columns, tmp_path: Path
) -> None:
    keep_columns(tmp_path, "a project", columns)
    assert load_columns(tmp_path, "a project") == columns
    assert load_columns(tmp_path, "another project") == {}
    assert load_columns(tmp_path / "elsewhere", "a project") == {}


def test_the_sentence_links_to_the_assets_and_a_constant_has_none() -> None:
    assert origin_sentence(of()) == ""
    assert origin_sentence(of("raw.events.id", "raw.events.seen", rows=("raw.names",))) == (
        "from [raw/events](/assets/raw/events): `id`, `seen`; "
        "counts rows of [raw/names](/assets/raw/names)"
    )


# ---------- the project

CONSTANTS = {
    # Each is one event by itself.
    ("facts.fct_support_contacts", "events"),
    ("facts.fct_resources", "events"),
    ("facts.fct_menu_opens", "events"),
    ("facts.fct_survey_answers", "events"),
    # Which variable a row is about, and a sentence.
    ("reports.rpt_adoption_by_attribute", "attribute"),
    ("reports.rpt_flow_impact", "caveat"),
}
GAPS = {
    "meta.rebuilds",  # what the builds note themselves is no model: it comes from no asset
    "audit.results_by_home_date",  # asks whether a row exists, of which sqlglot says nothing
}


@pytest.mark.parametrize(
    ("column", "origin"),
    [
        ("staging.stg_content_steps.step_name", of("raw.content_items.steps")),
        (
            "facts.fct_item_events.home_date",
            of("intermediate.int_visits.home_date", "staging.stg_item_events.event_date"),
        ),
        ("intermediate.int_visits.home_date", of("staging.stg_item_events.event_date")),
        (
            "facts.fct_item_events.engagement",
            of(
                "seeds.event_definitions.engagement",
                "seeds.event_definitions.engagement_when_system_initiated",
                "seeds.initiators.is_user_initiated",
            ),
        ),
        (
            "facts.fct_sessions.longest_idle_seconds",
            of(
                "facts.fct_item_events.occurred_at",
            ),
        ),
        (
            "reports.rpt_flows.completion_rate",
            of(
                "facts.fct_flow_plays.has_known_end",
                "facts.fct_flow_plays.result",
                rows=("facts.fct_flow_plays",),
            ),
        ),
        ("reports.rpt_flows.plays", of(rows=("facts.fct_flow_plays",))),
        (
            "reports.rpt_retention_weekly.users",
            of(
                "facts.fct_sessions.end_user_id",
                "facts.fct_sessions.started_at",
                "intermediate.int_people.person_id",
            ),
        ),
        (
            "reports.rpt_surveys.report_date",
            of("facts.fct_survey_answers.started_at", "facts.fct_surveys.first_event_at"),
        ),
    ],
)
def test_columns_of_the_project_come_from_where_they_do(
    columns: Columns, column: str, origin: Origin
) -> None:
    table, _, name = column.rpartition(".")
    assert {each.name: each.origin for each in columns[table]}[name] == origin


def test_every_published_column_but_constants_has_its_origin(columns: Columns) -> None:
    tables = [".".join(table) for table in load_published_tables()]
    lacking = {
        (table, column.name)
        for table in tables
        if table not in GAPS
        for column in columns[table]
        if column.origin is None or not (column.origin.columns or column.origin.rows)
    }
    assert lacking == CONSTANTS


def test_the_known_gaps_are_all(columns: Columns) -> None:
    unknown = {
        table
        for table, members in columns.items()
        if not table.startswith(("raw.", "seeds."))
        if any(column.origin is None for column in members)
    }
    assert unknown == GAPS


def test_an_origin_is_a_column_that_exists(columns: Columns) -> None:
    names = {(table, column.name) for table, members in columns.items() for column in members}
    for table, members in columns.items():
        for column in members:
            if column.origin is not None:
                assert set(column.origin.columns) <= names, (table, column.name)
                assert columns.keys() >= set(column.origin.rows), (table, column.name)
