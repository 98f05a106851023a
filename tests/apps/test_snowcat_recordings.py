"""Sounds and videos in the page: seen, played from where one clicks, linked to the other cards, uploaded."""

import contextlib

import pytest
from browser import bokeh_serve
from recordings_small import sounds, videos
from snowcat_data import zipped
from snowcat_page import HELPERS

Timeout = pytest.importorskip("playwright.sync_api").TimeoutError
pytest.importorskip("soundfile")
pytest.importorskip("av")

pytestmark = [pytest.mark.ui, pytest.mark.slow]

PLAYING = """
window.tracks = (name) => snow.figures(name)[0]?.renderers.find((each) => each.data_source.data.pace)?.data_source.data
window.layer = (name, which) => snow.sources(name).find((source) => source.name === `layer ${which}`)?.data
window.player = () => [...media.players.values()][0]
window.spot = (name, k, share) => {
  const figure = snow.figures(name)[0], view = Bokeh.index.find_one(figure), {x_scale, y_scale} = view.frame
  const box = view.el.getBoundingClientRect(), data = tracks(name)
  const x = data.origin[k] + share * data.pace[k]
  return [box.left + x_scale.compute(x), box.top + y_scale.compute((data.bottom[k] + data.top[k]) / 2)]
}
window.laid = (name) => {  // drawn, and where it was when this was asked before
  if (!snow.card(name) || !tracks(name) || !layer(name, "names")) return false
  const before = window.before, now = window.before = JSON.stringify([spot(name, 0, 0.3), tracks(name).key])
  return now === before && spot(name, 0, 0.3)[0] > 0
}
window.scrolled = (name, k) => { snow.card(name).querySelector(".figure").scrollTop = -tracks(name).top[k] - 60 }
window.lit = (name, k) => layer(name, "lit").top.length === 1 && layer(name, "lit").top[0] === tracks(name).top[k]
window.shown = () => document.querySelector(".tile[aria-pressed=true] b")?.textContent ?? ""
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("served")
    paths = [sounds(folder / "tones"), videos(folder / "squares")]
    (folder / "tones" / "low" / "broken.wav").write_bytes(b"no sound")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(home))
        with bokeh_serve("snowcat", *map(str, paths)) as started:
            yield started


@pytest.fixture
def app(page, served):
    page.page.add_init_script(HELPERS + PLAYING)
    page.open(served.url)
    return page


def choose(app, name):
    app.page.locator(".tile", has_text=name).first.click()
    app.wait("name => shown() === name", name)


def at(app, card, track, seconds):
    """Move to a moment of a track, as a hand does: what is below the pointer moves until all cards are laid out."""
    app.wait("(card) => laid(card)", card)
    for step in range(200):
        app.js("([card, track]) => scrolled(card, track)", [card, track])
        x, y = app.js("([card, track, seconds]) => spot(card, track, seconds)", [card, track, seconds])
        app.page.mouse.move(x, y + step % 2)
        app.page.wait_for_timeout(20)
        if app.js("([card, track]) => lit(card, track)", [card, track]):
            return x, y + step % 2
    raise AssertionError(f"{card}: track {track} does not light up")


def play(app, card, track, seconds):
    """Click on a moment of a track, once more where all moved just then; no sooner than what is below is lit."""
    for _ in range(5):
        app.page.mouse.click(*at(app, card, track, seconds))
        with contextlib.suppress(Timeout):
            app.wait(
                "([card, track]) => JSON.stringify(player()?.row) === tracks(card).key[track]", [card, track], 4000
            )
            return
    raise AssertionError(f"{card}: track {track} is not played")


def test_a_click_plays_a_sound_from_there(app):
    choose(app, "tones")
    app.wait("snow.text('description').includes('9 sounds')")
    assert "8,000 Hz" in app.js("snow.text('description')")
    assert "low/broken.wav cannot be read" in app.js("snow.text('description')")
    at(app, "sounds", 3, 1.5)
    app.wait("[...snow.card('table').querySelectorAll('tr.lit')].length === 1")
    play(app, "sounds", 3, 1.5)
    app.wait("player()?.url && !player().element.paused && player().element.currentTime >= 1.4")
    app.wait("snow.text('sounds').includes('3 · 3.wav')")
    app.wait("layer('sounds', 'kept').top.length === 1 && document.querySelectorAll('tr.is-kept').length === 1")
    assert app.js("player().element.duration") == pytest.approx(7.5, abs=0.01)
    app.wait("Math.abs(layer('sounds', 'cursor').x[0] - player().element.currentTime) < 0.2")
    pause = app.page.get_by_role("button", name="Play or pause")
    pause.click()
    app.wait("player().element.paused")
    app.page.get_by_role("button", name="Back 5 seconds").click()
    app.wait("player().element.currentTime === 0 && layer('sounds', 'cursor').x[0] < 0.05")
    play(app, "sounds", 3, 0.5)  # of the same sound nothing is loaded again
    app.wait("player().element.currentTime >= 0.5 && !player().element.paused")


def test_what_browsers_do_not_play_is_written_anew(app):
    choose(app, "tones")
    play(app, "sounds", 2, 0.2)
    app.wait("player()?.url && player().element.duration > 6.9")
    app.wait("snow.text('sounds').includes('one channel in 16 bits')")
    app.page.get_by_role("button", name="The next one").click()
    app.wait("snow.text('sounds').includes('3 · 3.wav') && player().element.duration > 7.4")
    app.wait("!snow.text('sounds').includes('16 bits')")


def test_a_broken_sound_says_so(app):
    choose(app, "tones")
    app.page.locator('.card[data-name="sounds"] input[type=search]').fill("broken")
    app.wait("tracks('sounds')?.key.length === 1")
    assert "cannot be read as a sound" in app.js("layer('sounds', 'names').text[0]")
    app.page.get_by_role("button", name="Play or pause").click()
    app.wait("snow.text('sounds').includes('not played') && snow.text('sounds').includes('cannot be read as a sound')")
    app.page.locator('.card[data-name="sounds"] input[type=search]').fill("")
    app.wait("tracks('sounds')?.key.length === 9")
    play(app, "sounds", 0, 1.0)
    app.wait("player()?.url && !player().element.paused && snow.text('sounds').includes('0 · 0.wav')")
    choose(app, "Iris")
    app.wait("media.players.size === 0")  # nothing plays on


def test_videos_play_from_a_frame(app):
    choose(app, "squares")
    app.wait("snow.text('description').includes('6 videos') && snow.text('description').includes('64 x 48 pixels')")
    play(app, "videos", 0, 1.2)
    app.wait("player()?.element.videoWidth === 64 && player().element.currentTime >= 1.1")
    assert app.js("player().element.tagName") == "VIDEO"
    app.wait("layer('videos', 'cursor').x.length === 1")
    play(app, "videos", 1, 0.1)  # an avi
    app.wait("snow.text('videos').includes('1 · 1.avi') && snow.text('videos').includes('Written anew')")
    app.wait("player().element.videoWidth === 64 && Math.abs(player().element.duration - 2) < 0.2")
    app.page.locator('.card[data-name="columns"]')
    app.js("snow.ask('page', 'light', ['row', [4]])")
    app.wait("layer('videos', 'lit').top.length === 1 && layer('videos', 'lit').top[0] === tracks('videos').top[4]")


def test_an_archive_of_sounds(app, tmp_path):
    app.page.set_input_files("#upload-file", str(zipped(sounds(tmp_path / "sent", each=2), tmp_path / "sent.zip")))
    app.wait("shown().startsWith('sent')")
    app.wait("tracks('sounds')?.key.length === 4")
    app.wait("snow.text('description').includes('4 sounds, 6.00 s to 6.50 s')")
