import { h } from './dom.js'

/** By how much the server's clock is ahead of this browser's: ages are told by the server's. */
let aheadMilliseconds = 0

export function setClock(serverTime) {
  aheadMilliseconds = new Date(serverTime).getTime() - Date.now()
}

export function secondsSince(time) {
  return (Date.now() + aheadMilliseconds - new Date(time).getTime()) / 1000
}

export function span(seconds) {
  const s = Math.max(0, seconds)
  if (s < 1) return 'under 1 s'
  if (s < 100) return `${Math.floor(s)} s`
  if (s < 6000) return `${Math.floor(s / 60)} min`
  if (s < 172800) return `${Math.floor(s / 3600)} h`
  return `${Math.floor(s / 86400)} days`
}

const forms = {
  ago: (time) => {
    const since = secondsSince(time)
    return since < 1 ? 'now' : `${span(since)} ago`
  },
  in: (time) => {
    const until = -secondsSince(time)
    return until < 1 ? 'now' : `in ${span(until)}`
  },
  for: (time) => span(secondsSince(time)),
}

/** A time that keeps itself true: `ago`, `in` or `for` so long; the exact one when pointed at. */
export function clock(time, form = 'ago') {
  const element = h('time', { datetime: time, 'data-form': form, title: exact(time) })
  element.textContent = forms[form](time)
  return element
}

function exact(time) {
  const date = new Date(time)
  return `${date.toLocaleDateString()} ${date.toLocaleTimeString()} (${time})`
}

setInterval(() => {
  for (const element of document.querySelectorAll('time[data-form]')) {
    const text = forms[element.dataset.form](element.dateTime)
    if (element.textContent !== text) element.textContent = text
  }
}, 1000)

export const UNCOUNTED = 'too many to count'

/** `12 waiting`; where the server could not count them in time, so. */
export function counted(number, what) {
  return number === null ? `${what}: ${UNCOUNTED}` : `${number} ${what}`
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`
}

export function pretty(value) {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
}

/** Other people's words, as a sentence of ours goes on behind them. */
export function sentence(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
