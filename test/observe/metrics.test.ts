import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { createMetrics } from '../../src/observe/metrics.ts'
import { metricsReference } from '../support/metrics-page.ts'

const samples = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))

test('two instances in one process count apart', async () => {
  const [one, other] = [createMetrics(), createMetrics()]
  one.supersededTotal.inc()

  expect(samples(await one.render())).toContain('spree_bridge_superseded_total 1')
  expect(samples(await other.render())).toContain('spree_bridge_superseded_total 0')
})

test('what was measured is told under the names operators rely on', async () => {
  const metrics = createMetrics()
  metrics.commitToCollectSeconds.observe(0.04)
  metrics.collectToAcceptSeconds.observe(7)
  metrics.oldestWaitingSeconds.set(12.5)
  metrics.messages.set({ state: 'parked', type: 'order:persist' }, 3)
  metrics.outboxRows.set(0)
  metrics.lanesOwned.set(32)
  metrics.circuitOpen.set(1)
  metrics.workerHeartbeatAgeSeconds.set(2)
  metrics.pushedTotal.inc({ type: 'stock:change', outcome: 'accepted' })
  metrics.echoSilencedTotal.inc(2)
  metrics.gapsTotal.inc({ kind: 'truncate' })
  metrics.driftTotal.inc({ kind: 'stock', outcome: 'changed' })
  metrics.stockWithoutSkuTotal.inc()
  metrics.unmappableTotal.inc({ kind: 'order' })

  expect(samples(await metrics.render())).toEqual(
    expect.arrayContaining([
      'spree_bridge_commit_to_collect_seconds_bucket{le="0.05"} 1',
      'spree_bridge_commit_to_collect_seconds_bucket{le="0.025"} 0',
      'spree_bridge_collect_to_accept_seconds_sum 7',
      'spree_bridge_oldest_waiting_seconds 12.5',
      'spree_bridge_messages{state="parked",type="order:persist"} 3',
      'spree_bridge_outbox_rows 0',
      'spree_bridge_lanes_owned 32',
      'spree_bridge_circuit_open 1',
      'spree_bridge_worker_heartbeat_age_seconds 2',
      'spree_bridge_pushed_total{type="stock:change",outcome="accepted"} 1',
      'spree_bridge_echo_silenced_total 2',
      'spree_bridge_superseded_total 0',
      'spree_bridge_gaps_total{kind="truncate"} 1',
      'spree_bridge_drift_total{kind="stock",outcome="changed"} 1',
      'spree_bridge_stock_without_sku_total 1',
      'spree_bridge_unmappable_total{kind="order"} 1',
    ]),
  )
})

test('a level that nobody has measured is not claimed to be zero', async () => {
  const text = await createMetrics().render()

  expect(text).not.toMatch(/^spree_bridge_(oldest_waiting|outbox|lanes|circuit|worker_heartbeat|messages)/m)
})

test('docs/metrics.md is what is measured', () => {
  expect(readFileSync('docs/metrics.md', 'utf8')).toBe(metricsReference())
})
