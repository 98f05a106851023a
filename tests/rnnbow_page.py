"""What the tests and benchmarks of the RNNbow app share: recordings, and looking into the page."""

from learnviews.kernels import rnn


def record(path, steps=3000, every=100, batch=1, seed=0, cell="tanh", parameter="weight_hh_l0", inside=True, **depth):
    """A small net trained on real C headers; depth: layers, bidirectional."""
    corpus = rnn.Corpus.embedded()
    symbols = len(corpus.symbols)
    net = rnn.RecurrentNet(cell, symbols, 60, symbols, rng=seed, **depth)
    with rnn.Recording.create(path, net, corpus, lags=6, parameter=parameter, inside=inside) as recording:
        rnn.Trainer(net, corpus, length=25, batch=batch, record=recording, every=every).run(steps)
    return path


HELPERS = """
window.lv = {
  doc: () => Bokeh.documents[0],
  ready: () => window.Bokeh && Bokeh.documents[0]?.is_idle,
  model: (name) => lv.doc().get_model_by_name(name),
  all: (type) => [...lv.doc()._all_models.values()].filter((m) => m.type === type),
  text: () => (lv.model("text")?.text ?? "").replace(/<[^>]*>/g, ""),
  message: () => (lv.model("message")?.text ?? "").replace(/<[^>]*>/g, ""),
  sources: (figure) => (figure?.renderers ?? []).map((r) => r.data_source?.data).filter((d) => d),
  figures: () => lv.all("Figure").filter((f) => Bokeh.index.find_one(f)?.el.getBoundingClientRect().height > 0),
  figure: (where) => lv.figures().find((f) => {
    const sources = lv.sources(f)
    const captions = {units: "hidden units", gates: "gates"}
    if (where in captions) return lv.caption_above(f)?.startsWith(captions[where])
    if (where === "flow") return sources.some((d) => "distance" in d)
    if (where === "overview") return sources.some((d) => "max_gradient" in d)
    if (where === "rows") return sources.some((d) => "verdict" in d)
    return sources.some((d) => "lag" in d) && !sources.some((d) => "distance" in d)
  }),
  caption_above: (figure) => figure.above.map((m) => m.text).find((t) => t),
  choosers: () => ["layer", "direction", "parameter", "gate"].filter((name) => lv.model(`choose_${name}`).visible),
  chooser: (name) => lv.model(`choose_${name}`).children[1],
  words: () => (lv.model("words")?.text ?? "").replace(/<[^>]*>/g, ""),
  inside: () => lv.model("inside"),
  said: () => lv.inside().children[0].children[5].text.replace(/<[^>]*>/g, ""),
  unit: () => lv.inside().children[0].children[3],
  order: () => lv.inside().children[0].children[1],
  cells: (where) => lv.sources(lv.figure(where)).find((d) => "image" in d),
  rows_named: (where) => [...lv.figure(where).right.find((m) => m.ticker).major_label_overrides.values()],
  flow: () => lv.sources(lv.figure("flow")).find((d) => "distance" in d),
  horizon: () => {
    const d = lv.sources(lv.figure("horizon")).find((d) => "lag" in d)
    return {step: [...d.step], loss_step: [...d.loss_step], top: [...d.top]}
  },
  caption: () => lv.figure("horizon").center.concat(lv.figure("horizon").renderers)
    .find((m) => m.type === "Legend").items[0].label.value,
  marked: () => {
    const marks = lv.sources(lv.figure("overview")).filter((d) => "max_gradient" in d && d.batch.length === 1)
    return marks.length === 1 ? marks[0].batch[0] : null
  },
  lit: () => {
    const columns = "bottom,left,loss_step,right,step,top"
    const d = lv.sources(lv.figure("flow")).find((d) => Object.keys(d).sort().join() === columns)
    return Array.from(d.loss_step, (loss_step, i) => ({loss_step, step: d.step[i]}))
  },
  segment: (loss) => {
    const d = lv.flow()
    let best = -1
    for (let i = 0; i < d.step.length; i++)
      if (d.loss_step[i] === loss && (best < 0 || d.value[i] > d.value[best])) best = i
    return [d.step[best], (d.top[best] + d.bottom[best]) / 2]
  },
  bars: () => lv.sources(lv.figure("overview")).find((d) => (d.batch?.length ?? 0) > 1),
  signature: () => Array.from(lv.flow().value, (v) => v.toPrecision(5)).join(" "),
  flow_range: () => {
    const r = lv.figure("flow").y_range
    return [Math.min(r.start, r.end), Math.max(r.start, r.end)]
  },
  overview_range: () => [lv.figure("overview").x_range.start, lv.figure("overview").x_range.end],
  titles: () => lv.figures().flatMap((f) => [...f.left, ...f.right, ...f.below, ...f.above])
    .map((a) => a.axis_label).filter((t) => t),
  legend: () => lv.figure("flow").above[0].color_mapper.factors,
  overview_height: (batch) => {
    for (const d of lv.sources(lv.figure("overview"))) {
      const i = Array.from(d.batch ?? []).indexOf(batch)
      if (i >= 0) return d.top[i]
    }
  },
  screen: (where, x, y) => {
    const view = Bokeh.index.find_one(lv.figure(where)), box = view.el.getBoundingClientRect()
    return {x: box.left + view.frame.x_scale.compute(x), y: box.top + view.frame.y_scale.compute(y)}
  },
  count_messages: () => {
    lv.sent = 0
    const send = WebSocket.prototype.send
    WebSocket.prototype.send = function (...args) { lv.sent += 1; return send.apply(this, args) }
  },
  messages: () => lv.sent,
}
"""
