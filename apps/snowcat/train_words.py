"""What the cards of the training step have in common: words for times, scores and what is tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from learnviews.apps.snowcat.pane import text
from learnviews.kernels.figures import figure
from learnviews.kernels.search.families import FAMILIES
from learnviews.kernels.search.metrics import METRICS
from learnviews.kernels.search.pipelines import MODELS

if TYPE_CHECKING:
    from learnviews.apps.snowcat.studies import LiveStudy
    from learnviews.kernels.search import Problem

CHOICES = {
    "model": "Models",
    "balance": "Weights of classes",
    "labels": "Several labels",
    "target": "Target's shape",
    "impute": "Gaps filled with",
    "impute:flag": "Gaps flagged",
    "encode": "Categories as",
    "scale": "Scaled by",
    "select": "Columns",
    "text:parts": "Texts in",
    "text:reduce": "Texts reduced by",
    "image:features": "Images as",
    "image:size": "Image size",
    "series:features": "Series as",
    "series:shape": "Series' shape",
    "season": "Season",
    "lags:known": "Known columns' lags",
    "lags:past": "Unknown columns' past",
    "unlabelled": "Unlabelled rows",
}
"""What can be left out of a search, and what to call it; settings of single models are left to the search."""


def clock(seconds: float | None) -> str:
    """A time: "8 s", "2:05", "1:02:33"; a dash where there is none."""
    if seconds is None or seconds != seconds:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, hours = divmod(whole, 60)[0], whole // 3600
    return f"{hours}:{minutes % 60:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def took(seconds: float | None) -> str:
    """How long one thing took: "0.03 s", "12 s", "2:05"."""
    if seconds is None or seconds != seconds:
        return "–"
    return clock(seconds) if seconds >= 60 else f"{figure(seconds, 2)} s" if seconds < 10 else f"{seconds:.0f} s"


def counted(number: int, one: str) -> str:
    """ "1 trial", "1,200 trials"."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def table(columns: Sequence[str], body: str, kind: str = "") -> str:
    """A table with these headings; those of numbers begin with ">"."""
    numbers = [name.startswith(">") for name in columns]
    head = "".join(
        f'<th class="{"n" if number else ""}">{text(name.lstrip(">"))}</th>'
        for name, number in zip(columns, numbers, strict=True)
    )
    return f'<table class="wide {kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def family(name: str) -> str:
    """What a kind of model is called."""
    if name == "ensemble":
        return "ensemble"
    return FAMILIES[name].title if name in FAMILIES else MODELS.get(name, name or "?")


def metric_title(problem: Problem) -> str:
    """What the problem's metric is called."""
    metric = METRICS.get(str(problem.metric))
    return str(problem.metric) if metric is None else metric.title or metric.name


def better(problem: Problem) -> str:
    """Which scores are better."""
    metric = METRICS.get(str(problem.metric))
    return "" if metric is None else f"{'larger' if metric.larger_is_better else 'smaller'} is better"


def judged_on(split: str) -> str:
    """The rows that scores speak of."""
    return "rows held out" if split == "holdout" else "rows left out of each fold"


def question(problem: Problem) -> str:
    """A problem in a few words: "target, binary classification"."""
    from learnviews.kernels.search.tasks import TASKS

    task = TASKS[problem.task].title if problem.task in TASKS else str(problem.task)
    return f"{', '.join(problem.targets) or 'groups of rows'}: {task}"


def best_line(live: LiveStudy) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Of the leaderboard the best model and the trivial predictor, None where there is none yet."""
    seen = live.seen
    if seen is None:
        return None, None
    board = seen.board
    models, trivial = board[board["number"].notna()], board[board["number"].isna()]
    return tuple(part.iloc[0].to_dict() if len(part) else None for part in (models, trivial))  # type: ignore[return-value]
