// Files that the server has for the page, and files that a card takes: both in slices, each once the other side has the one before.
window.transfers = (() => {
  const {model} = window.learnviews
  let serial = 0, seen = 0
  const ask = (word, argument) => { const to = model("transfer_asked"); if (to) to.tags = [++serial, word, argument] }

  // -- from the server

  const coming = new Map()
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  const box = document.getElementById("transfer"), words = document.getElementById("transfer-words"), bar = box.querySelector(".bar i")
  const show = (text, share = 0) => {
    box.hidden = !text
    words.textContent = text
    bar.style.width = `${100 * share}%`
  }
  const offer = (file) => {
    coming.set(file.id, {...file, parts: [], got: 0})
    if (!file.place) show(`Loading ${file.name}`)
    ask("part", [file.id, 0])
  }
  const part = ([id, at, text]) => {
    const file = coming.get(id)
    if (!file || at !== file.got) return
    if (file.place && window.media.stale(file.place)) return forget(id)
    const more = bytes(text)
    file.parts.push(more)
    file.got += more.length
    if (file.place) window.media.coming(file.place, file.got / file.size)
    else show(`Loading ${file.name}: ${megabytes(file.got)} of ${megabytes(file.size)} MB`, file.got / file.size)
    if (file.got < file.size && more.length) ask("part", [id, file.got])
    else save(id, file)
  }
  const forget = (id) => {
    coming.delete(id)
    ask("end", [id])
  }
  const save = (id, file) => {
    forget(id)
    if (file.place) return window.media.take(file.place, new Blob(file.parts, {type: file.kind}))
    show("")
    const link = document.createElement("a")
    link.href = URL.createObjectURL(new Blob(file.parts, {type: file.kind}))
    link.download = file.name
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60000)
  }
  const fail = ([id, why]) => {
    const file = coming.get(id)
    coming.delete(id)
    if (file?.place) return window.media.fail(file.place, why)
    show(`${file?.name ?? "the file"} cannot be loaded: ${why}`)
    setTimeout(() => show(""), 8000)
  }

  // -- to a card: <input type="file" data-send='{"limit": bytes, "endings": [...], "what": "table"}'>

  let sender = null
  const send = (input) => {
    const file = input.files[0], {limit, endings, what} = JSON.parse(input.dataset.send)
    const pane = input.closest("[data-pane]").dataset.pane
    if (!file) return
    const why = limit ? unfit(file, limit, what, endings) : "This server takes no uploads"
    if (why) return window.snowcat.ask(pane, "unfit", why)
    sender?.stop()
    const moved = (share, text) => {
      const card = document.querySelector(`[data-pane="${pane}"]`), bar = card?.querySelector(".sending i"), how = card?.querySelector(".sent")
      if (bar) bar.style.width = `${100 * share}%`
      if (how) how.textContent = text
    }
    sender = fileSender({ask: (word, argument) => window.snowcat.ask(pane, word, argument), moved})
    sender.begin(file)
    input.value = ""
  }
  document.addEventListener("change", (event) => { if (event.target.dataset?.send) send(event.target) })

  const hear = ([number, word, argument]) => {
    if (number <= seen) return
    seen = number
    if (word === "offer") offer(argument)
    if (word === "cue") window.media.cue(argument)
    if (word === "refused") window.media.fail(...argument)
    if (word === "part") part(argument)
    if (word === "failed") fail(argument)
    if (word === "heard") sender?.hear(argument)
  }
  return {hear}
})()
