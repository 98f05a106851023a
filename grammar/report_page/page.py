"""Putting a report together: sections with their figures in one HTML text, and that text in one file."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from concurrent.futures import CancelledError
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...kernels.figures import figure
from ...kernels.progress import Progress
from .words import data_html, facts, made_html, pipelines_html, ranking_html, scores_html, text

if TYPE_CHECKING:
    from ...kernels.search import Model, Study

IMPORTANCE_ROWS = 500


def write_report(path: str | Path, models: Model | Sequence[Model], **options: Any) -> Path:
    """Write `report_html` to a file, whole or not at all; OSError if that cannot be done."""
    path = Path(path)
    words = report_html(models, **options)
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(words, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    return path


def report_html(
    models: Model | Sequence[Model],
    title: str | None = None,
    notes: Sequence[str] = (),
    studies: Sequence[Study] = (),
    study_of: Sequence[int] = (),
    study_names: Sequence[str] = (),
    importance: bool = False,
    progress: Progress | None = None,
) -> str:
    """A report on a set of models of one data set, as one HTML text that loads nothing from anywhere.

    Parameters
    ----------
    models : Model or list of Model
        Ranked, the preferred one first. They may be of several problems: each has a chapter.
    title : str, optional
    notes : sequence of str
        One per model; "" for none.
    studies : sequence of Study
        Where the models come from: for cost over time, the trivial predictor and how all was made.
    study_of : sequence of int
        Per model, its study's place in `studies`; by default the first one of the same problem.
    study_names : sequence of str
        What to call the studies; by default their folders' names.
    importance : bool
        Compute how much each model needs each feature: seconds per model.
    progress : Progress, optional
        Counts models and chapters.

    Raises
    ------
    ValueError
        If there is no model, or there is not a note per model.
    CancelledError
        If it was cancelled.
    """
    report = _Report(models, notes, list(studies), study_of, study_names, importance, progress or Progress())
    body = report.body(title)
    template = _file("page.html")
    holes = {
        "title": text(title or report.title),
        "style": _file("page.css"),
        "bokeh": _bokeh() if report.figures else "",
        "body": body,
        "figures": _figures(report.figures),
    }
    pieces = template.split("%%")  # text, hole, text, hole, ..., text
    return "".join(holes[piece] if k % 2 else piece for k, piece in enumerate(pieces))


class _Report:
    """The chapters of a report, and the figures that belong into them."""

    def __init__(
        self,
        models: Any,
        notes: Sequence[str],
        studies: list[Study],
        study_of: Sequence[int],
        study_names: Sequence[str],
        importance: bool,
        progress: Progress,
    ) -> None:
        self.models: list[Model] = list(models) if isinstance(models, Sequence) else [models]
        if not self.models:
            raise ValueError("there is no model to report on")
        self.notes = list(notes) or [""] * len(self.models)
        if len(self.notes) != len(self.models):
            raise ValueError(f"expected a note per model, {len(self.models)}, got {len(self.notes)}")
        self.studies, self.names = studies, [str(each) for each in study_names] or [each.path.name for each in studies]
        if len(self.names) != len(studies):
            raise ValueError(f"expected a name per study, {len(studies)}, got {len(self.names)}")
        self.study_of = list(study_of) or [self._found(model) for model in self.models]
        self.importance, self.progress, self.done = importance, progress, 0
        self.figures: list[tuple[str, Any]] = []
        self.groups = self._grouped()

    def _found(self, model: Model) -> int:
        same = [at for at, study in enumerate(self.studies) if study.problem == model.problem]
        return same[0] if same else -1

    def _grouped(self) -> list[list[int]]:
        """Places of the models of each problem."""
        groups: dict[str, list[int]] = {}
        for at, model in enumerate(self.models):
            groups.setdefault(model.problem.to_json(), []).append(at)
        return list(groups.values())

    @property
    def title(self) -> str:
        """What the report is called unless somebody says otherwise."""
        return f"Models of {self.models[0].data.name}"

    def body(self, title: str | None) -> str:
        """All chapters."""
        steps = len(self.groups) * 4 + (len(self.models) if self.importance else 0) + 1
        self.progress.start(steps)
        first = self.models[0]
        data = max((model.data for model in self.models), key=lambda each: len(each.columns))
        problems = [self.models[group[0]].problem for group in self.groups]
        about = (
            f"{len(data):,} rows, {len(data.columns):,} columns · {len(self.models)} "
            f"model{'' if len(self.models) == 1 else 's'}"
        )
        parts = [f"<h1>{text(title or self.title)}</h1>", f'<p class="about">{text(about)}</p>', self._summary()]
        for number, group in enumerate(self.groups, 1):
            parts.append(self._chapter(group, f"{number}. " if len(self.groups) > 1 else ""))
        parts += ["<h2>Data</h2>", f"<p>{text(first.data.name)}</p>", data_html(data, problems)]
        parts += ["<h2>How it was made</h2>", made_html(self.studies, self._called())]
        self._step("done")
        return "\n".join(parts)

    def _called(self) -> list[str]:
        return [name if name.lower().startswith("study") else f"Study {name}" for name in self.names]

    def _summary(self) -> str:
        """The preferred model of each problem in a sentence."""
        lines = []
        for group in self.groups:
            model = self.models[group[0]]
            row = model.scored(model.split, (str(model.problem.metric),)).iloc[0]
            trivial = self._trivial(group).scored(model.split, (str(model.problem.metric),)).iloc[0]
            metric = _metric(model)
            lines.append(
                f"<p>The model of rank {group[0] + 1}, <b>{text(model.name)}</b>, reaches {text(metric)} <b>"
                f"{figure(row['value'])}</b> "
                f"(95% interval {figure(row['low'], 3)} to {figure(row['high'], 3)}); without the features it would be "
                f"{figure(trivial['value'])}.</p>"
            )
        return "".join(lines)

    def _trivial(self, group: list[int]) -> Model:
        """The predictor that knows nothing, of a group's problem."""
        study = self.study_of[group[0]]
        if 0 <= study < len(self.studies):
            return self.studies[study].baseline
        from ...kernels.search.baseline import baseline_of

        return baseline_of(self.models[group[0]])

    def _chapter(self, group: list[int], number: str) -> str:
        from . import figures

        models, ranks = [self.models[at] for at in group], [at + 1 for at in group]
        problem, first = models[0].problem, models[0]
        names = [f"{rank}. {model.name}" for rank, model in zip(ranks, models, strict=True)]
        used = list(dict.fromkeys(self.study_of[at] for at in group if self.study_of[at] >= 0))
        called = self._called()
        origin = [
            called[self.study_of[at]] + f", model {self.models[at].number}" if self.study_of[at] >= 0 else ""
            for at in group
        ]
        trivial = self._trivial(group)
        self._step("scores")
        parts = [f"<h2>{number}{text(_sentence(problem, first.data))}</h2>", _problem_html(problem)]
        parts += [ranking_html(models, trivial, ranks, [self.notes[at] for at in group], origin)]
        parts += [
            self._figure(
                "Score and 95% interval; the line is what the predictor reaches that knows nothing",
                figures.score_figure(models, trivial, names),
            )
        ]
        parts += ["<h3>All metrics</h3>", scores_html(models, ranks)]
        self._step("results")
        results = figures.result_figures(models, names)
        if results:
            drawn = "".join(self._figure(caption, plot) for caption, plot in results)
            parts += [f"<h3>{_results_title(problem)}</h3>", f'<div class="figures">{drawn}</div>']
        if self.importance:
            parts.append(self._importance(models, names))
        self._step("cost over time")
        if used:
            plot = figures.cost_figure([self.studies[at] for at in used], [called[at] for at in used])
            parts += ["<h3>The search</h3>", self._figure("Each trial, and the best so far", plot)]
        self._step("pipelines")
        parts += ["<h3>Pipelines</h3>", pipelines_html(models, ranks)]
        return "\n".join(parts)

    def _importance(self, models: list[Model], names: list[str]) -> str:
        from ...kernels.search import permutation_importance
        from .figures import importance_figure

        frames = []
        for model in models:
            self._step(f"importance of features in {model.name}")
            frames.append(permutation_importance(model, repeats=3, rows=IMPORTANCE_ROWS))
        words = (
            "Loss of the metric when a feature's values are dealt out anew among the rows, as a share of each "
            "model's own"
        )
        return f"<h3>Features</h3>{self._figure(words, importance_figure(frames, names))}"

    def _figure(self, caption: str, plot: Any) -> str:
        name = f"figure{len(self.figures)}"
        self.figures.append((name, plot))
        words = f"<figcaption>{text(caption)}</figcaption>" if caption else ""
        return f'<figure>{words}<div id="{name}"></div></figure>'

    def _step(self, words: str) -> None:
        if self.progress.cancelled:
            raise CancelledError
        self.done += 1
        self.progress.update(min(self.done, self.progress.total), lambda: words)


def _metric(model: Model) -> str:
    from ...kernels.search import METRICS

    metric = METRICS[str(model.problem.metric)]
    return metric.title or metric.name


def _sentence(problem: Any, data: Any) -> str:
    words = problem.sentence(data)
    return f"{words[0].upper()}{words[1:]}"


def _problem_html(problem: Any) -> str:
    told = {"Features": text(", ".join(problem.features or ())), "Task": text(problem.task)}
    told |= {"Time": text(problem.time or ""), "Series by": text(", ".join(problem.groups))}
    return facts(told)


def _results_title(problem: Any) -> str:
    from ...kernels.search.tasks import CLASSIFICATION

    if problem.task == "timeSeriesForecasting":
        return "Forecasts of the time held out"
    return (
        "Residuals: prediction less truth, all on one scale"
        if problem.task not in CLASSIFICATION
        else "Confusion matrices"
    )


# -- one file


def _file(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _bokeh() -> str:
    """Bokeh's own script, without those for widgets or tables."""
    from bokeh.resources import Resources

    raw = [each for each in Resources(mode="inline", components=["bokeh"]).js_raw if "</script" not in each.lower()]
    return "\n".join(f"<script>{script}</script>" for script in raw)


def _figures(figures: Sequence[tuple[str, Any]]) -> str:
    """The figures as JSON, and the script that draws each at its place."""
    if not figures:
        return ""
    from bokeh.document import Document
    from bokeh.embed.util import standalone_docs_json_and_render_items

    document = Document()
    places = {}
    for name, plot in figures:
        document.add_root(plot)
        places[plot.id] = name
    docs, items = standalone_docs_json_and_render_items(document)
    placed = [item.to_json() for item in items]
    for item in placed:
        item["roots"] = {root: places[root] for root in item["roots"]}
    script = f"Bokeh.safely(() => Bokeh.embed.embed_items({_json(docs)}, {_json(placed)}))"
    return f"<script>{script}</script>"


def _json(value: Any) -> str:
    """JSON that ends no script element, whatever names it holds."""
    words = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return (
        words.replace("&", "\\u0026")
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
