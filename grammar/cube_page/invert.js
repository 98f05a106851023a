// From a wanted answer to queries that give it.
//
// The answer is a sum over the bins that one attribute selects, the others held: so along one attribute every range, box or
// set is judged exactly, from one contribution per bin. The search goes from attribute to attribute, from many starts.

const HIT = 0.01  // relative misses up to this are as good as none
const DEAR = 1e-6  // short of a hit, a change of one whole attribute costs as much as this miss
const FAR = 100  // more than any change costs
const APART = 0.2  // between two suggestions, at least
const COARSE = 14  // ends of ranges along an axis that are tried before moving by single bins

class Search {
  // target: {view, bin, value}; bin null: the total. `filters` are where it starts, `free` which attributes may change.
  constructor(engine, aggregate, target, filters, free, seed) {
    Object.assign(this, {engine, aggregate, target, filters, free})
    this.random = random(seed)
    this.nets = aggregate.parts.map((k) => engine.nets[k])
    this.base = engine.attributes.map((each, a) => maskOf(each, filters[a]))
    this.sums = this.nets.map((net) => this.base.map((mask, a) => net.sum(a, mask)))
    if (target.bin !== null) this.nets.forEach((net, k) => { this.sums[k][target.view] = net.one(target.view, target.bin) })
    this.least = aggregate.kind === "count" ? 1 : this.small()
    this.hit = aggregate.kind === "count" ? Math.max(HIT, 0.5 / Math.max(1, Math.abs(target.value))) : HIT
  }

  // Misses of measures are relative to no less than 1% of the view's mean answer
  small() {
    const known = this.engine.values[this.target.view].filter((value) => Number.isFinite(value))
    return (0.01 * known.reduce((sum, value) => sum + Math.abs(value), 0)) / (known.length || 1) || 1
  }

  miss(answer) {
    if (!Number.isFinite(answer)) return Infinity
    return Math.abs(answer - this.target.value) / Math.max(Math.abs(this.target.value), this.least)
  }

  // Hits by what they change, most of all; the others by their miss
  cost(answer, change) {
    const miss = this.miss(answer)
    return miss <= this.hit ? miss + change : FAR + miss + DEAR * change
  }

  run(starts) {
    const found = [this.candidate([])]
    for (let k = 0; k < starts; k++) found.push(this.candidate(this.course(k)))
    return found
  }

  // Which attributes a start changes, in which order: each alone, then pairs and threes
  course(k) {
    if (k < this.free.length) return [this.free[k]]
    const order = [...this.free].sort(() => this.random() - 0.5)
    return order.slice(0, 2 + (k % 2))
  }

  candidate(course) {
    const next = [...this.filters], sums = this.nets.map((_, k) => [...this.sums[k]])
    const put = (a, filter) => {
      next[a] = filter
      const mask = maskOf(this.engine.attributes[a], filter)
      this.nets.forEach((net, k) => { sums[k][a] = net.sum(a, mask) })
    }
    for (const a of course.slice(0, -1)) put(a, randomFilter(this.engine.attributes[a], this.random))
    for (const a of [...course].reverse()) put(a, this.along(a, sums))
    const answer = this.answer(sums)
    const change = this.engine.attributes.reduce((sum, each, a) => sum + this.change(each, a, next[a]), 0)
    return {filters: next, answer, miss: this.miss(answer), change}
  }

  change(attribute, a, filter) {
    return this.free.includes(a) ? maskChange(attribute, maskOf(attribute, filter), this.base[a]) : 0
  }

  answer(sums) {
    return combine(this.aggregate, ...this.nets.map((net, k) => dot(products(sums[k], net.rank)[0], sums[k][0])))
  }

  // The best filter of attribute a, the others as they are
  along(a, sums) {
    const each = this.engine.attributes[a]
    const adds = this.nets.map((net, k) => net.contributions(a, products(sums[k], net.rank)[a], new Float64Array(each.bins)))
    if (!each.ordered) return this.bestSet(each, a, adds)
    return this.bestIntervals(each, a, adds)
  }

  bestSet(each, a, adds) {
    const base = this.base[a] ?? new Uint8Array(each.bins).fill(1)
    const judge = (mask) => {
      const answer = combine(this.aggregate, ...adds.map((add) => masked(add, mask)))
      return this.cost(answer, maskChange(each, mask, base))
    }
    const starts = [base, binFilter(each, Math.floor(this.random() * each.bins)).mask]
    let best = null, least = Infinity
    for (const start of starts) {
      const mask = Uint8Array.from(start)
      let cost = judge(mask)
      for (let step = 0; step < 10; step++) {
        let move = -1
        for (let i = 0; i < each.bins; i++) {
          mask[i] ^= 1
          const tried = mask.some((one) => one) ? judge(mask) : Infinity
          if (tried < cost) [cost, move] = [tried, i]
          mask[i] ^= 1
        }
        if (move < 0) break
        mask[move] ^= 1
      }
      if (cost < least) [best, least] = [mask, cost]
    }
    return sameMask(best, base) ? this.filters[a] : tidy(each, {kind: "set", mask: best})
  }

  bestIntervals(each, a, adds) {
    const tables = adds.map((add) => new AreaTable(each.shape, add))
    const ones = this.base[a] ?? new Uint8Array(each.bins).fill(1)
    const selected = new AreaTable(each.shape, ones), all = selected.total
    const extra = adds.map((add) => (each.missing ? add[each.bins - 1] : 0))
    const judge = (ends) => {
      const whole = ends.every(([start, stop], k) => start === 0 && stop === each.shape[k])
      const both = selected.sum(ends), area = ends.reduce((n, [start, stop]) => n * (stop - start), 1)
      const answer = combine(this.aggregate, ...tables.map((table, k) => table.sum(ends) + (whole ? extra[k] : 0)))
      return this.cost(answer, 1 - both / (area + all - both))
    }
    const [ends, cost] = refine(each.shape, scan(each.shape, judge), judge)
    const kept = this.cost(combine(this.aggregate, ...adds.map((add) => masked(add, ones))), 0)
    return kept <= cost ? this.filters[a] : tidy(each, intervalsFilter(ends))
  }
}

// Sums over ranges and boxes of values (bins), in four look-ups
class AreaTable {
  constructor(shape, values) {
    this.width = shape.length === 2 ? shape[1] + 1 : 2
    const [nx, ny] = [shape[0], this.width - 1], w = this.width
    this.table = new Float64Array((nx + 1) * w)
    for (let x = 0; x < nx; x++) {
      for (let y = 0, row = 0; y < ny; y++) {
        row += values[x * ny + y]
        this.table[(x + 1) * w + y + 1] = this.table[x * w + y + 1] + row
      }
    }
    this.total = this.table[nx * w + ny]
  }

  sum([[x0, x1], [y0, y1] = [0, 1]]) {
    const {table, width: w} = this
    return table[x1 * w + y1] - table[x0 * w + y1] - table[x1 * w + y0] + table[x0 * w + y0]
  }
}

// The best of coarse ranges (in space: boxes)
function scan(shape, judge) {
  const axes = shape.map((size) => coarse(size, shape.length === 2 ? COARSE / 2 : 2 * COARSE))
  let best = null, least = Infinity
  for (const x of axes[0]) {
    for (const y of axes[1] ?? [null]) {
      const ends = y ? [x, y] : [x], cost = judge(ends)
      if (best === null || cost < least) [best, least] = [ends, cost]
    }
  }
  return [best, least]
}

function coarse(size, most) {
  const step = Math.max(1, Math.ceil(size / most)), places = [], out = []
  for (let at = 0; at < size; at += step) places.push(at)
  places.push(size)
  places.forEach((start, i) => places.slice(i + 1).forEach((stop) => out.push([start, stop])))
  return out
}

// Then ends are moved by single bins, as long as that helps
function refine(shape, [ends, cost], judge) {
  for (let round = 0; round < 20; round++) {
    let better = null
    for (let k = 0; k < shape.length; k++) {
      for (const [low, high] of [[-1, 0], [1, 0], [0, -1], [0, 1], [1, 1], [-1, -1]]) {
        const moved = ends.map((each) => [...each])
        moved[k][0] += low
        moved[k][1] += high
        if (moved[k][0] < 0 || moved[k][1] > shape[k] || moved[k][0] >= moved[k][1]) continue
        const tried = judge(moved)
        if (tried < cost) [better, cost] = [moved, tried]
      }
    }
    if (better === null) break
    ends = better
  }
  return [ends, cost]
}

// Suggestions {filters, answer, miss, change, hit}: those that hit by their change, then the others by their miss; distinct,
// and nearer to what is wanted than the filters they start from
function invert(engine, aggregate, target, filters, free, {starts = 64, n = 5, seed = 1} = {}) {
  const may = free.filter((a) => target.bin === null || a !== target.view)
  if (!may.length) return []
  const search = new Search(engine, aggregate, target, filters, may, seed), [base, ...found] = search.run(starts)
  const ranked = found.filter((each) => each.miss < base.miss).sort((x, y) => order(search, x, y))
  const chosen = []
  for (const each of ranked) {
    if (chosen.length === n) break
    if (each.change > 0 && chosen.every((other) => distance(engine, each.filters, other.filters) > APART)) chosen.push(each)
  }
  return chosen.map((each) => ({...each, hit: each.miss <= search.hit}))
}

function order(search, x, y) {
  const misses = [x, y].map((each) => (each.miss <= search.hit ? 0 : each.miss))
  if (misses[0] !== misses[1]) return misses[0] - misses[1]
  return x.change - y.change || x.miss - y.miss
}

function distance(engine, x, y) {
  return engine.attributes.reduce((sum, each, a) => sum + maskChange(each, maskOf(each, x[a]), maskOf(each, y[a])), 0)
}
