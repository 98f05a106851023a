"""The whole workflow in a real browser: a file is uploaded, a problem chosen, models are trained, compared, chosen, and
leave as a zip whose script predicts in a process of its own."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from browser import bokeh_serve
from snowcat_data import texts
from snowcat_page import HELPERS, opened

pytestmark = [pytest.mark.ui, pytest.mark.timeout(240)]
STEPS = ("data", "problems", "specify", "train", "compare", "select", "export")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a home of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(tmp_path_factory.mktemp("home")))
        with bokeh_serve("snowcat") as started:
            yield started


@pytest.fixture
def app(page, server):
    page.page.add_init_script(HELPERS)
    opened(page.page, server.url)
    return page


def labels(folder):
    """Two classes that can be told apart, most of the time."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 240)).round(3)
    kind = rng.choice(["red", "green"], 240)
    answer = np.where(x + 0.5 * y + (kind == "red") + 0.4 * rng.normal(size=240) > 0.5, "yes", "no")
    return table(folder / "labels.csv", {"x": x, "y": y, "kind": kind, "answer": answer})


def numbers(folder):
    """A number that follows two others."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 200)).round(3)
    price = (3 * x - y**2 + 0.3 * rng.normal(size=200)).round(3)
    return table(folder / "numbers.csv", {"x": x, "y": y, "price": price})


def months(folder):
    """A season on a slope."""
    time = pd.date_range("2010-01-01", periods=120, freq="MS")
    sales = (10 + 0.1 * np.arange(120) + 3 * np.sin(np.arange(120) * np.pi / 6)).round(3)
    return table(folder / "months.csv", {"month": time.strftime("%Y-%m-%d"), "sales": sales})


def documents(folder):
    """A zip of texts in two folders."""
    made = texts(folder / "notes")
    with zipfile.ZipFile(folder / "notes.zip", "w") as archive:
        for file in sorted(made.rglob("*.txt")):
            archive.write(file, file.relative_to(folder))
    return folder / "notes.zip"


def table(path, columns):
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


CASES = {
    "classification": (labels, "answer", "classification", "confusion matrices"),
    "regression": (numbers, "price", "regression", "residuals"),
    "forecasting": (months, "sales", "forecasting", "forecasts"),
    "texts": (documents, "label", "classification", "confusion matrices"),
}


def go(app, step):
    app.page.locator(".step").nth(STEPS.index(step)).click()
    app.wait("at => document.querySelectorAll('.step')[at].getAttribute('aria-current') === 'step'", STEPS.index(step))


def press(app, card, label):
    app.wait(f"snow.card({card!r})")
    app.page.locator(f'.card[data-name="{card}"]').get_by_role("button", name=label, exact=True).first.click()


def train(app):
    """Six seconds of search."""
    app.wait("snow.card('training')")
    field = app.page.get_by_label("How long")
    field.fill("6")
    field.press("Tab")
    press(app, "training", "Start")
    app.wait("snow.models().length > 0", timeout=60_000)
    app.wait("snow.text('training').includes('finished')", timeout=90_000)


def export(app, folder):
    """The zip that the page makes, unpacked."""
    press(app, "export", "Make the zip")
    load = app.page.locator('.card[data-name="export"]').get_by_role("button", name="Download").first
    load.wait_for(timeout=90_000)
    with app.page.expect_download(timeout=60_000) as download:
        load.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "exported")
    return folder / "exported"


@pytest.mark.parametrize(
    "case", [pytest.param(each, marks=[] if each == "classification" else pytest.mark.slow) for each in CASES]
)
def test_from_upload_to_exported_zip(app, tmp_path, case):
    make, target, task, result = CASES[case]
    source = make(tmp_path)
    app.page.set_input_files("#upload-file", str(source))
    app.wait("stem => document.querySelector('.tile[aria-pressed=true]')?.textContent.includes(stem)", source.stem)

    go(app, "problems")
    row = app.page.locator('.card[data-name="problems"] tr', has_text=target).filter(has_text=task).first
    row.locator("button.says, button").first.click(timeout=60_000)
    app.wait("target => document.querySelectorAll('.step')[2].textContent.includes(target)", target)

    go(app, "specify")
    app.wait("target => snow.text('problem').includes(target)", target)
    press(app, "problem", "Train models")
    train(app)

    go(app, "compare")
    app.wait("name => snow.figures(name).length > 0", result, timeout=60_000)
    assert app.js("snow.message()") == ""

    go(app, "select")
    app.wait("snow.card('candidates')")
    boxes = app.page.locator('.card[data-name="candidates"] input[type=checkbox]')
    boxes.first.check()
    app.wait("snow.text('chosen').includes('1')")

    go(app, "export")
    folder = export(app, tmp_path)
    ranked = sorted(folder.rglob("predict.py"))
    assert ranked, [str(each.relative_to(folder)) for each in folder.rglob("*")]
    if case == "texts":
        return  # a script takes a table; the texts are in a folder of the server
    out = tmp_path / "predicted.csv"
    command = [sys.executable, str(ranked[0]), str(source), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(pd.read_csv(out)) > 0
    assert json.loads(next(folder.rglob("problem*.json")).read_text())
