"""Resources: the installation that a run works on, and what a person waives."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
from pydantic import Field

from dagster_project.defs.failures import show_stacks
from dagster_project.locks import hold_run
from dagster_project.release.gate import Waiver
from dagster_project.settings import Settings


class Installation(dg.ConfigurableResource):  # type: ignore[type-arg]  # Dagster's own default
    """Paths and limits of one installation; see `Settings` for what each means."""

    landing: str
    home: str
    shared_lake: str
    keep_releases: int
    threads: int
    memory_limit: str
    dbt_project: str
    engine: str
    spark_catalog: str
    spark_warehouse: str
    checkout: str = ""
    name: str
    alert_url: str
    stale_after_hours: int
    quiet_seconds: int
    keep_run_days: int
    keep_runs: int
    withdrawal_limit: int
    smallest_group: int
    keep_days: int
    keep_report_days: int
    personal_key: str = ""

    @property
    def settings(self) -> Settings:
        """The installation as the pure packages know it."""
        return Settings(
            landing=self.landing,
            home=Path(self.home),
            shared_lake=self.shared_lake,
            keep_releases=self.keep_releases,
            threads=self.threads,
            memory_limit=self.memory_limit,
            dbt_project=Path(self.dbt_project),
            engine=self.engine,
            spark_catalog=self.spark_catalog,
            spark_warehouse=self.spark_warehouse,
            name=self.name,
            alert_url=self.alert_url,
            stale_after_hours=self.stale_after_hours,
            quiet_seconds=self.quiet_seconds,
            keep_run_days=self.keep_run_days,
            keep_runs=self.keep_runs,
            withdrawal_limit=self.withdrawal_limit,
            smallest_group=self.smallest_group,
            keep_days=self.keep_days,
            keep_report_days=self.keep_report_days,
            personal_key=self.personal_key,
        )

    @property
    def settings_of_checkout(self) -> Settings:
        """The same with the dbt project that people change, and `walkhouse deploy` deploys."""
        return replace(self.settings, dbt_project=Path(self.checkout or self.dbt_project))

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Note which process executes a run, so that its end is noticed; sensors have no run."""
        show_stacks()
        if context.run is not None:
            hold_run(self.settings.home, context.run.run_id)

    @classmethod
    def of(cls, settings: Settings, *, checkout: Path | None = None) -> "Installation":
        """The resource for given settings of production, and the dbt project of the checkout."""
        return cls(
            landing=settings.landing,
            home=str(settings.home),
            shared_lake=settings.shared_lake,
            keep_releases=settings.keep_releases,
            threads=settings.threads,
            memory_limit=settings.memory_limit,
            dbt_project=str(settings.dbt_project),
            engine=settings.engine,
            # Its URL may hold a password.
            spark_catalog=dg.EnvVar("WALKHOUSE_SPARK_CATALOG") if settings.spark_catalog else "",
            spark_warehouse=settings.spark_warehouse,
            checkout=str(checkout or settings.dbt_project),
            name=settings.name,
            # The UI shows the configuration of resources; this may be a secret.
            alert_url=dg.EnvVar("WALKHOUSE_ALERT_URL") if settings.alert_url else "",
            stale_after_hours=settings.stale_after_hours,
            quiet_seconds=settings.quiet_seconds,
            keep_run_days=settings.keep_run_days,
            keep_runs=settings.keep_runs,
            withdrawal_limit=settings.withdrawal_limit,
            smallest_group=settings.smallest_group,
            keep_days=settings.keep_days,
            keep_report_days=settings.keep_report_days,
            # A secret, which no record of Dagster may hold.
            personal_key=dg.EnvVar("WALKHOUSE_PERSONAL_KEY") if settings.personal_key else "",
        )


class Waivers(dg.ConfigurableResource):  # type: ignore[type-arg]  # Dagster's own default
    """Invariants that a person lets pass for one run; set it in the run's configuration."""

    invariants: list[str] = Field(default_factory=list)
    reason: str = ""

    @property
    def waiver(self) -> Waiver | None:
        """The waiver, if any invariant is named."""
        return Waiver(tuple(self.invariants), self.reason) if self.invariants else None
