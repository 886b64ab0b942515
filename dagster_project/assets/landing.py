"""Landing: what arrives from outside. Walkhouse only ever reads it."""

import dagster as dg

OWNERS = ["team:data-engineering"]


def landing_assets(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetSpec]:
    """The dumps, one a day, and the content catalogue."""
    return [
        dg.AssetSpec(
            ["landing", "dumps"],
            description="The event dumps as they were delivered: `events/dt=YYYY-MM-DD/…`.",
            group_name="landing",
            owners=OWNERS,
            kinds={"json", "csv", "parquet"},
            partitions_def=partitions,
        ),
        dg.AssetSpec(
            ["landing", "content_catalogue"],
            description="The latest state of every item, as delivered: `content/items.ndjson`.",
            group_name="landing",
            owners=OWNERS,
            kinds={"json"},
        ),
    ]
