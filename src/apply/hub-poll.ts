import { MappingError } from '../messages/mapping-error.ts'
import type { RawPayload } from '../messages/message.ts'
import { type Collection, type HubPoll, hubPollSchema } from '../messages/schemas/hub-poll.ts'
import { type Handler, NotApplicable, type Notification } from './handler.ts'
import { parameterOf } from './parameters.ts'
import { readCursor, readPerPage, withEntry, writeCursor } from './poll-cursor.ts'
import { readPage } from './polled.ts'
import { shaped } from './shaped.ts'

const LAST_UPDATED_AT = 'collections_poll.last_updated_at'
const PER_PAGE = 'collections_poll.per_page'

/** Protocol §7.1: what has changed of a collection since the last poll, a page at a time, and from where the next goes on. */
export const hubPoll: Handler<HubPoll> = {
  message: 'hub:poll',
  description: 'Answers with the objects of a collection that have changed since the last poll.',
  schema: hubPollSchema,
  async apply(db, store, { message, payload: { target }, parameters }, shape) {
    const [cursors, sizes] = [parameterOf(parameters, LAST_UPDATED_AT), parameterOf(parameters, PER_PAGE)]
    const perPage = readPerPage(sizes, target)
    const page = await readPage(db, store, target, readCursor(cursors, target), perPage)
    if (!page) throw notPolled(target)
    const notifications: Notification[] = [
      {
        level: 'info',
        subject: `Completed ${target.slice(0, -1)} poll`,
        description: `Spree endpoint successfully polled for ${target}.`,
      },
    ]
    const messages: Readonly<{ message: string; payload: RawPayload }>[] = []
    for (const object of page.objects) {
      const told =
        object instanceof MappingError || !page.as ? object : await shaped(db, page.as, object, shape)
      if (told instanceof Error)
        notifications.push({ level: 'warn', subject: message, description: `Not told: ${told.message}` })
      else if (told) messages.push({ message: page.type, payload: told })
    }
    return {
      notifications,
      details: {
        messages,
        parameters: [
          {
            name: `spree.${LAST_UPDATED_AT}`,
            value: withEntry(cursors, target, writeCursor(page.next)),
          },
          { name: `spree.${PER_PAGE}`, value: withEntry(sizes, target, String(perPage)) },
        ],
      },
    }
  },
}

function notPolled(target: Collection): NotApplicable {
  const why =
    target === 'carts' ? 'carts are told nobody: set CARTS=on' : 'this store has none that can be read'
  return new NotApplicable('not_polled', `The collection ${target} is not polled, as ${why}.`)
}
