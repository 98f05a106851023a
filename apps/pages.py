"""The pages of the apps: each fills in the one page that all share."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

APPS = Path(__file__).parent


@lru_cache
def page_template(app: str) -> Any:
    """The page of an app, as a Jinja template for `Session`.

    Bokeh reads an app's `templates/index.html` by itself, but then knows of no other folder; here it may use what is
    in `apps/templates`, too.
    """
    from jinja2 import Environment, FileSystemLoader

    folders = [APPS / app / "templates", APPS / "templates"]
    return Environment(loader=FileSystemLoader(folders), keep_trailing_newline=True).get_template("index.html")
