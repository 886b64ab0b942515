"""`pytest --processor-time`: which tests cost the most of it, with all processes they start."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest

SHOWN = 30


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
        report.processor_seconds, self.before = now - self.before, now
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        reports = [each for some in terminalreporter.stats.values() for each in some]
        costs = [
            (each.processor_seconds, each.when, each.nodeid)
            for each in reports
            if hasattr(each, "processor_seconds")
        ]
        terminalreporter.section(f"{spent():.0f} s of processor time")
        for seconds, when, test in sorted(costs, reverse=True)[:SHOWN]:
            terminalreporter.write_line(f"{seconds:7.1f} {when:8} {test}")
