"""D3M's problemDoc.json: read versions 3.x and 4.x, written in either."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .metrics import METRICS
from .problem import Problem
from .tasks import TASKS, keywords_of_task, task_of_keywords

if TYPE_CHECKING:
    from .data import Dataset

FILE = "problemDoc.json"
EXTRA = "learnviews"
"""Key of what D3M's schema has no place for: chosen features, group, known columns, keys, nodes."""

_OTHER_NAMES = {
    "semiSupervisedRegression": "regression",
    "forecasting": "timeSeriesForecasting",
    "semiSupervised": "semiSupervisedClassification",
}
_KNOWN_MAJORS = ("3", "4")


def read(path: Path) -> Problem:
    """The problem of a document, or of a folder: its own, or the only sort of one below it."""
    path = _document_path(path)
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a JSON text: {error}") from None
    try:
        return _problem(document)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ValueError(f"{path}: not a D3M problem: {_missing(error)}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _missing(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]!r} is missing"
    return "expected an object with about (problemID, task) and inputs (data with targets, performanceMetrics)"


def _document_path(path: Path) -> Path:
    """Where the document lies in a D3M folder: beside, in `<name>_problem`, or in TRAIN."""
    if path.is_file():
        return path
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    places = (FILE, "*_problem/" + FILE, "problem_*/" + FILE, "TRAIN/problem_TRAIN/" + FILE, "*/problem_*/" + FILE)
    found = [file for place in places for file in sorted(path.glob(place))]
    if not found:
        raise FileNotFoundError(f"{path}: no {FILE} in this folder or its problem folders")
    return found[0]


def _problem(document: dict[str, Any]) -> Problem:
    about, inputs = document["about"], document["inputs"]
    version = str(about.get("problemSchemaVersion", "4.0.0"))
    if version.split(".")[0] not in _KNOWN_MAJORS:
        raise ValueError(f"problemSchemaVersion is {version}; 3.x and 4.x can be read")
    task, subtask = _task(about)
    data = inputs["data"] if isinstance(inputs["data"], list) else [inputs["data"]]
    targets = [target for entry in data for target in entry.get("targets", [])]
    targets.sort(key=lambda target: target.get("targetIndex", 0))
    ahead: dict[str, Any] = next((entry["forecastingHorizon"] for entry in data if entry.get("forecastingHorizon")), {})
    extra = document.get(EXTRA, {})
    return Problem(
        target=tuple(target["colName"] for target in targets) or None,
        task=task,
        subtask=subtask,
        name=about.get("problemID"),
        description=about.get("problemDescription"),
        time=extra.get("time") or ahead.get("colName"),
        horizon=int(ahead["horizonValue"]) if ahead.get("horizonValue") else None,
        clusters=next((target["numClusters"] for target in targets if target.get("numClusters")), None),
        features=extra.get("features"),
        group=extra.get("group"),
        known=extra.get("known"),
        keys=extra.get("keys"),
        nodes=extra.get("nodes"),
        privileged=tuple(column["colName"] for entry in data for column in entry.get("privilegedData", [])),
        document=document,
        **_judged(inputs.get("performanceMetrics") or [], task, subtask),
    )


def _task(about: dict[str, Any]) -> tuple[str | None, str | None]:
    keywords = about.get("taskKeywords")
    if keywords:
        task, subtask = task_of_keywords(keywords)
        if task is None:
            raise ValueError(f"taskKeywords {keywords} name no task that is known: {', '.join(TASKS)}")
        return task, subtask
    name = about["taskType"]
    task = _OTHER_NAMES.get(name, name)
    if task not in TASKS:
        raise ValueError(f"taskType {name!r} is not known; expected one of {', '.join(TASKS)}")
    return task, about.get("taskSubType")


def _judged(metrics: list[dict[str, Any]], task: str | None, subtask: str | None) -> dict[str, Any]:
    """Metric, further metrics and their parameters."""
    names = []
    for entry in metrics:
        name = entry["metric"]
        if name not in METRICS:
            raise ValueError(f"metric {name!r} is not known; expected one of {', '.join(METRICS)}")
        if name == "f1" and subtask in ("multiClass", "multiLabel") and not entry.get("posLabel"):
            name = "f1Macro"  # what the programme's own scores called f1 are there
        names.append(name)
    positive = next((str(entry["posLabel"]) for entry in metrics if entry.get("posLabel") is not None), None)
    k = next((int(entry[key]) for entry in metrics for key in ("K", "k") if entry.get(key)), None)
    return {"metric": names[0] if names else None, "metrics": tuple(names[1:]), "positive": positive, "k": k}


def write(problem: Problem, data: Dataset | None = None, version: str = "4.0.0") -> dict[str, Any]:
    """A problemDoc; what came with the document it was read from is kept."""
    if version.split(".")[0] not in _KNOWN_MAJORS:
        raise ValueError(f"problemDoc version {version}: 3.x and 4.x can be written")
    document = copy.deepcopy(problem.document or {})
    document["about"] = _about(problem, document.get("about", {}), version)
    inputs = document.setdefault("inputs", {})
    inputs["data"] = [_data(problem, data, inputs.get("data") or [{}])]
    inputs["performanceMetrics"] = [_metric(problem, name) for name in (problem.metric, *problem.metrics) if name]
    document.setdefault("expectedOutputs", {"predictionsFile": "predictions.csv"})
    extra = {"features": problem.features, "group": problem.group, "known": problem.known, "time": problem.time}
    extra |= {"keys": problem.keys, "nodes": problem.nodes}
    said = {key: value for key, value in extra.items() if value or (key == "known" and value is not None)}
    kept = {key: list(value) if isinstance(value, tuple) else value for key, value in said.items()}
    document.pop(EXTRA, None)
    return {**document, EXTRA: kept} if kept else document


def _about(problem: Problem, about: dict[str, Any], version: str) -> dict[str, Any]:
    about = {key: value for key, value in about.items() if key not in ("taskType", "taskSubType", "taskKeywords")}
    if problem.task is None:
        raise ValueError("a problem without a task cannot be written: name it, or check the problem against its data")
    about["problemID"] = problem.name or f"{'_'.join(problem.targets) or 'rows'}_{problem.task}_problem"
    about.setdefault("problemName", problem.name or about["problemID"])
    about.setdefault("problemVersion", "1.0")
    if problem.description:
        about["problemDescription"] = problem.description
    about["problemSchemaVersion"] = version
    if version.startswith("4"):
        about["taskKeywords"] = _keywords(problem)
        return about
    plain = "classification" if problem.task == "timeSeriesClassification" else problem.task
    return {**about, "taskType": plain, **({"taskSubType": problem.subtask} if problem.subtask else {})}


def _keywords(problem: Problem) -> list[str]:
    """Task and subtask first, then the words of the document that say something else (tabular, grouped, ...)."""
    words = keywords_of_task(problem.task or "", problem.subtask)
    ours = {word for task in TASKS.values() for word in (*task.keywords, *task.subtasks)}
    before = (problem.document or {}).get("about", {}).get("taskKeywords", [])
    return [*words, *(word for word in before if word not in ours and word not in words)]


def _data(problem: Problem, data: Dataset | None, before: list[dict[str, Any]]) -> dict[str, Any]:
    entry = dict(before[0])
    entry.setdefault("datasetID", data.name if data is not None else "dataset")
    was = {target.get("colName"): target for one in before for target in one.get("targets", [])}
    entry["targets"] = [_target(problem, data, number, was) for number in range(len(problem.targets))]
    entry.pop("forecastingHorizon", None)
    if problem.privileged and "privilegedData" not in entry:
        places = enumerate(_place(name, data, {}) for name in problem.privileged)
        entry["privilegedData"] = [{"privilegedDataIndex": number, **place} for number, place in places]
    if problem.horizon:
        entry["forecastingHorizon"] = {**_place(problem.time or "", data, {}), "horizonValue": problem.horizon}
    return entry


def _target(problem: Problem, data: Dataset | None, number: int, was: dict[str, Any]) -> dict[str, Any]:
    name = problem.targets[number]
    target = {"targetIndex": number, **_place(name, data, was.get(name, {}))}
    if problem.clusters:
        target["numClusters"] = problem.clusters
    return target


def _place(name: str, data: Dataset | None, was: dict[str, Any]) -> dict[str, Any]:
    """Table, number and name of a column; the row ids are column 0."""
    index = was.get("colIndex")
    if index is None:
        index = list(data.columns).index(name) + 1 if data is not None and name in data.columns else 0
    return {"resID": was.get("resID", "learningData"), "colIndex": index, "colName": name}


def _metric(problem: Problem, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"metric": name}
    if problem.positive is not None and name in ("f1", "precision", "recall", "jaccardSimilarityScore", "rocAuc"):
        entry["posLabel"] = problem.positive
    if problem.k is not None and name == "precisionAtTopK":
        entry["K"] = problem.k
    return entry
