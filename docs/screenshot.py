"""README's picture of the app: `python docs/screenshot.py RECORDING [--out docs/rnnbow.png]`."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

APP = Path(__file__).resolve().parent.parent / "apps" / "rnnbow"
READY = "window.Bokeh && Bokeh.documents[0] && Bokeh.documents[0].is_idle && !document.getElementById('loading')"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "rnnbow.png")
    parser.add_argument("--batch", type=int, default=None)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "bokeh", "serve", str(APP), "--port", "0", "--args", arguments.recording]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        url = next(match.group(1) for line in server.stderr if (match := re.search(r"running at: (\S+)", line)))
        browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(
                executable_path=browser, args=["--headless", "--no-sandbox", "--disable-gpu"]
            ).new_page(viewport={"width": 1280, "height": 800})
            page.goto(url)
            page.wait_for_function(READY)
            if arguments.batch is not None:
                page.evaluate("n => { Bokeh.documents[0].get_model_by_name('number').value = n }", arguments.batch)
                page.wait_for_timeout(800)
            page.mouse.move(366, 290)
            page.wait_for_timeout(700)
            page.screenshot(path=str(arguments.out))
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
