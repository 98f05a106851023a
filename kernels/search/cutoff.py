"""Binary answers from probabilities: what a cut-off makes of them, and how many positives come first.

A row is taken where its probability of the positive class is at least the cut-off. Of all rows, those of the largest
probabilities first, a share of the rows is taken and a share of the positives found: cumulative gains. Lift is the
second share over the first: how much richer in positives the rows taken are than all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from .model import Model


@dataclass(frozen=True)
class Cut:
    """Counts of rows at a cut-off, and what follows from them; a share of no rows is nan.

    Attributes
    ----------
    cutoff : float
    hits, false_alarms, misses, rejections : int
        Rows that are truly positive and taken, taken only, positive only, neither.
    """

    cutoff: float
    hits: int
    false_alarms: int
    misses: int
    rejections: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.hits + self.false_alarms + self.misses + self.rejections

    @property
    def taken(self) -> float:
        """Share of the rows that are taken."""
        return _share(self.hits + self.false_alarms, self.rows)

    @property
    def precision(self) -> float:
        """Share of the rows taken that are positive."""
        return _share(self.hits, self.hits + self.false_alarms)

    @property
    def recall(self) -> float:
        """Share of the positives that are taken."""
        return _share(self.hits, self.hits + self.misses)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 where there are positives and no hit."""
        return _share(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)

    @property
    def accuracy(self) -> float:
        """Share of the rows that are right."""
        return _share(self.hits + self.rejections, self.rows)

    @property
    def lift(self) -> float:
        """How much richer in positives the rows taken are than all rows."""
        found, taken = self.recall, self.taken
        return found / taken if taken > 0 else float("nan")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def cut(positive: Any, chances: Any, cutoff: float = 0.5) -> Cut:
    """Counts at a cut-off.

    Parameters
    ----------
    positive : (rows,) bool
        Which rows truly are of the positive class.
    chances : (rows,) float
        Their probability of it. Rows without one do not count.
    cutoff : float
        Rows of at least this probability are taken.

    Raises
    ------
    ValueError
        If the cut-off is not within 0 and 1, or there is not one probability per row.
    """
    if not 0 <= cutoff <= 1:
        raise ValueError(f"cutoff = {cutoff}; expected a probability from 0 to 1")
    true, chance = _known(positive, chances)
    taken = chance >= cutoff
    counts = [int((a & b).sum()) for a in (true, ~true) for b in (taken, ~taken)]
    hits, misses, false_alarms, rejections = counts
    return Cut(float(cutoff), hits, false_alarms, misses, rejections)


def gains(positive: Any, chances: Any) -> pd.DataFrame:
    """What is found when ever more rows are taken, those of the largest probabilities first.

    Parameters
    ----------
    positive, chances : arrays
        As for `cut`.

    Returns
    -------
    DataFrame
        A row per distinct probability, the largest first, after one where nothing is taken yet: cutoff (infinite
        there), taken (share of the rows), found (share of the positives; nan without any), lift (found / taken).
        Rows of equal probability are taken together: between two points a curve is straight.
    """
    import pandas as pd

    true, chance = _known(positive, chances)
    order = np.argsort(-chance, kind="stable")
    chance, hits = chance[order], np.cumsum(true[order])
    last = np.flatnonzero(np.diff(chance, append=-np.inf))  # of those of equal probability
    with np.errstate(divide="ignore", invalid="ignore"):
        taken = np.r_[0.0, (last + 1) / len(chance)] if len(chance) else np.zeros(1)
        found = np.r_[0, hits[last]] / max(int(true.sum()), 1) if true.any() else np.full(len(taken), np.nan)
        lift = found / taken
    lift[0] = lift[1] if len(lift) > 1 else np.nan
    return pd.DataFrame({"cutoff": np.r_[np.inf, chance[last]], "taken": taken, "found": found, "lift": lift})


def at_cutoff(model: Model, cutoff: float = 0.5, split: str | None = None, positive: Any = None) -> Cut:
    """Counts, precision, recall, F1 of a model at a cut-off; see `positives`."""
    return cut(*positives(model, split, positive), cutoff)


def lift(model: Model, split: str | None = None, positive: Any = None) -> pd.DataFrame:
    """Cumulative gains and lift of a model, as `gains` has them; see `positives`."""
    return gains(*positives(model, split, positive))


def positives(model: Model, split: str | None = None, positive: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Of each row of a model's predictions whether it is truly positive, and the probability that it is.

    Parameters
    ----------
    model : Model
    split : str, optional
        "holdout", or "train" (out of fold); by default that of the model's scores.
    positive : label, optional
        The class; by default the problem's positive one. Of more than two classes it has to be named.

    Returns
    -------
    (positive, chances) : (rows,) bool, (rows,) float

    Raises
    ------
    ValueError
        If the model gives no probabilities, there is no such class, or none is the positive one.
    """
    from .answers import label_text
    from .scores import of_split

    frame = of_split(model.predictions, split or model.split)
    label = positive_class(model, positive)
    true = np.array([label in (str(each), label_text(each)) for each in frame["truth"]], dtype=bool)
    known = frame["truth"].notna().to_numpy()
    return true, np.where(known, frame[f"p_{label}"].to_numpy(float), np.nan)


def positive_class(model: Model, positive: Any = None) -> str:
    """The class that `positives` speaks of, as its column p_<class> has it; raises as that does."""
    from .answers import label_text
    from .metrics import default_positive

    labels = [name[2:] for name in map(str, model.predictions.columns) if name.startswith("p_")]
    if not labels or "truth" not in model.predictions:
        raise ValueError(f"{model.name}: gives no probabilities of one class per row, so that there is nothing to cut")
    wanted = model.problem.positive if positive is None else positive
    if wanted is None:
        wanted = default_positive(labels)
    if wanted is None:
        raise ValueError(f"{model.name}: name the positive class, one of {', '.join(labels[:10])}")
    texts = (str(wanted), label_text(wanted), f"{label_text(wanted)}.0")  # 1, 1.0 and "1" are one label
    found = next((text for text in texts if text in labels), None)
    if found is None:
        raise ValueError(f"{model.name}: there is no class {wanted!r}; there are {', '.join(labels[:10])}")
    return found


def _known(positive: Any, chances: Any) -> tuple[np.ndarray, np.ndarray]:
    true, chance = np.asarray(positive, dtype=bool), np.asarray(chances, dtype=float)
    if true.shape != chance.shape or true.ndim != 1:
        raise ValueError(f"expected a probability per row, got {true.shape} and {chance.shape}")
    known = ~np.isnan(chance)
    return true[known], chance[known]
