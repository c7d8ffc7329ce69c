import { type Finding, failed, ok, warning } from './finding.ts'

const ANSWERS_WITHIN_MILLISECONDS = 5_000

/** What a hub would meet at `address`: the endpoint's description, and a closed door without a token. */
export async function checkWebhook(address: string, named: boolean): Promise<Finding> {
  const base = address.replace(/\/+$/, '')
  try {
    const signal = AbortSignal.timeout(ANSWERS_WITHIN_MILLISECONDS)
    const described = await fetch(`${base}/endpoint.json`, { signal, redirect: 'manual' })
    if (described.status !== 200)
      return failed(
        'webhook',
        `${base}/endpoint.json answers ${described.status}`,
        `${ADDRESS} It is not a bridge's web.`,
      )
    const headers = { 'content-type': 'application/json' }
    const door = await fetch(`${base}/webhook`, {
      method: 'POST',
      headers,
      body: '{}',
      signal,
      redirect: 'manual',
    })
    if (door.status === 401) return ok('webhook', `${base} answers, and takes nothing without a token`)
    return failed('webhook', `${base}/webhook answers ${door.status} to a request without a token`, ADDRESS)
  } catch (error) {
    const text = `nothing answers at ${base}: ${reasonOf(error)}`
    if (named) return failed('webhook', text, ADDRESS)
    return warning(
      'webhook',
      text,
      `Start \`spree-bridge web\`, or name its address: \`doctor --webhook URL\`.`,
    )
  }
}

const ADDRESS = 'Give the address under which the hub reaches `spree-bridge web`, without /webhook.'

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
