"""Snowcat's first step in a real browser: data sets, uploads, cards of the data, changes of the data."""

import json

import numpy as np
import pandas as pd
import pytest
from browser import Page, bokeh_serve
from snowcat_data import d3m, images, texts, zipped
from snowcat_page import HELPERS

pytestmark = pytest.mark.ui

MINE = """
window.data = {
  tiles: () => [...document.querySelectorAll(".tile")].map((each) => each.innerText),
  shown: () => document.querySelector(".tile[aria-pressed=true] b")?.textContent ?? "",
  rows: (name) => [...snow.card(name).querySelectorAll("[data-row]")].map((each) => JSON.parse(each.dataset.row)),
  marked: (name, mark) => [...snow.card(name).querySelectorAll(`[data-row].${mark}`)].map((each) => JSON.parse(each.dataset.row)),
  still: (name) => {  // drawn, and where it was when this was asked before
    const before = window.before, now = window.before = JSON.stringify(snow.bars(name))
    return now === before && now.length > 2
  },
  marks: () => [...document.querySelectorAll("mark")].map((each) => each.textContent),
  upload: () => document.getElementById("upload").hidden ? "" : document.getElementById("upload").innerText,
  drop: (name, text) => {
    const transfer = new DataTransfer()
    transfer.items.add(new File([text], name))
    for (const kind of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}))
  },
  lit: (name) => snow.sources(name).filter((each) => "count" in each.data).map((each) => Array.from(each.data.count).reduce((a, b) => a + b, 0)),
}
"""  # noqa: E501


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of this module's server, which takes up to 2 MB."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(folder))
        patch.setenv("LEARNVIEWS_UPLOAD_LIMIT", "2")
        yield folder


@pytest.fixture(scope="module")
def served(home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=120), "level": rng.normal(size=120).cumsum()})
    frame["kind"] = np.where(np.arange(120) % 3 == 0, "third", "other")
    frame.to_csv(folder / "levels.csv", index=False)
    pd.DataFrame({"kind": ["third", "other"], "weight": [3, 1]}).to_csv(folder / "kinds.csv", index=False)
    (folder / "broken.csv").write_text("a,b\n1\n")
    paths = [folder / "levels.csv", d3m(folder / "small"), texts(folder / "letters"), images(folder / "faces")]
    with bokeh_serve("snowcat", *map(str, paths), str(folder / "kinds.csv"), str(folder / "broken.csv")) as started:
        yield started


@pytest.fixture
def app(page, served):
    page.page.add_init_script(HELPERS + MINE)
    page.open(served.url)
    return page


def choose(app, name):
    app.page.locator(".tile", has_text=name).first.click()
    app.wait("name => data.shown() === name", name)


def shows(app, card, words):
    """Wait until a card says so."""
    app.wait("([card, words]) => snow.card(card) && snow.text(card).includes(words)", [card, words])


def add(app, name):
    app.page.locator("#add-button").click()
    app.page.locator(f'#offered button[data-name="{name}"]').click()
    app.wait("name => Boolean(snow.card(name))", name)


def upload(app, path):
    app.page.set_input_files("#upload-file", str(path))


def in_card(app, name):
    return app.page.locator(f'.card[data-name="{name}"]')


def point(app, condition):
    """Move over bars, as a hand does, until a condition holds: plots are laid out anew once their width is known."""
    for step in range(1_000):
        bars = app.js("snow.bars('columns')")
        x, y = bars[2 + step // 20 % 10]
        app.page.mouse.move(x + step % 3, y)
        if app.js(condition):
            return
    raise AssertionError(condition)


# --- data sets


def test_data_sets_say_what_they_hold(app):
    app.wait("data.tiles().some((each) => each.startsWith('small') && each.includes('regression of y'))")
    app.wait("data.tiles().some((each) => each.startsWith('levels.csv') && each.includes('120 rows'))")
    app.wait("data.tiles().some((each) => each.startsWith('broken.csv') && each.includes('cannot be read'))")
    assert app.js("data.tiles().some((each) => each.startsWith('Iris') && each.includes('150 rows'))")
    assert app.js("snow.cards()") == ["data sets"]


def test_one_that_cannot_be_read_is_told_beside_it(app):
    app.page.locator(".tile", has_text="broken.csv").click()
    shows(app, "data sets", "expected 2")
    assert "choose another one" in app.js("snow.text('data sets')")
    choose(app, "Iris")
    assert "expected 2" not in app.js("snow.text('data sets')")


def test_description_and_table_of_a_d3m_set(app):
    choose(app, "small")
    shows(app, "description", "60 rows, 3 columns")
    shows(app, "description", "target")
    app.wait("data.rows('table').length === 50")
    in_card(app, "table").get_by_role("button", name="Page on").click()
    app.wait("data.rows('table').length === 10 && data.rows('table')[0] === 50")


def test_search_sort_and_kept_rows(app):
    choose(app, "small")
    app.wait("Boolean(snow.card('table'))")
    table = in_card(app, "table")
    table.get_by_role("searchbox").fill("b, -")
    app.wait(
        "document.querySelector('#table-words').value === 'b, -' && snow.text('table').match(/1–\\d+ of \\d+ rows/)"
    )
    app.wait("data.rows('table').every((row) => row % 3 === 1)")
    table.get_by_role("button", name="y", exact=True).click()
    app.wait("snow.card('table').querySelector('[aria-sort=ascending]')")
    values = "[...snow.card('table').querySelectorAll('tbody tr')].map((row) => Number(row.lastChild.textContent))"
    app.wait(f"{values}.every((value, at, all) => at === 0 || all[at - 1] <= value)")
    first = app.js("data.rows('table')[0]")
    table.locator("tbody tr").first.click()
    app.wait("row => data.marked('table', 'is-kept').includes(row)", first)
    table.get_by_role("searchbox").fill("")
    app.wait("snow.text('table').includes('of 60 rows')")
    table.get_by_label("only kept").check()
    app.wait("row => data.rows('table').length === 1 && data.rows('table')[0] === row", first)
    table.get_by_label("only kept").uncheck()
    app.wait("snow.text('table').includes('of 60 rows')")
    table.get_by_role("button", name="Next kept").click()
    app.wait("row => data.rows('table').includes(row) && data.marked('table', 'is-kept').length === 1", first)


def test_hovering_links_histograms_and_table(app):
    choose(app, "small")
    app.wait("data.still('columns') && data.rows('table').length > 0")
    point(app, "data.marked('table', 'lit').length > 0 && data.lit('columns').some((each) => each > 0)")
    app.page.mouse.move(5, 5)
    app.wait("data.marked('table', 'lit').length === 0")
    in_card(app, "table").locator("tbody tr").nth(2).hover()
    app.wait("data.lit('columns').some((each) => each === 3)")  # one row, in each of three columns


def test_time_series_images_texts_and_the_row_map(app):
    choose(app, "levels.csv")
    app.wait("snow.figures('series').length === 2")  # there without being added
    in_card(app, "series").get_by_label("One line per").select_option("kind")
    app.wait("snow.sources('series').length > 0 && snow.text('series').includes('kind')")
    add(app, "row map")
    app.wait("snow.figures('row map').length === 1")
    choose(app, "faces")
    app.wait("snow.figures('images').length === 1 && !snow.cards().includes('series')")
    choose(app, "letters")
    app.wait("data.rows('texts').length === 20")
    in_card(app, "texts").get_by_role("searchbox").fill("TEAM, number 3")
    app.wait("data.rows('texts').length === 1 && data.marks().includes('team')")
    in_card(app, "texts").locator("article").hover()
    app.wait("data.marked('texts', 'lit').length === 1")


# --- changes


def test_types_and_columns_are_changed_and_brought_back(app):
    choose(app, "levels.csv")
    add(app, "columns and types")
    card = in_card(app, "columns and types")
    card.get_by_label("Type of kind").select_option("real")
    shows(app, "columns and types", '"third" is no number')
    card.get_by_label("Type of level").select_option("categorical")
    shows(app, "columns and types", "1 of another type")
    card.get_by_label("Use when").uncheck()
    shows(app, "columns and types", "1 left out, 1 of another type")
    shows(app, "description", "120 rows, 2 columns")
    card.get_by_role("button", name="As it was read").click()
    shows(app, "columns and types", "as it was read")
    shows(app, "description", "120 rows, 3 columns")


def test_a_table_is_joined_and_taken_away(app):
    choose(app, "levels.csv")
    add(app, "columns and types")
    card = in_card(app, "columns and types")
    card.get_by_label("Table to join").select_option(label="kinds.csv")
    shows(app, "columns and types", "120 of 120 rows find a partner")
    card.get_by_role("button", name="Join", exact=True).click()
    shows(app, "columns and types", "kinds.csv joined by kind: 1 column")
    shows(app, "description", "weight")
    card.get_by_role("button", name="Undo").click()
    app.wait("!snow.text('description').includes('weight')")


# --- the page


def listed(names):
    """As `JSON.stringify` has them, sorted."""
    return json.dumps(sorted(names), separators=(",", ":"))


def test_an_arranged_board_is_there_again_and_so_is_how_it_was(app):
    choose(app, "levels.csv")
    app.wait("snow.cards().includes('description')")
    at_first = app.js("snow.cards()")
    app.page.locator('.card[data-name="description"] [data-card="close"]').click()
    app.wait("!snow.cards().includes('description')")  # then the list of cards to add is that of now, too
    add(app, "columns and types")
    app.page.locator('.card[data-name="table"] h2').focus()
    before = app.js("snow.card('table').style.gridColumn")
    app.page.keyboard.press("Alt+Shift+ArrowLeft")
    app.wait("before => snow.card('table').style.gridColumn !== before", before)
    width = int(app.js("snow.card('table').style.gridColumn.match(/\\d+/)[0]"))
    kept = (
        "JSON.parse(localStorage.getItem('learnviews.snowcat.boards') ?? '{}').data?.find(([name]) => name === 'table')"
    )
    app.wait(f"width => {kept}?.[1] === width", width)
    wanted = [name for name in ("columns and types", *at_first) if name != "description"]
    wide = app.js("snow.card('table').style.gridColumn")
    app.page.reload()
    app.wait("wanted => JSON.stringify(snow.cards().sort()) === wanted", listed(wanted))
    assert app.js("snow.card('table').style.gridColumn") == wide
    app.js("snow.ask('page', 'reset')")
    app.wait("wanted => JSON.stringify(snow.cards().sort()) === wanted", listed(at_first))
    app.page.reload()
    app.wait("wanted => JSON.stringify(snow.cards().sort()) === wanted", listed(at_first))


def test_back_in_the_browser_is_back_in_the_steps(app):
    choose(app, "levels.csv")
    for step in ("Problems", "Specify"):
        app.page.locator(".step", has_text=step).click()
        app.wait("step => snow.step().includes(step)", step)
        app.wait("step => location.hash.includes(`step=${step.toLowerCase()}`)", step)
    app.page.go_back()
    app.wait("snow.step().includes('Problems')")
    app.page.go_back()
    app.wait("snow.step().includes('Data')")
    app.page.go_forward()
    app.wait("snow.step().includes('Problems')")
    assert app.js("data.shown()") == "" and app.js("snow.message()") == ""


# --- uploads


def test_from_an_upload_to_its_end(app, tmp_path):
    frame = pd.DataFrame({"size": np.arange(40) * 1.5, "kind": ["a", "b"] * 20})
    frame.to_csv(tmp_path / "trips.csv", index=False)
    upload(app, tmp_path / "trips.csv")
    app.wait("data.shown() === 'trips.csv' && snow.text('description').includes('40 rows')")
    assert "Uploaded" in app.js("snow.text('data sets')")
    app.page.reload()
    app.wait("document.querySelector('.tile') && data.shown() === 'trips.csv'")
    in_card(app, "data sets").get_by_label("Delete trips.csv").click()
    in_card(app, "data sets").get_by_role("button", name="Delete", exact=True).click()
    app.wait("!data.tiles().some((each) => each.startsWith('trips')) && snow.cards().length === 1")
    app.wait("snow.message().includes('trips.csv was deleted')")


def test_archives_of_a_d3m_set_and_of_texts(app, tmp_path):
    upload(app, zipped(d3m(tmp_path / "mine", rows=30), tmp_path / "mine.zip"))
    app.wait("data.shown() === 'mine' && snow.text('description').includes('30 rows, 3 columns')")
    upload(app, zipped(texts(tmp_path / "post", each=3), tmp_path / "post.zip"))
    app.wait("data.shown() === 'post' && snow.cards().includes('texts')")


def test_a_file_may_be_dropped_anywhere_and_other_pages_hear_of_it(app, served, chromium):
    context = chromium.new_context()
    other = Page(context.new_page())
    other.page.add_init_script(HELPERS + MINE)
    other.open(served.url)
    app.js("data.drop('few.csv', 'a,b\\n1,x\\n2,y\\n3,x\\n')")
    app.wait("data.shown() === 'few.csv'")
    other.wait("data.tiles().some((each) => each.startsWith('few.csv') && each.includes('3 rows'))")
    assert other.js("data.shown()") == ""
    choose(other, "few.csv")
    in_card(app, "data sets").get_by_label("Delete few.csv").click()
    in_card(app, "data sets").get_by_role("button", name="Delete", exact=True).click()
    other.wait("data.shown() === '' && snow.message().includes('few.csv was deleted')")
    context.close()
    assert other.errors == []


BAD = {
    "bad.csv": (b"a,b\n1\n", "expected 2"),
    "bad.zip": (b"no archive", "expected a zip archive"),
    "book.xlsx": (b"PK", "book.xlsx: no data set; expected a file that ends in .csv"),
    "none.csv": (b"", "the file is empty"),
    "large.csv": (b"a,b\n" + b"1,2\n" * 600_000, "over this server's limit of 2 MB"),
}


def test_bad_files_say_what_is_wrong_and_leave_nothing(app, home, tmp_path):
    for name, (content, words) in BAD.items():
        (tmp_path / name).write_bytes(content)
        upload(app, tmp_path / name)
        app.wait("words => data.upload().includes(words)", words)
        app.page.locator("#upload-stop").click()
        app.wait("data.upload() === ''")
        assert not any(name in each for each in app.js("data.tiles()"))
    assert not list((home / "snowcat" / "uploads").glob(".part*"))
