import { clock, count, secondsSince, sentence, UNCOUNTED } from './words.js'

const SLOW_SECONDS = 30
/** Beyond it the server does not count the archive. */
const ARCHIVED_COUNTED = 10_000

/** What an operator has to know of the hub, in words. */
export function hubVerdict(overview, complaint, names) {
  const statements = []
  const tell = (level, words, hint, since) => statements.push({ level, words, hint, since })
  if (complaint) tell('bad', complaint, overview ? 'What is shown below is as it was.' : 'Trying again.')
  if (!overview) return statements

  const { workers, mappings, troubled, oldestWaitingAt } = overview
  if (!workers.some(({ alive }) => alive))
    tell(
      'bad',
      'No hub process routes or delivers.',
      'Messages are kept meanwhile. Start one: spree-bridge hub',
    )
  for (const { id, storeId, counts } of mappings) {
    const name = `${names.get(id)} of ${names.get(storeId)}`
    if (counts.parked > 0)
      tell(
        'bad',
        `${count(counts.parked, 'message')} for ${name} ${counts.parked === 1 ? 'is' : 'are'} parked.`,
        reasonOf(troubled, id, 'parked'),
      )
    if (counts.failing > 0)
      tell(
        'warn',
        `${name} does not take ${count(counts.failing, 'message')}.`,
        `${reasonOf(troubled, id, 'failing')} It is tried again by and by.`,
      )
  }
  const unrouted = troubled.filter(({ queue }) => queue === 'incoming')
  if (unrouted.length > 0)
    tell('bad', `${count(unrouted.length, 'message')} could not be routed.`, unrouted[0].lastError)
  if (oldestWaitingAt && secondsSince(oldestWaitingAt) > SLOW_SECONDS && statements.length === 0)
    tell('warn', 'Messages wait long.', 'the oldest came.', oldestWaitingAt)
  if (statements.length === 0)
    tell('fine', 'All is well.', oldestWaitingAt ? 'Messages are on the way.' : 'Nothing waits.')
  return statements
}

export function hubFigures({ stores, oldestWaitingAt }) {
  const sum = (of) => stores.reduce((total, store) => total + of(store), 0)
  const sumIfCounted = (of) => (stores.some((store) => of(store) === null) ? UNCOUNTED : sum(of))
  const failing = sum(({ accepted }) => accepted.failing)
  const parked = sum(({ accepted }) => accepted.parked)
  return [
    ['incoming', sumIfCounted(({ incoming }) => incoming)],
    ['to deliver', sumIfCounted(({ accepted }) => accepted.waiting)],
    ['failing', failing, failing > 0 && 'warn'],
    ['parked', parked, parked > 0 && 'bad'],
    ['oldest waits', oldestWaitingAt ? clock(oldestWaitingAt, 'for') : '–'],
    [
      'archived',
      archivedWords(
        sum(({ archived }) => archived),
        stores.some(({ archived }) => archived >= ARCHIVED_COUNTED),
      ),
    ],
    ['stores', stores.length],
  ]
}

export function archivedWords(number, isMore = number >= ARCHIVED_COUNTED) {
  return `${number.toLocaleString('en')}${isMore ? '+' : ''}`
}

function reasonOf(troubled, mappingId, state) {
  const found = troubled.find((message) => message.mappingId === mappingId && message.state === state)
  const why = found?.said ?? found?.lastError
  return why ? sentence(why) : ''
}
