import type { Row, StoreRows } from '../support/audit.ts'
import { type Evidence, type Finding, nameOf } from './evidence.ts'
import { chainsByRow } from './history.ts'
import type { Message } from './message.ts'

/** A set of SKUs whose variants were never called anything else, and all that is known of their variants. */
type Group = Readonly<{ skus: ReadonlySet<string>; variants: ReadonlySet<string> }>

/**
 * Per SKU the sum of the deltas told under distinct keys is the level now less the level at seeding, and less what a hub
 * itself has moved. The level of a SKU
 * is the sum of the living stock rows of its living variants. SKUs that a variant passed on to another (renamed) are
 * added up together. By payloads.md nothing is said, so nothing can be asked, of
 * - a variant without SKU, while it has none,
 * - a deleted variant: its stock goes without a message, and may have gone before the last sale of it was told.
 */
export function findWrongStock(evidence: Evidence): Finding[] {
  const told = evidence.messages.filter(({ request }) => request.type === 'stock:change')
  const groups = groupSkus(evidence)
  const known = new Set(groups.flatMap(({ skus }) => [...skus]))
  const findings = told.flatMap(({ request }) => {
    const { sku, quantity } = request.payload
    if (!known.has(String(sku)))
      return [finding(String(sku), `${nameOf(request)} is about a SKU that never was`)]
    if (Number.isInteger(quantity) && quantity !== 0) return []
    return [finding(String(sku), `${nameOf(request)} has quantity ${quantity}`)]
  })
  const seed = levelsOf(evidence.seed)
  const now = levelsOf(evidence.now)
  const byHub = movedByHub(evidence)
  for (const { skus, variants } of groups) {
    const about = [...skus].join(', ')
    const ofGroup = told.filter(({ request }) => skus.has(String(request.payload['sku'])))
    if (![...variants].some((variant) => leavesWatch(variant, evidence))) {
      const sum = ofGroup.reduce((total, { request }) => total + Number(request.payload['quantity']), 0)
      const moved = [...variants].reduce(
        (total, id) => total + (now.get(id) ?? 0) - (seed.get(id) ?? 0) - (byHub.get(id) ?? 0),
        0,
      )
      if (sum !== moved)
        findings.push(
          finding(about, `${ofGroup.length} messages add up to ${sum}, the level moved by ${moved}`),
        )
    }
    const stray = findStray(ofGroup, variants, evidence)
    if (stray) findings.push(finding(about, stray))
  }
  return findings
}

function finding(about: string, text: string): Finding {
  return { rule: 'stock', about, text }
}

export const tablesOfStock = ['spree_stock_items', 'spree_stock_levels']

function stockRows(rows: StoreRows): Row[] {
  return tablesOfStock.flatMap((table) => [...(rows.get(table)?.values() ?? [])])
}

function levelsOf(rows: StoreRows): ReadonlyMap<string, number> {
  const levels = new Map<string, number>()
  for (const row of stockRows(rows)) {
    const variant = String(row['variant_id'])
    levels.set(variant, (levels.get(variant) ?? 0) + levelOf(row))
  }
  return levels
}

function movedByHub({ changes, foreign }: Evidence): ReadonlyMap<string, number> {
  const moved = new Map<string, number>()
  for (const { table, xid, old, new: later } of changes) {
    if (!tablesOfStock.includes(table) || !foreign.has(xid)) continue
    const variant = String((later ?? old)?.['variant_id'])
    moved.set(variant, (moved.get(variant) ?? 0) + levelOf(later) - levelOf(old))
  }
  return moved
}

export function levelOf(row: Row | null): number {
  return row && row['deleted_at'] === null ? Number(row['count_on_hand']) : 0
}

function groupSkus(evidence: Evidence): Group[] {
  const pairs = new Map<string, readonly [sku: string, variant: string]>()
  for (const row of variantVersions(evidence))
    if (row['sku'] !== '' && row['deleted_at'] === null)
      pairs.set(`${row['id']} ${row['sku']}`, [String(row['sku']), String(row['id'])])
  let groups: Group[] = []
  for (const [sku, variant] of pairs.values()) {
    const joined = groups.filter(({ skus, variants }) => skus.has(sku) || variants.has(variant))
    const group = {
      skus: new Set([sku, ...joined.flatMap(({ skus }) => [...skus])]),
      variants: new Set([variant, ...joined.flatMap(({ variants }) => [...variants])]),
    }
    groups = [...groups.filter((other) => !joined.includes(other)), group]
  }
  return groups
}

function variantVersions({ seed, now, changes }: Evidence): Row[] {
  const changed = changes.filter(({ table }) => table === 'spree_variants')
  return [
    ...(seed.get('spree_variants')?.values() ?? []),
    ...changed.flatMap(({ old, new: later }) => [old, later]),
    ...(now.get('spree_variants')?.values() ?? []),
  ].filter((row) => row !== null)
}

/** Was there a time in which its stock was not to be announced? */
function leavesWatch(variant: string, evidence: Evidence): boolean {
  const versions = variantVersions(evidence).filter((row) => String(row['id']) === variant)
  const gone = !evidence.now.get('spree_variants')?.has(variant)
  return gone || versions.some((row) => row['deleted_at'] !== null || row['sku'] === '')
}

/**
 * Where a variant has one stock row, its levels are in order: the messages so far must add up to one of them, and to a
 * later one each time. This holds for a deleted variant too, up to where it falls silent.
 */
function findStray(
  messages: readonly Message[],
  variants: ReadonlySet<string>,
  evidence: Evidence,
): string | null {
  const [variant, ...others] = variants
  if (!variant || others.length > 0) return null
  const living = evidence.now.get('spree_variants')?.get(variant)?.['deleted_at'] === null
  if (living && leavesWatch(variant, evidence)) return null
  const levels = levelsInOrder(variant, evidence)
  if (!levels) return null
  let at = 0
  let sum = 0
  for (const { request } of messages) {
    sum += Number(request.payload['quantity'])
    const next = levels.findIndex((level, index) => index >= at && level === sum + Number(levels[0]))
    if (next < 0)
      return `after ${nameOf(request)} it is told to have moved by ${sum}: no commit left it there`
    at = next
  }
  return null
}

/** As the shop alone would have left them. Null where the variant's stock stands in several rows, or in one that was another variant's. */
function levelsInOrder(variant: string, { seed, now, changes, foreign }: Evidence): readonly number[] | null {
  const ofVariant = (row: Row | null) => row !== null && String(row['variant_id']) === variant
  const changed = changes.filter(
    ({ table, old, new: later }) => tablesOfStock.includes(table) && (ofVariant(old) || ofVariant(later)),
  )
  const rows = [...stockRows(seed), ...stockRows(now)].filter(ofVariant)
  const ids = new Set(
    [...rows, ...changed.map(({ old, new: later }) => later ?? old)].map((row) => row?.['id']),
  )
  if (
    ids.size !== 1 ||
    changed.some(({ old, new: later }) => !ofVariant(old ?? later) || !ofVariant(later ?? old))
  )
    return null
  const [chain] = chainsByRow(changed)
  if (!chain) return rows.slice(0, 1).map(levelOf)
  let byHub = 0
  return chain.states.map(({ row, xid }, index) => {
    if (xid !== null && foreign.has(xid))
      byHub += levelOf(row) - levelOf(chain.states[index - 1]?.row ?? null)
    return levelOf(row) - byHub
  })
}
