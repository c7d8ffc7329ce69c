import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'

const schema = z.object({
  store: z.object({ databaseUrl: z.string() }),
  hub: z.object({
    url: z.string(),
    storeId: z.string(),
    token: z.string(),
    adminToken: z.string(),
    databaseUrl: z.string(),
  }),
  web: z.object({ url: z.string(), webhookToken: z.string(), operatorToken: z.string() }),
})

/** What the demo has started, for people and scripts alike. */
export type DemoFile = Readonly<z.infer<typeof schema>>

/** The demo's folder, in the folder where it was started. */
export const DEMO_FOLDER = '.data'

const file = (folder: string) => path.join(folder, 'demo.json')

/** Undefined where no demo has been started here; a file that is none of ours counts as none. */
export function readDemoFile(folder: string = DEMO_FOLDER): DemoFile | undefined {
  if (!existsSync(file(folder))) return undefined
  try {
    return schema.parse(JSON.parse(readFileSync(file(folder), 'utf8')))
  } catch {
    return undefined
  }
}

/** It holds tokens, so only its owner may read it. */
export function writeDemoFile(demo: DemoFile, folder: string = DEMO_FOLDER): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(file(folder), `${JSON.stringify(demo, null, 2)}\n`, { mode: 0o600 })
  chmodSync(file(folder), 0o600)
}

/** The same as settings in the environment, so that every command works on the demo's store and hub. */
export function demoEnvironment(demo: DemoFile): Record<string, string> {
  return {
    DATABASE_URL: demo.store.databaseUrl,
    HUB_URL: demo.hub.url,
    HUB_STORE_ID: demo.hub.storeId,
    HUB_TOKEN: demo.hub.token,
    HUB_ADMIN_TOKEN: demo.hub.adminToken,
    HUB_DATABASE_URL: demo.hub.databaseUrl,
    WEBHOOK_TOKEN: demo.web.webhookToken,
    OPERATOR_TOKEN: demo.web.operatorToken,
    PORT: String(portOf(demo.web.url)),
  }
}

/** Of an address of ours, 80 included, which is never written. */
export function portOf(url: string): number {
  return Number(new URL(url).port || 80)
}
