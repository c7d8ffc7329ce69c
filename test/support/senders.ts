import { setTimeout as pause } from 'node:timers/promises'
import type { Bout, Said } from './deliveries.ts'
import type { Random } from './random.ts'
import { post } from './web.ts'

/** What the senders met with. */
export type Met = { answered: number; requests: number; unanswered: number; putOff: number }

const SILENT_FOR_MS = 40_000

/**
 * Says all of it, `atOnce` bouts at a time and each copy by itself, to any of the `doors` that are open. What gets no answer,
 * or is put off, is said again, wherever. Resolves when everything has its answer.
 */
export async function deliverAll(
  bouts: readonly Bout[],
  doors: () => readonly string[],
  random: Random,
  atOnce: number,
  met: Met,
): Promise<void> {
  const waiting = [...bouts]
  const sender = async (): Promise<void> => {
    const bout = waiting.shift()
    if (bout === undefined) return
    for (const step of bout)
      await Promise.all(
        step.flatMap((said) =>
          Array.from({ length: said.copies }, async () => {
            said.answers.push(await untilAnswered(said, doors, random, met))
            met.answered++
          }),
        ),
      )
    return sender()
  }
  await Promise.all(Array.from({ length: atOnce }, sender))
}

async function untilAnswered({ body }: Said, doors: () => readonly string[], random: Random, met: Met) {
  const deadline = Date.now() + SILENT_FOR_MS
  for (;;) {
    const open = doors()
    if (open.length > 0) {
      met.requests++
      const answer = await post(`${random.pick(open)}/webhook`, body).catch(() => undefined)
      if (answer === undefined) met.unanswered++
      else if (answer.status !== 503) return { status: answer.status, text: answer.text }
      else met.putOff++
    }
    if (Date.now() > deadline) throw new Error(`No answer to ${JSON.stringify(body)}.`)
    await pause(random.between(10, 100))
  }
}
