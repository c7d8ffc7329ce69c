import type { Command } from 'commander'

import { newPerson, type Person } from '../messages/personal/person.ts'
import { type ErasedTable, erasePerson, type Others } from '../operator/erase/erase-person.ts'
import type { Pool } from '../postgres/pool.ts'
import { hasAccount, type Owned, ownedBy } from '../store/owned-by.ts'
import { OperatorError } from './exit.ts'
import { hubCodeVersion, openHubDatabase, requireHubSchema } from './hub-database.ts'
import { type CommonOptions, type Print, type StoreContext, withStore } from './store-command.ts'
import { codeVersion, requireSchema } from './store-database.ts'

type EraseOptions = CommonOptions & Readonly<{ dryRun?: boolean }>

/** `spree-bridge erase EMAIL`: a customer's data out of what bridge and hub keep. The store's own is the shop's to erase. */
export function addEraseCommand(program: Command, print: Print, finish: (status: number) => void): void {
  program
    .command('erase <email>')
    .description('take the personal data of a customer out of history, inbox, baselines and the hub')
    .option('--config <file>', 'YAML file with settings; the environment wins')
    .option('--json', 'print data as JSON')
    .option('--dry-run', 'only say in how many rows of which tables they are')
    .action((email: string, options: EraseOptions) =>
      withStore(options, async (context) => {
        if (!/^[^\s@]+@[^\s@]+$/.test(email))
          throw new OperatorError(
            `${email} is no e-mail address: give the one by which the shop knows the customer.`,
            2,
          )
        await requireSchema(context.pool, await codeVersion())
        const owned = await ownedBy(context.pool, email)
        const erased = await eraseIn(context, email, owned, options.dryRun ?? false)
        const { tables } = erased
        const inStore = owned.accounts.length + owned.orders.length
        print(options.json ? JSON.stringify({ ...erased, inStore }) : format(erased, inStore, options))
        finish(options.dryRun || isFinished(tables) ? 0 : 1)
      }),
    )
}

type Erased = Readonly<{
  tables: readonly ErasedTable[]
  /** Addresses of theirs that are another account's by now. */
  notFollowed: readonly string[]
}>

/**
 * Former addresses are known to the bridge, and lead to rows of the hub as well: those are erased first. While some of them are
 * not finished, or something waits that may be there by now, what the bridge knows stays.
 */
async function eraseIn(context: StoreContext, email: string, owned: Owned, dryRun: boolean): Promise<Erased> {
  const { pool } = context
  const person = personOf(email, owned)
  const others: Others = {
    async haveAddress(address) {
      const { accounts } = await ownedBy(pool, address)
      return accounts.some((id) => !person.keys.has(`customer:${id}`))
    },
    haveAccount: (aggregate) => hasAccount(pool, aggregate.slice('customer:'.length)),
  }
  const found = await erasePerson(pool, 'bridge', person, true, others)
  const { emails, lost } = person
  const inHub = await onHub(context, (hub) =>
    erasePerson(hub, 'hub', { ...newPerson(email), emails, lost }, dryRun, others),
  )
  const told = { notFollowed: [...lost] }
  if (dryRun) return { tables: [...found, ...inHub], ...told }
  const mayReachHub = context.settings.hubDatabaseUrl !== undefined && !isFinished(found)
  if (emails.size > 1 && (mayReachHub || !isFinished(inHub))) {
    const left = found.map((table) => ({ ...table, rows: 0, left: table.rows }))
    return { tables: [...left, ...inHub], ...told }
  }
  const again = { ...personOf(email, owned), lost }
  const erased = await erasePerson(pool, 'bridge', again, false, others)
  // What waited a moment ago may be with the hub by now.
  const waited = found.filter(
    ({ table, waiting }) => waiting > 0 && !erased.some((one) => one.table === table),
  )
  return { tables: [...erased, ...waited.map((table) => ({ ...table, rows: 0 })), ...inHub], ...told }
}

function isFinished(tables: readonly ErasedTable[]): boolean {
  return tables.every(({ waiting, left }) => waiting + left === 0)
}

/** Of the bridge's own schema only: to a hub, numbers of orders mean something in one of its stores. */
function personOf(email: string, { accounts, orders }: Owned): Person {
  const person = newPerson(email)
  for (const id of accounts) person.keys.add(`customer:${id}`)
  for (const { id, number } of orders) {
    person.keys.add(`order:${id}`)
    if (number !== null) person.numbers.add(number)
  }
  return person
}

async function onHub(
  { settings, log }: StoreContext,
  erase: (hub: Pool) => Promise<ErasedTable[]>,
): Promise<ErasedTable[]> {
  if (settings.hubDatabaseUrl === undefined) return []
  const hub = await openHubDatabase(settings.hubDatabaseUrl, log, {
    applicationName: 'spree-bridge',
    connections: 1,
  })
  try {
    await requireHubSchema(hub, await hubCodeVersion())
    return await erase(hub)
  } finally {
    await hub.end()
  }
}

function format({ tables, notFollowed }: Erased, inStore: number, { dryRun }: EraseOptions): string {
  const lines = tables.map(({ table, rows, waiting, left }) => {
    const told = [
      `${String(rows).padStart(6)} ${dryRun ? 'to be erased' : 'erased'}`,
      ...(waiting > 0 ? [`${waiting} not finished`] : []),
      ...(left > 0 ? [`${left} still there`] : []),
    ]
    return `${table.padEnd(28)} ${told.join(', ')}`
  })
  const isWaiting = tables.some(({ waiting }) => waiting > 0)
  const isLeft = tables.some(({ left }) => left > 0)
  return [
    ...lines,
    ...(isWaiting
      ? [
          'What is not finished stays as it is, since it may still be sent or applied: let it, or discard it (`messages`, `inbox`, the page of the hub), then erase again.',
        ]
      : []),
    ...(isLeft
      ? [
          'What is still there leads to what is not finished, has changed meanwhile, or was set up by people: look at it, then erase again.',
        ]
      : []),
    ...notFollowed.map(
      (address) => `${address} is the address of another account: what else stands under it was left.`,
    ),
    ...(inStore > 0
      ? [
          `The store itself has ${inStore} accounts and orders of this address: what changes in them is told again.`,
        ]
      : []),
    ...(dryRun || isWaiting || isLeft ? [] : ['Searched again: nothing is left.']),
  ].join('\n')
}
