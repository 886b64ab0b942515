"""Landing: what arrives from outside. Walkhouse only ever reads it."""

import dagster as dg

OWNERS = ["team:data-engineering"]


DUMPS = dg.AssetKey(["landing", "dumps"])


def landing_assets() -> list[dg.AssetSpec]:
    """The dumps, one a day, and the content catalogue."""
    return [
        dg.AssetSpec(
            DUMPS,
            description="The event dumps as they were delivered: `events/dt=YYYY-MM-DD/…`. Each "
            "ingest notes here what it took in; `raw/lines` has a partition for each dump.",
            group_name="landing",
            owners=OWNERS,
            kinds={"json", "csv", "parquet"},
        ),
        dg.AssetSpec(
            ["landing", "content_catalogue"],
            description="The latest state of every item, as delivered: `content/items.ndjson`.",
            group_name="landing",
            owners=OWNERS,
            kinds={"json"},
        ),
    ]
