"""What breaks each invariant: the list that says of every one how it is seen to fail.

`SIMULATED` is planted by the simulator, `BY_SEEDS` by the simulator once the seeds have what the
invariant speaks about, and `TAMPERING` are changes behind the back of a built warehouse.
"""

from collections.abc import Mapping

from dagster_project.simulate import PLANTABLE

SIMULATED = PLANTABLE
BY_SEEDS = frozenset({"other_caps_hold"})  # tests/whole/test_seeds.py

TAMPERING: Mapping[str, tuple[str, ...]] = {
    "lines_are_all_accounted_for": (
        "update meta.dump_ledger set lines = lines + 1 where source_file in"
        " (select min(source_file) from meta.dump_ledger)",
    ),
    "facts_hold_every_accepted_line": (
        "delete from facts.fct_item_events where event_key in"
        " (select max(event_key) from facts.fct_item_events)",
    ),
    "event_key_is_unique": (
        "insert into facts.fct_item_events"
        " from facts.fct_item_events where event_key in"
        " (select min(event_key) from facts.fct_item_events)",
    ),
    "every_pair_is_defined": (
        "update facts.fct_item_events set event = 'Levitate' where event_key in"
        " (select min(event_key) from facts.fct_item_events)",
    ),
    "sessions_hold_every_event": (
        "update facts.fct_sessions set events = events + 1 where session_id in"
        " (select min(session_id) from facts.fct_sessions)",
    ),
    "keys_are_unique": ("insert into facts.fct_sessions from facts.fct_sessions limit 1",),
    "people_add_up": (
        "update facts.dim_end_users set person_id = 'somebody else' where end_user_id in"
        " (select min(end_user_id) from facts.dim_end_users)",
    ),
    "reports_add_up": (
        "update reports.rpt_launchers set clicks = clicks + 1"
        " where rowid = (select min(rowid) from reports.rpt_launchers)",
        "update reports.rpt_flow_funnel set plays_reached = plays_reached - 1"
        " where rowid = (select min(rowid) from reports.rpt_flow_funnel)",
        "delete from reports.rpt_quizzes"
        " where rowid = (select min(rowid) from reports.rpt_quizzes)",
        # Near-misses: nothing that is a total of a fact, and a total that stays what it was.
        "update reports.rpt_tasks set end_users = end_users + 1",
        "update reports.rpt_smarttips set hovers = hovers + 1"
        " where rowid = (select min(rowid) from reports.rpt_smarttips)",
        "update reports.rpt_smarttips set hovers = hovers - 1 where rowid ="
        " (select min(other.rowid) from reports.rpt_smarttips as one"
        " inner join reports.rpt_smarttips as other using (report_date, system_id)"
        " where one.rowid = (select min(rowid) from reports.rpt_smarttips)"
        " and other.rowid > one.rowid)",
    ),
}
# Reports whose totals are wrong after that, among those whose facts were left alone.
TAMPERED_REPORTS = {"rpt_launchers", "rpt_flow_funnel", "rpt_quizzes"}
TAMPERED_FACTS = {"fct_item_events", "fct_sessions"}
