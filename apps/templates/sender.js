// Sends one chosen file in slices, each once the server has the one before; for pages that take files.
const megabytes = (count) => (count / 1e6).toLocaleString("en", {maximumFractionDigits: count < 1e7 ? 1 : 0})
// Why a file cannot be sent, in words; "" where it can. `what`: what such files are; `endings`: of their names.
const unfit = (file, limit, what, endings) => {
  if (!endings.some((ending) => file.name.toLowerCase().endsWith(ending))) return `${file.name}: no ${what}; expected a file that ends in ${endings.slice(0, -1).join(", ")} or ${endings.at(-1)}`
  if (!file.size) return `${file.name}: the file is empty; expected a ${what}`
  if (file.size > limit) return `${file.name}: ${megabytes(file.size)} MB is over this server's limit of ${megabytes(limit)} MB; start it with the file instead: learnviews serve ${file.name}`
  return ""
}
// `ask(word, argument)` tells the server: "upload" with what the file is, "slice" with [id, base64], "unreadable" with its name.
// `moved(share, words)` shows how far it is.
const fileSender = ({ask, moved}) => {
  const SLICE = 1 << 20
  let sending = null
  const words = () => {
    const {got, file, begun} = sending, spent = (performance.now() - begun) / 1000
    const left = got && spent > 0.5 ? ` · about ${Math.max(1, Math.ceil(spent * (file.size - got) / got))} s left` : ""
    return `${megabytes(got)} of ${megabytes(file.size)} MB${left}`
  }
  const show = () => { if (sending) moved(sending.got / sending.file.size, words()) }
  const begin = (file) => {
    sending = {id: `${Date.now()} ${Math.random()}`, file, got: 0, begun: performance.now()}
    ask("upload", {id: sending.id, name: file.name, size: file.size, modified: file.lastModified})
  }
  const hear = ([id, got]) => {  // the server has so many bytes; fewer than none: it wants no more
    if (!sending || sending.id !== id) return
    const now = sending
    if (got < 0 || got >= now.file.size) { sending = null; return }
    now.got = got
    show()
    const reader = new FileReader()
    reader.onload = () => { if (sending === now) ask("slice", [now.id, reader.result.slice(reader.result.indexOf(",") + 1)]) }
    reader.onerror = () => {
      if (sending !== now) return
      sending = null
      ask("unreadable", now.file.name)
    }
    reader.readAsDataURL(now.file.slice(got, got + SLICE))
  }
  return {begin, hear, show, stop: () => { sending = null }, isOn: () => Boolean(sending)}
}
