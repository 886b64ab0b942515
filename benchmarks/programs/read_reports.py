"""One reader: asks every report its typical question, over and over, until a file tells it to stop.

It opens what is published anew for each round, as a dashboard does that is loaded again, so it
meets the new release as soon as there is one.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import duckdb

# A person looks at an answer before the next question; without that, readers alone fill the
# machine, and nothing that happens beside them would show.
_PAUSE_SECONDS = 0.1

# Charts over the last four weeks, rankings, and one session or flow looked up.
_LATEST = "report_date > (select max(report_date) - 28 from reports.{report})"
_RANKING = "select item_id, any_value(item_name), {sums} from reports.{report} where {latest}"
_QUERIES = {
    "rpt_sessions_daily": "select report_date, sum(sessions), sum(engaged_sessions)"
    " from reports.{report} where {latest} group by all order by all",
    "rpt_items_daily": f"{_RANKING} group by item_id order by 3 desc limit 20",
    "rpt_events_daily": "select report_date, item_type, event, sum(events)"
    " from reports.{report} where {latest} group by all order by all",
    "rpt_flows": "select * from reports.{report} order by plays desc limit 20",
    "rpt_flows_daily": "select report_date, sum(plays), sum(completed)"
    " from reports.{report} where {latest} group by all order by all",
    "rpt_flow_funnel": "from reports.{report} where flow_item_id ="
    " (select item_id from reports.rpt_flows order by plays desc, item_id limit 1)"
    " order by step_number",
    "rpt_paths": "from reports.{report} where position = 1 and direction = 'after'"
    " order by sessions desc limit 20",
    "rpt_flow_impact": "from reports.{report} order by difference_to_never_shown_low desc limit 20",
    "rpt_flow_tracker": "from reports.{report} where session_id ="
    " (select max(session_id) from reports.{report} where {latest}) order by position_in_session",
    "rpt_automation_processes": "select report_date, sum(runs), sum(failures)"
    " from reports.{report} where {latest} group by all order by all",
    "rpt_shoutouts": f"{_RANKING} group by item_id order by 3 desc limit 20",
    "rpt_launchers": f"{_RANKING} group by item_id order by 3 desc limit 20",
    "rpt_smarttips": f"{_RANKING} group by item_id order by 3 desc limit 20",
    "rpt_surveys": f"{_RANKING} group by item_id order by 3 desc limit 20",
    "rpt_tasks": f"{_RANKING} group by item_id order by 3 desc limit 20",
    "rpt_searches": "select search_term, sum(searches), sum(clicks)"
    " from reports.{report} where {latest} group by all order by 2 desc, 1 limit 20",
    "rpt_resources": f"{_RANKING} group by item_id order by 3 desc limit 20",
    "rpt_actionbot": f"{_RANKING} group by item_id order by 3 desc limit 20",
    "rpt_quizzes": f"{_RANKING} group by item_id order by 3 desc limit 20",
    "rpt_retention_weekly": "from reports.{report} order by first_week, week",
    "rpt_non_interactors": "select item_id, any_value(item_name), count(*)"
    " from reports.{report} group by item_id order by 3 desc limit 20",
    "rpt_event_coverage": "from reports.{report} order by position",
}
_SUMS = {
    "rpt_items_daily": "sum(exposures), sum(interactions)",
    "rpt_shoutouts": "sum(shown), sum(clicks)",
    "rpt_launchers": "sum(shown), sum(clicks)",
    "rpt_smarttips": "sum(shown), sum(clicks)",
    "rpt_surveys": "sum(plays), sum(plays_submitted)",
    "rpt_tasks": "sum(plays), sum(completions)",
    "rpt_resources": "sum(plays), sum(user_initiated_plays)",
    "rpt_actionbot": "sum(chats), sum(chats_engaged)",
    "rpt_quizzes": "sum(attempts), sum(attempts_passed)",
}


def question(report: str) -> str:
    """The typical query of a report."""
    latest = _LATEST.format(report=report)
    return _QUERIES[report].format(report=report, latest=latest, sums=_SUMS.get(report, ""))


def read(*, published: str, stop: str, target: str) -> None:
    """Ask until the file `stop` exists; write the seconds of every answer, by report, as JSON."""
    seconds: dict[str, list[float]] = {report: [] for report in _QUERIES}
    while True:
        with duckdb.connect(published, read_only=True) as release:
            for report, answers in seconds.items():
                query = question(report)
                started = time.perf_counter()
                release.execute(query).fetchall()
                answers.append(time.perf_counter() - started)
                time.sleep(_PAUSE_SECONDS)
        if Path(stop).exists():
            break
    Path(target).write_text(json.dumps(seconds), encoding="utf-8")


if __name__ == "__main__":
    read(**json.loads(sys.argv[1]))
