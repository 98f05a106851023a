"""The RNNbow app in a real browser: what a user sees, points at and clicks."""

import time

import pytest
from browser import bokeh_serve
from rnnbow_page import HELPERS, record

pytestmark = pytest.mark.ui


@pytest.fixture
def app(page, served):
    page.page.add_init_script(HELPERS)
    page.open(served.url)
    return page


def text(app):
    return app.js("lv.text()")


def move(app, where, x, y):
    place = app.js("([where, x, y]) => lv.screen(where, x, y)", [where, x, y])
    app.page.mouse.move(place["x"], place["y"])
    return place


def segment(app, loss):
    """Middle of the largest segment of a loss: step, height."""
    return app.js("loss => lv.segment(loss)", loss)


def press(app, label):
    app.page.get_by_role("button", name=label, exact=True).click()


def test_the_page_fits_and_is_labelled(app):
    width, inner = app.js("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= inner
    height, inner = app.js("[document.documentElement.scrollHeight, window.innerHeight]")
    assert height <= inner
    assert "RNNbow" in app.page.title()
    assert app.js("lv.titles()") >= ["gradient norm (nats per unit weight)"]
    assert app.js("lv.legend()") == ["own loss", "+1", "+2", "+3", "+4", "+5", "beyond"]
    assert "batch 29 of 30" in text(app)


def test_pointing_at_a_segment_lights_its_loss_in_every_bar_without_the_server(app):
    app.js("lv.count_messages()")
    step, height = segment(app, 9)
    move(app, "flow", step, height)
    app.wait("lv.lit().length > 0")
    lit = app.js("lv.lit()")
    assert {cell["loss_step"] for cell in lit} == {9}
    assert sorted(cell["step"] for cell in lit) == [4, 5, 6, 7, 8, 9]
    horizon = app.js("lv.horizon()")
    assert sorted(horizon["step"]) == [4, 5, 6, 7, 8, 9]
    assert set(horizon["loss_step"]) == {9}
    step, height = segment(app, 15)
    move(app, "flow", step, height)
    app.wait("lv.lit()[0]?.loss_step === 15")
    app.wait("lv.horizon().loss_step[0] === 15")
    app.page.mouse.move(5, 5)
    app.wait("lv.lit().length === 0")
    assert app.js("lv.messages()") == 0


def test_highlight_survives_another_batch(app):
    press(app, "◀")
    app.wait("lv.text().includes('batch 28 of 30')")
    step, height = segment(app, 12)
    move(app, "flow", step, height)
    app.wait("lv.lit()[0]?.loss_step === 12")


def test_caption_of_the_horizon_names_the_loss_it_shows(app):
    step, height = segment(app, 9)
    move(app, "flow", step, height)
    app.wait("lv.caption().startsWith('loss of step 9 ')")
    for number in (28, 27, 26):
        press(app, "◀")
        app.wait(f"lv.text().includes('batch {number} of 30')")
        app.wait("lv.horizon().loss_step[0] === 9")
        app.page.wait_for_timeout(150)  # for messages that come late
        loss = app.js("lv.flow().loss[lv.flow().loss_step.indexOf(9)]")
        assert app.js("lv.caption()").startswith("loss of step 9 (")
        assert app.js("lv.caption()").endswith(f": {loss:.2f} nats")


def test_overview_previews_restores_and_selects(app):
    top = app.js("lv.overview_height(10)") / 2
    move(app, "overview", 10, top)
    app.wait("lv.text().includes('preview') && lv.text().includes('batch 10 of 30')")
    shown = app.js("lv.signature()")
    app.page.mouse.move(5, 400)
    app.wait("lv.text().includes('selected') && lv.text().includes('batch 29 of 30')")
    assert app.js("lv.signature()") != shown
    place = move(app, "overview", 10, top)
    app.page.mouse.click(place["x"], place["y"])
    app.wait("lv.text().includes('selected') && lv.text().includes('batch 10 of 30')")
    app.page.mouse.move(5, 400)
    app.wait("lv.signature() === '" + shown + "'")


def test_zoomed_overview_stays_while_pointing_and_follows_a_selection(app):
    place = move(app, "overview", 8, app.js("lv.overview_height(8)") / 2)
    for _ in range(8):
        app.page.mouse.wheel(0, -120)
        app.page.wait_for_timeout(50)
    app.wait("lv.overview_range()[1] < 20")
    app.page.wait_for_timeout(300)
    zoomed = app.js("lv.overview_range()")
    app.page.mouse.move(place["x"] + 60, place["y"])
    app.wait("lv.text().includes('preview')")
    app.page.wait_for_timeout(150)
    assert app.js("lv.overview_range()") == zoomed
    app.page.keyboard.press("Home")
    app.wait("lv.overview_range()[0] <= 0")
    app.page.mouse.click(place["x"], place["y"])  # wherever that is now, it is in view
    app.page.keyboard.press("End")
    app.wait("lv.overview_range()[1] >= 29")


def test_buttons_and_keys_move_through_the_batches(app):
    press(app, "◀")
    app.wait("lv.text().includes('batch 28 of 30')")
    press(app, "▶")
    app.wait("lv.text().includes('batch 29 of 30')")
    press(app, "▶")  # already the last
    app.page.locator("h1").click()
    app.page.keyboard.press("ArrowLeft")
    app.wait("lv.text().includes('batch 28 of 30')")
    app.page.keyboard.press("Home")
    app.wait("lv.text().includes('batch 0 of 30')")
    app.page.keyboard.press("ArrowLeft")  # already the first
    app.page.keyboard.press("End")
    app.wait("lv.text().includes('batch 29 of 30')")


def test_largest_gradient(app, recordings):
    from learnviews.kernels import rnn

    with rnn.Recording.open(recordings / "a-headers.rnnbow") as recording:
        loudest = int(recording.overview()["max_gradient"].idxmax())
    press(app, "Largest gradient")
    app.wait(f"lv.text().includes('batch {loudest} of 30')")


def test_play_runs_and_pauses(app):
    app.page.locator("h1").click()
    app.page.keyboard.press("Home")
    app.wait("lv.text().includes('batch 0 of 30')")
    press(app, "Play")
    app.wait("lv.text().includes('batch 3 of 30')")
    press(app, "Pause")
    app.wait("lv.model('play').label === 'Play'")
    app.page.keyboard.press("Home")
    app.wait("lv.text().includes('batch 0 of 30')")
    app.page.locator("h1").click()
    app.page.keyboard.press(" ")
    app.wait("lv.text().includes('batch 2 of 30')")


def test_signed_shares_add_up_in_the_browser(app, recordings):
    from learnviews.kernels import rnn

    press(app, "signed share")
    app.wait("lv.titles().some((t) => t.includes('signed share'))")
    with rnn.Recording.open(recordings / "a-headers.rnnbow") as recording:
        batch = recording[29]
    cells = app.js("lv.flow().value.reduce((a, b) => a + b, 0)")
    assert cells == pytest.approx(float(batch.share.sum()), rel=1e-4)
    assert min(app.js("lv.flow().value")) < 0


def test_log_axis_shows_true_values(app):
    before = app.js("lv.flow().value")
    press(app, "log")
    app.wait("lv.titles().some((t) => t.includes('log'))")
    assert app.js("lv.flow().value") == before
    assert app.js("lv.flow_range()")[1] < 5  # decades


def test_shared_scale_stays_from_batch_to_batch(app):
    own = app.js("lv.flow_range()")
    press(app, "all batches")
    app.wait(f"lv.flow_range()[1] > {own[1] * 1.01}")
    held = app.js("lv.flow_range()")
    app.page.locator("h1").click()
    app.page.keyboard.press("Home")
    app.wait("lv.text().includes('batch 0 of 30')")
    assert app.js("lv.flow_range()") == held
    assert app.js("lv.figure('horizon').y_range.end") > 1  # batch 0 has cells of a hundredth
    press(app, "this batch")
    app.wait(f"lv.flow_range()[1] < {held[1] / 10}")


def test_beyond_can_be_left_out(app):
    app.page.get_by_text("beyond", exact=True).click()
    app.wait("!lv.legend().includes('beyond')")


def test_other_measure_in_the_overview(app):
    app.page.locator("select").nth(1).select_option("loss")
    app.wait("lv.titles().includes('loss')")


def test_another_recording_with_two_sequences(app):
    app.page.locator("select").first.select_option(label="b-two-sequences")
    app.wait("lv.text().includes('batch 9 of 10') && lv.text().includes('sequence 0 of 2')")
    before = app.js("lv.signature()")
    app.js("lv.model('sequences').children[1].value = 1")
    app.wait("lv.text().includes('sequence 1 of 2')")
    app.wait(f"lv.signature() !== '{before}'")
    assert app.js("lv.marked()") == 9


def test_a_damaged_recording_is_told_and_the_page_lives_on(app):
    app.page.locator("select").first.select_option(label="c-damaged")
    app.wait("lv.message().includes('c-damaged.rnnbow')")
    app.page.locator("select").first.select_option(label="a-headers")
    app.wait("lv.text().includes('batch 29 of 30') && lv.message() === ''")


def test_help_opens_and_closes(app):
    press(app, "Help")
    assert app.page.locator("#help").is_visible()
    app.page.keyboard.press("Escape")
    assert not app.page.locator("#help").is_visible()


@pytest.mark.slow
def test_zoom_out_and_no_recording_yet(page, tmp_path):
    page.page.add_init_script(HELPERS)
    with bokeh_serve("rnnbow", str(tmp_path)) as server:
        page.open(server.url)
        page.wait("lv.message().includes('learnviews record')")
        record(tmp_path / "first.rnnbow", steps=50, every=10)
        page.wait("lv.text().includes('batch 4 of 5')")


def test_a_recording_grows_while_it_is_watched(page, tmp_path):
    from learnviews.kernels import rnn

    page.page.add_init_script(HELPERS)
    record(tmp_path / "live.rnnbow", steps=50, every=10)
    with bokeh_serve("rnnbow", str(tmp_path / "live.rnnbow")) as server:
        page.open(server.url)
        page.wait("lv.text().includes('of 5')")
        with rnn.Recording.open(tmp_path / "live.rnnbow", write=True) as recording:
            rnn.Trainer.resume(recording).run(50)
            page.wait("lv.text().includes('of 10')")
            assert page.js("lv.model('number').high") == 9
            page.wait("lv.bars().batch.length === 10 && lv.figure('overview').x_range.end === 9.5")
            page.wait("lv.text().includes('batch 9 of 10') && lv.marked() === 9")


@pytest.mark.slow
def test_a_recording_made_anew_under_the_same_name(page, tmp_path):
    page.page.add_init_script(HELPERS)
    path = record(tmp_path / "again.rnnbow", steps=50, every=10)
    with bokeh_serve("rnnbow", str(path)) as server:
        page.open(server.url)
        page.wait("lv.text().includes('of 5')")
        path.rename(tmp_path / "old.rnnbow")
        record(path, steps=30, every=10)
        page.wait("lv.text().includes('of 3')")


def test_what_is_typed_beyond_the_last_batch_is_corrected(app):
    app.js("lv.model('number').value = 999")
    app.wait("lv.model('number').value === 29")
    app.js("lv.model('number').value = null")
    app.wait("lv.model('number').value === 29")


def test_sessions_do_not_disturb_each_other(app, served, chromium):
    other = chromium.new_page()
    other.add_init_script(HELPERS)
    other.goto(served.url)
    other.wait_for_function("window.lv && lv.ready() && lv.text().includes('batch 29 of 30')")
    press(app, "◀")
    app.wait("lv.text().includes('batch 28 of 30')")
    time.sleep(0.2)
    assert "batch 29 of 30" in other.evaluate("lv.text()")
    other.close()


DEEP_NETS = {
    "lstm-two-layers": {"cell": "lstm", "layers": 2, "parameter": "weight_hh_l1"},
    "gru": {"cell": "gru"},
    "lower-layer": {"cell": "tanh", "layers": 2},
    "backward": {"cell": "gru", "bidirectional": True, "parameter": "weight_hh_l0_reverse"},
    "both-sides": {"cell": "lstm", "layers": 2, "bidirectional": True},
}


@pytest.mark.slow
def test_recordings_of_every_cell_and_depth(page, tmp_path):
    page.page.add_init_script(HELPERS)
    for name, kind in DEEP_NETS.items():
        record(tmp_path / f"{name}.rnnbow", steps=50, every=10, **kind)
    with bokeh_serve("rnnbow", str(tmp_path)) as server:
        page.open(server.url)
        page.wait("lv.text().includes('batch 4 of 5')")
        for name in reversed(DEEP_NETS):
            page.page.locator("select").first.select_option(label=name)
            page.wait(f"lv.model('recording').value.includes('{name}') && lv.text().includes('batch 4 of 5')")
            page.wait("lv.flow()?.distance.length > 0 && lv.horizon().step.length > 0")
            assert page.js("lv.message()") == ""
            press(page, "signed share")
            page.wait("lv.titles().some((t) => t.includes('signed share'))")
            press(page, "◀")
            page.wait("lv.text().includes('batch 3 of 5')")
            press(page, "norm")
            page.wait("!lv.titles().some((t) => t.includes('signed share'))")
            step, height = segment(page, 9)
            move(page, "flow", step, height)
            page.wait("lv.lit()[0]?.loss_step === 9 && lv.horizon().loss_step[0] === 9")
            page.page.mouse.move(5, 5)
