import { rmSync } from 'node:fs'
import type {} from './global-setup.ts'

export default async function stopTestPostgres(): Promise<void> {
  const server = globalThis.testPostgres
  if (!server) return
  await server.stop()
  rmSync(server.root, { recursive: true, force: true })
}
