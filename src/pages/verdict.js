import { byId, h, keep } from './dom.js'
import { clock } from './words.js'

const RANK = { bad: 0, warn: 1, info: 2, fine: 3 }

/**
 * What is the matter, the gravest first. Each is `{level: 'bad' | 'warn' | 'info' | 'fine', words, hint, since}`; the
 * number of grave ones stands in the tab's title, for whoever has it in the background.
 */
export function showVerdict(statements, title) {
  const sorted = statements.toSorted((a, b) => RANK[a.level] - RANK[b.level])
  keep(
    byId('verdict'),
    sorted,
    ({ level, words }) => `${level} ${words}`,
    ({ level, words }) => {
      const hint = h('span', { class: 'hint' })
      return {
        element: h('li', { class: level }, h('span', { class: 'words' }, words), hint),
        update(statement) {
          hint.replaceChildren(statement.since ? clock(statement.since) : '', ' ', statement.hint ?? '')
        },
      }
    },
  )
  const grave = sorted.filter(({ level }) => level === 'bad').length
  const text = grave > 0 ? `(${grave}) ${title}` : title
  if (document.title !== text) document.title = text
}

/** Figures in a row: `[name, value, level]`; a value may be an element. */
export function showFigures(figures) {
  byId('figures').replaceChildren(
    ...figures.map(([name, value, level]) =>
      h(
        'div',
        { class: level },
        h('dt', {}, name),
        h('dd', {}, typeof value === 'number' ? value.toLocaleString('en') : value),
      ),
    ),
  )
}
