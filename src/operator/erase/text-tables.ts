import type { Person } from '../../messages/personal/person.ts'
import type { Db } from '../../postgres/pool.ts'

/** A table of a schema of ours, with the columns in which a text may stand. */
export type TextTable = Readonly<{
  name: string
  columns: readonly Readonly<{ name: string; type: string }>[]
  /** Its rows are messages that may not be finished. */
  hasState: boolean
}>

/** A row in which something of the person was found. */
export type FoundRow = Readonly<{
  table: TextTable
  /** The partition, and the place of this version of the row in it. */
  relation: string
  place: string
  /** By column, those that are not null. */
  texts: ReadonlyMap<string, string>
  /** Its content may still be sent or applied. */
  waits: boolean
}>

/** What is over in both directions: nobody sends or applies it again. */
const OVER = new Set(['done', 'discarded', 'superseded', 'applied'])

/** Every table of the schema: one that a later version adds is looked through without anybody thinking of it. */
export async function textTables(db: Db, schema: string): Promise<TextTable[]> {
  const { rows } = await db.query<TextTable>(
    `select format('%I.%I', n.nspname, c.relname) as name,
            json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null)) order by a.attnum) as columns,
            bool_or(a.attname = 'state') as "hasState"
       from pg_catalog.pg_namespace n
       join pg_catalog.pg_class c on c.relnamespace = n.oid
       join pg_catalog.pg_attribute a on a.attrelid = c.oid
      where n.nspname = $1
        and c.relkind in ('r', 'p')
        and not c.relispartition
        and a.attnum > 0
        and not a.attisdropped
        and a.atttypid in ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype)
      group by n.nspname, c.relname
      order by n.nspname, c.relname`,
    [schema],
  )
  return rows
}

/** All rows with something of the person in them, or by their keys about them: rather too many than one too few. */
export async function findRows(db: Db, table: TextTable, person: Person): Promise<FoundRow[]> {
  const texts = table.columns.map(({ name }) => `t.${name}::text`)
  const { rows } = await db.query<{ relation: string; place: string; texts: (string | null)[] }>(
    `select t.tableoid::regclass::text as relation, t.ctid::text as place, array[${texts.join(', ')}] as texts
       from ${table.name} t
      where concat_ws(' ', ${texts.join(', ')}) ~* $1 or array[${texts.join(', ')}] && $2::text[]`,
    [soughtIn(person), [...person.keys, ...person.numbers]],
  )
  return rows.map(({ relation, place, texts: values }) => {
    const found = new Map(
      table.columns.flatMap(({ name }, index) => {
        const text = values[index] ?? null
        return text === null ? [] : [[name, text] as const]
      }),
    )
    const waits = table.hasState && !OVER.has(found.get('state') ?? '')
    return { table, relation, place, texts: found, waits }
  })
}

/** As a regular expression of PostgreSQL; in the place of what JSON may escape, as letters beyond ASCII, anything. */
function soughtIn({ emails, texts, numbers }: Person): string {
  return [...emails, ...texts, ...[...numbers].map((number) => `"${number}"`)]
    .map((text) =>
      text.replace(/[^a-z0-9 ]/gi, (sign) =>
        /[!-~]/.test(sign) && !/[\\/<>&']/.test(sign) ? `\\${sign}` : '.*',
      ),
    )
    .join('|')
}

/** Writes texts of a row, by column, in the place of those that were read. False where the row has changed meanwhile. */
export async function replaceTexts(
  db: Db,
  { table, relation, place, texts }: FoundRow,
  clean: ReadonlyMap<string, string>,
): Promise<boolean> {
  const columns = table.columns.filter(({ name }) => clean.has(name))
  const names = columns.map(({ name }) => name)
  const { rowCount } = await db.query(
    `update ${relation}
        set ${columns.map(({ name, type }, index) => `${name} = ($2::text[])[${index + 1}]::${type}`).join(', ')}
      where ctid = $1::tid and array[${names.map((name) => `${name}::text`).join(', ')}] = $3::text[]`,
    [place, names.map((name) => clean.get(name)), names.map((name) => texts.get(name))],
  )
  return rowCount === 1
}
