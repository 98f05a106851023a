"""One's own data in a real browser: from a file to a brushed dashboard, and everything that may go wrong on the way."""

import contextlib
import json
import os
import signal
import time

import numpy as np
import pandas as pd
import psutil
import pytest
from browser import Page, bokeh_serve
from nncubes_page import HELPERS, brush

from learnviews.apps.nncubes.first import ENDING
from learnviews.kernels import cube

pytestmark = pytest.mark.ui

ROWS = 4000
OWN = """
window.own = {
  ask: (told) => { Bokeh.documents[0].get_model_by_name("data_asked").tags = told.slice(0, 3) },
  step: () => document.getElementById("data").dataset.step,
  open: () => document.getElementById("data").open,
  alert: () => document.querySelector("#data .alert")?.textContent ?? "",
  body: () => document.getElementById("data-body").innerText,
  foot: () => document.getElementById("data-foot").textContent,
  options: () => nn.all("Select").flatMap((each) => each.options.map((option) => option[1] ?? option)),
}
"""


def table(rows=ROWS, seed=0):
    rng = np.random.default_rng(seed)
    hour = rng.integers(0, 24, rows)
    kind = np.where(hour < 9, rng.choice(["a", "b"], rows), rng.choice(["b", "c"], rows))
    return pd.DataFrame({"hour": hour, "kind": kind, "size": np.round(rng.gamma(2.0, 3.0, rows), 3), "one": 1})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home of this module's servers, which take up to 3 MB."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEARNVIEWS_HOME", str(folder))
        patch.setenv("LEARNVIEWS_UPLOAD_LIMIT", "3")
        yield folder


@pytest.fixture(scope="module")
def server(home, tmp_path_factory):
    """A server with a small model, for uploads."""
    from cube_small import model

    folder = tmp_path_factory.mktemp("models")
    model().save(folder / f"small{ENDING}")
    with bokeh_serve("nncubes", str(folder)) as started:
        yield started


@pytest.fixture(autouse=True)
def forgotten(home):
    """Nothing is left of what a test has learned."""
    yield
    for path in (home / "cubes").glob("*"):
        path.unlink()


@pytest.fixture
def app(page, server):
    return opened(page, server)


def opened(page, server):
    page.page.add_init_script(HELPERS + OWN)
    page.open(server.url)
    return page


@pytest.fixture
def second(chromium):
    """One more page."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    watched = Page(context.new_page())
    yield watched
    context.close()
    assert watched.errors == []


@pytest.fixture
def csv(tmp_path):
    table().to_csv(tmp_path / "trips.csv", index=False)
    return tmp_path / "trips.csv"


def upload(app, path):
    if not app.js("own.open()"):
        app.page.get_by_role("button", name="Your data").click()
    app.wait("own.open() && own.step() === 'start'")
    app.page.set_input_files("#data-file", str(path))


def edited(app):
    app.wait("own.step() === 'edit'")


def press(app, label):
    app.page.locator("#data").get_by_role("button", name=label, exact=True).click()


def learn(app, quality="quick"):
    app.page.locator(f"#q{quality}").click()
    app.wait("id => document.getElementById(id).checked", f"q{quality}")  # drawn anew meanwhile it may take two turns
    press(app, "Learn")


def learned(app, words="Everything."):
    app.wait("words => !own.open() && nn.text().includes(words)", words, timeout=120_000)


def choose(app, name):
    app.page.locator("select").first.select_option(label=name)


def children(server):
    """Trainings of a server."""
    found = psutil.Process(server.process.pid).children(recursive=True)
    return [each for each in found if "learnviews.apps.nncubes.learn" in " ".join(_command(each))]


def _command(process):
    """What a process runs; nothing of one that has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):  # a zombie is one, too
        return process.cmdline()
    return []


def until(condition, seconds=60):
    """Wait for something outside the page."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


# --- from a file to a dashboard


def test_from_an_upload_to_a_brushed_dashboard(app, server, csv, home, second):
    opened(second, server)
    upload(app, csv)
    edited(app)
    text = app.js("own.body()")
    assert "trips.csv: 4,000 rows, 4 columns" in text.replace("\n", " ")
    assert "one: constant (1)" in text
    assert app.js("own.foot()").startswith("3 views, ")
    app.page.get_by_label("mean of size").check()
    app.wait("own.foot().endsWith('1 sum or mean')")
    place = app.js("[...document.querySelectorAll('.c1 label')].findIndex((each) => each.textContent === 'size')")
    app.page.locator(f"#n{place}").fill("size of trip")
    app.page.locator(f"#b{place}").fill("8")
    app.page.locator(f"#b{place}").press("Enter")
    app.wait("place => document.getElementById(`b${place}`).defaultValue === '8'", place)
    learn(app)
    app.wait("own.step() === 'learn' && document.querySelector('.bar i').style.width !== ''", timeout=60_000)
    assert "left" in app.js("own.body()") or "training" in app.js("own.body()") or "step" in app.js("own.body()")
    learned(app)
    app.wait("nn.figures().length === 3")
    titles = app.js("nn.figures().map((f) => f.title.text)")
    assert sorted(title.split("·")[0].strip() for title in titles) == ["hour", "kind", "size of trip"]
    app.wait("!nn.model('source').disabled")  # exact answers are made of the rows that were sent
    brush(app, "hour", 2, 5)
    app.wait("nn.text().includes('Where hour is 2 to 5.')")
    app.page.get_by_role("button", name="exact", exact=True).first.click()
    rows = table()
    kept = rows[rows["hour"].between(2, 5)]
    app.wait("count => nn.text().includes(`${count} rows`)", f"{len(kept):,}")
    expected = kept["kind"].value_counts().reindex(["a", "b", "c"], fill_value=0)
    app.wait("truth => nn.answers('kind').every((v, i) => v === truth[i])", expected.tolist())
    path = home / "cubes" / f"trips{ENDING}"
    model = cube.load(path)
    assert model.aggregates == ("count", ("mean", "size"))
    assert model.about["table"]["name"] == "trips.csv"
    assert model.about["table"]["size"] == csv.stat().st_size
    second.wait("own.options().includes('trips')")  # every open page offers it
    choose(second, "trips")
    second.wait("nn.figures().some((f) => f.title.text.startsWith('size of trip'))")


def test_what_is_typed_while_the_form_is_drawn_anew_is_told(app, csv):
    upload(app, csv)
    edited(app)
    place = app.js("[...document.querySelectorAll('.c1 label')].findIndex((each) => each.textContent === 'size')")
    bins = app.page.locator(f"#b{place}")
    for number, (count, leave) in enumerate([("8", "Enter"), ("9", "Tab")]):
        bins.focus()
        app.js("place => document.getElementById(`b${place}`).select()", place)
        app.js("place => { document.getElementById(`b${place}`).old = true }", place)
        app.js("own.ask", [900 + number, "measure", ["size", "mean", True]])
        app.wait("document.querySelector('[aria-label=\"mean of size\"]').checked")
        assert app.js("place => document.getElementById(`b${place}`).old", place)  # it is the one that was typed in
        app.page.keyboard.insert_text(count)  # instead of what was selected
        assert bins.input_value() == count
        app.page.locator(f"#b{place}").press(leave)
        app.wait("([place, count]) => document.getElementById(`b${place}`).defaultValue === count", [place, count])
        app.js("own.ask", [910 + number, "measure", ["size", "mean", False]])
        app.wait("!document.querySelector('[aria-label=\"mean of size\"]').checked")
        assert bins.input_value() == count  # the server has heard it


@pytest.mark.slow
def test_a_served_table_opens_at_once_and_is_remembered(page, home, tmp_path, second):
    table(seed=1).to_parquet(tmp_path / "rides.parquet")
    with bokeh_serve("nncubes", str(tmp_path / "rides.parquet")) as server:
        opened(page, server)
        edited(page)
        assert page.js("document.activeElement.id") == "data-learn"
        assert page.js("nn.overflow()") == [0, 0]
        page.page.keyboard.press("Escape")
        page.wait("!own.open()")
        page.page.get_by_role("button", name="Your data").click()
        page.wait("own.open() && own.step() === 'edit'")
        page.page.locator("#qquick").check()
        page.page.locator("#data-learn").focus()
        page.page.keyboard.press("Enter")
        page.wait("own.step() === 'learn'")
        learned(page)
        page.wait("!nn.model('source').disabled")
        opened(second, server)  # another page: no editor any more
        second.wait("nn.text().includes('Everything.') && !own.open() && !nn.model('source').disabled")
        brush(second, "hour", 2, 5)
        second.wait("nn.text().includes('Where hour is 2 to 5.')")
        second.page.get_by_role("tab", name="SQL and pandas").click()
        second.wait("nn.plain('code').includes('rides = pd.read_parquet(')")
        (tmp_path / "rides.parquet").unlink()
        second.page.get_by_role("button", name="Your data").click()
        second.wait("own.body().includes('gone')")
        press(second, "Open")
        second.wait("own.alert().includes('rides.parquet: the file is gone')")
        second.page.keyboard.press("Escape")
        second.page.get_by_role("button", name="exact", exact=True).first.click()
        count = int(table(seed=1)["hour"].between(2, 5).sum())
        second.wait("count => nn.text().includes(`${count} rows`)", f"{count:,}")  # its exact cube is at hand


@pytest.mark.slow
def test_tables_beside_models(page, home, tmp_path):
    from cube_small import model

    model().save(tmp_path / f"small{ENDING}")
    table(seed=2).to_csv(tmp_path / "walks.csv.gz", index=False)
    with bokeh_serve("nncubes", str(tmp_path / f"small{ENDING}"), str(tmp_path / "walks.csv.gz")) as server:
        opened(page, server)
        page.wait("nn.text().includes('Everything.')")
        assert not page.js("own.open()")
        assert page.js("nn.model('model').options.map((each) => each[1])") == ["small", "walks.csv.gz …"]
        choose(page, "walks.csv.gz …")
        edited(page)
        assert page.js("nn.text()").startswith("model Everything.")  # what was there stays
        page.wait("nn.model('model').value.endsWith('small.cube.npz')")
        learn(page)
        learned(page)
        page.wait("nn.model('model').options.map((each) => each[1]).join() === 'small,walks'")
        page.wait("nn.figures().some((f) => f.title.text.startsWith('size'))")
        choose(page, "small")
        page.wait("nn.figures().some((f) => f.title.text.startsWith('month'))")


# --- the schema


def test_wrong_settings_are_said_at_their_column(app, csv):
    rows = table()
    rows["price"] = [f"{k}" if k % 9 else "free" for k in range(ROWS)]
    rows["wild"] = np.where(np.arange(ROWS) == 5, np.inf, 1.5 * rows["hour"])
    rows.to_csv(csv, index=False)
    upload(app, csv)
    edited(app)
    place = app.js("[...document.querySelectorAll('.c1 label')].findIndex((each) => each.textContent === 'size')")
    app.page.locator(f"#b{place}").fill("0")
    app.page.locator(f"#b{place}").press("Tab")
    app.wait("own.foot() === 'Mend first: size' && document.getElementById('data-learn').disabled")
    assert "Bins: expected a whole number from 1 to 200" in app.js("own.body()")
    app.page.locator(f"#b{place}").fill("10")
    app.page.locator(f"#b{place}").press("Tab")
    app.wait("own.foot().includes('views') && !document.getElementById('data-learn').disabled")
    app.page.get_by_label("mean of price").check()
    app.wait("own.body().includes(\"holds text such as 'free'\") && own.foot() === 'Mend first: price'")
    app.page.get_by_label("mean of price").uncheck()
    app.wait("own.foot().includes('views')")
    app.page.get_by_label("sum of wild").check()
    app.wait("own.body().includes('holds infinite values (1)') && own.foot() === 'Mend first: wild'")
    app.page.get_by_label("sum of wild").uncheck()
    app.wait("own.foot().includes('views')")
    app.page.locator("#mapx").select_option("hour")
    app.page.locator("#mapy").select_option("size")
    press(app, "Add")
    app.wait("document.querySelector('.c1 label').textContent === 'hour and size'")
    app.page.locator(f"#t{place + 1}").uncheck()
    app.wait("place => !document.getElementById(`t${place}`).checked", place + 1)
    app.page.get_by_label("Bins by").first.select_option("quantiles")
    app.wait("document.querySelector('select[id^=k]').value === 'quantiles'")


def test_many_columns_scroll_inside_the_dialog(app, tmp_path):
    rng = np.random.default_rng(0)
    wide = pd.DataFrame({f"a column with a long name {k}": rng.integers(0, 9, 100) for k in range(60)})
    wide.to_csv(tmp_path / "wide.csv", index=False)
    upload(app, tmp_path / "wide.csv")
    edited(app)
    assert app.js("nn.overflow()") == [0, 0]
    box = app.page.locator("#data").bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 800
    assert app.js(
        "(() => { const b = document.getElementById('data-body'); return b.scrollHeight > b.clientHeight })()"
    )
    assert (
        app.js("(() => { const b = document.getElementById('data-body'); return b.scrollWidth - b.clientWidth })()")
        <= 0
    )
    assert app.page.locator("#data-learn").is_visible()
    app.page.locator("#t59").check()
    app.wait("own.foot().startsWith('10 views')")
    assert app.js("document.getElementById('data-body').scrollTop") > 0  # stays where one is


def test_escape_closes_the_dialog_and_clears_nothing(app):
    brush(app, "month", 2, 4)
    app.wait("nn.text().includes('Where month is 3 to 5.')")
    app.page.get_by_role("button", name="Your data").click()
    app.wait("own.open()")
    assert "up to 3.0 MB" in app.js("own.body()")
    app.page.keyboard.press("Escape")
    app.wait("!own.open() && !nn.model('data_shown').tags[1].open")
    assert "Where month is 3 to 5." in app.js("nn.text()")
    app.page.get_by_role("button", name="Your data").click()
    app.wait("own.open()")
    app.page.get_by_role("button", name="Close").click()
    app.wait("!own.open()")


# --- what is not a table


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "photo.csv",
            b"\x89PNG\r\n\x1a\n" + bytes(3000),
            "photo.csv: cannot be read as CSV (no text; it looks like a PNG",
        ),
        ("words.parquet", b"only words\n" * 50, "words.parquet: no Parquet file; it looks like text"),
        ("cut.parquet", None, "cut.parquet: a Parquet file that is cut off"),
        ("none.csv", b"", "none.csv: the file is empty"),
        ("header.csv", b"a,b\n", "header.csv: no rows, only a header"),
        ("twice.csv", b"a,a\n1,2\n", "twice.csv: columns named twice: a"),
        ("dull.csv", b"a,b\n" + b"1,x\n" * 9, "dull.csv: no column could become an attribute (a: constant (1)"),
        ("book.xlsx", b"PK\x03\x04", "book.xlsx: no table; expected a file that ends in"),
    ],
)
def test_files_that_are_no_tables(app, tmp_path, csv, name, content, message):
    if content is None:
        table().to_parquet(tmp_path / name)
        content = (tmp_path / name).read_bytes()[:-100]
    (tmp_path / name).write_bytes(content)
    upload(app, tmp_path / name)
    app.wait("message => own.step() === 'start' && own.alert().includes(message)", message)
    upload(app, csv)  # the page lives on
    edited(app)


def test_a_file_over_the_limit_is_not_sent(app, tmp_path):
    (tmp_path / "big.csv").write_bytes(b"a,b\n" + b"1,2\n" * 1_000_000)
    upload(app, tmp_path / "big.csv")
    app.wait('own.alert().includes("big.csv: 4 MB is over this server\'s limit of 3 MB")')
    assert "learnviews serve big.csv" in app.js("own.alert()")
    assert app.js("nn.model('data_asked').tags[1]") == "open"
    assert app.js("nn.model('data_heard').tags.length") == 0
    app.js(
        "(() => { const to = nn.model('data_asked'); to.tags = [99, 'upload', {id: 1, name: 'b.csv', size: 4e6}] })()"
    )
    app.wait("own.alert().includes('modified')")  # not by the page's script, and refused all the same
    asked = json.dumps([100, "upload", {"id": 1, "name": "b.csv", "size": 4e6, "modified": 0}])
    app.js(f"(() => {{ const to = nn.model('data_asked'); to.tags = {asked} }})()")
    app.wait('own.alert().includes("b.csv: 4 MB is over this server\'s limit")')


def test_an_upload_in_slices_can_be_cancelled(app, tmp_path):
    """On a line so slow that every answer has to be waited for."""
    table(200_000).to_csv(tmp_path / "long.csv", index=False)
    assert 2e6 < (tmp_path / "long.csv").stat().st_size < 3e6
    app.js("(() => { window.hear = ownData.hear; window.heard = []; ownData.hear = (tags) => heard.push(tags) })()")
    upload(app, tmp_path / "long.csv")
    app.wait("own.step() === 'upload' && heard.length === 1")
    app.js("hear(heard[0])")
    app.wait("heard.length === 2")
    app.js("hear(heard[1])")
    app.wait("heard.length === 3 && own.body().includes('of 2.')")
    assert app.js("parseFloat(document.querySelector('.bar i').style.width)") > 30
    press(app, "Cancel")
    app.wait("own.step() === 'start' && own.alert() === ''")
    app.js("(() => { ownData.hear = hear })()")
    upload(app, tmp_path / "long.csv")
    edited(app)
    assert "200,000 rows" in app.js("own.body()")


def test_a_file_can_be_dropped_onto_the_page(app):
    app.js("""(() => {
      const held = new DataTransfer()
      held.items.add(new File(["a,b\\n" + "1,2\\n2,3\\n".repeat(40)], "dropped.csv"))
      const settings = {dataTransfer: held, bubbles: true, cancelable: true}
      for (const kind of ["dragover", "drop"]) {
        document.querySelector("main").dispatchEvent(new DragEvent(kind, settings))
      }
    })()""")
    edited(app)
    assert "dropped.csv: 80 rows" in app.js("own.body()").replace("\n", " ")


@pytest.mark.slow
def test_no_uploads_where_they_are_forbidden(page, home, tmp_path, monkeypatch):
    from cube_small import model

    monkeypatch.setenv("LEARNVIEWS_UPLOAD_LIMIT", "0")
    model().save(tmp_path / f"small{ENDING}")
    table().to_parquet(tmp_path / "some.parquet")
    with bokeh_serve("nncubes", str(tmp_path / f"small{ENDING}")) as server:
        opened(page, server)
        page.wait("document.getElementById('data-button').hidden")
    with bokeh_serve("nncubes", str(tmp_path / f"small{ENDING}"), str(tmp_path / "some.parquet")) as server:
        opened(page, server)
        page.page.get_by_role("button", name="Your data").click()
        page.wait("own.body().includes('takes no uploads') && own.body().includes('some.parquet')")


# --- trainings that end early


def test_a_training_is_cancelled(app, server, csv):
    upload(app, csv)
    edited(app)
    learn(app, "good")
    until(lambda: children(server))
    press(app, "Cancel")
    edited(app)
    until(lambda: not children(server))
    assert app.js("document.getElementById('data-button').textContent") == "Your data"


def test_a_killed_training_is_told_and_tried_again(app, server, csv, home):
    upload(app, csv)
    edited(app)
    learn(app)
    until(lambda: children(server))
    os.kill(children(server)[0].pid, signal.SIGKILL)
    app.wait("own.step() === 'failed' && own.alert().includes('The training was killed by SIGKILL')")
    assert "trips.csv was not learned" in app.js("own.body()")
    press(app, "Change the schema")
    edited(app)
    press(app, "Learn")
    until(lambda: children(server))
    os.kill(children(server)[0].pid, signal.SIGKILL)
    app.wait("own.step() === 'failed'")
    press(app, "Try again")
    learned(app)
    assert [each.name for each in (home / "cubes").iterdir()] == [f"trips{ENDING}"]


def test_two_pages_learn_at_once_and_one_that_leaves_ends_its_own(app, server, csv, home, second):
    opened(second, server)
    for page in (app, second):
        upload(page, csv)
        edited(page)
    learn(second, "good")
    until(lambda: len(children(server)) == 1)
    leaving = children(server)[0]
    learn(app)
    until(lambda: len(children(server)) == 2)
    second.page.goto("about:blank")
    until(lambda: not leaving.is_running() or leaving.status() == psutil.STATUS_ZOMBIE)
    learned(app)
    brush(app, "hour", 2, 5)
    app.wait("nn.text().includes('Where hour is 2 to 5.')")


def test_a_dialog_that_is_closed_lets_the_training_go_on(app, csv, home):
    upload(app, csv)
    edited(app)
    learn(app)
    app.wait("own.step() === 'learn'")
    app.page.keyboard.press("Escape")
    app.wait("!own.open()")
    brush(app, "month", 2, 4)
    app.wait("nn.text().includes('Where month is 3 to 5.')")
    app.wait("nn.message().includes('trips.csv is learned') && own.options().includes('trips')", timeout=120_000)
    assert "Where month is 3 to 5." in app.js("nn.text()")
    choose(app, "trips")
    app.wait("nn.figures().some((f) => f.title.text.startsWith('size'))")
