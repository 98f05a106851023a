"""The RNNbow app on gated, deep and bidirectional nets: choosers, gates, units, and recordings that know less."""

import numpy as np
import pytest
import torch
from browser import bokeh_serve
from rnnbow_page import HELPERS, record
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from learnviews.kernels import rnn

pytestmark = pytest.mark.ui

SHORT = {"steps": 120, "every": 10}
KINDS = {
    "a-tanh": ({}, ["parameter"], "weight_hh"),
    "b-gru": ({"cell": "gru"}, ["parameter", "gate"], "weight_hh"),
    "c-lstm": (
        {"cell": "lstm", "layers": 2, "parameter": "weight_hh_l1"},
        ["layer", "parameter", "gate"],
        "weight_hh, layer 2 of 2",
    ),
    "d-both": (
        {"cell": "gru", "bidirectional": True},
        ["direction", "parameter", "gate"],
        "weight_hh, forward",
    ),
    "e-old": ({"cell": "gru", "inside": False}, [], "weight_hh"),
    "f-numbers": (None, ["parameter", "gate"], "weight_hh"),
    "g-sentences": (None, ["parameter", "gate"], "weight_hh"),
}


def foreign(path, tokens):
    """Recorded from a loop of PyTorch's: of padded sentences with their targets, or of numbers with one target each."""
    torch.manual_seed(1)
    embed, decode = torch.nn.Embedding(9, 5), torch.nn.Linear(8, 9)
    net = torch.nn.LSTM(5, 8) if tokens else torch.nn.GRU(5, 8)
    model = torch.nn.ModuleDict({"embed": embed, "net": net, "decode": decode})
    words = [f"word{at}" for at in range(9)]
    names = {"symbols": words, "target_symbols": [f"tag{at}" for at in range(9)]} if tokens else {}
    lengths = torch.tensor([10, 7])
    with rnn.TorchRecorder(model, path, every=1, lags=4, **names) as recorder:
        for _ in range(12):
            x, y = torch.randint(0, 9, (10, 2)), torch.randint(0, 9, (10, 2))
            if tokens:
                packed = pack_padded_sequence(embed(x), lengths)
                scores = decode(pad_packed_sequence(net(packed)[0])[0])
                y[7:, 1] = -100
                loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), y.flatten())
            else:
                scores = decode(net(torch.randn(10, 2, 5))[0])
                loss = (scores[-1, :, 0] - y[0]).square().mean()
            model.zero_grad()
            loss.backward()
            recorder.step(targets=y if tokens else None)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inside")
    for name, (kind, _, _) in KINDS.items():
        if kind is not None:
            record(folder / f"{name}.rnnbow", **SHORT, **kind)
    foreign(folder / "f-numbers.rnnbow", tokens=False)
    foreign(folder / "g-sentences.rnnbow", tokens=True)
    with rnn.Recording.open(folder / "e-old.rnnbow", write=True) as old:
        old._connection.execute("DELETE FROM snapshot")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with bokeh_serve("rnnbow", str(folder)) as server:
        yield server


@pytest.fixture
def app(page, server):
    page.page.add_init_script(HELPERS)
    page.open(server.url)
    return page


def show(app, name):
    if name not in app.js("lv.model('recording').value"):
        app.js("() => { window.before = lv.figure('flow') }")
        app.page.locator("select").first.select_option(label=name)
        app.wait("lv.figure('flow') && lv.figure('flow') !== window.before")
    app.wait(f"lv.model('recording').value.includes('{name}') && lv.text().includes('batch 11 of 12')")


def choose(app, name, value):
    app.js("([name, value]) => { lv.chooser(name).value = value }", [name, value])


def press(app, label):
    app.page.get_by_role("button", name=label, exact=True).click()


def open_inside(app, gates=True):
    press(app, "Gates and units" if gates else "Units")
    app.wait("lv.cells('units')?.image.length > 0")
    if gates:
        app.wait("lv.cells('gates')?.image.length > 0")


def point(app, where, batch, row):
    place = app.js("([where, x, y]) => lv.screen(where, x, y)", [where, batch, row + 0.5])
    app.page.mouse.move(place["x"], place["y"])
    return place


def flow_total(app):
    return app.js("lv.flow().value.reduce((a, b) => a + b, 0)")


def waits_for_total(app, total):
    app.wait(f"Math.abs(lv.flow().value.reduce((a, b) => a + b, 0) - {total}) < 1e-4 * Math.abs({total})")


def fits(app):
    width, height = app.js("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    return width <= 1280 and height <= 800


@pytest.mark.parametrize("name", KINDS)
def test_choosers_are_those_of_the_recording(app, name):
    show(app, name)
    _, choosers, words = KINDS[name]
    app.wait(f"lv.words() === '{words}'")
    assert app.js("lv.choosers()") == choosers
    assert app.js("lv.message()") == "" and fits(app)


def test_another_gradient_of_the_same_batch(app, folder):
    show(app, "c-lstm")
    app.js("lv.model('number').value = 7")
    app.wait("lv.text().includes('batch 7 of 12')")
    with rnn.Recording.open(folder / "c-lstm.rnnbow") as recording:
        for chosen in ({"gate": "f"}, {"layer": "1"}, {"parameter": "weight_ih"}, {"gate": ""}):
            for name, value in chosen.items():
                choose(app, name, value)
            layer, kind, gate = (app.js(f"lv.chooser('{name}').value") for name in ("layer", "parameter", "gate"))
            view = f"{kind}_l{int(layer) - 1}", gate or None
            waits_for_total(app, float(recording.view(7, *view).norm.sum()))
            most = float(recording.overview(0, *view)["max_gradient"].max())
            app.wait(f"Math.abs(Math.max(...lv.bars().max_gradient) - {most}) < 1e-4 * {most}")
            assert "batch 7 of 12" in app.js("lv.text()") and app.js("lv.marked()") == 7
    app.wait("lv.words() === 'weight_ih, layer 1 of 2'")
    choose(app, "gate", "g")
    app.wait("lv.words() === 'weight_ih, layer 1 of 2, cell candidate'")


def test_shares_scales_and_the_way_a_backward_direction_runs(app, folder):
    show(app, "d-both")
    choose(app, "direction", "backward")
    app.wait("lv.words() === 'weight_hh, backward' && lv.legend()[1] === '−1'")
    assert max(app.js("[...lv.flow().lag]")) == 0
    press(app, "signed share")
    press(app, "all batches")
    app.wait("lv.titles().some((t) => t.includes('signed share'))")
    choose(app, "gate", "n")
    with rnn.Recording.open(folder / "d-both.rnnbow") as recording:
        waits_for_total(app, float(recording.view(11, "weight_hh_l0_reverse", "n").share.sum()))
    choose(app, "direction", "forward")
    app.wait("lv.legend()[1] === '+1'")


def test_gates_divide_the_gradient_and_are_chosen_by_a_click(app, folder):
    show(app, "c-lstm")
    open_inside(app)
    assert fits(app)
    rows = ["input", "forget", "cell", "output"]
    assert app.js("lv.rows_named('gates')") == [f"{layer} {gate}" for layer in (1, 2) for gate in rows]
    with rnn.Recording.open(folder / "c-lstm.rnnbow") as recording:
        norm, _ = recording.units("weight_hh_l0", "f")
    found = app.js("[...lv.cells('gates').norm[1]]")
    np.testing.assert_allclose(found, np.sqrt((norm**2).sum(axis=1)), rtol=1e-4)
    point(app, "gates", 4, 1)
    app.wait("lv.text().includes('preview') && lv.text().includes('batch 4 of 12')")
    place = point(app, "gates", 5, 1)
    app.page.mouse.click(place["x"], place["y"])
    app.wait("lv.words() === 'weight_hh, layer 1 of 2, forget gate' && lv.text().includes('batch 5 of 12')")
    app.wait("lv.figure('units') && lv.caption_above(lv.figure('units')).includes('forget gate')")
    with rnn.Recording.open(folder / "c-lstm.rnnbow") as recording:
        waits_for_total(app, float(recording.view(5, "weight_hh_l0", "f").norm.sum()))
    app.page.mouse.click(place["x"], place["y"])  # once more: all gates
    app.wait("lv.words() === 'weight_hh, layer 1 of 2'")


def test_a_unit_by_itself(app, folder):
    show(app, "b-gru")
    open_inside(app)
    app.js("lv.order().value = 'change'")
    app.wait("lv.caption_above(lv.figure('units')).includes('most changed')")
    place = point(app, "units", 8, 2)
    unit = int(app.js("lv.cells('units').name[2]"))
    app.page.mouse.click(place["x"], place["y"])
    app.wait(f"lv.said().includes('unit {unit} alone, batch 8')")
    with rnn.Recording.open(folder / "b-gru.rnnbow") as recording:
        waits_for_total(app, float(rnn.Replay(recording).itemize(8, unit=unit).norm.sum()))
        press(app, "▶")
        app.wait(f"lv.said().includes('unit {unit} alone, batch 9')")
        waits_for_total(app, float(rnn.Replay(recording).itemize(9, unit=unit).norm.sum()))
        app.js("lv.unit().value = ''")
        waits_for_total(app, float(recording[9].norm.sum()))
    assert fits(app)


def test_units_of_a_plain_net(app):
    show(app, "a-tanh")
    open_inside(app, gates=False)
    assert app.js("lv.figure('gates')") is None and fits(app)
    press(app, "signed share")
    app.wait("lv.caption_above(lv.figure('units')).includes('part of |G|²')")
    part = np.array(app.js("lv.cells('units').part.flatMap((row) => [...row])")).reshape(-1, 12)
    np.testing.assert_allclose(np.abs(part).sum(axis=0), 1, rtol=1e-4)
    press(app, "Steps")
    app.wait("lv.figure('rows') && !lv.figure('units')")


def test_zooming_the_overview_zooms_the_strips(app):
    show(app, "b-gru")
    open_inside(app)
    place = app.js("lv.screen('units', 6, 0.5)")
    app.page.mouse.move(place["x"], place["y"])
    for _ in range(6):
        app.page.mouse.wheel(0, -120)
        app.page.wait_for_timeout(50)
    app.wait("lv.overview_range()[1] - lv.overview_range()[0] < 9")
    assert app.js("lv.figure('gates').x_range.id === lv.figure('overview').x_range.id")
    app.wait("lv.cells('units').at[0].length < 12")


def test_choosing_by_keyboard(app):
    show(app, "b-gru")
    select = app.page.locator("select:visible").nth(3)
    select.focus()
    app.page.keyboard.press("ArrowDown")
    app.wait("lv.words() === 'weight_hh, reset gate'")
    assert "batch 11 of 12" in app.js("lv.text()")


def test_a_recording_without_units_or_snapshots_tells_so(app):
    show(app, "e-old")
    press(app, "Units")
    app.wait("lv.inside().children[2].children[0].text?.includes('nothing of its gates and units')")
    app.js("lv.unit().value = '3'")
    app.wait("lv.said().includes('No snapshot of the weights')")
    assert fits(app)


def test_a_foreign_training_is_shown_with_what_is_there(app):
    show(app, "f-numbers")
    assert app.js("lv.figure('rows')") is None
    assert "gradient norm (loss per unit weight)" in app.js("lv.titles()")
    said = app.js("lv.text()")
    assert "loss" not in said and "characters" not in said and "nan" not in said
    assert [value for value, _ in app.js("lv.model('measure').options")] == ["max_gradient", "mean_lag"]
    open_inside(app)
    place = point(app, "units", 3, 0)
    app.page.mouse.click(place["x"], place["y"])
    app.wait("lv.said().includes('cannot be run again')")
    assert app.js("lv.message()") == ""


def test_padded_sentences_of_a_foreign_training(app):
    show(app, "g-sentences")
    app.js("lv.model('sequences').children[1].value = 1")
    app.wait("lv.text().includes('sequence 1 of 2')")
    rows = app.js("""() => {
      const d = lv.sources(lv.figure("rows")).find((d) => "verdict" in d)
      return [[...d.symbol].slice(0, 10), [...d.verdict].slice(0, 10)]
    }""")
    assert all(symbol.startswith("tag") for symbol in rows[0][:7]) and rows[0][7:] == ["", "", ""]
    assert set(rows[1][7:]) == {"not known"} and set(rows[1][:7]) <= {"right", "wrong"}
    assert "nats" in app.js("lv.text()") and "% right" in app.js("lv.text()")


@pytest.mark.slow
def test_strips_grow_with_the_recording(page, tmp_path):
    page.page.add_init_script(HELPERS)
    record(tmp_path / "live.rnnbow", steps=50, every=10, cell="gru")
    with bokeh_serve("rnnbow", str(tmp_path / "live.rnnbow")) as server:
        page.open(server.url)
        open_inside(page)
        choose(page, "gate", "z")
        page.wait("lv.words() === 'weight_hh, update gate' && lv.cells('units').at[0].length === 5")
        with rnn.Recording.open(tmp_path / "live.rnnbow", write=True) as recording:
            rnn.Trainer.resume(recording).run(50)
            page.wait("lv.text().includes('batch 9 of 10')")
            page.wait("lv.cells('units').at[0].length === 10 && lv.cells('gates').at[0].length === 10")
            assert page.js("lv.words()") == "weight_hh, update gate"
