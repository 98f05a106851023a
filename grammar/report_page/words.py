"""What a report says in words and tables: data, problem, scores, pipelines, and how it all was made."""

from __future__ import annotations

import html
import platform
from collections.abc import Sequence
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from numbers import Real
from typing import TYPE_CHECKING, Any

from ...kernels.figures import figure, figures

if TYPE_CHECKING:
    from ...kernels.search import Dataset, Model, Problem, Study

COLUMNS = 60
"""Columns of the data that are listed."""
METRICS = 6
"""Metrics a table of scores has beside the problem's own."""
TOOLS = ("learnviews", "scikit-learn", "smac", "numpy", "pandas", "bokeh", "holoviews")


def text(value: Any) -> str:
    """Anything as text of a page."""
    return html.escape(str(value), quote=True)


def table(head: Sequence[str], lines: Sequence[Sequence[str]], numbers: Sequence[int] = (), kind: str = "") -> str:
    """A table of HTML cells; `numbers` are the columns that are aligned as such."""
    shown = "".join(f"<th{_class(at, numbers)}>{each}</th>" for at, each in enumerate(head))
    body = "".join(
        "<tr>" + "".join(f"<td{_class(at, numbers)}>{each}</td>" for at, each in enumerate(line)) + "</tr>"
        for line in lines
    )
    return f'<div class="wide"><table class="{kind}"><thead><tr>{shown}</tr></thead><tbody>{body}</tbody></table></div>'


def facts(pairs: dict[str, str]) -> str:
    """A list of terms and what they are; what is empty is left out."""
    return "<dl>" + "".join(f"<dt>{text(name)}</dt><dd>{each}</dd>" for name, each in pairs.items() if each) + "</dl>"


def _class(at: int, numbers: Sequence[int]) -> str:
    return ' class="n"' if at in numbers else ""


# -- data


def data_html(data: Dataset, problems: Sequence[Problem]) -> str:
    """The columns of a data set: type, use, values, gaps."""
    from ...kernels.search import describe

    found = describe(data)
    lines = [
        (
            text(each.name),
            text(each.type),
            text(_use(each, problems)),
            _values(each),
            f"{each.missing:,}" if each.missing else "",
        )
        for each in found[:COLUMNS]
    ]
    more = len(found) - COLUMNS
    rest = f'<p class="quiet">and {more:,} more columns.</p>' if more > 0 else ""
    notes = "".join(f'<p class="quiet">{text(note)}</p>' for note in data.notes)
    return table(("column", "type", "used as", "values", "missing"), lines, (4,)) + rest + notes


def _use(column: Any, problems: Sequence[Problem]) -> str:
    uses = []
    for problem in problems:
        if column.name in problem.targets:
            uses.append("target")
        elif column.name == problem.time:
            uses.append("time")
        elif column.name in problem.groups:
            uses.append("series")
        elif column.name in (problem.features or ()):
            uses.append("feature")
    return ", ".join(dict.fromkeys(uses)) or "not used"


def _values(column: Any) -> str:
    if column.low is not None:
        ends = (column.low, column.high)
        return " to ".join(figures(ends, 6) if isinstance(column.low, Real) else map(_end, ends))
    most = f"; {text(column.commonest[:40])} {column.share:.0%}" if column.commonest else ""
    return f"{column.distinct:,} different{most}"


def _end(value: Any) -> str:
    return text(str(value).removesuffix(" 00:00:00"))


# -- models


def ranking_html(
    models: Sequence[Model], trivial: Model, ranks: Sequence[int], notes: Sequence[str], names: Sequence[str]
) -> str:
    """The models of one problem by rank: score, interval, what was minimized, and notes below."""
    from ...kernels.search import METRICS as KNOWN

    metric = str(models[0].problem.metric)
    known = KNOWN[metric]
    better = f"{'larger' if known.larger_is_better else 'smaller'} is better"
    head = (
        "rank",
        "model",
        f"{text(known.title or metric)}<small>{better}</small>",
        "95% interval",
        "out of fold",
        "trained in",
    )
    lines = []
    for rank, model, note, name in zip(ranks, models, notes, names, strict=True):
        where = f"<small>{text(name)}</small>" if name else ""
        words = f'<div class="note">{text(note)}</div>' if note else ""
        row = model.scored(model.split, (metric,)).iloc[0]
        folds = model.scored("train", (metric,))
        out = figure(folds.iloc[0]["value"]) if len(folds) else "–"
        spent = "–" if model.seconds is None else f"{figure(model.seconds, 3)} s"
        told = f"<b>{text(model.name)}</b>{where}{words}"
        lines.append((str(rank), told, f"<b>{figure(row['value'])}</b>", _interval(row), out, spent))
    row = trivial.scored(models[0].split, (metric,)).iloc[0]
    lines.append(
        (
            "–",
            f"{text(trivial.name)} <small>the predictor that knows nothing of the features</small>",
            figure(row["value"]),
            _interval(row),
            "",
            "",
        )
    )
    return table(head, lines, (0, 2, 3, 4, 5), "models") + f'<p class="quiet">{text(judged(models[0]))}</p>'


def judged(model: Model) -> str:
    """The rows that scores speak of, in words."""
    held = int((model.predictions["split"] == "holdout").sum())
    if held:
        rows = int((model.predictions["split"] == "train").sum())
        return (
            f"Scores and intervals (percentiles of resampled rows) are of {held:,} rows held out, which no model "
            "has seen; "
            f"out of fold: of {rows:,} rows of the training, each predicted by a fit that did not see it."
        )
    rows = len(model.predictions)
    return f"There is no holdout: scores are of {rows:,} rows, each predicted by a fit that did not see it."


def scores_html(models: Sequence[Model], ranks: Sequence[int]) -> str:
    """Every metric of the models, with intervals."""
    from ...kernels.search import METRICS as KNOWN

    split = models[0].split
    tables = [model.scored(split) for model in models]
    names = list(dict.fromkeys(name for each in tables for name in each.index))[: METRICS + 1]
    head = ["rank", "model", *(text(KNOWN[name].title or name if name in KNOWN else name) for name in names)]
    lines = [
        (str(rank), text(model.name), *(_cell(each, name) for name in names))
        for rank, model, each in zip(ranks, models, tables, strict=True)
    ]
    return table(head, lines, (0, *range(2, 2 + len(names))), "models")


def _cell(scores: Any, name: str) -> str:
    if name not in scores.index:
        return "–"
    row = scores.loc[name]
    return f"{figure(row['value'])}<small>{_interval(row)}</small>"


def _interval(row: Any) -> str:
    return "" if row["low"] != row["low"] else f"{figure(row['low'], 3)} – {figure(row['high'], 3)}"


def pipelines_html(models: Sequence[Model], ranks: Sequence[int]) -> str:
    """The steps of each model, to read."""
    from ...kernels.search.diagram import text as steps

    return "".join(
        f"<pre>{rank}. {text(steps(model).strip())}</pre>" for rank, model in zip(ranks, models, strict=True)
    )


# -- how it was made


def made_html(studies: Sequence[Study], names: Sequence[str]) -> str:
    """Studies with their budget, seed and time; versions; the day."""
    told: dict[str, str] = {}
    for study, name in zip(studies, names, strict=True):
        told[name] = _study(study)
    tools = ", ".join(f"{name} {found}" for name in TOOLS if (found := _version(name)))
    told["Versions"] = text(f"{tools}, Python {platform.python_version()}")
    told["Written"] = date.today().isoformat()
    return facts(told)


def _study(study: Study) -> str:
    trials = study.trials
    finished = int((trials["status"] == "ok").sum())
    budget = [
        f"{figure(study.seconds)} s per run" if study.seconds else "",
        f"{study.trials_wanted:,} trials" if study.trials_wanted else "",
    ]
    spent = study.timings().get("wall", float("nan"))
    words = [
        f"budget {' and '.join(filter(None, budget))}" if any(budget) else "",
        f"{finished:,} of {len(trials):,} trials finished",
        f"{figure(spent, 3)} s of search" if spent == spent else "",
        f"{study.workers} worker{'' if study.workers == 1 else 's'}",
        f"seed {study.seed}",
        f"begun {_moment(trials['started'].min())}" if len(trials) and trials["started"].notna().any() else "",
    ]
    return text(", ".join(filter(None, words)))


def _moment(when: Any) -> str:
    return datetime.fromisoformat(str(when)[:19]).strftime("%Y-%m-%d %H:%M UTC")


def _version(name: str) -> str:
    if name == "learnviews":
        from ... import __version__

        return __version__
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
