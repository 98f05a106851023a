"""Where LearnViews keeps what it makes itself."""

from __future__ import annotations

import os
from pathlib import Path

import click


def home() -> Path:
    """The folder named by LEARNVIEWS_HOME, else the user's application folder (made when something is put there)."""
    return Path(os.environ.get("LEARNVIEWS_HOME") or click.get_app_dir("learnviews"))
