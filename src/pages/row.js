import { h, keep } from './dom.js'
import { actButton } from './say.js'
import { callJson } from './session.js'
import { clock, pretty } from './words.js'

/**
 * One message as a line that unfolds. A face describes its message as
 * `{key, state, type, subject, note, at, due, path, acts, actsInLine, details(full), copies}`;
 * `details` gives `{facts: [[term, value]], texts: [[title, value]]}` of what `path` answers.
 */
export function messageRow() {
  const state = h('span', { class: 'state' })
  const type = h('span', { class: 'type' })
  const subject = h('span', { class: 'subject' })
  const when = h('span', { class: 'when' })
  const note = h('span', { class: 'note' })
  const detail = h('div', { class: 'detail' })
  const fold = h(
    'details',
    { ontoggle: () => unfold() },
    h('summary', {}, state, type, subject, when, note),
    detail,
  )
  const acts = h('div', { class: 'acts' })
  const copies = h('ul', { class: 'rows copies' })
  const element = h('li', { class: 'row' }, h('div', { class: 'line' }, fold, acts), copies)
  let line
  let asked = 0

  async function unfold() {
    if (!fold.open) return
    const mine = ++asked
    detail.setAttribute('aria-busy', 'true')
    if (!detail.hasChildNodes()) detail.append(h('p', { class: 'quiet' }, 'Loading…'))
    let content
    try {
      content = detailsOf(line, line.details(line.path && (await callJson(line.path))))
    } catch (error) {
      content = [h('p', { class: 'bad' }, error.message)]
    }
    if (mine !== asked) return
    detail.removeAttribute('aria-busy')
    showAgain(detail, content)
  }

  function update(next) {
    line = next
    element.dataset.state = line.state
    state.textContent = line.state
    type.textContent = line.type
    subject.textContent = line.subject ?? ''
    when.replaceChildren(clock(line.at))
    note.replaceChildren(
      ...[line.note, line.due && [line.note ? ' Next try ' : 'next try ', clock(line.due, 'in'), '.']]
        .flat()
        .filter(Boolean),
    )
    showActs(acts, line.actsInLine ? line.acts : [])
    keep(copies, line.copies ?? [], ({ key }) => key, messageRow)
    copies.hidden = !line.copies?.length
    void unfold()
  }

  return { element, update }
}

/** The same buttons stay the same: one of them may have the focus. */
function showActs(element, acts) {
  const labels = [...element.children].map((button) => button.textContent).join()
  if (labels !== acts.map(({ label }) => label).join()) element.replaceChildren(...acts.map(actButton))
}

/** What is shown anew stays as unfolded as it was, with the focus where it was. */
function showAgain(detail, content) {
  const texts = () => [...detail.querySelectorAll('details')]
  const before = new Map(texts().map(({ dataset, open }) => [dataset.title, open]))
  const focused = detail.contains(document.activeElement) ? document.activeElement.textContent : undefined
  detail.replaceChildren(...content)
  for (const text of texts()) text.open = before.get(text.dataset.title) ?? text.open
  if (focused === undefined) return
  const again = [...detail.querySelectorAll('button, summary, pre')].find(
    (one) => one.textContent === focused,
  )
  again?.focus()
}

function detailsOf(line, { facts, texts }) {
  return [
    h(
      'dl',
      {},
      facts
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .flatMap(([term, value]) => [h('dt', {}, term), h('dd', {}, value)]),
    ),
    ...texts
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([title, value], index) =>
        h(
          'details',
          { class: 'text', 'data-title': title, open: index === 0 },
          h('summary', {}, title),
          h('pre', { tabindex: '0' }, pretty(value)),
        ),
      ),
    !line.actsInLine && line.acts.length > 0 && h('div', { class: 'acts' }, line.acts.map(actButton)),
  ].filter(Boolean)
}
