"""A server: the container file, the compose file, and Dagster with Postgres."""
