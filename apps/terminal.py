"""What the console commands share: errors as one line, Ctrl-C as a request, progress as bars."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from ..kernels.progress import Progress


@contextmanager
def clear_errors() -> Iterator[None]:
    """Show errors that a user can mend as one line, not as a traceback."""
    try:
        yield
    except (OSError, ValueError, LookupError, ArithmeticError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def stopped_by(cancel: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) calls `cancel`."""

    def stop(number: int, frame: Any) -> None:
        cancel()
        for each, handler in before.items():  # a second one kills
            signal.signal(each, handler)

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


class Bars(Progress):
    """Progress on the terminal: a bar for every piece of work, one below the other.

    Parameters
    ----------
    *names : (description, unit)
        Of work; if there are two, the second is for work that tells in words how it goes.
    scaled : bool
        Show 1.2M for 1,200,000.
    """

    def __init__(self, *names: tuple[str, str], scaled: bool = False) -> None:
        super().__init__(self._draw)
        self._names, self._name, self._scaled = names, names[0], scaled
        self._words: Callable[[], str] | None = None
        self._bar: Any = None

    def start(self, total: int) -> None:
        self.close()
        self.text = ""
        super().start(total)

    def update(self, done: int, text: Callable[[], str] | None = None) -> None:
        self._name, self._words = self._names[-1 if text else 0], text
        super().update(done, text)

    def close(self) -> None:
        """End the bar that is there, with where its work came to."""
        if self.done:
            self.text = self._words() if self._words else self.text
            self._draw(self)
            self._bar.close()
        self.done, self._bar = 0, None

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _draw(self, progress: Progress) -> None:
        if self._bar is None:
            self._bar = self._begin(*self._name)
        self._bar.set_postfix_str(self.text, refresh=False)
        self._bar.update(self.done - self._bar.n)

    def _begin(self, what: str, unit: str) -> Any:
        from tqdm import tqdm

        bar = tqdm(
            desc=what,
            unit=f" {unit}",
            total=self.total or None,
            mininterval=0,
            dynamic_ncols=True,
            unit_scale=self._scaled,
            delay=1e-9,  # not drawn now, but by the first update
        )
        bar.start_t -= self.elapsed
        bar.last_print_t = bar.start_t
        return bar
