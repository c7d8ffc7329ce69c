import { DatabaseError, sqlState } from './errors.ts'
import type { Db } from './pool.ts'
import { SHORT_LOCKS } from './short-locks.ts'

/** What tells one database (and the hub it talks to) from a copy of it. Null: not readable, or not known yet. */
export type Identity = Readonly<{
  systemIdentifier: string | null
  databaseName: string
  databaseOid: string
  host: string | null
  hubUrl: string | null
  hubStoreId: string | null
  /** Where the store's tables are. */
  storeSchema: string | null
}>

/** `installed` is false from `uninstall` on, so that workers that still run do not put the triggers back. */
export type Installation = Identity & Readonly<{ id: string; installed: boolean }>

/** The identity as it is now. `host` comes from the connection URL; hub and its store from the settings of the process. */
export async function currentIdentity(
  db: Db,
  known: Pick<Identity, 'host' | 'hubUrl' | 'hubStoreId' | 'storeSchema'>,
): Promise<Identity> {
  const { rows } = await db.query<{ name: string; oid: string }>(
    `select datname as name, oid::text as oid from pg_database where datname = current_database()`,
  )
  const database = rows[0]
  if (!database) throw new Error('pg_database does not list the current database')
  return {
    systemIdentifier: await readSystemIdentifier(db),
    databaseName: database.name,
    databaseOid: database.oid,
    ...known,
  }
}

/** Some hosts keep pg_control_system() from ordinary roles; the other marks then have to do. */
async function readSystemIdentifier(db: Db): Promise<string | null> {
  try {
    const { rows } = await db.query<{ id: string }>(
      'select system_identifier::text as id from pg_control_system()',
    )
    return rows[0]?.id ?? null
  } catch (error) {
    if (sqlState(error) === '42501') return null
    throw error
  }
}

export async function readInstallation(db: Db): Promise<Installation | undefined> {
  const { rows } = await db.query<{
    id: string
    system_identifier: string | null
    database_name: string
    database_oid: string
    host: string | null
    hub_url: string | null
    hub_store_id: string | null
    store_schema: string | null
    installed: boolean
  }>(
    `select id, system_identifier, database_name, database_oid, host, hub_url, hub_store_id, store_schema, installed
       from bridge.installation`,
  )
  const row = rows[0]
  return (
    row && {
      id: row.id,
      systemIdentifier: row.system_identifier,
      databaseName: row.database_name,
      databaseOid: row.database_oid,
      host: row.host,
      hubUrl: row.hub_url,
      hubStoreId: row.hub_store_id,
      storeSchema: row.store_schema,
      installed: row.installed,
    }
  )
}

/**
 * Writes `identity` as the installation's: keeps the id where there is one already. Fills only what was unknown unless
 * `adopt`; but where the store's schema is called otherwise now, that is known to be the same one. Runs in a transaction,
 * of which the commit should follow soon; and again where the inbox is not to be locked at once (`inShortTries`).
 *
 * What came in while the store's id at the hub was not known stays without it, and is looked for there as well: see
 * `inbox-row.ts`. So nothing may be entered without it any more once somebody enters under it, and all that was must be
 * there to be seen. Whoever enters a message has read the id with the same statement: it waits here, or is waited for.
 */
export async function recordInstallation(db: Db, identity: Identity, adopt: boolean): Promise<void> {
  const was = (await readInstallation(db))?.hubStoreId
  const isNamed = was == null && identity.hubStoreId !== null
  const isRenamed = adopt && was != null && was !== identity.hubStoreId
  if (isNamed || isRenamed) {
    await db.query(
      `${SHORT_LOCKS}; lock table bridge.inbox in share row exclusive mode; set local lock_timeout to default`,
    )
  }
  // Of another hub's messages those that came without an id are none.
  if (isRenamed) await nameInbox(db, was)
  await db.query(
    `insert into bridge.installation as i
            (system_identifier, database_name, database_oid, host, hub_url, hub_store_id, store_schema)
     values ($1, $2, $3, $4, $5, $6, $8)
     on conflict (singleton) do update
        set system_identifier = case when $7 then $1 else coalesce(i.system_identifier, $1) end,
            database_name = case when $7 then $2 else i.database_name end,
            database_oid = case when $7 then $3 else i.database_oid end,
            host = case when $7 then $4 else coalesce(i.host, $4) end,
            hub_url = case when $7 then $5 else coalesce(i.hub_url, $5) end,
            hub_store_id = case when $7 then $6 else coalesce(i.hub_store_id, $6) end,
            store_schema = coalesce($8, i.store_schema),
            adopted_at = case when $7 then clock_timestamp() else i.adopted_at end`,
    [
      identity.systemIdentifier,
      identity.databaseName,
      identity.databaseOid,
      identity.host,
      identity.hubUrl,
      identity.hubStoreId,
      adopt,
      identity.storeSchema,
    ],
  )
}

/** A message that is there under both stays once: the one that is not to be tried again. */
async function nameInbox(db: Db, hub: string): Promise<void> {
  await db.query(
    `delete from bridge.inbox i
      using (select case when named.state = 'failed' and unnamed.state <> 'failed' then named.id else unnamed.id end as id
               from bridge.inbox unnamed
               join bridge.inbox named
                 on named.hub = $1 and named.dialect = unnamed.dialect and named.message_id = unnamed.message_id
              where unnamed.hub = '') twice
      where i.id = twice.id`,
    [hub],
  )
  await db.query(`update bridge.inbox set hub = $1 where hub = ''`, [hub])
}

type Mark = Readonly<{ name: string; was: string; is: string }>

/** The marks in which two identities differ; what either side does not know is no mark. */
function differences(was: Identity, is: Identity, names: Readonly<Record<string, keyof Identity>>): Mark[] {
  return Object.entries(names).flatMap(([name, key]) => {
    const [before, now] = [was[key], is[key]]
    return before === null || now === null || before === now ? [] : [{ name, was: before, is: now }]
  })
}

const DATABASE_MARKS = {
  'its system identifier': 'systemIdentifier',
  'its name': 'databaseName',
  'its oid': 'databaseOid',
  'its host': 'host',
} as const
const HUB_MARKS = { HUB_URL: 'hubUrl', HUB_STORE_ID: 'hubStoreId' } as const

/**
 * A staging restore must not talk to the production hub, nor a misspelt HUB_URL take the queue elsewhere unasked.
 * @throws DatabaseError `copied` where this is not the database, the store or the hub that the installation was made for.
 */
export async function refuseCopy(db: Db, identity: Identity): Promise<void> {
  const installed = await readInstallation(db)
  if (!installed) return
  const marks = differences(installed, identity, DATABASE_MARKS)
  const hubMarks = differences(installed, identity, HUB_MARKS)
  const tell = ({ name, was, is }: Mark) => `${name} was ${was} and is ${is}`
  if (marks.length > 0) {
    throw new DatabaseError(
      'copied',
      `This is not the database that spree-bridge was installed for: ${[...marks, ...hubMarks].map(tell).join(', ')}. ` +
        'Nothing is sent or applied. If it is a copy that shall live on its own, run `spree-bridge adopt --fresh`, which ' +
        'drops what waits and what was announced; if it is the same store at another address, `spree-bridge adopt --keep`.',
    )
  }
  await refuseOtherStore(db, installed.storeSchema, identity.storeSchema)
  if (hubMarks.length > 0) {
    throw new DatabaseError(
      'copied',
      `spree-bridge was installed for another hub: ${hubMarks.map(tell).join(', ')}. Nothing is sent. If the hub has ` +
        'moved, run `spree-bridge adopt --keep`: what waits goes to the new address. If it is another hub, ' +
        '`spree-bridge adopt --fresh` drops what waits and what was announced.',
    )
  }
}

/** A schema may be renamed; but where the one that was announced is still there, this is another store. */
async function refuseOtherStore(db: Db, was: string | null, is: string | null): Promise<void> {
  if (was === null || is === null || was === is) return
  const { rows } = await db.query<{ there: boolean }>(
    `select to_regclass(quote_ident($1) || '.spree_products') is not null as there`,
    [was],
  )
  if (!rows[0]?.there) return
  throw new DatabaseError(
    'copied',
    `spree-bridge was installed for the store in schema ${was}, and the search path of this role leads to that in ${is}. ` +
      'Nothing is sent or applied. Put it right (`alter role … set search_path = …`), or if this one is to be announced ' +
      'instead, run `spree-bridge adopt --fresh`, which drops what waits and what was announced.',
  )
}

/** @throws DatabaseError `not_migrated` where `uninstall` has taken the triggers away. */
export async function refuseUninstalled(db: Db): Promise<void> {
  if ((await readInstallation(db))?.installed !== false) return
  throw new DatabaseError(
    'not_migrated',
    'spree-bridge was uninstalled from this store: run `spree-bridge migrate` to install it again.',
  )
}
