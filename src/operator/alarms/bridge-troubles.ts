import { z } from 'zod'

import { withoutQuotation } from '../../push/outcome.ts'
import { heldOf, type Status } from '../show-status.ts'
import type { Trouble } from './trouble.ts'

const report = z.object({ circuit: z.string(), lastError: z.string().nullable() })

/** What of the bridge's state a person has to know at once. Pure. */
export function bridgeTroubles(status: Status, lagSeconds: number): Trouble[] {
  return [
    ...parked(status),
    ...unmapped(status),
    ...held(status),
    ...silence(status),
    ...circuit(status),
    ...gaps(status),
    ...lag(status, lagSeconds),
  ]
}

function parked({ messages }: Status): Trouble[] {
  return messages
    .filter(({ state }) => state === 'parked')
    .map(({ type, count }) => ({
      cause: 'parked',
      subject: type,
      text:
        `${count} of ${type}: the hub refuses them for good, or a person has parked them. What follows about the same ` +
        `orders may wait behind them. See \`spree-bridge messages list --state parked --type ${type}\`, then \`messages ` +
        "retry' or `messages discard`.",
    }))
}

function unmapped({ unmapped: entries }: Status): Trouble[] {
  const kinds = new Set(entries.map(({ aggregate }) => aggregate.split(':')[0] ?? ''))
  return [...kinds].map((kind) => ({
    cause: 'parked',
    subject: `no message of ${kind}`,
    text:
      `No message can be made of ${entries.filter(({ aggregate }) => aggregate.startsWith(`${kind}:`)).length} ${kind}s: ` +
      'see `spree-bridge status` for the reasons, mend them in the store, or `messages retry`.',
  }))
}

/** Kinds whose changes wait; and those of which nothing waits, since what is written has names that no trigger knows. */
function held({ workers, gaps: open }: Status): Trouble[] {
  const kinds = new Map(workers.filter(({ alive }) => alive).flatMap((worker) => heldOf(worker.report)))
  const unseen = new Set(open.flatMap(({ kind, reason }) => (reason === 'unreadable' ? [kind] : [])))
  return [
    ...[...kinds].map(([kind, reason]) => ({
      cause: 'parked' as const,
      subject: `changes of ${kind}`,
      text:
        `Changes of ${kind} wait in the outbox, for the tables of the store are not as they were: ${reason}. Nothing is lost: ` +
        'what is written under other names is found afterwards. Put back what is missing, or start a release that knows the new tables.',
    })),
    ...[...unseen]
      .filter((kind) => !kinds.has(kind))
      .map((kind) => ({
        cause: 'parked' as const,
        subject: `changes of ${kind}`,
        text:
          `Changes of ${kind} may go unseen, for the tables of the store are not as they were: \`spree-bridge doctor\` says ` +
          'what is missing. They are found once that is put back, or a release runs that knows the new tables.',
      })),
  ]
}

function silence({ workers }: Status): Trouble[] {
  if (workers.some(({ alive }) => alive)) return []
  return [
    {
      cause: 'worker',
      subject: '',
      text: 'No worker has a heartbeat: nothing is collected or pushed. Nothing is lost meanwhile. Start one: `spree-bridge worker`.',
    },
  ]
}

function circuit({ workers }: Status): Trouble[] {
  const alive = workers.filter((worker) => worker.alive)
  const open = alive.flatMap((worker) => {
    const told = report.safeParse(worker.report)
    return told.success && told.data.circuit !== 'closed' ? [told.data] : []
  })
  const [first] = open
  if (!first) return []
  return [
    {
      cause: 'circuit',
      subject: '',
      text:
        `${open.length} of ${alive.length} workers do not push: ${withoutQuotation(first.lastError ?? 'the hub does not answer.')} ` +
        'Messages wait, and the hub is asked again by and by. Look after the hub; if it refuses us, check HUB_URL, HUB_STORE_ID and HUB_TOKEN.',
    },
  ]
}

/** But those of tables that cannot be read, of which `held` tells; a pass closes them as soon as they can be. */
function gaps({ gaps: all }: Status): Trouble[] {
  const open = all.filter(({ reason }) => reason !== 'unreadable')
  const kinds = [...new Set(open.map(({ kind }) => kind))]
  return kinds.map((kind) => {
    const those = open.filter((gap) => gap.kind === kind)
    const why = [
      ...new Set(those.map(({ reason, table }) => (table ? `${reason} on ${table}` : reason))),
    ].join(', ')
    return {
      cause: 'gap',
      subject: kind,
      text: `Changes of ${kind} were not recorded since ${those[0]?.openedAt.toISOString()} (${why}). Run \`spree-bridge reconcile --fix\`.`,
    }
  })
}

function lag({ oldestChangeSeconds, oldestMessageSeconds, paused }: Status, limit: number): Trouble[] {
  const oldest = Math.max(oldestChangeSeconds ?? 0, oldestMessageSeconds ?? 0)
  if (oldest <= limit) return []
  const what =
    (oldestChangeSeconds ?? 0) > limit ? 'change that is not collected' : 'message that the hub has not taken'
  const types = paused.map(({ type }) => type).join(', ')
  return [
    {
      cause: 'lag',
      subject: '',
      text:
        `The oldest ${what} is ${Math.round(oldest)} s old; the limit is ${limit} s (ALARM_LAG_SECONDS). ` +
        `${types ? `Paused is ${types}, and what follows in the same aggregates waits too. ` : ''}See \`spree-bridge status\`.`,
    },
  ]
}
