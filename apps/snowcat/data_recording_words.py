"""What the description says of sounds and videos, in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.data_card import Once
from learnviews.apps.snowcat.pane import text
from learnviews.grammar.media_tracks_bokeh import clock
from learnviews.kernels.search.recording_facts import recordings

if TYPE_CHECKING:
    from learnviews.kernels.search.recording_facts import RecordingFacts

HEARD = Once(recordings)
FEW = 3  # rates, and numbers of channels or sizes, that are named


def recording_lines(facts: list[RecordingFacts]) -> list[str]:
    """A line of HTML per column."""
    return [_line(each) for each in facts]


def _line(facts: RecordingFacts) -> str:
    what = {"audio": "sound", "video": "video"}[facts.type]
    some = "" if facts.looked == facts.files else f" ({facts.looked:,} of them looked at)"
    many = f"{facts.files:,} {what}{'s' if facts.files != 1 else ''}{some}"
    parts = [f"<b>{text(facts.column)}</b>: {many}", _length(facts), *_kinds(facts)]
    if facts.unread:
        more = f" and {len(facts.unread) - 1:,} more" if len(facts.unread) > 1 else ""
        parts.append(f"<b>{text(facts.unread[0])}{more} cannot be read</b>")
    return ", ".join(filter(None, parts))


def _length(facts: RecordingFacts) -> str:
    if facts.shortest != facts.shortest:
        return ""
    if facts.looked == 1:
        return clock(facts.total)
    return f"{clock(facts.shortest)} to {clock(facts.longest)}, {clock(facts.total)} in all"


def _kinds(facts: RecordingFacts) -> list[str]:
    if facts.type == "audio":
        return [_listed(facts.rates, lambda rate: f"{rate:,.0f} Hz"), _listed(facts.shapes, _channels)]
    rates = _listed(facts.rates, lambda rate: "frames of no told rate" if rate != rate else f"{rate:g} frames a second")
    return [rates, _listed(facts.shapes, lambda size: f"{size[0]} x {size[1]} pixels")]


def _channels(shape: tuple[int, ...]) -> str:
    return {1: "mono", 2: "stereo"}.get(shape[0], f"{shape[0]} channels")


def _listed(counts: dict[Any, int], said: Callable[[Any], str]) -> str:
    """The commonest few, with how many have each where they differ."""
    if len(counts) == 1:
        return said(next(iter(counts)))
    named = [f"{said(value)} ({count:,})" for value, count in list(counts.items())[:FEW]]
    return " / ".join(named) + (f" and {len(counts) - FEW} more" if len(counts) > FEW else "")
