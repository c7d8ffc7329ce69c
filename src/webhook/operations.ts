import type { Operations } from '../http/open-api.ts'
import { envelope } from './envelope.ts'
import { wombatRequest } from './wombat-request.ts'

const RECEIVES = {
  by: 'hub',
  body: envelope,
  answers: {
    200: 'Applied, or known already',
    400: 'Not a message: which field, and why',
    401: 'Not a token of this webhook, or not signed by a secret of it',
    404: 'No such service',
    406: 'The body is not JSON',
    413: 'The body is too large',
    415: 'The Content-Type is not JSON',
    429: 'Too many requests without a right token: see Retry-After',
    500: 'Not applicable to this store, as the notification says; or a fault, whose id is in the log',
    503: 'Not now: see Retry-After',
  },
} as const

const TAKES_OBJECTS = {
  by: 'hub',
  body: wombatRequest,
  answers: {
    200: 'Applied, or known already; `summary` says what was done',
    400: 'Not a request: which field, and why',
    401: 'Not a token of this webhook',
    413: 'The body is too large',
    415: 'The Content-Type is not application/json',
    500: 'Not applicable to this store, as `summary` says; no such handler; or a fault, whose id is in the log',
    503: 'Not now: see Retry-After',
  },
} as const

/** What `webhookRoutes` answers. */
export const WEBHOOK_OPERATIONS: Operations = {
  'GET /endpoint.json': {
    summary: 'What this endpoint offers',
    by: 'anybody',
    answers: { 200: 'Its services' },
  },
  'GET /icon.svg': { summary: 'Its icon', by: 'anybody', answers: { 200: 'An image' } },
  'GET /auth': { summary: 'Answers that it is there', by: 'anybody', answers: { 200: 'Empty' } },
  'POST /webhook': { summary: 'Applies a message of the hub', ...RECEIVES },
  'POST /webhook/{service}': { summary: 'The same, by the name of its service', ...RECEIVES },
  'POST /wombat/{name}': { summary: 'Applies an object of a Wombat hub', ...TAKES_OBJECTS },
  'POST /flowlink/{name}': { summary: 'The same of a FlowLink hub', ...TAKES_OBJECTS },
}
