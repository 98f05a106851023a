// Answers of product nets, in typed arrays. Nothing here knows of the page.
//
// f(q) = sum_r prod_a S[a][r], S[a] = sum of the factors E[i] of the bins that attribute a selects. View a shows, for each
// of its bins i, sum_r P[a][r] E[i][r] with P[a] the product of the other attributes' S: it ignores its own filter.

function bytesOf(text) {
  const raw = atob(text), out = new Uint8Array(raw.length)
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i)
  return out
}

function floatsOf(text, type) {
  const bytes = bytesOf(text)
  if (type === "f4") return new Float32Array(bytes.buffer)
  if (type === "f8") return new Float64Array(bytes.buffer)
  return Float32Array.from(new Uint16Array(bytes.buffer), fromHalf)
}

function fromHalf(bits) {
  const sign = bits >> 15 ? -1 : 1, power = (bits >> 10) & 31, rest = bits & 1023
  if (power === 0) return sign * rest * 2 ** -24
  return power === 31 ? (rest ? NaN : sign * Infinity) : sign * (1 + rest / 1024) * 2 ** (power - 15)
}

class Net {
  // factors (kept bins, rank); bins[k] is the place of factor k among its attribute's bins
  constructor(spec) {
    this.rank = spec.rank
    this.offsets = spec.offsets
    this.bins = Int32Array.from(spec.bins)
    const log = floatsOf(spec.log, spec.type), negative = spec.sign ? bytesOf(spec.sign) : null
    this.factors = new Float32Array(log.length)
    for (let k = 0; k < log.length; k++) {
      const below = negative && (negative[k >> 3] >> (7 - (k & 7))) & 1
      this.factors[k] = below ? -Math.exp(log[k]) : Math.exp(log[k])
    }
  }

  // S[a] of a mask over the attribute's bins; null: all
  sum(a, mask) {
    const {rank, factors, bins, offsets} = this, out = new Float64Array(rank)
    for (let k = offsets[a]; k < offsets[a + 1]; k++) {
      if (mask !== null && !mask[bins[k]]) continue
      for (let r = 0, at = k * rank; r < rank; r++) out[r] += factors[at + r]
    }
    return out
  }

  // The factors of one bin, as if it were selected alone
  one(a, bin) {
    const {rank, factors, bins, offsets} = this
    for (let k = offsets[a]; k < offsets[a + 1]; k++) {
      if (bins[k] === bin) return Float64Array.from(factors.subarray(k * rank, (k + 1) * rank))
    }
    return new Float64Array(rank)
  }

  // What each bin of attribute a adds to the answer if the others multiply to `product` -> out (bins)
  contributions(a, product, out) {
    const {rank, factors, bins, offsets} = this
    out.fill(0)
    for (let k = offsets[a]; k < offsets[a + 1]; k++) {
      let sum = 0
      for (let r = 0, at = k * rank; r < rank; r++) sum += product[r] * factors[at + r]
      out[bins[k]] = sum
    }
    return out
  }
}

// P[a] (rank) per attribute from S
function products(sums, rank) {
  const d = sums.length, out = []
  let before = new Float64Array(rank).fill(1)
  for (let a = 0; a < d; a++) {
    out.push(Float64Array.from(before))
    if (a + 1 < d) for (let r = 0; r < rank; r++) before[r] *= sums[a][r]
  }
  const after = before.fill(1)
  for (let a = d - 1; a >= 0; a--) {
    for (let r = 0; r < rank; r++) {
      out[a][r] *= after[r]
      after[r] *= sums[a][r]
    }
  }
  return out
}

function dot(x, y) {
  let sum = 0
  for (let r = 0; r < x.length; r++) sum += x[r] * y[r]
  return sum
}

// The aggregate from its parts' values; the mean of no rows is NaN
const SMALLEST = 1e-3, FEW = 0.5
function combine(aggregate, first, second) {
  if (aggregate.kind === "count") return Math.max(first, 0)
  if (aggregate.kind === "sum") return first
  return first > SMALLEST ? aggregate.centre + second / Math.max(first, FEW) : NaN
}

const LEVELS = 40
function level(size) {
  const power = Math.floor(Math.log2(Math.max(Number.isNaN(size) ? 0 : size, 1e-9)))
  return Math.min(Math.max(power + 2, 0), LEVELS - 1)
}

// [low, high] around an answer of a view, as calibrated on queries that were held out
function interval(aggregate, view, answer, size) {
  const at = view * LEVELS + level(size), below = aggregate.below[at], above = aggregate.above[at]
  const floor = aggregate.kind === "count" ? 0 : -Infinity
  if (Number.isNaN(below)) {
    return [Math.max(Math.min(0, answer) - above, floor), Math.max(0, answer) + above]
  }
  return [Math.max(answer - below, floor), answer + above]
}

class Engine {
  constructor(spec) {
    this.attributes = spec.attributes
    this.nets = spec.nets.map((net) => new Net(net))
    this.aggregates = spec.aggregates.map((each) => ({
      ...each, below: floatsOf(each.below, "f4"), above: floatsOf(each.above, "f4"),
    }))
    this.masks = this.attributes.map(() => null)
    this.full = this.nets.map((net) => this.attributes.map((_, a) => net.sum(a, null)))
    this.sums = this.full.map((sums) => [...sums])
    const empty = () => this.attributes.map((each) => new Float64Array(each.bins))
    this.parts = this.nets.map(empty)
    this.totals = this.nets.map(() => 0)
    this.values = empty()
    this.low = empty()
    this.high = empty()
  }

  // Filter attribute a by a mask (bins) of 0 and 1, or by nothing; only its sums are renewed. Was it a change?
  filter(a, mask) {
    if (this.masks[a] === mask) return false
    this.masks[a] = mask
    this.nets.forEach((net, k) => { this.sums[k][a] = mask === null ? this.full[k][a] : net.sum(a, mask) })
    return true
  }

  // All views and their intervals under the present filters, into values, low and high; returns the total.
  // View `own` is left as it is: it does not see its own filter.
  answer(aggregate, own = -1) {
    for (const k of aggregate.parts) {
      const net = this.nets[k], P = products(this.sums[k], net.rank)
      this.attributes.forEach((_, a) => { if (a !== own) net.contributions(a, P[a], this.parts[k][a]) })
      this.totals[k] = dot(P[0], this.sums[k][0])
    }
    this.attributes.forEach((_, a) => { if (a !== own) this.view(aggregate, a) })
    return combine(aggregate, ...aggregate.parts.map((k) => this.totals[k]))
  }

  view(aggregate, a) {
    const first = this.parts[aggregate.parts[0]][a], second = this.parts[aggregate.parts.at(-1)][a]
    const quotient = aggregate.kind === "mean"
    for (let i = 0; i < first.length; i++) {
      const value = combine(aggregate, first[i], second[i])
      const ends = interval(aggregate, a, value, quotient ? first[i] : Math.abs(value))
      this.values[a][i] = value
      this.low[a][i] = ends[0]
      this.high[a][i] = ends[1]
    }
  }

  // Of the total: the widest of the views' intervals, each of whose bars is a total, too
  totalInterval(aggregate, total) {
    const size = aggregate.kind === "mean" ? this.totals[aggregate.parts[0]] : Math.abs(total)
    const ends = this.attributes.map((_, a) => interval(aggregate, a, total, size))
    return [Math.min(...ends.map((each) => each[0])), Math.max(...ends.map((each) => each[1]))]
  }

  // The aggregate if attribute a selected `mask` instead
  totalWith(aggregate, a, mask) {
    return combine(aggregate, ...aggregate.parts.map((k) => masked(this.parts[k][a], mask)))
  }
}

function masked(values, mask) {
  let sum = 0
  for (let i = 0; i < values.length; i++) if (mask[i]) sum += values[i]
  return sum
}

// Uniform numbers in [0, 1) from a seed (mulberry32, public domain)
function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
