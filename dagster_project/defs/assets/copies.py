"""Copies: the current release, sent to where the installation wants copies of it."""

from collections.abc import Sequence

import dagster as dg

from dagster_project.defs.assets.landing import OWNERS
from dagster_project.defs.assets.release import RELEASE, finish_forgetting
from dagster_project.defs.failures import failed
from dagster_project.defs.resources import Installation
from dagster_project.locks import copies_writer
from dagster_project.release.copies.owner import installation_id
from dagster_project.release.copies.send import releases_to_keep, send_copies

COPIES = dg.AssetKey(["copies"])


def copies_assets(urls: Sequence[str]) -> list[dg.AssetsDefinition]:
    """The asset that sends copies, where the installation has any.

    The URLs are no part of the run's configuration, which Dagster shows: they may hold passwords.
    """

    @dg.asset(key=COPIES, deps=[RELEASE], group_name="release", owners=OWNERS, kinds={"file"})
    def copies(
        context: dg.AssetExecutionContext, installation: Installation
    ) -> dg.MaterializeResult[None]:
        """The current release at every place of WALKHOUSE_COPIES.

        A copy that cannot be sent fails this step by name, after the others were sent; the release
        itself stays published, and the next run sends what is missing.
        """
        settings = installation.settings
        with copies_writer(settings.home):
            states = send_copies(
                urls,
                settings.published,
                keep=releases_to_keep(settings),
                installation=installation_id(settings.home),
            )
        if unsent := [state for state in states if state.problem]:
            raise failed(
                "\n".join(f"copy {state.url}: {state.problem}" for state in unsent),
                {"failed_copies": len(unsent)},
            )
        finish_forgetting(context, settings, urls)
        return dg.MaterializeResult(
            metadata={
                state.url: dg.MetadataValue.json(
                    {"release_id": state.release_id, **(state.sent or {})}
                )
                for state in states
            }
        )

    return [copies] if urls else []
