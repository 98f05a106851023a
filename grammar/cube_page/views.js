// Views: Bokeh figures, whose sources are patched in place. What is patched lies on Bokeh's overlay canvas.

const SPARSE = 0.02  // share of the rows of the fullest bar
const MANY = 100  // bars
const PREVIEW = "#56B4E9", SELECTED = "#0072B2"

class View {
  constructor(doc, plot, attribute, number) {
    this.doc = doc
    this.plot = plot
    this.attribute = attribute
    this.number = number
    this.hover = plot.model.toolbar.tools.find((tool) => tool.type === "HoverTool")
    this.source = (name) => doc.get_model_by_name(`${name}:${number}`)
    for (const name of ["brush", "handles", "hit"]) this[name] = this.source(name)
  }

  // Place of a pointer event on the canvas, in pixels, and in bins
  at(event) {
    const box = this.plot.canvas_view.el.getBoundingClientRect()
    return this.place(event.clientX - box.left, event.clientY - box.top)
  }

  place(sx, sy) {
    const {frame} = this.plot
    return {sx, sy, within: frame.bbox.contains(sx, sy), ...this.bins(frame.x_scale.invert(sx), frame.y_scale.invert(sy))}
  }

  // Page coordinates of a place in data units: for tests
  screen(x, y) {
    const box = this.plot.canvas_view.el.getBoundingClientRect(), {frame} = this.plot
    return {x: box.left + frame.x_scale.compute(x), y: box.top + frame.y_scale.compute(y)}
  }

  pixels(x, y) {
    return [this.plot.frame.x_scale.compute(x), this.plot.frame.y_scale.compute(y)]
  }

  dragging(on) {
    this.hover.active = !on
  }

  // While something is dragged no axis changes: without this Bokeh measures all tick labels at every move
  still(on) {
    const stop = (object, name) => { if (on) object[name] = () => {}; else delete object[name] }
    stop(this.plot, "_invalidate_layout_if_needed")
    for (const renderer of this.plot.model.renderers) stop(this.plot.views.get_one(renderer), "update_position")
  }

  // What tooltips tell; nothing is repainted for them
  numbers(values, low, high) {
    const {data} = this.hit
    this.told(data.answer, values)
    this.told(data.low, low)
    this.told(data.high, high)
  }

  told(out, values) {
    const whole = this.aggregate.kind === "count"
    for (let i = 0; i < out.length; i++) out[i] = whole ? Math.round(values[i]) : values[i]
  }

  drawBrush(quads, handles) {
    this.draw(this.brush, quads)
    this.draw(this.handles, handles)
  }

  // Marks, or none: what shows nothing is not painted at all
  draw(source, data) {
    const renderer = this.plot.model.renderers.find((each) => each.data_source === source)
    if (data !== null) source.data = data
    if (renderer.visible !== (data !== null)) renderer.visible = data !== null
  }
}

class BarView extends View {
  constructor(...given) {
    super(...given)
    const n = this.attribute.bins
    this.lefts = Float64Array.from({length: n}, (_, i) => (this.attribute.missing && i === n - 1 ? i + 0.5 : i))
    const wide = (share) => [this.lefts.map((x) => x + share), this.lefts.map((x) => x + 1 - share)]
    const zeros = () => new Float64Array(n)
    const [left, right] = wide(n > 60 ? 0 : 0.03), [from, to] = wide(0.16)
    this.all = this.source("all")
    this.all.data = {left, right, top: zeros()}
    this.bars = this.source("bars")
    this.bars.data = {left: from, right: to, top: zeros(), alpha: zeros().fill(1), x: this.lefts.map((x) => x + 0.5), low: zeros(), high: zeros()}
    this.hit.data = {
      left: this.lefts, right: this.lefts.map((x) => x + 1), bottom: zeros(), top: zeros().fill(1), label: this.attribute.labels,
      answer: zeros(), low: zeros(), high: zeros(), all: zeros(),
    }
    this.ghost = this.source("ghost")
    this.whiskers = n <= MANY  // of more bars they would hide the bars; tooltips tell the intervals
    if (!this.whiskers) for (const ends of [this.bars.data.low, this.bars.data.high]) ends.fill(NaN)
    this.renderer = this.plot.model.renderers.find((each) => each.name === "bars")
  }

  bins(x, y) {
    return {x, y, bin: this.lefts.findIndex((left) => x >= left && x < left + 1)}
  }

  every(values, aggregate) {
    this.aggregate = aggregate
    this.total = values
    this.told(this.hit.data.all, values)
    this.plot.model.left[0].axis_label.text = aggregate.label
  }

  patch(values, low, high) {
    const {data} = this.bars
    this.values = values
    this.low = low
    this.high = high
    this.within(data.top, values)
    if (this.whiskers) {
      this.within(data.low, low)
      this.within(data.high, high)
    }
    this.bars.change.emit()
    this.numbers(values, low, high)
  }

  // Bokeh does not clip what is on its overlay
  within(out, values) {
    const {start, end} = this.plot.model.y_range
    for (let i = 0; i < out.length; i++) out[i] = values[i] < start ? start : values[i] > end ? end : values[i]
  }

  // Which bars the view's own filter takes
  select(filter) {
    const mask = maskOf(this.attribute, filter), {alpha} = this.bars.data
    for (let i = 0; i < alpha.length; i++) alpha[i] = mask === null || mask[i] ? 1 : 0.3
    this.bars.change.emit()
    const {start, end} = this.plot.model.y_range, range = filter?.kind === "range"
    this.drawBrush(
      range ? {left: [filter.start], right: [filter.stop], bottom: [start], top: [end]} : null,
      range ? {x: [filter.start, filter.stop], y: [(start + end) / 2, (start + end) / 2]} : null,
    )
  }

  // rows (bins) are those behind means: bars of hardly any rows may be cut off
  rescale(own, rows) {
    const most = rows === null ? 0 : Math.max(...rows), shown = rows === null ? () => true : (_, i) => rows[i] > SPARSE * most
    const [low, high] = ends([...(own ? [] : this.total.filter(shown)), ...this.values.filter(shown)])
    const room = 0.12 * (high - low || 1), range = {start: low < 0 ? low - room : 0, end: high > 0 ? high + room : low < 0 ? 0 : 1}
    this.plot.model.y_range.setv(range)
    this.within(this.all.data.top, this.total)
    this.all.change.emit()
    this.patch(this.values, this.low, this.high)
    this.hit.data.bottom.fill(range.start)
    this.hit.data.top.fill(range.end)
    this.hit.change.emit()
  }

  preview(on) {
    this.renderer.glyph.fill_color = {value: on ? PREVIEW : SELECTED}
  }

  top(bin) {
    return this.pixels(0, this.bars.data.top[bin])[1]
  }

  wanted(target) {
    const here = target && target.view === this.number && target.bin !== null
    const left = here ? this.lefts[target.bin] : 0
    this.draw(this.ghost, here ? {left: [left], right: [left + 1], top: [target.value]} : null)
  }
}

class MapView extends View {
  constructor(...given) {
    super(...given)
    const {x_range, y_range} = this.plot.model, [nx, ny] = this.attribute.shape
    this.extent = {x0: x_range.start, x1: x_range.end, y0: y_range.start, y1: y_range.end}
    this.mode = "box"
    this.cells = this.source("cells")
    this.lasso = this.source("lasso")
    this.renderer = this.plot.model.renderers.find((each) => each.name === "cells")
    const cells = Array.from({length: nx * ny}, (_, i) => [Math.floor(i / ny), i % ny]), zeros = () => new Float64Array(nx * ny)
    this.hit.data = {
      left: cells.map(([x]) => this.x(x)), right: cells.map(([x]) => this.x(x + 1)),
      bottom: cells.map(([, y]) => this.y(y)), top: cells.map(([, y]) => this.y(y + 1)),
      label: this.attribute.labels.slice(0, nx * ny), answer: zeros(), low: zeros(), high: zeros(), all: zeros(),
    }
    this.mask = null
  }

  x(cell) {
    return this.extent.x0 + ((this.extent.x1 - this.extent.x0) * cell) / this.attribute.shape[0]
  }

  y(cell) {
    return this.extent.y0 + ((this.extent.y1 - this.extent.y0) * cell) / this.attribute.shape[1]
  }

  // In cells
  bins(x, y) {
    const {x0, x1, y0, y1} = this.extent, [nx, ny] = this.attribute.shape
    const gx = ((x - x0) / (x1 - x0)) * nx, gy = ((y - y0) / (y1 - y0)) * ny
    return {x: gx, y: gy, bin: gx >= 0 && gx < nx && gy >= 0 && gy < ny ? Math.floor(gx) * ny + Math.floor(gy) : -1}
  }

  every(values, aggregate) {
    this.aggregate = aggregate
    this.all = values
    this.told(this.hit.data.all, values)
  }

  patch(values, low, high) {
    const n = this.hit.data.all.length
    this.values = values
    this.numbers(values.subarray(0, n), low.subarray(0, n), high.subarray(0, n))
    this.paint()
  }

  paint() {
    const [inside, outside] = this.cells.data.image, [nx, ny] = this.attribute.shape, {values, mask} = this
    const count = this.aggregate.kind === "count"
    for (let x = 0; x < nx; x++) {
      for (let y = 0; y < ny; y++) {
        const i = x * ny + y, at = y * nx + x, value = (count ? values[i] < 0.5 : this.all[i] === 0) ? NaN : values[i]
        inside[at] = mask === null || mask[i] ? value : NaN
        outside[at] = mask === null || mask[i] ? NaN : value
      }
    }
    this.cells.change.emit()
  }

  select(filter) {
    this.mask = maskOf(this.attribute, filter)
    if (this.values) this.paint()
    const box = filter?.kind === "box", drawn = filter?.kind === "region"
    const [x0, x1, y0, y1] = box ? [this.x(filter.x0), this.x(filter.x1), this.y(filter.y0), this.y(filter.y1)] : []
    this.drawBrush(
      box ? {left: [x0], right: [x1], bottom: [y0], top: [y1]} : null,
      box ? {x: [x0, x1, (x0 + x1) / 2, (x0 + x1) / 2], y: [(y0 + y1) / 2, (y0 + y1) / 2, y0, y1]} : null,
    )
    this.draw(this.lasso, drawn && filter.xs ? {x: filter.xs.map((x) => this.x(x)), y: filter.ys.map((y) => this.y(y))} : null)
  }

  rescale(own) {
    const [low, high] = ends(own ? this.values : this.all), most = Math.max(-low, high) || 1
    const kind = this.aggregate.kind === "count" ? "log" : low < 0 ? "signed" : "linear"
    const range = {log: {low: 1, high: Math.max(high, 2)}, linear: {low, high: high || 1}, signed: {low: -most, high: most}}[kind]
    for (const mapper of [kind, `${kind}:bar`]) this.source(mapper).setv(range)
    if (this.renderer.glyph.color_mapper !== this.source(kind)) this.color(this.source(kind))
    for (const name of ["log", "linear", "signed"]) {
      const bar = this.source(`bar:${name}`)
      if (bar.visible !== (name === kind)) bar.visible = name === kind
    }
    this.paint()  // in the colours of a mapper that is new to the glyph
  }

  // Of the glyph and of its variants (selected, muted, ...), which would paint over its picture with the old one
  color(mapper) {
    const drawn = this.plot.views.get_one(this.renderer)
    for (const name of ["glyph", "selection_glyph", "nonselection_glyph", "muted_glyph", "decimated_glyph", "hover_glyph"]) {
      if (drawn[name]) drawn[name].model.color_mapper = mapper
    }
  }

  preview() {}

  wanted() {}

  // Box and lasso are this page's own; panning and zooming are Bokeh's
  turn(mode) {
    this.mode = mode
    const {toolbar} = this.plot.model, moving = mode === "pan"
    toolbar.active_drag = moving ? this.source("pan") : null
    toolbar.active_scroll = moving ? this.source("zoom") : null
    for (const name of ["pan", "zoom"]) this.source(name).active = moving
  }

  reset() {
    const {x0, x1, y0, y1} = this.extent
    this.plot.model.x_range.setv({start: x0, end: x1})
    this.plot.model.y_range.setv({start: y0, end: y1})
  }
}

function ends(values) {
  let low = 0, high = 0
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}

// The map of queries: dots that preview and apply selections of one attribute
class QueryMap {
  constructor(doc, plot) {
    this.plot = plot
    this.dots = doc.get_model_by_name("dots")
    this.mapper = doc.get_model_by_name("dots:mapper")
    this.rings = doc.get_model_by_name("dots:rings")
    this.lasso = doc.get_model_by_name("dots:lasso")
    this.hover = plot.model.toolbar.tools.find((tool) => tool.type === "HoverTool")
  }

  lay(attribute, selections, places) {
    this.selections = selections
    const n = selections.length, single = selections.map(({mask}) => mask.reduce((sum, one) => sum + one, 0) === 1)
    this.dots.data = {
      x: Float64Array.from(places, (place) => place[0]), y: Float64Array.from(places, (place) => place[1]), answer: new Float64Array(n),
      size: Float64Array.from(single, (one) => (one ? 9 : 6)), line: Float64Array.from(single, (one) => (one ? 1.2 : 0.4)),
      label: selections.map(({filter}) => `${attribute.title} ${filterText(attribute, filter)}`),
    }
    for (const [range, values] of [[this.plot.model.x_range, this.dots.data.x], [this.plot.model.y_range, this.dots.data.y]]) {
      const low = Math.min(...values), high = Math.max(...values), room = 0.08 * (high - low || 1)
      range.setv({start: low - room, end: high + room})
    }
  }

  colour(answers) {
    this.dots.data.answer.set(answers)
    const known = answers.filter((value) => Number.isFinite(value)), low = Math.min(...known), high = Math.max(...known)
    if (known.length) this.mapper.setv({low, high: high > low ? high : low + 1})
    this.dots.change.emit()
  }

  // Which dots are compared
  ring(rows) {
    const {x, y} = this.dots.data
    this.rings.data = {x: rows.map((k) => x[k]), y: rows.map((k) => y[k])}
  }

  drawLasso(path) {
    this.lasso.data = path === null ? {x: [], y: []} : {x: [...path.xs], y: [...path.ys]}
  }

  // Place of a pointer event in data units
  at(event) {
    const box = this.plot.canvas_view.el.getBoundingClientRect(), {frame} = this.plot
    return {x: frame.x_scale.invert(event.clientX - box.left), y: frame.y_scale.invert(event.clientY - box.top)}
  }

  // The dot under a pointer event, or -1
  under(event) {
    const box = this.plot.canvas_view.el.getBoundingClientRect(), {frame} = this.plot, {x, y} = this.dots.data
    const sx = event.clientX - box.left, sy = event.clientY - box.top
    let best = -1, least = 9
    for (let k = 0; k < x.length; k++) {
      const far = Math.hypot(frame.x_scale.compute(x[k]) - sx, frame.y_scale.compute(y[k]) - sy)
      if (far < least) [best, least] = [k, far]
    }
    return best
  }
}
