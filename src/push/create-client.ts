import { createPushClient, type PushClient, type PushClientOptions } from './client.ts'
import { createObjectClient } from './object-client.ts'

/** The client of a dialect. */
export function createClient(dialect: 'seed' | 'wombat', options: PushClientOptions): PushClient {
  return dialect === 'wombat' ? createObjectClient(options) : createPushClient(options)
}
