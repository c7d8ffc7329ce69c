import { Argument, type Command } from 'commander'

import { type AggregateKind, aggregateKindOf, KINDS } from '../messages/aggregate.ts'
import { type Preview, type PreviewOptions, previewMessages } from '../operator/preview-messages.ts'
import { openStore } from '../store/store.ts'
import { OperatorError } from './exit.ts'
import { shapeOf } from './shape-of.ts'
import { type CommonOptions, type Print, withStore } from './store-command.ts'
import { codeVersion, requireSchema } from './store-database.ts'
import { tellingOf } from './telling.ts'

/** `spree-bridge messages preview KIND ID`: what would be sent. Exit status 1 where no message can be made of it. */
export function addPreviewCommand(messages: Command, print: Print, finish: (status: number) => void): void {
  messages
    .command('preview')
    .description(
      'the messages that a change of this one would send, as the configuration shapes them; nothing is sent',
    )
    .addArgument(new Argument('<kind>', 'what it is').choices(KINDS))
    .argument(
      '<id>',
      "an order's number or id; a product's id, SKU or permalink, for its stock too; of all else the id",
    )
    .option('--config <file>', 'YAML file with settings; the environment wins')
    .option('--json', 'print data as JSON')
    .option('--shadow', 'as the section `shadow` of the configuration shapes them')
    .action((kind: PreviewOptions['kind'], name: string, options: CommonOptions & { shadow?: boolean }) =>
      withStore(options, async ({ pool, settings }) => {
        const rules = options.shadow ? (settings.shadow ?? {}) : settings
        const shape = await shapeOf(rules, settings.transformBudgetMs)
        await requireSchema(pool, await codeVersion())
        const store = await openStore(pool, settings)
        const asked = { kind, name, ...tellingOf(settings), shape, redact: rules.redact }
        const preview = await previewMessages(pool, store, asked)
        if (!preview) throw new OperatorError(`There is no ${NAMED_BY[aggregateKindOf(kind)]} ${name}.`, 1)
        print(options.json ? JSON.stringify(preview) : formatPreview(preview))
        finish(preview.unmapped === null ? 0 : 1)
      }),
    )
}

const NAMED_BY: Readonly<Record<AggregateKind, string>> = {
  order: 'placed order with the number or id',
  product: 'product with the id, SKU or permalink',
  customer: 'customer with the id',
  stock_transfer: 'stock transfer with the id',
  cart: 'cart (with `carts: on`) with the id',
}

function formatPreview({ aggregate, messages, unmapped, leadNowhere, remains }: Preview): string {
  const lines = [
    ...messages.map(({ type, payload, withheldBy }) =>
      withheldBy === null
        ? `${type} of ${aggregate}\n${JSON.stringify(payload, null, 2)}`
        : `${type} of ${aggregate} would not be sent: ${withheldBy === 'dialect' ? 'HUB_DIALECT has no object for it' : `${withheldBy} of the configuration keeps it back`}`,
    ),
    ...(unmapped === null ? [] : [`${aggregate} would be parked: ${unmapped}`]),
    ...leadNowhere.map(({ type, path }) => `redact.${type}: ${path} leads nowhere in this message`),
    ...remains.map(
      ({ type, path, at }) => `redact.${type}: what ${path} takes out still stands at ${at.join(', ')}`,
    ),
  ]
  return lines.length === 0 ? `A change of ${aggregate} would send nothing.` : lines.join('\n')
}
