import type { Registration } from '../postgres/membership.ts'
import { type SenderOptions, Session } from './session.ts'

export type Sender = Readonly<{
  /** Messages were put into the queue. */
  wake(): void
  lanesOwned(): number
  /** Takes nothing new, ends what is in flight within the limit, writes the outcomes and gives the lanes back. */
  stop(withinMilliseconds: number): Promise<void>
}>

/** Sends the messages of the lanes that this worker owns, as long as it is registered; under each registration anew. */
export function startSender<Permit>(options: SenderOptions<Permit>): Sender {
  let session: { registration: Registration; run: Session<Permit> } | undefined
  let stopped = false

  function follow(): void {
    const registration = options.membership.registration()
    if (stopped || registration === undefined) return
    if (session?.registration.id === registration.id) session.run.balance()
    else session = { registration, run: new Session(options, registration) }
  }
  options.membership.onLook(follow)

  return {
    wake: () => session?.run.wake(),
    lanesOwned: () => (session?.registration.signal.aborted ? 0 : (session?.run.lanesOwned ?? 0)),
    async stop(withinMilliseconds) {
      stopped = true
      await session?.run.stop(withinMilliseconds)
    },
  }
}
