"""`python -m benchmarks`: takes the measures, shows them and keeps them."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from benchmarks.catalogue import BENCHMARKS
from benchmarks.conditions import conditions
from benchmarks.results import keep, table
from benchmarks.workbench import CHECKOUT, Workbench

console = Console(highlight=False)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([benchmark.name for benchmark in BENCHMARKS]),
    help="Take this measure; may be given more than once. Default: all.",
)
@click.option("--scale", default=1.0, help="Factor on the number of events; 0.01 for a trial.")
@click.option("--history-days", default=365, help="Dumps in the long history.")
@click.option("--threads", default=Workbench.threads, help="For all programs that are compared.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(tempfile.gettempdir()) / "walkhouse-benchmarks",
    help="Landings, installations and logs; what lies there is used again.",
)
@click.option(
    "--results",
    type=click.Path(file_okay=False, path_type=Path),
    default=CHECKOUT / "benchmarks" / "results",
    help="Where the results are kept.",
)
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    default=lambda: f"{datetime.now().astimezone():%Y-%m-%d}",
    show_default="today",
    help="Name of the results.",
)
def main(
    only: tuple[str, ...],
    scale: float,
    history_days: int,
    threads: int,
    data: Path,
    results: Path,
    day: datetime,
) -> None:
    """Measure Walkhouse against DuckDB alone, and against what it is to reach."""
    bench = Workbench(data=data.absolute(), scale=scale, history_days=history_days, threads=threads)
    under = conditions(bench)
    name = f"{day:%Y-%m-%d}" if scale == 1 else f"{day:%Y-%m-%d}-scale-{scale:g}"
    measures = []
    for benchmark in BENCHMARKS:
        if only and benchmark.name not in only:
            continue
        console.print(f"{datetime.now().astimezone():%H:%M:%S}  {benchmark.name}")
        measures.append(benchmark.measure(bench))
        # After each: the next may take hours.
        kept, _ = keep(
            measures, under, results, name=name, order=[known.title for known in BENCHMARKS]
        )
    console.print(table(measures))
    console.print(f"kept in {kept}")


if __name__ == "__main__":
    main()
