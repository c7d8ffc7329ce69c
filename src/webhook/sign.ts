import { createHmac } from 'node:crypto'

const PREFIX = 'whsec_'

/** What `webhook-signature` has to be. */
export function signatureOf(secret: string, id: string, timestamp: string, body: string | Buffer): string {
  const key = Buffer.from(secret.replace(PREFIX, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
}
