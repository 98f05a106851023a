"""What tests and benchmarks of the Snowcat page have in common: looking into it from its own scripts."""

HELPERS = """
window.snow = {
  doc: () => Bokeh.documents[0],
  step: () => document.querySelector(".step[aria-current=step]")?.textContent ?? "",
  cards: () => [...document.querySelectorAll(".card:not([hidden])")].map((each) => each.dataset.name),
  card: (name) => document.querySelector(`.card[data-name="${name}"]:not([hidden])`),
  text: (name) => snow.card(name)?.querySelector(".pane").innerText ?? "",
  message: () => snow.doc().get_model_by_name("message").text,
  root: (name) => snow.doc().get_model_by_name(`figure${snow.card(name).id.slice(4)}`),
  inside: (root) => { const found = new Set(); root.walk ? root.walk(found) : null; return [...root.references()] },
  figures: (name = null) => (name === null ? snow.cards() : [name]).filter((each) => snow.card(each))
    .flatMap((each) => snow.inside(snow.root(each)).filter((model) => model.type === "Figure")),
  sources: (name) => snow.figures(name).flatMap((figure) => figure.renderers.map((renderer) => renderer.data_source)),
  models: () => [...document.querySelectorAll(".card:not([hidden]) [data-model]")]
    .map((each) => JSON.parse(each.dataset.model)),
  ask: (...told) => window.snowcat.ask(...told),
  // Places on the page of the highest bars of a card's first figure: quads with left, right, bottom and top.
  bars: (name) => {
    const figure = snow.figures(name)[0], view = figure && Bokeh.index.find_one(figure)
    if (!view) return []
    const found = []
    for (const renderer of figure.renderers) {
      if (renderer.glyph.type !== "Quad") continue
      const data = renderer.data_source.data, at = (field) => data[renderer.glyph[field].field]
      if (!at("left") || !at("top")) continue
      const frame = view.frame, box = view.el.getBoundingClientRect()
      const x = frame.x_scale ?? [...frame.x_scales.values()][0], y = frame.y_scale ?? [...frame.y_scales.values()][0]
      for (let k = 0; k < at("left").length; k++) {
        const left = box.left + x.compute((at("left")[k] + at("right")[k]) / 2)
        const [low, high] = [y.compute(at("bottom")[k]), y.compute(at("top")[k])]
        const top = box.top + (low + high) / 2
        if (Math.abs(low - high) > 8 && left > 0 && top > box.top && top < innerHeight - 30) found.push([left, top])
      }
      if (found.length) break
    }
    return found
  },
}
"""


def opened(tab, url):
    """Open the page and wait until it can be used."""
    tab.goto(url)
    tab.wait_for_function("window.Bokeh?.documents[0]?.is_idle && !document.getElementById('loading')", timeout=60_000)
