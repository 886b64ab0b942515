"""From landing to lake: reads dumps and the content catalogue into typed Parquet.

Pure functions over files; no Dagster, no dbt, and no database that anybody else could lock.
"""
