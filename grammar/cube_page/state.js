// What is selected, and how it came about: one list of filters per step, to go back and forth through.

class State {
  constructor(attributes) {
    this.attributes = attributes
    this.filters = attributes.map(() => null)
    this.past = []
    this.future = []
  }

  // The filters with another one for attribute a
  with(a, filter) {
    return this.filters.map((each, k) => (k === a ? tidy(this.attributes[k], filter) : each))
  }

  // Makes a step; false where nothing changes
  commit(filters) {
    const next = filters.map((each, k) => tidy(this.attributes[k], each))
    if (this.same(next, this.filters)) return false
    this.past.push(this.filters)
    this.future = []
    this.filters = next
    return true
  }

  same(x, y) {
    return this.attributes.every((each, k) => x[k] === y[k] || (x[k]?.kind === y[k]?.kind && sameMask(maskOf(each, x[k]), maskOf(each, y[k]))))
  }

  undo() {
    return this.step(this.past, this.future)
  }

  redo() {
    return this.step(this.future, this.past)
  }

  step(from, to) {
    if (!from.length) return false
    to.push(this.filters)
    this.filters = from.pop()
    return true
  }
}
