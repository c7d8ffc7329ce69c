/** An element; children that are null, undefined or false are left out. Attributes beginning with `on` are listeners. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : value)
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  )
  return element
}

export function byId(id) {
  return document.getElementById(id)
}

const kept = new WeakMap()

/**
 * Makes `list` show `items` and leaves alone what has not changed, so that nobody loses the focus, what is unfolded or
 * what is selected. `make(item)` gives `{element, update}`; `update(item)` is called at first and after each change.
 */
export function keep(list, items, keyOf, make) {
  const old = new Map([...list.children].map((element) => [kept.get(element)?.key, element]))
  const elements = items.map((item) => {
    const key = keyOf(item)
    const text = JSON.stringify(item)
    const found = old.get(key)
    if (found) {
      const entry = kept.get(found)
      if (entry.text !== text) entry.update(item)
      entry.text = text
      return found
    }
    const { element, update } = make(item)
    kept.set(element, { key, text, update })
    update(item)
    return element
  })
  const wanted = new Set(elements)
  for (const element of [...list.children]) if (!wanted.has(element)) removeFrom(list, element)
  elements.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null)
  })
}

/** Whoever works by keyboard goes on where the element was, not at the top of the page. */
function removeFrom(list, element) {
  const next = element.nextElementSibling ?? element.previousElementSibling
  const hadFocus = element.contains(document.activeElement)
  element.remove()
  if (hadFocus)
    (next?.querySelector('button, summary') ?? list.closest('section')?.querySelector('h2'))?.focus()
}
