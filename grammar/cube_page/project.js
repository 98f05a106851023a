// Where selections of an attribute lie on a plane on which near means alike in the answers: principal components of their
// totals under random queries of the other attributes (see learnviews.kernels.cube.project).

const CONTEXTS = 96

// Positions [x, y] of masks (each over the attribute's bins)
function project(engine, aggregate, attribute, masks) {
  const X = differencesFromNothing(engine, aggregate, attribute, masks), axes = principal(X, CONTEXTS)
  const places = X.map((row) => axes.map((axis) => dot(row, axis) / Math.sqrt(CONTEXTS)))
  const right = places.reduce((sum, place) => sum + place[0], 0) >= 0 ? 1 : -1
  const farthest = places.reduce((y, place) => (Math.abs(place[1]) > Math.abs(y) ? place[1] : y), 0)
  return places.map(([x, y]) => [x * right, farthest >= 0 ? y : -y])
}

// Totals (selections, contexts), less those of the empty selection
function differencesFromNothing(engine, aggregate, attribute, masks) {
  const draw = random(7), contexts = []
  for (let c = 0; c < CONTEXTS; c++) contexts.push(context(engine, aggregate, attribute, draw))
  const usual = aggregate.kind === "mean" ? aggregate.usual : 0
  return masks.map((mask) => Float64Array.from(contexts, (parts) => {
    const [first, second] = parts.map((part) => masked(part, mask))
    if (aggregate.kind === "mean" && first < 1) return 0  // of less than a row it is noise of any size
    return combine(aggregate, first, second) - usual
  }))
}

// What each bin adds, per part, under a random query of the other attributes
function context(engine, aggregate, attribute, draw) {
  const masks = engine.attributes.map((each) => maskOf(each, randomFilter(each, draw)))
  const {bins} = engine.attributes[attribute]
  return aggregate.parts.map((k) => {
    const net = engine.nets[k], sums = masks.map((mask, a) => net.sum(a, mask))
    return net.contributions(attribute, products(sums, net.rank)[attribute], new Float64Array(bins))
  })
}

// The two axes (n) that keep most of the rows' lengths, by power iteration
function principal(rows, n) {
  const gram = Array.from({length: n}, () => new Float64Array(n))
  for (const row of rows) {
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) gram[i][j] += row[i] * row[j]
  }
  const axes = []
  for (let k = 0; k < 2; k++) {
    let axis = Float64Array.from({length: n}, (_, i) => 1 + ((i * 7919 + k * 104729) % 13) / 13)
    for (let step = 0; step < 100; step++) axis = unit(orthogonal(Float64Array.from(gram, (row) => dot(row, axis)), axes))
    axes.push(axis)
  }
  return axes
}

function orthogonal(vector, axes) {
  for (const axis of axes) {
    const along = dot(vector, axis)
    for (let i = 0; i < vector.length; i++) vector[i] -= along * axis[i]
  }
  return vector
}

function unit(vector) {
  const length = Math.sqrt(dot(vector, vector)) || 1
  return vector.map((value) => value / length)
}
