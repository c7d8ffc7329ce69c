/** Where `web` listens, and where its callers on the same machine look for it, unless PORT says otherwise. */
export const WEB_PORT = 3000

/** Where `hub` listens unless PORT says otherwise. */
export const HUB_PORT = 4000
