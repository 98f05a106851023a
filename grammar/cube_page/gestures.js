// What a drag or click on a view means. Pointer events go to the page, not to Bokeh, but for panning and hovering.

const NEAR = 7  // pixels
const CLICK = 3  // pixels that a click may move

// The bins [start, stop) of n that a drag from x to y touches, at least one
function binsBetween(x, y, n) {
  const start = Math.min(Math.max(Math.floor(Math.min(x, y)), 0), n - 1)
  return [start, Math.min(Math.max(Math.ceil(Math.max(x, y)), start + 1), n)]
}

class Gestures {
  // page: filters(), live(a, filter), settle(), cancel(), pull(a, bin, value), pulled(a, bin, value)
  constructor(page, view, element) {
    Object.assign(this, {page, view, element, drag: null})
    element.addEventListener("pointerdown", (event) => this.down(event), true)
    element.addEventListener("pointermove", (event) => this.hint(event))
    element.addEventListener("dragstart", (event) => event.preventDefault())  // a selected text would be dragged instead
    element.addEventListener("dblclick", () => { if (view.mode === "pan") view.reset() })
  }

  down(event) {
    const place = this.view.at(event)
    if (event.button !== 0 || !place.within || this.view.mode === "pan" || this.page.busy) return
    event.stopPropagation()
    const drag = {from: place, moved: false, filter: this.page.filters()[this.view.number], act: null}
    const move = (next) => { next.stopPropagation(); this.move(drag, this.view.at(next)) }
    const stop = (next) => { this.page.busy = null; end(); this.up(drag, next) }
    const end = () => {
      window.removeEventListener("pointermove", move, true)
      window.removeEventListener("pointerup", stop, true)
      window.removeEventListener("pointercancel", abort, true)
      this.hold(false)
    }
    const abort = () => { this.page.busy = null; end(); this.page.cancel() }
    this.page.busy = abort
    this.hold(true)
    window.addEventListener("pointermove", move, true)
    window.addEventListener("pointerup", stop, true)
    window.addEventListener("pointercancel", abort, true)
  }

  hold(on) {
    this.view.dragging(on)
    this.page.views.forEach((view) => view.still(on))
  }

  move(drag, place) {
    if (!drag.moved && Math.hypot(place.sx - drag.from.sx, place.sy - drag.from.sy) <= CLICK) return
    drag.moved = true
    drag.act ??= this.actOf(drag, place)
    drag.act(place)
  }

  up(drag, event) {
    event.stopPropagation()
    if (!drag.moved) return this.click(drag.from)
    if (drag.target) this.page.pulled(this.view.number, drag.target.bin, drag.target.value)
    else this.page.settle()
  }

  live(filter) {
    this.page.live(this.view.number, filter)
  }

  hint(event) {
    if (this.page.busy) return
    const place = this.view.at(event)
    this.element.style.cursor = place.within ? this.cursorAt(place) : "default"
  }
}

class BarGestures extends Gestures {
  actOf(drag, place) {
    const {from} = drag, upright = Math.abs(place.sy - from.sy) > Math.abs(place.sx - from.sx)
    if (upright && this.nearTop(from)) return (to) => this.pull(drag, to)
    const filter = drag.filter
    if (filter?.kind === "range") {
      const [start, stop] = [filter.start, filter.stop].map((x) => Math.abs(this.view.pixels(x, 0)[0] - from.sx))
      if (Math.min(start, stop) <= NEAR) return (to) => this.live(this.between(start < stop ? filter.stop : filter.start, to.x))
      if (from.x > filter.start && from.x < filter.stop) return (to) => this.shift(filter, to.x - from.x)
    }
    return (to) => this.span(from.x, to.x)
  }

  nearTop(place) {
    return place.bin >= 0 && Math.abs(this.view.top(place.bin) - place.sy) <= NEAR
  }

  cursorAt(place) {
    const filter = this.page.filters()[this.view.number]
    if (this.nearTop(place)) return "ns-resize"
    if (filter?.kind !== "range") return "crosshair"
    const edges = [filter.start, filter.stop].map((x) => Math.abs(this.view.pixels(x, 0)[0] - place.sx))
    if (Math.min(...edges) <= NEAR) return "ew-resize"
    return place.x > filter.start && place.x < filter.stop ? "grab" : "crosshair"
  }

  regular() {
    return this.view.attribute.bins - (this.view.attribute.missing ? 1 : 0)
  }

  // From one end that stays to where the pointer is, at the nearest edge
  between(fixed, x) {
    const other = Math.min(Math.max(Math.round(x), 0), this.regular())
    if (other === fixed) return binFilter(this.view.attribute, Math.min(fixed, this.regular() - 1))
    return {kind: "range", start: Math.min(fixed, other), stop: Math.max(fixed, other)}
  }

  shift(filter, by) {
    const width = filter.stop - filter.start
    const start = Math.min(Math.max(Math.round(filter.start + by), 0), this.regular() - width)
    this.live({kind: "range", start, stop: start + width})
  }

  span(x, y) {
    const {attribute} = this.view, n = this.regular()
    const [start, stop] = binsBetween(x, y, n)
    if (attribute.ordered) return this.live({kind: "range", start, stop})
    const mask = new Uint8Array(attribute.bins).fill(1, start, stop)
    return this.live({kind: "set", mask})
  }

  pull(drag, to) {
    const {start, end} = this.view.plot.model.y_range, {kind} = this.view.aggregate
    const value = Math.min(Math.max(to.y, kind === "count" ? 0 : start), end)
    drag.target = {bin: drag.from.bin, value}
    this.page.pull(this.view.number, drag.target.bin, value)
  }

  click({bin}) {
    const {attribute} = this.view, a = this.view.number, filter = this.page.filters()[a]
    if (bin < 0) return
    const single = binFilter(attribute, bin), mask = maskOf(attribute, filter)
    if (attribute.ordered) {
      const again = mask !== null && sameMask(mask, maskOf(attribute, single))
      this.live(again ? null : single)
    } else {
      const toggled = mask === null ? single.mask : Uint8Array.from(mask, (one, i) => (i === bin ? 1 - one : one))
      this.live({kind: "set", mask: toggled})
    }
    this.page.settle()
  }
}

class MapGestures extends Gestures {
  actOf(drag) {
    const {from, filter} = drag
    if (this.view.mode === "lasso") return this.lasso(from)
    if (filter?.kind === "box") {
      const grip = this.gripOf(filter, from)
      if (grip.length) return (to) => this.resize(filter, grip, to)
      if (this.isInside(filter, from)) return (to) => this.shift(filter, to.x - from.x, to.y - from.y)
    }
    return (to) => this.span(from, to)
  }

  // Which sides of a box are under the pointer
  gripOf(box, place) {
    const [left, bottom] = this.view.pixels(this.view.x(box.x0), this.view.y(box.y0))
    const [right, top] = this.view.pixels(this.view.x(box.x1), this.view.y(box.y1))
    if (place.sx < left - NEAR || place.sx > right + NEAR || place.sy < top - NEAR || place.sy > bottom + NEAR) return []
    const sides = []
    if (Math.abs(place.sx - left) <= NEAR) sides.push("x0")
    else if (Math.abs(place.sx - right) <= NEAR) sides.push("x1")
    if (Math.abs(place.sy - bottom) <= NEAR) sides.push("y0")
    else if (Math.abs(place.sy - top) <= NEAR) sides.push("y1")
    return sides
  }

  cursorAt(place) {
    const filter = this.page.filters()[this.view.number]
    if (this.view.mode === "pan") return "move"
    if (filter?.kind !== "box" || this.view.mode === "lasso") return "crosshair"
    const grip = this.gripOf(filter, place).map((side) => side[0]).join("")
    if (grip) return {x: "ew-resize", y: "ns-resize", xy: "nwse-resize"}[grip]
    return this.isInside(filter, place) ? "grab" : "crosshair"
  }

  isInside(box, {x, y}) {
    return x > box.x0 && x < box.x1 && y > box.y0 && y < box.y1
  }

  resize(filter, grip, to) {
    const box = {...filter}, sizes = {x: this.view.attribute.shape[0], y: this.view.attribute.shape[1]}
    for (const side of grip) {
      const axis = side[0], other = filter[axis + (side[1] === "0" ? "1" : "0")]
      let at = Math.min(Math.max(Math.round(to[axis]), 0), sizes[axis])
      if (at === other) at = other > 0 && side[1] === "0" ? other - 1 : Math.min(other + 1, sizes[axis])
      if (at === other) at = other - 1
      box[axis + "0"] = Math.min(at, other)
      box[axis + "1"] = Math.max(at, other)
    }
    this.live(box)
  }

  shift(filter, dx, dy) {
    const [nx, ny] = this.view.attribute.shape, w = filter.x1 - filter.x0, h = filter.y1 - filter.y0
    const x0 = Math.min(Math.max(Math.round(filter.x0 + dx), 0), nx - w)
    const y0 = Math.min(Math.max(Math.round(filter.y0 + dy), 0), ny - h)
    this.live({kind: "box", x0, x1: x0 + w, y0, y1: y0 + h})
  }

  span(from, to) {
    const [nx, ny] = this.view.attribute.shape
    const [x0, x1] = binsBetween(from.x, to.x, nx), [y0, y1] = binsBetween(from.y, to.y, ny)
    this.live({kind: "box", x0, x1, y0, y1})
  }

  lasso(from) {
    const xs = [from.x], ys = [from.y], {attribute} = this.view
    return (to) => {
      xs.push(to.x)
      ys.push(to.y)
      const mask = new Uint8Array(attribute.bins)
      mask.set(cellsInside(attribute.shape, xs, ys))
      this.live({kind: "region", mask, xs: [...xs], ys: [...ys]})
    }
  }

  click({bin}) {
    const {attribute} = this.view, filter = this.page.filters()[this.view.number]
    if (bin < 0) return
    const single = cellBox(attribute, bin)
    const again = filter !== null && sameMask(maskOf(attribute, filter), maskOf(attribute, single))
    this.live(again ? null : single)
    this.page.settle()
  }
}
