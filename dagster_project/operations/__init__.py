"""What to do next, and what to tell.

`pending` compares landing, lake and release. `requests` turns the difference into runs, `run`
executes them in this process, `runs` and `attempts` know how they ended. `deploy` lets production
build another dbt project. `status`, `watch` and `alerts` tell; `retention` forgets. Only the
modules that read Dagster's records or execute a run import Dagster: `requests`, `run`, `runs`,
`shell`, `failed_runs`, `instance` and `retention`.
"""
