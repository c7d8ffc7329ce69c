import { PostgresError } from '../demo/postgres-error.ts'
import { DatabaseError, sqlState } from '../postgres/errors.ts'
import { OperatorError } from './exit.ts'

/** Files and folders that this user may not write. */
const CLOSED: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS'])

/** What a demo that does not start tells the person who started it in `folder`; any other error as it is. */
export function explainStart(error: unknown, folder: string): unknown {
  if (error instanceof PostgresError && error.code === 'in_use')
    return new OperatorError(
      `A demo runs in this folder already (${folder}/demo.json tells where): end it there with Ctrl-C, or start this one in another folder.`,
      2,
    )
  if (error instanceof DatabaseError && error.code === 'outdated')
    return new OperatorError(
      `The data in ${folder} was made by a newer release: start that one, or remove ${folder} to begin afresh.`,
      2,
    )
  if (CLOSED.has(sqlState(error)) && error instanceof Error)
    return new OperatorError(
      `The demo keeps its data in ${folder}, where this user may not write: start it in a folder of your own. (${error.message})`,
      2,
    )
  return error
}
