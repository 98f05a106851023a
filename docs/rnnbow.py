"""README's pictures of the RNNbow app: `python docs/rnnbow.py RECORDING [--inside] [--out docs/rnnbow.png]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from browse import DOCS, READY, browser_page, served


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording")
    parser.add_argument("--out", type=Path, default=DOCS / "rnnbow.png")
    parser.add_argument("--batch", type=int, default=None)
    parser.add_argument("--inside", action="store_true", help="the panel of gates and units")
    arguments = parser.parse_args()
    with served("rnnbow", arguments.recording) as url, browser_page() as page:
        page.goto(url)
        page.wait_for_function(READY)
        if arguments.batch is not None:
            page.evaluate("n => { Bokeh.documents[0].get_model_by_name('number').value = n }", arguments.batch)
            page.wait_for_timeout(800)
        if arguments.inside:
            page.evaluate("() => { Bokeh.documents[0].get_model_by_name('panel').active = 1 }")
            page.wait_for_timeout(2500)
        page.mouse.move(*((600, 350) if arguments.inside else (366, 290)))
        page.wait_for_timeout(700)
        page.screenshot(path=str(arguments.out))


if __name__ == "__main__":
    main()
