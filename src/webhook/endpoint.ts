import { type Handlers, parametersOf, serviceName } from '../apply/handlers.ts'

/** What this endpoint offers, as the hub's integrations describe themselves in `endpoint.json` (protocol §3.7). */
export function describeEndpoint(handlers: Handlers) {
  return {
    // The prefix of its parameters' names.
    name: 'spree',
    display: 'Spree',
    description: 'Applies messages of the hub to a Spree store, each exactly once.',
    help: '/dashboard',
    icon_url: 'icon.svg',
    services: handlers.map((handler) => ({
      name: serviceName(handler),
      path: `/webhook/${serviceName(handler)}`,
      description: handler.description,
      requires: { parameters: parametersOf(handler) },
      recommends: {
        messages: [handler.message],
        identifiers: {},
        filters: [],
        options: { retries_allowed: true },
      },
      produces: {},
    })),
  }
}

/** A bridge of two piers. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">
<path d="M4 44h56M14 20v32M50 20v32M4 34q10-2 10-14q18 30 36 0q0 12 10 14" fill="none" stroke="#2f6f4f" stroke-width="4"/>
</svg>
`
