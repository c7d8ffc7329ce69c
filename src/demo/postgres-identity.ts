import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { PostgresError } from './postgres-error.ts'

/** Who runs the server; empty: whoever runs us. */
export type Identity = Readonly<{ uid?: number; gid?: number }>

/** PostgreSQL refuses root, and initdb a user without a line in /etc/passwd. */
export function chooseIdentity(): Identity {
  if (process.getuid?.() !== 0) return namedUser()
  const users = fs.readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const fields = users.find((line) => line.startsWith(`${name}:`))?.split(':')
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  throw new PostgresError(
    'no_identity',
    'PostgreSQL does not run as root and there is no user postgres or nobody: run as another user.',
  )
}

function namedUser(): Identity {
  try {
    os.userInfo()
    return {}
  } catch {
    throw new PostgresError(
      'no_identity',
      'PostgreSQL does not run as a user without a name (a line in /etc/passwd): run as another user.',
    )
  }
}

/** A folder below one that is closed to the server's user (/root is 0700) is replaced by one in /var/lib. */
export function prepareRoot(wanted: string, identity: Identity): string {
  refuseOther(wanted, identity)
  if (prepare(wanted, identity)) return wanted
  const folder = standIn(wanted)
  prepare(folder, identity)
  return folder
}

function prepare(folder: string, identity: Identity): boolean {
  fs.mkdirSync(folder, { recursive: true })
  give(folder, identity)
  return spawnSync('/bin/ls', [`${folder}/.`], { ...identity, cwd: '/' }).status === 0
}

/** PostgreSQL takes data of its own user only. */
function refuseOther(root: string, { uid = process.getuid?.() }: Identity): void {
  const owner = fs.statSync(path.join(root, 'pgdata'), { throwIfNoEntry: false })?.uid
  if (owner === undefined || uid === undefined || owner === uid) return
  throw new PostgresError(
    'other_owner',
    `The data in ${root} belongs to another user (${owner}): run as that one, or remove the folder to begin afresh.`,
  )
}

/** Noted in the folder itself, so that whoever removes that begins afresh. */
function standIn(wanted: string): string {
  const note = path.join(wanted, 'is-in')
  try {
    fs.writeFileSync(note, `/var/lib/spree-bridge-${randomBytes(5).toString('hex')}`, { flag: 'wx' })
  } catch {
    // It is noted already.
  }
  return fs.readFileSync(note, 'utf8')
}

/** Without this a folder made by root is closed to the server. */
export function give(folder: string, { uid, gid }: Identity): void {
  if (uid !== undefined && gid !== undefined) fs.chownSync(folder, uid, gid)
}

/** Short and stable: names a folder after a path. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10)
}
