import type { z } from 'zod'
import type { Operations } from '../http/open-api.ts'
import { order } from './api/by-hand.ts'
import { queueFilter } from './api/list-queue.ts'
import { changedMapping, newMapping } from './api/mapping-input.ts'
import { changedParameter, newParameter } from './api/parameter-input.ts'
import { pushed } from './api/pushed.ts'
import { newStore } from './api/stores.ts'
import { arrivalsPage } from './page/page-api.ts'

const STORE = '/api/stores/{store}'
const INVALID = { 422: 'Which field is wrong, and why' } as const
const MISSING = { 404: 'There is none' } as const

const read = (summary: string, query?: z.ZodType) =>
  ({
    summary,
    by: 'store',
    ...(query && { query }),
    answers: { 200: 'What was asked for', ...MISSING },
  }) as const
const write = (summary: string, body: z.ZodType, status: 200 | 201) =>
  ({ summary, by: 'store', body, answers: { [status]: 'As it is now', ...MISSING, ...INVALID } }) as const
const remove = (summary: string) => ({ summary, by: 'store', answers: { 200: 'Empty', ...MISSING } }) as const
const decide = (summary: string) =>
  ({
    summary,
    by: 'admin',
    answers: { 200: 'The message as it is now', 409: 'Why not', ...MISSING },
  }) as const

/** What the hub answers: its API (protocol §2), and what its page shows and does. */
export const HUB_OPERATIONS: Operations = {
  'POST /api/stores': {
    summary: 'Makes a store, and its token, which is told this once',
    by: 'admin',
    body: newStore,
    answers: { 201: 'Its id and token', ...INVALID },
  },
  [`POST ${STORE}/messages`]: {
    summary: 'Takes a message; an Idempotency-Key makes a repeat harmless for 14 days',
    by: 'store',
    body: pushed,
    answers: { 201: 'What was submitted, and its message_id', 400: 'No JSON', ...INVALID },
  },
  [`GET ${STORE}/messages/{id}`]: read('A message, and where it was delivered'),
  [`PUT ${STORE}/messages/{id}`]: write('Sends it now, or archives it', order, 200),
  [`GET ${STORE}/available_messages`]: read('The message types that may be pushed'),
  [`GET ${STORE}/queues`]: read('How many messages lie in each queue'),
  [`GET ${STORE}/queues/{queue}`]: read('A page of incoming, accepted or archived messages', queueFilter),
  [`GET ${STORE}/mappings`]: read('Who gets which messages'),
  [`POST ${STORE}/mappings`]: write(
    'Makes a mapping; its fields come under the key `mapping`',
    newMapping,
    201,
  ),
  [`GET ${STORE}/mappings/{id}`]: read('A mapping'),
  [`PUT ${STORE}/mappings/{id}`]: write(
    'Changes a mapping; its fields come under the key `mapping`',
    changedMapping,
    200,
  ),
  [`DELETE ${STORE}/mappings/{id}`]: remove('Deletes a mapping'),
  [`GET ${STORE}/parameters`]: read('What consumers are given with each message'),
  [`POST ${STORE}/parameters`]: write('Makes a parameter', newParameter, 201),
  [`GET ${STORE}/parameters/{id}`]: read('A parameter'),
  [`PUT ${STORE}/parameters/{id}`]: write('Changes a parameter', changedParameter, 200),
  [`DELETE ${STORE}/parameters/{id}`]: remove('Deletes a parameter'),
  'GET /api/samples': {
    summary: 'The types that have a sample',
    by: 'anybody',
    answers: { 200: 'Their names' },
  },
  'GET /api/samples/{type}': {
    summary: 'A whole message, for people who write a consumer',
    by: 'anybody',
    answers: { 200: 'The sample', ...MISSING },
  },
  'GET /': {
    summary: 'The page for who runs the hub, which asks for the token',
    by: 'anybody',
    answers: { 200: 'HTML without data' },
  },
  'GET /api/hub/overview': { summary: 'What the page shows', by: 'admin', answers: { 200: 'All of it' } },
  'GET /api/hub/events': {
    summary: 'The same, each time anew',
    by: 'admin',
    answers: { 200: 'A stream of events (text/event-stream)' },
  },
  'GET /api/hub/messages': {
    summary: 'Messages of all stores, the newest first',
    by: 'admin',
    query: arrivalsPage,
    answers: { 200: 'A page of them', 400: 'Which part of the query is wrong' },
  },
  'GET /api/hub/messages/{key}': {
    summary: 'One of them, with its payload and its answers',
    by: 'admin',
    answers: { 200: 'The message', ...MISSING },
  },
  'POST /api/hub/messages/{key}/retry': decide('Sends it now'),
  'POST /api/hub/messages/{key}/archive': decide('Closes it undelivered'),
}
