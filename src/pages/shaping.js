import { h } from './dom.js'
import { clock, count } from './words.js'

const DIFFERENCES = 5

/** What the configuration keeps back, and what the one on trial would make otherwise: one item for each. */
export function shapingItems({ withheld, shadow }) {
  return [
    ...withheld.map((kept) => ({ key: `kept ${kept.type} ${kept.by}`, kept })),
    ...shadow.map((trial) => ({ key: `trial ${trial.type}`, trial })),
  ]
}

export function shapingRow() {
  const element = h('li')
  return {
    element,
    update: ({ kept, trial }) =>
      element.replaceChildren(...(kept ? keptBack(kept) : onTrial(trial)).filter(Boolean)),
  }
}

function keptBack({ type, by, count: number, since, lastAt, lastAggregate }) {
  return [
    h('b', {}, type),
    ` ${number.toLocaleString('en')} kept back by `,
    h('code', {}, by),
    ` in `,
    clock(since, 'for'),
    `, the last of ${lastAggregate} `,
    clock(lastAt),
  ]
}

function onTrial({ type, compared, differing, since, differences }) {
  const ways = differences
    .slice(0, DIFFERENCES)
    .map(({ path, count: number, live, shadow, lastAggregate }) =>
      h(
        'li',
        { class: 'quiet' },
        h('code', {}, path),
        ` ${live} → ${shadow}, ${count(number, 'time')}, the last of ${lastAggregate}`,
      ),
    )
  const more = differences.length - ways.length
  return [
    h('b', {}, type),
    ` on trial for `,
    clock(since, 'for'),
    `: ${differing === 0 ? 'none' : differing.toLocaleString('en')} of ${compared.toLocaleString('en')} would differ`,
    ways.length > 0 &&
      h('ul', {}, ways, more > 0 && h('li', { class: 'quiet' }, `and ${more} more: status tells`)),
  ]
}
