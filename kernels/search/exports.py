"""Models on disk for others: a ranked folder with pipelines, predictions, problem, scores and scripts that run.

FOLDER/
  ranking.csv               rank, folder, name, metric, value, low, high, split; last line: the trivial predictor
  01-gradient-boosting/
    pipeline.skops          the fitted pipeline; absent where skops cannot hold it (pipeline.json says why)
    pipeline.json           recipe (configurations and seeds), types of the columns, steps, diagram, versions
    pipeline.txt            the steps, to read
    problem.json            the problem as D3M's problemDoc
    predictions.csv         by row id: truth, prediction, p_<class>..., split
    scores.json             metric by metric: value, low, high, split
    predict.py, train.py    scripts: predict a table; train the pipeline again
    graph-0-nodes.parquet   and graph-0-edges.parquet, ...: the graphs that rows are about, for train.py
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..progress import Progress
from . import graph_exports, scores, skops_files
from .diagram import diagram, plain, text
from .model import Model, features_of, input_columns, known_rows, predicted, read_like, recipe, trained

if TYPE_CHECKING:
    import pandas as pd

    from .problem import Problem

KIND, VERSION = "search export", 1
PIPELINE = "pipeline.skops"

PREDICT = '''"""Predict the rows of a table with {name}: python predict.py TABLE [--out predicted.csv]"""

import argparse
from pathlib import Path

from learnviews.kernels.search import exports

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", help="CSV or Parquet file, or D3M folder, with the columns: {columns}")
    parser.add_argument("--pipeline", type=Path, help="pipeline file that train.py wrote")
    parser.add_argument("--out", default="predicted.csv", help="CSV file to write")
    options = parser.parse_args()
    model = exports.open_export(Path(__file__).resolve().parent, options.pipeline)
    predicted = model.predict(options.table)
    predicted.to_csv(options.out)
    print(f"{{len(predicted)}} predictions in {{options.out}}")
'''

TRAIN = '''"""Train {name} again: python train.py TABLE [--out retrained.skops | --predict TABLE2 --to predicted.csv]"""

import argparse
from pathlib import Path

from learnviews.kernels.search import exports

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", help="rows to learn from: {columns} and {targets}")
    parser.add_argument("--out", type=Path, help="pipeline file to write, for predict.py --pipeline")
    parser.add_argument("--predict", help="table to predict at once")
    parser.add_argument("--to", default="predicted.csv", help="CSV file for these predictions")
    options = parser.parse_args()
    model = exports.open_export(Path(__file__).resolve().parent).train(options.table)
    if options.out or not options.predict:
        print("trained pipeline in", model.save(options.out or Path("retrained.skops")))
    if options.predict:
        model.predict(options.predict).to_csv(options.to)
        print(f"predictions in {{options.to}}")
'''


def export(
    models: Model | Sequence[Model],
    folder: str | Path,
    overwrite: bool = False,
    progress: Progress | None = None,
    failed: Callable[[Model, Exception], None] | None = None,
) -> Path:
    """Write models, in the order of their ranks, to a folder that appears whole or not at all.

    Parameters
    ----------
    models : Model or list of Model
        Best first, as `study.models` lists them.
    folder : path
        To be made.
    overwrite : bool
        Replace the folder, if it is an earlier export.
    progress : Progress, optional
        Counts models.
    failed : callable, optional
        Gets every model that cannot be written, and why; the others are exported. Without it the first such model ends
        the export.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileExistsError
        If the folder holds something else, or `overwrite` is not set.
    CancelledError
        If it was cancelled; nothing is left of it.
    """
    models, folder = [models] if isinstance(models, Model) else list(models), Path(folder)
    if not models:
        raise ValueError("there is no model to export")
    _check_target(folder, overwrite)
    part = folder.with_name(f"{folder.name}.part-{os.getpid()}")
    try:
        part.mkdir()
        written = list(_written(models, part, progress or Progress(), failed))
        ranking(written, [folder_name(rank, model) for rank, model in enumerate(written, 1)]).to_csv(
            part / "ranking.csv", index=False
        )
        _put_in_place(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _written(
    models: Sequence[Model], part: Path, progress: Progress, failed: Callable[[Model, Exception], None] | None
) -> Iterator[Model]:
    """Write them one by one, and yield those that could be."""
    rank, first = 1, None
    progress.start(len(models))
    for done, model in enumerate(models, 1):
        if progress.cancelled:
            raise CancelledError
        folder = part / folder_name(rank, model)
        progress.update(done - 1, lambda: f"writing {model.name}")  # noqa: B023 - called at once or never
        try:
            _write_model(model, folder)
        except Exception as error:
            if failed is None:
                raise
            failed(model, error)
            first = first or error
            shutil.rmtree(folder, ignore_errors=True)
        else:
            rank += 1
            yield model
        progress.update(done)
    if rank == 1:
        raise ValueError(f"none of the models can be exported: {first}") from first


def folder_name(rank: int, model: Model) -> str:
    """03-gradient-boosting-180-trees: letters that every file system takes."""
    return f"{rank:02}-{re.sub(r'[^a-z0-9]+', '-', model.name.lower()).strip('-')[:60].strip('-')}".rstrip("-")


def ranking(models: Sequence[Model], names: Sequence[str] | None = None) -> pd.DataFrame:
    """Models by rank with their value of the problem's metric, and below them the trivial predictor of each problem."""
    import pandas as pd

    lines = []
    for rank, model in enumerate(models, 1):
        row = model.scored(model.split, (str(model.problem.metric),))
        folder = names[rank - 1] if names else ""
        lines.append({"rank": rank, "folder": folder, "name": model.name, **_line(row)})
    firsts: dict[str, Model] = {}
    for model in models:
        firsts.setdefault(model.problem.to_json(), model)
    for first in firsts.values():
        row = scores.table(first.problem, _trivial(first), first.split, (str(first.problem.metric),))
        lines.append({"rank": None, "folder": "", "name": scores.TRIVIAL, **_line(row)})
    return pd.DataFrame(lines).astype({"rank": "Int64"})


def _line(row: pd.DataFrame) -> dict[str, Any]:
    if row.empty:
        return {}
    return {"metric": row.index[0], **row.iloc[0].to_dict()}


def _trivial(model: Model) -> pd.DataFrame:
    """Predictions that know nothing of the features, from the rows that the model was fitted to."""
    from .splits import Plan

    held = model.predictions.index[model.predictions["split"] == "holdout"]
    return scores.trivial(model.data, model.problem, Plan(model.training_rows, held, [], ""))


# -- writing


def _check_target(folder: Path, overwrite: bool) -> None:
    if not folder.parent.is_dir():
        raise FileNotFoundError(f"{folder.parent}: no such folder to put the export in")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder}: is a file; expected the name of a folder to make")
    if any(folder.iterdir()):
        if not (folder / "ranking.csv").is_file():
            raise FileExistsError(f"{folder}: holds something else than an export; choose another name")
        if not overwrite:
            raise FileExistsError(f"{folder}: exists already; choose another name, or overwrite it")


def _put_in_place(part: Path, folder: Path) -> None:
    old = folder.with_name(f"{folder.name}.old-{os.getpid()}")
    if folder.exists():
        folder.rename(old)
    try:
        part.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write_model(model: Model, folder: Path) -> None:
    folder.mkdir()
    why = ""
    try:
        skops_files.write(model.pipeline, folder / PIPELINE)
    except skops_files.UntrustedError as error:
        why = str(error)
    model.predictions.to_csv(folder / "predictions.csv", encoding="utf-8")
    about = {**_about(model), "pipeline": "" if why else PIPELINE, "why_no_pipeline": why}
    if model.problem.nodes:
        about |= graph_exports.written(model, folder)
    _write_json(folder / "pipeline.json", about)
    _write_json(folder / "problem.json", model.problem.to_d3m(model.data))
    _write_json(folder / "scores.json", _scores(model))
    (folder / "pipeline.txt").write_text(text(model) + (f"\nNot saved: {why}\n" if why else ""), encoding="utf-8")
    filled = {name: _harmless(each) for name, each in _words(model).items()}
    (folder / "predict.py").write_text(PREDICT.format(**filled), encoding="utf-8")
    (folder / "train.py").write_text(TRAIN.format(**filled), encoding="utf-8")


def _about(model: Model) -> dict[str, Any]:
    import numpy
    import sklearn

    from ... import __version__

    wanted = {*input_columns(model.problem), *model.problem.targets}
    return {
        "learnviews": KIND,
        "version": VERSION,
        "name": model.name,
        "number": model.number,
        "recipe": plain(recipe(model)),
        "types": {name: column.type for name, column in model.data.columns.items() if name in wanted},
        "problem": json.loads(model.problem.to_json()),
        "steps": [{"name": s.name, "what": s.what, "settings": plain(dict(s.settings))} for s in model.steps()],
        "diagram": diagram(model),
        "made_with": {"learnviews": __version__, "scikit-learn": sklearn.__version__, "numpy": numpy.__version__},
    }


def _scores(model: Model) -> list[dict[str, Any]]:
    """Of the rows the scores speak of, and of the out-of-fold predictions where these are others."""
    found = []
    for split in dict.fromkeys((model.split, "train")):
        rows = model.scores if split == model.split else model.scored(split)
        found += [{"metric": metric, **plain(row.to_dict())} for metric, row in rows.iterrows()]
    return found


def _words(model: Model) -> dict[str, str]:
    columns = ", ".join(input_columns(model.problem))
    return {"name": model.name, "columns": columns, "targets": ", ".join(model.problem.targets) or "no target"}


def _harmless(words: str) -> str:
    """Names as they may stand in a script's strings and in argparse's help: nothing that ends or formats them."""
    return re.sub(r"[^\w ,.()+-]", "_", words).replace("%", "_")


def _write_json(path: Path, content: Any) -> None:
    path.write_text(
        json.dumps(_finite(content), indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
    )


def _finite(value: Any) -> Any:
    """nan and infinity as null: JSON has no words for them."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and value - value != 0 else value


# -- reading


class Exported:
    """An exported model: what it was made of, its way to new rows, and to a new training.

    Attributes
    ----------
    about : dict
        What pipeline.json says.
    problem : Problem
    """

    def __init__(self, folder: Path, about: dict[str, Any], problem: Problem, pipeline: Path | None) -> None:
        self.folder, self.about, self.problem = folder, about, problem
        self._file, self._pipeline = pipeline, None

    def __repr__(self) -> str:
        return f"<Exported {self.about['name']}>"

    @property
    def pipeline(self) -> Any:
        """The fitted pipeline; it is read, and its types checked, on first use."""
        if self._pipeline is None:
            if self._file is None:
                why = self.about["why_no_pipeline"]
                raise ValueError(
                    f"{self.folder}: no pipeline was saved ({why}); train it: train.py TABLE --predict TABLE2"
                )
            self._pipeline = skops_files.read(self._file)
        return self._pipeline

    def predict(self, rows: Any) -> pd.Series | pd.DataFrame:
        """Predictions by row id, as of `Model.predict`."""
        return predicted(self.pipeline, self.problem, features_of(rows, self.problem, self.about["types"]))

    def train(self, rows: Any) -> Exported:
        """Fit the pipeline anew to `rows`: to those that are not of a holdout, and have a truth."""
        from .data import Dataset

        data = rows if isinstance(rows, Dataset) else read_like(rows, self.about["types"])
        if self.problem.nodes:
            data = graph_exports.with_graphs(data, self.problem, self.about, self.folder)
        lacking = [name for name in (*input_columns(self.problem), *self.problem.targets) if name not in data.columns]
        if lacking:
            raise ValueError(f"{data.name}: lacks column {lacking[0]!r}")
        if data.splits is not None:
            data = data.take(data.frame.index[(data.splits.reindex(data.frame.index) != "holdout").to_numpy()])
        data = data.take(known_rows(data, self.problem))
        self._pipeline = trained(data, self.problem, self.about["recipe"])
        return self

    def save(self, path: str | Path) -> Path:
        """Write the pipeline to a skops file of its own."""
        return skops_files.write(self.pipeline, Path(path))


def open_export(folder: str | Path, pipeline: str | Path | None = None) -> Exported:
    """An exported model, from its own folder (one of those within what `export` made).

    Raises
    ------
    ValueError
        If the folder holds no export, or a damaged one, or one of an unknown version.
    """
    from .problem import Problem

    folder = Path(folder)
    path = folder / "pipeline.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected the folder of one exported model")
    about = _read(path, lambda: json.loads(path.read_text(encoding="utf-8")))
    if not isinstance(about, dict) or about.get("learnviews") != KIND:
        raise ValueError(f"{path}: not a LearnViews {KIND}")
    if about.get("version") != VERSION:
        raise ValueError(f"{path}: {KIND} of version {about.get('version')}; this LearnViews reads version {VERSION}")
    problem = _read(path, lambda: Problem.from_json(json.dumps(about["problem"])))
    own = folder / PIPELINE if about.get("pipeline") else None
    return Exported(folder, about, problem, Path(pipeline) if pipeline else own)


def _read(path: Path, reading: Callable[[], Any]) -> Any:
    try:
        return reading()
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: damaged ({error})") from error
