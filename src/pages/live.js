import { byId } from './dom.js'
import { call } from './session.js'
import { setClock } from './words.js'

/** The server says something every 15 s at least. */
const SILENCE_MILLISECONDS = 40_000
const AGAIN_MILLISECONDS = 2_000

/**
 * Follows a stream of server-sent events for ever. fetch rather than EventSource, which can send no token.
 * `show` gets what was seen; `complain` gets a sentence, or null when all is well again.
 */
export async function follow(path, show, complain) {
  for (;;) {
    try {
      await readStream(path, show, complain)
      complain('The server has ended the connection.')
    } catch (error) {
      complain(
        error instanceof TypeError || error.name === 'AbortError'
          ? 'The server cannot be reached.'
          : error.message,
      )
    }
    tell('reconnecting…', false)
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLISECONDS))
  }
}

async function readStream(path, show, complain) {
  const abort = new AbortController()
  const response = await call(path, { signal: abort.signal })
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  let silence
  const listen = () => {
    clearTimeout(silence)
    silence = setTimeout(() => abort.abort(), SILENCE_MILLISECONDS)
  }
  listen()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      listen()
      text += value
      const events = text.split('\n\n')
      text = events.pop()
      for (const event of events.filter((part) => part.startsWith('data: '))) {
        const { at, seen, trouble } = JSON.parse(event.slice('data: '.length))
        setClock(at)
        tell('live', true)
        complain(trouble ?? null)
        if (seen) show(seen)
      }
    }
  } finally {
    clearTimeout(silence)
  }
}

function tell(words, live) {
  const element = byId('live')
  if (element.textContent !== words) element.textContent = words
  element.classList.toggle('on', live)
}
