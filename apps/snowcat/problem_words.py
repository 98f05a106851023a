"""Problems as HTML, and as files."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from learnviews.apps.snowcat.pane import text
from learnviews.kernels.search.metrics import METRICS
from learnviews.kernels.search.problem import Problem
from learnviews.kernels.search.tasks import TASKS

if TYPE_CHECKING:
    from learnviews.kernels.search import Dataset

LARGEST = 1_000_000  # bytes of a problem document
ORIGINS = {"found": "found", "own": "yours", "document": "file", "study": "a study"}


def task_of(problem: Problem) -> str:
    """The task in plain words."""
    return TASKS[problem.task].title if problem.task in TASKS else str(problem.task or "")


def limits_of(problem: Problem) -> str:
    """What models of its task cannot do, where that is less than the task's name promises."""
    return TASKS[problem.task].limits if problem.task in TASKS else ""


def metric_of(problem: Problem) -> str:
    """The metric in plain words."""
    return METRICS[problem.metric].title if problem.metric in METRICS else str(problem.metric or "")


def listed(names: Any, most: int = 3) -> str:
    """Some names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most + 1 else ""
    shown = names[:most] if more else names
    if more or len(shown) < 2:
        return ", ".join(shown) + more
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def sentence_html(problem: Problem, brief: bool = False) -> str:
    """What is predicted from what; task and metric are told beside it. `brief`: many columns by their number."""
    features: Any = problem.features or ()
    if brief and len(features) > 3:
        features = [f"{len(features)} columns"]
    if not problem.targets:
        return f"Group the rows by <b>{text(listed(features))}</b>"
    target = f"<b>{text(listed(problem.targets))}</b>"
    if problem.task == "timeSeriesForecasting":
        ahead = f" {problem.horizon} steps ahead" if problem.horizon else ""
        known = f" and {text(listed(problem.known))}" if problem.known else ""
        series = f", one series per {text(listed(problem.groups))}" if problem.groups else ""
        return f"Predict {target}{ahead} from its past{known}{series}"
    return f"Predict {target} from {text(listed(features))}"


def document(problem: Problem, data: Dataset) -> str:
    """The content of its problemDoc.json."""
    return json.dumps(problem.to_d3m(data), indent=1)


def download(problem: Problem, data: Dataset) -> str:
    """A link that saves the problem as a problemDoc.json."""
    address = f"data:application/json;charset=utf-8,{quote(document(problem, data))}"
    words = "As a D3M problem document, for other programmes"
    return f'<a class="plain" download="problemDoc.json" href="{text(address)}" title="{words}">Save as file</a>'


def read_document(file: dict[str, Any]) -> Problem:
    """The problem of a file that the page sent.

    Raises
    ------
    ValueError
        That names the file and says what is wrong in it.
    """
    name = Path(str(file.get("name"))).name or "problemDoc.json"
    if int(file.get("size", 0)) > LARGEST:
        raise ValueError(f"{name}: {file['size'] / 1e6:.1f} MB; a problem document has some kB, 1 MB at most")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "problemDoc.json"
        path.write_text(str(file.get("text", "")), encoding="utf-8")
        try:
            return Problem.from_d3m(path)
        except ValueError as error:
            raise ValueError(str(error).replace(str(path), name)) from None
