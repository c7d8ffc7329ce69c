import type { Command } from 'commander'

import { formatReconciliation, reconcileStore } from '../operator/reconcile-store.ts'
import { openStore } from '../store/store.ts'
import { type CommonOptions, type Print, withStore } from './store-command.ts'
import { codeVersion, requireSchema } from './store-database.ts'
import { tellingOf } from './telling.ts'

const PROGRESS_MILLISECONDS = 1_000

/** `spree-bridge reconcile`: is the store as it was announced? Exit status 1 where anything is left to do. */
export function addReconcileCommand(program: Command, print: Print, finish: (status: number) => void): void {
  program
    .command('reconcile')
    .description(
      'compare the store with what was last announced: differences, gaps, and the proof of all counts',
    )
    .option('--config <file>', 'YAML file with settings; the environment wins')
    .option('--json', 'print data as JSON')
    .option('--fix', 'have what differs announced, and close the gaps')
    .action((options: CommonOptions & { fix?: boolean }) =>
      withStore(options, async ({ pool, log, settings }) => {
        await requireSchema(pool, await codeVersion())
        const stopping = new AbortController()
        const stop = () => stopping.abort()
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
        let told = performance.now()
        const reconciliation = await reconcileStore({
          pool,
          store: await openStore(pool, settings),
          ...tellingOf(settings),
          fix: options.fix ?? false,
          signal: stopping.signal,
          rest: async () => undefined,
          onProgress({ kinds: { product, stock, order } }) {
            if (performance.now() - told < PROGRESS_MILLISECONDS) return
            told = performance.now()
            log.info('comparing', {
              products: product.compared,
              stock: stock.compared,
              orders: order.compared,
            })
          },
        })
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
        print(options.json ? JSON.stringify(reconciliation) : formatReconciliation(reconciliation))
        finish(reconciliation.clean ? 0 : 1)
      }),
    )
}
