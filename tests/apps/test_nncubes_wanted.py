"""What an answer should be, in a real browser: bars, cells of the map and the total, one or several at once."""

import pytest
from nncubes_page import brush, drag, place

pytestmark = [pytest.mark.ui, pytest.mark.slow]
HIT = 0.02
# What is drawn of the map's cells that are wanted: [cell, text].
CELLS = """() => {
  const found = nn.sources(nn.figure("destination")).find((d) => "bin" in d && "text" in d)
  return Array.from(found.bin, (bin, i) => [bin, found.text[i]])
}"""
COUNT = """() => {
  window.sent = 0
  const send = WebSocket.prototype.send
  WebSocket.prototype.send = function (...args) { window.sent += 1; return send.apply(this, args) }
}"""


def lower(app, title, bin, share):
    """Drag the top of a bar to a share of its height."""
    top = app.js("([title, bin]) => nn.top(title, bin)", [title, bin])
    drag(app, title, (bin, top), (bin, top * share))
    app.wait("title => nn.ghosts(title).length > 0", title)


def answer(app, title, bin):
    return app.js("([title, bin]) => nn.answers(title)[bin]", [title, bin])


def chips(app):
    return app.page.locator(".chip").all_text_contents()


def settled(app, count=1):
    """Until that many answers are wanted, and the list is there."""
    app.wait("count => nn.plain('wanted').split('×').length - 1 === count", count)
    app.wait("nn.model('wanted').text.includes('data-item')")


def pull_cell(app, pixels, key="Alt", release=True):
    """With a key held drag the cell of Atlanta up by some pixels; what its label says before the release."""
    x, y = place(app, "destination", -84.4, 33.7)
    app.page.mouse.move(x, y)
    app.page.keyboard.down(key)
    app.page.mouse.down()
    app.page.mouse.move(x + 2, y - pixels, steps=6)
    said = app.js(CELLS)
    if release:
        app.page.mouse.up()
        app.page.keyboard.up(key)
    return said


def value_of(text):
    return float(text.split(" wanted")[0].replace(",", ""))


def test_holding_still_before_a_drag_is_still_a_drag(app):
    y = app.js("nn.height('scheduled hour')") * 0.05
    mouse = app.page.mouse
    mouse.move(*place(app, "scheduled hour", 6, y))
    mouse.down()
    app.page.wait_for_timeout(800)
    mouse.move(*place(app, "scheduled hour", 11, y), steps=6)
    mouse.up()
    app.wait("nn.text().includes('Where scheduled hour is 6 to 11.')")
    app.page.keyboard.press("Escape")
    app.wait("nn.text().includes('Everything.')")
    mouse.move(*place(app, "destination", -100, 30))
    mouse.down()
    app.page.wait_for_timeout(800)
    mouse.move(*place(app, "destination", -80, 40), steps=6)
    mouse.up()
    app.wait("nn.text().includes('destination in lon -101 to -80, lat 30.5 to 39.6')")


def test_a_long_click_is_a_click(app):
    mouse = app.page.mouse
    mouse.move(*place(app, "origin", 1, app.js("nn.height('origin')") * 0.05))
    mouse.down()
    app.page.wait_for_timeout(800)
    mouse.up()
    app.wait("nn.text().includes('origin is JFK')")


@pytest.mark.parametrize("key", ["Alt", "Control"])
def test_a_cell_of_the_map_is_dragged(app, key):
    app.js(COUNT)
    app.page.mouse.move(*place(app, "destination", -84.4, 33.7))
    ((cell, said),) = pull_cell(app, -60, key, release=False)
    sent = app.js("window.sent")
    x, y = place(app, "destination", -84.4, 33.7)
    app.page.mouse.move(x + 2, y + 40, steps=10)
    ((same, now),) = app.js(CELLS)
    assert app.js("window.sent") == sent  # the browser needs no answer
    assert same == cell == 13 * 20 + 7
    assert value_of(said) < value_of(now) < float(now.split("now ")[1].replace(",", ""))
    app.page.mouse.up()
    app.page.keyboard.up(key)
    settled(app)
    assert app.js("nn.text()").startswith("model Everything.")  # no brush
    assert app.js("nn.box('destination')?.visible ?? false") is False
    wanted = value_of(now)
    app.wait("nn.plain('wanted').includes('does it')")
    assert app.js("cell => nn.plain('wanted').includes('destination -86 to -83')", cell)
    assert app.js(CELLS)[0][1] == now
    app.page.locator("[data-item^=wanted]").first.click()
    app.wait("nn.text().startsWith('model Where')")
    known = "nn.sources(nn.figure('destination')).find((d) => 'known' in d).known[0]"
    app.wait(f"([i, wanted]) => Math.abs({known}[i] - wanted) <= {HIT} * wanted", [7 * 20 + 13, wanted])
    app.page.locator("h1").click()
    app.page.keyboard.press("Escape")
    app.wait(f"({CELLS})().length === 0")


def test_a_cell_let_go_is_not_wanted(app):
    assert len(pull_cell(app, 40, release=False)) == 1
    app.page.keyboard.press("Escape")
    assert app.js(CELLS) == []
    app.page.mouse.up()
    app.page.keyboard.up("Alt")
    drag(app, "destination", (-100, 30), (-80, 40))  # without the key it is a brush
    app.wait("nn.text().includes('destination in lon')")
    assert app.js(CELLS) == []


def test_escape_takes_a_dragged_bar_back(app):
    lower(app, "month", 3, 0.7)
    settled(app)
    ((_, wanted),) = app.js("nn.ghosts('month')")
    app.page.mouse.move(*place(app, "month", 3, wanted))
    app.page.mouse.down()
    app.page.mouse.move(*place(app, "month", 3, wanted * 0.5), steps=4)
    assert app.js("nn.ghosts('month')")[0][1] < 0.6 * wanted
    app.page.keyboard.press("Escape")  # takes back what was wanted, too
    app.wait("nn.ghosts('month').length === 0")
    app.page.mouse.up()
    assert app.js("nn.ghosts('month')") == []


def test_the_total_is_dragged(app):
    at = app.page.locator("[data-total]")
    now = float(at.get_attribute("data-total"))
    box = at.bounding_box()
    mouse = app.page.mouse
    mouse.move(box["x"] + 20, box["y"] + 8)
    mouse.down()
    mouse.move(box["x"] - 60, box["y"] + 8, steps=6)
    shown = float(at.locator("span").text_content().replace(",", ""))
    assert shown == pytest.approx(now / 2, rel=0.01)
    mouse.up()
    settled(app)
    assert chips(app)[0].startswith(f"the total {shown:,.0f}")
    app.wait("shown => nn.text().includes(shown + ' wanted')", f"{shown:,.0f}")
    app.page.locator("[data-item^=wanted]").first.click()
    app.wait("nn.text().startsWith('model Where')")
    assert float(at.get_attribute("data-total")) == pytest.approx(shown, rel=HIT)
    app.page.get_by_role("button", name="Clear", exact=True).click()
    app.wait("!nn.text().includes('wanted') && nn.plain('wanted').includes('Drag')")


def type_total(app, text, key="Enter"):
    app.page.locator("[data-total]").click()
    app.page.locator("#typed").fill(text)
    app.page.locator("#typed").press(key)


def test_the_total_is_typed(app):
    type_total(app, "12k")
    settled(app)
    assert chips(app)[0].startswith("the total 12,000")
    type_total(app, "lots")
    app.wait("""nn.message().includes("'lots' is no number")""")
    type_total(app, "-3")
    app.wait("nn.message().includes('the least there can be is 0')")
    type_total(app, "5,000", key="Escape")
    assert app.page.locator("#typed").count() == 0
    type_total(app, "90,000")
    app.wait("nn.plain('wanted').includes('90,000')")
    assert app.js("nn.message()") == ""
    assert app.js("nn.overflow()") == [0, 0]


def test_several_answers_are_wanted_at_once(app):
    lower(app, "month", 3, 0.7)
    settled(app)
    app.page.keyboard.down("Shift")
    lower(app, "scheduled hour", 8, 0.6)
    settled(app, 2)
    lower(app, "month", 5, 0.7)
    app.page.keyboard.up("Shift")
    settled(app, 3)
    assert sorted(bin for bin, _ in app.js("nn.ghosts('month')")) == [3, 5]
    month, hour = dict(app.js("nn.ghosts('month')")), dict(app.js("nn.ghosts('scheduled hour')"))
    assert [text.rsplit(" ", 1)[0] for text in chips(app)] == ["month 4", "scheduled hour 8", "month 6"]
    app.wait("nn.plain('wanted').includes('does it')")
    app.page.locator("[data-item^=wanted]").first.click()
    app.wait("nn.text().startsWith('model Where')")
    for title, wanted in (("month", month), ("scheduled hour", hour)):
        for bin, value in wanted.items():
            close = f"([title, bin, value]) => Math.abs(nn.answers(title)[bin] - value) <= {HIT} * value"
            app.wait(close, [title, bin, value])
    app.page.locator("[data-drop]").first.click()
    settled(app, 2)
    app.wait("nn.ghosts('month').map(([bin]) => bin).join() === '5'")
    app.page.locator("[data-drop]").first.click()
    settled(app, 1)
    app.wait("nn.ghosts('scheduled hour').length === 0")
    app.page.locator("[data-drop]").first.click()
    app.wait("nn.ghosts('month').length === 0 && nn.plain('wanted').includes('Drag')")


def test_another_bar_without_shift_replaces_what_was_wanted(app):
    lower(app, "month", 3, 0.7)
    settled(app)
    lower(app, "origin", 1, 0.7)
    app.wait("nn.ghosts('month').length === 0 && nn.ghosts('origin').length === 1")
    settled(app)
    lower(app, "origin", 1, 0.5)  # the same again: still one
    settled(app)
    assert len(app.js("nn.ghosts('origin')")) == 1


def test_several_out_of_reach_name_each(app):
    brush(app, "scheduled hour", 6, 11)
    app.wait("nn.text().includes('scheduled hour is 6 to 11')")
    lower(app, "month", 3, 0.2)
    app.page.keyboard.down("Shift")
    lower(app, "month", 4, 0.9)
    app.page.keyboard.up("Shift")
    app.page.get_by_role("tab", name="Wanted").click()
    for name in ("weekday", "scheduled hour", "origin", "departure delay", "destination"):
        app.page.get_by_label(name, exact=True).uncheck()
    app.wait("nn.plain('wanted').includes('All at once this is out of reach')")
    app.wait("nn.plain('wanted').includes('instead of')")
    text = app.js("nn.plain('wanted')")
    assert "month 4" in text.split("The nearest is")[1]
    assert "month 5" in text.split("The nearest is")[1]


def test_by_the_rows_suggestions_come_twice(app):
    app.page.get_by_role("banner").get_by_role("button", name="exact", exact=True).click()
    app.wait("nn.text().startsWith('exact')")
    lower(app, "month", 3, 0.6)
    app.wait("nn.plain('wanted').includes('exactly') && !nn.plain('wanted').includes('asking the rows')")
    ((_, wanted),) = app.js("nn.ghosts('month')")
    app.page.locator("[data-item^=wanted]").first.click()
    app.wait("nn.text().startsWith('exact Where')")
    app.wait(f"wanted => Math.abs(nn.answers('month')[3] - wanted) <= {HIT} * wanted", wanted)
    assert answer(app, "month", 3) == int(answer(app, "month", 3))
