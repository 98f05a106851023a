// Sounds and videos of cards. The server says what is to be played from where ("cue"); the page asks for what it has not got.
window.media = (() => {
  const {model} = window.learnviews
  const players = new Map()  // by pane: what is in its player, and what is to be
  const elementOf = (pane) => document.querySelector(`[data-pane="${pane}"] [data-plays]`)
  const same = (one, other) => JSON.stringify(one) === JSON.stringify(other)
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`

  const drop = (player) => {
    player.element.pause()
    player.element.removeAttribute("src")
    if (player.url) URL.revokeObjectURL(player.url)
    player.url = null
  }
  const playerOf = (pane) => {
    const element = elementOf(pane), known = players.get(pane)
    if (known?.element === element) return known
    if (known) drop(known)
    players.delete(pane)
    if (!element) return null
    const player = {pane, element, row: null, held: null, url: null, words: "", begin: 0}
    element.addEventListener("error", () => { if (player.url) refuse(player) })
    element.addEventListener("loadedmetadata", () => { element.currentTime = player.begin })
    players.set(pane, player)
    return player
  }
  const cue = ({pane, row, at, called}) => {
    const player = playerOf(pane)
    if (!player) return
    Object.assign(player, {row, called, begin: at})
    if (player.url && same(player.held, row)) {
      player.element.currentTime = at
      start(player)
      return
    }
    drop(player)
    player.words = "loading…"
    player.anew = false
    window.snowcat.ask(pane, "fetch", [row, false])
  }
  const start = (player) => player.element.play().catch((error) => { if (error.name === "NotAllowedError") player.words = "press ▶ to play" })
  const refuse = (player) => {
    drop(player)
    player.words = player.anew ? "this browser cannot play it" : "written anew…"
    if (!player.anew) window.snowcat.ask(player.pane, "fetch", [player.row, true])
    player.anew = true
  }
  // A file has come, for a pane and row; true where it is wanted no longer.
  const stale = ({pane, row}) => !same(playerOf(pane)?.row, row)
  const coming = ({pane}, share) => { const player = playerOf(pane); if (player) player.words = `loading ${Math.round(100 * share)}%` }
  const take = (place, blob) => {
    const player = playerOf(place.pane)
    if (!player || stale(place)) return
    drop(player)
    player.held = place.row
    player.words = ""
    player.url = URL.createObjectURL(blob)
    player.element.hidden = player.element.tagName === "AUDIO"
    player.element.src = player.url
    start(player)
  }
  const fail = (place, why) => {
    const player = playerOf(place.pane)
    if (player && !stale(place)) player.words = `not played: ${why}`
  }

  document.addEventListener("click", (event) => {
    const word = event.target.closest?.("[data-player]")?.dataset.player
    if (!word) return
    const pane = event.target.closest("[data-pane]").dataset.pane, player = playerOf(pane), element = player?.element
    if (!element) return
    if (!player.url) return word === "play" ? window.snowcat.ask(pane, "first") : null
    if (word !== "play") element.currentTime = Math.max(0, Math.min(element.duration || 0, element.currentTime + Number(word)))
    else if (element.paused) start(player)
    else element.pause()
  })

  // -- where each is: in words, and as a line on its track

  const figure = (pane) => model(`figure${pane.slice(4)}`)
  const sources = (pane) => {
    const found = {}
    for (const each of figure(pane)?.references() ?? []) {
      if (each.type !== "ColumnDataSource") continue
      if (each.name === "layer cursor") found.cursor = each
      else if (each.data.pace && each.data.key) found.tracks = each
    }
    return found
  }
  const line = (player) => {
    const {cursor, tracks} = sources(player.pane)
    if (!cursor || !tracks) return
    const at = Array.from(tracks.data.key).indexOf(JSON.stringify(player.held)), old = cursor.data
    if (at < 0) return
    const x = tracks.data.origin[at] + player.element.currentTime * tracks.data.pace[at]
    if (old.x.length === 1 && Math.abs(old.x[0] - x) < 1e-9 && Math.abs(old.high[0] - tracks.data.top[at]) < 20) return
    cursor.setv({data: {x: [x], low: [tracks.data.bottom[at]], high: [tracks.data.top[at] - 16]}}, {sync: false})
  }
  const show = (player) => {
    const pane = document.querySelector(`[data-pane="${player.pane}"]`), {element} = player
    const where = pane?.querySelector("[data-player-where]"), button = pane?.querySelector("[data-player=play]")
    const time = player.url ? `${clock(element.currentTime)} of ${clock(element.duration || 0)}` : ""
    const words = [player.called, time, player.words].filter(Boolean).join(" · ")
    if (where && where.textContent !== words) where.textContent = words
    const sign = player.url && !element.paused ? "❚❚" : "▶"
    if (button && button.textContent !== sign) button.textContent = sign
  }
  const tick = () => {
    for (const [pane, player] of players) {
      const card = player.element.closest(".card")
      if (!player.element.isConnected || !card || card.hidden || elementOf(pane) !== player.element) {
        drop(player)
        players.delete(pane)
        continue
      }
      show(player)
      if (player.url) line(player)
    }
  }
  setInterval(tick, 50)
  return {cue, take, stale, coming, fail, players}
})()
