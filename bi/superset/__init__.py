"""Apache Superset on the published tables: dashboards as code, and the command that starts it.

`datasets` says which tables and metrics there are, `charts` how a chart looks, `dashboards` which
charts stand where. `bundle` writes all that in the format that Superset imports. `server` makes
Superset's own environment, has `prepare` (which runs in it) set up Superset, and starts it.
"""
