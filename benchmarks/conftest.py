"""One table at the end: every figure beside its peer of the same run."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from browser import chromium  # noqa: F401 (one browser for all benchmarks)


@dataclass
class Table:
    """Medians in seconds by case and label, and the ratios to print."""

    medians: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def add(self, case: str, label: str, seconds: float) -> None:
        self.medians.setdefault(case, {})[label] = seconds

    def note(self, case: str, text: str) -> None:
        self.notes.setdefault(case, []).append(text)


TABLE = pytest.StashKey[Table]()


def pytest_collection_modifyitems(items):
    for item in items:  # some measure a page, not a call
        item.add_marker(pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"))


def pytest_configure(config):
    config.stash[TABLE] = Table()


@pytest.fixture
def table(request) -> Table:
    return request.config.stash[TABLE]


@pytest.fixture
def measure(benchmark, table) -> Callable:
    """Measure a call (warmed up, median) and put it into the table; returns the median in seconds."""

    def run(case: str, label: str, call: Callable, rounds: int = 30, warmup: int = 2) -> float:
        benchmark.group = case
        benchmark.pedantic(call, rounds=rounds, warmup_rounds=warmup)
        median = benchmark.stats.stats.median
        table.add(case, label, median)
        return median

    return run


def pytest_terminal_summary(terminalreporter, config):
    table = config.stash[TABLE]
    if not table.medians and not table.notes:
        return
    write = terminalreporter.write_line
    terminalreporter.section("medians of this run, and ratios to the first row of each case")
    write(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}")
    for case in {**table.medians, **table.notes}:
        write("")
        write(case)
        rows = table.medians.get(case, {})
        first = next(iter(rows.values()), float("nan"))
        for label, seconds in rows.items():
            write(f"  {label:44} {seconds * 1e3:10.3f} ms {seconds / first:8.2f} x")
        for note in table.notes.get(case, []):
            write(f"  {note}")
