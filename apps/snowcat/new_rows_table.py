"""Predictions of several models side by side: as a table of a page, as a CSV file, and with their scores."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from learnviews.apps.snowcat.pane import model_mark, row_mark, text
from learnviews.kernels.figures import figure

if TYPE_CHECKING:
    import pandas as pd

ORDERS = {
    "row": "in the file's order",
    "dispute": "most disputed first",
    "doubt": "least sure first",
    "error": "largest errors first",
}
SPLIT = "new"


def side_by_side(models: Sequence[Any], target: str = "") -> pd.DataFrame:
    """A line per row with what each model says of it.

    Parameters
    ----------
    models : sequence of NewRows
        Of one problem and one table.
    target : str
        Of several the one that is shown.

    Returns
    -------
    DataFrame
        By row id. said_<k>: the prediction of model k; sure_<k>: its probability, where there is one. truth, where the
        table has it. most: the commonest label, or the mean of numbers; dispute: the share of models that differ,
        or the standard deviation between them; doubt: 1 less the mean probability of what is said; error: the share of
        models that are wrong, or their mean absolute error. `attrs["orders"]`: which of the last ones there are.
    """
    import pandas as pd

    frame = pd.DataFrame(index=models[0].predictions.index)
    for at, model in enumerate(models):
        said = model.predictions
        name = f"prediction_{target}" if f"prediction_{target}" in said else "prediction"
        frame[f"said_{at}"] = said[name]
        sure = _sure(said, said[name])
        if sure is not None:
            frame[f"sure_{at}"] = sure
    first = models[0].predictions
    truth = first.get(f"truth_{target}", first.get("truth"))
    if truth is not None and truth.notna().any():
        frame["truth"] = truth
    return _judged(frame, len(models))


def _sure(rows: pd.DataFrame, said: pd.Series) -> np.ndarray | None:
    """Of each row the probability of what is predicted."""
    columns = [name for name in rows if str(name).startswith("p_")]
    if not columns:
        return None
    places = {name[2:]: at for at, name in enumerate(columns)}
    at = np.array([places.get(str(label), -1) for label in said])
    values = rows[columns].to_numpy(float)
    return np.where(at >= 0, values[np.arange(len(values)), at], np.nan)


def _judged(frame: pd.DataFrame, count: int) -> pd.DataFrame:
    import pandas as pd

    said = frame[[f"said_{at}" for at in range(count)]]
    numeric = all(pd.api.types.is_numeric_dtype(said[name]) and said[name].dtype != bool for name in said)
    numeric = numeric and not any(f"sure_{at}" in frame for at in range(count))
    orders = []
    if numeric:
        values = said.astype(float)
        found = {"most": values.mean(axis=1), "dispute": values.std(axis=1, ddof=0)}
        if "truth" in frame:
            found["error"] = values.sub(frame["truth"].astype(float), axis=0).abs().mean(axis=1)
    else:
        labels = said.astype(object).to_numpy()
        same = np.stack([(labels == labels[:, [at]]).mean(axis=1) for at in range(count)], axis=1)
        found = {"most": labels[np.arange(len(labels)), same.argmax(axis=1)], "dispute": 1 - same.max(axis=1)}
        if "truth" in frame:
            truth = frame["truth"].astype(object).to_numpy()
            known = frame["truth"].notna().to_numpy()
            found["error"] = np.where(known, (labels != truth[:, None]).mean(axis=1), np.nan)
    sure = [f"sure_{at}" for at in range(count) if f"sure_{at}" in frame]
    if sure:
        found["doubt"] = 1 - frame[sure].mean(axis=1)
    frame = frame.assign(**found)
    orders = [name for name in ("dispute", "doubt", "error") if name in frame and (count > 1 or name != "dispute")]
    frame.attrs.update(orders=orders, numeric=numeric, models=count)
    return frame


def order_of(frame: pd.DataFrame, by: str) -> np.ndarray:
    """Positions of the rows in an order of `ORDERS`."""
    if by not in frame:
        return np.arange(len(frame))
    values = frame[by].to_numpy(float)
    return np.argsort(-np.where(np.isnan(values), -np.inf, values), kind="stable")


def has_truth(shown: Any) -> bool:
    """Whether the table of some `Answers` holds the target."""
    frame = shown.models[0].predictions
    return any(frame[name].notna().any() for name in frame if name == "truth" or name.startswith("truth_"))


# -- as HTML


def page_html(part: pd.DataFrame, shown: Any) -> str:
    """Some of the rows as a table."""
    numeric, count = part.attrs["numeric"], part.attrs["models"]
    truth = "truth" in part
    heads = "".join(
        f"<th {model_mark(mark)}{_n(numeric)}>{text(name)}</th>"
        for name, mark in zip(shown.names, shown.marks, strict=True)
    )
    agreed = (
        ('<th class="n">mean</th><th class="n">spread</th>' if numeric else '<th>most say</th><th class="n">agree</th>')
        if count > 1
        else ""
    )
    head = f"<th>row</th>{'<th' + _n(numeric) + '>truth</th>' if truth else ''}{heads}{agreed}"
    body = "".join(
        _line(id_, row, count, numeric, truth) for id_, row in zip(part.index, part.to_dict("records"), strict=True)
    )
    return f'<table class="wide rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _line(id_: Any, row: dict[str, Any], count: int, numeric: bool, truth: bool) -> str:
    cells = f"<td{_n(numeric)}>{_value(row['truth'])}</td>" if truth else ""
    for at in range(count):
        said, sure = row[f"said_{at}"], row.get(f"sure_{at}")
        wrong = (
            truth and not numeric and row["truth"] == row["truth"] and row["truth"] is not None and said != row["truth"]
        )
        words = f"<b>✗</b> {_value(said)}" if wrong else _value(said)
        known = sure is not None and sure == sure
        cells += f"<td{_n(numeric)}>{words}{f' <small>{sure:.0%}</small>' if known else ''}</td>"
    if count > 1 and numeric:
        cells += f'<td class="n">{figure(row["most"])}</td><td class="n">{figure(row["dispute"], 3)}</td>'
    elif count > 1:
        cells += f'<td>{_value(row["most"])}</td><td class="n">{1 - row["dispute"]:.0%}</td>'
    return f"<tr {row_mark(id_)}><td>{text(id_)}</td>{cells}</tr>"


def _n(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _value(value: Any) -> str:
    if value is None or value != value:
        return "–"
    return figure(value, 5) if isinstance(value, float) else text(value)


def scores_html(shown: Any) -> str:
    """How good the models are on the new rows, beside how good they were on the rows held out."""
    from learnviews.kernels.search import METRICS

    metric = str(shown.models[0].problem.metric)
    title = METRICS[metric].title or metric
    lines = []
    for name, mark, model in zip(shown.names, shown.marks, shown.models, strict=True):
        new, old = (
            each.scored(split, (metric,)) for each, split in ((model, SPLIT), (model.source, model.source.split))
        )
        lines.append(f"<tr {model_mark(mark)}><td>{text(name)}</td>{_scored(new)}{_scored(old)}</tr>")
    head = (
        f'<th>{text(title)}</th><th class="n">new rows</th><th class="n">95% interval</th><th class="n">'
        'before</th><th class="n">95% interval</th>'
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _scored(table: pd.DataFrame) -> str:
    if not len(table):
        return '<td class="n">–</td><td class="n quiet">–</td>'
    row = table.iloc[0]
    return (
        f'<td class="n"><b>{figure(row["value"])}</b></td><td class="n quiet">{figure(row["low"], 3)} – '
        f"{figure(row['high'], 3)}</td>"
    )


# -- as a file


def as_csv(shown: Any) -> Path:
    """All predictions as a temporary CSV file: row id, truth where it is known, each model's prediction and
    probabilities."""
    import pandas as pd

    parts = [_truths(shown.models[0].predictions)]
    for name, model in zip(shown.names, shown.models, strict=True):
        rows = model.predictions
        own = rows[[each for each in rows if each != "split" and not str(each).startswith("truth")]]
        parts.append(own.rename(columns=lambda each, name=name: f"{name} {each}"))
    handle, path = tempfile.mkstemp(prefix="predicted-", suffix=".csv")
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        pd.concat(parts, axis=1).to_csv(file)
    return Path(path)


def _truths(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[[name for name in rows if str(name).startswith("truth") and rows[name].notna().any()]]
