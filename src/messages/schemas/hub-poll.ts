import { z } from 'zod'

/** What a poll may ask for (protocol §7.1). */
export const COLLECTIONS = [
  'orders',
  'carts',
  'products',
  'return_authorizations',
  'stock_transfers',
  'taxons',
  'users',
] as const

export type Collection = (typeof COLLECTIONS)[number]

const targets = COLLECTIONS.map((collection) => `collections.${collection}` as const)

/** Payload of `hub:poll`. */
export const hubPollSchema = z.object({
  target: z.enum(targets).transform((target) => target.slice('collections.'.length) as Collection),
})

export type HubPoll = z.infer<typeof hubPollSchema>
