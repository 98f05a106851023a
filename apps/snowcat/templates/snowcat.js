window.snowcat = (() => {
  const {model, opened, isTyped} = window.learnviews
  const board = document.getElementById("board"), offered = document.getElementById("offered"), adder = document.getElementById("add-button")
  let serial = 0
  let acted = false  // the user did something since the address was last told
  const ask = (pane, word, argument = null) => {
    const to = model("asked")
    if (to) to.tags = [++serial, pane, word, argument]
    if (word !== "go to" && word !== "restore") acted = true
  }
  const paneOf = (element) => element.closest("[data-pane]")?.dataset.pane

  // -- panes: what the server writes

  const drawn = {}
  let pressed = false, waiting = new Map()
  const place = (name) => document.querySelector(`[data-pane="${name}"]`)
  const render = (name, html) => {
    morph(place(name), html)
    remark()
  }
  const draw = (name, [number, html]) => {
    if (number <= (drawn[name] ?? 0)) return
    drawn[name] = number
    if (pressed) waiting.set(name, html)  // a button must not be replaced between press and release
    else render(name, html)
  }
  const release = () => {
    pressed = false
    for (const [name, html] of waiting) render(name, html)
    waiting = new Map()
  }
  document.addEventListener("pointerdown", (event) => { pressed = Boolean(event.target.closest("[data-pane]")) }, {capture: true})
  for (const name of ["pointerup", "pointercancel", "dragend"]) window.addEventListener(name, () => setTimeout(release), {capture: true})

  // -- what is done in panes

  const value = (input) => input.type === "checkbox" ? input.checked : input.value
  const isText = (input) => input.matches("input[type=text], input[type=search], input[type=number], textarea")
  const take = (input) => {
    if (isText(input)) input.defaultValue = input.value
    const [word, ...more] = JSON.parse(input.dataset.ask)
    ask(paneOf(input), word, [...more, value(input)])
  }
  document.addEventListener("change", (event) => { if (event.target.dataset?.ask) take(event.target) })
  document.addEventListener("change", async (event) => {
    const input = event.target, file = input.dataset?.file && input.files[0]
    if (!file) return
    const text = file.size > 1e6 ? "" : await file.text()
    ask(paneOf(input), input.dataset.file, {name: file.name, size: file.size, text})
    input.value = ""  // the same file again is a change, too
  })
  let typing = null
  document.addEventListener("input", (event) => {
    const input = event.target
    if (!input.dataset?.type) return
    clearTimeout(typing)
    typing = setTimeout(() => ask(paneOf(input), input.dataset.type, value(input)), input.type === "range" ? 30 : 200)
  })
  const fields = (form) => {
    const found = {}
    for (const input of form.elements) {
      if (!input.name || ((input.type === "radio") && !input.checked)) continue
      const several = form.querySelectorAll(`[name="${CSS.escape(input.name)}"]`).length > 1 && input.type === "checkbox"
      if (several) { found[input.name] ??= []; if (input.checked) found[input.name].push(input.value) }
      else if (input.multiple) found[input.name] = [...input.selectedOptions].map((each) => each.value)
      else found[input.name] = value(input)
    }
    return found
  }
  document.addEventListener("submit", (event) => {
    const form = event.target
    if (!form.dataset.form) return
    event.preventDefault()
    ask(paneOf(form), form.dataset.form, fields(form))
  })

  // -- rows and models: pointed at and clicked

  const kinds = {row: "[data-row]", model: "[data-model]"}
  const pointed = {row: "", model: ""}
  let telling = null, wanted = {}
  const light = (kind, id) => {
    if (pointed[kind] === id) return
    pointed[kind] = wanted[kind] = id
    telling ??= setTimeout(() => {
      telling = null
      for (const [each, id] of Object.entries(wanted)) ask("page", "light", [each, id === "" ? [] : [JSON.parse(id)]])
      wanted = {}
    }, 40)
  }
  document.addEventListener("mouseover", (event) => {
    for (const kind in kinds) light(kind, event.target.closest?.(kinds[kind])?.dataset[kind] ?? "")
  })
  document.documentElement.addEventListener("mouseleave", () => { for (const kind in kinds) light(kind, "") })
  let said = {row: {lit: [], kept: []}, model: {lit: [], kept: []}}
  const remark = () => {
    for (const kind in kinds) {
      for (const [which, name] of [["lit", "lit"], ["kept", "is-kept"]]) {
        const ids = new Set(said[kind][which].map((id) => JSON.stringify(id)))
        for (const each of document.querySelectorAll(kinds[kind])) each.classList.toggle(name, ids.has(JSON.stringify(JSON.parse(each.dataset[kind]))))
      }
    }
  }
  const mark = ([number, told]) => {
    said = told
    remark()
    const words = [["rows", "row"], ["models", "model"]].filter(([many]) => told.counts[many]).map(([many, one]) => `${told.counts[many].toLocaleString("en")} ${told.counts[many] === 1 ? one : many}`)
    document.getElementById("kept").hidden = !words.length
    document.getElementById("kept-words").textContent = `${words.join(" and ")} kept`
  }
  document.getElementById("kept-clear").addEventListener("click", () => ask("page", "clear"))

  document.addEventListener("click", (event) => {
    const target = event.target
    const doing = target.closest?.("[data-do]")
    if (doing && !doing.disabled && paneOf(doing)) return ask(paneOf(doing), ...JSON.parse(doing.dataset.do))
    if (target.closest?.("input, select, textarea, label, a")) return
    for (const kind in kinds) {
      const each = target.closest?.(kinds[kind])
      if (each && paneOf(each)) return ask("page", "keep", [kind, [JSON.parse(each.dataset[kind])], event.shiftKey])
    }
    const on = target.closest?.("[data-card]")
    if (on?.dataset.card === "help") { const about = on.closest(".card").querySelector(".about"); about.hidden = !about.hidden }
    if (on?.dataset.card === "close") ask("page", "remove", on.closest(".card").dataset.name)
    if (target === adder) return offer(offered.hidden)
    const adding = target.closest?.("#offered button")
    if (adding) ask("page", "add", adding.dataset.name)
    offer(false)
  })

  // -- the board

  let cards = [], last = 0
  const element = (card) => document.getElementById(`card${card.slot}`)
  const offer = (open) => { offered.hidden = !open; adder.setAttribute("aria-expanded", open) }
  const put = () => cards.forEach((card, at) => {
    const it = element(card)
    it.style.order = at
    it.style.gridColumn = `span ${card.width}`
    it.style.gridRow = `span ${card.height}`
  })
  // Rows are as high as lets the step's cards fill the window, not below LEAST; sizing and moving cards changes nothing.
  const LEAST = 36, GAP = 8
  let row = LEAST, laid = ""
  const fitRows = () => {
    board.style.setProperty("--row", `${LEAST}px`)
    const bottoms = cards.map((card) => element(card).getBoundingClientRect().bottom)
    const top = board.getBoundingClientRect().top, high = Math.max(...bottoms, top) - top + GAP
    const rows = Math.round(high / (LEAST + GAP)), room = innerHeight - (top + scrollY) - 4
    row = rows ? Math.max(LEAST, Math.floor(room / rows) - GAP) : LEAST
    board.style.setProperty("--row", `${row}px`)
  }
  window.addEventListener("resize", fitRows)
  // Boards that the user arranged, by step: this browser's pages have them again.
  const BOARDS = "learnviews.snowcat.boards"
  const boards = () => { try { return JSON.parse(localStorage.getItem(BOARDS)) ?? {} } catch { return {} } }
  const keep = (step, own) => {
    const all = boards()
    if (JSON.stringify(all[step] ?? null) === JSON.stringify(own)) return
    if (own === null) delete all[step]; else all[step] = own
    try { localStorage.setItem(BOARDS, JSON.stringify(all)) } catch {}  // a browser that keeps nothing
  }
  const lay = ([number, told]) => {
    if (number <= last) return
    last = number
    cards = told.cards
    const shown = new Set(cards.map((card) => card.slot))
    for (const each of document.querySelectorAll(".card")) if (!shown.has(Number(each.id.slice(4)))) each.hidden = true
    for (const card of cards) {
      const it = element(card)
      if (it.hidden || it.dataset.name !== card.name) it.querySelector(".about").hidden = true
      it.dataset.name = card.name
      it.querySelector(".title").textContent = card.title
      it.querySelector(".about").textContent = card.help
      it.hidden = false
    }
    put()
    const now = JSON.stringify([told.step, ...cards.map((card) => card.name).sort()])
    if (now !== laid) fitRows()
    laid = now
    keep(told.step, told.own)
    document.getElementById("nothing").hidden = cards.length > 0
    morph(offered, told.offered.map((each) => `<button role="menuitem" data-name="${each.name}">${each.title}<small>${each.help.replace(/[<&]/g, (letter) => letter === "<" ? "&lt;" : "&amp;")}</small></button>`).join("") || "<p>All cards that fit are there.</p>")
  }
  const arranged = () => { put(); ask("page", "arrange", cards.map((card) => [card.name, card.width, card.height])) }
  const columnWidth = () => (board.clientWidth + 8) / 12
  let drag = null
  board.addEventListener("pointerdown", (event) => {
    const it = event.target.closest(".card")
    const card = cards.find((each) => it && element(each) === it)
    if (!card || event.target.closest("button") || event.button) return
    const kind = event.target.closest(".corner") ? "size" : event.target.closest("h2") ? "move" : ""
    if (!kind) return
    drag = {kind, card, it, x: event.clientX, y: event.clientY, width: card.width, height: card.height, moved: false}
    event.target.setPointerCapture(event.pointerId)
  })
  board.addEventListener("pointermove", (event) => {
    if (!drag) return
    const dx = event.clientX - drag.x, dy = event.clientY - drag.y
    if (!drag.moved && Math.hypot(dx, dy) < 5) return
    drag.moved = true
    if (drag.kind === "size") {
      drag.card.width = Math.max(2, Math.min(12, Math.round(drag.width + dx / columnWidth())))
      drag.card.height = Math.max(3, Math.min(40, Math.round(drag.height + dy / (row + GAP))))
      return put()
    }
    drag.it.classList.add("moved")
    const over = document.elementsFromPoint(event.clientX, event.clientY).map((each) => each.closest?.(".card")).find((each) => each && each !== drag.it)
    const to = cards.findIndex((each) => element(each) === over)
    if (to < 0 || drag.over === over) { if (to < 0) drag.over = null; return }
    drag.over = over  // once per card that is passed, or they would swap to and fro
    cards = cards.filter((each) => each !== drag.card)
    cards.splice(to, 0, drag.card)
    put()
  })
  const drop = () => {
    if (!drag) return
    const {moved, it} = drag
    it.classList.remove("moved")
    drag = null
    if (moved) arranged()
  }
  board.addEventListener("pointerup", drop)
  board.addEventListener("pointercancel", drop)
  board.addEventListener("keydown", (event) => {
    const title = event.target.closest?.("h2"), step = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[event.key]
    const at = cards.findIndex((each) => title && element(each) === title.closest(".card"))
    if (at < 0 || !step || !event.altKey || event.target !== title) return
    event.preventDefault()
    const card = cards[at], wide = event.key === "ArrowLeft" || event.key === "ArrowRight"
    if (event.shiftKey && wide) card.width = Math.max(2, Math.min(12, card.width + step))
    else if (event.shiftKey) card.height = Math.max(3, Math.min(40, card.height + step))
    else { cards.splice(at, 1); cards.splice(Math.max(0, Math.min(cards.length, at + step)), 0, card) }
    arranged()
  })

  // -- keys and address

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyped(event)) return
    if (event.key === "Escape") { if (!offered.hidden) return offer(false); ask("page", "clear") }
    const step = document.querySelectorAll("#steps .step")[Number(event.key) - 1]
    if (step && !step.disabled) step.click()
  })
  let remembered = ""
  const address = () => { try { return decodeURI(location.hash.slice(1)) } catch { return location.hash.slice(1) } }
  const placeOf = (text) => { const told = new URLSearchParams(text); return `${told.get("data")} ${told.get("step")}` }
  const remember = (text) => {
    // To go back in the browser is to go back to the step, or the data set, before.
    const further = acted && remembered && placeOf(text) !== placeOf(remembered)
    remembered = text
    acted = false
    const to = text ? `#${text}` : location.pathname + location.search
    if (location.hash.slice(1) !== text) history[further ? "pushState" : "replaceState"](null, "", to)
  }
  window.addEventListener("hashchange", () => { if (location.hash.slice(1) !== remembered) ask("page", "go to", location.hash.slice(1)) })
  const asked = location.hash.slice(1)
  opened(() => model("board")?.tags.length, () => {
    draw("stepper", model("pane_stepper").tags)
    for (let n = 0; n < 20; n++) if (model(`pane_slot${n}`).tags.length) draw(`slot${n}`, model(`pane_slot${n}`).tags)
    const own = boards()
    lay(model("board").tags)
    if (Object.keys(own).length) ask("page", "restore", own)
    if (asked) ask("page", "go to", asked)
    else remember(model("bookmark").tags[0] ?? "")
  })
  return {draw, lay, mark, remember, ask}
})()
