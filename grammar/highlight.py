"""JavaScript that follows the pointer in the browser: no message goes to the server.

Nothing about the data is written into the code. It reads the sources when the event comes, so it goes on working after
Python put another batch into them. What is highlighted is kept in one place only: the highlight's own source. Its rows
are set with ``sync: false``, which draws them without telling the server.
"""

SHOW = """
const show = (loss) => {
  const from = source.data, rows = [], next = {}
  const losses = from["loss_step"]
  if (loss != null)
    for (let i = 0; i < losses.length; i++) if (losses[i] === loss) rows.push(i)
  for (const name of Object.keys(highlight.data)) {
    const column = from[name]
    next[name] = column === undefined ? [] : rows.map((i) => column[i])
  }
  highlight.setv({data: next}, {sync: false})
}
const lit = highlight.data["loss_step"]
"""

# The whole width of a step counts, gaps between bars included: sweeping over them must not make the highlight flicker.
MOVE = (
    SHOW
    + """
const step = Math.round(cb_obj.x), y = cb_obj.y
const {step: steps, top, bottom, loss_step} = source.data
for (let i = 0; i < steps.length; i++) {
  if (steps[i] !== step) continue
  if ((y - top[i]) * (y - bottom[i]) > 0) continue
  if (top[i] === bottom[i]) continue
  if (lit.length === 0 || lit[0] !== loss_step[i]) show(loss_step[i])
  break
}
"""
)

LEAVE = SHOW + "if (lit.length > 0) show(null)"

RENEW = SHOW + "if (lit.length > 0) show(lit[0])"

# From the flow to the horizon: `source` and `highlight` are the flow's, `target` is the horizon's.
HORIZON = """
const lit = highlight.data["loss_step"], shown = target.data["loss_step"]
if (lit.length > 0) target._loss_step = lit[0]
const loss = target._loss_step ?? shown[0]
if (loss == null) return
const from = source.data, losses = from["loss_step"], rows = []
for (let i = 0; i < losses.length; i++) if (losses[i] === loss) rows.push(i)
const next = {}
for (const name of Object.keys(target.data)) {
  const column = from[name]
  if (column !== undefined) next[name] = rows.map((i) => column[i])
}
next["left"] = rows.map((i) => from["step"][i] - half)
next["right"] = rows.map((i) => from["step"][i] + half)
next["top"] = rows.map((i) => from["value"][i])
next["bottom"] = rows.map(() => base)
for (const name of Object.keys(target.data)) next[name] ??= rows.map(() => NaN)
// Setting the target calls this again: then, and when Python brought just this loss, it is there already.
if (cb_obj !== target || shown[0] !== loss) target.setv({data: next}, {sync: false})

let low = 0, high = 0, least = Infinity
const seen = rescale === "loss" ? next["top"] : from["value"]
for (const value of seen) {
  if (value < low) low = value
  if (value > high) high = value
  if (value > 0 && value < least) least = value
}
if (high > low && rescale !== "fixed") {
  const range = log
    ? {start: Math.max(least, high * 1e-6) / 1.5, end: high * 1.5}
    : {start: low * 1.08, end: high * 1.08}
  if (range.start !== y_range.start || range.end !== y_range.end) y_range.setv(range, {sync: false})
}
if (rows.length > 0) {
  let text = `loss of step ${loss}`
  if (next["symbol"]?.[0]) text += ` (${next["symbol"][0]})`
  if (next["loss"]?.[0] != null) text += `: ${next["loss"][0].toFixed(2)} nats`
  caption.items[0].setv({label: {value: text}}, {sync: false})
  const left = Math.min(...next["step"]) - x_range.start, right = x_range.end - loss  // what the bars leave free
  caption.setv({location: left > right ? "top_left" : "top_right"}, {sync: false})
}
"""
