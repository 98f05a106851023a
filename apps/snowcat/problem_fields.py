"""What a problem says beside its sentence, as fields: what its task and metric have a use for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.pane import asks, select, text

if TYPE_CHECKING:
    from learnviews.apps.snowcat.problem_draft import Draft

NUMBERS = {"horizon": "Steps ahead", "k": "Rows at the top", "clusters": "Clusters"}
TEXTS = {"name": "Name", "description": "Description"}
_TIMES = ("dateTime", "integer", "real")
COLUMNS = {"group": "Keep together rows of the same", "time": "Keep the last ones aside, by"}
_UNSAID = {"horizon": "as far as is kept aside", "k": "20", "clusters": "as many as there seem to be"}


def fields_html(draft: Draft, data: Any) -> str:
    """The fields of a sentence."""
    if draft.empty:
        return ""
    told = draft.told
    numbers = {
        "horizon": draft.forecasts,
        "k": "precisionAtTopK" in (told.metric, *told.metrics),
        "clusters": told.task == "clustering",
    }
    items = [_positive(draft)] + [_number(draft, name) for name, there in numbers.items() if there]
    if told.targets and told.task != "clustering" and not draft.forecasts:
        items += [_column(draft, data, name) for name in COLUMNS]
    items += [_text(draft, name) for name in TEXTS]
    return f'<div class="fields">{"".join(items)}</div>'


def _positive(draft: Draft) -> str:
    labels = draft.phrase.labels if draft.phrase is not None else ()
    if not labels:
        return ""
    options = {label: label for label in labels}
    if len(labels) > 2:
        options = {"": "none", **options}
    chosen = select("field", options, draft.told.positive or "", "Positive class", "positive")
    return f"<label>Positive class{chosen}</label>"


def _number(draft: Draft, name: str) -> str:
    value = getattr(draft.wanted, name)
    found = getattr(draft.told, name)
    unsaid = str(found) if found is not None else _UNSAID[name]
    return (
        f'<label>{NUMBERS[name]}<input type="number" min="1" step="1" id="field-{name}" {asks("field", name)} '
        f'value="{"" if value is None else value}" placeholder="{text(unsaid)}"></label>'
    )


def _column(draft: Draft, data: Any, name: str) -> str:
    """A column by which rows are divided into those to learn from and those kept aside."""
    now = draft.told.groups if name == "group" else (draft.told.time,)
    able = [each for each, column in data.columns.items() if name == "group" or column.type in _TIMES]
    options = {"": "– no column –", **{each: each for each in able if each not in draft.told.targets}}
    if not able:
        return ""
    chosen = select("field", options, now[0] if len(now) == 1 and now[0] else "", COLUMNS[name], name)
    return f"<label>{COLUMNS[name]}{chosen}</label>"


def _text(draft: Draft, name: str) -> str:
    value = text(getattr(draft.wanted, name) or "")
    if name == "description":
        return (
            f'<label class="whole">{TEXTS[name]}<textarea id="field-{name}" rows="2" {asks("field", name)}>'
            f"{value}</textarea></label>"
        )
    return f'<label>{TEXTS[name]}<input type="text" id="field-{name}" {asks("field", name)} value="{value}"></label>'
