"""Element for which hyper-parameters matter in a study."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import param
from holoviews.core import Dataset, Dimension, Element2D

from ..kernels.figures import figure
from .dimensions import default_dimensions

TOP = 15  # parameters


class ParameterImportance(Dataset, Element2D):
    """A bar per hyper-parameter: how much of the cost's variation over the trials it explains, the most first.

    Parameters
    ----------
    data : table of (place, importance, low, high, trials)
        Place from the top; share of the variation with the middle 80% of the forest's trees; trials in which the
        parameter is active.
    parameters : list of str
        By place.
    best : list of str
        Value of each in the best trial; "" where it is not active.
    note : str
        How much to believe.
    left_out : int
        Parameters that are not shown.

    Raises
    ------
    ValueError
        If there is not one name and one best value per bar.
    """

    group = param.String(default="ParameterImportance", constant=True)

    kdims = param.List(default=[Dimension("place")], item_type=Dimension, bounds=(1, 1), doc="Place from the top.")

    vdims = param.List(
        default=[Dimension(name) for name in ("importance", "low", "high", "trials")],
        item_type=Dimension,
        bounds=(4, None),
        doc="Share of the variation, its middle 80%, trials with the parameter.",
    )

    parameters: Any = param.List(default=[], doc="Names of the parameters.")
    best: Any = param.List(default=[], doc="Values in the best trial.")
    note: Any = param.String(default="", doc="How much to believe.")
    left_out: Any = param.Integer(default=0, bounds=(0, None), doc="Parameters that are not shown.")

    def __init__(self, data: Any = None, kdims: Any = None, vdims: Any = None, **params: Any) -> None:
        kdims = default_dimensions(data, kdims, type(self).kdims)
        vdims = default_dimensions(data, vdims, type(self).vdims)
        super().__init__([] if data is None else data, kdims=kdims, vdims=vdims, **params)
        for name in ("parameters", "best"):
            if len(getattr(self, name)) != len(self):
                raise ValueError(f"{name}: expected one per bar, {len(self)}, got {len(getattr(self, name))}")

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, top: int = TOP, **params: Any) -> ParameterImportance:
        """From what `kernels.search.parameter_importance` returned.

        Parameters
        ----------
        frame : DataFrame
            Index parameter; columns importance, low, high, trials and best.
        top : int
            Most parameters to show.

        Raises
        ------
        ValueError
            If a column is missing, or `top` is below 1.
        """
        if top < 1:
            raise ValueError(f"top = {top}; expected at least one parameter")
        missing = [name for name in ("importance", "low", "high", "trials", "best") if name not in frame]
        if missing:
            raise ValueError(f"no column {missing[0]!r}; there are {', '.join(map(str, frame.columns))}")
        known = frame[np.isfinite(frame["importance"].to_numpy(float))]
        shown = known.sort_values("importance", ascending=False, kind="stable").iloc[:top]
        data = {"place": np.arange(len(shown))}
        data |= {name: shown[name].to_numpy(float) for name in ("importance", "low", "high", "trials")}
        told = {
            "parameters": [str(name) for name in shown.index],
            "best": [_said(value) for value in shown["best"]],
            "note": _note(frame.attrs),
            "left_out": len(known) - len(shown),
        }
        return cls(data, datatype=["dictionary"], **(told | params))

    @classmethod
    def from_study(cls, study: Any, top: int = TOP, rng: Any = 0, **params: Any) -> ParameterImportance:
        """Of a `kernels.search.Study`, or of a table as its `trials`; it fits a forest, which takes seconds."""
        from ..kernels.search import parameter_importance

        return cls.from_frame(parameter_importance(study, rng), top, **params)


def _note(attrs: Any) -> str:
    """What the frame says of itself."""
    if attrs.get("why"):
        return str(attrs["why"])
    fit = attrs.get("fit", np.nan)
    return f"a forest foretells {fit:.0%} of the variation of other trials" if np.isfinite(fit) else ""


def _said(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return figure(value) if isinstance(value, float) else str(value)
