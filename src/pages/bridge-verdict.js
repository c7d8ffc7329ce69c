import { clock, count, secondsSince, UNCOUNTED } from './words.js'

/** Longer than a change takes to be collected, or a message to be pushed, when nothing is the matter. */
const SLOW_SECONDS = 30

/** What an operator has to know of the bridge, in words. */
export function bridgeVerdict(overview, complaint) {
  const statements = []
  const tell = (level, words, hint, since) => statements.push({ level, words, hint, since })
  if (complaint) tell('bad', complaint, overview ? 'What is shown below is as it was.' : 'Trying again.')
  if (!overview) return statements

  const { workers, unmapped, gaps, seeding, paused, alarms, failedInboundCount } = overview
  const { waiting, failing, parked } = countStates(overview)
  const alive = workers.filter((worker) => worker.alive)
  const dead = workers.length - alive.length
  if (alive.length === 0) {
    const last = workers
      .map(({ heartbeatAt }) => heartbeatAt)
      .toSorted()
      .at(-1)
    tell(
      'bad',
      'No worker is running: nothing is collected or pushed.',
      `${last ? 'was the last heartbeat. ' : ''}Nothing is lost meanwhile. Start one: spree-bridge worker`,
      last,
    )
  } else if (dead > 0) tell('warn', `${count(dead, 'worker')} died; the others take over.`)
  for (const reason of new Set(
    alive.map(({ report }) => report?.circuit !== 'closed' && report?.lastError).filter(Boolean),
  ))
    tell(
      'bad',
      `Nothing is pushed for now. ${reason}`,
      'The hub is asked again by and by; messages wait meanwhile.',
    )
  for (const { kind, reason, table, openedAt } of gaps)
    tell(
      'bad',
      `Changes of ${kind} went unseen (${reason}${table ? ` on ${table}` : ''}): a reconcile is due.`,
      '',
      openedAt,
    )
  if (parked > 0)
    tell(
      'bad',
      `${count(parked, 'message is', 'messages are')} parked.`,
      'Each holds back what follows about the same thing until you decide.',
    )
  if (unmapped.length > 0)
    tell(
      'bad',
      `No message can be made of ${count(unmapped.length, 'thing')} in the store.`,
      'The reasons are below.',
    )
  if (failedInboundCount > 0)
    tell(
      'bad',
      `${count(failedInboundCount, 'message')} from the hub could not be applied.`,
      'The store is as it was before; the hub may send them again.',
    )
  if (failing > 0)
    tell(
      'warn',
      `${count(failing, 'message fails and is', 'messages fail and are')} tried again by and by.`,
      'Others go on meanwhile.',
    )
  for (const { type, since } of paused) {
    const waits = overview.waitingCounted
      ? count(
          sumOf(overview, (each) => each.type === type),
          'message waits',
          'messages wait',
        )
      : 'too many messages to count may wait'
    tell(
      'warn',
      `${type} is paused: ${waits}, and what follows about the same things.`,
      `is when it was paused. To go on: spree-bridge messages resume ${type}`,
      since,
    )
  }
  for (const { lastError } of alarms.filter((alarm) => alarm.lastError))
    tell('warn', 'An alarm could not be sent.', `${lastError} It is tried again by and by.`)
  if (isSlow(overview.oldestChangeAt))
    tell('warn', 'Changes wait long to be collected.', 'the oldest was made.', overview.oldestChangeAt)
  else if (failing === 0 && isSlow(overview.oldestMessageAt))
    tell('warn', 'Messages wait long to be pushed.', 'the oldest was made.', overview.oldestMessageAt)
  if (seeding.length > 0) {
    const kinds = seeding.map(({ kind, lastId }) => `${kind}s up to id ${lastId}`).join(', ')
    tell('info', 'What the store held before is being noted, and not announced.', `So far: ${kinds}.`)
  }
  if (statements.every(({ level }) => level === 'info')) tell('fine', 'All is well.', onTheWay(waiting))
  return statements
}

function onTheWay(waiting) {
  if (waiting === null) return 'Messages are on the way, too many to count.'
  return waiting > 0 ? `${count(waiting, 'message is', 'messages are')} on the way.` : 'Nothing waits.'
}

export function bridgeFigures(overview) {
  const { waiting, failing, parked } = countStates(overview)
  const alive = overview.workers.filter((worker) => worker.alive).length
  const oldest = [overview.oldestChangeAt, overview.oldestMessageAt].filter(Boolean).toSorted()[0]
  return [
    ['waiting', waiting ?? UNCOUNTED],
    ['failing', failing, failing > 0 && 'warn'],
    ['parked', parked + overview.unmapped.length, parked + overview.unmapped.length > 0 && 'bad'],
    ['oldest waits', oldest ? clock(oldest, 'for') : '–', isSlow(oldest) && 'warn'],
    ['changes to collect', overview.outboxRows],
    ['inbound failed', overview.failedInboundCount, overview.failedInboundCount > 0 && 'bad'],
    ['workers', alive, alive === 0 && 'bad'],
  ]
}

function sumOf({ messages }, wanted) {
  return messages.filter(wanted).reduce((sum, each) => sum + each.count, 0)
}

/** `waiting` is null where it is too many to be counted. */
function countStates(overview) {
  const of = (state) => sumOf(overview, (each) => each.state === state)
  return {
    waiting: overview.waitingCounted ? of('waiting') : null,
    failing: of('failing'),
    parked: of('parked'),
  }
}

function isSlow(time) {
  return Boolean(time) && secondsSince(time) > SLOW_SECONDS
}
