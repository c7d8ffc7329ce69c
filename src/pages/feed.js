import { h, keep } from './dom.js'
import { messageRow } from './row.js'
import { say } from './say.js'
import { callJson } from './session.js'

/**
 * A list of messages, the latest first: its first page is live, older ones are added by a button.
 * `path(before)` is where a page is asked for, `toLine` describes a message to its row, `idOf` what paging goes by.
 */
export function createFeed({ list, empty, path, toLine, idOf, emptyWords }) {
  const more = h('button', { type: 'button', class: 'more', onclick: () => loadOlder() }, 'Older messages')
  list.after(more)
  let latest = []
  let older = []

  function render() {
    const seen = new Set()
    const messages = [...latest, ...older].filter(
      (message) => !seen.has(idOf(message)) && seen.add(idOf(message)),
    )
    keep(list, messages.map(toLine), ({ key }) => key, messageRow)
    empty.replaceChildren(...(messages.length === 0 ? [emptyWords()].flat() : []))
    empty.hidden = messages.length > 0
    more.hidden = messages.length < PAGE
  }

  async function loadOlder() {
    more.disabled = true
    try {
      const last = older.at(-1) ?? latest.at(-1)
      const { messages } = await callJson(path(idOf(last)))
      older.push(...messages)
      render()
      if (messages.length === 0) say('There are no older ones.')
    } catch (error) {
      say(error.message, true)
    }
    more.disabled = false
  }

  return {
    /** The first page as it stands now. */
    show(messages) {
      latest = messages
      render()
    },
    /** Forgets the older pages: the question has changed. */
    reset() {
      older = []
    },
  }
}

export const PAGE = 40
