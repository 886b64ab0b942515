"""Pools: what Dagster lets one run do at a time.

A pool keeps runs waiting in the queue, where the UI shows them. That two never write at once is
guaranteed by the locks, which hold for the command line too and are freed with a killed process.
"""

WAREHOUSE = "warehouse"
