"""Comparing models in the page: what is pointed at or kept in one view shows in all others."""

import numpy as np
import pandas as pd
import pytest
from browser import bokeh_serve
from snowcat_page import HELPERS

from learnviews.apps.snowcat.shelf import Shelf
from learnviews.kernels import search

pytestmark = pytest.mark.ui

COMPARING = """
window.layer = (name, which) => snow.sources(name).filter((source) => source.name === `layer ${which}`)
window.all = (found, holds) => found.length > 0 && found.every(holds)
window.sizes = (name, which) => layer(name, which).map((source) => Object.values(source.data)[0]?.length ?? 0)
const wide = (figure) => Bokeh.index.find_one(figure)?.frame?.bbox.width ?? 0
window.drawn = (name) => {
  const figures = snow.card(name) ? snow.figures(name) : []
  return figures.length > 0 && figures.every((each) => wide(each) > 40)
}
// The middle of a bar or cell of a card's first figure, by its number.
window.middle = (name, k) => {
  const figure = snow.figures(name)[0], view = Bokeh.index.find_one(figure), {x_scale, y_scale} = view.frame
  const box = view.el.getBoundingClientRect(), {left, right, bottom, top} = figure.renderers[0].data_source.data
  const x = x_scale.compute((left[k] + right[k]) / 2), y = y_scale.compute((bottom[k] + top[k]) / 2)
  return [box.left + x, box.top + y]
}
window.column = (name, field) => Array.from(snow.figures(name)[0].renderers[0].data_source.data[field])
window.rows = (name) => [...snow.card(name).querySelectorAll("tbody tr")]
window.numbers = (row) => [...row.cells].slice(1, 4).map((cell) => Number(cell.textContent))
"""


def table(rows=90):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, rows)).round(3)
    kind = rng.choice(["x", "y", "z"], rows)
    sick = np.where(a + b + 0.8 * rng.normal(size=rows) > 0.3, "yes", "no")
    value = (3 * a - b + (kind == "x") + 0.4 * rng.normal(size=rows)).round(3)
    return pd.DataFrame({"a": a, "b": b, "kind": kind, "sick": sick, "value": value})


def series(length=60):
    rng = np.random.default_rng(1)
    at = np.arange(length)
    return pd.DataFrame({"month": at, "sold": (20 + 5 * np.sin(at / 2) + rng.normal(size=length)).round(2)})


def trained(project, problem, name="1", trials=3):
    folder = project.folder / "studies"
    folder.mkdir(parents=True, exist_ok=True)
    study = search.Study(project.data, problem, folder / name, trials=trials, rng=0)
    for _ in study.run():
        pass
    study.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home, and the tables that are served."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def served(home, tmp_path_factory):
    """A server with three data sets, of each a study; of the first table two, for two targets."""
    folder = tmp_path_factory.mktemp("tables")
    table().to_csv(folder / "patients.csv", index=False)
    table().drop(columns="sick").to_csv(folder / "values.csv", index=False)
    series().to_csv(folder / "sales.csv", index=False)
    paths = tuple(str(folder / f"{name}.csv") for name in ("patients", "values", "sales"))
    shelf = Shelf(paths)
    keys = {source.title.removesuffix(".csv"): key for key, source in shelf.sources.items()}
    trained(
        shelf.project(keys["patients"]),
        search.Problem("sick", "classification", "f1Macro", features=("a", "b", "kind")),
    )
    values = shelf.project(keys["values"])
    trained(values, search.Problem("value", "regression"))
    trained(values, search.Problem("value", "regression", features=("a", "kind")), "2", trials=2)
    trained(shelf.project(keys["sales"]), search.Problem("sold", "timeSeriesForecasting", time="month"), trials=3)
    with bokeh_serve("snowcat", *paths) as server:
        yield server.url, keys


@pytest.fixture
def compare(page, served):
    """Opens the step of a data set's first study, with cards that are not there at first."""
    url, keys = served

    def opened(name, *cards):
        page.page.add_init_script(HELPERS + COMPARING)
        page.open(f"{url}#data={keys[name]}&study=1&step=compare")
        page.wait("snow.step().includes('Compare')")
        for card in cards:
            page.js("(card) => snow.ask('page', 'add', card)", card)
            page.wait("(card) => Boolean(snow.card(card))", card)
        return page

    return opened


def point(page, card, mark):
    """Move the mouse to a mark of a card's first figure."""
    page.wait("(card) => drawn(card)", card)
    page.js("(card) => snow.card(card).scrollIntoView({block: 'center'})", card)
    x, y = page.js("([card, mark]) => middle(card, mark)", [card, mark])
    page.page.mouse.move(x + 1, y + 1)
    return x + 1, y + 1


def away(page):
    page.page.mouse.move(3, 3)


def test_a_cell_lights_its_rows_in_every_view_and_a_click_keeps_them(compare):
    page = compare("patients", "disagreement", "columns", "cut-off")
    page.wait("drawn('confusion matrices') && drawn('columns')")
    most = int(np.argmax(page.js("column('confusion matrices', 'count')")))
    many = page.js("column('confusion matrices', 'count')")[most]
    point(page, "confusion matrices", most)
    figures = page.js("snow.figures('confusion matrices').length")
    assert figures >= 2
    page.wait("all(sizes('confusion matrices', 'lit'), (size) => size > 0)")
    page.wait("sizes('columns', 'lit').some((size) => size > 0)")
    page.wait("(many) => snow.text('instance').includes(`the first of ${many} rows`)", many)
    x, y = point(page, "confusion matrices", most)
    page.page.mouse.click(x, y)
    page.wait("all(sizes('confusion matrices', 'kept'), (size) => size > 0)")
    page.wait("(many) => document.getElementById('kept-words').textContent.startsWith(`${many} row`)", many)
    page.wait("(many) => snow.text('slice').includes(`${many} of the ${many} kept rows`)", many)
    page.page.locator('.card[data-name="slice"] select').select_option("rocAuc")
    page.wait("snow.text('slice').includes('Not defined on the kept rows: all of these rows have the same truth')")
    away(page)
    page.wait("all(sizes('confusion matrices', 'lit'), (size) => size === 0)")
    assert page.js("layer('confusion matrices', 'kept')[0].data.left.length") > 0
    page.page.keyboard.press("Escape")
    page.wait("all(sizes('confusion matrices', 'kept'), (size) => size === 0)")


def test_a_row_with_other_values(compare):
    page = compare("patients", "what if")
    page.wait("snow.card('what if').querySelectorAll('.chance').length >= 2", timeout=60_000)
    before = page.js("snow.text('what if')")
    assert "A typical row" in before and "→" not in before
    slider = page.page.locator('.card[data-name="what if"] input[type=range]').first
    slider.fill(slider.get_attribute("max"))
    page.wait("snow.text('what if').includes('→')")
    number = page.page.locator('.card[data-name="what if"] input[type=number]').first
    number.fill("99")
    page.wait("/is beyond/.test(snow.text('what if'))")
    number.fill("")
    page.wait("/is never missing/.test(snow.text('what if'))")
    page.page.locator('.card[data-name="what if"] button:has-text("Undo all")').click()
    page.wait("!snow.text('what if').includes('→')")
    page.js("snow.ask('page', 'keep', ['row', [5], false])")
    page.wait("snow.text('what if').includes('Row 5') && snow.text('what if').includes('truth')")


def test_the_cut_off_follows_the_slider(compare):
    page = compare("patients", "cut-off")
    page.wait("drawn('cut-off') && rows('cut-off').length >= 2")

    def counts():
        return page.js("rows('cut-off').map(numbers)")

    rows = {hits + missed for hits, _, missed in counts()}
    assert len(rows) == 1  # all models see the same positives
    slider = page.page.locator('.card[data-name="cut-off"] input[type=range]')
    slider.fill("0")
    page.wait("rows('cut-off').every((row) => row.cells[3].textContent === '0')")
    slider.fill("1")
    page.wait("rows('cut-off').some((row) => Number(row.cells[3].textContent) > 0)")
    assert all(hits + missed == next(iter(rows)) for hits, _, missed in counts())


def test_which_models_are_compared_and_how_good_they_are(compare):
    page = compare("patients")
    page.wait("drawn('scores') && drawn('confusion matrices') && rows('all scores').length >= 3")
    before = page.js("snow.figures('confusion matrices').length")
    page.page.locator('.card[data-name="models"] tr:has-text("trivial") input').check()
    page.wait("(before) => snow.figures('confusion matrices').length === before + 1", before)
    page.wait("rows('all scores').filter((row) => row.textContent.includes('trivial')).length === 1")  # once only
    page.page.locator('.card[data-name="models"] input[type=search]').fill("triv")
    page.wait("rows('models').length === 1")
    page.page.locator('.card[data-name="scores"] select').select_option("accuracy")
    page.wait("snow.figures('scores')[0].below[0].axis_label.startsWith('accuracy')")
    page.page.locator('.card[data-name="models"] button:has-text("Best 4")').click()
    page.wait("(before) => snow.figures('confusion matrices').length === before", before)


def test_residuals_of_all_models_on_one_scale(compare):
    page = compare("values", "row maps", "parallel coordinates", "pareto front")
    page.wait("drawn('residuals')")
    ranges = page.js("snow.figures('residuals').map((figure) => [figure.y_range.start, figure.y_range.end])")
    assert len(ranges) >= 2 and all(each == pytest.approx(ranges[0]) for each in ranges)
    widest = int(np.argmax(np.abs(page.js("column('residuals', 'low')"))))
    point(page, "residuals", widest)
    page.wait("all(sizes('residuals', 'lit'), (size) => size === 1)")
    page.wait("sizes('row maps', 'lit').some((size) => size === 1)")
    row = page.js("column('residuals', 'id')")[widest]
    page.wait("(row) => snow.text('instance').includes(`Row ${row}`)", row)
    page.page.locator('.card[data-name="residuals"] select').select_option("size")
    page.wait("snow.figures('residuals')[0].below[0].axis_label.includes('size')")
    page.wait("drawn('parallel coordinates') && drawn('pareto front')")
    page.js("snow.ask('page', 'keep', ['model', [1], false])")
    page.page.locator('.card[data-name="models"] button:has-text("Those kept (1)")').click()
    page.wait("snow.figures('residuals').length === 1")
    page.js("snow.ask('page', 'keep', ['row', [3], false])")
    page.wait("snow.text('slice').includes('1 kept row')")


def test_another_data_set_is_opened_while_rows_are_kept(compare, served):
    page = compare("patients")
    page.wait("drawn('confusion matrices')")
    page.js("snow.ask('page', 'keep', ['row', [3, 4], false])")
    page.wait("snow.text('slice').includes('2 kept rows')")
    page.js("(address) => snow.ask('page', 'go to', address)", f"data={served[1]['sales']}&study=1&step=compare")
    page.wait("drawn('forecasts') && !snow.card('confusion matrices')")
    assert page.js("snow.message()") == ""


def test_models_of_two_studies_of_the_same_data(compare):
    page = compare("values")
    page.wait("drawn('residuals')")
    before = page.js("snow.figures('residuals').length")
    page.page.locator('.card[data-name="models"] select').select_option("2")
    page.wait("snow.card('models').querySelector('.chips') && rows('models').length >= 2")
    page.page.locator('.card[data-name="models"] tbody tr:not(:has-text("trivial")) input').first.check()
    page.wait("(before) => snow.figures('residuals').length === before + 1", before)
    page.wait("snow.figures('residuals').some((figure) => figure.title.text.includes('study 2'))")
    page.wait("snow.text('all scores').includes('study 2')")


def test_forecasts_over_the_series(compare):
    page = compare("sales")
    page.wait("drawn('forecasts') && drawn('residuals')")
    size = np.maximum(np.abs(page.js("column('residuals', 'low')")), np.abs(page.js("column('residuals', 'high')")))
    point(page, "residuals", int(np.argmax(size)))
    page.wait("sizes('forecasts', 'lit').some((size) => size > 0)")
    page.page.locator('.card[data-name="forecasts"] select').first.select_option("")
    page.wait("snow.figures('forecasts').length === 1")
    assert page.js("snow.message()") == ""


def test_what_models_lean_on_arrives_by_and_by(compare):
    cards = (
        "importance",
        "partial dependence",
        "parameter importance",
        "pipeline steps",
        "pipeline",
        "error correlation",
    )
    page = compare("patients", *cards)
    for card in cards:
        if card != "pipeline":
            page.wait("(card) => drawn(card)", card, timeout=60_000)
    page.wait("!/of \\\\d+ models done/.test(snow.text('importance'))", timeout=60_000)
    page.page.locator('.card[data-name="partial dependence"] select').first.select_option("b")
    page.wait("snow.figures('partial dependence')[0].below[0].axis_label === 'b'")
    assert "output: sick" in page.js("snow.text('pipeline')")
    alerts = page.js("[...document.querySelectorAll('.card:not([hidden]) .alert')].map((each) => each.textContent)")
    assert alerts == []
