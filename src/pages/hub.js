import { byId, h, keep } from './dom.js'
import { createFeed, PAGE } from './feed.js'
import { bindFilter } from './filter.js'
import { arrivalLine, hubLine } from './hub-lines.js'
import { archivedWords, hubFigures, hubVerdict } from './hub-verdict.js'
import { follow } from './live.js'
import { messageRow } from './row.js'
import { callJson } from './session.js'
import { showFigures, showVerdict } from './verdict.js'
import { clock, counted } from './words.js'

let overview
let complaint = null
/** What stores and mappings are called, by id. */
let names = new Map()

const filter = bindFilter(byId('arrivals-filter'), 'arrivals', () => {
  feed.reset()
  void refresh()
})
const feed = createFeed({
  list: byId('arrivals'),
  empty: byId('arrivals-empty'),
  path: (before) => `/api/hub/messages?${filter.query({ limit: PAGE, before })}`,
  toLine: (arrival) => arrivalLine(arrival, names),
  idOf: ({ id }) => id,
  emptyWords: () => [
    'Nothing came in yet. With the store’s id and token, push a first message: ',
    h('code', {}, 'spree-bridge push order:persist --sample'),
  ],
})

async function refresh() {
  if (!overview) return
  if (!filter.isSet()) return feed.show(overview.arrivals)
  const { messages } = await callJson(`/api/hub/messages?${filter.query({ limit: PAGE })}`).catch((error) => {
    complaint = error.message
    judge()
    return { messages: [] }
  })
  feed.show(messages)
}

function show(seen) {
  overview = seen
  names = new Map([...seen.stores, ...seen.mappings].map(({ id, name }) => [id, name]))
  judge()
  byId('trouble').hidden = seen.troubled.length === 0
  byId('trouble-count').textContent = seen.troubled.length
  keep(
    byId('troubled'),
    seen.troubled.map((message) => hubLine(message, names, true)),
    ({ key }) => key,
    messageRow,
  )
  filter.offer('store', seen.stores)
  void refresh()
  showStores(seen)
  keep(byId('workers'), seen.workers, ({ id }) => id, workerRow)
  byId('workers-empty').hidden = seen.workers.length > 0
}

function judge() {
  if (overview) showFigures(hubFigures(overview))
  showVerdict(hubVerdict(overview, complaint, names), 'hub')
}

function showStores({ stores, mappings }) {
  keep(
    byId('stores'),
    stores.map((store) => ({ ...store, mappings: mappings.filter(({ storeId }) => storeId === store.id) })),
    ({ id }) => id,
    storeBlock,
  )
  byId('stores-empty').hidden = stores.length > 0
  byId('stores-empty').replaceChildren(
    'No store yet. Make one, with the HUB_ADMIN_TOKEN: ',
    h('code', {}, 'POST /api/stores {"name": "My shop"}'),
    ' answers with its id and its token.',
  )
}

function storeBlock() {
  const element = h('li')
  return {
    element,
    update({ id, name, incoming, accepted, archived, mappings: of }) {
      element.replaceChildren(
        h('h3', {}, name, ' ', h('code', {}, id)),
        h(
          'p',
          { class: 'quiet' },
          `${counted(incoming, 'incoming')} · ${counted(accepted.waiting, 'to deliver')} · ${accepted.failing} failing · ${accepted.parked} parked · ${archivedWords(archived)} archived`,
        ),
        of.length > 0
          ? h('ul', { class: 'mappings' }, of.map(mappingItem))
          : h('p', { class: 'quiet' }, 'No mapping: what comes in is archived, and nobody gets it.'),
      )
    },
  }
}

function mappingItem({ name, url, messages, filters, enabled, isStore, counts }) {
  const level = counts.parked > 0 ? 'bad' : counts.failing > 0 ? 'warn' : ''
  return h(
    'li',
    { class: level },
    h('b', {}, name),
    isStore &&
      h(
        'span',
        { class: 'tag', title: 'What this store pushed itself never goes there' },
        'the store itself',
      ),
    !enabled && h('span', { class: 'tag' }, 'switched off'),
    h('span', { class: 'counts' }, countsOf(counts)),
    h('span', { class: 'url' }, url),
    h('span', { class: 'quiet' }, messages.join(', ')),
    filters.length > 0 &&
      h('span', { class: 'quiet' }, `only where ${filters.map(filterWords).join(' and ')}`),
  )
}

/** `payload.order.totals.tax gt 100`; of a list `any payload.order.shipments.*.number begin H`. */
function filterWords({ path, operator, value, match_rule: rule }) {
  return [rule === 'any' && 'any', path, operator, value].filter(Boolean).join(' ')
}

function countsOf(counts) {
  const told = Object.entries(counts).filter(([, number]) => number !== 0)
  return told.length > 0 ? told.map(([state, number]) => counted(number, state)).join(', ') : 'nothing waits'
}

function workerRow() {
  const element = h('li')
  return {
    element,
    update({ host, pid, alive, heartbeatAt }) {
      element.className = alive ? '' : 'bad'
      element.replaceChildren(
        h('b', {}, alive ? 'alive' : 'dead'),
        ` ${host}:${pid} · heartbeat `,
        clock(heartbeatAt),
      )
    },
  }
}

setInterval(judge, 5_000)
void follow('/api/hub/events', show, (sentence) => {
  complaint = sentence
  judge()
})
