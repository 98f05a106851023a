"""README's picture of the NNCubes app on the embedded flights: `python docs/nncubes_app.py`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from browse import DOCS, READY, browser_page, served
from playwright.sync_api import Page

from learnviews.apps.nncubes.first import first_model

SCREEN = """
([title, x, y]) => {
  const figures = [...Bokeh.documents[0]._all_models.values()].filter((each) => each.type === "Figure")
  const view = Bokeh.index.find_one(figures.find((each) => each.title.text?.startsWith(title)))
  const box = view.el.getBoundingClientRect(), end = view.model.y_range.end
  return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y * end)]
}
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        first_model(Path(folder))
        with served("nncubes", folder) as url, browser_page() as page:
            page.goto(url)
            page.wait_for_function(READY)
            page.wait_for_timeout(1000)
            drag(page, "scheduled hour", (16.6, 0.5), (22.4, 0.5))
            for carrier in (3, 1):  # B6 and AA
                page.keyboard.down("Shift")
                page.mouse.click(*page.evaluate(SCREEN, ["carrier", carrier, 0.02]))
                page.keyboard.up("Shift")
            page.get_by_role("tab", name="Query map").click()
            page.wait_for_timeout(2500)
            page.mouse.move(640, 20)
            page.wait_for_timeout(500)
            page.screenshot(path=str(DOCS / "nncubes-app.png"))


def drag(page: Page, title: str, start: tuple[float, float], stop: tuple[float, float]) -> None:
    """Press, drag, let go; heights as shares of the axis."""
    page.mouse.move(*page.evaluate(SCREEN, [title, *start]))
    page.mouse.down()
    page.mouse.move(*page.evaluate(SCREEN, [title, *stop]), steps=8)
    page.mouse.up()


if __name__ == "__main__":
    main()
