"""JavaScript of a graph's plot: which node is near, dragging one, and telling Python what is looked at."""

from __future__ import annotations

# Where a node is near, a drag moves the node; elsewhere it moves the picture.
NEAR = """
if (nodes._dragged != null && nodes._dragged >= 0) return
const w = Math.abs(x_range.end - x_range.start) / figure.inner_width
const h = Math.abs(y_range.end - y_range.start) / figure.inner_height
const {x: xs, y: ys} = nodes.data
let near = -1, best = 81
for (let i = 0; i < xs.length; i++) {
  const dx = (xs[i] - cb_obj.x) / w, dy = (ys[i] - cb_obj.y) / h, far = dx * dx + dy * dy
  if (far < best) { best = far; near = i }
}
nodes._near = near
if (pan && pan.active === (near >= 0)) pan.active = near < 0
"""

# Lines that end at the node follow it at once; Python is told where it was let go.
DRAG = """
if (cb_obj.event_name === "panstart") nodes._dragged = pan && pan.active ? -1 : (nodes._near ?? -1)
const at = nodes._dragged ?? -1
if (at < 0 || at >= nodes.data.x.length) return
const {x, y} = cb_obj
if (cb_obj.event_name === "panend") {
  nodes._dragged = -1
  dropped.data = {mark: [nodes.data.mark[at]], x: [nodes.data.x[at]], y: [nodes.data.y[at]]}
  return
}
nodes.data.x[at] = x
nodes.data.y[at] = y
const node = nodes.data.mark[at]
for (const lines of [edges, links]) {
  const {u, v, x0, y0, x1, y1} = lines.data
  let some = false
  for (let i = 0; i < u.length; i++) {
    if (u[i] === node) { x0[i] = x; y0[i] = y; some = true }
    if (v[i] === node) { x1[i] = x; y1[i] = y; some = true }
  }
  if (some) lines.change.emit()
}
nodes.change.emit()
"""

# As `row_linked_bokeh.HOVER`, but a node over a link comes first.
LINK = """
const over = () => (nodes._mark ?? -1) >= 0
const found = cb_data.index.indices
const mark = found.length > 0 && !over() ? found[0] : -1
const tell = () => {
  const page = source.document
  const now = over() ? -1 : source._mark
  if (source._told === now && page._pointing === source) return
  source._told = now
  source._when = Date.now()
  if (now >= 0) page._pointing = source
  else if (page._pointing !== source) return
  pointed.data = now < 0 ? {mark: [], when: []} : {mark: [now], when: [source._when]}
}
if ((source._mark ?? -1) !== mark) {
  source._mark = mark
  clearTimeout(source._telling)
  source._telling = setTimeout(tell, mark < 0 ? 80 : Math.max(0, 40 - (Date.now() - (source._when ?? 0))))
}
"""

# An image has no nodes to hit: Python is told where the pointer is, a few times a second, with how long a pixel is.
AT = """
if (raster.data.image.length === 0 || nodes.data.x.length > 0) return
const {x, y} = cb_obj, now = Date.now()
if (kind === "at" && now - (to._when ?? 0) < 60) return
to._when = now
const w = Math.abs(x_range.end - x_range.start) / figure.inner_width
const h = Math.abs(y_range.end - y_range.start) / figure.inner_height
to.data = {x: [x], y: [y], w: [w], h: [h]}
"""
LEFT = "if (to.data.x.length) to.data = {x: [], y: [], w: [], h: []}"

# Python is asked for one image at a time; what was moved meanwhile is asked for when it has come. The image reaches
# beyond the frame, so that small moves ask for nothing.
DRAW = """
const span = (range) => Math.abs(range.end - range.start)
const w = span(x_range), h = span(y_range)
const x0 = Math.min(x_range.start, x_range.end), y0 = Math.min(y_range.start, y_range.end)
if (!(w > 0 && h > 0) || figure.inner_width < 40 || figure.inner_height < 40) return
if (cb_obj === raster) window._asked = 0
const last = window._last
const near = last && Math.abs(Math.log(w / last[2])) < 0.1 && Math.abs(Math.log(h / last[3])) < 0.1 &&
  Math.abs(x0 - last[0]) < 0.15 * w && Math.abs(y0 - last[1]) < 0.15 * h &&
  Math.abs(figure.inner_width - last[4]) < 30 && Math.abs(figure.inner_height - last[5]) < 30
if (near) return
const again = () => {
  if (window._timer != null) return
  window._timer = setTimeout(() => { window._timer = null; ask() }, 60)
}
const ask = () => {
  if (Date.now() - (window._asked ?? 0) < 1500) return again()
  const w = span(x_range), h = span(y_range)
  const x0 = Math.min(x_range.start, x_range.end), y0 = Math.min(y_range.start, y_range.end)
  window._last = [x0, y0, w, h, figure.inner_width, figure.inner_height]
  window._asked = raster.data.image.length ? Date.now() : 0
  window.data = {at: [x0, y0, x0 + w, y0 + h, figure.inner_width, figure.inner_height]}
}
again()
"""
