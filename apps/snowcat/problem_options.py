"""What can be chosen for a word of a problem's sentence, as HTML; what cannot is there, too, and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.pane import asks, button, does, quiet, text

if TYPE_CHECKING:
    from learnviews.apps.snowcat.problem_draft import Draft
    from learnviews.kernels.search.phrases import Offer

MOST = 300  # options shown at a time
FEW = 8  # options that nobody needs to search


def panel_html(word: str, draft: Draft, data: Any, search: str) -> str:
    """The options of a word, below the sentence."""
    offers = _offers(word, draft)
    shown = sorted(matching(offers, search), key=lambda offer: not offer.legal)
    tools = _search(search) if len(offers) > FEW else ""
    if word == "features":
        tools += "".join(
            button(label, "features", which) for label, which in _SETS if which != "usual" or not draft.forecasts
        )
        tools += f"<small>{len(draft.used)} chosen</small>"
    tools += _hint(word, draft)
    items = "".join(_ITEMS[word](draft, offer) for offer in shown[:MOST])
    if word == "target":
        items = _nothing(draft) + items
    more = quiet(f"{len(shown) - MOST} more: search for them.") if len(shown) > MOST else ""
    none = quiet("Nothing has this name.") if search and not shown else ""
    return (
        f'<div class="panel" role="group" aria-label="{text(_TITLES[word])}"><div class="row">{tools}</div>'
        f'<div class="options">{items}</div>{none}{more}</div>'
    )


def matching(offers: Iterable[Offer], search: str) -> list[Offer]:
    """Those whose name or type has every word; words parted by commas are alternatives."""
    wanted = [part.split() for part in search.lower().split(",") if part.split()]
    return [
        offer
        for offer in offers
        if not wanted or any(all(word in offer.title.lower() for word in part) for part in wanted)
    ]


_SETS = (("All", "all"), ("None", "none"), ("As usual", "usual"))
_TITLES = {
    "target": "What to predict",
    "features": "Columns to learn from",
    "time": "What orders the rows",
    "group": "What tells series apart",
    "task": "Task",
    "metric": "Metric",
}


def _offers(word: str, draft: Draft) -> tuple[Offer, ...]:
    phrase = draft.phrase
    order = (draft.told.time, *draft.told.groups)
    return {
        "target": phrase.targets,
        "features": tuple(offer for offer in phrase.features if not (draft.forecasts and offer.name in order)),
        "time": phrase.times,
        "group": phrase.groups,
        "task": phrase.tasks,
        "metric": phrase.metrics,
    }[word]


def _search(search: str) -> str:
    return (
        f'<input type="search" id="option-words" class="grow" data-type="search" value="{text(search)}" '
        'placeholder="Search" aria-label="Search the options">'
    )


def _hint(word: str, draft: Draft) -> str:
    told = ""
    if word == "features" and draft.forecasts:
        told = "Tick what is known ahead, such as a calendar or a price that is fixed beforehand."
    elif word == "metric" and len(draft.phrase.labels) > 2 and draft.told.positive is None:
        told = "Some metrics are about one class: choose the positive one below first."
    elif word == "target" and draft.wanted.targets:
        told = "+ predicts a column as well."
    return f"<small>{told}</small>" if told else ""


def _refused(offer: Offer) -> str:
    why = text(_briefly(offer))
    return (
        f'<div class="option no" title="{text(offer.why)}"><span>{text(_name(offer))}<small>{why}</small></span></div>'
    )


def _briefly(offer: Offer) -> str:
    """Why not, without what would do instead: that is shown beside it."""
    if offer.why.endswith("not searched yet"):
        return "no models for it yet"
    return offer.why.partition(": take ")[0].partition("; these would do: ")[0].removeprefix(f"{offer.name} ")


def _name(offer: Offer) -> str:
    return offer.name if offer.title.startswith(f"{offer.name} (") else offer.title


def _kind(offer: Offer) -> str:
    """Type of a column, which its title has after its name."""
    return offer.title[len(offer.name) + 2 : -1] if offer.title.startswith(f"{offer.name} (") else ""


def _one(word: str, chosen: Callable[[Draft], Any]) -> Callable[[Draft, Offer], str]:
    """Options of which one is chosen."""

    def item(draft: Draft, offer: Offer) -> str:
        if not offer.legal:
            return _refused(offer)
        on = str(offer.name in chosen(draft)).lower()
        return (
            f'<button type="button" class="option" {does(word, offer.name)} aria-pressed="{on}">'
            f"<span>{text(_name(offer))} <small>{text(_kind(offer))}</small></span></button>"
        )

    return item


def _some(word: str, chosen: Callable[[Draft], Any]) -> Callable[[Draft, Offer], str]:
    """Options of which any may be chosen."""

    def item(draft: Draft, offer: Offer) -> str:
        on = offer.name in chosen(draft)
        if not offer.legal and not on:
            return _refused(offer)
        return (
            f'<label class="option"><input type="checkbox" {asks(word, offer.name)}{" checked" if on else ""}>'
            f"<span>{text(_name(offer))} <small>{text(_kind(offer))}</small></span></label>"
        )

    return item


def _target(draft: Draft, offer: Offer) -> str:
    """A column to predict, alone or with others."""
    item = _one("target", lambda draft: draft.wanted.targets)(draft, offer)
    if not offer.legal:
        return item
    there = offer.name in draft.wanted.targets
    able = draft.wanted.targets and (not there or len(draft.wanted.targets) > 1)
    words = f"{'Do not predict' if there else 'Also predict'} {text(offer.name)}"
    also = (
        f'<button type="button" class="option add" {does("also", offer.name)} title="{words}" aria-label="{words}">'
        f"{'−' if there else '+'}</button>"
    )
    return f'<div class="pair">{item}{also if able else ""}</div>'


def _nothing(draft: Draft) -> str:
    on = str(not draft.wanted.targets and draft.wanted.task == "clustering").lower()
    return (
        f'<button type="button" class="option" {does("target", None)} aria-pressed="{on}">'
        "<span>nothing <small>group alike rows</small></span></button>"
    )


_ITEMS: dict[str, Callable[[Draft, Offer], str]] = {
    "target": _target,
    "features": _some("feature", lambda draft: draft.used),
    "time": _one("time", lambda draft: (draft.told.time,)),
    "group": _some("group", lambda draft: draft.told.groups),
    "task": _one("task", lambda draft: (draft.told.task,)),
    "metric": _one("metric", lambda draft: (draft.told.metric,)),
}
