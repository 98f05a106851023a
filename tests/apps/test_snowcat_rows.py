"""How high the rows of a board are: they fill a large window, and stay as they are while cards are sized."""

import pytest
from browser import bokeh_serve
from snowcat_page import HELPERS

pytestmark = pytest.mark.ui

TALL = """() => {
  const shown = [...document.querySelectorAll(".card:not([hidden])")].map((each) => each.getBoundingClientRect())
  return [Math.max(...shown.map((each) => each.bottom)), parseInt(getComputedStyle(board).gridAutoRows)]
}"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(tmp_path_factory.mktemp("home")))
        with bokeh_serve("snowcat") as started:
            yield started


def test_cards_fill_a_large_window_and_sizing_one_moves_no_other(page, served):
    page.page.set_viewport_size({"width": 1920, "height": 1080})
    page.page.add_init_script(HELPERS)
    page.open(served.url)
    page.page.locator(".tile", has_text="Iris").first.click()
    page.wait("snow.cards().includes('table')")
    bottom, row = page.js(TALL)
    assert 1080 - 40 < bottom <= 1080 and row > 40
    page.page.set_viewport_size({"width": 1280, "height": 500})
    page.wait("parseInt(getComputedStyle(board).gridAutoRows) === 36")
    page.page.set_viewport_size({"width": 1920, "height": 1080})
    page.wait("row => parseInt(getComputedStyle(board).gridAutoRows) === row", row)
    others = "snow.cards().filter((name) => name !== 'description').map((name) => snow.card(name).offsetHeight)"
    before, mine = page.js(others), page.js("snow.card('description').offsetHeight")
    page.page.locator('.card[data-name="description"] h2').focus()
    page.page.keyboard.press("Alt+Shift+ArrowUp")
    page.wait("was => snow.card('description').offsetHeight < was", mine)
    page.page.keyboard.press("Alt+Shift+ArrowDown")
    page.wait("was => snow.card('description').offsetHeight === was", mine)
    assert page.js(others) == before and page.js(TALL)[1] == row
