"""Selecting and exporting in the page: the set survives, the zip predicts, the report is whole, new rows are seen."""

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from browser import Page, bokeh_serve
from search_fitted import table
from snowcat_page import HELPERS

from learnviews.apps.snowcat.shelf import Shelf
from learnviews.apps.snowcat.transfers import SLICE
from learnviews.kernels import search
from learnviews.kernels.search.space import space

pytestmark = pytest.mark.ui


def trained(project, problem, name, trials):
    """A finished study of quick models."""
    folder = project.folder / "studies"
    folder.mkdir(parents=True, exist_ok=True)
    slow = ("forest", "extra", "boosting", "mlp", "kernel", "neighbours")
    narrow = space(project.data, problem.check(project.data), exclude=slow)
    study = search.Study(project.data, problem, folder / name, trials=trials, space=narrow)
    assert list(study.run())
    study.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def served(home, tmp_path_factory):
    """A server with one table and two studies of it, for two targets; the key of its data set."""
    path = tmp_path_factory.mktemp("tables") / "things.csv"
    table(160).to_csv(path, index=False)
    shelf = Shelf((str(path),))
    key = next(key for key, source in shelf.sources.items() if source.path == path)
    project = shelf.project(key)
    features = ("size", "noise", "colour")
    trained(project, search.Problem("kind", "classification", "accuracy", features=features), "1", 3)
    trained(project, search.Problem("price", "regression", features=features), "2", 2)
    with bokeh_serve("snowcat", str(path)) as server:
        yield server.url, key


@pytest.fixture
def at(page, served):
    """Opens a step of the first study."""
    url, key = served
    page.page.add_init_script(HELPERS)

    def opened(step):
        page.open(f"{url}#data={key}&study=1&step={step}")
        page.wait("(step) => snow.step().toLowerCase().includes(step)", step)
        return page

    return opened


def box(page, label):
    return page.page.locator('[data-name="candidates"]').get_by_label(label)


def names(page):
    return page.page.locator('[data-name="chosen"] tbody tr td:nth-child(4)').all_inner_texts()


def choose(page, *numbers):
    """Choose these models of the first study, and no other ones."""
    page.wait("snow.card('candidates') && snow.text('candidates').includes('study 1')")
    page.wait("snow.text('chosen')")
    left = page.page.locator('[data-name="chosen"] tbody tr').count()
    while left:
        page.page.get_by_label("Remove model").first.click()
        left -= 1
        page.wait("(left) => document.querySelectorAll('[data-name=chosen] tbody tr').length === left", left)
    for count, number in enumerate(numbers, 1):
        box(page, f"Choose model 1/{number},").check()
        page.wait("(count) => document.querySelectorAll('[data-name=chosen] tbody tr').length === count", count)


def numbers(page):
    """Numbers of the models of the first study, best first."""
    page.wait("snow.card('candidates') && snow.text('candidates').includes('study 1')")
    marks = page.page.locator('[data-name="candidates"] tr[data-model]').all()
    return [json.loads(each.get_attribute("data-model")) for each in marks]


def test_the_set_its_ranks_and_notes_survive_a_reload(at):
    page = at("select")
    page.wait("document.querySelector('[data-name=chosen], [data-name=candidates]')")
    first, second, *_ = numbers(page)
    choose(page, first, second)
    page.wait("snow.text('chosen').includes('accuracy') && !snow.text('chosen').includes('…')")
    note = page.page.get_by_label(f"Note on model 1/{second}")
    note.fill("explains itself <to all>")
    note.press("Tab")
    up = page.page.locator(f"[data-key='1/{second}'] [data-moves=up]")
    up.focus()
    up.press("Enter")
    page.wait("(key) => document.querySelector('[data-name=chosen] tbody tr').dataset.key === key", f"1/{second}")
    page.wait("(key) => document.activeElement.closest('tr')?.dataset.key === key", f"1/{second}")  # still
    page.wait("snow.figures('diversity').length === 1")
    shown = names(page)
    page.page.reload()
    page.wait("document.querySelectorAll('[data-name=chosen] tbody tr').length === 2", timeout=30_000)
    assert names(page) == shown and [each.split(":")[0] for each in shown] == [str(second), str(first)]
    assert page.page.get_by_label(f"Note on model 1/{second}").input_value() == "explains itself <to all>"
    # by dragging, and away again
    page.page.locator(f"[data-key='1/{first}'] .handle").drag_to(page.page.locator(f"[data-key='1/{second}'] .handle"))
    page.wait("(key) => document.querySelector('[data-name=chosen] tbody tr').dataset.key === key", f"1/{first}")
    page.page.get_by_label(f"Remove model 1/{second}").click()
    page.wait("document.querySelectorAll('[data-name=chosen] tbody tr').length === 1")
    assert not box(page, f"Choose model 1/{second},").is_checked()
    assert box(page, f"Choose model 1/{first},").is_checked()


def test_models_that_are_pointed_at_light_up_and_those_kept_can_be_added(at):
    page = at("select")
    first, second, *_ = numbers(page)
    choose(page, first)
    page.page.locator(f'[data-name="candidates"] tr[data-model="{first}"] td:nth-child(2)').hover()
    page.wait("(key) => document.querySelector(`[data-key='${key}']`).classList.contains('lit')", f"1/{first}")
    page.page.locator(f'[data-name="candidates"] tr[data-model="{second}"] td:nth-child(2)').click()
    page.page.get_by_role("button", name="Add those kept (1)").click()
    page.wait("document.querySelectorAll('[data-name=chosen] tbody tr').length === 2")


@pytest.mark.slow
def test_the_zip_is_downloaded_and_its_script_predicts_in_a_clean_process(at, tmp_path):
    page = at("select")
    choose(page, *numbers(page)[:2])
    page.page.locator(".step", has_text="Export").click()
    page.page.get_by_role("button", name="Make the zip").click()
    load = page.page.locator('[data-name="export"] .files button.main')
    load.wait_for(timeout=60_000)
    assert "on the server: " in page.js("snow.text('export')")
    with page.page.expect_download() as found:
        load.click()
    assert found.value.suggested_filename.endswith(".zip")
    with ZipFile(found.value.path()) as whole:
        assert whole.testzip() is None
        whole.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    ranking = pd.read_csv(folder / "ranking.csv")
    assert ranking["rank"].dropna().tolist() == [1, 2] and (folder / "README.txt").is_file()
    new = table(12, seed=3).drop(columns=["kind", "price"])
    new.to_csv(tmp_path / "new.csv")
    script = folder / ranking["folder"][0] / "predict.py"
    command = [sys.executable, "-I", str(script), str(tmp_path / "new.csv"), "--out", str(tmp_path / "said.csv")]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert set(pd.read_csv(tmp_path / "said.csv")["kind"]) <= {"Big", "small"}
    page.page.get_by_label("Delete ").first.click()
    page.wait("!document.querySelector('[data-name=export] .files')")


def test_a_file_of_several_slices_arrives_whole(at, served, home):
    page = at("select")
    choose(page, *numbers(page)[:1])
    content = np.random.default_rng(0).bytes(2 * SLICE + 12_345)
    file = home / "snowcat" / served[1] / "exports" / "2020-01-01-000000.zip"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    page.page.locator(".step", has_text="Export").click()
    row = page.page.locator('[data-name="export"] .files tr', has_text="2020-01-01-000000")
    with page.page.expect_download() as found:
        row.get_by_role("button", name="Download (6.3 MB)").click()
    assert Path(found.value.path()).read_bytes() == content
    page.wait("document.getElementById('transfer').hidden")
    file.unlink()
    row.get_by_role("button", name="Download").click()
    page.wait("snow.message().includes('2020-01-01-000000.zip: it is not there any more')")


def test_the_report_stands_alone(at, chromium, tmp_path):
    page = at("select")
    first, *_ = numbers(page)
    choose(page, first)
    page.page.get_by_label(f"Note on model 1/{first}").fill("read me")
    page.page.locator(".step", has_text="Export").click()
    page.page.get_by_label("Title of the report").fill("Things & more")
    page.page.get_by_role("button", name="Make the report").click()
    load = page.page.locator('[data-name="report"] .files button.main')
    load.wait_for(timeout=60_000)
    with page.page.expect_download() as found:
        load.click()
    found.value.save_as(tmp_path / "report.html")
    context = chromium.new_context(viewport={"width": 1000, "height": 800}, offline=True)
    alone = Page(context.new_page())
    alone.page.goto(f"file://{tmp_path / 'report.html'}")
    alone.wait("window.Bokeh && Bokeh.documents[0]?.is_idle")
    alone.wait("document.querySelectorAll('figure .bk-Figure').length >= 3")
    assert alone.js("document.querySelector('h1').textContent") == "Things & more"
    assert "read me" in alone.js("document.body.innerText")
    assert alone.js("document.documentElement.scrollWidth") <= 1000
    assert alone.errors == [] and [each for each in alone.outside if not each.startswith("file://")] == []
    context.close()


def send(page, path):
    page.page.locator('[data-name="new rows"] input[type=file]').set_input_files(str(path))


def test_new_rows_lack_a_column_or_are_predicted_scored_and_compared(at, tmp_path):
    page = at("select")
    choose(page, *numbers(page)[:2])
    page.page.locator(".step", has_text="Export").click()
    new = table(60, seed=4).assign(size=lambda frame: frame["size"] + 4)
    new.drop(columns="colour").to_csv(tmp_path / "lacking.csv", index=False)
    (tmp_path / "notes.txt").write_text("no table")
    send(page, tmp_path / "lacking.csv")
    page.wait("snow.text('new rows').includes(\"lacks column 'colour'\")")
    send(page, tmp_path / "notes.txt")
    page.wait("snow.text('new rows').includes('notes.txt: no table')")
    new.to_csv(tmp_path / "new things.csv", index=False)
    send(page, tmp_path / "new things.csv")
    page.wait("document.querySelectorAll('[data-name=\"new rows\"] table.rows tbody tr').length === 25", timeout=30_000)
    page.wait("snow.text('new rows').includes('60 rows of new things.csv') && snow.text('new rows').includes('before')")
    page.wait("snow.figures('new results').length === 2")
    page.wait("snow.text('drift').includes('differ from the training')")
    assert page.page.locator('[data-name="drift"] tbody tr').first.inner_text().startswith("▲ size")
    # a row of the table lights up in the figures
    page.page.locator('[data-name="new rows"] table.rows tbody tr').nth(2).hover()
    lit = "snow.sources('new results').some((each) => each.name?.endsWith('lit') && Object.values(each.data)[0].length)"
    page.wait(lit)
    with page.page.expect_download() as found:
        page.page.get_by_role("button", name="Download predictions (CSV)").click()
    said = pd.read_csv(found.value.path())
    assert len(said) == 60 and said["truth"].tolist() == new["kind"].tolist()
    page.page.get_by_role("button", name="Delete it").click()
    page.wait("!document.querySelector('[data-name=\"new rows\"] table.rows')")


def test_without_a_choice_each_card_says_what_to_do(at):
    page = at("select")
    choose(page)
    assert "tick some among the candidates" in page.js("snow.text('chosen')")
    page.wait("snow.text('diversity').includes('Choose at least two models')")
    page.page.locator(".step", has_text="Export").click()
    page.wait("['export', 'report', 'new rows'].every((name) => snow.text(name).includes('in the step Select'))")
