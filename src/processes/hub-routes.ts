import { createHubRouter } from '../hub/api.ts'
import type { HubRoutes } from './hub.ts'

/** Whatever the hub answers. `admin`: HUB_ADMIN_TOKEN, and where the process listens. */
export function hubRoutes(admin: Readonly<{ token: string | undefined; host: string }>): HubRoutes {
  return (pool, incomingLanes) => [createHubRouter({ pool, laneCount: incomingLanes, admin })]
}
