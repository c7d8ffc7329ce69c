import type { Response } from 'express'

import type { Answer } from '../apply/answer.ts'
import { atStep } from '../observe/steps.ts'

/** Answers what was applied, and waits until it is sent. */
export async function reply(response: Response, answer: Answer): Promise<void> {
  await atStep('apply.reply', async () => {
    const closed = new Promise((resolve) => response.once('close', resolve)) // also where the sender is gone: it will ask again
    send(response, answer)
    await closed
  })
}

export function send(response: Response, { status, body, retryAfterSeconds }: Answer): void {
  if (retryAfterSeconds !== undefined) response.set('Retry-After', String(retryAfterSeconds))
  response
    .writeHead(status, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
    })
    .end(body)
}
