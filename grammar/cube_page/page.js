// The page: from gestures to filters, from filters to answers, from answers to views and words.

const SOON = 90  // milliseconds of rest after which the map of queries is coloured anew

const byId = (id) => document.getElementById(id)

class Page {
  constructor(engine, views, queries) {
    Object.assign(this, {engine, views, queries, attributes: engine.attributes})
    this.state = new State(engine.attributes)
    this.aggregate = engine.aggregates[0]
    this.shown = this.state.filters  // with what is being dragged or previewed
    this.target = null
    this.busy = null
    this.places = new Map()
    this.headers = views.map((view) => document.querySelector(`[data-view="${view.number}"]`))
    views.forEach((view, a) => {
      const element = this.headers[a].querySelector(".plot"), Kind = view instanceof MapView ? MapGestures : BarGestures
      new Kind(this, view, element)
    })
    this.comparison = new Comparison(this, queries)
    this.bindControls()
    this.bindQueries()
  }

  // The attribute whose selections the map of queries shows
  get projected() {
    return Number(byId("projected").value)
  }

  filters() {
    return this.shown
  }

  // -- showing

  // Puts filters before the engine and draws; `own` is the only attribute that changed since, if one is known
  show(filters, own = -1) {
    this.shown = filters
    filters.forEach((filter, a) => {
      if (own < 0 || a === own) this.engine.filter(a, maskOf(this.attributes[a], filter))
    })
    this.total = this.engine.answer(this.aggregate, own)
    this.views.forEach((view, a) => {
      if (a !== own) view.patch(this.engine.values[a], this.engine.low[a], this.engine.high[a])
      if (own < 0 || a === own) this.showFilter(a)
    })
    this.say()
  }

  showFilter(a) {
    this.views[a].select(this.shown[a])
    const header = this.headers[a]
    header.querySelector(".filter").textContent = this.shown[a] === null ? "" : filterText(this.attributes[a], this.shown[a])
    header.querySelector(".clear").hidden = this.shown[a] === null
  }

  say() {
    const [low, high] = this.engine.totalInterval(this.aggregate, this.total), {aggregate} = this
    byId("total").textContent = `${aggregate.label} ${numberText(this.total, aggregate)}`
    const between = `(${numberText(low, aggregate)} to ${numberText(high, aggregate)})`
    byId("interval").textContent = Number.isFinite(this.total) ? between : ""
    const sentence = sentenceOf(this.attributes, this.shown)
    byId("sentence").textContent = sentence
    byId("sentence").title = sentence
  }

  // After a step: everything that need not follow the pointer
  settled() {
    const own = byId("scale").value === "own"
    const rows = this.aggregate.kind === "mean" ? this.engine.parts[this.aggregate.parts[0]] : null
    this.views.forEach((view, a) => {
      view.rescale(own, rows && rows[a])
      view.select(this.shown[a])
    })
    byId("undo").disabled = !this.state.past.length
    byId("redo").disabled = !this.state.future.length
    byId("clear").disabled = this.state.filters.every((filter) => filter === null) && this.target === null
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.colourQueries(), SOON)
  }

  renew() {
    this.show(this.state.filters)
    this.settled()
  }

  // Another aggregate: totals of all rows, axes, projection
  choose(aggregate) {
    this.aggregate = aggregate
    this.attributes.forEach((_, a) => this.engine.filter(a, null))
    aggregate.usual = this.engine.answer(aggregate)
    this.views.forEach((view, a) => view.every(Float64Array.from(this.engine.values[a]), aggregate))
    byId("coverage").textContent = `whiskers: ${Math.round(100 * aggregate.coverage)}% of answers`
    this.places.clear()
    this.drop()
    this.renew()
    this.layQueries()
  }

  // -- brushes

  live(a, filter) {
    const next = this.shown.map((each, k) => (k === a ? tidy(this.attributes[a], filter) : each))
    this.show(next, a)
  }

  settle() {
    this.take(this.shown)
  }

  cancel() {
    this.renew()
  }

  take(filters) {
    const changed = this.state.commit(filters)
    if (changed) this.drop()
    this.renew()
    return changed
  }

  clear() {
    this.drop()
    this.take(this.attributes.map(() => null))
  }

  step(done) {
    if (!done) return
    this.drop()
    this.renew()
  }

  // -- previews

  preview(filters) {
    if (this.busy) return
    document.body.classList.toggle("preview", filters !== null)
    this.views.forEach((view) => view.preview(filters !== null))
    this.show(filters ?? this.state.filters)
  }

  // -- what would make it so

  pull(view, bin, value) {
    this.target = {view, bin, value}
    this.views.forEach((each) => each.wanted(this.target))
    this.sayTarget()
  }

  pulled(view, bin, value) {
    this.pull(view, bin, value)
    this.find()
    this.settled()
  }

  wantTotal(value) {
    this.drop()
    this.target = {view: 0, bin: null, value}
    this.sayTarget()
    this.find()
    this.settled()
  }

  sayTarget() {
    const {view, bin, value} = this.target, each = this.attributes[view]
    const what = bin === null ? "total" : `${each.title} ${each.labels[bin]}`
    const is = bin === null ? this.total : this.engine.values[view][bin]
    byId("target").textContent = `${what}: ${numberText(value, this.aggregate)} wanted, is ${numberText(is, this.aggregate)}`
  }

  find() {
    const free = [...document.querySelectorAll("#free input:checked")].map((box) => Number(box.value))
    const found = invert(this.engine, this.aggregate, this.target, this.state.filters, free)
    byId("suggestions").replaceChildren(...found.map((each) => this.suggestion(each)))
    if (!found.length) byId("target").textContent += ": no query comes nearer; let more attributes change"
    else if (!found[0].hit) byId("target").textContent += ": cannot be reached, the nearest are"
  }

  suggestion(found) {
    const off = found.hit ? "" : `, ${(100 * found.miss).toLocaleString("en-US", {maximumFractionDigits: found.miss < 0.1 ? 1 : 0})}% off`
    const text = changeText(this.attributes, this.state.filters, found.filters)
    return this.button(text, `gives ${numberText(found.answer, this.aggregate)}${off}`, () => found.filters)
  }

  // An item of a list of queries: pointing at it previews them, clicking applies them
  button(text, words, filters) {
    const item = document.createElement("li"), button = document.createElement("button"), note = document.createElement("small")
    button.type = "button"
    button.textContent = text
    note.textContent = words
    button.append(note)
    for (const event of ["mouseenter", "focus"]) button.addEventListener(event, () => this.preview(filters()))
    for (const event of ["mouseleave", "blur"]) button.addEventListener(event, () => this.preview(null))
    button.addEventListener("click", () => {
      const chosen = filters()
      this.preview(null)
      this.take(chosen)
    })
    item.append(button)
    return item
  }

  // Forget what was wanted
  drop() {
    this.target = null
    this.views.forEach((each) => each.wanted(null))
    byId("suggestions").replaceChildren()
    byId("target").textContent = ""
  }

  // -- the map of queries

  layQueries() {
    const a = this.projected, each = this.attributes[a]
    if (!this.places.has(a)) {
      const selections = selectionsOf(each, this.occupied(a)).slice(0, 600)
      this.places.set(a, {selections, places: project(this.engine, this.aggregate, a, selections.map(({mask}) => mask))})
    }
    const {selections, places} = this.places.get(a)
    this.queries.lay(each, selections, places)
    this.comparison.choose([])
    this.colourQueries()
  }

  occupied(a) {
    const {bins, offsets} = this.engine.nets[this.aggregate.parts[0]], out = new Uint8Array(this.attributes[a].bins)
    for (let k = offsets[a]; k < offsets[a + 1]; k++) out[bins[k]] = 1
    return out
  }

  colourQueries() {
    const a = this.projected
    this.queries.colour(Float64Array.from(this.queries.selections, ({mask}) => this.engine.totalWith(this.aggregate, a, mask)))
    this.comparison.show()
  }

  // -- controls

  bindControls() {
    const fill = (select, texts) => select.replaceChildren(...texts.map((text, k) => new Option(text, String(k))))
    fill(byId("aggregate"), this.engine.aggregates.map((each) => each.label))
    byId("aggregates").hidden = this.engine.aggregates.length < 2
    byId("aggregate").addEventListener("change", (event) => this.choose(this.engine.aggregates[Number(event.target.value)]))
    byId("scale").addEventListener("change", () => this.settled())
    byId("clear").addEventListener("click", () => this.clear())
    byId("undo").addEventListener("click", () => this.step(this.state.undo()))
    byId("redo").addEventListener("click", () => this.step(this.state.redo()))
    this.headers.forEach((header, a) => {
      header.querySelector(".clear").addEventListener("click", () => this.take(this.state.with(a, null)))
      const missing = () => binFilter(this.attributes[a], this.attributes[a].bins - 1)
      header.querySelector(".missing")?.addEventListener("click", () => this.take(this.state.with(a, missing())))
      for (const button of header.querySelectorAll(".mode")) {
        button.addEventListener("click", () => this.turn(a, button.dataset.mode))
      }
    })
    byId("free").append(...this.attributes.map((each, a) => checkBox(each.title, a)))
    byId("free").addEventListener("change", () => this.target && this.find())
    byId("wanted").addEventListener("submit", (event) => {
      event.preventDefault()
      const text = byId("wantedtotal").value.replace(/[,\s]/g, ""), value = Number(text)
      if (text === "" || !Number.isFinite(value)) byId("target").textContent = "a number is wanted, such as 1200"
      else this.wantTotal(value)
    })
    document.addEventListener("keydown", (event) => this.key(event))
  }

  turn(a, mode) {
    this.views[a].turn(mode)
    for (const button of this.headers[a].querySelectorAll(".mode")) {
      button.setAttribute("aria-pressed", String(button.dataset.mode === mode))
    }
  }

  key(event) {
    if (event.key === "Escape") {
      if (this.busy) this.busy()
      else this.clear()
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && event.target.tagName !== "INPUT") {
      event.preventDefault()
      this.step(event.shiftKey ? this.state.redo() : this.state.undo())
    }
  }

  bindQueries() {
    const select = byId("projected"), element = byId("root-queries")
    select.replaceChildren(...this.attributes.map((each, a) => new Option(each.title, String(a))))
    select.addEventListener("change", () => this.layQueries())
    const {comparison} = this
    let last = -1
    const over = (k) => {
      if (k === last) return
      last = k
      this.preview(k < 0 ? null : this.state.with(Number(select.value), this.queries.selections[k].filter))
    }
    element.addEventListener("pointerdown", (event) => comparison.begin(event))
    element.addEventListener("pointermove", (event) => over(comparison.move(event) ? -1 : this.queries.under(event)))
    element.addEventListener("pointerup", () => comparison.end())
    element.addEventListener("pointercancel", () => comparison.end(false))
    element.addEventListener("pointerleave", () => over(-1))
    element.addEventListener("click", (event) => {
      if (comparison.drew) return
      const k = last < 0 ? this.queries.under(event) : last  // what is previewed
      if (k < 0) return comparison.choose([])
      if (event.shiftKey) return comparison.toggle(k)
      const filters = this.state.with(Number(select.value), this.queries.selections[k].filter)
      over(-1)
      this.take(filters)
    })
  }
}

function checkBox(text, value) {
  const label = document.createElement("label"), box = document.createElement("input")
  Object.assign(box, {type: "checkbox", value: String(value), checked: true})
  label.append(box, ` ${text}`)
  label.title = text
  return label
}

async function start() {
  const figures = JSON.parse(byId("figures").textContent), spec = JSON.parse(byId("model").textContent)
  const managers = await Bokeh.embed.embed_items(figures.docs, figures.items)
  const doc = Bokeh.documents[0], roots = new Map(managers.flatMap((manager) => [...manager]).map((view) => [view.model.name, view]))
  const engine = new Engine(spec)
  const views = spec.attributes.map((each, a) => new (each.shape.length === 2 ? MapView : BarView)(doc, roots.get(`figure:${a}`), each, a))
  const page = new Page(engine, views, new QueryMap(doc, roots.get("queries")))
  page.choose(engine.aggregates[0])
  Object.assign(window.nncubes, {page, engine, ready: true})
}

// For tests and for the curious: the engine works without the page, too
window.nncubes = {Engine, invert, project, maskOf, cellsInside, selectionsOf, changeText, filterText, ready: false}
start().catch((error) => {
  const problem = byId("problem")
  problem.hidden = false
  problem.textContent = `This page could not be drawn: ${error.message}`
  throw error
})
