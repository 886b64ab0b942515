"""What exists in Dagster, one concept a file.

These files are thin: they name assets, checks, jobs, schedules and sensors, and call the rooms
below. `dagster_project.definitions` puts them together.
"""
