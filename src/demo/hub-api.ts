import { z } from 'zod'

/** The hub of the demo, over HTTP as anybody uses it. */
export type HubAccess = Readonly<{ url: string; storeId: string; token: string }>

const store = z.object({ id: z.string(), token: z.string() })
const accepted = z.object({ message_id: z.string() })
const mappings = z.array(z.looseObject({ id: z.string(), name: z.string() }))

/** Makes a store at the hub, and the mapping to its webhook. */
export async function createHubStore(
  hub: Readonly<{ url: string; adminToken: string }>,
  shop: Readonly<{ name: string; webhookUrl: string; webhookToken: string }>,
): Promise<Readonly<{ storeId: string; token: string }>> {
  const made = store.parse(
    await call(`${hub.url}/api/stores`, 'POST', hub.adminToken, {
      name: shop.name,
      webhook_url: shop.webhookUrl,
      webhook_token: shop.webhookToken,
    }),
  )
  return { storeId: made.id, token: made.token }
}

/** Pushes a message as an ERP would; returns the id that the hub gives it. */
export async function push(hub: HubAccess, message: string, payload: unknown): Promise<string> {
  const answer = await call(`${hub.url}/api/stores/${hub.storeId}/messages`, 'POST', hub.token, {
    message,
    payload,
  })
  return accepted.parse(answer).message_id
}

/** Makes the mapping of this name, or points the one there is to a new address. */
export async function keepMapping(
  hub: HubAccess,
  mapping: Readonly<{ name: string; url: string; token: string; messages: readonly string[] }>,
): Promise<void> {
  const all = `${hub.url}/api/stores/${hub.storeId}/mappings`
  const known = mappings.parse(await call(all, 'GET', hub.token)).find(({ name }) => name === mapping.name)
  if (known) await call(`${all}/${known.id}`, 'PUT', hub.token, { mapping: { ...known, ...mapping } })
  else await call(all, 'POST', hub.token, { mapping })
}

async function call(url: string, method: string, token: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { 'Content-Type': 'application/json', 'X-Augury-Token': token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${url} was answered ${response.status}: ${text.slice(0, 300)}`)
  return text === '' ? undefined : JSON.parse(text)
}
