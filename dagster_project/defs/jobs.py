"""Jobs: taking dumps in, by dump date; building and releasing what was taken in; copying that."""

from __future__ import annotations

import dagster as dg

from dagster_project.defs.assets.copies import COPIES
from dagster_project.defs.assets.raw import FILES, LINES
from dagster_project.operations.runs import BUILD, COPY, INGEST

ingest_job = dg.define_asset_job(
    INGEST,
    selection=dg.AssetSelection.assets(LINES, FILES),
    description="Take the dumps of the chosen days into the lake.",
)

build_job = dg.define_asset_job(
    BUILD,
    selection=dg.AssetSelection.all()
    - dg.AssetSelection.groups("landing")
    - dg.AssetSelection.assets(LINES, FILES),
    description="Build the tables from the lake, audit them, and publish them if they hold.",
)

copy_job = dg.define_asset_job(
    COPY,
    selection=dg.AssetSelection.assets(COPIES),
    description="Send the current release to the copies that do not hold it.",
)
