"""The card that says what is in a data set: its columns, files, notes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from learnviews.apps.snowcat.data_card import DataCard, Once
from learnviews.apps.snowcat.data_graph_words import GRAPHS, graph_lines
from learnviews.apps.snowcat.data_recording_words import HEARD, recording_lines
from learnviews.apps.snowcat.pane import quiet, text
from learnviews.apps.snowcat.train_words import counted
from learnviews.kernels import search
from learnviews.kernels.figures import figures

if TYPE_CHECKING:
    from learnviews.kernels.search import ColumnFacts, Dataset, Resource
    from learnviews.kernels.search.recording_facts import RecordingFacts

ROLES = {"attribute": "", "suggestedTarget": "target", "timeIndicator": "time", "index": "row number"}
"""D3M's role -> what a page calls it, where that is not the same."""
KINDS = {"timeseries": "series", "text": "texts", "image": "images", "audio": "sounds", "video": "videos"}
FACTS = Once(search.describe)


class Description(DataCard):
    """Columns with their types, ranges and gaps; files; what the loader has to say."""

    name, title = "description", "Description"
    help = (
        "What is in the data set: each column with its type, its range or commonest value, how many values are "
        "missing and how many differ; sizes of graphs; the files its values name, with lengths, rates and channels of "
        "sounds and videos; and notes on how it was read. Point at a type to see why it was taken."
    )
    at_first = ("data",)
    size = (5, 8)

    def show(self) -> None:
        data = self.data
        facts = FACTS.known(data)
        if facts is None or HEARD.known(data) is None or GRAPHS.known(data) is None:
            self.slot.html(head(data) + quiet("Looking at the columns…"))
            self.later(partial(_looked, data), lambda found: self.slot.html(page(data, *found)))
        else:
            self.slot.html(page(data, facts, HEARD.known(data)))


def _looked(data: Dataset) -> tuple[list[ColumnFacts], list[RecordingFacts]]:
    """What is to be said; of graphs it is kept where the words are made."""
    GRAPHS.of(data)
    return FACTS.of(data), HEARD.of(data)


def page(data: Dataset, facts: list[ColumnFacts], heard: list[RecordingFacts] | None = None) -> str:
    """All that is said of a data set."""
    told = [*recording_lines(heard or []), *(graph_lines(data) if data.graphs else ())]
    lines = "".join(f"<p>{line}</p>" for line in told)
    return head(data, facts) + lines + columns_table(facts)


def head(data: Dataset, facts: list[ColumnFacts] | None = None) -> str:
    """Rows, columns, dates, files and notes."""
    split = ""
    if data.splits is not None:
        held = int((data.splits == "holdout").sum())
        split = f", {held:,} of them held out by the data set itself"
    columns = counted(len(data.columns), "column")
    lines = [f"<b>{text(data.name)}</b>: {len(data):,} rows{split}, {columns}"]
    lines += [_dates(each) for each in facts or () if isinstance(each.low, pd.Timestamp)]
    lines += [_resource(resource) for resource in data.resources.values()]
    lines += [f"<small>{text(note)}</small>" for note in data.notes]
    return "".join(f"<p>{line}</p>" for line in lines)


def columns_table(facts: list[ColumnFacts]) -> str:
    """A row per column."""
    names = ("Column", "Type", "Role", "Values", "Missing", "Distinct")
    wide = ("Missing", "Distinct")
    top = "".join(f"<th{' class=n' if name in wide else ''}>{name}</th>" for name in names)
    return (
        f'<table class="wide columns"><thead><tr>{top}</tr></thead><tbody>{"".join(map(_row, facts))}</tbody></table>'
    )


def _row(facts: ColumnFacts) -> str:
    name = text(facts.name).replace("_", "_<wbr>")  # where a long one may be broken
    cells = (name, why(facts.type, facts.why), text(ROLES.get(facts.role, facts.role)), text(values(facts)))
    counts = (f"{facts.missing:,}" if facts.missing else "", f"{facts.distinct:,}")
    plain = "".join(f"<td{' class=values' if at == 3 else ''}>{cell}</td>" for at, cell in enumerate(cells))
    return f"<tr>{plain}{''.join(f'<td class=n>{count}</td>' for count in counts)}</tr>"


def why(type_: str, reason: str) -> str:
    """A type, with the reason for it where there is one."""
    return f'<abbr title="{text(reason)}">{text(type_)}</abbr>' if reason else text(type_)


def values(facts: ColumnFacts) -> str:
    """The range of a column's values, or the commonest one."""
    if facts.low is not None:
        dated = isinstance(facts.low, pd.Timestamp)
        low, high = map(_date, (facts.low, facts.high)) if dated else figures((facts.low, facts.high))
        return low if low == high else f"{low} to {high}"
    if not facts.commonest:
        return ""
    short = facts.commonest if len(facts.commonest) <= 30 else f"{facts.commonest[:29]}…"
    return f"{short} ({facts.share:.0%})"


def _date(value: pd.Timestamp) -> str:
    return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M:%S}"


def _dates(facts: ColumnFacts) -> str:
    return f"{text(facts.name)} from {_date(facts.low)} to {_date(facts.high)}"


def _resource(resource: Resource) -> str:
    kind = KINDS.get(resource.kind, resource.kind)
    formats = f" ({', '.join(resource.formats)})" if resource.formats else ""
    return f"{text(kind.capitalize())}: {text(resource.path.name)}{text(formats)}"
