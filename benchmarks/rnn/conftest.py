"""The report of this run, printed at its end and written beside what pytest-benchmark saves."""

import warnings

import pytest
from rnn.report import Report

REPORT = pytest.StashKey[Report]()
FOLDER = ".benchmarks"


def pytest_configure(config):
    config.stash[REPORT] = Report()


@pytest.fixture
def report(request) -> Report:
    return request.config.stash[REPORT]


@pytest.fixture(scope="session")
def cupy():
    """The module `cupy`; skips where it, or a device, is missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what CuPy finds or misses on this machine while it is imported
        cupy = pytest.importorskip("cupy", exc_type=ImportError)
    if not cupy.is_available():
        pytest.skip("no CUDA device")
    return cupy


def pytest_terminal_summary(terminalreporter, config):
    report = config.stash[REPORT]
    if not report.tables and not report.notes:
        return
    terminalreporter.section("recurrent nets: medians of this run, ratios within each row")
    for line in report.text().splitlines():
        terminalreporter.write_line(line)
    report.write(config.rootpath / FOLDER)
    terminalreporter.write_line(f"\nThe same as Markdown: {FOLDER}/rnn.md")
