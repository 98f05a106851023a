"""JavaScript that turns the pointer on a cube's views into brushes and targets: what follows it needs no round trip.

Python is told by two sources only. `brush` holds the bins that are brushed (of a map: corners of a box in cells, or of
a lasso), `target` the answer that was asked for. A drag is kept on the model in `_drag`. Boxes are Bokeh's own editable
annotations: Python is told of their moves in whole bins.
"""

# One answer more that is asked for, beside those before or instead of them; and what was drawn already, told to Python.
GHOSTS = """
const joined = (shown, own, add) => {
  const others = add ? Array.from(shown["bin"], (_, k) => k).filter((k) => shown["bin"][k] !== own.bin) : []
  const column = ([name, mine]) => [name, [...others.map((k) => shown[name][k]), mine]]
  return Object.fromEntries(Object.entries(own).map(column))
}
const tell = (bin, value, add) => {
  const shown = ghost.data
  ghost.setv({data: Object.fromEntries(Object.keys(shown).map((name) => [name, []]))}, {sync: false})
  ghost.data = {...shown}
  target.data = {bin: [bin], value: [value], add: [add]}
}
"""

BARS = """
const count = source.data["left"].length
const inside = (bin) => Math.max(0, Math.min(count - 1, bin))
const from_to = (a, b) => Array.from({length: b - a + 1}, (_, i) => a + i)
const same = (a, b) => a.length === b.length && a.every((bin, i) => bin === b[i])
const held = () => Array.from(brush.data["bin"])
const show = (bins) => {
  bins = bins.sort((a, b) => a - b)
  const last = bins.length - 1
  if (!same(held(), bins)) brush.data = {bin: bins}  // first: Python answers what comes first
  if (ordered && bins.length > 0 && bins.length < count && bins[last] - bins[0] === last)
    box.setv({left: bins[0] - 0.5, right: bins[last] + 0.5, visible: true})
  else box.setv({visible: false})
}
// The bar whose top is under the pointer, within a few pixels; whole columns count.
const top_at = (event) => {
  if (!draggable) return null
  const bin = Math.round(event.x)
  if (bin < 0 || bin >= count) return null
  const per_unit = figure.inner_height / (y_range.end - y_range.start)
  const top = Array.from(ghost.data["bin"]).indexOf(bin)
  const ghosts = top < 0 ? [] : [ghost.data["top"][top]]
  return [source.data["top"][bin], ...ghosts].some((y) => Math.abs(event.y - y) * per_unit <= 9) ? bin : null
}
"""

# The first time the pointer comes: what cannot be said in Bokeh's own events.
BARS_ENTER = (
    BARS
    + """
brush._over = true
if (!brush._listens) {
  brush._listens = true
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !brush._drag) return
    if (brush._drag.before) ghost.setv({data: brush._drag.before}, {sync: false})
    brush._drag = null
  })
  document.addEventListener("keyup", (event) => {
    if (event.key !== "Escape" || !brush._over) return
    if (brushing) show([])
  })
  let wide = 0
  box.pan.connect(([phase]) => {
    const count = source.data["left"].length
    if (phase === "pan:start") wide = Math.abs(box.right - box.left)
    const moved = Math.abs(Math.abs(box.right - box.left) - wide) < 1e-6, bins = Math.round(wide)
    const [start, stop] = [Math.min(box.left, box.right), Math.max(box.left, box.right)].map((x) => Math.round(x + 0.5))
    const first = Math.max(0, Math.min(moved ? count - bins : count - 1, start))
    show(from_to(first, moved ? first + bins - 1 : Math.max(first, Math.min(count, stop) - 1)))
  })
}
"""
)

LEAVE = "brush._over = false"

# A tooltip that goes along with a drag costs more than the drag, and covers it.
TOOLTIPS = """
const tooltips = (on) => {
  const hover = figure.toolbar.tools.find((tool) => tool.type === "HoverTool")
  if (!hover || on === !brush._told) return
  const told = brush._told
  brush._told = on ? null : hover.renderers
  hover.setv({renderers: on ? told : []}, {sync: false})
}
"""

# Bokeh takes who holds still before dragging for one who presses, and then hears of no drag; a long click is a click.
PRESS = """
const gestures = Bokeh.index.find_one(figure)?.canvas_view?.ui_event_bus?.ui_gestures
if (gestures?.phase === "pressing") gestures.phase = "started"
"""

# A box that lies over a bar's top gives way to it, and the pointer says so.
BARS_MOVE = (
    BARS
    + """
const over = top_at(cb_obj) !== null
if (box.editable === over) box.setv({editable: !over}, {sync: false})
if (over) {
  const area = Bokeh.index.find_one(figure)?.canvas_view?.ui_event_bus?.hit_area
  if (area) area.style.cursor = "ns-resize"
}
"""
)

BARS_PAN_START = (
    BARS
    + TOOLTIPS
    + """
const bin = top_at(cb_obj)
tooltips(false)
const before = ghost.data, add = Array.from(before["bin"]).includes(bin) || cb_obj.modifiers?.shift === true
const {sx, sy, x} = cb_obj
brush._drag = bin !== null ? {at: bin, add, before, from: x, sx, sy} : brushing ? {from: x} : null
"""
)

BARS_PAN = (
    BARS
    + GHOSTS
    + """
const drag = brush._drag
if (!drag) return
if (drag.at !== undefined) {  // on a bar's top: up or down means the bar, along the bars a brush
  const along = Math.abs(cb_obj.sx - drag.sx), up = Math.abs(cb_obj.sy - drag.sy)
  if (Math.max(along, up) < 5) return
  if (up >= along || !brushing) drag.bin = drag.at
  delete drag.at
}
if (drag.bin === undefined) {
  const ends = [inside(Math.round(drag.from)), inside(Math.round(cb_obj.x))].sort((a, b) => a - b)
  show(from_to(ends[0], ends[1]))
} else {
  const low = Math.min(0, y_range.start), value = Math.max(low, Math.min(y_range.end, cb_obj.y))
  drag.value = value
  const own = {bin: drag.bin, left: drag.bin - 0.46, right: drag.bin + 0.46, bottom: 0, top: value}
  ghost.setv({data: joined(drag.before, own, drag.add)}, {sync: false})
}
"""
)

BARS_PAN_END = (
    GHOSTS
    + TOOLTIPS
    + """
const drag = brush._drag
brush._drag = null
tooltips(true)
if (!drag || drag.bin === undefined || drag.value === undefined) return
tell(drag.bin, drag.value, drag.add)
"""
)

# Two quick clicks come as a tap and a double tap: on one bar they clear, on two bars they are two clicks.
BARS_TAP = (
    BARS
    + """
const bin = Math.round(cb_obj.x), again = cb_obj.event_name === "doubletap" && bin === brush._tapped
brush._tapped = bin
if (!brushing) return
if (again) return show([])
if (bin < 0 || bin >= count) return
const before = held()
if (cb_obj.modifiers?.shift || cb_obj.modifiers?.ctrl)
  show(before.includes(bin) ? before.filter((other) => other !== bin) : [...before, bin])
else show(same(before, [bin]) ? [] : [bin])
"""
)

MAP = """
const within = (i, n) => Math.max(0, Math.min(n, i))
const to_cell = (value, low, high, n) => within(Math.round((value - low) / (high - low) * n), n)
const cells = (a, b, low, high, n) => [to_cell(Math.min(a, b), low, high, n), to_cell(Math.max(a, b), low, high, n)]
const show_box = (left, right, bottom, top) => {
  const [nx, ny] = shape.data["n"]
  let [x0, x1] = cells(left, right, grid[0], grid[1], nx), [y0, y1] = cells(bottom, top, grid[2], grid[3], ny)
  if (x0 === x1) { x0 = within(x0, nx - 1); x1 = x0 + 1 }
  if (y0 === y1) { y0 = within(y0, ny - 1); y1 = y0 + 1 }
  const x = (i) => grid[0] + (grid[1] - grid[0]) * i / nx, y = (i) => grid[2] + (grid[3] - grid[2]) * i / ny
  const now = [x0, x1, y0, y1], old = [...brush.data["x"], ...brush.data["y"]]
  if (now.some((n, i) => n !== old[i]) || old.length !== 4) brush.data = {x: [x0, x1], y: [y0, y1]}
  box.setv({left: x(x0), right: x(x1), bottom: y(y0), top: y(y1), visible: true})
  if (lasso.data["x"].length > 0) lasso.data = {x: [], y: []}
}
const clear = () => {
  box.setv({visible: false})
  lasso.data = {x: [], y: []}
  if (brush.data["x"].length > 0) brush.data = {x: [], y: []}
}
"""

MAP_ENTER = (
    MAP
    + """
brush._over = true
if (!brush._listens) {
  brush._listens = true
  document.addEventListener("keyup", (event) => { if (event.key === "Escape" && brush._over) clear() })
  box.pan.connect(() => show_box(box.left, box.right, box.bottom, box.top))
}
"""
)

MAP_SELECT = (
    MAP
    + """
const {type, x, y, x0, x1, y0, y1} = cb_obj.geometry
if (type === "rect") show_box(x0, x1, y0, y1)
else if (type === "poly" && cb_obj.final && x.length > 2) {
  box.setv({visible: false})
  lasso.data = {x: Array.from(x), y: Array.from(y)}
  brush.data = {x: Array.from(x), y: Array.from(y)}
}
"""
)

MAP_TAP = (
    MAP
    + """
const {x, y} = cb_obj, [nx, ny] = shape.data["n"]
if (x >= grid[0] && x <= grid[1] && y >= grid[2] && y <= grid[3]) {
  const i = within(Math.floor((x - grid[0]) / (grid[1] - grid[0]) * nx), nx - 1)
  const j = within(Math.floor((y - grid[2]) / (grid[3] - grid[2]) * ny), ny - 1)
  const old = [...brush.data["x"], ...brush.data["y"]]
  const again = cb_obj.event_name === "doubletap" && brush._tapped === i * ny + j
  brush._tapped = i * ny + j
  if (again) clear()
  else if (old.length === 4 && [i, i + 1, j, j + 1].every((n, k) => n === old[k])) clear()
  else {
    const left = grid[0] + (grid[1] - grid[0]) * i / nx, bottom = grid[2] + (grid[3] - grid[2]) * j / ny
    show_box(left, left + (grid[1] - grid[0]) / nx, bottom, bottom + (grid[3] - grid[2]) / ny)
  }
}
"""
)

# Alt or Ctrl, and the pointer means a cell's answer: up for more, down for less. Bokeh's tools hear nothing of it.
# `number` is what writes numbers.
MAP_WANT = (
    GHOSTS
    + """
const view = Bokeh.index.find_one(figure), bus = view?.canvas_view?.ui_event_bus, area = bus?.hit_area
if (!area || area._wants) return
area._wants = true
const at = (event) => {
  const box = area.getBoundingClientRect(), sx = event.clientX - box.left, sy = event.clientY - box.top
  return {sx, sy, x: view.frame.x_scale.invert(sx), y: view.frame.y_scale.invert(sy)}
}
const rounded = (value) => Math.abs(value) < 1000 ? +value.toPrecision(3) : Math.round(+value.toPrecision(3))
// As far as a colour is: where colours stand for powers, so do pixels.
const value_at = (drag, pixels) => {
  const {low, high} = colors
  if (colors.type === "LogColorMapper") {
    const value = Math.max(drag.now, 1) * 2 ** (pixels / 40)
    return pixels === 0 ? drag.now : value < 0.5 ? 0 : rounded(value)
  }
  const value = rounded(drag.now + (high - low) * pixels / 200)
  return additive && low >= 0 ? Math.max(0, value) : value
}
let drag = null, nx = 0, ny = 0
const show = (event) => {
  const {x, y} = at(event), {i, j} = drag, wide = (grid[1] - grid[0]) / nx, high = (grid[3] - grid[2]) / ny
  drag.value = value_at(drag, drag.from - event.clientY)
  const left = grid[0] + wide * i, bottom = grid[2] + high * j, bin = i * ny + j
  const text = `${number(drag.value)} wanted, now ${number(drag.now)}`
  const east = x > (x_range.start + x_range.end) / 2, north = y > (y_range.start + y_range.end) / 2
  const across = east ? {align: "right", dx: -10} : {align: "left", dx: 10}
  const along = north ? {baseline: "top", dy: 10} : {baseline: "bottom", dy: -6}
  const own = {bin, left, right: left + wide, bottom, top: bottom + high, x, y, text, ...across, ...along}
  ghost.setv({data: joined(drag.before, own, drag.add)}, {sync: false})
}
const end = (back) => {
  if (back) ghost.setv({data: drag.before}, {sync: false})
  drag = null
}
const mine = (event) => {
  if (!drag || event.pointerId !== drag.id) return false
  event.stopImmediatePropagation()
  return true
}
area.addEventListener("pointerdown", (event) => {
  if (drag || event.button !== 0 || !(event.altKey || event.ctrlKey) || event.composedPath()[0] !== area) return
  const {sx, sy, x, y} = at(event), cells = shape.data["n"]
  nx = cells[0], ny = cells[1]
  const i = Math.floor((x - grid[0]) / (grid[1] - grid[0]) * nx)
  const j = Math.floor((y - grid[2]) / (grid[3] - grid[2]) * ny)
  const now = i >= 0 && i < nx && j >= 0 && j < ny ? source.data["known"]?.[0]?.[j * nx + i] : undefined
  if (!view.frame.bbox.contains(sx, sy) || now == null || !isFinite(now)) return
  event.stopImmediatePropagation()
  event.preventDefault()
  const before = ghost.data, add = event.shiftKey || Array.from(before["bin"]).includes(i * ny + j)
  drag = {id: event.pointerId, i, j, now, add, before, from: event.clientY}
  area.setPointerCapture(event.pointerId)
  area.style.cursor = "ns-resize"
  const modifiers = {shift: false, ctrl: false, alt: false}
  bus.on_leave({type: "leave", sx: -1, sy: -1, modifiers, native: event})  // takes the tooltip away
  show(event)
}, {capture: true})
area.addEventListener("pointermove", (event) => { if (mine(event)) show(event) }, {capture: true})
area.addEventListener("pointercancel", (event) => { if (mine(event)) end(true) }, {capture: true})
area.addEventListener("pointerup", (event) => {
  if (!mine(event)) return
  if (drag.value === drag.now) return end(true)
  const {i, j, value, add} = drag
  end(false)
  tell(i * ny + j, value, add)
}, {capture: true})
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) end(true) })
"""
)

# The pointer says that it would mean a cell.
MAP_MOVE = """
const {alt, ctrl} = cb_obj.modifiers ?? {}, area = Bokeh.index.find_one(figure)?.canvas_view?.ui_event_bus?.hit_area
if ((alt || ctrl) && area) area.style.cursor = "ns-resize"
"""
