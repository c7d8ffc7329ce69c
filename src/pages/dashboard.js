import { inboundLine, outboundLine, unmappedLine } from './bridge-lines.js'
import { bridgeFigures, bridgeVerdict } from './bridge-verdict.js'
import { byId, h, keep } from './dom.js'
import { createFeed, PAGE } from './feed.js'
import { bindFilter } from './filter.js'
import { follow } from './live.js'
import { messageRow } from './row.js'
import { actButton } from './say.js'
import { callJson } from './session.js'
import { shapingItems, shapingRow } from './shaping.js'
import { showFigures, showVerdict } from './verdict.js'
import { clock, count } from './words.js'

let overview
let complaint = null

const outbound = createSide({
  name: 'outbound',
  path: '/api/v1/messages',
  toLine: (message) => outboundLine(message),
  none: () => [
    'Nothing was announced yet. Change a product or place an order in the store, and it shows here within seconds. ',
    'What was in the store before the bridge came is not announced.',
  ],
})
const inbound = createSide({
  name: 'inbound',
  path: '/api/v1/inbox',
  toLine: (message) => inboundLine(message),
  none: () => [
    'The hub has sent nothing yet. Give it this bridge’s address /webhook and the WEBHOOK_TOKEN, or try it yourself: ',
    h('code', {}, 'spree-bridge deliver stock:change --sample'),
  ],
})

/** One direction: a filter, and the list that it asks for. */
function createSide({ name, path, toLine, none }) {
  const filter = bindFilter(byId(`${name}-filter`), name, () => {
    feed.reset()
    void refresh()
  })
  const feed = createFeed({
    list: byId(name),
    empty: byId(`${name}-empty`),
    path: (before) => `${path}?${filter.query({ limit: PAGE, before })}`,
    toLine,
    idOf: ({ id }) => id,
    emptyWords: () => (filter.isSet() ? 'No message matches the filter.' : none()),
  })
  async function refresh() {
    if (!overview) return
    if (!filter.isSet()) return feed.show(overview[name])
    const { messages } = await callJson(`${path}?${filter.query({ limit: PAGE })}`).catch((error) => {
      complaint = error.message
      judge()
      return { messages: [] }
    })
    feed.show(messages)
  }
  return { refresh, suggest: (types) => filter.suggest(types) }
}

function show(seen) {
  overview = seen
  judge()
  showTrouble(seen)
  void outbound.refresh()
  void inbound.refresh()
  outbound.suggest([...seen.outbound, ...seen.troubled].map(({ type }) => type))
  inbound.suggest(seen.inbound.map(({ type }) => type))
  keep(byId('workers'), seen.workers, ({ id }) => id, workerRow)
  byId('workers-empty').hidden = seen.workers.length > 0
  const shaped = shapingItems(seen)
  byId('shaping').hidden = shaped.length === 0
  keep(byId('shaped'), shaped, ({ key }) => key, shapingRow)
}

function judge() {
  if (overview) showFigures(bridgeFigures(overview))
  showVerdict(bridgeVerdict(overview, complaint), 'spree-bridge')
}

function showTrouble({ troubled, unmapped, failedInbound, failedInboundCount, messages }) {
  const queued = messages
    .filter(({ state }) => state !== 'waiting')
    .reduce((sum, each) => sum + each.count, 0)
  const total = queued + unmapped.length + failedInboundCount
  byId('trouble').hidden = total === 0
  byId('trouble-count').textContent = total
  keep(
    byId('troubled'),
    [
      ...unmapped.map(unmappedLine),
      ...troubled.filter(({ state }) => state === 'parked').map((message) => outboundLine(message, true)),
      ...failedInbound.map((message) => inboundLine(message, true)),
      ...troubled.filter(({ state }) => state === 'failing').map((message) => outboundLine(message, true)),
    ],
    ({ key }) => key,
    messageRow,
  )
  byId('trouble-acts').hidden = queued < 2 && unmapped.length === 0
}

byId('trouble-acts').append(
  actButton({
    label: 'Retry all outbound',
    title:
      'Every parked and failing message is due at once, and what could not be made into a message is tried anew',
    act: async () => {
      const { count: number } = await callJson('/api/v1/messages/retry?state=parked,failing', {
        method: 'POST',
      })
      return `${count(number, 'message is', 'messages are')} put back to be sent.`
    },
  }),
)

function workerRow() {
  const element = h('li')
  return {
    element,
    update({ host, pid, version, alive, heartbeatAt, startedAt, lanes, collects, report }) {
      element.className = alive ? '' : 'bad'
      element.replaceChildren(
        h('b', {}, alive ? 'alive' : 'dead'),
        ` ${host}:${pid} · heartbeat `,
        clock(heartbeatAt),
        ` · ${count(lanes, 'lane')}${collects ? ' · collector' : ''} · circuit ${report?.circuit ?? 'unknown'} · version ${version} · up `,
        clock(startedAt, 'for'),
      )
    },
  }
}

setInterval(judge, 5_000)
void follow('/api/v1/events', show, (sentence) => {
  complaint = sentence
  judge()
})
