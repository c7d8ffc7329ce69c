import type { Command } from 'commander'

import { dialectOf } from '../apply/dialects.ts'
import { type Handlers, handlerOf } from '../apply/handlers.ts'
import { newObjectId } from '../hub/object-id.ts'
import { handlerSample } from '../messages/samples/objects.ts'
import { signatureOf } from '../webhook/sign.ts'
import { OperatorError } from './exit.ts'
import { choosePayload, type PayloadOptions } from './payload-option.ts'
import { WEB_PORT } from './ports.ts'
import { type CommonOptions, commandSettings, type Print } from './store-command.ts'

type DeliverOptions = CommonOptions & PayloadOptions & Readonly<{ url?: string }>

/** A hub gives the webhook this long (protocol §3.1). */
const ANSWER_WITHIN_MILLISECONDS = 180_000

/** `spree-bridge deliver`: one message to the own webhook, as the hub would send it. */
export function addDeliverCommand(
  program: Command,
  print: Print,
  finish: (status: number) => void,
  handlers: Handlers,
): void {
  program
    .command('deliver <message>')
    .description('send one message to the own webhook, as the hub would, and print the answer')
    .option('--file <file>', 'its payload, a JSON object; - reads it from stdin')
    .option('--sample', 'a sample payload')
    .option('--url <url>', 'where `web` answers; without it http://127.0.0.1:PORT')
    .option('--config <file>', 'YAML file with settings; the environment wins')
    .option('--json', 'print data as JSON, which the answer is anyhow')
    .action(async (message: string, options: DeliverOptions) => {
      const { settings } = commandSettings(options, ['webhookToken'])
      const base = options.url ?? `http://127.0.0.1:${settings.port ?? WEB_PORT}`
      const id = newObjectId()
      const handler = handlerOf(handlers, message)
      const isOfObjects = handler !== undefined && dialectOf(handler).name === 'wombat'
      const payload = choosePayload(message, options, isOfObjects ? handlerSample : undefined)
      // As the hub whose dialect it is of would.
      const [path, envelope] = isOfObjects
        ? [`/wombat/${message}`, { request_id: id, ...payload }]
        : ['/webhook', { message, message_id: id, payload }]
      const body = JSON.stringify(envelope)
      const answer = await post(`${base.replace(/\/+$/, '')}${path}`, body, {
        'X-Augury-Token': settings.webhookToken[0] ?? '',
        ...signed(settings.webhookSecret?.[0], id, body),
      })
      print(answer.text)
      if (answer.status !== 200) process.stderr.write(`The webhook answered ${answer.status}.\n`)
      finish(answer.status === 200 ? 0 : 1)
    })
}

function signed(secret: string | undefined, id: string, body: string): Record<string, string> {
  if (secret === undefined) return {}
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const signature = signatureOf(secret, id, timestamp, body)
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature }
}

type Headers = Readonly<Record<string, string>>

async function post(url: string, body: string, headers: Headers): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS),
    })
    return { status: response.status, text: await response.text() }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new OperatorError(`${url} does not answer: ${why}. Does \`spree-bridge web\` run there?`, 1)
  }
}
