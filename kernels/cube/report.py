"""What a model is worth, in a table of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .aggregates import label

if TYPE_CHECKING:
    from .model import Model


def size(n: float) -> str:
    """Bytes for people: "812 B", "121 kB", "3.2 MB"; powers of 1,000."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 999.5 or unit == "GB":
            return f"{n:.0f} {unit}" if unit == "B" or n >= 99.5 else f"{n:.1f} {unit}"
        n /= 1000
    raise AssertionError


def rows(model: Model) -> list[tuple[str, str]]:
    """Name and value of everything there is to say, in order."""
    about = model.about
    out = [("net", _net(model)), ("model size", f"{size(model.nbytes)} ({model.floats:,} numbers)")]
    if "rows" in about:
        out.append(("rows", _count(about["rows"])))
        out.append(("exact cube, dense", size(about["dense_bytes"])))
        out.append(("exact cube, sparse", f"{size(about['sparse_bytes'])} ({_count(about['occupied'])} cells)"))
    out.append(("trained on", f"{_count(about['queries'])} queries in {about['seconds']:.1f} s"))
    if about.get("advice"):
        out.append(("advice", about["advice"]))
    return out


def report(model: Model) -> str:
    """Sizes and training, then the errors of every aggregate by view beside independence's."""
    lines = [f"{name:20} {value}" for name, value in rows(model)]
    for aggregate in model.aggregates:
        error = model.errors[aggregate]
        weighted = isinstance(aggregate, tuple) and aggregate[0] != "sum"
        lines += [
            "",
            f"RAE of {label(aggregate)} on {error.queries:,} held-out queries{', weighted by rows' * weighted}",
        ]
        lines.append(f"{'view':20} {'model':>9} {'independence':>13}")
        lines.append(f"{'all':20} {error.overall:9.4f} {error.independence:13.4f}")
        for name, value in error.views.items():
            lines.append(f"{name:20} {value:9.4f} {error.independence_views[name]:13.4f}")
    return "\n".join(lines)


def _net(model: Model) -> str:
    net = model.net
    if net.kind == "mlp":
        return "mlp"
    return f"product{' (signed)' if net.signed else ''}, rank {net.rank}"


def _count(n: Any) -> str:
    return f"{n:,}"
