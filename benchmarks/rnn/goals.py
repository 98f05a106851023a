"""What this library wants to reach, beside what a run measured."""

from __future__ import annotations

from .report import LAST, Report
from .sizes import Size

MEDIUM, MEDIUM_ALL, WIDE, LONG_ALL = (
    Size(50, 16, 128, 6),
    Size(50, 16, 128, 50),
    Size(100, 32, 256, 6),
    Size(200, 8, 256, 200),
)
FASTER = {MEDIUM: 8, MEDIUM_ALL: 4, WIDE: 2}  # times faster than the best way in PyTorch
OF_STEP = {WIDE: {"tanh": 1.0, "gru": 1.5, "lstm": 1.5}}  # times the training step of the same cell
OF_FLOOR = {LONG_ALL: {"tanh": 1.25, "gru": 1.6, "lstm": 1.6}}  # times the GEMM floor
WITH_TOL = {"trained": 5, "untrained": 1 / 1.15, "exploding": 1 / 1.15}  # times as fast as without
LARGEST = 2**30  # bytes that a process may hold for one long sequence
ON_GPU, OF_GEMM = 10, 0.5  # times faster than the best way in PyTorch; part of the measured GEMM rate


def at_least(report: Report, what: str, measured: float, asked: float | None) -> None:
    """A line of the table, if anything is asked for."""
    if asked is not None:
        _add(report, what, f"{measured:.3g}", f"at least {asked:.3g}", measured >= asked)


def at_most(report: Report, what: str, measured: float, asked: float | None) -> None:
    """A line of the table, if anything is asked for."""
    if asked is not None:
        _add(report, what, f"{measured:.3g}", f"at most {asked:.3g}", measured <= asked)


def _add(report: Report, what: str, measured: str, asked: str, met: bool) -> None:
    report.add(LAST, {"what": what, "measured": measured, "asked": asked, "met": "yes" if met else "no"})
