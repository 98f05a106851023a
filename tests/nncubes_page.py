"""What the tests and benchmarks of the NNCubes app share: looking into the page."""

HELPERS = """
window.nn = {
  doc: () => Bokeh.documents[0],
  ready: () => window.Bokeh && Bokeh.documents[0]?.is_idle && !document.getElementById("loading"),
  model: (name) => nn.doc().get_model_by_name(name),
  plain: (name) => {
    const page = new DOMParser().parseFromString((nn.model(name)?.text ?? "").replace(/<[^>]*>/g, " "), "text/html")
    return page.body.textContent.replace(/\\s+/g, " ").trim()
  },
  text: () => nn.plain("text"),
  message: () => nn.plain("message"),
  all: (type) => [...nn.doc()._all_models.values()].filter((m) => m.type === type),
  figures: () => nn.all("Figure").filter((f) => Bokeh.index.find_one(f)?.el.isConnected),
  figure: (title) => nn.figures().find((f) => f.title.text.startsWith(title)),
  sources: (figure) => figure.renderers.map((r) => r.data_source?.data).filter((d) => d),
  bars: (title) => nn.sources(nn.figure(title)).find((d) => "answer" in d && "position" in d),
  answers: (title) => Array.from(nn.bars(title).answer),
  brushed: (title) => nn.box(title)?.visible ? [nn.box(title).left, nn.box(title).right] : null,
  box: (title) => nn.figure(title).center.concat(nn.figure(title).renderers).find((m) => m.type === "BoxAnnotation"),
  ghosts: (title) => {
    const found = nn.sources(nn.figure(title)).find((d) => Object.keys(d).sort().join() === "bin,bottom,left,right,top")
    return Array.from(found.bin, (bin, i) => [bin, found.top[i]])
  },
  cells: () => {
    const found = nn.sources(nn.figure("destination")).filter((d) => "image" in d).map((d) => d.image[0])
    return found
  },
  screen: (title, x, y) => {
    const view = Bokeh.index.find_one(nn.figure(title)), box = view.el.getBoundingClientRect()
    return {x: box.left + view.frame.x_scale.compute(x), y: box.top + view.frame.y_scale.compute(y)}
  },
  top: (title, bin) => nn.bars(title).top[bin],
  height: (title) => nn.figure(title).y_range.end,
  overflow: () => {
    const root = document.documentElement
    return [root.scrollWidth - window.innerWidth, root.scrollHeight - window.innerHeight]
  },
}
"""


def place(app, title, x, y):
    """Where a point of a figure is on the screen."""
    found = app.js("([title, x, y]) => nn.screen(title, x, y)", [title, x, y])
    return found["x"], found["y"]


def drag(app, title, start, stop, steps=8):
    """Drag inside a figure from (x, y) to (x, y), in data coordinates."""
    mouse = app.page.mouse
    mouse.move(*place(app, title, *start))
    mouse.down()
    mouse.move(*place(app, title, *stop), steps=steps)
    mouse.up()


def brush(app, title, first, last, at=0.05):
    """Brush bins first to last of a histogram, at a share of its height that misses the bars' tops."""
    y = app.js("title => nn.height(title)", title) * at
    drag(app, title, (first, y), (last, y))


def click(app, title, x, y, **options):
    """Click into a figure."""
    app.page.mouse.click(*place(app, title, x, y), **options)


def press(app, label):
    """Press a button."""
    app.page.get_by_role("button", name=label, exact=True).click()


def tab(app, label):
    """Open a tab of the panel."""
    app.page.get_by_role("tab", name=label).click()


def says(app, words):
    """Wait until the readout says so."""
    app.wait("words => nn.text().includes(words)", words)
