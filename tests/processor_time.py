"""`pytest --processor-time`: which tests and modules cost most of it, with all that they start."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest

SHOWN = 30
PROPERTY = "processor seconds"


def spent() -> float:
    """Processor seconds of this process and its descendants, running or waited for; on Linux."""
    parents, ticks = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
        except OSError:
            continue  # it ended
        process = int(path.parent.name)
        parents[process], ticks[process] = int(fields[1]), sum(map(int, fields[11:15]))
    family = {os.getpid()}
    while more := {each for each, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks[each] for each in family) / os.sysconf("SC_CLK_TCK")


class ProcessorTime:
    """Notes what each phase of a test cost: what was spent since the one before."""

    def __init__(self) -> None:
        self.before = spent()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        now = spent()
        # Nobody waits for the processes of a server that is killed: what they cost leaves the sum.
        report.user_properties.append((PROPERTY, max(0.0, now - self.before)))
        self.before = now
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        costs = [
            (cost, report.when, report.nodeid)
            for reports in terminalreporter.stats.values()
            for report in reports
            if isinstance(report, pytest.TestReport)
            for name, cost in report.user_properties
            if name == PROPERTY and isinstance(cost, float)
        ]
        terminalreporter.section(f"{sum(cost for cost, *_ in costs):.0f} s of processor time")
        for seconds, when, test in sorted(costs, reverse=True)[:SHOWN]:
            terminalreporter.write_line(f"{seconds:7.1f} {when:8} {test}")
        terminalreporter.section("by module")
        by_module: defaultdict[str, float] = defaultdict(float)
        for seconds, _, test in costs:
            by_module[test.partition("::")[0]] += seconds
        for module in sorted(by_module, key=by_module.__getitem__, reverse=True)[:SHOWN]:
            terminalreporter.write_line(f"{by_module[module]:7.1f} {module}")
