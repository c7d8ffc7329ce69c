import { callJson } from './session.js'
import { sentence } from './words.js'

const post = (path) => callJson(path, { method: 'POST' })

/** A message on its way to the hub, or there, as a row shows it. */
export function outboundLine(message, inTrouble = false) {
  const { id, state, type, about, aggregate, answer, lastError, attempts, due, createdAt, finishedAt } =
    message
  return {
    key: `to ${id}`,
    state,
    type,
    subject: about ?? aggregate,
    note: outboundNote(message),
    at: finishedAt ?? createdAt,
    due: state === 'failing' ? due : null,
    path: `/api/v1/messages/${id}`,
    actsInLine: inTrouble,
    acts: finishedAt ? [] : outboundActs(message),
    details: (full) => ({
      facts: [
        ['Message', `${id}, about ${aggregate}`],
        ['Idempotency key', full.key],
        ['Changed in the store', full.changedAt],
        ['Collected', createdAt],
        ['Finished', finishedAt],
        ['Attempts', attempts],
        ['Next attempt', due],
        ['The hub calls it', answer],
        ['Last error', lastError],
      ],
      texts: [['Payload', full.payload]],
    }),
  }
}

function outboundNote({ state, lastError, attempts }) {
  if (state === 'done') return null
  if (state === 'superseded') return 'Closed unsent: a newer message tells the state.'
  if (state === 'discarded') return 'Closed unsent by an operator.'
  return lastError && `${sentence(lastError)}${attempts > 1 ? ` ${attempts} attempts.` : ''}`
}

function outboundActs({ id, state, type }) {
  const path = `/api/v1/messages/${id}`
  const retry = {
    label: 'Retry',
    title: 'Due at once',
    act: async () => {
      const { message } = await post(`${path}/retry`)
      return message.state === 'superseded'
        ? `Message ${id} is closed unsent: a newer one tells the state.`
        : `Message ${id} is put back to be sent.`
    },
  }
  const park = {
    label: 'Park',
    title: 'Waits for a person; what follows about the same thing waits too',
    act: async () => {
      await post(`${path}/park`)
      return `Message ${id} is parked.`
    },
  }
  const discard = {
    label: 'Discard',
    grave: true,
    ask: {
      question: `Discard message ${id}?`,
      consequence:
        type === 'stock:change'
          ? 'It is closed and never sent: the hub does not hear of this change of stock.'
          : 'It is closed and never sent. The next change of the same thing announces its state anew.',
      yes: 'Discard 1 message',
    },
    act: async () => {
      await post(`${path}/discard`)
      return `Message ${id} is discarded.`
    },
  }
  if (state === 'waiting') return [park, discard]
  return state === 'parked' ? [retry, discard] : [retry, park, discard]
}

/** An aggregate of which no message could be made. */
export function unmappedLine({ aggregate, reason, at }) {
  return {
    key: `unmapped ${aggregate}`,
    state: 'parked',
    type: 'no message',
    subject: aggregate,
    note: reason,
    at,
    actsInLine: true,
    acts: [],
    details: () => ({
      facts: [
        ['About', aggregate],
        ['Since', at],
        ['Why', reason],
        ['What to do', 'Mend it in the store: any change of it is tried at once. Or retry all.'],
      ],
      texts: [],
    }),
  }
}

/** A message that the hub sent. */
export function inboundLine(message, inTrouble = false) {
  const { id, state, type, messageId, lastError, attempts, repeats, status, receivedAt, changedAt } = message
  return {
    key: `from ${id}`,
    state,
    type,
    subject: messageId,
    note: inboundNote(message),
    at: receivedAt,
    path: `/api/v1/inbox/${id}`,
    actsInLine: inTrouble,
    acts: state === 'failed' ? inboundActs(id) : [],
    details: (full) => ({
      facts: [
        ['Message', `${messageId}, ${id} in the inbox`],
        ['Our id at the hub', full.hub],
        ['Received', receivedAt],
        ['Last change', changedAt],
        ['Attempts', attempts],
        ['Repeats', repeats],
        ['Answered', status],
        ['Last error', lastError],
      ],
      texts: [
        ['Payload', full.payload],
        ['Answer', full.answer],
      ],
    }),
  }
}

function inboundNote({ state, lastError, attempts, repeats }) {
  if (state === 'failed')
    return `${sentence(lastError ?? 'No reason was kept')}${attempts > 1 ? ` ${attempts} attempts.` : ''}`
  if (state === 'discarded') return 'Given up by an operator: nothing was applied.'
  return repeats > 0
    ? `Came ${repeats === 1 ? 'once' : `${repeats} times`} again; answered, not applied.`
    : null
}

function inboundActs(id) {
  const path = `/api/v1/inbox/${id}`
  return [
    {
      label: 'Retry',
      title: 'Apply it to the store again',
      act: async () => {
        const { message } = await post(`${path}/retry`)
        if (message.state === 'failed') throw new Error(`It failed again. ${message.lastError}`)
        return `Inbound message ${id} is ${message.state}.`
      },
    },
    {
      label: 'Discard',
      grave: true,
      ask: {
        question: `Give up inbound message ${id}?`,
        consequence:
          'Nothing of it is applied to the store. When the hub sends it again it is told so, and nothing is applied either.',
        yes: 'Discard 1 message',
      },
      act: async () => {
        await post(`${path}/discard`)
        return `Inbound message ${id} is discarded.`
      },
    },
  ]
}
