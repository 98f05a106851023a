"""A real browser and a real server for the tests of the apps."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IDLE = "window.Bokeh && Bokeh.documents[0] && Bokeh.documents[0].is_idle && !document.getElementById('loading')"


def executable() -> str:
    """The browser; without one the test fails under CI and is skipped elsewhere."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        message = f"no browser on the PATH (looked for {', '.join(NAMES)})"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return found


class Server:
    """A server process in a group of its own, with the lines it prints."""

    def __init__(self, command: list[str], pattern: str, cwd: Path | None = None, timeout: float = 90) -> None:
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._url = ""
        self._found = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(re.compile(pattern),))
        self._reader.start()
        if not self._found.wait(timeout) or not self._url:
            self.stop()
            raise RuntimeError(f"{command} did not start:\n" + "".join(self.lines))

    @property
    def url(self) -> str:
        return self._url

    def _read(self, pattern: re.Pattern[str]) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            match = pattern.search(line)
            if match and not self._url:
                self._url = match.group(1)
                self._found.set()
        self._found.set()

    def stop(self) -> None:
        """End the whole group: a worker outlives its parent otherwise."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def bokeh_serve(app: str, *args: str, options: tuple[str, ...] = ()):
    """Plain `bokeh serve` of an app of this checkout; yields the server, whose `url` is the app's."""
    command = [sys.executable, "-m", "bokeh", "serve", str(ROOT / "apps" / app), "--port", "0", *options]
    server = Server([*command, *(("--args", *args) if args else ())], r"running at: (http://\S+)")
    try:
        yield server
    finally:
        server.stop()


class Page:
    """A page of an app, and everything it should not have done."""

    def __init__(self, page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.outside: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def _console(self, message) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _request(self, request) -> None:
        if not re.match(r"(https?|wss?)://(localhost|127\.0\.0\.1)[:/]|data:|blob:", request.url):
            self.outside.append(request.url)

    def open(self, url: str) -> float:
        """Go there and wait until everything is drawn; seconds it took."""
        start = time.perf_counter()
        self.page.goto(url)
        self.wait(IDLE)
        return time.perf_counter() - start

    def js(self, expression: str, *args):
        return self.page.evaluate(expression, *args)

    def wait(self, condition: str, argument=None, timeout: float = 20_000) -> None:
        """Until a JavaScript expression or function holds."""
        self.page.wait_for_function(condition, arg=argument, timeout=timeout)


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A fresh page of 1280 x 800; fails the test if it complained or asked anything of the outside."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    watched = Page(context.new_page())
    yield watched
    context.close()
    assert watched.outside == []
    assert not watched.errors, watched.errors
