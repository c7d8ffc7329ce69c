import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'

/** Loads what pg_dump wrote for psql: statements, COPY blocks, and lines for psql alone (`\restrict`), which are left out. */
export async function loadDump(url: string, dump: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('begin')
    // Odd parts are COPY blocks: the statement, the rows, and the end mark `\.`.
    for (const part of dump.split(/^(COPY [^\n]* FROM stdin;\n(?:[^\n]*\n)*?\\\.\n)/m)) {
      const copy = /^(COPY [^\n]* FROM stdin);\n/.exec(part)
      if (copy?.[1]) {
        const rows = part.slice(copy[0].length, -'\\.\n'.length)
        await pipeline([rows], client.query(copyFrom(copy[1])))
      } else {
        await client.query(part.replace(/^\\.*$/gm, ''))
      }
    }
    await client.query('commit')
  } finally {
    await client.end()
  }
}
