// Makes the children of an element those of some HTML, changing what differs only: what has the focus, is selected, or was
// scrolled stays so, and what is being typed is not overwritten.
const morph = (() => {
  const isText = (element) => /^(INPUT|TEXTAREA)$/.test(element.tagName) && !/^(checkbox|radio|button|range|file)$/.test(element.type)
  const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && (one.id ?? "") === (other.id ?? "") && one.type === other.type
  const attributes = (now, next) => {
    const unfolded = (name) => name === "open" && now.tagName === "DETAILS"  // by the user
    for (const {name} of Array.from(now.attributes)) if (!next.hasAttribute(name) && name !== "class" && !unfolded(name)) now.removeAttribute(name)
    for (const {name, value} of Array.from(next.attributes)) if (now.getAttribute(name) !== value && name !== "class") now.setAttribute(name, value)
    const marks = ["lit", "is-kept"].filter((mark) => now.classList.contains(mark))  // said by other means than the HTML
    const classes = [...new Set([...next.classList, ...marks])].join(" ")
    if (now.className !== classes && (classes || now.className)) now.setAttribute("class", classes)
  }
  const values = (now, next) => {
    if (now.tagName === "INPUT" && /^(checkbox|radio)$/.test(now.type)) now.checked = next.checked
    else if (now.tagName === "INPUT" || now.tagName === "TEXTAREA") {
      const busy = now === document.activeElement && (isText(now) || now.type === "range")
      if (!busy && now.value !== next.value) now.value = next.value
    }
  }
  const node = (now, next) => {
    if (now.nodeType !== Node.ELEMENT_NODE) {
      if (now.nodeValue !== next.nodeValue) now.nodeValue = next.nodeValue
      return
    }
    if (now.hasAttribute("data-still") && next.hasAttribute("data-still")) return  // the page's own: it knows what is in it
    attributes(now, next)
    if (now.tagName !== "TEXTAREA") children(now, next)
    values(now, next)
    if (now.tagName === "SELECT" && now !== document.activeElement) now.value = next.value
    if (now.tagName === "SELECT" && now === document.activeElement && next.value !== now.value) now.value = next.value
  }
  const children = (now, next) => {
    const old = Array.from(now.childNodes), wanted = Array.from(next.childNodes)
    wanted.forEach((each, at) => {
      if (at >= old.length) now.append(each)
      else if (alike(old[at], each)) node(old[at], each)
      else old[at].replaceWith(each)
    })
    for (const each of old.slice(wanted.length)) each.remove()
  }
  return (element, html) => {
    const made = document.createElement("template")
    made.innerHTML = html
    children(element, made.content)
  }
})()
