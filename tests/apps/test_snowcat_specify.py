"""Problems in a real browser: found, chosen, marked, deleted, phrased, read from a file, and told to the search."""

import json

import numpy as np
import pandas as pd
import pytest
from browser import Page, bokeh_serve
from snowcat_page import HELPERS

pytestmark = pytest.mark.ui

ROWS = 150


def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    return pd.DataFrame(
        {
            "x": x.round(4),
            "y": (x + rng.normal(scale=0.2, size=ROWS)).round(4),
            "kind": np.where(x > 0.5, "much", np.where(x < -0.5, "little", "some")),
            "noise": rng.normal(size=ROWS).round(4),
            "name": [f"row {k}" for k in range(ROWS)],
            "same": 1,
        }
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("specify")
    for name in ("found", "phrased", "shared"):
        table().to_csv(folder / f"{name}.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(folder / "home"))
        with bokeh_serve(
            "snowcat", *(str(folder / f"{name}.csv") for name in ("found", "phrased", "shared"))
        ) as server:
            server.home = folder / "home"
            yield server


@pytest.fixture
def second(chromium):
    """One more page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    watched = Page(context.new_page())
    yield watched
    context.close()
    assert watched.errors == []


def opened(page, server, name, step):
    """A data set, at a step."""
    page.page.add_init_script(HELPERS)
    page.open(server.url)
    page.page.locator(".tile", has_text=f"{name}").first.click()
    page.wait("!document.querySelectorAll('#steps .step')[1].disabled")
    go(page, step)
    return page


def go(page, step):
    page.page.locator("#steps .step", has_text=step).click()
    page.wait("step => snow.step().includes(step)", step)


def card(page, name):
    return page.page.locator(f'.card[data-name="{name}"]')


def found(page):
    """Until problems were looked for."""
    page.wait(
        "document.querySelectorAll('.problems .says').length > 2 && !document.querySelector('[role=progressbar]')"
    )


def says(page, name, words):
    page.wait("([name, words]) => snow.text(name).includes(words)", [name, words])


def press(page, name, label):
    card(page, name).get_by_role("button", name=label, exact=True).click()


def sentences(page):
    return page.js(
        "[...document.querySelectorAll('.problems .says')].map((each) => each.firstChild.parentNode.innerText)"
    )


def test_problems_are_found_marked_filtered_deleted_and_read(page, server, tmp_path):
    opened(page, server, "found", "Problems")
    found(page)
    every = len(sentences(page))
    assert page.js("document.querySelectorAll('.problems [role=img]').length") == every
    says(page, "problem summary", "Choose a problem")
    # choose
    row = card(page, "problems").locator("tr", has=page.page.locator("b", has_text="kind")).first
    row.locator(".says").click()
    says(page, "problem summary", "kept aside")
    assert "little: " in page.js("snow.text('problem summary')")
    assert "2 columns are no targets" in page.js("snow.text('problems')")
    card(page, "problems").locator("summary").click()
    says(page, "problems", "constant: every value is 1")
    # mark, and filter by it
    row.locator("select").select_option("yes")
    says(page, "problem summary", "yes")
    assert page.js("document.querySelector('.problems + details').open")  # what was unfolded stays so
    card(page, "problems").get_by_label("Filter problems by mark").select_option("yes")
    says(page, "problems", f"1 of {every} problems")
    card(page, "problems").get_by_label("Filter problems by mark").select_option("")
    page.page.fill("#problem-words", "regression noise")
    page.wait("every => document.querySelectorAll('.problems .says').length < every", every)
    page.page.fill("#problem-words", "nothing of the sort")
    says(page, "problems", "No problem fits the filter.")
    page.page.fill("#problem-words", "")
    page.wait("every => document.querySelectorAll('.problems .says').length === every", every)
    # a file, saved and read
    with page.page.expect_download() as saving:
        card(page, "problems").get_by_text("Save as file").click()
    path = tmp_path / "problemDoc.json"
    saving.value.save_as(path)
    document = json.loads(path.read_text())
    assert document["inputs"]["data"][0]["targets"][0]["colName"] == "kind"
    document["inputs"]["performanceMetrics"] = [{"metric": "accuracy"}]
    path.write_text(json.dumps(document))
    reading = card(page, "problems").get_by_label("Problem document to read")
    reading.set_input_files(path)
    says(page, "problem summary", "accuracy")
    page.wait("count => document.querySelectorAll('.problems .says').length === count", every + 1)
    path.write_text("{}")
    reading.set_input_files(path)
    page.wait("snow.message().includes('problemDoc.json: not a D3M problem')")
    # delete, and undo
    press(page, "problems", "Delete")
    says(page, "problems", "Deleted:")
    page.wait("count => document.querySelectorAll('.problems .says').length === count", every)
    press(page, "problems", "Undo")
    page.wait("count => document.querySelectorAll('.problems .says').length === count", every + 1)
    says(page, "problem summary", "accuracy")


def test_a_sentence_is_phrased_used_and_trained_with_its_features_only(page, server):
    opened(page, server, "phrased", "Specify")
    says(page, "problem", "choose a column")
    assert card(page, "problem").get_by_role("button", name="Train models").is_disabled()
    page.page.click("#word-target")
    panel = card(page, "problem").locator(".panel")
    assert panel.locator(".option.no", has_text="same").get_attribute("title")  # grey, and says why
    panel.get_by_role("button", name="y real", exact=True).click()
    says(page, "problem", "x, kind")  # neither "name", of which each row has its own, nor "same"
    says(page, "target", "What each column tells")
    page.wait("snow.figures('target').length > 0")
    # the task is limited by the target, the metric by the task
    page.page.click("#word-task")
    page.wait("document.querySelector('.panel')?.ariaLabel === 'Task'")
    assert panel.locator("button.option").count() == 1  # regression
    page.page.click("#word-metric")
    panel.get_by_role("button", name="mean absolute error").click()
    page.wait("document.getElementById('word-metric').textContent === 'mean absolute error'")
    # features
    page.page.click("#word-features")
    idle = panel.locator("label.option", has_text="another label in every row")
    assert "name" in idle.inner_text() and not idle.locator("input").is_checked()
    panel.get_by_role("button", name="None", exact=True).click()
    says(page, "problem", "choose at least one column")
    assert card(page, "problem").get_by_role("button", name="Use this problem").is_disabled()
    panel.get_by_label("x real").check()
    page.wait("document.getElementById('word-features').textContent === 'x'")
    page.page.fill("#field-name", "y from x")
    page.page.press("#field-name", "Tab")
    press(page, "problem", "Use this problem")
    says(page, "problem", "It is in the list of problems")
    # back, changed, reverted
    page.page.click("#word-target")
    panel.get_by_role("button", name="kind categorical", exact=True).click()
    page.wait("document.getElementById('word-task').textContent === 'classification'")
    press(page, "problem", "Revert")
    page.wait("document.getElementById('word-task').textContent === 'regression'")
    assert page.page.input_value("#field-name") == "y from x"
    press(page, "problem", "Train models")
    page.wait("snow.step().includes('Train')")
    go(page, "Problems")
    found(page)
    assert any("y from x: Predict y from x" in each for each in sentences(page))
    stored = json.loads(next((server.home / "snowcat").glob("phrased*/project.json")).read_text())
    mine = next(each["problem"] for each in stored["problems"] if each["problem"].get("name") == "y from x")
    assert mine["features"] == ["x"]
    assert mine["metric"] == "meanAbsoluteError"


def test_hovering_the_target_lights_its_rows(page, server):
    opened(page, server, "phrased", "Problems")
    found(page)
    card(page, "problems").locator("tr", has=page.page.locator("b", has_text="kind")).first.locator(".says").click()
    go(page, "Specify")
    says(page, "target", "3 classes")
    page.wait("snow.bars('target').length > 0")
    before = page.js("snow.sources('target').map((source) => JSON.stringify(source.data))")
    x, y = page.js("snow.bars('target')")[0]
    page.page.mouse.move(x, y)
    page.page.mouse.move(x + 1, y + 1)
    page.wait("before => snow.sources('target').some((each, at) => JSON.stringify(each.data) !== before[at])", before)


def test_two_pages_share_the_list(page, second, server):
    opened(page, server, "shared", "Problems")
    opened(second, server, "shared", "Problems")
    found(page)
    found(second)
    assert sentences(page) == sentences(second)
    row = card(page, "problems").locator("tbody tr").first
    row.locator("select").select_option("no")
    second.wait("document.querySelector('.problems tbody select').value === 'no'")
    card(second, "problems").locator(".says").first.click()
    press(second, "problems", "Copy")
    second.wait("snow.step().includes('Specify')")
    says(second, "problem", "not in the list of problems yet")
    second.page.fill("#field-name", "a copy")
    second.page.press("#field-name", "Tab")
    press(second, "problem", "Use this problem")
    says(page, "problems", "a copy:")
    assert page.js("document.querySelectorAll('.picked').length") == 0  # chosen in the other page
