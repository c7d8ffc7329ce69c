import { existsSync, readFileSync } from 'node:fs'
import type { EffectiveSettings } from '../config/read-settings.ts'
import { type Demo, startDemo } from './demo.ts'
import { npmIsGone } from './launcher.ts'
import type { LongRunning } from './run-until-signal.ts'
import { runUntilSignal } from './run-until-signal.ts'

/** `spree-bridge start` without a database: the demo, until a signal comes. Resolves with the exit status. */
export function runDemo(
  { settings, sources }: EffectiveSettings,
  print: (line: string) => void,
): Promise<number> {
  // What happens is told in the demo's own words: of the log's only what goes wrong, unless LOG_LEVEL is set.
  const logLevel = sources.has('logLevel') ? settings.logLevel : 'warn'
  return runUntilSignal({ ...settings, logLevel }, async (log): Promise<LongRunning> => {
    const launcher = npmIsGone()
    print('Starting a sample store, a hub, and the bridge between them, on this machine …')
    const demo = await startDemo({ settings: { ...settings, logLevel }, sources }, log)
    return {
      ended: Promise.race([demo.ended, launcher, failureOf(showRound(demo, print))]),
      async stop() {
        await demo.stop()
        print(`The demo is stopped. Its data is kept in ${demo.folders.join(' and ')}.`)
      },
    }
  })
}

async function showRound(demo: Demo, print: (line: string) => void): Promise<void> {
  print('\nOne change of each kind goes round the loop:\n')
  await demo.walk(print)
  print(whereToLook(demo))
}

/** Resolves only if the work fails. */
function failureOf(work: Promise<void>): Promise<Error> {
  return new Promise((resolve) => {
    work.catch((error: unknown) => resolve(error instanceof Error ? error : new Error(String(error))))
  })
}

function whereToLook({ demo: { hub, web }, folders }: Demo): string {
  const program = howToCall()
  return `
That was the whole loop. An order or a product is told half a second after its last change, stock at once.

  the bridge's page   ${web.url}/dashboard#token=${web.operatorToken}
  the hub's page      ${hub.url}/#token=${hub.adminToken}

Now it is your turn. Sell a sweater in the store, and see that the hub has been told:

  ${program} sql "update spree_stock_items set count_on_hand = count_on_hand - 1 where id = 301"
  ${program} messages list --limit 3

Be the ERP: tell the hub of ten sweaters more, and see that they are in the store:

  curl ${hub.url}/api/stores/${hub.storeId}/messages \\
    -H 'X-Augury-Token: ${hub.token}' -H 'Content-Type: application/json' \\
    -d '{"message": "stock:change", "payload": {"sku": "FS-NAVY-S", "quantity": 10}}'
  ${program} inbox list --limit 3

Everything goes on running until Ctrl-C. The data stays in ${folders.join(' and ')}; the next start finds it.`
}

/** `npx` finds a program in the folder's own package or among its dependencies; elsewhere it would ask the registry. */
function howToCall(): string {
  const isOurs =
    existsSync('package.json') && /"name": "spree-bridge"/.test(readFileSync('package.json', 'utf8'))
  const isInstalled = existsSync('node_modules/.bin/spree-bridge')
  return isOurs || isInstalled ? 'npx spree-bridge' : `node ${process.argv[1]}`
}
