import { byId, h } from './dom.js'

let clearing

/** Tells the person what came of what they did; errors stay until the next word. */
export function say(sentence, isError = false) {
  const element = byId('said')
  clearTimeout(clearing)
  element.textContent = sentence
  element.classList.toggle('bad', isError)
  element.hidden = false
  if (!isError) clearing = setTimeout(() => (element.hidden = true), 6_000)
}

/** Asks before what cannot be undone; resolves to whether the person wants it. */
export function confirmed({ question, consequence, yes }) {
  return new Promise((resolve) => {
    const answer = (wanted) => {
      dialog.close()
      dialog.remove()
      resolve(wanted)
    }
    const dialog = h(
      'dialog',
      { 'aria-labelledby': 'question', oncancel: () => answer(false) },
      h('h2', { id: 'question' }, question),
      h('p', {}, consequence),
      h(
        'div',
        { class: 'acts' },
        h('button', { type: 'button', autofocus: true, onclick: () => answer(false) }, 'Leave it'),
        h('button', { type: 'button', class: 'grave', onclick: () => answer(true) }, yes),
      ),
    )
    document.body.append(dialog)
    dialog.showModal()
  })
}

/** A button that does one thing and tells what came of it. `act` resolves to the sentence. */
export function actButton({ label, title, grave, ask, act }) {
  const button = h('button', { type: 'button', class: grave && 'grave', title }, label)
  button.addEventListener('click', async () => {
    if (ask && !(await confirmed(ask))) return button.focus()
    button.disabled = true
    try {
      say(await act())
    } catch (error) {
      say(
        error instanceof TypeError ? 'The server cannot be reached: nothing was done.' : error.message,
        true,
      )
    }
    button.disabled = false
  })
  return button
}
