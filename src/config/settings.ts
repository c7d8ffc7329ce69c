import { z } from 'zod'

import { sections } from './shaping-sections.ts'

/** What the reference page, the error messages and `spree-bridge config` say of one setting. */
export type Description = Readonly<{
  meaning: string
  /** The environment variable; a setting without one is given in the file only. */
  variable?: string
  /** What is never shown: the `whole` value, or the `password` of an address (and the address where it is malformed). */
  secret?: 'whole' | 'password'
  /** What has to be set as well where this is. */
  needs?: 'smtpUrl'
  /** What holds where it is not set, said in words: the process decides. */
  otherwise?: string
}>

const descriptions = z.registry<Description>()

// Every value arrives as text, from the environment as from the file (read without YAML's guesses: 0123 stays 0123).
const text = z.string().trim()

const postgresUrl = text
  .refine(isPostgresUrl)
  .describe(
    'a PostgreSQL address, `postgres://user:password@host:5432/database` (percent-encode `@ : / ? #`)',
  )

const hubUrl = text
  .refine(isPlainHttpUrl)
  .transform((url) => url.replace(/\/+$/, ''))
  .describe('an address beginning with `http://` or `https://`, without user, password, query or fragment')

// A token goes into a header as it is: a space or line break pasted along would break every request.
const token = text.regex(/^[\x21-\x7e]+$/).describe('printable ASCII without spaces')

const tokens = text
  .transform((list) => list.split(',').map((entry) => entry.trim()))
  .pipe(z.array(z.string().regex(/^[\x21-\x2b\x2d-\x7e]+$/)).min(1))
  .describe('one token, or several with commas between, each printable ASCII without spaces')

// 24 bytes are the least that Standard Webhooks allows.
const secrets = text
  .transform((list) => list.split(',').map((entry) => entry.trim()))
  .pipe(z.array(z.string().regex(/^(whsec_)?[A-Za-z0-9+/]{32,}={0,2}$/)).min(1))
  .describe('one secret, or several with commas between, each `whsec_` and at least 24 bytes in base64')

const storeId = text.regex(/^[^\s/?#]+$/).describe('text without spaces, `/`, `?` or `#`')

const hostName = text
  .regex(/^[A-Za-z0-9._:-]+$/)
  .describe('an IP address or host name, without scheme or port')

const webhookUrl = text.refine(isHttpUrl).describe('an address beginning with `http://` or `https://`')

const mailAddress = /^[^\s@,<>]+@[^\s@,<>]+$/

const mailAddresses = text
  .transform((list) => list.split(',').map((entry) => entry.trim()))
  .pipe(z.array(z.string().regex(mailAddress)).min(1))
  .describe('one mail address, or several with commas between')

const smtpUrl = text
  .refine((url) => /^smtps?:\/\//.test(url) && URL.canParse(url))
  .describe(
    'an address of a mail server, `smtp://user:password@host:587` or `smtps://…` (percent-encode `@ : / ? #`)',
  )

function wholeNumber(least: number, most: number) {
  return text
    .regex(/^\d{1,12}$/)
    .transform(Number)
    .refine((number) => number >= least && number <= most)
    .describe(`a whole number from ${least} to ${most}`)
}

function oneOf<const Choices extends readonly [string, ...string[]]>(...choices: Choices) {
  return text.pipe(z.enum(choices)).describe(choices.map((choice) => `\`${choice}\``).join(' or '))
}

/** Every setting there is, each declared once; its key in the file is its name in snake case. */
export const settingsSchema = z.object({
  databaseUrl: postgresUrl.optional().register(descriptions, {
    variable: 'DATABASE_URL',
    meaning:
      "The store's PostgreSQL; `sslmode` is honoured, PgBouncer in transaction mode may stand between.",
    secret: 'password',
  }),
  databaseListenUrl: postgresUrl.optional().register(descriptions, {
    variable: 'DATABASE_LISTEN_URL',
    meaning: 'A direct connection for LISTEN where `DATABASE_URL` goes through a transaction pooler.',
    secret: 'password',
    otherwise: '`DATABASE_URL`',
  }),
  hubUrl: hubUrl.optional().register(descriptions, {
    variable: 'HUB_URL',
    meaning: 'Where the hub is to which messages are pushed.',
    secret: 'password',
  }),
  hubStoreId: storeId.optional().register(descriptions, {
    variable: 'HUB_STORE_ID',
    meaning: 'The id under which the hub knows this store.',
  }),
  hubToken: token.optional().register(descriptions, {
    variable: 'HUB_TOKEN',
    meaning: 'The token with which this store pushes.',
    secret: 'whole',
  }),
  hubDialect: oneOf('seed', 'wombat').default('seed').register(descriptions, {
    variable: 'HUB_DIALECT',
    meaning:
      'How messages are pushed: `seed`, each as a message of its type, to hubs of the first generation and ours; `wombat`, as batches of objects, to Wombat, FlowLink, Cangaroo and their like. There `HUB_URL` is the very address that takes pushes, `HUB_STORE_ID` and `HUB_TOKEN` are id and token of the connection (`X-Hub-Store`, `X-Hub-Access-Token`), and `stock`, `stock_by` and `orders` have no say.',
  }),
  webhookToken: tokens.optional().register(descriptions, {
    variable: 'WEBHOOK_TOKEN',
    meaning: 'The token that inbound messages must carry; several, comma-separated, during rotation.',
    secret: 'whole',
  }),
  webhookSecret: secrets.optional().register(descriptions, {
    variable: 'WEBHOOK_SECRET',
    meaning:
      'With it, inbound messages must be signed as well, as [Standard Webhooks](https://www.standardwebhooks.com) has it (`webhook-id`, `webhook-timestamp`, `webhook-signature`), not longer than five minutes ago; several, comma-separated, during rotation. For hubs that sign: ours does not.',
    secret: 'whole',
    otherwise: 'the token is enough',
  }),
  hubDatabaseUrl: postgresUrl.optional().register(descriptions, {
    variable: 'HUB_DATABASE_URL',
    meaning: "The hub's own PostgreSQL.",
    secret: 'password',
  }),
  hubAdminToken: token.optional().register(descriptions, {
    variable: 'HUB_ADMIN_TOKEN',
    meaning: "The token that manages the hub's stores and opens its pages.",
    secret: 'whole',
    otherwise: 'they answer only on a loopback `HOST`, and to no proxy',
  }),
  hubTargets: oneOf('public', 'any').default('public').register(descriptions, {
    variable: 'HUB_TARGETS',
    meaning:
      "Where a store's token may point mappings: to public addresses only, or to any, this machine and private networks included. A store's own webhook may be anywhere, as long as its address is the one that the admin token gave.",
  }),
  port: wholeNumber(0, 65_535).optional().register(descriptions, {
    variable: 'PORT',
    meaning: 'The port on which the process listens; 0 takes any free one.',
    otherwise: '3000 for `web` and the demo, 4000 for `hub`; a `worker` opens one only where it is set',
  }),
  hubPort: wholeNumber(0, 65_535).default(4000).register(descriptions, {
    variable: 'HUB_PORT',
    meaning: "The port of the demo's hub; a hub of its own listens on `PORT`.",
  }),
  host: hostName.default('0.0.0.0').register(descriptions, {
    variable: 'HOST',
    meaning: 'The address on which the port is opened.',
  }),
  operatorToken: token.optional().register(descriptions, {
    variable: 'OPERATOR_TOKEN',
    meaning:
      'The token (`Authorization: Bearer`) without which dashboard, operator API and metrics are not answered.',
    secret: 'whole',
    otherwise: 'they answer only on a loopback `HOST`, and to no proxy',
  }),
  bridgeConcurrency: wholeNumber(1, 1000).default(32).register(descriptions, {
    variable: 'BRIDGE_CONCURRENCY',
    meaning: 'Pushes in flight per worker.',
  }),
  logLevel: oneOf('error', 'warn', 'info', 'debug').default('info').register(descriptions, {
    variable: 'LOG_LEVEL',
    meaning: 'The least important lines that are logged.',
  }),
  logFormat: oneOf('json', 'pretty').optional().register(descriptions, {
    variable: 'LOG_FORMAT',
    meaning: 'How a log line is written to stderr.',
    otherwise: '`pretty` on a terminal, else `json`',
  }),
  alarmWebhookUrl: webhookUrl.optional().register(descriptions, {
    variable: 'ALARM_WEBHOOK_URL',
    meaning:
      'Where alarms are posted as JSON with a `text`, as chat services take it: a message is parked, nothing is pushed, no worker runs, changes went unseen, messages wait too long; and when that is over.',
    secret: 'whole',
    otherwise: 'alarms stand in `status`, on the dashboard, and are posted nowhere',
  }),
  alarmMailTo: mailAddresses.optional().register(descriptions, {
    variable: 'ALARM_MAIL_TO',
    meaning: 'Who gets the same alarms by mail; needs `SMTP_URL`.',
    needs: 'smtpUrl',
  }),
  alarmMailFrom: text.regex(mailAddress).describe('one mail address').optional().register(descriptions, {
    variable: 'ALARM_MAIL_FROM',
    meaning: 'Whom these mails come from.',
    otherwise: 'the first of `ALARM_MAIL_TO`',
  }),
  smtpUrl: smtpUrl.optional().register(descriptions, {
    variable: 'SMTP_URL',
    meaning: 'The mail server that takes them.',
    secret: 'password',
  }),
  alarmLagSeconds: wholeNumber(1, 1_000_000).default(300).register(descriptions, {
    variable: 'ALARM_LAG_SECONDS',
    meaning: 'Seconds that a change or message may wait before that is an alarm.',
  }),
  stock: oneOf('change', 'actual').default('change').register(descriptions, {
    meaning:
      'How stock is announced: `stock:change` (by how much) or `stock:actual` (the level), never both.',
  }),
  stockBy: oneOf('variant', 'location').default('variant').register(descriptions, {
    meaning:
      'What a stock message is about: a `variant`, in all places together; or what it has in one `location`, by its name in `stock_location`, where the store has several.',
  }),
  orders: oneOf('persist', 'generic').default('persist').register(descriptions, {
    meaning:
      'How orders are announced: `persist`, as `order:persist`, the raw order from which the hub derives the rest; or, for a hub that does not, `generic`: `order:new`, `order:updated`, `order:canceled`, `shipment:ready`, `shipment:confirm`, `payment:ready` and `payment:capture`. Never both. For `generic` each order is kept as it was last told, some two kilobytes each.',
  }),
  carts: oneOf('on', 'off').default('off').register(descriptions, {
    meaning:
      'Whether carts are announced, as `cart:new` and `cart:updated`. Then each step of each shopper is a change that is recorded and read.',
  }),
  settleQuietMs: wholeNumber(0, 60_000).default(500).register(descriptions, {
    meaning: 'Milliseconds without a further change after which an order or product is announced.',
  }),
  settleAtMostMs: wholeNumber(0, 60_000).default(3000).register(descriptions, {
    meaning: 'Milliseconds after its first change at which it is announced even if changes go on.',
  }),
  fuseRows: wholeNumber(1, 1_000_000_000)
    .default(1_000_000)
    .register(descriptions, {
      meaning:
        'Changes that may wait uncollected before the triggers stop recording, so that a bridge nobody runs ' +
        'does not fill the database. A worker that starts brings it into force.',
    }),
  reconcileAt: text
    .regex(/^(([01]\d|2[0-3]):[0-5]\d|off)$/)
    .describe('a time of the day, `HH:MM`, or `off`')
    .default('02:30')
    .register(descriptions, {
      meaning:
        'When the whole store is compared each night with what was announced, in UTC; after a gap that is done at any hour.',
    }),
  historyDays: wholeNumber(1, 3650).default(30).register(descriptions, {
    meaning: 'Days for which finished messages are kept.',
  }),
  announce: sections.announce.optional().register(descriptions, {
    meaning: 'Message types that are not sent.',
    otherwise: 'all are `on`',
  }),
  filters: sections.filters.optional().register(descriptions, {
    meaning:
      "Only messages for which all filters of their type hold are sent, by the hub's rules for mappings. Paths begin with `payload`; `*` is every element of a list.",
  }),
  redact: sections.redact.optional().register(descriptions, {
    meaning:
      'What is sent as null, besides what always is: the token and IP address of an order, and the profiles of cards at the gateway.',
  }),
  extra: sections.extra.optional().register(descriptions, {
    meaning:
      'Columns of the store that are announced besides, under their own names: of the product or order itself, and of tables that point at it by their column `key`, as lists. A change in them is a change. Since the hub does not know them, the next nightly comparison announces all that have them.',
  }),
  transform: sections.transform.optional().register(descriptions, {
    meaning:
      '[JSONata](https://docs.jsonata.org) over the payload (after filters, and without what is redacted), which gives the payload that is sent. Where it fails, its order or product is parked.',
  }),
  shadow: sections.shadow.optional().register(descriptions, {
    meaning:
      'Other values of `announce`, `filters`, `redact` and `transform`, on trial: what they would make of each message is compared with what is sent, and `spree-bridge status` says where it differs.',
  }),
  transformBudgetMs: wholeNumber(1, 1000).default(50).register(descriptions, {
    meaning: 'Milliseconds that one such expression may take for one message.',
  }),
})

/** The effective settings of a process. */
export type Settings = Readonly<z.output<typeof settingsSchema>>

export type SettingName = keyof Settings

export const settingNames: readonly SettingName[] = settingsSchema.keyof().options

/** Its name in the file: `hubStoreId` is `hub_store_id`. */
export function fileKey(name: SettingName): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** What an operator knows it by: its environment variable, else its key in the file. */
export function operatorName(name: SettingName): string {
  return describeSetting(name).variable ?? fileKey(name)
}

export function describeSetting(name: SettingName): Description {
  return descriptions.get(settingsSchema.shape[name]) ?? { meaning: '' }
}

/** What it accepts, in words that follow "must be". */
export function acceptedForm(name: SettingName): string {
  return settingsSchema.shape[name].unwrap().description ?? ''
}

/** Why a value is not accepted, and where in it: one fault for a single value, all of a section of the file; none where it is. */
export function faultsOf(name: SettingName, value: unknown): readonly SettingFault[] {
  const issues = settingsSchema.shape[name].safeParse(value).error?.issues ?? []
  return issues.map(({ path, message }) => ({ path: path.map(String), message }))
}

export type SettingFault = Readonly<{ path: readonly string[]; message: string }>

/** A part of the file that is no single value. */
export function isSection(name: SettingName): boolean {
  return name in sections
}

export function defaultOf(name: SettingName): Settings[SettingName] {
  return settingsSchema.shape[name].parse(undefined)
}

// A socket's address has no host (`postgres:///db?host=/run/postgresql`, `postgres://user@/db`): pg takes both.
function isPostgresUrl(url: string): boolean {
  const candidate = url.replace('@/', '@socket/')
  return /^postgres(ql)?:\/\//.test(candidate) && URL.canParse(candidate)
}

function isHttpUrl(url: string): boolean {
  return /^https?:\/\//.test(url) && URL.canParse(url)
}

function isPlainHttpUrl(url: string): boolean {
  if (!isHttpUrl(url)) return false
  const { username, password, search, hash } = new URL(url)
  return [username, password, search, hash].every((part) => part === '')
}
