import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ConfigError } from '../../src/config/config-error.ts'
import { describeSettings, settingsReference } from '../../src/config/describe-settings.ts'
import { readSettings } from '../../src/config/read-settings.ts'
import { acceptedForm, fileKey, operatorName, settingNames } from '../../src/config/settings.ts'
import type { Shape } from '../../src/messages/shaping/shape.ts'
import { shapingOf } from '../../src/processes/shape-of.ts'
import { exampleSections, settingsFile } from '../support/settings-file.ts'

const EXAMPLE = 'config/spree-bridge.example.yml'

function fault(input: Parameters<typeof readSettings>[0]): ConfigError {
  try {
    readSettings(input)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('The settings were accepted.')
}

const readEnv = (env: Record<string, string>) => readSettings({ env, needs: [] }).settings
const problemsOf = (env: Record<string, string>) => fault({ env, needs: [] }).problems
const problemsIn = (content: string) => fault({ env: {}, file: settingsFile(content), needs: [] }).problems

const worker = {
  DATABASE_URL: 'postgres://bridge:db-pass@db.internal:5432/spree',
  HUB_URL: 'https://hub.example.com/',
  HUB_STORE_ID: '42',
  HUB_TOKEN: 'hub-token-value',
}

describe('reading settings', () => {
  test('a worker needs four variables, everything else has a default', () => {
    const { settings } = readSettings({
      env: worker,
      needs: ['databaseUrl', 'hubUrl', 'hubStoreId', 'hubToken'],
    })
    const hubUrl: string = settings.hubUrl // a needed setting is no longer optional: the compiler knows

    expect(hubUrl).toBe('https://hub.example.com')
    expect(settings).toEqual({
      databaseUrl: worker.DATABASE_URL,
      hubUrl: 'https://hub.example.com',
      hubStoreId: '42',
      hubPort: 4000,
      hubTargets: 'public',
      hubDialect: 'seed',
      hubToken: 'hub-token-value',
      host: '0.0.0.0',
      bridgeConcurrency: 32,
      carts: 'off',
      logLevel: 'info',
      alarmLagSeconds: 300,
      stock: 'change',
      stockBy: 'variant',
      orders: 'persist',
      reconcileAt: '02:30',
      settleQuietMs: 500,
      settleAtMostMs: 3000,
      fuseRows: 1_000_000,
      historyDays: 30,
      transformBudgetMs: 50,
    })
  })

  test('space around a value is ignored, and an empty value counts as not set', () => {
    const settings = readEnv({ HUB_TOKEN: 'abc\n', PORT: '', LOG_LEVEL: '  ', BRIDGE_CONCURRENCY: ' 8 ' })

    expect(settings).toMatchObject({ hubToken: 'abc', logLevel: 'info', bridgeConcurrency: 8 })
    expect(settings.port).toBeUndefined()
  })

  test('the environment wins over the file, the file over the default, and each value knows its source', () => {
    const file = settingsFile('log_level: debug\nbridge_concurrency: 4\nhub_token:\nport: null\n')
    const effective = readSettings({ env: { LOG_LEVEL: 'warn' }, file, needs: [] })
    const sourceOf = Object.fromEntries(describeSettings(effective).map(({ name, source }) => [name, source]))

    expect(effective.settings).toMatchObject({ logLevel: 'warn', bridgeConcurrency: 4 })
    expect(effective.settings.port).toBeUndefined()
    expect(sourceOf).toMatchObject({
      LOG_LEVEL: 'environment',
      BRIDGE_CONCURRENCY: file,
      HUB_TOKEN: 'default',
      fuse_rows: 'default',
    })
  })

  test('a value in the file is taken as it is written, not as YAML would guess', () => {
    const file = settingsFile('hub_store_id: 0123\nhub_token: 1e5\noperator_token: "#x:y"\n')

    expect(readSettings({ env: {}, file, needs: [] }).settings).toMatchObject({
      hubStoreId: '0123',
      hubToken: '1e5',
      operatorToken: '#x:y',
    })
  })

  test('who shall get mail needs a server that takes it', () => {
    expect(problemsOf({ ALARM_MAIL_TO: 'a@example.com, b@example.com' })).toEqual([
      expect.objectContaining({ code: 'missing', variable: 'SMTP_URL' }),
    ])
    expect(
      readEnv({ ALARM_MAIL_TO: 'a@example.com, b@example.com', SMTP_URL: 'smtps://u:p%40ss@mail' })
        .alarmMailTo,
    ).toEqual(['a@example.com', 'b@example.com'])
    expect(problemsOf({ ALARM_MAIL_TO: 'nobody', SMTP_URL: 'mail.example.com' })).toHaveLength(2)
  })

  test('an empty or commented-out file is a file without settings', () => {
    for (const content of ['', '# nothing\n']) {
      expect(readSettings({ env: {}, file: settingsFile(content), needs: [] }).sources.size).toBe(0)
    }
  })
})

describe('the sections that shape what is sent', () => {
  const content = [
    'announce:',
    '  product:new: off',
    'filters:',
    '  stock:change:',
    '    - {path: payload.quantity, operator: lt, value: 0}',
    'redact:',
    '  order:persist: [payload.email, payload.line_items.*.variant.images]',
    'transform:',
    '  product:update: |',
    '    $merge([$, {"title": name}])',
    'transform_budget_ms: 20',
  ].join('\n')

  test('are read as they are written', () => {
    const effective = readSettings({ env: {}, file: settingsFile(content), needs: [] })

    expect(effective.settings).toMatchObject({
      announce: { 'product:new': 'off' },
      filters: { 'stock:change': [{ path: 'payload.quantity', operator: 'lt', value: '0' }] },
      redact: { 'order:persist': ['payload.email', 'payload.line_items.*.variant.images'] },
      transform: { 'product:update': '$merge([$, {"title": name}])' },
      transformBudgetMs: 20,
    })
    expect(describeSettings(effective)).toContainEqual({
      name: 'announce',
      value: '{"product:new":"off"}',
      source: expect.stringMatching(/\.yml$/),
    })
  })

  const where = (path: string, wrong: string) => [
    expect.objectContaining({ code: 'invalid', variable: path, wrong }),
  ]
  test.each([
    ['announce: {product:nwe: off}', 'announce', 'has the key "product:nwe". Did you mean "product:new"?'],
    ['announce: {product:new: of}', 'announce.product:new', 'is "of". It must be one of on, off.'],
    ['announce: off', 'announce', 'must be a mapping, lines of `key: value`.'],
    ['redact: {order:persist: payload.email}', 'redact.order:persist', 'must be a list of paths.'],
    [
      'redact: {order:persist: [payload.email, phone]}',
      'redact.order:persist.1',
      'must be a path into the payload, its steps with dots between: `payload.ship_address.phone`, `payload.line_items.*.price`.',
    ],
    [
      'filters: {product:update: [{path: payload.sku, operater: eq, value: x}]}',
      'filters.product:update.0.operator',
      'must be one of eq, neq, gt, lt, begin, contains, end, present, empty, match.',
    ],
    [
      'filters: {product:update: [{path: payload.sku, operator: begins, value: x}]}',
      'filters.product:update.0.operator',
      'is "begins". Did you mean "begin"?',
    ],
    [
      'filters: {product:update: [{path: payload.sku, operator: eq}]}',
      'filters.product:update.0',
      'needs a value for eq.',
    ],
    [
      'filters: {product:update: [{path: payload.sku, operator: match, value: "("}]}',
      'filters.product:update.0',
      'has a value that is no regular expression as RE2 knows them: (.',
    ],
    ['transform: {product:update: }', 'transform.product:update', 'is empty.'],
  ])('%s: says where, and what was meant', (written, path, wrong) => {
    const file = settingsFile(written)
    const { problems } = fault({ env: {}, file, needs: [] })

    expect(problems.slice(0, 1)).toEqual(where(path, `${path} (from ${file}) ${wrong}`))
  })
})

describe('addresses', () => {
  test.each([
    'postgres://u:p%40ss@db:5432/spree?sslmode=require',
    'postgresql://db/spree',
    'postgres:///spree?host=/run/postgresql',
    'postgres://u:p@/spree?host=/run/postgresql',
    'postgres://[::1]:5432/spree',
  ])('a database at %s is accepted', (url) => {
    expect(readEnv({ DATABASE_URL: url }).databaseUrl).toBe(url)
  })

  test.each(['mysql://u@db/spree', 'db.internal/spree', 'postgres:spree', 'postgres://u:p/w@db:x/spree'])(
    'a database at %s is refused',
    (url) => {
      expect(problemsOf({ DATABASE_URL: url })).toEqual([
        expect.objectContaining({ code: 'invalid', variable: 'DATABASE_URL' }),
      ])
    },
  )

  test('a hub lives at http or https, and its trailing slash does not matter', () => {
    expect(readEnv({ HUB_URL: 'http://127.0.0.1:4000//' }).hubUrl).toBe('http://127.0.0.1:4000')
    expect(readEnv({ HUB_URL: 'https://hub.example.com/base/' }).hubUrl).toBe('https://hub.example.com/base')
  })

  test.each([
    'hub.example.com',
    'ftp://hub',
    'https://u:pw@hub',
    'https://hub/?token=x',
    'https://hub/#x',
    'http://',
  ])('a hub at %s is refused', (url) => {
    expect(problemsOf({ HUB_URL: url })).toEqual([
      expect.objectContaining({ code: 'invalid', variable: 'HUB_URL' }),
    ])
  })
})

describe('mistakes', () => {
  test('all are told at once, each with what is wrong and what to do', () => {
    const file = settingsFile('stock: levels\nhistory_dais: 3\nsettle_quiet_ms: [1]\n')
    const error = fault({
      env: { DATABASE_URL: 'mysql://root:topsecret@db/spree', BRIDGE_CONCURRENCY: 'many', PORT: '70000' },
      file,
      needs: ['databaseUrl', 'hubUrl', 'hubToken'],
    })

    expect(error.code).toBe('config_invalid')
    expect(error.problems.map(({ code, variable }) => `${code} ${variable}`)).toEqual([
      'unknown_key history_dais',
      'missing HUB_URL',
      'missing HUB_TOKEN',
      'invalid DATABASE_URL',
      'invalid PORT',
      'invalid BRIDGE_CONCURRENCY',
      'invalid stock',
      'invalid settle_quiet_ms',
    ])
    expect(error.message.split('\n')).toEqual([
      `${file} has the key "history_dais", which is no setting. Did you mean "history_days"?`,
      'HUB_URL is not set. Where the hub is to which messages are pushed. Set it to an address beginning with ' +
        '`http://` or `https://`, without user, password, query or fragment.',
      'HUB_TOKEN is not set. The token with which this store pushes. Set it to printable ASCII without spaces.',
      'DATABASE_URL (from the environment) has a value that cannot be used. It must be a PostgreSQL address, ' +
        '`postgres://user:password@host:5432/database` (percent-encode `@ : / ? #`).',
      'PORT (from the environment) is "70000". It must be a whole number from 0 to 65535.',
      'BRIDGE_CONCURRENCY (from the environment) is "many". It must be a whole number from 1 to 1000; left out, it is 32.',
      `stock (from ${file}) is "levels". It must be \`change\` or \`actual\`; left out, it is change.`,
      `settle_quiet_ms (from ${file}) is a list or a mapping. It must be a whole number from 0 to 60000; left out, it is 500.`,
    ])
  })

  test('no secret is repeated in a mistake', () => {
    const secret = 'p4ss phrase'
    const error = fault({
      env: { DATABASE_URL: `postgres//u:${secret}@db`, HUB_TOKEN: secret, OPERATOR_TOKEN: secret },
      file: settingsFile(`database_listen_url: "u:${secret}"\nhub_url: "http://u:${secret}@hub"\n`),
      needs: [],
    })

    expect(error.problems).toHaveLength(5)
    expect(JSON.stringify(error.problems) + error.message).not.toContain(secret)
  })

  test.each([
    ['DATABASE_URL: x', 'Did you mean "database_url"?'],
    ['hub-token: x', 'Did you mean "hub_token"?'],
    ['loglevel: x', 'Did you mean "log_level"?'],
    ['elephants: x', 'The keys are database_url, database_listen_url, hub_url,'],
  ])('an unknown key (%s) names the nearest known one, or all', (content, remedy) => {
    const [problem] = problemsIn(content)

    expect(problem).toMatchObject({ code: 'unknown_key', variable: content.split(':')[0] })
    expect(problem?.remedy).toContain(remedy)
  })

  test.each([
    ['log_level: info\nhub_token: @secret\n', 'is not valid YAML at line 2, column 12 (BAD_SCALAR_START)'],
    ['port: 1\nport: 2\n', 'is not valid YAML at line 2, column 1 (DUPLICATE_KEY)'],
    ['hub_token: !secret\n', 'is not valid YAML at line 1, column 12 (TAG_RESOLVE_FAILED)'],
    ['hub_token: *secret\n', 'refers to an anchor (`*name`) that it does not set'],
    ['- secret\n', 'holds no settings'],
    ['secret', 'holds no settings'],
  ])('a malformed file says where, without quoting it (%j)', (content, wrong) => {
    const [problem, ...others] = problemsIn(content)

    expect(problem?.code).toBe('file_malformed')
    expect(problem?.wrong).toContain(wrong)
    expect(others).toEqual([])
    expect(JSON.stringify(problem)).not.toContain('secret')
  })

  test('a file that cannot be read is named', () => {
    const file = join(tmpdir(), 'absent', 'settings.yml')

    expect(fault({ env: {}, file, needs: [] }).problems).toEqual([
      {
        code: 'file_unreadable',
        variable: file,
        wrong: `The settings file ${file} cannot be read (ENOENT).`,
        remedy: 'Check the path given with --config and that this user may read it.',
      },
    ])
  })
})

describe('the dialect of the hub', () => {
  const problemsUnder = (dialect: string, content: string) =>
    fault({ env: { HUB_DIALECT: dialect }, file: settingsFile(content), needs: [] }).problems

  test('settings that have no say where objects are told are refused, each by its name', () => {
    const problems = problemsUnder('wombat', 'stock: actual\nstock_by: location\norders: generic\n')
    expect(problems.map(({ variable }) => variable)).toEqual(['stock', 'stock_by', 'orders'])
    expect(problems[2]).toMatchObject({
      code: 'invalid',
      wrong: expect.stringMatching(/^orders \(from .*\) has no say where HUB_DIALECT is wombat: /),
      remedy: 'Leave it out.',
    })
    expect(readEnv({ HUB_DIALECT: 'wombat' })).toMatchObject({ hubDialect: 'wombat', stock: 'change' })
  })

  test('a rule for what is never sent in it is refused, on trial too: what it redacts would go out', () => {
    const rules =
      "redact:\n  'order:persist': [payload.email]\nshadow:\n  announce:\n    'user:new': 'off'\n    shipments: 'off'\n"
    const wombat = problemsUnder('wombat', rules)
    expect(wombat.map(({ variable }) => variable)).toEqual([
      'redact.order:persist',
      'shadow.announce.user:new',
    ])
    expect(wombat[0]?.remedy).toContain('products, inventories, orders, shipments')
    const seed = problemsUnder('seed', rules)
    expect(seed.map(({ variable }) => variable)).toEqual(['shadow.announce.shipments'])
    expect(seed[0]?.remedy).toContain('HUB_DIALECT=wombat')
  })

  test('another word is refused', () => {
    expect(problemsOf({ HUB_DIALECT: 'flowlink' })).toMatchObject([
      { variable: 'HUB_DIALECT', remedy: 'It must be `seed` or `wombat`; left out, it is seed.' },
    ])
  })
})

describe('showing settings', () => {
  test('what is in force is shown without its secrets', () => {
    const effective = readSettings({ env: worker, needs: [] })
    const rows = describeSettings(effective)

    expect(rows).toHaveLength(settingNames.length)
    expect(rows).toEqual(
      expect.arrayContaining([
        {
          name: 'DATABASE_URL',
          value: 'postgres://bridge:***@db.internal:5432/spree',
          source: 'environment',
        },
        { name: 'HUB_TOKEN', value: '(hidden)', source: 'environment' },
        { name: 'OPERATOR_TOKEN', value: null, source: 'default' },
        { name: 'BRIDGE_CONCURRENCY', value: 32, source: 'default' },
      ]),
    )
    expect(JSON.stringify(rows)).not.toMatch(/db-pass|hub-token-value/)
  })

  test('the password of an address is hidden, whatever its user and itself are made of', () => {
    const shown = (env: Record<string, string>) =>
      describeSettings(readSettings({ env, needs: [] })).find(({ name }) => name in env)?.value

    expect(shown({ SMTP_URL: 'smtp://shop@example.com:s3cret@mail.example.com:587' })).toBe(
      'smtp://shop@example.com:***@mail.example.com:587',
    )
    for (const secret of ["s3cr'et", 's3cr"et', 's3cr et', 's3cr`et', 's3cr@et', 'x:y', 's3cr%3Fet'])
      for (const user of ['bridge', 'bridge@srv1', '', "o'brien s"])
        expect(shown({ DATABASE_URL: `postgres://${user}:${secret}@db:5432/spree` })).toBe(
          `postgres://${user}:***@db:5432/spree`,
        )
    expect(
      shown({ DATABASE_URL: `postgres://bridge@/spree?host=/run&password=s3cr' et&sslmode=require` }),
    ).toBe('postgres://bridge@/spree?host=/run&password=***&sslmode=require')
    expect(shown({ DATABASE_URL: 'postgres://bridge@srv1:5432/spree' })).toBe(
      'postgres://bridge@srv1:5432/spree',
    )
  })

  test('a setting has the same name in the environment and, in lower case, in the file', () => {
    for (const name of settingNames) expect(operatorName(name).toLowerCase()).toBe(fileKey(name))
  })

  test('each setting says what it accepts', () => {
    for (const name of settingNames)
      expect([name, acceptedForm(name)]).toEqual([name, expect.stringMatching(/\w/)])
    expect(problemsIn('reconcile_at: 25:00\n')).toMatchObject([
      { remedy: 'It must be a time of the day, `HH:MM`, or `off`; left out, it is 02:30.' },
    ])
  })

  test('docs/settings.md is what the schema says', () => {
    expect(readFileSync('docs/settings.md', 'utf8')).toBe(settingsReference())
  })

  test('the example file is accepted as it stands, and mentions every setting with its default', () => {
    const needs = ['databaseUrl', 'hubUrl', 'hubStoreId', 'hubToken'] as const
    const { settings } = readSettings({ env: {}, file: EXAMPLE, needs })
    const content = readFileSync(EXAMPLE, 'utf8')

    for (const name of settingNames) expect(content).toMatch(new RegExp(`^(# )?${fileKey(name)}:( |$)`, 'm'))
    const { settings: defaults } = readSettings({ env: {}, needs: [] })
    const given = { databaseUrl: 0, hubUrl: 0, hubStoreId: 0, hubToken: 0, port: 0, host: 0, logFormat: 0 }
    expect({ ...settings, ...given }).toEqual({ ...defaults, ...given })
  })

  test('its sections work, once they are no comment any more', async () => {
    const { settings } = readSettings({ env: {}, file: settingsFile(exampleSections()), needs: [] })

    expect(Object.keys(settings)).toEqual(
      expect.arrayContaining(['announce', 'filters', 'redact', 'extra', 'transform', 'shadow']),
    )
    const shaping = await shapingOf(settings)
    const product = { name: 'Brass Compass', currency: 'USD', price: '35.0', status: 'active' }
    const make = async (shape: Shape | undefined) => {
      const shaped = shape?.({ type: 'product:update', payload: product })
      return shaped && 'transform' in shaped && shaped.transform?.(product)
    }
    expect(await make(shaping?.live)).toEqual({ ...product, title: 'Brass Compass (USD)', price: 35 })
    expect(await make(shaping?.shadow?.shape)).toEqual({ ...product, price: 3500 })
    expect(shaping?.live?.({ type: 'product:update', payload: { ...product, status: 'draft' } })).toEqual({
      withheldBy: 'filters',
    })
  })
})
