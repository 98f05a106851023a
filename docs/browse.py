"""What the scripts that make README's pictures share: a browser's page, and a served app."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parent
APPS = DOCS.parent / "apps"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
READY = "window.Bokeh && Bokeh.documents[0] && Bokeh.documents[0].is_idle && !document.getElementById('loading')"


@contextmanager
def browser_page(width: int = 1280, height: int = 800) -> Iterator[Page]:
    """A page in the browser that is installed."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise SystemExit(f"no browser on the PATH (looked for {', '.join(BROWSERS)})")
    with sync_playwright() as playwright:
        flags = ["--headless", "--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        yield browser.new_page(viewport={"width": width, "height": height})


@contextmanager
def served(app: str, *args: str) -> Iterator[str]:
    """The address of an app of this checkout, under plain `bokeh serve`."""
    command = [sys.executable, "-m", "bokeh", "serve", str(APPS / app), "--port", "0", "--args", *args]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert server.stderr is not None
        yield next(match.group(1) for line in server.stderr if (match := re.search(r"running at: (\S+)", line)))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def save(view: Any, path: Path, width: int, height: int) -> None:
    """A PNG of a HoloViews object, as a browser draws it."""
    import holoviews as hv

    with tempfile.TemporaryDirectory() as folder, browser_page(width, height) as page:
        file = Path(folder) / "page.html"
        hv.save(view, file, resources="inline")
        page.goto(file.as_uri())
        page.wait_for_function(READY)
        page.wait_for_timeout(500)
        page.screenshot(path=str(path), full_page=True)
