"""A short real recording, a hasty model of the flights, and the apps serving them."""

import shutil

import pytest
from browser import bokeh_serve
from nncubes_page import HELPERS
from rnnbow_page import record

from learnviews.apps.nncubes import first
from learnviews.kernels import cube


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


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with a hasty model of the flights."""
    folder = tmp_path_factory.mktemp("cubes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(first, "FIT", {"rank": 24, "queries": 1500, "steps": 600})
        first.first_model(folder)
    return folder


@pytest.fixture(scope="session")
def model(models):
    return cube.load(models / first.NAME)


@pytest.fixture(scope="session")
def exact():
    """The flights, exactly."""
    frame, schema = cube.flights()
    return cube.ExactCube.build(frame, schema, [first.MEASURE])


@pytest.fixture(scope="session")
def served_cubes(models):
    with bokeh_serve("nncubes", str(models)) as server:
        yield server


@pytest.fixture
def app(page, served_cubes):
    """A page of the NNCubes app on the flights."""
    page.page.add_init_script(HELPERS)
    page.open(served_cubes.url)
    return page
