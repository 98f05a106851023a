"""Room on the board: cards fill a large window, stay as they are while others are sized, and cut no table off."""

import numpy as np
import pandas as pd
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
        folder = tmp_path_factory.mktemp("tables")
        rng, words = np.random.default_rng(0), ["Saint-Etienne with a very long name of a town", "Bath", None]
        long = {f"Number_of_seasons_played_{at}": rng.normal(size=60).round(9) for at in range(4)}
        pd.DataFrame({**long, "Customers town": words * 20}).to_csv(folder / "long.csv", index=False)
        with bokeh_serve("snowcat", str(folder / "long.csv")) as started:
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


def test_the_description_fits_its_card(page, served):
    page.page.add_init_script(HELPERS)
    page.open(served.url)
    page.page.locator(".tile", has_text="long.csv").first.click()
    page.wait("snow.cards().includes('description') && snow.text('description').includes('Distinct')")
    assert page.js(
        "(() => { const pane = snow.card('description').querySelector('.pane')\n"
        "return pane.scrollWidth <= pane.clientWidth })()"
    )
