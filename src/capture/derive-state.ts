import type { MessageType, RawPayload } from '../messages/message.ts'
import type { Picture, StateKind } from '../messages/state-kind.ts'
import type { Baseline } from './baseline.ts'
import { type Derivation, emptyDerivation } from './derivation.ts'
import { digestOf, isUnchanged, SHAPE } from './digest.ts'
import { isEcho, type Told } from './echo.ts'
import { haveCrossed, isBackfill, isRootInsert, type ResolvedRow } from './outbox-row.ts'

export type StateInput = Readonly<{
  about: StateKind
  aggregate: string
  id: string
  rows: readonly ResolvedRow[]
  /** Undefined: the row is gone. */
  picture: Picture | undefined
  baselines: ReadonlyMap<string, Baseline>
  /** True once the silent seeding is through: from then on a missing baseline means new. */
  seeded: boolean
  /** False where the picture may hold the effects of rows that are not among these. */
  whole: boolean
  told(type: MessageType): Told
  now: Date
}>

/** The state as it stands, if it is not the one that was told. The baseline's part bears the name of the kind. */
export function deriveState(input: StateInput): Derivation {
  const { about, aggregate, id, rows, picture } = input
  const { first, later } = about.types
  const part = about.kind
  const derivation = emptyDerivation()
  const tell = (type: MessageType, payload: RawPayload, subject: string | null) =>
    derivation.messages.push({ type, payload, subject })
  const before = input.baselines.get(part)
  const known = before?.naturalKey ?? undefined
  if (!picture) {
    if (known !== undefined && about.removed) tell(later, about.removed(known, input.now), part)
    if (before) derivation.forgotten.push({ aggregate, part })
    return derivation
  }

  const forgets = rows.some(({ op }) => op === 'forget')
  const isNew = before === undefined && (input.seeded || rows.some((row) => isRootInsert(row, id)))
  // Made and removed before anyone was told: never mentioned, and new if it is ever restored.
  if (isNew && picture.deleted) return derivation
  const onlyForgets = rows.every(({ op }) => op === 'forget')
  const baseline = stateBaseline(aggregate, about, picture)
  derivation.baselines.push(onlyForgets ? { ...baseline, digest: null } : baseline)
  if (onlyForgets) return derivation

  const requested = rows.some(({ op }) => op === 'announce')
  // As to one who has nothing; what changed is told before, to those who have it.
  const tellWhole = () => {
    if (rows.some(isBackfill) && !derivation.messages.some(({ type }) => type === first))
      tell(first, picture.payload, first === later ? part : null)
    return derivation
  }
  const isKnown = !forgets && isUnchanged(before, baseline.digest, picture.content)
  if (isKnown && !requested && !haveCrossed(rows, input.whole)) return tellWhole()
  // What the hub itself made is known to all that it told of it; what was merely never announced is not.
  const isHubs = !isNew || rows.some((row) => isRootInsert(row, id))
  // Where what was told is forgotten, the hub lacks more than it has written.
  const isForgotten = before?.digest === null
  const changes = rows.filter((row) => !isBackfill(row))
  if (
    isHubs &&
    !isForgotten &&
    !requested &&
    changes.length > 0 &&
    isEcho(changes, [first, later], input.told)
  ) {
    derivation.silenced++
    return tellWhole()
  }
  if (isNew) tell(first, picture.payload, first === later ? part : null)
  else {
    const former = known === undefined ? {} : picture.formerKeys(known)
    tell(later, { ...picture.payload, ...former }, Object.keys(former).length === 0 ? part : null)
  }
  return tellWhole()
}

/** What is noted of a state that is announced as it stands. */
export function stateBaseline(
  aggregate: string,
  { kind }: StateKind,
  picture: Picture,
): Baseline & Readonly<{ digest: string }> {
  const { content, naturalKey } = picture
  return { aggregate, part: kind, digest: digestOf(content), level: null, naturalKey, shape: SHAPE }
}
