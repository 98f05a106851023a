"""HTML in the page that the server writes, and what is done to it.

The page's script draws a pane anew in place, so that what has the focus keeps it, and tells of what is done to these:

* `data-do='["word", argument]'` on a button: pressed.
* `data-ask='["word", more...]'` on an input or select: changed; the argument is [more..., value].
* `data-type="word"` on an input: typed into or dragged, told while it goes on; the argument is the value.
* `data-file="word"` on a file input: a file was chosen; the argument has its "name", "size" and, up to 1 MB, "text".
* `<form data-form="word">`: submitted; the argument maps names to values, a list where several inputs share a name.
* `data-row` and `data-model`, with an id as JSON: hovering lights this row or model everywhere, clicking keeps it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

from bokeh.models import CustomJS, Spacer


class Pane:
    """One place of the page whose HTML comes from here.

    Parameters
    ----------
    name : str
        The page has an element with this as `data-pane`.

    Attributes
    ----------
    model : Bokeh model
        Carries [serial, html] to the page; to be placed in it, hidden, as `pane_<name>`.
    do : callable
        Gets the word and argument of what is done in the pane.
    """

    def __init__(self, name: str, do: Callable[[str, Any], None]) -> None:
        self.name, self.do = name, do
        self.model = Spacer(visible=False)
        code = f"window.snowcat?.draw({json.dumps(name)}, cb_obj.tags)"
        self.model.js_on_change("tags", CustomJS(code=code))
        self._serial, self.html = 0, ""

    def show(self, html: str) -> None:
        """Replace what the pane holds; says nothing where nothing changes."""
        if html != self.html:
            self.html = html
            self._serial += 1
            self.model.tags = [self._serial, html]


# -- pieces of HTML


def text(value: Any) -> str:
    """Anything as text of a page."""
    return escape(str(value), quote=True)


def does(word: str, argument: Any = None) -> str:
    """Attribute of a button that says a word."""
    return f'data-do="{_json([word, argument])}"'


def asks(word: str, *more: Any) -> str:
    """Attribute of an input that tells its value when it changes."""
    return f'data-ask="{_json([word, *more])}"'


def row_mark(id_: Any) -> str:
    """Attribute of what stands for a row of the data."""
    return f'data-row="{_json(_plain(id_))}"'


def model_mark(number: Any) -> str:
    """Attribute of what stands for a model."""
    return f'data-model="{_json(_plain(number))}"'


def button(label: str, word: str, argument: Any = None, main: bool = False, disabled: bool = False) -> str:
    """A button that says a word."""
    return (
        f'<button type="button" class="plain{" main" if main else ""}" {does(word, argument)}'
        f"{' disabled' if disabled else ''}>{text(label)}</button>"
    )


def select(word: str, options: dict[Any, str], chosen: Any, label: str, *more: Any) -> str:
    """A list to choose one of, by value and what to call it."""
    items = "".join(
        f'<option value="{text(value)}"{" selected" if value == chosen else ""}>{text(called)}</option>'
        for value, called in options.items()
    )
    return f'<select {asks(word, *more)} aria-label="{text(label)}">{items}</select>'


def alert(message: str) -> str:
    """Something that went wrong, in words."""
    return f'<div class="alert" role="alert">{text(message)}</div>' if message else ""


def quiet(message: str) -> str:
    """A remark."""
    return f'<p class="quiet">{text(message)}</p>' if message else ""


def _json(value: Any) -> str:
    return escape(json.dumps(value), quote=True)


def _plain(value: Any) -> Any:
    """As JSON knows it: NumPy's numbers are not its."""
    return value.item() if hasattr(value, "item") else value
