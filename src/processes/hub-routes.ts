import { createHubRouter } from '../hub/api.ts'
import { BUILT_IN_TYPES } from '../messages/message-types.ts'
import { sampleNames, sampleOf } from '../messages/samples/samples.ts'
import type { HubRoutes } from './hub.ts'

/** Whatever the hub answers. `admin`: HUB_ADMIN_TOKEN, and where the process listens. */
export function hubRoutes(admin: Readonly<{ token: string | undefined; host: string }>): HubRoutes {
  return (pool, laneCount) => [
    createHubRouter({
      pool,
      laneCount,
      admin,
      builtInTypes: BUILT_IN_TYPES,
      samples: { names: sampleNames, find: sampleOf },
    }),
  ]
}
