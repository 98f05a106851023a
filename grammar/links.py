"""Links: what one plot does to another in the browser."""

from __future__ import annotations

from typing import Any

import param
from holoviews.plotting.links import Link


class LossLink(Link):
    """Show in a `GradientHorizon` the loss whose segments are highlighted in a `GradientFlow`.

    The flow is the source, the horizon the target. Follows the pointer without asking
    Python. While nothing is highlighted the last loss stays, so that the pointer can go to the horizon and read its
    numbers. When Python gives the flow another batch, the horizon follows.
    """

    rescale: Any = param.Selector(
        default="batch",
        objects=["batch", "loss", "fixed"],
        doc="""
        What the horizon's value axis covers: the batch's largest cell, so that losses compare; its own bars; or what
        it was given, so that batches compare.""",
    )

    _requires_target = True
