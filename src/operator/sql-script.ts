import type { SchemaState } from '../postgres/migrate.ts'
import { type Migration, migrationStatements } from '../postgres/migrate.ts'
import type { Db } from '../postgres/pool.ts'
import { SHORT_LOCKS } from '../postgres/short-locks.ts'

/** A script for psql of these blocks, each of which is a transaction of its own. */
export async function sqlScript(db: Db, schema: string, blocks: readonly string[]): Promise<string> {
  const { rows } = await db.query<{ role: string }>('select quote_ident(current_user) as role')
  return [
    `-- To be run as role ${rows[0]?.role ?? ''}, which then owns schema ${schema}: psql -v ON_ERROR_STOP=1.`,
    '-- Where a block stops at a lock, what stands before it is done: print the rest anew.',
    ...blocks,
  ].join('\n\n')
}

/** One block per migration. */
export function migrationBlocks(
  db: Db,
  schema: string,
  pending: readonly Migration[],
  state: SchemaState | undefined,
): Promise<string[]> {
  return Promise.all(
    pending.map(async (migration) => {
      const statements = await migrationStatements(db, schema, migration, state)
      return `-- ${migration.name}\n${transactionBlock(statements)}`
    }),
  )
}

export function transactionBlock(statements: readonly string[]): string {
  return ['begin', SHORT_LOCKS, ...statements, 'commit']
    .map((statement) => `${statement.trim().replace(/;$/, '')};`)
    .join('\n\n')
}
