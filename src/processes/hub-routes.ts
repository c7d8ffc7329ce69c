import { createHubRouter } from '../hub/api/api.ts'
import { createHubFace } from '../hub/page/page-api.ts'
import type { HubRoutes } from './hub.ts'
import { LEASE_MILLISECONDS } from './lease.ts'

/** Whatever the hub answers. `admin`: HUB_ADMIN_TOKEN, and where the process listens; `targets`: HUB_TARGETS. */
export function hubRoutes(
  admin: Readonly<{ token: string | undefined; host: string }>,
  targets: 'public' | 'any',
): HubRoutes {
  return (pool, laneCount, log) => {
    const api = createHubRouter({ pool, laneCount, admin, targets })
    const face = createHubFace({
      pool,
      access: { ...admin, variable: 'HUB_ADMIN_TOKEN' },
      log,
      leaseSeconds: LEASE_MILLISECONDS / 1_000,
    })
    return { routers: [api, face.router], close: face.close }
  }
}
