"""README's pictures of the stand-alone page, and two use cases of the paper on real flights: `python docs/nncubes.py`.

A trend seen on the map of queries, and a query found by dragging a bar. The page is written from a model trained here,
opened from a file, and driven with the mouse.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from browse import DOCS, browser_page
from playwright.sync_api import Page

from learnviews.kernels import cube

READY = "window.nncubes?.ready && Bokeh.documents[0].is_idle"
SCREEN = "([a, x, y]) => { const at = nncubes.page.views[a].screen(x, y); return [at.x, at.y] }"
DOT = """
(k) => {
  const {plot, dots: {data}} = nncubes.page.queries, box = plot.canvas_view.el.getBoundingClientRect()
  return [box.left + plot.frame.x_scale.compute(data.x[k]), box.top + plot.frame.y_scale.compute(data.y[k])]
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, help="keep the page here")
    arguments = parser.parse_args()
    frame, schema = cube.flights()
    model = cube.fit(cube.ExactCube.build(frame, schema, ["dep_delay"]), aggregate=["count", ("mean", "dep_delay")])
    with tempfile.TemporaryDirectory() as folder:
        path = model.to_html(arguments.page or Path(folder) / "flights.html", "Flights from New York, 2013")
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
        for name, act in {"nncubes": brush, "nncubes-trend": trend, "nncubes-drag": drag}.items():
            picture(path, DOCS / f"{name}.png", act, schema.names)


def picture(path: Path, out: Path, act: Callable[[Page, tuple[str, ...]], None], names: tuple[str, ...]) -> None:
    with browser_page() as page:
        page.goto(path.resolve().as_uri())
        page.wait_for_function(READY)
        act(page, names)
        page.wait_for_timeout(400)
        page.screenshot(path=str(out))


def brush(page: Page, names: tuple[str, ...]) -> None:
    """Evening flights of two carriers to the east coast."""
    hour, carrier, dest = map(names.index, ("hour", "carrier", "dest"))
    height = top(page, hour)
    move(page, [(hour, 16.6, height * 0.5), (hour, 22.4, height * 0.5)])
    for number in (3, 1):  # B6 and AA
        x, y = page.evaluate(SCREEN, [carrier, number + 0.5, top(page, carrier) * 0.02])
        page.mouse.click(x, y)
    move(page, [(dest, -84.0, 25.0), (dest, -67.0, 45.5)])
    page.mouse.move(640, 20)


def trend(page: Page, names: tuple[str, ...]) -> None:
    """The map of hours, coloured by the mean delay: a path from morning to night."""
    page.select_option("#aggregate", label="mean of dep_delay")
    page.select_option("#scale", value="own")
    page.select_option("#projected", label="scheduled hour")
    page.wait_for_timeout(300)
    x, y = page.evaluate(DOT, 20)
    page.mouse.click(x, y)


def drag(page: Page, names: tuple[str, ...]) -> None:
    """Which flights make July as quiet as February? Drag its bar down, point at an answer."""
    month = names.index("month")
    july = page.evaluate(f"() => nncubes.page.views[{month}].bars.data.top[6]")
    move(page, [(month, 6.5, july), (month, 6.5, 0.5 * july)])
    page.wait_for_selector("#suggestions button")
    page.locator("#suggestions button").first.hover()


def top(page: Page, view: int) -> float:
    """Height of the tallest bar."""
    return page.evaluate(f"() => Math.max(...nncubes.page.views[{view}].bars.data.top)")


def move(page: Page, way: list[tuple[int, float, float]]) -> None:
    """Press, drag along points of a view, let go."""
    places = [page.evaluate(SCREEN, list(point)) for point in way]
    page.mouse.move(*places[0])
    page.mouse.down()
    for x, y in places[1:]:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()


if __name__ == "__main__":
    main()
