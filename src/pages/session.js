import { byId } from './dom.js'

// Of this tab only, and per page: bridge and hub have tokens of their own.
const KEY = `token of ${location.pathname}`

let token = sessionStorage.getItem(KEY)
let asking

/** `#token=…` signs in by a link; the part behind # never leaves the browser. */
function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get('token')
  if (!given) return
  remember(given)
  history.replaceState(null, '', location.pathname + location.search)
}

function remember(value) {
  token = value
  if (value) sessionStorage.setItem(KEY, value)
  else sessionStorage.removeItem(KEY)
  byId('sign-out').hidden = !value
}

/** Asks the server, after asking the person for the token where the server wants one. Failures are errors in words. */
export async function call(path, options = {}) {
  const response = await fetch(path, {
    ...options,
    headers: token ? { Authorization: `Bearer ${token}` } : {},
  })
  if (response.status === 401) {
    asking ??= askForToken()
    await asking
    return call(path, options)
  }
  if (response.ok) return response
  const said = await response.json().catch(() => ({}))
  throw new Error(said.error ?? `The server answered ${response.status} and did not say why.`)
}

export async function callJson(path, options) {
  return (await call(path, options)).json()
}

function askForToken() {
  const form = byId('sign-in')
  const field = form.elements.namedItem('token')
  byId('sign-in-error').textContent = token ? 'This token is not the right one.' : ''
  form.hidden = false
  document.body.classList.add('signed-out')
  field.focus()
  return new Promise((resolve) => {
    form.addEventListener(
      'submit',
      (event) => {
        event.preventDefault()
        remember(field.value.trim())
        field.value = ''
        form.hidden = true
        document.body.classList.remove('signed-out')
        asking = undefined
        resolve()
      },
      { once: true },
    )
  })
}

takeFromAddress()
// A link with a token, opened where the page is open already and waits for one.
addEventListener('hashchange', () => {
  if (location.hash.includes('token=')) location.reload()
})
byId('sign-out').hidden = !token
byId('sign-out').addEventListener('click', () => {
  remember(null)
  location.reload()
})
