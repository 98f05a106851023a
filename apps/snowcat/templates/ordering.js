// Lists that are ordered by dragging: <tbody data-order="word"> with <tr data-at data-key>, and in them a .handle; and by
// arrows, buttons with data-moves="up" or "down".
{
  let dragged = null
  const row = (event) => event.target.closest?.("[data-order] > [data-key]")
  const mark = (over, name) => {
    for (const each of document.querySelectorAll(".drop-above, .drop-below")) each.classList.remove("drop-above", "drop-below")
    over?.classList.add(name)
  }
  document.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest?.("[data-order] .handle")
    if (handle && !event.button) handle.closest("[data-key]").draggable = true
  }, {capture: true})
  document.addEventListener("dragstart", (event) => {
    const it = event.target.closest?.("[data-order] > [data-key]")
    if (!it) return
    dragged = it
    event.dataTransfer.effectAllowed = "move"
    event.dataTransfer.setData("text/plain", it.dataset.key)
  })
  const target = (over, event) => {
    const {top, height} = over.getBoundingClientRect(), below = event.clientY > top + height / 2
    const from = Number(dragged.dataset.at), at = Number(over.dataset.at) + (below ? 1 : 0)
    return {below, to: at > from ? at - 1 : at}
  }
  document.addEventListener("dragover", (event) => {
    const over = dragged && row(event)
    if (!over || over.parentNode !== dragged.parentNode) return mark(null)
    event.preventDefault()
    mark(over, target(over, event).below ? "drop-below" : "drop-above")
  })
  document.addEventListener("drop", (event) => {
    const over = dragged && row(event)
    if (!over || over.parentNode !== dragged.parentNode) return
    event.preventDefault()
    const list = over.parentNode, {to} = target(over, event)
    if (to !== Number(dragged.dataset.at)) window.snowcat.ask(list.closest("[data-pane]").dataset.pane, list.dataset.order, [dragged.dataset.key, to])
  })
  document.addEventListener("dragend", () => {
    if (dragged) dragged.removeAttribute("draggable")
    dragged = null
    mark(null)
  })
  // The arrow that was pressed goes with its line, so that it can be pressed again.
  document.addEventListener("click", (event) => {
    const arrow = event.target.closest?.("[data-moves]"), it = arrow?.closest("[data-key]")
    if (!it || event.detail) return  // pressed by a key: the pointer stays where it is
    const list = it.parentNode, {key, at} = it.dataset, way = arrow.dataset.moves
    const until = performance.now() + 3000
    const look = () => {
      const now = [...list.children].find((each) => each.dataset.key === key)
      if (now && now.dataset.at !== at) {
        const same = now.querySelector(`[data-moves=${way}]`)
        return (same.disabled ? now.querySelector("[data-moves]:not(:disabled)") : same)?.focus()
      }
      if (performance.now() < until) requestAnimationFrame(look)
    }
    look()
  })
}
