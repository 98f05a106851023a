"""A short real recording, and the app serving it."""

import shutil

import pytest
from browser import bokeh_serve
from rnnbow_page import record


@pytest.fixture(scope="session")
def recordings(tmp_path_factory):
    """A folder with two recordings and one damaged file."""
    folder = tmp_path_factory.mktemp("recordings")
    record(folder / "a-headers.rnnbow")
    record(folder / "b-two-sequences.rnnbow", steps=300, every=30, batch=2, seed=1)
    shutil.copy(folder / "a-headers.rnnbow", folder / "c-damaged.rnnbow")
    with (folder / "c-damaged.rnnbow").open("r+b") as file:
        file.truncate(70_000)
    return folder


@pytest.fixture(scope="session")
def served(recordings):
    with bokeh_serve("rnnbow", str(recordings)) as server:
        yield server
