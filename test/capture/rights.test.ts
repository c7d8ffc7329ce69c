import { expect, test } from '@jest/globals'

import { missingGrants } from '../../src/capture/rights.ts'
import { checkStores } from '../../src/operator/doctor/check-stores.ts'
import { findRoot } from '../../src/store/find-root.ts'
import { changedReturns, changedTaxons } from '../../src/store/polled-rows.ts'
import { openStore } from '../../src/store/store.ts'
import { learningRights } from '../support/learned-rights.ts'
import { type AnyStore, createStore } from '../support/stores.ts'

const families: AnyStore[] = [
  'spree-2.0',
  'spree-2.4',
  'spree-3.2',
  'spree-3.7',
  'spree-4.7',
  'spree-4.10',
  'spree-6.0',
  'solidus-4',
]
const dialects = [{}, { hubDialect: 'wombat', carts: 'on' }] as const

test.each(families)(
  'in a store of %s rights are asked for what is read, and nothing else',
  async (family) => {
    const database = await createStore(family, 'fixture')
    const db = await database.pool.connect()
    const role = `reader_${process.pid}`
    try {
      for (const told of dialects) {
        const store = await openStore(db, told)
        await db.query(
          `begin; create role ${role}; grant usage on schema public to ${role}; set local role ${role}`,
        )
        const grants = await missingGrants(db, store)
        const asked = grants.flatMap((grant) => {
          const [, privileges, table] = /^grant (.+) on public\.(\w+) to \w+;$/.exec(grant) ?? []
          return privileges?.split(', ').includes('select') ? [`select ${table}`] : []
        })

        const learned = new Set<string>()
        const reading = learningRights(db, role, learned)
        // Every statement by which snapshots are made and owners found.
        expect(await store.unreadable(reading)).toEqual(new Map())
        for (const kind of store.kinds) {
          await store.roots(reading, kind, '0', 10)
          await store.changedSince(reading, kind, undefined, 10)
          await findRoot(reading, store, kind, '1')
        }
        await store.stockPlaces(reading)
        await store.skuOwners(reading, ['BC-01'])
        await store.lastVariant(reading)
        await changedReturns(reading, store, undefined, 10)
        await changedTaxons(reading, store, undefined, 10)
        await checkStores(reading, store)
        await openStore(reading, told)
        expect({
          told,
          missing: [...learned].filter((right) => !asked.includes(right)),
          superfluous: asked.filter((right) => !learned.has(right)),
        }).toEqual({ told, missing: [], superfluous: [] })
        await db.query('rollback')
      }
    } finally {
      await db.query('rollback')
      db.release()
      await database.drop()
    }
  },
)
