"""From warehouse to release: the gate, the swap, what is kept, and the way back.

Pure functions over the warehouse file and the published folder; no Dagster and no dbt.
"""
