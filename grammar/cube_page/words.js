// Queries and numbers as people say them.

const FORMATS = [0, 1, 2].map((digits) => new Intl.NumberFormat("en-US", {maximumFractionDigits: digits}))

function numberText(value, aggregate) {
  if (!Number.isFinite(value)) return "no rows"
  const size = Math.abs(value)
  const digits = aggregate.kind === "count" || size >= 1000 ? 0 : size >= 100 ? 1 : 2
  const shown = Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value
  return FORMATS[digits].format(shown)
}

function spanText(edges, start, stop) {
  const first = edges[start], last = edges[stop]
  if (first === "-inf") return last === "inf" ? "any" : `below ${last}`
  return last === "inf" ? `from ${first}` : `${first} to ${last}`
}

function filterText(attribute, filter) {
  if (filter === null) return "any"
  const unit = attribute.unit ? ` ${attribute.unit}` : ""
  if (filter.kind === "box") {
    return `${spanText(attribute.edges[0], filter.x0, filter.x1)}, ${spanText(attribute.edges[1], filter.y0, filter.y1)}${unit}`
  }
  if (filter.kind === "region") {
    const cells = filter.mask.reduce((n, one) => n + one, 0)
    return `a drawn region of ${cells} cell${cells === 1 ? "" : "s"}`
  }
  if (filter.kind === "set") return setText(attribute, filter.mask)
  if (attribute.edges) return spanText(attribute.edges, filter.start, filter.stop) + unit
  const first = attribute.labels[filter.start], last = attribute.labels[filter.stop - 1]
  return (first === last ? first : `${first} to ${last}`) + unit
}

const SOME = 4  // labels that are named
function setText(attribute, mask) {
  const chosen = attribute.labels.filter((_, i) => mask[i]), rest = attribute.labels.filter((_, i) => !mask[i])
  if (rest.length && rest.length < chosen.length && rest.length <= SOME) return `all but ${listText(rest, "and")}`
  return listText(chosen, "or")
}

function listText(texts, word) {
  if (texts.length > SOME) return `${texts.slice(0, SOME).join(", ")} ${word} ${texts.length - SOME} more`
  return texts.length < 2 ? texts.join("") : `${texts.slice(0, -1).join(", ")} ${word} ${texts.at(-1)}`
}

function sentenceOf(attributes, filters) {
  const said = attributes.map((each, a) => filters[a] && `${each.title} is ${filterText(each, filters[a])}`).filter(Boolean)
  return said.length ? `rows where ${said.join(" and ")}` : "all rows"
}

// What is different in `next`
function changeText(attributes, filters, next) {
  const said = []
  attributes.forEach((each, a) => {
    const was = maskOf(each, filters[a]), is = maskOf(each, next[a])
    if (sameMask(was, is)) return
    if (next[a]?.kind === "set" && filters[a] !== null && setChange(each, was, is, said)) return
    said.push(`${each.title}: ${filterText(each, next[a])}` + (filters[a] ? ` instead of ${filterText(each, filters[a])}` : ""))
  })
  return said.length ? said.join("; ") : "no change"
}

function setChange(attribute, was, is, said) {
  const more = attribute.labels.filter((_, i) => is[i] && !was[i]), less = attribute.labels.filter((_, i) => was[i] && !is[i])
  if (more.length + less.length > SOME && more.length && less.length) return false
  const parts = []
  if (more.length) parts.push(`with ${listText(more, "and")}`)
  if (less.length) parts.push(`without ${listText(less, "and")}`)
  said.push(`${attribute.title}: ${parts.join(", ")}`)
  return true
}
