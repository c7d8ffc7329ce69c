import { callJson } from './session.js'
import { sentence } from './words.js'

/** A message that came in, and below it the copies for each mapping that takes it. */
export function arrivalLine(arrival, names) {
  return { ...hubLine(arrival, names), copies: arrival.copies.map((copy) => hubLine(copy, names)) }
}

/**
 * A message of the hub as a row shows it; a copy by the mapping that it is for.
 * `names`: what mappings and stores are called, by id.
 */
export function hubLine(message, names, inTrouble = false) {
  const { key, state, type, queue, about, isCopy, parentKey, storeId, createdAt, finishedAt } = message
  const mapping = isCopy ? (message.mapping ?? message.mappingId) : null
  return {
    key,
    state,
    type: isCopy && !inTrouble ? `→ ${mapping}` : type,
    subject: isCopy && !inTrouble ? '' : nameOf(about),
    note: [inTrouble && mapping && `→ ${mapping}: `, hubNote(message)].filter(Boolean).join('') || null,
    at: finishedAt ?? createdAt,
    due: state === 'failing' || state === 'scheduled' ? message.due : null,
    path: `/api/hub/messages/${encodeURIComponent(key)}`,
    actsInLine: inTrouble,
    acts: canAttempt(message) ? hubActs(key, mapping) : [],
    details: (full) => ({
      facts: [
        ['Message', key],
        ['Store', names.get(storeId) ?? storeId],
        ['About', about],
        [isCopy ? 'Copy of' : 'Derived from', parentKey],
        ['Queue', queue],
        ['Received', createdAt],
        ['Finished', finishedAt],
        ['Attempts', message.attempts],
        ['Next attempt', full.due],
        ['Last error', message.lastError],
        ...full.notifications.map(({ level, subject, description }) => [level, `${subject}: ${description}`]),
      ],
      texts: [
        ['Payload', full.payload],
        ['Sent along', Object.keys(full.envelope ?? {}).length > 0 ? full.envelope : null],
        [`Result ${full.code ?? ''}`.trim(), full.response],
      ],
    }),
  }
}

/** `order:R123` by its number; people know the kind from the message. */
function nameOf(about) {
  return about === null ? '' : about.slice(about.indexOf(':') + 1)
}

/** What a person may decide about: nothing that is archived, or about to be routed anyway. */
function canAttempt({ queue, state }) {
  return queue === 'accepted' || (queue === 'incoming' && state !== 'waiting')
}

function hubNote({ type, state, queue, lastError, said, attempts, copies }) {
  if (state === 'failing' || state === 'parked')
    return `${sentence(said ?? lastError ?? 'No reason was kept')}${attempts > 1 ? ` ${attempts} attempts.` : ''}`
  if (state === 'scheduled') return 'The consumer has asked for time.'
  if (state === 'discarded') return 'Archived by hand, not delivered.'
  if (queue === 'archived' && copies?.length === 0)
    return type === 'order:persist'
      ? 'No mapping takes it raw; what follows from it came in as messages of its own.'
      : 'No mapping takes it: skipped.'
  return null
}

function hubActs(key, mapping) {
  const path = `/api/hub/messages/${encodeURIComponent(key)}`
  const act = (action, done) => async () => {
    await callJson(`${path}/${action}`, { method: 'POST' })
    return `Message ${key} is ${done}.`
  }
  return [
    { label: 'Retry', title: 'Due at once', act: act('retry', 'put back to be tried') },
    {
      label: 'Archive',
      grave: true,
      ask: {
        question: 'Archive this message?',
        consequence: `${mapping ?? 'Nobody'} ${mapping ? 'does not get it' : 'gets it'}. It stays in the archive, to be read.`,
        yes: 'Archive 1 message',
      },
      act: act('archive', 'archived'),
    },
  ]
}
