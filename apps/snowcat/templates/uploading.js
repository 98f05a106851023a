// A file that is chosen or dropped anywhere goes to the server; a box at the foot of the page tells how far it is.
window.uploading = (() => {
  const {model} = window.learnviews
  const box = document.getElementById("upload"), body = document.getElementById("upload-body"), file = document.getElementById("upload-file")
  const over = document.getElementById("upload-over")
  let serial = 0, seen = 0, shown = {step: "", limit: 0, endings: []}
  const ask = (word, argument = null) => { const to = model("upload_asked"); if (to) to.tags = [++serial, word, argument] }
  const move = ([share, words]) => {
    const bar = body.querySelector(".bar i"), how = body.querySelector(".how")
    if (bar) bar.style.width = `${100 * share}%`
    if (how) how.textContent = words
  }
  const sender = fileSender({ask, moved: (share, words) => move([share, words])})
  const show = ([number, state]) => {
    if (number <= seen) return
    seen = number
    if (shown.step === "refused" && !state.step) return  // what this page says itself is closed by hand
    const anew = state.step !== shown.step
    shown = state
    if (anew) body.innerHTML = ""
    morph(body, state.html)
    box.hidden = !state.step
    document.getElementById("upload-stop").textContent = state.step === "failed" ? "Close" : "Cancel"
    if (state.step === "reading") move([1, "It takes a moment."])
    sender.show()
  }
  const refuse = (words) => {
    shown = {...shown, step: "refused"}
    body.innerHTML = '<div class="alert" role="alert"></div>'
    body.firstChild.textContent = words
    document.getElementById("upload-stop").textContent = "Close"
    box.hidden = false
  }
  const send = (files) => {
    if (!files.length || ["upload", "reading"].includes(shown.step)) return
    if (!shown.limit) return refuse("This server takes no uploads; start it with the file: learnviews serve FILE")
    if (files.length > 1) return refuse("One file at a time, please; several of them as one zip")
    const why = unfit(files[0], shown.limit, "data set", shown.endings)
    if (why) return refuse(why)
    sender.begin(files[0])
  }
  document.getElementById("upload-stop").addEventListener("click", () => {
    const {step} = shown
    sender.stop()
    box.hidden = true
    shown = {...shown, step: ""}
    if (step !== "refused") ask(["upload", "reading"].includes(step) ? "stop" : "dismiss")
  })
  file.addEventListener("change", () => { send([...file.files]); file.value = "" })
  document.addEventListener("click", (event) => { if (event.target.closest?.("[data-upload]")) file.click() })
  const dragged = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files")
  window.addEventListener("dragover", (event) => { if (dragged(event)) { event.preventDefault(); over.hidden = false } })
  window.addEventListener("dragleave", (event) => { if (!event.relatedTarget) over.hidden = true })
  window.addEventListener("drop", (event) => {
    if (!dragged(event)) return
    event.preventDefault()
    over.hidden = true
    send([...event.dataTransfer.files])
  })
  const ready = setInterval(() => {
    if (!model("upload_shown")?.tags.length) return
    clearInterval(ready)
    show(model("upload_shown").tags)
  }, 30)
  return {show, hear: sender.hear, move}
})()
