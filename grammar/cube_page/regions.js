// Filters of one attribute, and what they select.
//
// null: nothing is filtered; {kind: "range", start, stop}, half-open; {kind: "set", mask}; {kind: "box", x0, x1, y0, y1};
// {kind: "region", mask, xs, ys}: drawn by hand.

function maskOf(attribute, filter) {
  if (filter === null) return null
  if (filter.mask) return filter.mask
  const mask = new Uint8Array(attribute.bins), {shape} = attribute
  if (filter.kind === "range") mask.fill(1, filter.start, filter.stop)
  else for (let x = filter.x0; x < filter.x1; x++) mask.fill(1, x * shape[1] + filter.y0, x * shape[1] + filter.y1)
  return mask
}

// The same without what says nothing: ranges and boxes over everything, sets of all or nothing
function tidy(attribute, filter) {
  if (filter === null) return null
  const {shape} = attribute
  if (filter.kind === "range") return filter.start <= 0 && filter.stop >= shape[0] ? null : filter
  if (filter.kind === "box") {
    return filter.x0 <= 0 && filter.x1 >= shape[0] && filter.y0 <= 0 && filter.y1 >= shape[1] ? null : filter
  }
  const chosen = filter.mask.reduce((n, one) => n + one, 0)
  return chosen === 0 || (chosen === attribute.bins && filter.kind === "set") ? null : filter
}

function sameMask(x, y) {
  return x === y || (x !== null && y !== null && x.every((one, i) => one === y[i]))
}

// Share of bins that only one of two masks selects, among those that either does
function maskChange(attribute, x, y) {
  let both = 0, either = 0
  for (let i = 0; i < attribute.bins; i++) {
    const one = x === null || x[i], other = y === null || y[i]
    if (one && other) both++
    if (one || other) either++
  }
  return either ? 1 - both / either : 0
}

// Which cells of a grid have their centre in a polygon; centres are at (i + 0.5, j + 0.5)
function cellsInside(shape, xs, ys) {
  const mask = new Uint8Array(shape[0] * shape[1])
  for (let i = 0; i < shape[0]; i++) {
    for (let j = 0; j < shape[1]; j++) mask[i * shape[1] + j] = inside(i + 0.5, j + 0.5, xs, ys) ? 1 : 0
  }
  return mask
}

function inside(x, y, xs, ys) {
  let odd = false
  for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
    if ((ys[i] > y) !== (ys[j] > y) && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) odd = !odd
  }
  return odd
}

// Ranges, boxes and single bins of an attribute that a map of queries shows
function selectionsOf(attribute, occupied) {
  const out = []
  const add = (filter) => out.push({filter, mask: maskOf(attribute, filter)})
  if (attribute.shape.length === 2) {
    const [nx, ny] = attribute.shape
    for (let i = 0; i < nx * ny; i++) if (occupied[i]) add(cellBox(attribute, i))
    for (const w of [Math.ceil(nx / 4), Math.ceil(nx / 2)]) {
      const h = Math.ceil((w * ny) / nx)
      for (let x = 0; x + w <= nx; x += w) {
        for (let y = 0; y + h <= ny; y += h) add({kind: "box", x0: x, x1: x + w, y0: y, y1: y + h})
      }
    }
    return out.filter(({mask}) => mask.some((one, i) => one && occupied[i]))
  }
  for (let i = 0; i < attribute.bins; i++) add(binFilter(attribute, i))
  if (attribute.ordered) {
    const n = attribute.shape[0]
    for (let w = 2; w < n; w *= 2) {
      const step = Math.max(1, w >> 1, Math.ceil(n / 40))
      for (let start = 0; start + w <= n; start += step) add({kind: "range", start, stop: start + w})
    }
  }
  return out
}

function cellBox(attribute, cell) {
  const x = Math.floor(cell / attribute.shape[1]), y = cell % attribute.shape[1]
  return {kind: "box", x0: x, x1: x + 1, y0: y, y1: y + 1}
}

// A range along each axis
function intervalsFilter(ends) {
  if (ends.length === 1) return {kind: "range", start: ends[0][0], stop: ends[0][1]}
  return {kind: "box", x0: ends[0][0], x1: ends[0][1], y0: ends[1][0], y1: ends[1][1]}
}

// By the law that nets are trained on: width or size first, uniform, then the place among those left
function randomFilter(attribute, draw) {
  if (!attribute.ordered) {
    const size = 1 + Math.floor(draw() * attribute.bins), keys = Float64Array.from({length: attribute.bins}, draw)
    const last = Float64Array.from(keys).sort()[size - 1]
    return tidy(attribute, {kind: "set", mask: Uint8Array.from(keys, (key) => (key <= last ? 1 : 0))})
  }
  return tidy(attribute, intervalsFilter(attribute.shape.map((size) => {
    const width = 1 + Math.floor(draw() * size), start = Math.floor(draw() * (size - width + 1))
    return [start, start + width]
  })))
}

// One bin alone
function binFilter(attribute, bin) {
  const regular = attribute.bins - (attribute.missing ? 1 : 0)
  if (attribute.ordered && bin < regular) {
    return attribute.shape.length === 2 ? cellBox(attribute, bin) : {kind: "range", start: bin, stop: bin + 1}
  }
  const mask = new Uint8Array(attribute.bins)
  mask[bin] = 1
  return {kind: "set", mask}
}
