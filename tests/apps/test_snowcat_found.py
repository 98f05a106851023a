"""What models of ratings, of objects in images and of sounds say, in the page: linked with each other and the data."""

import numpy as np
import pandas as pd
import pytest
from browser import bokeh_serve
from recordings_small import sounds
from scenes import table, write_scenes
from snowcat_page import HELPERS

from learnviews.apps.snowcat.shelf import Shelf
from learnviews.kernels import search

pytestmark = [pytest.mark.ui, pytest.mark.slow]

MINE = """
window.layer = (name, which) => snow.sources(name).filter((source) => source.name === `layer ${which}`)
window.sizes = (name, which) => layer(name, which).map((source) => Object.values(source.data)[0]?.length ?? 0)
window.total = (name, which) => sizes(name, which).reduce((a, b) => a + b, 0)
window.main = (name) => snow.figures(name)[0]?.renderers[0].data_source.data
window.spot = (name, k) => {
  const figure = snow.figures(name)[0], view = Bokeh.index.find_one(figure), {x_scale, y_scale} = view.frame
  const box = view.el.getBoundingClientRect(), data = main(name)
  const x = data.left ? (data.left[k] + data.right[k]) / 2 : data.x[k]
  const y = data.left ? (data.bottom[k] + data.top[k]) / 2 : data.y[k]
  return [box.left + x_scale.compute(x), box.top + y_scale.compute(y)]
}
window.laid = (name) => {
  if (!snow.card(name) || !main(name)) return false
  const before = window.before, now = window.before = JSON.stringify(spot(name, 0))
  return now === before && Bokeh.index.find_one(snow.figures(name)[0]).frame.bbox.width > 40
}
"""


def ratings(count=700):
    rng = np.random.default_rng(0)
    users, films = rng.integers(0, 25, count), rng.integers(0, 20, count)
    taste = rng.normal(size=(2, 25)), rng.normal(size=(2, 20))
    stars = 3 + taste[0][0][users] + 0.5 * taste[1][0][films] + 0.2 * rng.normal(size=count)
    frame = pd.DataFrame({"user": users, "film": films, "stars": stars.clip(1, 5).round(1)})
    return frame.astype({"user": str, "film": str}).drop_duplicates(["user", "film"])


def trained(project, problem, trials):
    folder = project.folder / "studies"
    folder.mkdir(parents=True, exist_ok=True)
    study = search.Study(project.data, problem, folder / "1", trials=trials, rng=0)
    for _ in study.run():
        pass
    study.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("served")
    ratings().assign(user=lambda f: "u" + f["user"], film=lambda f: "f" + f["film"]).to_csv(
        folder / "ratings.csv", index=False
    )
    table(write_scenes(folder / "rings", 24)).to_csv(folder / "rings" / "rings.csv", index=False)
    sounds(folder / "tones", each=6)
    paths = (str(folder / "ratings.csv"), str(folder / "rings" / "rings.csv"), str(folder / "tones"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(home))
        shelf = Shelf(paths)
        keys = {source.title.removesuffix(".csv"): key for key, source in shelf.sources.items()}
        trained(shelf.project(keys["ratings"]), search.Problem("stars", "collaborativeFiltering"), 2)
        trained(shelf.project(keys["rings"]), search.Problem("objects", "objectDetection"), 1)
        trained(shelf.project(keys["tones"]), search.Problem("label", "classification"), 1)
        with bokeh_serve("snowcat", *paths) as server:
            yield server.url, keys


@pytest.fixture
def opened(page, served):
    url, keys = served

    def go(name, step="compare"):
        page.page.add_init_script(HELPERS + MINE)
        page.open(f"{url}#data={keys[name]}&study=1&step={step}")
        page.wait("(step) => snow.step().toLowerCase().includes(step)", step)
        return page

    return go


def at(page, card, mark):
    """Move to a mark of a card's first figure, as a hand does, until it is lit."""
    page.wait("(card) => laid(card)", card)
    for step in range(200):
        page.js("(card) => snow.card(card).scrollIntoView({block: 'center'})", card)
        x, y = page.js("([card, mark]) => spot(card, mark)", [card, mark])
        page.page.mouse.move(x, y + step % 2)
        page.page.wait_for_timeout(20)
        if page.js("(card) => total(card, 'lit')", card):
            return x, y + step % 2
    raise AssertionError(f"{card}: mark {mark} does not light up")


def test_bars_of_ratings_are_rows_in_all_models_and_cards(opened):
    page = opened("ratings")
    page.wait("snow.figures('rating histograms').length >= 2")
    ends = page.js("snow.figures('rating histograms').map((each) => [each.x_range.start, each.y_range.end])")
    assert len({tuple(each) for each in ends}) == 1  # one scale
    highest = int(np.argmax(page.js("Array.from(main('rating histograms').rows)")))
    x, y = at(page, "rating histograms", highest)
    many = page.js(f"main('rating histograms').rows[{highest}]")
    page.wait("sizes('residuals', 'lit').every((each) => each > 0)")
    page.wait("total('errors by key', 'lit') > 0")
    page.wait("(many) => snow.text('instance').includes(`of ${many} rows`)", many)
    page.page.mouse.click(x, y)
    page.wait("(many) => document.getElementById('kept-words').textContent.startsWith(`${many} row`)", many)
    page.page.locator('.card[data-name="rating histograms"] select').select_option("error")
    page.wait("snow.figures('rating histograms').every((each) => each.below[0].axis_label === 'prediction - truth')")
    page.wait("sizes('rating histograms', 'kept').every((each) => each > 0)")
    page.page.locator('.card[data-name="errors by key"] select').select_option("film")
    page.wait("snow.figures('errors by key')[0].below[0].axis_label === 'ratings of each film'")
    page.page.keyboard.press("Escape")
    page.wait("total('rating histograms', 'kept') === 0")
    at(page, "errors by key", 0)
    page.wait("total('rating histograms', 'lit') > 0")


def test_objects_found_at_a_threshold(opened):
    page = opened("rings")
    page.wait("snow.text('detections').includes('objects found')", timeout=30_000)
    page.wait("total('detections', 'truth') + total('detections', 'missed') > 0")
    objects = page.js("total('detections', 'truth') + total('detections', 'missed')")
    slider, before = page.page.get_by_label("Threshold"), page.js("total('detections', 'found')")
    slider.fill("0.05")
    page.wait("(before) => total('detections', 'found') > before", before)
    some = page.js("total('detections', 'found')")
    slider.fill("1")
    page.wait("(some) => total('detections', 'found') < some", some)
    assert page.js("total('detections', 'truth') + total('detections', 'missed')") == objects
    slider.fill("0.05")
    page.wait("(some) => total('detections', 'found') === some", some)
    x, y = at(page, "detections", 0)
    page.page.mouse.click(x, y)
    page.wait("sizes('detections', 'kept')[0] === 1 && snow.text('slice').includes('1 of the 1 kept row')")
    page.page.get_by_label("Images", exact=True).select_option("kept")
    page.wait("main('detections').id.length === 1 && snow.text('detections').includes('1–1 of 1 images')")
    page.page.locator('.card[data-name="detections"] label:has-text("truth") input').uncheck()
    page.wait("total('detections', 'truth') + total('detections', 'missed') === 0")


def test_sounds_say_what_a_model_says_of_them(opened):
    page = opened("tones")
    page.js("snow.ask('page', 'add', 'sounds')")
    page.wait("total('sounds', 'waves') > 0")
    before = page.js("layer('sounds', 'waves')[0].data.ink[0]")
    page.page.get_by_label("Label", exact=True).select_option(index=1)
    page.wait("layer('sounds', 'names')[0].data.text[0].includes('predicted')")
    assert page.js("layer('sounds', 'waves')[0].data.ink[0]") != before
    at(page, "sounds", 1)
    page.wait("sizes('confusion matrices', 'lit').every((each) => each === 1) || snow.text('instance').includes('Row')")


def test_what_detection_cannot_do_is_said_before_training(opened):
    page = opened("rings", "specify")
    page.wait("snow.text('problem').includes('without a deep net')")
    page.js("snow.ask('page', 'step', 'data')")
    page.wait("total('objects', 'truth') > 0 && snow.text('objects').includes('24 rows')")
    at(page, "objects", 1)
    page.wait("document.querySelectorAll('tr.lit').length === 1")
