import { z } from 'zod'

import type { Log } from '../../observe/log.ts'
import { onceInAWhile } from '../../observe/once-in-a-while.ts'
import { atStep } from '../../observe/steps.ts'
import type { Pool } from '../../postgres/pool.ts'
import type { ConsumerClient } from '../../push/consumer-client.ts'
import { withKey } from '../../push/json-text.ts'
import type { Decision, QueuedMessage } from '../../queue/message.ts'
import type { SenderOptions } from '../../queue/session.ts'
import { type DeliveryVerdict, decideDelivery } from './delivery-decision.ts'
import { writeEffects } from './effects.ts'

export type DeliveryOptions = Readonly<{
  pool: Pool
  client: ConsumerClient
  incomingLanes: number
  /** Deliveries in flight to one consumer. */
  inFlightEach: number
  /** May an address that a store's token gave be in a private network? One that the admin token gave may in any case. */
  targets: 'public' | 'any'
  log: Log
  onDelivered(message: QueuedMessage, outcome: DeliveryVerdict['outcome']): void
}>

const carried = z.object({
  store_id: z.string(),
  mapping_id: z.string(),
  envelope: z.string(),
  poll_url: z.string().nullable(),
})
const sent = z.object({ source: z.unknown().optional() })

/** A consumer has messages in memory for so many rounds of its slots. */
const ROUNDS_HELD = 8
/** Of all consumers together. */
const CHARACTERS_HELD = 16_000_000
/** A mapping that was switched off after it had taken messages is looked at again so often. */
const DISABLED_SECONDS = 60

/** From the accepted queue to the consumers: what the sender of the accepted queue does with a copy. */
export function createDelivery(
  options: DeliveryOptions,
): Pick<SenderOptions<true>, 'permit' | 'giveBack' | 'send' | 'shares'> {
  const { pool, client, incomingLanes, inFlightEach, log } = options
  const quietly = onceInAWhile(log)

  async function send(message: QueuedMessage, _permit: true, signal: AbortSignal): Promise<Decision> {
    const {
      store_id: storeId,
      mapping_id: mappingId,
      envelope,
      poll_url: pollUrl,
    } = carried.parse(message.carried)
    const target = await atStep('deliver.target', () => readTarget(pool, mappingId))
    if (!target) return { do: 'park', reason: 'Its mapping was deleted.' }
    if (!target.enabled) return { do: 'wait', reason: 'Its mapping is disabled.', seconds: DISABLED_SECONDS }
    const outcome = await atStep('deliver.post', () =>
      client.deliver(
        {
          url: pollUrl !== null && isOnHost(pollUrl, target.url) ? pollUrl : target.url,
          token: target.token,
          body: deliveredBody(message, envelope, target.parameters),
          publicOnly: options.targets === 'public' && !target.anyTarget,
        },
        signal,
      ),
    )
    const verdict = decideDelivery(outcome, {
      messageId: message.key,
      type: message.type,
      url: target.url,
      retriesAllowed: target.retriesAllowed,
    })
    options.onDelivered(message, verdict.outcome)
    const { decision, effects } = verdict
    if (decision.do === 'retry' || decision.do === 'park') {
      quietly(
        `${mappingId} ${decision.do}`,
        'warn',
        `a delivery ${decision.do === 'park' ? 'is parked' : 'will be tried again'}`,
        {
          message_id: message.key,
          type: message.type,
          mapping: target.name,
          reason: decision.reason,
        },
      )
    }
    const cause = {
      messageId: message.key,
      storeId,
      mappingId,
      mappingName: target.name,
      type: message.type,
      payload: message.payload,
      parameters: target.parameters,
    }
    if (effects === undefined || decision.do === 'hold') return decision
    return {
      ...decision,
      also: (db) => atStep('deliver.effects', () => writeEffects(db, incomingLanes, cause, effects)),
    }
  }

  return {
    permit: async (signal) => (signal.aborted ? undefined : true),
    giveBack: () => {},
    send,
    shares: {
      groupOf: ({ carried: { mapping_id } }) => mapping_id ?? '',
      mostInFlight: inFlightEach,
      mostHeld: ROUNDS_HELD * inFlightEach,
      characters: CHARACTERS_HELD,
    },
  }
}

/** A mapping that has moved since its consumer asked for time has a token for its new host, and none for the old one. */
function isOnHost(pollUrl: string, url: string): boolean {
  return new URL(pollUrl).origin === new URL(url).origin
}

/** The wire form (protocol §3.1): the payload as it was pushed, with the mapping's parameters; a notification tells its source (§3.5). */
function deliveredBody({ type, key, payload }: QueuedMessage, envelope: string, parameters: string): string {
  const { source } = type.startsWith('notification:') ? sent.parse(JSON.parse(envelope)) : {}
  const from = source === undefined ? '' : `"source":${JSON.stringify(source)},`
  return `{"message":${JSON.stringify(type)},"message_id":"${key}",${from}"payload":${withKey(payload, 'parameters', parameters)}}`
}

type Target = Readonly<{
  name: string
  url: string
  token: string
  enabled: boolean
  anyTarget: boolean
  retriesAllowed: boolean
  /** JSON text of `[{name, value}]`. */
  parameters: string
}>

/** The mapping as it is now: a corrected URL or token serves what waits, too. */
async function readTarget(pool: Pool, mappingId: string): Promise<Target | undefined> {
  const { rows } = await pool.query<{
    name: string
    url: string
    token: string
    enabled: boolean
    any_target: boolean
    retries_allowed: boolean
    parameters: string
  }>(
    `select m.name, m.url, m.token, m.enabled,
            -- Schema 1, on which this code works as well, has no such column.
            coalesce((to_jsonb(m) ->> 'any_target')::boolean, m.is_store) as any_target,
            coalesce((m.options ->> 'retries_allowed')::boolean, true) as retries_allowed,
            (select coalesce(json_agg(json_build_object('name', p.name, 'value', p.value) order by p.name), '[]')
               from hub.parameter p
              where p.store_id = m.store_id and p.id = any(m.parameters))::text as parameters
       from hub.mapping m
      where m.id = $1`,
    [mappingId],
  )
  const [row] = rows
  return (
    row && {
      name: row.name,
      url: row.url,
      token: row.token,
      enabled: row.enabled,
      anyTarget: row.any_target,
      retriesAllowed: row.retries_allowed,
      parameters: row.parameters,
    }
  )
}
