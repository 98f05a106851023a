"""Tables that fill while benchmarks run: as text for the terminal, and as Markdown to paste."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info

LAST = "Goals"  # stands below the figures it is about


@dataclass
class Report:
    """Titles to rows; a row's keys are its columns."""

    tables: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def add(self, title: str, cells: dict[str, str]) -> None:
        self.tables.setdefault(title, []).append(cells)

    def note(self, title: str, text: str) -> None:
        """A sentence below the table, once."""
        notes = self.notes.setdefault(title, [])
        if text not in notes:
            notes.append(text)

    def text(self) -> str:
        return "\n\n".join([self.machine(), *(self._text(title) for title in self._titles())])

    def markdown(self) -> str:
        return "\n\n".join([self.machine(), *(self._markdown(title) for title in self._titles())]) + "\n"

    def write(self, folder: Path) -> None:
        """rnn.txt and rnn.md in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (("rnn.txt", self.text() + "\n"), ("rnn.md", self.markdown())):
            (folder / name).write_text(content, encoding="utf-8")

    @staticmethod
    def machine() -> str:
        """Versions and threads of everything that computes."""
        import torch

        pools = sorted({f"{pool['internal_api']} {pool['num_threads']}" for pool in threadpool_info()})
        jax = f"JAX {version('jax')} (all cores)" if find_spec("jax") else "no JAX"
        return (
            f"{platform.machine()}, {os.cpu_count()} cores, garbage collector off. Python {platform.python_version()}, "
            f"NumPy {np.__version__}, PyTorch {torch.__version__}, {jax}. Threads: {', '.join(pools)}, "
            f"PyTorch {torch.get_num_threads()}; compiled loops on one."
        )

    def _titles(self) -> list[str]:
        return sorted({**self.tables, **self.notes}, key=lambda title: title == LAST)

    def _columns(self, title: str) -> list[str]:
        return list(dict.fromkeys(name for row in self.tables.get(title, []) for name in row))

    def _text(self, title: str) -> str:
        columns, rows = self._columns(title), self.tables.get(title, [])
        cells = [columns, *([row.get(name, "") for name in columns] for row in rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
        lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
        return "\n".join([title, *(f"  {line}" for line in lines), *self.notes.get(title, [])])

    def _markdown(self, title: str) -> str:
        columns, rows = self._columns(title), self.tables.get(title, [])
        lines = [[row.get(name, "") for name in columns] for row in rows]
        table = [columns, ["---"] * len(columns), *lines] if columns else []
        body = "\n".join(f"| {' | '.join(line)} |" for line in table)
        return "\n\n".join([f"### {title}", *([body] if body else []), *self.notes.get(title, [])])
