"""Metrics as the D3M programme defines them, on whatever a model answers: labels, probabilities, values or ranks.

Definitions follow the problem schemas 3.x / 4.x and the programme's own scoring code (module metrics of its core
package). Where that code differs from scikit-learn's defaults, or this module from that code, it is said here:

* Labels are compared as text ("1", 1 and 1.0 are one label). Several target columns: the mean over columns; those of
  truth values are taken together as the labels of a row instead, where D3M would score each by itself.
* accuracy, f1Micro, f1Macro and hammingLoss are computed on the table of rows x labels, as of several labels per row,
  for one label per row too. Its labels are those of truth or prediction; f1Macro is the plain mean over them.
  hammingLoss is the share of wrong cells, so that one wrong row among c classes counts 2 / c; scikit-learn says 1.
* precision, recall and f1 are of one class, `positive`. D3M demands a posLabel; where a problem has none it is "1", the
  default of schema 3.x, if that is a label, else the last of two labels in sorted order.
* jaccardSimilarityScore: of two classes hits / (hits + wrong + missed) of the positive one. Newer D3M code stops there.
  Of several labels per row it is the mean over rows of shared / all labels (no label in either is 1), as of schema 3.x
  and scikit-learn's `samples`. Of more than two classes without a positive one it is the mean over classes. Old code,
  by scikit-learn's function of that name, gave the accuracy wherever a row has one label.
* rocAuc is of two classes, rocAucMacro the plain mean over classes against all others, rocAucMicro of all cells at
  once. A label without a probability has 0. D3M fails where a class is in all rows or in none; here it is left out of
  rocAucMacro, and rocAuc is nan.
* precisionAtTopK is the share of the k rows with the largest truth that are among the k largest predictions, over k
  even where there are fewer rows. Of equal values the later row comes first: D3M reverses a sort that leaves
  ties open. D3M also cuts values to whole numbers before it ranks them, which is not done here. Of classes the
  positive one's probability ranks.
* meanSquaredError, meanAbsoluteError, rSquared: the plain mean over targets. rootMeanSquaredError of several targets is
  the mean over targets of their RMSE, not the root of the mean; rootMeanSquaredErrorAvg is the same by its older name.
* normalizedMutualInformation is divided by the geometric mean of the entropies (scikit-learn: arithmetic).
* modularity is Newman's and Girvan's, of weighted edges without directions; D3M has none. Its interval is of the mean
  of what nodes add to it.
* objectDetectionAP: see `boxes`; truth is boxes per image, prediction boxes with confidences, as lists or text.
  At a shared half of the union, the area under all points of the envelope (PASCAL VOC 2010 on), of one kind of object.

Several labels per row come as "a;b", sets, or a column of truth values per label; D3M's repeated rows become sets when
a data set is loaded (see `d3m_labels`), so that the scores are D3M's, per index.

Odd cases: rows without a truth do not count. A missing prediction, or no row at all, gives nan. So does rocAuc where
the truth has one class; rocAucMacro skips such classes. A class never predicted has precision 0. A constant truth has
rSquared 1 where it is met exactly, else 0; one row alone has none (nan).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import boxes, measures
from .answers import indicators, label_codes, label_text, probability_table, silhouette_space, values_table

if TYPE_CHECKING:
    from .problem import Problem

LARGEST = 1e100
"""What a cost can be at most: optimizers take no infinities."""


@dataclass(frozen=True)
class Metric:
    """One way to judge predictions.

    Attributes
    ----------
    name : str
        D3M's name.
    larger_is_better : bool
    needs : str
        What a model must answer: "labels", "probabilities", "values" or "ranks" (values whose order counts).
    bounds : (float, float)
        Smallest and largest possible value.
    positive : label or None
        The class that precision, recall, f1, jaccardSimilarityScore and rocAuc are about.
    k : int
        Rows at the top that precisionAtTopK looks at.
    multilabel : bool
        Whether a row may have several labels: label sets ("a;b", a set, a list) or a table of booleans.

    Calling a metric as ``metric(truth, prediction)`` gives a float. Probabilities are a DataFrame with a column per
    class (or "p_" and the class), or one column: the probability of `positive`. The "truth" of silhouette is the table
    of features, that of modularity the symmetric matrix of weights between the rows' nodes.
    """

    name: str
    larger_is_better: bool
    needs: str
    bounds: tuple[float, float]
    measure: Callable[..., Any]
    title: str = ""
    positive: Any = None
    k: int = 20
    multilabel: bool = False

    def bind(self, positive: Any = None, k: int | None = None, multilabel: bool | None = None) -> Metric:
        """The same metric for a positive class, a number of rows at the top, or several labels per row."""
        return replace(
            self,
            positive=self.positive if positive is None else positive,
            k=self.k if k is None else k,
            multilabel=self.multilabel if multilabel is None else multilabel,
        )

    def prepare(self, truth: Any, prediction: Any) -> Scorer:
        """Both sides made ready once, to be scored on many choices of rows (a bootstrap).

        Raises
        ------
        ValueError
            Where the metric is not defined for this kind of truth; the message says which to take.
        """
        rows = truth.shape[0] if hasattr(truth, "shape") else len(truth)  # sparse matrices have no length
        if rows != len(prediction):
            raise ValueError(f"{self.name}: truth has {rows} rows, prediction {len(prediction)}")
        return self.measure(self, truth, prediction)

    def __call__(self, truth: Any, prediction: Any) -> float:
        return self.prepare(truth, prediction)()


@dataclass(frozen=True)
class Scorer:
    """A metric with its arguments made ready: call it with positions among `rows`, or with none for all.

    Attributes
    ----------
    rows : int array
        Positions of those rows of the arguments that have a truth and so count.
    """

    rows: np.ndarray
    score: Callable[[Any], float]

    def __call__(self, rows: np.ndarray | None = None) -> float:
        if not len(self.rows) or (rows is not None and not len(rows)):
            return float("nan")
        return float(self.score(slice(None) if rows is None else rows))


def metric(name: str | Metric) -> Metric:
    """A metric by name.

    Raises
    ------
    ValueError
        If there is none; the message names the nearest.
    """
    if isinstance(name, Metric):
        return name
    if name not in METRICS:
        near = difflib.get_close_matches(str(name), METRICS, 3, 0.4) or list(METRICS)
        raise ValueError(f"there is no metric {name!r}; did you mean {' or '.join(near)}?")
    return METRICS[name]


def cost(metric_: Metric | str, value: float) -> float:
    """`value` as something to minimize: finite, and as bad as can be for nan."""
    judge = metric(metric_)
    low, high = judge.bounds
    raw = high - value if judge.larger_is_better else value
    if np.isnan(raw):
        raw = high - low
    return float(np.clip(raw, -LARGEST, LARGEST))


def bound(problem: Problem, name: str | None = None) -> Metric:
    """The problem's metric (or the one named), bound to its positive class, its k and its several labels."""
    return metric(name or problem.metric or "").bind(problem.positive, problem.k, problem.subtask == "multiLabel")


def score_frame(metric: Metric, frame: pd.DataFrame) -> float:
    """`metric` of a prediction frame: truth, prediction, p_<class>..., or truth_<target>, prediction_<target>."""
    return prepare_frame(metric, frame)()


def prepare_frame(metric: Metric, frame: pd.DataFrame) -> Scorer:
    """As `score_frame`, ready to be scored on many choices of rows."""
    truth, prediction = _part(frame, "truth"), _part(frame, "prediction")
    chances = frame[[name for name in frame.columns if str(name).startswith("p_")]]
    if metric.needs == "probabilities":
        prediction = chances if len(chances.columns) else _certain(prediction, metric.multilabel)
    elif metric.needs == "ranks" and len(chances.columns):
        prediction = chances
    return metric.prepare(truth, prediction)


def _part(frame: pd.DataFrame, what: str) -> pd.Series | pd.DataFrame:
    if what in frame.columns:
        return frame[what]
    names = [name for name in frame.columns if str(name).startswith(what + "_")]
    if not names:
        raise ValueError(f"the prediction frame has no column {what!r} or {what}_<target>: {list(frame.columns)[:8]}")
    return frame[names].rename(columns=lambda name: name[len(what) + 1 :])


def _certain(prediction: pd.Series | pd.DataFrame, multilabel: bool) -> pd.DataFrame:
    """Probabilities 0 and 1 for a model that gives labels only."""
    if multilabel:
        table, names = indicators(prediction)
    else:
        (table,), names = label_codes([prediction])
        table = table[:, None] == np.arange(len(names))
    return pd.DataFrame(np.asarray(table, float), columns=[str(name) for name in names])


def _columns(table: Any) -> list[Any]:
    if isinstance(table, pd.DataFrame):
        return [table[name] for name in table.columns]
    table = table if isinstance(table, pd.Series) else np.asarray(table, dtype=object)
    return [table] if table.ndim == 1 else list(table.T)


def default_positive(labels: Sequence[str]) -> str | None:
    """The class that counts as positive where nobody said: "1", or the last of at most two; None where it is open."""
    if "1" in labels:
        return "1"
    return sorted(labels)[-1] if 0 < len(labels) <= 2 else None


def _has_sets(values: Any) -> bool:
    return any(isinstance(value, set | frozenset | list | tuple) for value in list(_columns(values)[0])[:20])


def _labels(counted: Callable[[measures.Counts], float], one_class: bool = False) -> Callable[..., Scorer]:
    """A measure of label tables from the counts of hits and misses per label."""

    def measure(metric: Metric, truth: Any, prediction: Any) -> Scorer:
        if metric.multilabel or _has_sets(truth):
            return _several_labels(metric, counted, truth, prediction)
        pairs = list(zip(_columns(truth), _columns(prediction), strict=True))
        prepared = [_one_label(metric, counted, one_class, *pair) for pair in pairs]
        rows = np.flatnonzero(np.logical_and.reduce([known for known, _ in prepared]))
        parts = [build(rows) for _, build in prepared]
        return Scorer(rows, lambda chosen: float(np.mean([part(chosen) for part in parts])))

    return measure


def _one_label(
    metric: Metric, counted: Callable[[measures.Counts], float], one_class: bool, truth: Any, prediction: Any
) -> tuple[np.ndarray, Callable[[np.ndarray], Callable[[Any], float]]]:
    (true, guess), names = label_codes([truth, prediction])

    def build(rows: np.ndarray) -> Callable[[Any], float]:
        t, g = true[rows], guess[rows]
        if (g < 0).any():
            return lambda chosen: float("nan")
        positive = _positive_code(metric, names, t, g) if one_class else None
        return lambda chosen: counted(measures.count_codes(t[chosen], g[chosen], len(names), positive))

    return true >= 0, build


def _positive_code(metric: Metric, names: list[str], true: np.ndarray, guess: np.ndarray) -> int | None:
    seen = [names[code] for code in np.unique(np.concatenate([true, guess]))]
    positive = default_positive(seen) if metric.positive is None else label_text(metric.positive)
    if positive is None and seen and metric.name != "jaccardSimilarityScore":
        raise ValueError(
            f"{metric.name} is of one positive class, but there are {len(seen)} classes ({', '.join(seen[:5])}, ...): "
            f"name the positive class, or take {'f1Macro' if metric.name != 'rocAuc' else 'rocAucMacro'}"
        )
    return None if positive is None else names.index(positive) if positive in names else -1


def _several_labels(metric: Metric, counted: Callable[[measures.Counts], float], truth: Any, prediction: Any) -> Scorer:
    if metric.name in ("f1", "precision", "recall"):
        raise ValueError(f"{metric.name} is of one class, but rows have several labels: take f1Micro or f1Macro")
    (true, names), (guess, theirs) = indicators(truth), indicators(prediction)
    union, fixed = sorted({*names, *theirs}), np.ndim(truth) == 2
    true, guess = _aligned(true, names, union), _aligned(guess, theirs, union)
    rows = np.flatnonzero(~np.isnan(true).any(axis=1))
    true, guess = true[rows] > 0, guess[rows]
    missing = np.isnan(guess).any() or not union
    return Scorer(rows, lambda s: np.nan if missing else counted(measures.count_cells(true[s], guess[s] > 0, fixed)))


def _aligned(table: np.ndarray, names: list[str], union: list[str]) -> np.ndarray:
    """Columns in the order of `union`; a label that is not in the table is in none of its rows."""
    empty = np.where(np.isnan(table).any(axis=1), np.nan, 0.0)
    place = {name: column for column, name in enumerate(names)}
    columns = [table[:, place[name]] if name in place else empty for name in union]
    return np.stack(columns, axis=1) if columns else np.zeros((len(table), 0))


def _probabilities(average: str) -> Callable[..., Scorer]:
    def measure(metric: Metric, truth: Any, prediction: Any) -> Scorer:
        names, chances = probability_table(prediction, metric.positive)
        several = metric.multilabel or _has_sets(truth)
        true, names, chances = _cells(truth, names, chances, several)
        rows = np.flatnonzero(~np.isnan(true).any(axis=1))
        if average == "binary":
            true, chances = _two_classes(metric, names, true, chances, rows)
        true, chances = true[rows] > 0, chances[rows]
        missing = np.isnan(chances).any()
        return Scorer(rows, lambda s: np.nan if missing else measures.area(true[s], chances[s], average))

    return measure


def _cells(truth: Any, names: list[str] | None, chances: np.ndarray, several: bool) -> tuple[Any, list[str], Any]:
    """Truth and probabilities as tables with the same columns; a label without probabilities has 0 in all rows."""
    if several:
        true, theirs = indicators(truth)
    else:
        (codes,), theirs = label_codes(_columns(truth)[:1])
        true = (codes[:, None] == np.arange(len(theirs))).astype(float)
        true[codes < 0] = np.nan
    if names is None:
        return true, theirs, chances
    union = sorted({*theirs, *names})
    return _aligned(true, theirs, union), union, _aligned(chances, names, union)


def _two_classes(
    metric: Metric, names: list[str], true: np.ndarray, chances: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    present = [name for name, any_ in zip(names, (true[rows] > 0).any(axis=0), strict=True) if any_]
    if len(present) > 2 or (len(names) > 2 and chances.shape[1] == len(names) and metric.positive is None):
        raise ValueError(f"rocAuc is of two classes, but there are {len(names)}: take rocAucMacro or rocAucMicro")
    positive = default_positive(names) if metric.positive is None else label_text(metric.positive)
    none = np.where(np.isnan(true).any(axis=1), np.nan, 0.0)[:, None]
    column = names.index(positive) if positive in names else None
    if chances.shape[1] == 1 and len(names) != 1:
        return (true[:, [column]] if column is not None else none), chances
    return (none, none) if column is None else (true[:, [column]], chances[:, [column]])


def _values(formula: Callable[[np.ndarray, np.ndarray], float]) -> Callable[..., Scorer]:
    def measure(metric: Metric, truth: Any, prediction: Any) -> Scorer:
        true, guess = values_table(truth), values_table(prediction)
        if true.shape != guess.shape:
            raise ValueError(f"{metric.name}: truth has {true.shape[1]} targets, prediction {guess.shape[1]}")
        rows = np.flatnonzero(~np.isnan(true).any(axis=1))
        true, guess = true[rows], guess[rows]
        return Scorer(rows, lambda chosen: formula(true[chosen], guess[chosen]))

    return measure


def _top(metric: Metric, truth: Any, prediction: Any) -> Scorer:
    """Ranks of values; of classes: the positive class first, by its probability where there is one."""
    true = _ranked_truth(metric, truth)
    if isinstance(prediction, pd.DataFrame) and any(str(name).startswith("p_") for name in prediction.columns):
        guess = _ranked_chances(metric, prediction)
    else:
        guess = _ranked_truth(metric, prediction)
    rows = np.flatnonzero(~np.isnan(true))
    true, guess = true[rows], guess[rows]
    missing = bool(np.isnan(guess).any())
    return Scorer(rows, lambda s: np.nan if missing else measures.shared_top(true[s], guess[s], metric.k))


def _ranked_truth(metric: Metric, values: Any) -> np.ndarray:
    column = pd.Series(_columns(values)[0])
    numbers = np.asarray(pd.to_numeric(column, errors="coerce"), float)
    if not np.isnan(numbers[column.notna().to_numpy()]).any():
        return numbers
    (codes,), names = label_codes([column])
    positive = default_positive(names) if metric.positive is None else label_text(metric.positive)
    if positive is None:
        raise ValueError(f"precisionAtTopK ranks numbers or one positive class: name it ({', '.join(names[:5])})")
    return np.where(codes < 0, np.nan, codes == (names.index(positive) if positive in names else -2))


def _ranked_chances(metric: Metric, prediction: pd.DataFrame) -> np.ndarray:
    names, chances = probability_table(prediction, metric.positive)
    numbers = pd.to_numeric(pd.Series(names or []), errors="coerce")
    if names and metric.positive is None and len(names) > 2 and numbers.notna().all():
        return np.asarray(chances @ numbers.to_numpy(float))  # what the model expects the number to be
    positive = default_positive(names or []) if metric.positive is None else label_text(metric.positive)
    return np.asarray(chances[:, (names or []).index(positive)]) if positive in (names or []) else chances[:, -1]


def _information(metric: Metric, truth: Any, prediction: Any) -> Scorer:
    (true, guess), _ = label_codes([_columns(truth)[0], _columns(prediction)[0]])
    rows = np.flatnonzero(true >= 0)
    true, guess = true[rows], guess[rows]
    missing = bool((guess < 0).any())
    return Scorer(rows, lambda s: np.nan if missing else measures.mutual_information(true[s], guess[s]))


def _silhouette(metric: Metric, features: Any, prediction: Any) -> Scorer:
    (codes,), names = label_codes([_columns(prediction)[0]])
    parts = measures.silhouettes(silhouette_space(features), codes, names.index("-1") if "-1" in names else None)
    rows = np.flatnonzero(~np.isnan(parts)) if (codes >= 0).all() else np.arange(len(codes))
    kept = parts[rows]
    return Scorer(rows, lambda chosen: np.mean(kept[chosen]))


def _modularity(metric: Metric, weights: Any, prediction: Any) -> Scorer:
    (codes,), _ = label_codes([_columns(prediction)[0]])
    parts = measures.modularities(weights, codes) * len(codes)
    missing = bool((codes < 0).any())
    return Scorer(np.arange(len(codes)), lambda chosen: np.nan if missing else np.mean(parts[chosen]))


def _boxes(metric: Metric, truth: Any, prediction: Any) -> Scorer:
    known = [not (cell is None or (isinstance(cell, float) and cell != cell)) for cell in truth]
    true = [boxes.boxes(cell) for cell, there in zip(truth, known, strict=True) if there]
    found = [boxes.detections(cell) for cell, there in zip(prediction, known, strict=True) if there]
    score, all_ = boxes.precision_of(true, found), np.arange(len(true))
    return Scorer(np.flatnonzero(known), lambda chosen: score(all_[chosen]))


_INF = float("inf")
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", True, "labels", (0, 1), _labels(measures.accuracy), "accuracy"),
        Metric("precision", True, "labels", (0, 1), _labels(measures.precision, True), "precision"),
        Metric("recall", True, "labels", (0, 1), _labels(measures.recall, True), "recall"),
        Metric("f1", True, "labels", (0, 1), _labels(measures.f1, True), "F1"),
        Metric("f1Micro", True, "labels", (0, 1), _labels(measures.f1_micro), "micro F1"),
        Metric("f1Macro", True, "labels", (0, 1), _labels(measures.f1_macro), "macro F1"),
        Metric("jaccardSimilarityScore", True, "labels", (0, 1), _labels(measures.jaccard, True), "Jaccard similarity"),
        Metric("hammingLoss", False, "labels", (0, 1), _labels(measures.hamming), "Hamming loss"),
        Metric("rocAuc", True, "probabilities", (0, 1), _probabilities("binary"), "ROC AUC"),
        Metric("rocAucMicro", True, "probabilities", (0, 1), _probabilities("micro"), "micro ROC AUC"),
        Metric("rocAucMacro", True, "probabilities", (0, 1), _probabilities("macro"), "macro ROC AUC"),
        Metric("precisionAtTopK", True, "ranks", (0, 1), _top, "precision at top K"),
        Metric("meanSquaredError", False, "values", (0, _INF), _values(measures.mean_squared), "mean squared error"),
        Metric("rootMeanSquaredError", False, "values", (0, _INF), _values(measures.root_mean_squared), "RMSE"),
        Metric("rootMeanSquaredErrorAvg", False, "values", (0, _INF), _values(measures.root_mean_squared), "mean RMSE"),
        Metric("meanAbsoluteError", False, "values", (0, _INF), _values(measures.mean_absolute), "mean absolute error"),
        Metric("rSquared", True, "values", (-_INF, 1), _values(measures.r_squared), "R²"),
        Metric("normalizedMutualInformation", True, "labels", (0, 1), _information, "normalized mutual information"),
        Metric("silhouette", True, "labels", (-1, 1), _silhouette, "silhouette"),
        Metric("modularity", True, "labels", (-1, 1), _modularity, "modularity"),
        Metric("objectDetectionAP", True, "boxes", (0, 1), _boxes, "average precision of boxes"),
    )
}
