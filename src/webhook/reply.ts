import { finished } from 'node:stream/promises'
import type { Response } from 'express'

import type { Answer } from '../apply/answer.ts'
import { atStep } from '../observe/steps.ts'

/** Answers what was applied, and waits until it is sent. */
export async function reply(response: Response, answer: Answer): Promise<void> {
  await atStep('apply.reply', async () => {
    send(response, answer)
    await finished(response).catch(() => undefined) // the sender is gone: it will ask again
  })
}

export function send(response: Response, { status, body, retryAfterSeconds }: Answer): void {
  if (retryAfterSeconds !== undefined) response.set('Retry-After', String(retryAfterSeconds))
  response.status(status).type('json').send(body)
}
