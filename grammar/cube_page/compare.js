// Selections of the map of queries beside each other: those inside a lasso, or clicked with Shift.

const COMPARED = 30  // rows of the list
const DRAG = 5  // pixels: less is a click

class Comparison {
  constructor(page, queries) {
    Object.assign(this, {page, queries, chosen: [], start: null, path: null, drew: false})
  }

  // -- the lasso

  begin(event) {
    this.start = event.button === 0 ? event : null
    this.path = null
    this.drew = false
  }

  // Is a lasso being drawn
  move(event) {
    if (!(event.buttons & 1)) this.start = null  // let go elsewhere
    if (this.start === null) return false
    if (this.path === null) {
      if (Math.hypot(event.clientX - this.start.clientX, event.clientY - this.start.clientY) < DRAG) return false
      event.currentTarget.setPointerCapture(event.pointerId)
      this.path = {xs: [], ys: []}
      this.add(this.start)
      this.queries.hover.active = false
    }
    this.add(event)
    this.queries.drawLasso(this.path)
    return true
  }

  add(event) {
    const {x, y} = this.queries.at(event)
    this.path.xs.push(x)
    this.path.ys.push(y)
  }

  end(kept = true) {
    const {path} = this
    this.start = this.path = null
    if (path === null) return
    this.drew = true
    this.queries.hover.active = true
    this.queries.drawLasso(null)
    const {x, y} = this.queries.dots.data
    if (kept) this.choose(Array.from(x.keys()).filter((k) => inside(x[k], y[k], path.xs, path.ys)))
  }

  // -- the list

  toggle(k) {
    this.choose(this.chosen.includes(k) ? this.chosen.filter((each) => each !== k) : [...this.chosen, k])
  }

  choose(rows) {
    this.chosen = rows
    this.queries.ring(rows)
    this.show()
  }

  // The largest answer first; the last line is without a filter on the attribute
  show() {
    const {page, chosen} = this, answers = this.queries.dots.data.answer, {selections} = this.queries
    byId("comparison").hidden = chosen.length < 2
    if (chosen.length < 2) return
    const size = (k) => (Number.isFinite(answers[k]) ? answers[k] : -Infinity), a = page.projected
    const sorted = [...chosen].sort((j, k) => size(k) - size(j)), shown = sorted.slice(0, COMPARED)
    const whole = page.engine.totalWith(page.aggregate, a, new Uint8Array(page.attributes[a].bins).fill(1))
    const lines = shown.map((k) => this.line(a, selections[k].filter, answers[k], {first: answers[shown[0]], whole}))
    byId("compared").replaceChildren(...lines, this.line(a, null, whole, {first: NaN, whole: NaN}))
    const left = sorted.length - shown.length
    byId("comparedof").textContent = `of ${page.attributes[a].title}` + (left ? `, ${left} smaller ones left out` : "")
  }

  line(a, filter, answer, {first, whole}) {
    const {page} = this
    const words = [numberText(answer, page.aggregate), ...this.apart(answer, first, whole)].join(" · ")
    return page.button(filterText(page.attributes[a], filter), words, () => page.state.with(a, filter))
  }

  // Of counts shares; of sums the difference from the first, of means that from all
  apart(answer, first, whole) {
    const {aggregate} = this.page, percent = (share) => `${(100 * share).toFixed(Math.abs(share) < 0.1 ? 1 : 0)}%`
    const signed = (value, text) => `${value < 0 ? "−" : "+"}${text}`
    if (aggregate.kind === "count") {
      const parts = whole > 0 ? [`${percent(answer / whole)} of the rows`] : []
      if (first > 0 && answer !== first) parts.push(`−${percent(1 - answer / first)} from the first`)
      return parts
    }
    const base = aggregate.kind === "mean" ? whole : first, far = answer - base
    if (!Number.isFinite(far) || far === 0) return []
    return [`${signed(far, numberText(Math.abs(far), aggregate))} from ${aggregate.kind === "mean" ? "any" : "the first"}`]
  }
}
