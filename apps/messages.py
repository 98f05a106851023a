"""Messages in a page: what goes wrong is told above the views, and the session lives on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from html import escape
from typing import Any

EXPECTED = (OSError, ValueError, LookupError, TypeError)  # other errors are told, too, and logged


def shown_in_page(handler: Callable[..., None]) -> Callable[..., None]:
    """A method whose errors are given to the `tell` of its object."""

    @wraps(handler)
    def safely(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            handler(self, *args, **kwargs)
        except Exception as error:
            self.tell(str(error) or type(error).__name__)
            if not isinstance(error, EXPECTED):
                raise

    return safely


def show_message(div: Any, message: str) -> None:
    """Show a message in a Bokeh Div, or take it away."""
    div.text = f'<div class="message" role="alert">{escape(message)}</div>' if message else ""
    div.visible = bool(message)
