"""`python -m dagster_project.cli` is `walkhouse`."""

from dagster_project.cli import main

main()
