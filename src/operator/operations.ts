import { z } from 'zod'
import { INBOX_STATES } from '../apply/inbox-row.ts'
import type { Operations } from '../http/open-api.ts'
import { anyWords, decimalId, moment, pageLimit, wordsOf } from '../http/read-query.ts'
import { FINISHED_STATES, QUEUED_STATES } from '../queue/look.ts'

export const messageFilter = z.strictObject({
  state: wordsOf([...QUEUED_STATES, ...FINISHED_STATES]),
  type: anyWords,
  aggregate: z.string().optional(),
  since: moment,
  until: moment,
  error: z.string().optional(),
})
export const messagePage = messageFilter.extend({ limit: pageLimit, before: decimalId.optional() })
export const inboundPage = z.strictObject({
  state: wordsOf(INBOX_STATES),
  type: anyWords,
  since: moment,
  until: moment,
  error: z.string().optional(),
  limit: pageLimit,
  before: decimalId.optional(),
})

const UNKNOWN = { 404: 'There is no such message' } as const
const decide = (summary: string) =>
  ({
    summary,
    by: 'operator',
    answers: { 200: 'The message as it is now', 409: 'Why not', ...UNKNOWN },
  }) as const

/** What `createOperatorFace` answers. */
export const OPERATOR_OPERATIONS: Operations = {
  'GET /dashboard': {
    summary: 'The page for operators, which asks for the token',
    by: 'anybody',
    answers: { 200: 'HTML without data' },
  },
  'GET /api/v1/status': {
    summary: 'As `spree-bridge status --json`',
    by: 'operator',
    answers: { 200: 'The status' },
  },
  'GET /api/v1/events': {
    summary: 'What the dashboard shows, each time anew',
    by: 'operator',
    answers: { 200: 'A stream of events (text/event-stream)' },
  },
  'GET /api/v1/messages': {
    summary: 'Outbound messages, the newest first',
    by: 'operator',
    query: messagePage,
    answers: { 200: 'A page of them', 400: 'Which part of the query is wrong' },
  },
  'GET /api/v1/messages/{id}': {
    summary: 'One of them, with its payload',
    by: 'operator',
    answers: { 200: 'The message', ...UNKNOWN },
  },
  'POST /api/v1/messages/retry': {
    summary: 'Puts all that match back to be sent',
    by: 'operator',
    query: messageFilter,
    answers: { 200: 'How many there were', 400: 'Which part of the query is wrong' },
  },
  'POST /api/v1/messages/{id}/retry': decide('Puts it back to be sent'),
  'POST /api/v1/messages/{id}/park': decide('Holds it until a person decides'),
  'POST /api/v1/messages/{id}/discard': decide('Closes it unsent'),
  'GET /api/v1/inbox': {
    summary: 'Inbound messages, the newest first',
    by: 'operator',
    query: inboundPage,
    answers: { 200: 'A page of them', 400: 'Which part of the query is wrong' },
  },
  'GET /api/v1/inbox/{id}': {
    summary: 'One of them, with its payload and its answer',
    by: 'operator',
    answers: { 200: 'The message', ...UNKNOWN },
  },
  'POST /api/v1/inbox/{id}/retry': decide('Applies it again'),
  'POST /api/v1/inbox/{id}/discard': decide('Closes it unapplied'),
}
