import { z } from 'zod'

import type { Collection } from '../messages/schemas/hub-poll.ts'
import { utcTime } from '../messages/wire.ts'
import type { PollCursor } from '../store/changed-since.ts'
import { NotApplicable } from './handler.ts'

// The parameters of a poll are lists of one-key objects, one for each collection, or one value for all (protocol §7.1).

type Entry = Readonly<Record<string, unknown>>
type Setting = 'last_updated_at' | 'per_page'

const iso = z.iso.datetime({ offset: true, local: true }).regex(/^(19|2\d)/)
const MOST = 50
const USUAL = '20'

/** @throws NotApplicable where it is no number from 1 on; more than 50 are 50. */
export function readPerPage(value: unknown, collection: Collection): number {
  const given = String(entryOf(value, collection) ?? USUAL)
  if (/^[1-9]\d{0,8}$/.test(given)) return Math.min(Number(given), MOST)
  throw badParameter('per_page', given, 'a number of objects, from 1 to 50')
}

/** A time, and behind a slash the id of the last object where those after it were left for the next poll. */
export function readCursor(value: unknown, collection: Collection): PollCursor | undefined {
  const given = entryOf(value, collection)
  if (given === undefined || given === null || given === '') return undefined
  const [, time = '', afterId] = /^([^/]+)(?:\/(\d{1,18}))?$/.exec(String(given)) ?? []
  if (iso.safeParse(time).success) return { time: utcTime(time), afterId: afterId ?? null }
  throw badParameter('last_updated_at', String(given), 'a time in ISO 8601')
}

export function writeCursor({ time, afterId }: PollCursor): string {
  return afterId === null ? time : `${time}/${afterId}`
}

/** The list with what this collection has now; those of the others stay. */
export function withEntry(value: unknown, collection: Collection, now: string): Entry[] {
  const others = entriesOf(value).filter((entry) => !(collection in entry))
  return [...others, { [collection]: now }]
}

function entryOf(value: unknown, collection: Collection): unknown {
  if (!Array.isArray(value)) return value ?? undefined
  return entriesOf(value).findLast((entry) => collection in entry)?.[collection]
}

function entriesOf(value: unknown): Entry[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : []
  return list.filter((entry): entry is Entry => typeof entry === 'object' && entry !== null)
}

function badParameter(name: Setting, given: string, wanted: string): NotApplicable {
  return new NotApplicable(
    'bad_parameter',
    `The parameter spree.collections_poll.${name} is ${given.slice(0, 100)}: it must be ${wanted}.`,
  )
}
