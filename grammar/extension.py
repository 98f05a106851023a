"""Loading: plots are registered once HoloViews has loaded its Bokeh backend, whoever asked for it."""

from __future__ import annotations

from typing import Any

import holoviews as hv
from holoviews.core.options import Store


def extension(*backends: str, **params: Any) -> Any:
    """Load plotting backends, as `holoviews.extension` does; the views of this package draw with "bokeh".

    `holoviews.extension` itself works as well, called before or after this package was imported.
    """
    return hv.extension(*backends, **params)


def load() -> None:
    """Register the Bokeh plots and refresh what `.opts` knows of them; doing it twice does no harm."""
    from . import plotting_bokeh

    plotting_bokeh.register()
    if Store.current_backend in Store.loaded_backends():
        Store.set_current_backend(Store.current_backend)


def register() -> None:
    """Have the plots registered as soon as the backend is there, at once if it is there already."""
    if load not in hv.extension._backend_hooks["bokeh"]:
        hv.extension.register_backend_callback("bokeh", load)
    if "bokeh" in Store.loaded_backends():
        load()
