"""Assets, by layer: landing, raw, the dbt models, release."""
