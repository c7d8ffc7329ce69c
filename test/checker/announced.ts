import { byAggregate, type Evidence, type Finding, nameOf } from './evidence.ts'
import { findLiesOfSix } from './lies-of-six.ts'
import { isComparable, type Message } from './message.ts'
import { describeLie, type Picture, samePicture, tells } from './picture.ts'

const NOTHING: Picture = new Map()

/**
 * Every committed change ended in an announced state, and nothing was announced of what nobody changed. What of a product
 * stands as a hub has set it need not be announced to it.
 */
export function findUnannounced(evidence: Evidence): Finding[] {
  const told = byAggregate(
    evidence.messages.filter(({ picture }) => picture !== null),
    ({ aggregate }) => aggregate,
  )
  const aggregates = new Set([...evidence.history.touched, ...told.keys()])
  return [...aggregates].flatMap((aggregate) => {
    const text = judge(aggregate, told.get(aggregate)?.at(-1), evidence)
    return text ? [{ rule: 'announced', about: aggregate, text }] : []
  })
}

function judge(aggregate: string, last: Message | undefined, evidence: Evidence): string | null {
  const { history } = evidence
  const before = history.seed.get(aggregate) ?? NOTHING
  const now = history.now.get(aggregate) ?? NOTHING
  if (aggregate.startsWith('product:') && needsNoWord(aggregate, before, now, evidence)) return null
  const isKnown = (key: string) => aggregate.startsWith('product:') && stoodSoByHub(key, evidence)
  const untold = (picture: Picture) => new Map([...picture].filter(([key]) => !isKnown(key)))
  if (!last?.picture)
    return samePicture(untold(before), untold(now)) ? null : `changed, but no message says so`
  if (!history.touched.has(aggregate)) return `${nameOf(last.request)} came though nothing had changed`
  const { picture } = last
  if (aggregate.startsWith('order:') && !now.has(aggregate)) {
    const wasPlaced = history.versions.get(aggregate)?.some(({ fields }) => fields !== null)
    return wasPlaced ? null : `${nameOf(last.request)} came, but it is a cart`
  }
  if (!now.has(aggregate))
    return picture.get(aggregate)?.['deleted'] ? null : `is gone, but ${nameOf(last.request)} shows it alive`
  const lies = [...new Set([...picture.keys(), ...now.keys()])]
    .filter((key) => isComparable(key, picture) && !isKnown(key))
    .filter((key) => !tells(picture.get(key), now.get(key)))
    .map((key) => describeLie(key, picture.get(key), now.get(key)))
  if (evidence.family === 'spree-6.0')
    lies.push(...findLiesOfSix(aggregate, last.request, evidence.now, isKnown))
  return lies.length === 0
    ? null
    : `the last word, ${nameOf(last.request)}, is not how it stands: ${lies.join('; ')}`
}

/** The last who changed this row was a hub. */
function stoodSoByHub(key: string, { history, foreign }: Evidence): boolean {
  const xid = history.versions.get(key)?.at(-1)?.xid ?? null
  return xid !== null && foreign.has(xid)
}

/** A product made and removed between two looks; a removed one whose SKU lives on elsewhere. */
function needsNoWord(aggregate: string, before: Picture, now: Picture, evidence: Evidence): boolean {
  const alive = now.has(aggregate) && now.get(aggregate)?.['deleted'] === null
  if (alive) return false
  const wasThere = before.has(aggregate)
  const wasTold = evidence.messages.some((message) => message.aggregate === aggregate && message.picture)
  if (!wasThere && !wasTold) return true
  const id = aggregate.split(':')[1] ?? ''
  return [...evidence.store.productsOfSku].some(
    ([sku, products]) => products.has(id) && livesElsewhere(sku, id, evidence),
  )
}

function livesElsewhere(sku: string, product: string, { now }: Evidence): boolean {
  return [...(now.get('spree_variants')?.values() ?? [])].some(
    (row) => row['sku'] === sku && row['deleted_at'] === null && String(row['product_id']) !== product,
  )
}
