/** How long a worker's registration stands without a heartbeat. */
export const LEASE_MILLISECONDS = 12_000
export const HEARTBEAT_MILLISECONDS = 3_000
