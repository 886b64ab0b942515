"""The dbt project, seen from Python.

`deployed` keeps the copies that production builds from, `dbt` parses and builds one, `prepared` and
`columns` hold what is known of it ahead of runs, `rebuilds` and `violations` say what a build did,
and `dictionary` describes it to readers. Only `dbt` imports dbt and dagster-dbt. The business rules
are SQL, and stand in `dbt_project/`.
"""
