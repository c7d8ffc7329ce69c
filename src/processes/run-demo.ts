import type { Settings } from '../config/settings.ts'
import { type Demo, startDemo } from './demo.ts'
import type { LongRunning } from './run-until-signal.ts'
import { runUntilSignal } from './run-until-signal.ts'

/** Whoever started the demo is gone, and with it the terminal that could stop it. */
const ORPHAN_LOOK_MILLISECONDS = 500

/** `spree-bridge start` without a database: the demo, until a signal comes. Resolves with the exit status. */
export function runDemo(settings: Settings, print: (line: string) => void): Promise<number> {
  return runUntilSignal(settings, async (log): Promise<LongRunning> => {
    print('A sample shop, a hub, and the bridge between them are being started on this machine …')
    const demo = await startDemo(settings, log)
    print('')
    try {
      await demo.walk(print)
    } catch (error) {
      await demo.stop()
      throw error
    }
    print(whereToLook(demo))
    return {
      ended: Promise.race([demo.ended, orphaned()]),
      stop: () => demo.stop(),
    }
  })
}

function whereToLook({ demo: { hub, web } }: Demo): string {
  return `
Now it is your turn. Everything goes on running; Ctrl-C stops it, and the data stays in .data/.

  the bridge's page   ${web.url}/dashboard#token=${web.operatorToken}
  the hub's page      ${hub.url}/#token=${hub.adminToken}

  a sale in the store, told to the hub:
    npx spree-bridge sql "update spree_stock_items set count_on_hand = count_on_hand - 1 where id = 301"
    npx spree-bridge messages list --limit 3

  ten pieces more, from an ERP, through the hub, into the store:
    curl ${hub.url}/api/stores/${hub.storeId}/messages -H 'Content-Type: application/json' \\
      -H 'X-Augury-Token: ${hub.token}' -d '{"message": "stock:change", "payload": {"sku": "FS-NAVY-S", "quantity": 10}}'
    npx spree-bridge inbox list --limit 3
`
}

/** Resolves when the process that started this one has died. */
function orphaned(): Promise<Error> {
  const parent = process.ppid
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(timer)
      resolve(new Error('The process that started the demo is gone: the demo stops.'))
    }, ORPHAN_LOOK_MILLISECONDS)
    timer.unref()
  })
}
