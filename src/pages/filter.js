import { h } from './dom.js'

/** A form whose fields are kept in the page's address, so that a link shows what one saw. */
export function bindFilter(form, name, onChange) {
  const fields = [...form.elements].filter((field) => field.name)
  const address = new URLSearchParams(location.search)
  const wanted = new Map()
  for (const field of fields) {
    const value = address.get(`${name}.${field.name}`) ?? ''
    field.value = value
    if (field.value !== value) {
      wanted.set(field.name, value)
      field.value = ''
    }
  }

  const values = () =>
    fields.map((field) => [field.name, field.value.trim()]).filter(([, value]) => value !== '')

  function changed() {
    const search = new URLSearchParams(location.search)
    for (const field of fields) search.delete(`${name}.${field.name}`)
    for (const [field, value] of values()) search.set(`${name}.${field}`, value)
    history.replaceState(null, '', `${location.pathname}${search.size > 0 ? `?${search}` : ''}`)
    onChange()
  }
  form.addEventListener('submit', (event) => event.preventDefault())
  form.addEventListener('change', changed)

  return {
    isSet: () => values().length > 0,
    query(more) {
      const given = Object.entries(more).filter(([, value]) => value !== undefined)
      return new URLSearchParams([...values(), ...given]).toString()
    },
    /** What a field lets choose from, besides what is there; a choice that came with the address is made now. */
    offer(field, choices) {
      const select = form.elements.namedItem(field)
      const known = new Set([...select.options].map(({ value }) => value))
      for (const { id, name: text } of choices)
        if (!known.has(id)) select.append(h('option', { value: id }, text))
      if (wanted.has(field) && choices.some(({ id }) => id === wanted.get(field))) {
        select.value = wanted.get(field)
        wanted.delete(field)
      }
    },
    suggest(types) {
      const list = form.querySelector('datalist')
      const known = new Set([...list.children].map(({ value }) => value))
      for (const type of new Set(types)) if (!known.has(type)) list.append(h('option', { value: type }))
    },
  }
}
