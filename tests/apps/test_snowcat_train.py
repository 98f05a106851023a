"""Training in the page: begun, watched, paused and gone on with, by several pages; killed servers and lost tabs."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from browser import Page, Server, bokeh_serve

from learnviews.apps.snowcat.shelf import Shelf
from learnviews.apps.snowcat.studies import LiveStudy
from learnviews.kernels.search import Problem

pytestmark = pytest.mark.ui

COMMAND = "from learnviews.apps.cli import main; main()"
STATE = "(words) => document.querySelector('.training .state')?.textContent.startsWith(words)"
MODELS = "(least) => document.querySelectorAll('.board tbody tr:not(.trivial)').length >= least"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with a project of the flowers, that has a problem."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(home))
        project = Shelf(()).project("iris")
        project.add_problem(Problem("species", metric="accuracy"))
        yield home


@pytest.fixture(scope="module")
def address(home):
    """What follows the address of the app to come to the training step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(home))
        entry = Shelf(()).project("iris").entries[0].id
    return f"#data=iris&problem={entry}&step=train"


@pytest.fixture(scope="module")
def served(home):
    with bokeh_serve("snowcat") as server:
        yield server


def at_training(page, url):
    page.open(url)
    page.wait("document.querySelector('.training button')")
    return page


def press(page, label):
    page.page.locator(f".card:visible button:has-text('{label}')").first.click()


def begin(page, amount="60"):
    """A study, of so many seconds."""
    if page.page.locator("button:visible:has-text('New study')").count():
        press(page, "New study")
    page.wait("[...document.querySelectorAll('button')].some((each) => each.textContent === 'Start')")
    page.page.locator("#train-amount").fill(amount)
    press(page, "Start")
    page.wait(STATE, "starting")


def study_name(page):
    return page.js("() => new URLSearchParams(location.hash.slice(1)).get('study')")


def test_models_arrive_pause_go_on_and_a_second_page_sees_the_same(page, served, address, chromium):
    at_training(page, served.url + address)
    begin(page)
    page.wait(MODELS, 1, 60_000)
    assert page.js("() => document.querySelectorAll('.board svg.interval').length") >= 1
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    other = Page(context.new_page())
    at_training(other, f"{served.url}{address}&study={study_name(page)}")
    other.wait(MODELS, 1)
    other.wait(STATE, "training")
    press(other, "Pause")
    for each in (page, other):
        each.wait(STATE, "paused")
    there = page.js("() => document.querySelectorAll('.board tbody tr').length")
    press(page, "Go on")
    for each in (page, other):
        each.wait(STATE, "training")
    page.wait("(before) => document.querySelectorAll('.board tbody tr').length > before", there, 60_000)
    page.page.locator(".board tbody tr").first.hover()
    page.wait("document.querySelector('.board tbody tr.lit')")
    press(page, "What is tried")
    page.page.locator("#try-svm").uncheck()
    press(other, "Stop")
    for each in (page, other):
        each.wait(STATE, "finished")
    assert other.errors == []
    context.close()


def test_training_outlives_its_page(page, served, address, chromium):
    context = chromium.new_context()
    first = at_training(Page(context.new_page()), served.url + address)
    begin(first, "90")
    first.wait(MODELS, 1, 60_000)
    name, before = study_name(first), first.js("() => document.querySelectorAll('.board tbody tr').length")
    context.close()
    at_training(page, f"{served.url}{address}&study={name}")
    page.wait(STATE, "training")
    page.wait("(before) => document.querySelectorAll('.board tbody tr').length > before", before, 60_000)
    press(page, "Stop")
    page.wait(STATE, "finished")


def test_what_is_wrong_is_said(page, served, address):
    at_training(page, served.url + address)
    if page.page.locator("button:visible:has-text('New study')").count():
        press(page, "New study")
    page.page.locator("#train-amount").fill("-3")
    press(page, "Start")
    page.page.get_by_text("How long: -3 was given; expected a number above 0").wait_for()
    page.page.locator("#study-path").fill("/no/such/folder")
    press(page, "Add a study")
    page.page.get_by_text("/no/such/folder: no such study").wait_for()


def children(pid):
    """Processes that a process started, and theirs."""
    found, todo = [], [pid]
    while todo:
        done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(todo.pop())], capture_output=True, text=True)
        todo += map(int, done.stdout.split())
        found += map(int, done.stdout.split())
    return found


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.slow
def test_a_server_that_ends_leaves_no_process_and_loses_nothing(page, home, address, how):
    with bokeh_serve("snowcat") as server:
        at_training(page, server.url + address)
        begin(page, "300")
        page.wait(MODELS, 1, 60_000)
        name = study_name(page)
        workers = children(server.process.pid)
        assert len(workers) >= 2
        os.kill(server.process.pid, how)
        server.process.wait(20)
    end = time.monotonic() + 20
    while not all(map(gone, workers)):
        assert time.monotonic() < end, [pid for pid in workers if not gone(pid)]
        time.sleep(0.05)
    page.errors.clear()  # the server was gone
    if how == signal.SIGTERM:
        assert LiveStudy.open(home / "snowcat" / "iris" / "studies" / name).state == "paused"
        return
    with bokeh_serve("snowcat") as server:
        at_training(page, f"{server.url}{address}&study={name}")
        page.wait(MODELS, 1)
        page.wait(STATE, "paused")
        assert "cut short" in page.js("() => document.querySelector('.training').textContent")
        press(page, "Go on")
        page.wait(STATE, "training")
        press(page, "Stop")
        page.wait(STATE, "finished")


@pytest.mark.slow
def test_a_study_of_the_command_line_is_served_live_and_its_deleted_folder_is_told(page, tmp_path, monkeypatch):
    monkeypatch.setenv("LEARNVIEWS_HOME", str(tmp_path / "home"))
    table = tmp_path / "flowers.csv"
    from sklearn.datasets import load_iris

    load_iris(as_frame=True).frame.to_csv(table, index=False)
    folder = tmp_path / "found"
    command = [sys.executable, "-c", COMMAND, "search", str(table), "--target", "target", "--seconds", "300"]
    search = Server([*command, "--out", str(folder)], r"(decision tree|regression|forest|Bayes)", timeout=90)
    try:
        with bokeh_serve("snowcat", str(folder)) as server:
            page.open(server.url)
            page.page.locator("button.tile:has-text('found (study)')").first.click()
            page.wait("location.hash.includes('study=found')")
            page.page.locator("#steps .step").nth(3).click()
            page.wait(STATE, "training in another program")
            page.wait(MODELS, 1, 60_000)
            search.stop()
            page.wait("!document.querySelector('.training .state').textContent.startsWith('training')")
            shutil.rmtree(folder)
            page.wait("document.querySelector('.training .alert')?.textContent.includes('deleted')")
            assert page.js("() => document.querySelectorAll('.board tbody tr').length") >= 2
    finally:
        search.stop()
