"""README's pictures of the Snowcat app on scikit-learn's breast cancer set: `python docs/snowcat.py`."""

from __future__ import annotations

import os
import tempfile

from browse import DOCS, READY, browser_page, served
from playwright.sync_api import Page

SECONDS = "40"
CELL = """
() => {
  const card = document.querySelector('.card[data-name="confusion matrices"]')
  const inside = (view) => card.contains(view.el) && view.model.type === "Figure"
  const found = [...Bokeh.documents[0]._all_models.values()].filter((each) => each.type === "Figure")
  const view = found.map((each) => Bokeh.index.find_one(each)).find((each) => each && inside(each))
  const box = view.el.getBoundingClientRect(), frame = view.frame
  return [box.left + frame.x_scale.compute(0), box.top + frame.y_scale.compute(1)]
}
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["LEARNVIEWS_HOME"] = home
        with served("snowcat") as url, browser_page() as page:
            page.goto(url)
            page.wait_for_function(READY)
            page.locator(".tile", has_text="Breast cancer").first.click()
            page.wait_for_function("document.querySelector('.tile[aria-pressed=true]')")
            step(page, "Problems")
            page.locator('.card[data-name="problems"] tr button').first.click()
            step(page, "Specify")
            press(page, "problem", "Train models")
            page.get_by_label("How long").fill(SECONDS)
            page.keyboard.press("Tab")
            press(page, "training", "Start")
            page.wait_for_timeout(30_000)
            page.screenshot(path=str(DOCS / "snowcat-train.png"))
            page.wait_for_function(
                "document.querySelector('.card[data-name=training]').innerText.includes('finished')", timeout=120_000
            )
            step(page, "Compare")
            page.wait_for_timeout(10_000)  # intervals arrive one after the other
            page.mouse.move(*page.evaluate(CELL))
            page.mouse.down()
            page.mouse.up()
            page.wait_for_timeout(2500)
            page.screenshot(path=str(DOCS / "snowcat.png"), full_page=True)


def step(page: Page, name: str) -> None:
    """Go to a step, once it can be reached."""
    button = page.locator(".step", has_text=name)
    page.wait_for_function("step => !step.disabled", arg=button.element_handle())
    button.click()
    page.wait_for_function("step => step.getAttribute('aria-current') === 'step'", arg=button.element_handle())


def press(page: Page, card: str, label: str) -> None:
    """Press a button of a card, once it is there."""
    page.locator(f'.card[data-name="{card}"]').get_by_role("button", name=label, exact=True).first.click()


if __name__ == "__main__":
    main()
