"""The report: one file that says what it is given, escapes it, and asks nothing of anybody."""

import re
from concurrent.futures import CancelledError

import pandas as pd
import pytest
from search_fitted import model_of, models, small

from learnviews.grammar import report_html, write_report
from learnviews.kernels import search
from learnviews.kernels.search.model import Model


@pytest.fixture(scope="module")
def ranked():
    return models()


def body(page):
    """What is to be read: without Bokeh's script and the figures' JSON."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.S)


def test_it_holds_the_models_with_scores_notes_and_pipelines(ranked):
    page = report_html(ranked, title="Best <ones>", notes=["<b>bold</b> & good", "", "third"])
    words = body(page)
    assert "<h1>Best &lt;ones&gt;</h1>" in words and "&lt;b&gt;bold&lt;/b&gt; &amp; good" in words and "third" in words
    for model in ranked:
        assert words.count(model.name) >= 3  # ranking, all metrics, pipeline
        assert f"{model.scored('holdout', ('accuracy',))['value'].iloc[0]:.4g}" in words
    assert "most frequent class" in words and "30 rows held out" in words
    assert {"size", "noise", "colour", "kind"} <= set(re.findall(r"<td>(\w+)</td><td>", words))
    assert words.count("<figure>") == 1 + len(ranked) == page.count('"type":"object","name":"Figure"')


def test_it_loads_nothing_from_anywhere(ranked):
    page = report_html(ranked[:1])
    tags = re.findall(r"<(?:script|link|img|iframe|style)\b[^>]*>", body(page)) + re.findall(r"<script[^>]*>", page)
    assert all("src=" not in tag and "http" not in tag for tag in tags)
    assert "@import" not in page.split("</style>")[0] and page.startswith("<!DOCTYPE html>")


def test_models_of_several_problems_have_a_chapter_each(ranked):
    words = body(report_html([ranked[0], *models("regression", configs=({"model": "linear"},))]))
    assert re.findall(r"<h2>(\d)\. Predict (\w+)", words) == [("1", "kind"), ("2", "price")]
    assert "Confusion matrices" in words and "Residuals" in words and "The model of rank 2" in words


def test_features_are_ranked_when_asked_for(ranked):
    seen = []
    page = report_html(
        ranked[:2], importance=True, progress=search.Progress(lambda each: seen.append(each.text), interval=0)
    )
    assert "<h3>Features</h3>" in page and "<h3>Features</h3>" not in report_html(ranked[:1])
    assert sum("importance" in each for each in seen) == 2 and seen[-1] == "done"


def test_forecasts_are_drawn_over_their_series():
    rows = 60
    frame = pd.DataFrame({"month": range(rows), "sold": [float(each % 12) for each in range(rows)]})
    problem = search.Problem("sold", "timeSeriesForecasting", time="month").check(search.load(frame, name="sales"))
    said = pd.DataFrame({"truth": frame["sold"], "prediction": frame["sold"] + 0.5})
    said["split"] = ["train"] * 48 + ["holdout"] * 12
    data = search.load(frame, name="sales")
    model = Model(data, problem, {"model": "linear"}, said.set_axis(data.frame.index), name="a guess")
    words = body(report_html(model))
    assert "Forecasts of the time held out" in words and "last value" in words


def test_without_a_holdout_it_says_so():
    data, problem = small()
    model = model_of(data, problem, {"model": "tree"})
    folds = Model(data, problem, model.config, model.predictions.assign(split="train"), model.pipeline)
    assert "There is no holdout" in body(report_html(folds))


def test_what_does_not_fit_is_said(ranked):
    with pytest.raises(ValueError, match="no model to report on"):
        report_html([])
    with pytest.raises(ValueError, match="a note per model, 3, got 1"):
        report_html(ranked, notes=["one"])


def test_cancelled_or_failed_writing_leaves_nothing(ranked, tmp_path):
    progress = search.Progress()
    progress.cancel()
    with pytest.raises(CancelledError):
        write_report(tmp_path / "report.html", ranked, progress=progress)
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "nowhere" / "report.html", ranked[:1])
    assert list(tmp_path.iterdir()) == []
    path = write_report(tmp_path / "report.html", ranked[0])
    assert path.read_text(encoding="utf-8").endswith("</html>\n") and [each.name for each in tmp_path.iterdir()] == [
        "report.html"
    ]
